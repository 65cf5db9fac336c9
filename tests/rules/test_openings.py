"""Openings, heard a second time: a duty that sounds done is left in doubt."""

from __future__ import annotations

from itertools import cycle

import pytest

from rules.engine import Judge
from rules.examples import turns_of
from rules.load import load_rules
from rules.model import CallFacts, Finding, Judgement, Result, RuleSet, Severity
from rules.openings import DUTIES, opening_pieces, sounds_done
from rules.second_opinion import SecondOpinion
from rules.text import NormalText
from transcribe.model import Role, Turn

DONE = ("您好，请问是马红女士吗", "是我，您哪位", "我是江海银行贷后的高敏，工号零三二七，本次通话有录音", "哦，你说")
NOT_DONE = ("马红，钱呢", "你谁啊", "你管我谁，三千块拖了一个月了", "我没钱")


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    return load_rules()


def dialogue(lines: tuple[str, ...]) -> tuple[Turn, ...]:
    """Agent and customer in turn."""
    return turns_of([f"{speaker}: {line}" for speaker, line in zip(cycle(("agent", "customer")), lines, strict=False)])


def missed(duty: str, rule_id: str) -> Finding:
    return Finding(
        rule_id=rule_id, rule_version=1, category=duty, severity=Severity.MEDIUM, result=Result.FAIL, turn=0, start=0,
        end=0, start_ms=0, end_ms=0, quote="", heard_as=None, confidence=1.0, because="应说未说",
    )  # fmt: skip


def test_who_says_what_and_how_early_counts() -> None:
    here, there = (opening_pieces(NormalText(list(said)), [Role.AGENT, Role.CUSTOMER]) for said in ("你我", "我你"))
    assert here == {"a0你", "c1我"}
    assert here.isdisjoint(there)
    assert opening_pieces(NormalText(["好"] * 9), [Role.AGENT] * 9) == {"a0好", "a1好", "a2好", "a3好"}


@pytest.mark.parametrize("duty", DUTIES)
def test_an_opening_in_which_a_duty_is_done_sounds_so(duty: str) -> None:
    for lines, done in ((DONE, True), (NOT_DONE, False)):
        turns = dialogue(lines)
        assert sounds_done(duty, NormalText([t.text for t in turns]), [t.role for t in turns]) is done


@pytest.mark.parametrize(
    ("duty", "rule_id", "doubt"),
    [
        ("identify_self", "identity-not-stated", "模型觉得开场听起来已经表明身份"),
        ("verify_identity", "identity-not-verified", "模型觉得开场听起来已经核验身份"),
    ],
)
def test_a_missed_duty_that_sounds_done_is_left_in_doubt(
    ruleset: RuleSet, duty: str, rule_id: str, doubt: str
) -> None:
    second, judgement = SecondOpinion(ruleset), Judgement(findings=(missed(duty, rule_id),), outcomes={})
    (weighed,) = second.weigh(judgement, dialogue(DONE)).findings
    assert (weighed.result, doubt in weighed.because) == (Result.UNSURE, True)
    assert second.weigh(judgement, dialogue(NOT_DONE)).findings == judgement.findings
    own = Judgement(findings=(missed(duty, "rule-of-a-company"),), outcomes={})
    assert second.weigh(own, dialogue(DONE)).findings == own.findings


def test_rules_that_see_the_duty_done_are_not_asked_again(ruleset: RuleSet) -> None:
    judgement = Judge(ruleset).judge(dialogue(DONE), CallFacts())
    assert not [f for f in SecondOpinion(ruleset).weigh(judgement, dialogue(DONE)).findings if f.category in DUTIES]
