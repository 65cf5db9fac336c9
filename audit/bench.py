"""The rules' bench: a dialogue as somebody types it, and what each rule makes of it and why."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from audit.access import Action, Actor, require
from audit.check import BadLine, read_call
from audit.pipeline import plain_promise
from audit.score import Scorecard, scorecard
from rules.explain import Trace, explain
from rules.hints import PREFIX, title
from rules.model import CallFacts, Judgement, Result
from rules.promises import find_promise
from rules.verdict import judged
from transcribe.model import Role, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rules.engine import Judge
    from rules.second_opinion import SecondOpinion

SPEAKERS = {
    "坐席": Role.AGENT, "催收员": Role.AGENT, "客服": Role.AGENT, "agent": Role.AGENT, "collector": Role.AGENT,
    "客户": Role.CUSTOMER, "债务人": Role.CUSTOMER, "customer": Role.CUSTOMER, "debtor": Role.CUSTOMER,
    "他人": Role.OTHER, "other": Role.OTHER, "不明": Role.UNKNOWN, "unknown": Role.UNKNOWN,
}  # fmt: skip
"""What a line may begin with, before a colon of either width."""

LONGEST = 100_000
"""Characters that are read: ten hours of talk."""

_LINE = re.compile(rf"\s*({'|'.join(SPEAKERS)})\s*[：:]\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of a dialogue. `traces`: every rule that fires or looked at it, with the reason; hints included."""

    turns: Sequence[Turn]
    judgement: Judgement
    traces: Sequence[Trace]
    card: Scorecard
    promise: Mapping[str, Any] | None


def read_dialogue(text: str) -> tuple[Sequence[Turn], CallFacts]:
    """Lines `坐席：…` / `客户：…`, or one call as JSON in the format of `callaudit check`, or its list of turns alone.

    A line without a speaker goes on with what was said before; `BadLine` says what is wrong and where.
    """
    if len(text) > LONGEST:
        raise BadLine(f"文字太长（{len(text)} 字）；最多 {LONGEST} 字")
    if not text.strip():
        raise BadLine("还没有文字；每行写一句，例如：坐席：您好，这里是……")
    if text.lstrip()[0] in "{[":
        return _json(text)
    return _lines(text), CallFacts()


def try_dialogue(
    turns: Sequence[Turn], facts: CallFacts, *, judge: Judge, second: SecondOpinion | None, actor: Actor
) -> Tried:
    """Judge a dialogue and say why; nothing is kept. `Refused`."""
    require(actor, Action.TRY_RULES)
    judgement = judged(turns, facts, judge=judge, second=second)
    traces = explain(judge, turns, facts)
    called_on = facts.started_at.date() if facts.started_at else None
    promise = find_promise(turns, call_date=called_on)
    return Tried(
        turns=turns,
        judgement=judgement,
        traces=(*(trace for trace in traces if trace.fired), *_hints(judgement), *(t for t in traces if not t.fired)),
        card=scorecard(judgement, judge.ruleset),
        promise=None if promise is None else plain_promise(promise),
    )


def _hints(judgement: Judgement) -> list[Trace]:
    """The second opinion's findings, told as a rule's are."""
    return [
        Trace(
            rule_id=finding.rule_id,
            title=title(finding.rule_id) or finding.rule_id,
            fired=True,
            result=Result.UNSURE,
            why=finding.because,
        )
        for finding in judgement.findings
        if finding.rule_id.startswith(PREFIX)
    ]


def _json(text: str) -> tuple[Sequence[Turn], CallFacts]:
    if text.lstrip().startswith("["):
        text = f'{{"turns": {text}}}'
    try:
        compact = json.dumps(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise BadLine(f"不是正确的 JSON（{error}）；也可以直接写“坐席：……”“客户：……”") from None
    return read_call(compact.encode())


def _lines(text: str) -> list[Turn]:
    turns: list[Turn] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _LINE.match(line)
        if found:
            role = SPEAKERS[found[1].lower()]
            turns.append(Turn(index=len(turns), role=role, channel=None, start_ms=0, end_ms=0, text=found[2].strip()))
        elif turns:
            turns[-1] = replace(turns[-1], text=f"{turns[-1].text}{line.strip()}")
        else:
            raise BadLine(f"第 {number} 行没有写是谁说的；请以“坐席：”或“客户：”开头")
    return turns
