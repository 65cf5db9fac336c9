"""A call's outcomes become a score, a verdict and ticked duties."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.score import FULL_SCORE, PASS_MARK, POINTS, Scorecard, Verdict, score_of, scorecard
from rules.engine import Judge
from rules.load import load_rules
from rules.model import CallFacts, Finding, Judgement, Result, Rule, RuleSet, Severity
from transcribe.model import Role, Turn

RULES = {
    "menace": ("threat", Severity.CRITICAL),
    "leak": ("privacy_leak", Severity.HIGH),
    "pester": ("harassment", Severity.MEDIUM),
    "insist": ("harassment", Severity.MEDIUM),
    "nag": ("harassment", Severity.LOW),
    "notice": ("recording_notice", Severity.LOW),
    "hello": ("greeting", Severity.LOW),
    "pause": ("dead_air", Severity.INFO),
    "complains": ("complaint_intent", Severity.HIGH),
}


def rule(rule_id: str, category: str, severity: Severity) -> Rule:
    return Rule.model_validate(
        {
            "id": rule_id,
            "title": rule_id,
            "title_en": rule_id,
            "category": category,
            "kind": "forbid",
            "severity": severity,
            "status": "test",
            "since": "0.1.0",
            "why": "测试",
            "when": [{"phrase": ["词"]}],
            "examples": {"violations": [{"turns": ["agent: 词"]}], "clean": [{"turns": ["agent: 字"]}]},
        }
    )


def ruleset() -> RuleSet:
    rules = tuple(rule(name, *what) for name, what in RULES.items())
    return RuleSet(name="test", version="1", rules=rules, parameters={}, conditions={}, lexicon={}, digest="d")


def finding(rule_id: str, result: Result = Result.FAIL, severity: Severity | None = None, turn: int = 0) -> Finding:
    category, usual = RULES[rule_id]
    return Finding(
        rule_id=rule_id,
        rule_version=1,
        category=category,
        severity=severity or usual,
        result=result,
        turn=turn,
        start=0,
        end=1,
        start_ms=0,
        end_ms=1,
        quote="词",
        heard_as=None,
        confidence=1.0,
        because="词",
    )


def card(*findings: Finding, **outcomes: Result) -> Scorecard:
    found = {f.rule_id: f.result for f in findings}
    return scorecard(Judgement(findings=findings, outcomes=found | outcomes), ruleset())


def test_a_clean_call_keeps_every_point_and_ticks_its_duties() -> None:
    got = card(menace=Result.PASS, notice=Result.PASS, hello=Result.NOT_APPLICABLE)
    assert (got.score, got.verdict, got.verdict.label, got.deductions) == (100, Verdict.PASS, "合格", ())
    assert [(d.rule_id, d.result) for d in got.duties] == [
        ("hello", Result.NOT_APPLICABLE),
        ("notice", Result.PASS),
    ]


def test_one_critical_violation_vetoes_the_call() -> None:
    got = card(finding("menace"))
    assert (got.score, got.verdict, got.vetoed) == (0, Verdict.FAIL, True)


def test_a_rule_broken_five_times_costs_once_and_keeps_its_places() -> None:
    got = card(*[finding("pester")] * 5)
    assert got.score == FULL_SCORE - POINTS[Severity.MEDIUM]
    assert [(d.rule_id, d.places) for d in got.deductions] == [("pester", 5)]
    assert got.violations[Severity.MEDIUM] == 1


def test_one_sentence_that_several_rules_of_a_category_see_costs_once() -> None:
    got = card(finding("pester"), finding("insist"), finding("nag"))
    assert {d.rule_id: d.points for d in got.deductions} == {"insist": 10, "pester": 0, "nag": 0}
    assert got.score == 90


def test_another_sentence_or_another_category_costs_for_itself() -> None:
    assert card(finding("pester"), finding("insist", turn=3)).score == 80
    assert card(finding("pester"), finding("leak")).score == 65
    assert card(finding("hello"), finding("notice")).score == 90


def test_one_high_violation_fails_the_call_but_two_medium_ones_would_not() -> None:
    assert card(finding("leak")).score < PASS_MARK
    assert card(finding("leak")).verdict is Verdict.FAIL
    assert FULL_SCORE - 2 * POINTS[Severity.MEDIUM] >= PASS_MARK


def test_unsure_costs_nothing_and_sends_the_call_to_people() -> None:
    got = card(finding("menace", Result.UNSURE))
    assert (got.score, got.verdict, got.verdict.label) == (100, Verdict.REVIEW, "待复核")
    assert got.unsure[Severity.CRITICAL] == 1
    assert got.violations[Severity.CRITICAL] == 0
    assert not got.vetoed


def test_a_proven_failure_is_not_softened_by_something_unsure() -> None:
    assert card(finding("leak"), finding("menace", Result.UNSURE)).verdict is Verdict.FAIL


def test_what_the_customer_says_of_himself_is_no_violation_of_the_agent() -> None:
    got = card(finding("complains"))
    assert (got.score, got.verdict, sum(got.violations.values())) == (100, Verdict.PASS, 0)


def test_the_severity_that_the_finding_carries_wins_over_the_set() -> None:
    assert card(finding("pester", severity=Severity.CRITICAL)).vetoed


def test_deductions_come_worst_first() -> None:
    got = card(finding("notice"), finding("pester"), finding("leak"))
    assert [d.rule_id for d in got.deductions] == ["leak", "pester", "notice"]
    assert got.score == 60


@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_has_points_and_worse_costs_more(severity: Severity) -> None:
    assert all(POINTS[severity] > POINTS[milder] for milder in Severity if milder.rank < severity.rank)


outcomes = st.dictionaries(st.sampled_from(sorted(RULES)), st.sampled_from(list(Result)))


@given(outcomes=outcomes)
def test_any_outcomes_give_a_card_in_range_that_survives_json(outcomes: dict[str, Result]) -> None:
    got = card(**outcomes)
    nothing_to_judge = set(outcomes.values()) == {Result.NOT_APPLICABLE}
    assert got.score is None if nothing_to_judge else 0 <= (got.score or 0) <= FULL_SCORE
    assert (got.verdict is Verdict.NOT_SCORED) is nothing_to_judge
    assert Scorecard.from_dict(json.loads(json.dumps(got.as_dict()))) == got
    shuffled = dict(reversed(outcomes.items()))
    assert json.dumps(card(**shuffled).as_dict()) == json.dumps(got.as_dict())


def test_the_score_alone_is_that_of_the_card() -> None:
    ruleset = load_rules()
    turns = ["agent: 你再不还钱我们就爆你通讯录，找人弄死你", "customer: 我要去投诉你们", "agent: 你个老赖，垃圾"]
    said = [line.split(": ") for line in turns]
    judged = Judge(ruleset).judge(
        [Turn(index=n, role=Role(who), channel=None, start_ms=0, end_ms=0, text=t) for n, (who, t) in enumerate(said)],
        CallFacts(),
    )
    assert judged.findings
    assert score_of(judged) == scorecard(judged, ruleset).score
