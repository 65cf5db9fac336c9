"""What customers signal, heard a second time: doubts, hints, and duties that hang on a signal in doubt."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import cycle

import pytest

from rules.examples import turns_of
from rules.load import load_rules
from rules.model import SELF_HARM, Finding, Judgement, Result, RuleSet, Severity
from rules.second_opinion import SecondOpinion
from rules.signals import SIGNALS, plain_signal, sounds_like, telling_words
from rules.text import normalise_term
from transcribe.model import Turn


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    return load_rules()


def dialogue(*lines: str) -> tuple[Turn, ...]:
    """Agent and customer in turn."""
    return turns_of([f"{speaker}: {line}" for speaker, line in zip(cycle(("agent", "customer")), lines, strict=False)])


def rule_found(category: str, turn: Turn, *, rule_id: str, result: Result = Result.FAIL) -> Finding:
    return Finding(
        rule_id=rule_id, rule_version=1, category=category, severity=Severity.INFO, result=result, turn=turn.index,
        start=0, end=len(turn.text), start_ms=0, end_ms=0, quote=turn.text, heard_as=None, confidence=1.0, because="说了",
    )  # fmt: skip


def test_there_is_a_table_for_each_signal_but_self_harm() -> None:
    assert SELF_HARM not in SIGNALS
    assert len({sounds_like(category, "我下周五还你两千") for category in SIGNALS}) == 2


@pytest.mark.parametrize(
    ("category", "likely", "unlikely"),
    [
        ("promise_to_pay", "行，我下周五发了工资还你两千", "你让我想想，这钱我到底欠谁的"),
        ("hardship", "我上个月被厂里裁了，孩子还在住院", "我在开车，晚点打给你"),
        ("stop_contact", "以后不要再打我单位的电话了", "单位的电话是多少来着"),
        ("complaint_intent", "你再这样我就去银保监投诉你们", "这个数怎么算的"),
    ],
)
def test_what_sounds_like_a_signal_and_what_does_not(category: str, likely: str, unlikely: str) -> None:
    assert sounds_like(category, normalise_term(likely))
    assert not sounds_like(category, normalise_term(unlikely))


def test_a_signal_that_does_not_sound_like_one_is_left_in_doubt(ruleset: RuleSet) -> None:
    (_, turn) = turns = dialogue("您那笔三千的贷款逾期了", "我在开车呢，这个数怎么算的")
    found = rule_found("hardship", turn, rule_id="hard-times")
    (weighed,) = SecondOpinion(ruleset).weigh(Judgement(findings=(found,), outcomes={}), turns).findings
    assert weighed.result is Result.UNSURE
    assert "模型觉得听起来不像特殊困难" in weighed.because


def test_of_self_harm_it_doubts_nothing(ruleset: RuleSet) -> None:
    (_, turn) = turns = dialogue("您那笔三千的贷款逾期了", "我在开车呢，这个数怎么算的")
    found = rule_found(SELF_HARM, turn, rule_id="self-harm")
    assert SecondOpinion(ruleset).weigh(Judgement(findings=(found,), outcomes={}), turns).findings == (found,)


def test_a_plain_signal_that_no_rule_saw_is_hinted_at_with_its_words(ruleset: RuleSet) -> None:
    said = "我被公司裁员了，老婆又查出来癌症在住院，一分钱工资都没有了"
    turns = dialogue("您好，您那笔贷款逾期二十天了", said)
    (hint,) = SecondOpinion(ruleset).weigh(Judgement(findings=(), outcomes={}), turns).findings
    assert (hint.rule_id, hint.result, hint.turn) == ("second-opinion-hardship", Result.UNSURE, 1)
    assert hint.quote == said
    words = telling_words("hardship", normalise_term(said))
    assert words
    assert all(word in normalise_term(said) and f"“{word}”" in hint.because for word in words)
    assert plain_signal("嗯") is None


def test_a_duty_that_only_a_doubtful_signal_calls_for_is_in_doubt(ruleset: RuleSet) -> None:
    turns = dialogue("您那笔三千的贷款逾期了", "我在开车呢，这个数怎么算的", "合同上写着的")
    signal = rule_found("hardship", turns[1], rule_id="hard-times")
    duty = rule_found("offer_plan", turns[2], rule_id="no-plan-offered")

    def result_of_duty(*findings: Finding) -> Result:
        weighed = SecondOpinion(ruleset).weigh(Judgement(findings=findings, outcomes={}), turns)
        return next(finding.result for finding in weighed.findings if finding.rule_id == duty.rule_id)

    assert result_of_duty(signal, duty) is Result.UNSURE
    assert result_of_duty(duty) is Result.FAIL
    sick = dialogue("您那笔三千的贷款逾期了", "我在住院，做了手术没有收入", "合同上写着的")
    ill = rule_found("hardship", sick[1], rule_id="hard-times")
    weighed = SecondOpinion(ruleset).weigh(Judgement(findings=(ill, duty), outcomes={}), sick)
    assert {finding.result for finding in weighed.findings} == {Result.FAIL}


def test_of_a_rule_that_has_proved_itself_it_doubts_nothing(ruleset: RuleSet) -> None:
    proved = tuple(
        rule.model_copy(update={"status": "stable"}) if rule.id == "hard-times" else rule for rule in ruleset.rules
    )
    (_, turn) = turns = dialogue("您那笔三千的贷款逾期了", "我在开车呢，这个数怎么算的")
    found = rule_found("hardship", turn, rule_id="hard-times")
    second = SecondOpinion(replace(ruleset, rules=proved))
    assert second.weigh(Judgement(findings=(found,), outcomes={}), turns).findings == (found,)


def test_a_hostile_turn_full_of_promises_is_weighed_at_once(ruleset: RuleSet) -> None:
    turns = dialogue("您好", "我还你两千" * 20_000)
    said = [
        replace(rule_found("promise_to_pay", turns[1], rule_id="promises-to-pay"), start=n, end=n + 5)
        for n in range(0, 10_000, 5)
    ]
    second = SecondOpinion(ruleset)
    began = time.process_time()
    second.weigh(Judgement(findings=tuple(said), outcomes={}), turns)
    assert time.process_time() - began < 2  # it took 24 s when each finding asked anew
