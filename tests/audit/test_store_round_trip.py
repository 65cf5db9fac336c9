"""Whatever is put into the store comes out again: transcripts, judgements, records, cards."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.calls import CallRecord
from audit.score import Scorecard, Verdict
from audit.store import AuditedCall, Settings, Store, finding_keys
from rules.model import CATEGORIES, RELATIONS, Finding, Judgement, Result, Severity
from transcribe.model import LEVELS_DB, EngineInfo, Role, Transcript, Turn, Word

SETTINGS = Settings(
    tool_version="0", ruleset="r", ruleset_version="1", ruleset_digest="d", engine="e", model=None, options={"a": "b"}
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
filled = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ms = st.integers(0, 2**40)
shares = st.floats(0, 1)
words = st.builds(Word, text=texts, start=ms, end=ms, start_ms=ms, end_ms=ms, confidence=shares)
turns = st.builds(
    Turn,
    index=ms,
    role=st.sampled_from(Role),
    channel=st.none() | st.integers(0, 1),
    start_ms=ms,
    end_ms=ms,
    text=texts,
    words=st.lists(words, max_size=4).map(tuple),
    confidence=shares,
    reading=st.none() | texts,
    level_db=st.none() | st.floats(*LEVELS_DB),
)
engines = st.builds(
    EngineInfo,
    name=filled,
    version=filled,
    model=filled,
    model_sha256=st.none() | filled,
    options=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
)
transcripts = st.builds(
    Transcript,
    recording=st.text("0123456789abcdef", min_size=64, max_size=64),
    duration_ms=ms,
    turns=st.lists(turns, max_size=4).map(tuple),
    engine=engines,
    language=filled,
    role_confidence=shares,
    notes=st.lists(texts, max_size=2).map(tuple),
)
findings = st.builds(
    Finding,
    rule_id=filled,
    rule_version=st.integers(1, 9),
    category=st.sampled_from(sorted(CATEGORIES)),
    severity=st.sampled_from(Severity),
    result=st.sampled_from([Result.FAIL, Result.UNSURE]),
    turn=st.integers(0, 99),
    start=st.integers(0, 99),
    end=st.integers(0, 99),
    start_ms=ms,
    end_ms=ms,
    quote=texts,
    heard_as=st.none() | texts,
    confidence=shares,
    because=filled,
)
judgements = st.builds(
    Judgement,
    findings=st.lists(findings, max_size=3).map(tuple),
    outcomes=st.dictionaries(filled, st.sampled_from(Result), max_size=4),
)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=offsets)
records = st.builds(
    CallRecord,
    call_id=filled,
    path=filled.map(lambda name: Path("/r") / name),
    started_at=st.none() | times,
    duration_ms=st.none() | ms,
    agent_id=st.none() | texts,
    agent_name=st.none() | texts,
    team=st.none() | texts,
    case_id=st.none() | texts,
    debtor_id=st.none() | texts,
    callee_relation=st.none() | st.sampled_from(RELATIONS),
    direction=st.none() | texts,
    answered=st.none() | st.booleans(),
    product=st.none() | texts,
    days_overdue=st.none() | st.integers(-9, 9999),
    agent_channel=st.none() | st.integers(0, 1),
    extra=st.dictionaries(texts, texts, max_size=2),
)
CARD = Scorecard(
    score=62,
    verdict=Verdict.FAIL,
    deductions=(),
    duties=(),
    violations=dict.fromkeys(Severity, 1),
    unsure=dict.fromkeys(Severity, 0),
)


@settings(max_examples=40, deadline=None)
@given(records, transcripts, judgements)
def test_a_call_comes_back_as_it_went_in(record: CallRecord, transcript: Transcript, judgement: Judgement) -> None:
    promise = {
        "amount": 2000, "date": None, "text": "两千", "firmness": "firm", "repeated_back": False, "turn": 0,
    }  # fmt: skip
    call = AuditedCall(
        record=record,
        transcript=transcript,
        judgement=judgement,
        card=CARD,
        promise=promise,
        settings="s",
        hearing="h",
        bytes=7,
    )
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder, "x.db")) as store:
        run = store.start_run("audit", SETTINGS)
        for _ in range(2):  # the same again replaces, and adds nothing
            store.save(call, run=run)
        (stored,) = store.calls()
        assert stored.record == record
        assert stored.judgement == judgement
        assert (stored.card, stored.promise, stored.duration_ms) == (CARD, promise, transcript.duration_ms)
        assert store.transcript(stored.recording) == transcript
        assert store.done() == {record.call_id: (transcript.recording, "s")}
        assert store.integrity() == "ok"


@given(st.lists(findings, max_size=5))
def test_keys_tell_findings_of_one_call_apart(found: list[Finding]) -> None:
    assert len(set(finding_keys("0" * 64, found))) == len(found)


def test_a_key_does_not_change_with_punctuation_or_width() -> None:
    one = Finding(
        rule_id="r", rule_version=1, category="threat", severity=Severity.HIGH, result=Result.FAIL, turn=3, start=0,
        end=5, start_ms=0, end_ms=9, quote="爆你，通讯录A", heard_as=None, confidence=1.0, because="因",
    )  # fmt: skip
    other = Finding(
        rule_id="r", rule_version=2, category="threat", severity=Severity.LOW, result=Result.UNSURE, turn=3, start=1,
        end=6, start_ms=5, end_ms=9, quote="爆你通讯录Ａ", heard_as=None, confidence=0.5, because="果",
    )  # fmt: skip
    assert finding_keys("x", [one]) == finding_keys("x", [other])
    assert finding_keys("x", [one]) != finding_keys("y", [one])


def test_attempts_and_runs_are_kept(tmp_path: Path) -> None:
    attempt = CallRecord(call_id="a1", started_at=datetime(2026, 1, 1, tzinfo=UTC), debtor_id="D", answered=False)
    with Store.open(tmp_path / "x.db") as store:
        store.add_records([attempt])
        run = store.start_run("audit", SETTINGS)
        store.finish_run(run, status="finished", done=0, failed=0)
    with Store.read(tmp_path / "x.db") as store:
        assert list(store.attempts()) == [attempt]
        last = store.last_run()
        assert last is not None
        assert (last.status, last.settings, last.kind) == ("finished", SETTINGS, "audit")
