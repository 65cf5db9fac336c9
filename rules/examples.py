"""The examples of a rule are its tests: each violation must be flagged, each clean dialogue must not.

`needless` goes further: it takes away each term, operator and exception in turn, and whatever no example misses
is reported, so that nothing stands in a rule that nobody can justify.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rules.engine import Judge
from rules.load import signals_of, unknown_names
from rules.model import CallFacts, Example, Judgement, Result, Rule, RuleSet
from transcribe.model import Role, Turn

_FIRED = (Result.FAIL, Result.UNSURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleFailure:
    """An example that did not come out as its author says."""

    rule_id: str
    kind: str  # violations | clean | missed
    number: int  # from 1
    expected: str
    found: str


def turns_of(lines: Sequence[str]) -> tuple[Turn, ...]:
    """`agent: …` lines as turns without times."""
    turns = []
    for index, line in enumerate(lines):
        role, text = line.split(": ", 1)
        turns.append(Turn(index=index, role=Role(role), channel=None, start_ms=0, end_ms=0, text=text))
    return tuple(turns)


def timed_turns(example: Example) -> tuple[Turn, ...]:
    """The turns of an example, with its times where it has any."""
    turns = turns_of(example.turns)
    if not example.times:
        return turns
    return tuple(
        replace(turn, start_ms=start, end_ms=end) for turn, (start, end) in zip(turns, example.times, strict=True)
    )


def alone(rule: Rule, ruleset: RuleSet) -> RuleSet:
    """A set of this rule only, with the rules for the signals that it asks for; what drafts hear is never sure."""
    asked = signals_of(rule, ruleset.conditions)
    signals = (other for other in ruleset.rules if other.kind == "signal" and other.status != "draft")
    heard = (other for other in signals if other.category in asked)
    return replace(ruleset, rules=(rule, *heard))


def failing_examples(ruleset: RuleSet, judge: Judge | None = None) -> tuple[ExampleFailure, ...]:
    """All examples of all rules in use that do not come out; known misses must still be missed."""
    judge = judge or Judge(ruleset)
    used = [rule for rule in ruleset.rules if rule.status != "deprecated"]
    return tuple(failure for rule in used for failure in _failures(rule, judge))


def _failures(rule: Rule, judge: Judge) -> Iterator[ExampleFailure]:
    for kind in ("violations", "clean", "missed"):
        for number, example in enumerate(getattr(rule.examples, kind), start=1):
            judgement = judge.judge(timed_turns(example), facts_of(example))
            if problem := _problem(rule, kind, example, judgement):
                yield ExampleFailure(rule_id=rule.id, kind=kind, number=number, expected=problem[0], found=problem[1])


def facts_of(example: Example) -> CallFacts:
    """The call record that an example stands for."""
    return CallFacts(
        callee_relation=example.relation, started_at=example.started_at,
        duration_ms=example.duration_ms, measures=example.measures,
    )  # fmt: skip


def _problem(rule: Rule, kind: str, example: Example, judgement: Judgement) -> tuple[str, str] | None:
    result = judgement.outcomes[rule.id]
    quotes = [finding.quote for finding in judgement.findings if finding.rule_id == rule.id]
    found = f"{result.value} {quotes}: {example.turns[-1]}"
    if kind == "violations":
        if example.outcome is None and result not in _FIRED:
            return "命中", found
        missing = [span for span in example.spans if not any(_touch(span, quote) for quote in quotes)]
        if missing:
            return f"标出 {missing}", found
    elif example.outcome is None and result in _FIRED:
        return "不命中", found
    if example.outcome is not None and result.value != example.outcome:
        return example.outcome, found
    return None


def _touch(span: str, quote: str) -> bool:
    return bool(quote) and (span in quote or quote in span)


def needless(rule: Rule, ruleset: RuleSet) -> tuple[str, ...]:
    """What can be taken out of a rule with no example noticing, as paths such as `when.0.near.1: 通讯录`."""
    found = []
    for path, mutant in _mutants(rule):
        if unknown_names(mutant, ruleset.conditions):
            continue
        judge = Judge(alone(mutant, ruleset))
        if not any(True for _ in _failures(mutant, judge)):
            found.append(path)
    return tuple(found)


def _mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    written = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for part in ("when", "unless", "applies_when", "applies_unless"):
        for path, smaller in _without_one(written.get(part, ()), part):
            if part == "when" and not smaller:
                continue
            yield path, Rule.model_validate(written | {part: smaller})


_TERM_LISTS = ("phrase", "relation", "entity", "signal")
_CONDITION_LISTS = ("all", "any", "none")
_MODIFIERS = ("first", "last", "before", "after", "around", "answered_by", "by_sound", "at_least")


def _without_one(conditions: Sequence[Mapping[str, Any]], path: str) -> Iterator[tuple[str, list[Any]]]:
    """Every list of conditions with one thing less."""
    for n, condition in enumerate(conditions):
        rest = [*conditions[:n], *conditions[n + 1 :]]
        if not condition.get("name"):
            yield f"{path}.{n}: {condition}", rest
        for where, smaller in _smaller(condition):
            yield f"{path}.{n}.{where}", [*conditions[:n], smaller, *conditions[n + 1 :]]


def _smaller(condition: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A condition with one term, one part or one modifier less."""
    for key in _MODIFIERS:
        if key in condition:
            yield key, {name: value for name, value in condition.items() if name != key}
    for key in _TERM_LISTS:
        for path, terms in _shorter(condition.get(key, ())):
            yield f"{key}: {path}", {**condition, key: terms}
    for n, group in enumerate(condition.get("near", ())):
        for path, terms in _shorter(group):
            groups = [*condition["near"][:n], terms, *condition["near"][n + 1 :]]
            yield f"near.{n}: {path}", {**condition, "near": groups}
    for key in _CONDITION_LISTS:
        for path, parts in _without_one(condition.get(key, ()), key):
            if parts:
                yield path, {**condition, key: parts}


def _shorter(terms: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    if len(terms) > 1:
        for n, term in enumerate(terms):
            yield term, [*terms[:n], *terms[n + 1 :]]
