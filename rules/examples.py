"""The examples of a rule are its tests: each violation must be flagged, each clean dialogue must not.

`needless` goes further: it takes away each term, operator and exception in turn, and whatever no example misses
is reported, so that nothing stands in a rule that nobody can justify.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rules.engine import Judge
from rules.load import load_rules, signals_of, unknown_names
from rules.model import CallFacts, Example, Judgement, Result, Rule, RuleSet
from rules.written import Location
from transcribe.model import Role, Turn

_FIRED = (Result.FAIL, Result.UNSURE)
_IN_CHINESE = {"fail": "违规", "unsure": "待复核", "pass": "通过", "not_applicable": "不适用"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleFailure:
    """An example that did not come out as its author says; `expected` and `found` are Chinese."""

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
    return _with_signals([rule], ruleset)


def _with_signals(rules: Sequence[Rule], ruleset: RuleSet) -> RuleSet:
    asked = {category for rule in rules for category in signals_of(rule, ruleset.conditions)}
    signals = (other for other in ruleset.rules if other.kind == "signal" and other.status != "draft")
    ids = {rule.id for rule in rules}
    heard = (other for other in signals if other.category in asked and other.id not in ids)
    return replace(ruleset, rules=(*rules, *heard))


def failing_examples(ruleset: RuleSet) -> tuple[ExampleFailure, ...]:
    """All examples of all rules in use that do not come out; known misses must still be missed.

    Rules of the pack under this one are judged by that pack as it is: their examples rest on its parameters and rules.
    """
    return _failing(ruleset, {rule.id for rule in ruleset.rules})


def _failing(ruleset: RuleSet, asked: Collection[str]) -> tuple[ExampleFailure, ...]:
    own = [rule for rule in own_rules(ruleset) if rule.id in asked]
    inherited = set(asked) - {rule.id for rule in own}
    below = _failing(load_rules(ruleset.extends), inherited) if ruleset.extends and inherited else ()
    judge = Judge(_with_signals(own, ruleset))
    used = (rule for rule in own if rule.status != "deprecated")
    return (*below, *(failure for rule in used for failure in _failures(rule, judge)))


def own_rules(ruleset: RuleSet) -> tuple[Rule, ...]:
    """The rules that a pack does not have from the pack under it."""
    theirs = load_rules(ruleset.extends).sources if ruleset.extends else {}
    return tuple(rule for rule in ruleset.rules if ruleset.sources.get(rule.id) != theirs.get(rule.id, ""))


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
    found = _IN_CHINESE[result.value] + "".join(f"“{quote}”" for quote in quotes) + f"（例句：{example.turns[-1]}）"
    if kind == "violations":
        if example.outcome is None and result not in _FIRED:
            return "命中", found
        missing = [span for span in example.spans if not any(_touch(span, quote) for quote in quotes)]
        if missing:
            return "标出" + "".join(f"“{span}”" for span in missing), found
    elif example.outcome is None and result in _FIRED:
        return "不命中", found
    if example.outcome is not None and result.value != example.outcome:
        return _IN_CHINESE[example.outcome], found
    return None


def _touch(span: str, quote: str) -> bool:
    return bool(quote) and (span in quote or quote in span)


def needless(rule: Rule, ruleset: RuleSet) -> tuple[tuple[Location, str], ...]:
    """What can be taken out of a rule with no example noticing: where it stands, and the term or key that it is."""
    found = []
    for location, what, mutant in _mutants(rule):
        if unknown_names(mutant, ruleset.conditions):
            continue
        judge = Judge(alone(mutant, ruleset))
        if not any(True for _ in _failures(mutant, judge)):
            found.append((location, what))
    return tuple(found)


def _mutants(rule: Rule) -> Iterator[tuple[Location, str, Rule]]:
    written = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for part in ("when", "unless", "applies_when", "applies_unless"):
        for location, what, smaller in _without_one(written.get(part, ()), (part,)):
            if part == "when" and not smaller:
                continue
            yield location, what, Rule.model_validate(written | {part: smaller})


_TERM_LISTS = ("phrase", "relation", "entity", "signal")
_CONDITION_LISTS = ("all", "any", "none")
_MODIFIERS = ("first", "last", "before", "after", "around", "answered_by", "by_sound", "at_least")


def _without_one(conditions: Sequence[Mapping[str, Any]], at: Location) -> Iterator[tuple[Location, str, list[Any]]]:
    """Every list of conditions with one thing less: where and what that was."""
    for n, condition in enumerate(conditions):
        rest = [*conditions[:n], *conditions[n + 1 :]]
        if not condition.get("name"):
            yield (*at, n), "这个条件", rest
        for location, what, smaller in _smaller(condition, (*at, n)):
            yield location, what, [*conditions[:n], smaller, *conditions[n + 1 :]]


def _smaller(condition: Mapping[str, Any], at: Location) -> Iterator[tuple[Location, str, dict[str, Any]]]:
    """A condition with one term, one part or one modifier less."""
    for key in _MODIFIERS:
        if key in condition:
            yield (*at, key), key, {name: value for name, value in condition.items() if name != key}
    for key in _TERM_LISTS:
        for n, term, terms in _shorter(condition.get(key, ())):
            yield (*at, key, n), f"“{term}”", {**condition, key: terms}
    for group, all_terms in enumerate(condition.get("near", ())):
        for n, term, terms in _shorter(all_terms):
            groups = [*condition["near"][:group], terms, *condition["near"][group + 1 :]]
            yield (*at, "near", group, n), f"“{term}”", {**condition, "near": groups}
    for key in _CONDITION_LISTS:
        for location, what, parts in _without_one(condition.get(key, ()), (*at, key)):
            if parts:
                yield location, what, {**condition, key: parts}


def _shorter(terms: Sequence[str]) -> Iterator[tuple[int, str, list[str]]]:
    if len(terms) > 1:
        for n, term in enumerate(terms):
            yield n, term, [*terms[:n], *terms[n + 1 :]]
