"""Duties, heard a second time: one that sounds done is left in doubt."""

from __future__ import annotations

from itertools import cycle

import pytest

from rules.duties import DUTIES, duty_pieces, sounds_done
from rules.engine import Judge
from rules.examples import turns_of
from rules.load import load_rules
from rules.model import CallFacts, Finding, Judgement, Result, RuleSet, Severity
from rules.second_opinion import SecondOpinion
from rules.text import NormalText
from transcribe.model import Role, Turn

DONE = (
    "您好，请问是马红女士吗", "是我，您哪位", "我是江海银行贷后的高敏，工号零三二七，本次通话有录音", "哦，你说，上个月你们同事骂人，我要投诉，我失业了",
    "给您带来不便了，投诉我给您登记，也可以拨打客服热线，您的困难我帮您申请延期，需要提供失业证明，我提交给专员", "行吧",
    "那不打扰您了，祝您生活愉快，再见", "再见",
)
NOT_DONE = (
    "马红，钱呢", "你谁啊", "你管我谁，三千块拖了一个月了", "我要投诉你，我失业了哪有钱", "你投诉去呗，谁怕你，失业关我什么事，自己想办法", "你这人",
    "今天不还你等着", "滚",
)


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
    roles = [Role.AGENT, Role.CUSTOMER]
    here, there = (duty_pieces("identify_self", NormalText(list(said)), roles) for said in ("你我", "我你"))
    assert here == {"a0你", "c1我"}
    assert here.isdisjoint(there)
    assert duty_pieces("identify_self", NormalText(["好"] * 9), [Role.AGENT] * 9) == {"a0好", "a1好", "a2好", "a3好"}
    assert duty_pieces("courteous_closing", NormalText(["喂", *"一二三四"]), roles * 2 + roles[:1]) == {"c一", "a二", "c三", "a四"}
    assert duty_pieces("offer_plan", NormalText(["喂", "没钱"]), roles) == {"a喂"}


@pytest.mark.parametrize("duty", DUTIES)
def test_a_call_in_which_a_duty_is_done_sounds_so(duty: str) -> None:
    for lines, done in ((DONE, True), (NOT_DONE, False)):
        turns = dialogue(lines)
        assert sounds_done(duty, NormalText([t.text for t in turns]), [t.role for t in turns]) is done


@pytest.mark.parametrize(
    ("duty", "rule_id", "doubt"),
    [
        ("identify_self", "identity-not-stated", "模型觉得听起来已经表明身份"),
        ("verify_identity", "identity-not-verified", "模型觉得听起来已经核验身份"),
        ("complaint_channel", "no-complaint-channel", "模型觉得听起来已经告知投诉渠道"),
        ("offer_plan", "no-plan-offered", "模型觉得听起来已经协商方案"),
        ("courteous_closing", "courteous-closing-missing", "模型觉得听起来已经礼貌结束"),
    ],
)
def test_a_missed_duty_that_sounds_done_is_left_in_doubt(
    ruleset: RuleSet, duty: str, rule_id: str, doubt: str
) -> None:
    second, judgement = SecondOpinion(ruleset), Judgement(findings=(missed(duty, rule_id),), outcomes={})
    (weighed,) = (f for f in second.weigh(judgement, dialogue(DONE)).findings if f.rule_id == rule_id)
    assert (weighed.result, doubt in weighed.because) == (Result.UNSURE, True)
    assert judgement.findings[0] in second.weigh(judgement, dialogue(NOT_DONE)).findings
    own = Judgement(findings=(missed(duty, "rule-of-a-company"),), outcomes={})
    assert own.findings[0] in second.weigh(own, dialogue(DONE)).findings


def test_rules_that_see_the_duty_done_are_not_asked_again(ruleset: RuleSet) -> None:
    judgement = Judge(ruleset).judge(dialogue(DONE), CallFacts())
    assert not [f for f in SecondOpinion(ruleset).weigh(judgement, dialogue(DONE)).findings if f.category in DUTIES]
