"""Every rule of the pack: its examples come out, and nothing stands in it that no example needs."""

from dataclasses import replace

import pytest

from rules.engine import Judge
from rules.examples import alone, failing_examples, needless, turns_of
from rules.lint import lint
from rules.load import load_rules, refused_patterns
from rules.model import CATEGORIES, CallFacts, Condition, Group, Judgement, Rule
from tests.rules.conftest import rule_of, ruleset_of

RULESET = load_rules()
RULES = RULESET.rules


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_examples(rule: Rule) -> None:
    found = failing_examples(alone(rule, RULESET))
    assert [failure for failure in found if failure.rule_id == rule.id] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_term_operator_and_exception_is_needed(rule: Rule) -> None:
    assert needless(rule, RULESET) == ()


def test_the_pack_is_clean() -> None:
    assert lint(RULESET) == ()
    assert list(refused_patterns(RULESET)) == []


def test_a_pattern_that_is_refused_is_told_of_a_rule_and_of_a_shared_condition() -> None:
    ruleset = ruleset_of(rule_of(when=[{"pattern": "收拾.*你"}]))
    shared = {"dark": Condition(any=(Condition(pattern="打.*你"),))}
    told = list(refused_patterns(replace(ruleset, conditions=shared)))
    assert [problem.split(": ")[0] for problem in told] == [ruleset.rules[0].id, "dark"]


def test_a_needless_term_is_found() -> None:
    examples = {"violations": [{"turns": ["agent: 收拾你"]}], "clean": [{"turns": ["agent: 收拾屋"]}]}
    rule = rule_of(when=[{"phrase": ["收拾你", "弄死你"]}], unless=[{"phrase": ["屋子"]}], examples=examples)
    found = needless(rule, ruleset_of(rule))
    assert len(found) == 2
    assert "弄死你" in found[0]
    assert "屋子" in found[1]


def test_a_wrong_example_is_found() -> None:
    examples = {"violations": [{"turns": ["agent: 你好"]}], "clean": [{"turns": ["agent: 收拾你"]}]}
    rule = rule_of(when=[{"phrase": ["收拾你"]}], examples=examples)
    assert [(failure.kind, failure.number) for failure in failing_examples(ruleset_of(rule))] == [("violations", 1), ("clean", 1)]


def test_a_rule_out_of_use_judges_nothing() -> None:
    examples = {"violations": [{"turns": ["agent: 收拾你"]}], "clean": [{"turns": ["agent: 收拾屋"]}]}
    rule = rule_of(when=[{"phrase": ["收拾你"]}], examples=examples, status="deprecated")
    judgement = Judge(ruleset_of(rule)).judge(turns_of(["agent: 收拾你"]), CallFacts())
    assert judgement == Judgement(findings=(), outcomes={})
    assert failing_examples(ruleset_of(rule)) == ()


def test_all_conduct_categories_have_rules() -> None:
    covered = {rule.category for rule in RULES}
    assert {category for category, (group, *_) in CATEGORIES.items() if group is Group.CONDUCT} <= covered
