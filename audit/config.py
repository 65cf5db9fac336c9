"""callaudit.toml → Config, read once at the edge; everything further in gets plain values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from audit.complaint_clock import BEIJING, Terms
from audit.errors import BadConfig, os_reason
from rules.model import Severity

FILE_NAME = "callaudit.toml"
CHINA = BEIJING
ENGINES = ("faster-whisper", "openai-whisper", "transcript")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the command line starts from; docs/configuration.md explains each key.

    `workers` None means: by the number of cores; `worker_gigabytes` None: four fifths of the machine's memory, shared.
    `on`: local, ray or ray://host:port. `core_hour_price`: money for an hour of one processor core.
    `agent_channel` (0 left, 1 right) holds where the call record is silent. `utc_offset` is meant where calls.csv
    gives a time without one.
    """

    db: Path = Path("callaudit.db")
    rules: str = "cn-collection"
    engine: str = "faster-whisper"
    model: str = "collection"
    workers: int | None = None
    call_minutes: float = 60
    worker_gigabytes: float | None = None
    on: str = "local"
    core_hour_price: float | None = None
    retention: Mapping[str, int] = field(default_factory=dict)
    retention_complaints: int | None = None
    alerts: tuple[str, ...] = ()
    agent_channel: int | None = None
    utc_offset: timezone = CHINA
    fail_on: Severity | None = None
    second_opinion: bool = True
    promise_grace_days: int = 3
    complaint_days: tuple[int, int, int] = (15, 30, 60)
    complaint_due_soon: int = 3
    two_reviewers: Severity | None = None
    appeal_days: int = 7
    precision_floor: float = 0.8
    precision_floor_reviews: int = 20
    session_idle_minutes: int = 30
    session_hours: int = 12
    lockout_failures: int = 5
    lockout_minutes: int = 15
    tls_cert: Path | None = None
    tls_key: Path | None = None
    inbox: Path = Path("inbox")
    upload_mb: int = 200
    linked_folders: tuple[Path, ...] = ()

    @property
    def complaint_terms(self) -> Terms:
        """The periods in which complaints are answered."""
        simple, complex_, very_complex = self.complaint_days
        return Terms(simple=simple, complex=complex_, very_complex=very_complex, due_soon=self.complaint_due_soon)


def read_config(path: Path | None = None) -> Config:
    """Read `path`, or ./callaudit.toml where there is one, else the defaults; `BadConfig` names file and key."""
    if path is None:
        path = Path(FILE_NAME)
        if not path.is_file():
            return Config()
    config = replace(Config(), **_values(path, _load(path)))
    if (config.tls_cert is None) != (config.tls_key is None):
        raise BadConfig(f"{path}：tls_cert 和 tls_key 要一起写，缺一个就没有加密；请补上另一个")
    return config


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise BadConfig(f"{path}：读不了配置文件（{os_reason(error)}）；请检查 --config 的路径") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadConfig(f"{path}：不是正确的 TOML（{error}）；请改正后再运行") from error


def _values(path: Path, found: dict[str, Any]) -> dict[str, Any]:
    unknown = [key for key in found if key not in _READERS]
    if unknown:
        raise BadConfig(f"{path}：没有配置项 {'、'.join(unknown)}；可用的有：{'、'.join(_READERS)}")
    values = {}
    for key, value in found.items():
        try:
            values[key] = _READERS[key](value, path.parent)
        except ValueError as error:
            shown = "…" if key in _SECRET else repr(value)
            raise BadConfig(f"{path}：{key} = {shown} 不对；{error}") from None
    return values


