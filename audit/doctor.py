"""`callaudit doctor`: is everything here that an audit needs, and does it really work?"""

from __future__ import annotations

import math
import os
import platform
import shutil
import struct
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from audit.alerts import messenger_to
from audit.calls import CallRecord
from audit.config import Config
from audit.errors import AuditError
from audit.hearing import Hearing, open_ears, weights_digest
from audit.store import Store, tallies
from audit.store.cipher import given_key
from audit.store.promises import resettle_promises
from rules.engine import Judge
from rules.load import RuleErrors, load_rules
from rules.model import CallFacts
from transcribe.errors import TranscribeError
from transcribe.model import Role, Turn

PACKAGES = (
    "callaudit",
    "faster-whisper",
    "av",
    "spacy",
    "jieba",
    "opencc",
    "pypinyin",
    "ahocorasick-rs",
    "sqlite-utils",
)
_ENOUGH_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at: `name` for programs, `title` for people."""

    name: str
    title: str
    ok: bool
    detail: str


def examine(config: Config) -> list[Check]:
    """Look at everything, also where something before it is missing."""
    hearing = Hearing(engine=config.engine, model=config.model)
    looks: list[tuple[str, str, Callable[[], str]]] = [
        ("python", "Python", _python),
        ("packages", "依赖包", _packages),
        ("weights", "模型", lambda: _weights(hearing)),
        ("rules", "规则包", lambda: _rules(config.rules)),
        ("store", "数据库", lambda: _store(config.db)),
        ("counts", "统计", lambda: _counts(config.db)),
        ("disk", "磁盘", lambda: _disk(config.db)),
        ("alerts", "提醒地址", lambda: _alerts(config)),
        ("tls", "加密连接", lambda: _tls(config)),
        ("hears", "识别自检", lambda: _hears(hearing)),
        ("judges", "判定自检", lambda: _judges(config.rules)),
    ]
    return [_look(name, title, look) for name, title, look in looks]


def _look(name: str, title: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, title=title, ok=True, detail=look())
    except (AuditError, RuleErrors, TranscribeError) as error:
        return Check(name=name, title=title, ok=False, detail=str(error))
    except Exception as error:  # whatever is broken, the other checks still tell what works
        return Check(name=name, title=title, ok=False, detail=f"{type(error).__name__}: {error}")


def _python() -> str:
    return f"{platform.python_version()}，{sys.executable}，{platform.platform()}"


def _packages() -> str:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        raise AuditError(f"没有安装 {'、'.join(missing)}；请在虚拟环境里运行 pip install 'callaudit[base]'")
    return "，".join(found)


def _weights(hearing: Hearing) -> str:
    return f"{hearing.engine}，模型 {hearing.model}，SHA-256 {weights_digest(hearing)}"


def _rules(pack: str) -> str:
    ruleset = load_rules(pack)
    return f"{ruleset.name} {ruleset.version}，{len(ruleset.rules)} 条，摘要 {ruleset.digest}"


def _alerts(config: Config) -> str:
    if not config.alerts:
        return "没有设置"
    messenger_to(config.alerts)
    return f"{len(config.alerts)} 个地址写法正确（没有发送）"


def _tls(config: Config) -> str:
    files = [file for file in (config.tls_cert, config.tls_key) if file is not None]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise AuditError(f"没有这个文件：{'、'.join(missing)}；请检查 tls_cert、tls_key")
    return "证书和私钥都在" if files else "没有设置"


def _store(path: Path) -> str:
    folder = path.absolute().parent
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise AuditError(f"{folder}：不能写，audit 存不下结果；请检查权限，或磁盘是不是只读挂载")
    if not path.exists():
        return f"{path} 还没有；第一次 audit 时建立"
    with Store.read(path) as store:
        verdict = store.integrity()
        if verdict != "ok":
            raise AuditError(f"{path}：数据库损坏（{verdict}）；请从备份恢复")
        if store.key is None and given_key() is not None:
            raise AuditError(f"{path}：给出了密钥，但数据库没有加密；请运行 callaudit encrypt")
        state = "没有加密" if store.key is None else "已加密"
        return f"{path} 完好，{state}，已判定 {len(store.done())} 通，失败 {len(store.failures())} 通"


def _counts(path: Path) -> str:
    if not path.exists():
        return "还没有数据库"
    with Store.read(path) as store:
        wrong = tallies.quick_check(store)
    if wrong:
        raise AuditError(f"{path}：{wrong}；请运行 callaudit doctor --recount 重新清点")
    return "仪表盘的统计与通话、复核一致"


def recount(path: Path) -> int:
    """Count calls and reviews anew, and settle promises; returns how many rows were wrong."""
    with Store.existing(path) as store, store.writing():
        wrong = len(tallies.differences(store))
        tallies.recount(store)
        wrong += resettle_promises(store)
    return wrong


def _disk(db: Path) -> str:
    free = shutil.disk_usage(db.absolute().parent).free
    if free < _ENOUGH_BYTES:
        raise AuditError(f"{db.absolute().parent}：只剩 {free / 1e9:.1f} GB；请至少腾出 1 GB")
    return f"剩余 {free / 1e9:.1f} GB"


def _hears(hearing: Hearing) -> str:
    """Two seconds of tones through the whole recogniser: that it runs is what counts, not what it makes of them."""
    if hearing.engine == "transcript":
        return "transcript 引擎不做识别"
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "自检.wav")
        _write_tones(path)
        transcript = open_ears(hearing)(CallRecord(call_id="doctor", path=path))
    return f"{transcript.engine.name} {transcript.engine.version} 正常，用时 {time.perf_counter() - start:.1f} 秒"


def _write_tones(path: Path) -> None:
    samples = [int(8000 * math.sin(i * i / 20_000) * math.sin(i / 900)) for i in range(16_000)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def _judges(pack: str) -> str:
    turn = Turn(index=0, role=Role.AGENT, channel=0, start_ms=0, end_ms=2000, text="再不还钱我们就爆你通讯录")
    judgement = Judge(load_rules(pack)).judge([turn], CallFacts())
    return f"试判一句，{len(judgement.outcomes)} 条规则给出结果，{len(judgement.findings)} 处命中"
