"""Faults of a whole set of rules that the loader lets pass: they run, but nobody should trust them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rules.examples import failing_examples, needless, own_rules
from rules.load import conditions_of, refused_patterns
from rules.model import CATEGORIES, Group, Rule, RuleSet
from rules.text import normalise_term
from rules.written import Location

_FEWEST_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What is wrong with one rule, or shared condition, and what to do."""

    rule_id: str
    where: Location
    message: str


def lint(ruleset: RuleSet) -> tuple[Issue, ...]:
    """All issues: patterns that can't be used, else failing examples, too few of them, and missing clauses."""
    refused = [Issue(rule_id=id_, where=at, message=why) for id_, at, why in refused_patterns(ruleset)]
    if refused:  # its rules can't be tried
        return tuple(refused)
    issues = [issue for rule in ruleset.rules for issue in _issues(rule, ruleset)]
    issues += [
        Issue(rule_id=f.rule_id, where=("examples", f.kind, f.number - 1), message=f"应为{f.expected}，实为{f.found}")
        for f in failing_examples(ruleset)
    ]
    return tuple(issues)


def lint_needs(ruleset: RuleSet) -> tuple[Issue, ...]:
    """Terms, operators and exceptions of a pack's own that could be taken out without an example failing.

    Takes a while; nothing is told of a set whose patterns can't be used.
    """
    if any(refused_patterns(ruleset)):
        return ()
    return tuple(
        Issue(rule_id=rule.id, where=where, message=f"没有例句需要{what}：请补一个例句，或删掉")
        for rule in own_rules(ruleset)
        for where, what in needless(rule, ruleset)
    )


def _issues(rule: Rule, ruleset: RuleSet) -> Iterator[Issue]:
    group = CATEGORIES[rule.category][0]
    if group in (Group.CONDUCT, Group.DUTY, Group.CONTACT) and not rule.references:
        yield Issue(rule_id=rule.id, where=("references",), message="没有依据：请写出文件和条款，或公司制度")
    for kind in ("violations", "clean"):
        if rule.status != "draft" and not rule.count and len(getattr(rule.examples, kind)) < _FEWEST_EXAMPLES:
            yield Issue(rule_id=rule.id, where=("examples", kind), message=f"例句少于 {_FEWEST_EXAMPLES} 条")
    for n, example in enumerate(rule.examples.clean):
        if not example.why:
            yield Issue(rule_id=rule.id, where=("examples", "clean", n), message="请写明 why：为什么不算")
    yield from _unmatchable(rule, ruleset)


def _unmatchable(rule: Rule, ruleset: RuleSet) -> Iterator[Issue]:
    """Terms that normalisation changes beyond recognition can never match."""
    for condition in conditions_of(rule):
        groups = (condition.phrase or (), *(condition.near or ()))
        terms = [term for group in groups for term in group if term[0] != "@"]
        terms += [word for group in groups for term in group if term[0] == "@" for word in ruleset.lexicon[term[1:]]]
        for term in terms:
            if not normalise_term(term):
                yield Issue(rule_id=rule.id, where=("when",), message=f"“{term}”规范化后为空，永远不会命中")
