"""Faults of a whole set of rules that the loader lets pass: they run, but nobody should trust them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rules.examples import failing_examples, needless
from rules.load import conditions_of
from rules.model import CATEGORIES, Group, Rule, RuleSet
from rules.text import normalise_term

_FEWEST_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What is wrong with one rule, and what to do."""

    rule_id: str
    where: str
    message: str


def lint(ruleset: RuleSet) -> tuple[Issue, ...]:
    """All issues: failing examples, too few of them, missing clauses, and parts that no example needs."""
    issues = [issue for rule in ruleset.rules for issue in _issues(rule, ruleset)]
    issues += [
        Issue(rule_id=f.rule_id, where=f"examples.{f.kind}.{f.number}", message=f"应{f.expected}，实际 {f.found}")
        for f in failing_examples(ruleset)
    ]
    return tuple(issues)


def lint_needs(ruleset: RuleSet) -> tuple[Issue, ...]:
    """Terms, operators and exceptions that could be taken out without an example failing. Takes a while."""
    return tuple(
        Issue(rule_id=rule.id, where=path, message="没有例句需要它：请补一个例句，或删掉")
        for rule in ruleset.rules
        for path in needless(rule, ruleset)
    )


def _issues(rule: Rule, ruleset: RuleSet) -> Iterator[Issue]:
    group = CATEGORIES[rule.category][0]
    if group in (Group.CONDUCT, Group.DUTY, Group.CONTACT) and not rule.references:
        yield Issue(rule_id=rule.id, where="references", message="没有依据：请写出文件和条款，或公司制度")
    for kind in ("violations", "clean"):
        if rule.status != "draft" and not rule.count and len(getattr(rule.examples, kind)) < _FEWEST_EXAMPLES:
            yield Issue(rule_id=rule.id, where=f"examples.{kind}", message=f"例句少于 {_FEWEST_EXAMPLES} 条")
    for number, example in enumerate(rule.examples.clean, start=1):
        if not example.why:
            yield Issue(rule_id=rule.id, where=f"examples.clean.{number}", message="请写明 why:为什么不算")
    yield from _unmatchable(rule, ruleset)


def _unmatchable(rule: Rule, ruleset: RuleSet) -> Iterator[Issue]:
    """Terms that normalisation changes beyond recognition can never match."""
    for condition in conditions_of(rule):
        groups = (condition.phrase or (), *(condition.near or ()))
        terms = [term for group in groups for term in group if term[0] != "@"]
        terms += [word for group in groups for term in group if term[0] == "@" for word in ruleset.lexicon[term[1:]]]
        for term in terms:
            if not normalise_term(term):
                yield Issue(rule_id=rule.id, where="when", message=f"“{term}”规范化后为空，永远不会命中")
