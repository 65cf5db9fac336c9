"""A call judged as heard and as probably said: the guess adds doubt, never an accusation, and takes nothing away."""

from __future__ import annotations

import pytest

from rules.engine import Judge
from rules.load import load_rules
from rules.model import CallFacts, Judgement, Result
from rules.verdict import judged
from transcribe.model import Role, Turn

INSULT = "你这种人活着就是浪费粮食"


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(load_rules())


def verdict(judge: Judge, *said: str, reading: str | None = None) -> Judgement:
    """Of agent and customer in turn; the first turn has a second reading."""
    turns = [
        Turn(
            index=n, role=(Role.AGENT, Role.CUSTOMER)[n % 2], channel=0, start_ms=2_000 * n, end_ms=2_000 * n + 1_900,
            text=text, confidence=0.8, reading=None if n else reading,
        )
        for n, text in enumerate(said)
    ]  # fmt: skip
    return judged(turns, CallFacts(), judge=judge)


def test_what_only_the_reading_shows_is_left_to_people_with_the_words_as_heard(judge: Judge) -> None:
    heard = "你这种认火着就是浪费良食"
    guesses = [finding for finding in verdict(judge, heard, reading=INSULT).findings if finding.category == "abuse"]
    assert {finding.result for finding in guesses} == {Result.UNSURE}
    for finding in guesses:
        assert finding.quote == heard[finding.start : finding.end]
        assert finding.heard_as == INSULT[finding.start : finding.end]
        assert "同音" in finding.because


def test_a_violation_as_heard_stays_whatever_the_reading(judge: Judge) -> None:
    heard, both = (
        [finding for finding in verdict(judge, INSULT, reading=reading).findings if finding.category == "abuse"]
        for reading in (None, "您这种任活着就是浪费良食")
    )
    assert heard == both
    assert any(finding.result is Result.FAIL for finding in both)


def test_turns_without_a_word_are_no_perfect_call(judge: Judge) -> None:
    assert Result.PASS not in verdict(judge, "", " ").outcomes.values()


def test_a_duty_that_passes_as_read_again_is_left_to_people(judge: Judge) -> None:
    (duty,) = (rule.id for rule in judge.ruleset.rules if rule.category == "greeting" and rule.kind == "require")
    heard, said, *others = (
        "喂，您哈，刘大勇是吧",
        "喂，您好，刘大勇是吧",
        "啊，咋了",
        "钱什么时候给",
        "什么钱",
        "你自己心里清楚",
    )
    assert [verdict(judge, text, *others).outcomes[duty] for text in (heard, said)] == [Result.FAIL, Result.PASS]
    both = verdict(judge, heard, *others, reading=said)
    assert both.outcomes[duty] is Result.UNSURE
    assert [finding.result for finding in both.findings if finding.rule_id == duty] == [Result.UNSURE]