def _text(value: object, _: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("请写成带引号的文字")
    return value


def _file(value: object, folder: Path) -> Path:
    text = _text(value, folder)
    if "\0" in text:
        raise ValueError("路径里有非法字符")
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:
        raise ValueError("没有 ~ 后面的这个用户；请写完整的路径") from None


def _name_or_folder(value: object, folder: Path) -> str:
    """A bare word is a name; with a slash it is a path, from the configuration file's folder."""
    text = _text(value, folder)
    return str(_file(text, folder)) if "/" in text or "\\" in text else text


def _engine(value: object, _: Path) -> str:
    if value not in ENGINES:
        raise ValueError(f"可选：{'、'.join(ENGINES)}")
    return str(value)


def _workers(value: object, _: Path) -> int:
    if type(value) is not int or not 1 <= value <= 256:
        raise ValueError("请写 1 到 256 的整数；不写则按 CPU 核数")
    return value


def read_on(value: object) -> str:
    """Where a batch runs: `local`, `ray` or the address of a Ray cluster; ValueError says how to write it."""
    text = str(value)
    if text not in ("local", "ray") and not re.fullmatch(r"ray://[\w.\-\[\]:]+:\d{1,5}", text):
        raise ValueError("可选：local、ray、ray://主机:端口")
    return text


def _amount(value: object, _: Path) -> float:
    if type(value) not in (int, float) or not 0 < float(str(value)) < 10_000:
        raise ValueError("请写大于 0 的数，不带引号")
    return float(str(value))


def _share(value: object, _: Path) -> float:
    if type(value) not in (int, float) or not 0 <= float(str(value)) <= 1:
        raise ValueError("请写 0 到 1 的小数，不带引号")
    return float(str(value))


def _between(least: int, most: int) -> Callable[[object, Path], int]:
    def read(value: object, _: Path) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"请写 {least} 到 {most} 的整数")
        return value

    return read


def _periods(value: object, _: Path) -> tuple[int, int, int]:
    """Days for simple, complex and very complex complaints, each longer than the one before."""
    days = value if isinstance(value, list) and all(type(day) is int for day in value) else []
    if len(days) != 3 or not 1 <= days[0] < days[1] < days[2] <= 365:
        raise ValueError("请写三个由小到大的天数：简单、复杂、特别复杂，例如 [15, 30, 60]")
    return days[0], days[1], days[2]


def _addresses(value: object, folder: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError('请写成列表，例如 ["dingtalk://token/"]')
    return tuple(_text(one, folder) for one in value)


def _folders(value: object, folder: Path) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise ValueError('请写成列表，例如 ["/mnt/录音"]')
    return tuple(_file(one, folder) for one in value)


def _days(value: object, _: Path) -> Mapping[str, int]:
    """A table product → days; `default` for all others."""
    if not isinstance(value, dict) or not all(type(days) is int and 1 <= days <= 36_500 for days in value.values()):
        raise ValueError('请写成表，产品 = 天数，例如 {default = 1095, "信用卡" = 730}')
    return value


def _channel(value: object, _: Path) -> int:
    if type(value) is not int or value not in (0, 1):
        raise ValueError("0 表示坐席在左声道，1 表示坐席在右声道")
    return value


def _severity(value: object, _: Path) -> Severity:
    try:
        return Severity(str(value))
    except ValueError:
        raise ValueError(f"可选：{'、'.join(Severity)}") from None


def _yes_or_no(value: object, _: Path) -> bool:
    if type(value) is not bool:
        raise ValueError("请写 true 或 false，不带引号")
    return value


def utc_offset(value: object) -> timezone:
    """`+08:00` → the time zone; ValueError says how to write it."""
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", str(value))
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        raise ValueError("请写成 +08:00 的样子")
    delta = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(delta if found[1] == "+" else -delta)


_SECRET = frozenset({"alerts"})
"""Keys whose values hold passwords or tokens, and are never repeated in a message."""
_READERS: dict[str, Callable[[object, Path], object]] = {
    "db": _file,
    "rules": _name_or_folder,
    "engine": _engine,
    "model": _name_or_folder,
    "workers": _workers,
    "call_minutes": _amount,
    "worker_gigabytes": _amount,
    "on": lambda value, _: read_on(value),
    "core_hour_price": _amount,
    "retention": _days,
    "retention_complaints": _between(1, 36_500),
    "alerts": _addresses,
    "agent_channel": _channel,
    "utc_offset": lambda value, _: utc_offset(value),
    "fail_on": _severity,
    "second_opinion": _yes_or_no,
    "session_idle_minutes": _between(1, 24 * 60),
    "session_hours": _between(1, 24 * 7),
    "lockout_failures": _between(1, 100),
    "lockout_minutes": _between(1, 24 * 60),
    "tls_cert": _file,
    "tls_key": _file,
    "inbox": _file,
    "upload_mb": _between(1, 10_000),
    "linked_folders": _folders,
    "promise_grace_days": _between(0, 60),
    "complaint_days": _periods,
    "complaint_due_soon": _between(0, 30),
    "two_reviewers": _severity,
    "appeal_days": _between(1, 90),
    "precision_floor": _share,
    "precision_floor_reviews": _between(1, 10_000),
}
