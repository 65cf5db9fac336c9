"""Hints of the model through the audit: pipeline, settings, store, report, re-audit, check and configuration."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from audit.access import LOCAL
from audit.added import Added, added, table
from audit.calls import CallRecord
from audit.check import check_lines
from audit.config import Config, read_config
from audit.errors import BadConfig
from audit.evaluate import read_corpus
from audit.pipeline import Job, judge_call
from audit.plan import settings_digest
from audit.reaudit import changes, judged_anew
from audit.rejudge import Today
from audit.report import read_report, write_report
from audit.score import Verdict
from audit.settings import judging_code
from audit.store import Settings, Store
from rules import duties, signals
from rules.callee import CALLEE
from rules.engine import Judge
from rules.everyday import EVERYDAY
from rules.hints import PREFIX
from rules.load import load_rules
from rules.model import Result, RuleSet
from rules.second_opinion import SecondOpinion
from rules.suspicion import read_model
from transcribe.model import EngineInfo, Role, Transcript, Turn

SAID = "你等着瞧，让你家里人也过不安生"


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    """The pack without the rules: whatever is said, only the model may have something to say."""
    return dataclasses.replace(load_rules(), rules=())


@pytest.fixture
def second(ruleset: RuleSet) -> SecondOpinion:
    model = read_model()
    return SecondOpinion(ruleset, model=dataclasses.replace(model, thresholds=np.full_like(model.thresholds, -100)))


def settings(ruleset: RuleSet, **options: str) -> Settings:
    return Settings(
        tool_version="0", ruleset=ruleset.name, ruleset_version=ruleset.version, ruleset_digest=ruleset.digest,
        engine="transcript", model=None, options=options,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, ruleset: RuleSet, second: SecondOpinion) -> Store:
    turn = Turn(index=0, role=Role.AGENT, channel=0, start_ms=0, end_ms=3000, text=SAID)
    transcript = Transcript(
        recording="ab" * 32, duration_ms=3000, engine=EngineInfo(name="transcript", version="0", model=None, model_sha256=None),
        turns=(turn,), language="zh", role_confidence=1.0, notes=(),
    )  # fmt: skip
    record = CallRecord(call_id="c1", path=tmp_path / "c1.wav")
    job = Job(record=record, recording=transcript.recording, bytes=0, hearing="h", settings="s", transcript=transcript)
    call = judge_call(job, transcript, judge=Judge(ruleset), ruleset=ruleset, second=second)
    opened = Store.open(tmp_path / "a.db")
    opened.save_rules(ruleset)
    opened.add_records([record])
    opened.save(call, run=opened.start_run("audit", settings(ruleset, second_opinion="d")))
    return opened


def test_a_hint_comes_back_from_the_store_and_costs_no_point(store: Store) -> None:
    call = store.call("c1")
    assert call is not None
    (hint,) = call.judgement.findings
    assert (hint.rule_id[: len(PREFIX)], hint.result, hint.quote) == (PREFIX, Result.UNSURE, SAID)
    assert (call.card.score, call.card.verdict, sum(call.card.unsure.values())) == (100, Verdict.REVIEW, 1)


@pytest.mark.parametrize("suffix", [".html", ".xlsx"])
def test_a_report_names_the_hint_in_words(store: Store, tmp_path: Path, suffix: str) -> None:
    ((issue,),) = [call.issues for call in read_report(store).calls]
    assert issue.rule.title.startswith("模型提示：")
    write_report(store, tmp_path / f"r{suffix}")
    assert suffix == ".xlsx" or "模型提示：" in (tmp_path / "r.html").read_text("utf-8")


def test_a_reaudit_without_it_says_what_would_go(store: Store, ruleset: RuleSet) -> None:
    (change,) = changes(judged_anew(store, Today(ruleset=ruleset, settings=settings(ruleset))), actor=LOCAL)
    assert (change.rule_id[: len(PREFIX)], change.new, change.gone) == (PREFIX, 0, 1)


def test_another_model_or_none_means_judging_again(ruleset: RuleSet, tmp_path: Path) -> None:
    record = CallRecord(call_id="c1", path=tmp_path / "c1.wav")
    each = [settings(ruleset), settings(ruleset, second_opinion="a"), settings(ruleset, second_opinion="b")]
    assert len({settings_digest("h", given, record) for given in each}) == 3


def test_another_table_means_judging_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[Path] = set()

    def nothing(path: Path) -> bytes:
        read.add(path)
        return b""

    monkeypatch.setattr(Path, "read_bytes", nothing)
    judging_code.__wrapped__()
    assert {CALLEE, EVERYDAY, duties.TABLES / "offer_plan.npz", signals.TABLES / "hardship.npz"} <= read


def test_check_asks_it_only_when_told() -> None:
    corpus = Path(__file__).parent.parent / "corpus" / "open"
    lines = (corpus / "f01.jsonl").read_bytes().splitlines()

    def hints(*, second_opinion: bool) -> list[str]:
        answers = [checked.answer or {} for checked in check_lines(lines, load_rules(), second_opinion=second_opinion)]
        found = [finding for answer in answers for finding in answer["findings"]]
        return [finding["outcome"] for finding in found if finding["rule"].startswith(PREFIX)]

    assert hints(second_opinion=False) == []
    assert set(hints(second_opinion=True)) <= {"unsure"}


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    file = tmp_path / "callaudit.toml"
    file.write_text("second_opinion = false\n", "utf-8")
    assert Config().second_opinion
    assert not read_config(file).second_opinion
    file.write_text('second_opinion = "no"\n', "utf-8")
    with pytest.raises(BadConfig, match="true 或 false"):
        read_config(file)


def test_what_it_adds_is_counted(tmp_path: Path, ruleset: RuleSet, second: SecondOpinion) -> None:
    guilty = {
        "call_id": "x-1", "complete": False, "labels": [{"turn": 0, "category": "threat", "quote": SAID}],
        "turns": [{"role": "agent", "text": SAID}, {"role": "agent", "text": "您好这边跟您核对账单"}],
    }  # fmt: skip
    clean = {"call_id": "x-2", "complete": False, "labels": [], "turns": [{"role": "agent", "text": "您好请问是哪位"}]}
    file = tmp_path / "x.jsonl"
    file.write_text("\n".join(json.dumps(call) for call in (guilty, clean)), "utf-8")
    found = added(read_corpus(file), Judge(ruleset), second)
    assert dataclasses.replace(found, named=0) == Added(clean_calls=1, missed=1, found=1, extra=1, beside=1)
    assert found.extra_in_100 == 100
    assert "| 1 | 1: 1.00" in "\n".join(table({"open": found}))


def test_on_the_set_aside_half_it_costs_at_most_two_items_in_a_hundred_clean_calls() -> None:
    judge = Judge(load_rules())
    found = added(
        read_corpus(Path(__file__).parent.parent / "corpus" / "set_aside"), judge, SecondOpinion(judge.ruleset)
    )
    assert found.extra_in_100 <= 2
    assert found.found >= found.missed / 5
