"""A small store as an audit leaves it: real sound, invented words, every kind of outcome."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from audit.calls import CallRecord
from audit.score import scorecard
from audit.store import AuditedCall, Settings, Store
from rules.model import Finding, Judgement, Result, Rule, RuleSet
from transcribe.model import EngineInfo, Role, Transcript, Turn

RATE = 8_000
SETTINGS = Settings(
    tool_version="0.1.0", ruleset="cn-collection", ruleset_version="2026.11", ruleset_digest="3f9c" * 16,
    engine="faster-whisper", model="base", options={},
)  # fmt: skip


def rule(rule_id: str, title: str, category: str, severity: str, clause: str | None = None) -> Rule:
    law = {"instrument": "某某催收规范", "clause": clause, "authority": "national_standard", "confidence": "high"}
    return Rule.model_validate({
        "id": rule_id, "title": title, "title_en": rule_id, "category": category, "kind": "forbid",
        "severity": severity, "status": "test", "since": "0.1.0", "why": "测试", "when": [{"phrase": ["词"]}],
        "references": [law | {"url": "https://example.org/standard"}] if clause else [],
        "examples": {"violations": [{"turns": ["agent: 词"]}], "clean": [{"turns": ["agent: 字"]}]},
    })  # fmt: skip


RULES = (
    rule("menace-family", "以家人安全相威胁", "threat", "critical", "第 5.2 条"),
    rule("tell-third-party", "向联系人透露欠款", "privacy_leak", "high", "第 6.1 条"),
    rule("insult", "辱骂债务人", "abuse", "high", "第 5.3 条"),
    rule("no-recording-notice", "未告知录音", "recording_notice", "medium", "第 4.2 条"),
    rule("no-greeting", "未礼貌问候", "greeting", "low"),
    rule("late-call", "禁催时段拨打", "quiet_hours", "high", "第 7.1 条"),
    rule("wants-to-complain", "客户表示要投诉", "complaint_intent", "high"),
)
RULESET = RuleSet(
    name="cn-collection", version="2026.11", rules=RULES, parameters={}, conditions={}, lexicon={}, digest=SETTINGS.ruleset_digest
)  # fmt: skip
BY_ID = {rule.id: rule for rule in RULES}


@dataclass(frozen=True, kw_only=True)
class Said:
    """One call of the fixture: what was said, and which words which rule found in which turn."""

    call_id: str
    turns: Sequence[tuple[Role, str]]
    found: Sequence[tuple[str, int, str, Result]] = ()
    outcomes: Sequence[tuple[str, Result]] = ()
    agent: tuple[str, str, str] = ("A01", "王敏", "一组")
    relation: str = "self"
    notes: tuple[str, ...] = ()
    role_confidence: float = 1.0


AGENT, CUSTOMER = Role.AGENT, Role.CUSTOMER
FAIL, UNSURE, PASS = Result.FAIL, Result.UNSURE, Result.PASS
GOOD = Said(
    call_id="c-good",
    turns=[(AGENT, "您好，本次通话会录音。"), (CUSTOMER, "嗯，你说。"), (AGENT, "谢谢您，再见。")],
    outcomes=[("no-recording-notice", PASS), ("no-greeting", PASS), ("menace-family", PASS)],
)
THREAT = Said(
    call_id="c-threat",
    turns=[
        (AGENT, "你到底还不还？"),
        (CUSTOMER, "我这个月真没钱，再这样我要投诉你们。"),
        (AGENT, "你女儿是在实验小学三年级吧，路上小心一点，你个老赖。"),
        (CUSTOMER, "你什么意思？"),
    ],
    found=[
        ("menace-family", 2, "你女儿是在实验小学三年级吧，路上小心一点", FAIL),
        ("insult", 2, "老赖", UNSURE),
        ("no-recording-notice", 0, "", FAIL),
        ("wants-to-complain", 1, "我要投诉你们", FAIL),
    ],
    outcomes=[("no-greeting", PASS)],
    agent=("A02", "赵强", "二组"),
)
SCRIPT = Said(
    call_id="c-<script>",
    turns=[(AGENT, "<script>alert(1)</script>他欠了两万块你知道吗"), (CUSTOMER, '=HYPERLINK("x")')],
    found=[("tell-third-party", 0, "他欠了两万块", FAIL), ("late-call", 0, "", FAIL)],
    agent=("A03", "<b onmouseover=alert(2)>李</b>", "=1+1"),
    relation="contact",
    notes=("假立体声：左右声道是同一信号，按单声道处理",),
    role_confidence=0.62,
)


def build(folder: Path, calls: Sequence[Said]) -> Store:
    """A store in `folder` with these calls, each with 30 s of its own sound."""
    folder.mkdir(exist_ok=True)
    store = Store.open(folder / "audit.db")
    store.save_rules(RULESET)
    run = store.start_run("audit", SETTINGS)
    for number, said in enumerate(calls):
        path = folder / f"call {number}.wav"
        tone(path, hertz=300 + 50 * number)
        store.save(audited(said, path, number), run=run)
    store.finish_run(run, status="finished", done=len(calls), failed=0)
    return store


def tone(path: Path, *, hertz: float, seconds: float = 30.0) -> None:
    """Stereo 8 kHz, 100 Hz higher every four seconds: by ear of a test, which call and which turn it is."""
    at = np.arange(int(RATE * seconds)) / RATE
    left = 0.3 * np.sin(2 * np.pi * (hertz + 100 * (at // 4)) * at)
    right = 0.05 * np.sin(2 * np.pi * 1900 * at) * (at % 2 < 1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.stack([left, right], axis=1) * 32767).astype("<i2").tobytes())


def audited(said: Said, path: Path, number: int) -> AuditedCall:
    """A call as the pipeline hands it to the store: a turn every four seconds, three seconds long."""
    turns = tuple(
        Turn(index=i, role=role, channel=None, start_ms=4000 * i + 500, end_ms=4000 * i + 3500, text=text)
        for i, (role, text) in enumerate(said.turns)
    )
    findings = tuple(finding(turns, *place) for place in said.found)
    outcomes = {f.rule_id: f.result for f in findings} | dict(said.outcomes)
    judgement = Judgement(findings=findings, outcomes=outcomes)
    return AuditedCall(
        record=record(said, path, number),
        transcript=transcript(said, path, turns),
        judgement=judgement,
        card=scorecard(judgement, RULESET),
        promise=None,
        settings="s",
        hearing="h",
        bytes=path.stat().st_size,
    )


def record(said: Said, path: Path, number: int) -> CallRecord:
    agent_id, name, team = said.agent
    return CallRecord(
        call_id=said.call_id,
        path=path,
        started_at=datetime.fromisoformat(f"2026-11-{16 + number:02d}T10:12:05+08:00"),
        agent_id=agent_id,
        agent_name=name,
        team=team,
        callee_relation=said.relation,
        debtor_id=f"D{number:04d}",
        direction="outbound",
        days_overdue=12,
    )


def transcript(said: Said, path: Path, turns: tuple[Turn, ...]) -> Transcript:
    return Transcript(
        recording=sha256(path.read_bytes()).hexdigest(),
        duration_ms=30_000,
        turns=turns,
        engine=EngineInfo(name="faster-whisper", version="1.2.1", model="base", model_sha256="ab" * 32),
        role_confidence=said.role_confidence,
        notes=said.notes,
    )


def finding(turns: Sequence[Turn], rule_id: str, turn: int, quote: str, result: Result) -> Finding:
    start = turns[turn].text.index(quote)
    return Finding(
        rule_id=rule_id, rule_version=1, category=BY_ID[rule_id].category, severity=BY_ID[rule_id].severity,
        result=result, turn=turn, start=start, end=start + len(quote), start_ms=turns[turn].start_ms,
        end_ms=turns[turn].end_ms, quote=quote, heard_as="老赖" if result is UNSURE else None,
        confidence=0.8 if result is UNSURE else 1.0, because=f"命中“{quote}”" if quote else "全程没有这句话",
    )  # fmt: skip


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Makes a store of the calls given; all are closed after the test."""
    opened: list[Store] = []

    def make(*calls: Said, name: str = "batch") -> Store:
        opened.append(build(tmp_path / name, calls))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def build_batch(folder: Path) -> Store:
    """Three calls, one of them good, and a recording that failed."""
    store = build(folder, [GOOD, THREAT, SCRIPT])
    run = store.start_run("audit", SETTINGS)
    store.fail(Path("坏 文件.wav"), "文件是空的（0 字节）；请从录音系统重新导出", call_id="c-bad", run=run)
    return store


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[Store]:
    """A batch that the test may spoil."""
    with build_batch(tmp_path / "batch") as store:
        yield store


@pytest.fixture(scope="session")
def same_batch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The same batch for all tests that only read."""
    with build_batch(tmp_path_factory.mktemp("batch") / "same") as store:
        yield store


@pytest.fixture
def good_call() -> Said:
    return GOOD


@pytest.fixture
def threat_call() -> Said:
    return THREAT


@pytest.fixture
def long_call() -> Said:
    """Eighty turns with one insult in the middle."""
    turns = [(AGENT if i % 2 == 0 else CUSTOMER, f"第{i}句话") for i in range(80)]
    turns[40] = (AGENT, "你个老赖")
    return replace(THREAT, call_id="c-long", turns=turns, found=[("insult", 40, "老赖", FAIL)])
