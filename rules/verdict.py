"""What is said of one call: by the rules and the second opinion, of its words as heard and as probably said.

The words as heard decide. Where a recogniser mixed up homophones, the call is judged a second time, as
rules/homophones.py reads it, and what only that reading shows is left to people: nothing is lost, nobody is accused by
a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rules.engine import Judge
from rules.model import CATEGORIES, CallFacts, Finding, Group, Judgement, Result
from transcribe.model import Turn

if TYPE_CHECKING:
    from rules.second_opinion import SecondOpinion

_GUESSED = (Group.CONDUCT, Group.SIGNAL)
_GUESS_CONFIDENCE = 0.7  # of what only the second reading shows, beside the same as heard


def judged(turns: Sequence[Turn], facts: CallFacts, *, judge: Judge, second: SecondOpinion | None = None) -> Judgement:
    """The judgement of a call, with a second opinion where one is asked."""
    heard = _weighed(turns, facts, judge, second)
    if not any(turn.text.strip() for turn in turns):
        return _unspoken(heard)
    if all(turn.reading is None for turn in turns):
        return heard
    likely = [turn if turn.reading is None else replace(turn, text=turn.reading) for turn in turns]
    return _joined(heard, _weighed(likely, facts, judge, second), turns)


def _unspoken(judgement: Judgement) -> Judgement:
    """Where nobody was heard to speak no rule was kept either: an hour of silence is no perfect call."""
    outcomes = judgement.outcomes.items()
    return replace(judgement, outcomes={r: Result.NOT_APPLICABLE if o is Result.PASS else o for r, o in outcomes})


def _weighed(turns: Sequence[Turn], facts: CallFacts, judge: Judge, second: SecondOpinion | None) -> Judgement:
    judgement = judge.judge(turns, facts)
    return judgement if second is None else second.weigh(judgement, turns)


def _joined(heard: Judgement, read: Judgement, turns: Sequence[Turn]) -> Judgement:
    """What stands of the words as heard, and what the second reading adds."""
    known = {(finding.turn, finding.category) for finding in heard.findings}
    guesses = [
        _guess(finding, turns[finding.turn])
        for finding in read.findings
        if CATEGORIES[finding.category][0] in _GUESSED and (finding.turn, finding.category) not in known
    ]
    findings = [*(_perhaps_done(finding, read) for finding in heard.findings), *guesses]
    doubtful, certain = (
        {finding.rule_id for finding in findings if finding.result is result} for result in (Result.UNSURE, Result.FAIL)
    )
    return Judgement(
        findings=tuple(sorted(findings, key=lambda f: (f.turn, f.start, f.rule_id))),
        outcomes={**heard.outcomes, **dict.fromkeys(sorted(doubtful - certain), Result.UNSURE)},
    )


def _guess(finding: Finding, turn: Turn) -> Finding:
    """A finding of the second reading with its words as they were heard."""
    quote = turn.text[finding.start : finding.end]
    confidence = round(finding.confidence * _GUESS_CONFIDENCE, 2)
    guess = replace(finding, quote=quote, heard_as=finding.quote, confidence=confidence)
    return guess.doubted(("识别的字不通，按同音字改读后才命中，请听录音",))


def _perhaps_done(finding: Finding, read: Judgement) -> Finding:
    """A duty that was not heard but passes as read again is left to people."""
    passes = read.outcomes.get(finding.rule_id) is Result.PASS and CATEGORIES[finding.category][0] is Group.DUTY
    if not passes or finding.result is Result.UNSURE:
        return finding
    return finding.doubted(("按同音字改读像是说过，请听录音",))
