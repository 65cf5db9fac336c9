"""Why a rule fires on a dialogue, or why it doesn't although it looks: for whoever writes rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.engine import Judge
from rules.model import CallFacts, Result, Rule
from transcribe.model import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one rule made of a dialogue; `why` is a Chinese sentence."""

    rule_id: str
    title: str
    fired: bool
    result: Result
    why: str


def explain(judge: Judge, turns: Sequence[Turn], facts: CallFacts) -> tuple[Trace, ...]:
    """The rules that look at the dialogue, those that fire first; of those that look at every call, whatever is said,
    only the ones that it is a case for.
    """
    judgement = judge.judge(turns, facts)
    rules = {rule.id: rule for rule in judge.ruleset.rules}
    always = judge.looking((), facts)
    traces = []
    for rule_id in judge.looking(turns, facts):
        if rule_id in always and judgement.outcomes[rule_id] is Result.NOT_APPLICABLE:
            continue
        because = [finding.because for finding in judgement.findings if finding.rule_id == rule_id]
        why = "；".join(because) or _silence(judge, rules[rule_id], turns, facts)
        traces.append(
            Trace(
                rule_id=rule_id,
                title=rules[rule_id].title,
                fired=bool(because),
                result=judgement.outcomes[rule_id],
                why=why,
            )
        )
    return tuple(sorted(traces, key=lambda trace: (not trace.fired, trace.rule_id)))


def _silence(judge: Judge, rule: Rule, turns: Sequence[Turn], facts: CallFacts) -> str:
    """Why a rule with a trigger in the dialogue is silent: what kept it, or what it misses."""
    kept_by = judge.excuses(rule.id, turns, facts)
    if kept_by:
        return "；".join(kept_by)
    if rule.kind == "require":
        return "已经说到，或不适用"
    return "有相关的词，但条件没有全部满足（词序、距离、说话人或位置）"
