"""Every rule of the pack: its examples come out, and nothing stands in it that no example needs."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rules.engine import Judge
from rules.examples import alone, failing_examples, needless, own_rules, turns_of
from rules.explain import explain
from rules.lint import lint
from rules.load import load_rules, refused_patterns
from rules.model import CATEGORIES, CallFacts, Condition, Group, Judgement, Rule, RuleSet
from tests.rules.conftest import rule_of, ruleset_of

RULESET = load_rules()
RULES = RULESET.rules
WRITING_RULES = Path(__file__).parents[2] / "docs/writing-rules.md"


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
    assert [(called, where) for called, where, _ in told] == [
        (ruleset.rules[0].id, ("when", 0, "pattern")), ("dark", ("any", 0, "pattern")),
    ]  # fmt: skip
    assert [issue.where for issue in lint(replace(ruleset, conditions=shared))] == [where for _, where, _ in told]


def test_a_needless_term_is_found() -> None:
    examples = {"violations": [{"turns": ["agent: 收拾你"]}], "clean": [{"turns": ["agent: 收拾屋"]}]}
    rule = rule_of(when=[{"phrase": ["收拾你", "弄死你"]}], unless=[{"phrase": ["屋子"]}], examples=examples)
    found = needless(rule, ruleset_of(rule))
    assert found == ((("when", 0, "phrase", 1), "“弄死你”"), (("unless", 0), "这个条件"))


def test_a_wrong_example_is_found() -> None:
    examples = {"violations": [{"turns": ["agent: 你好"]}], "clean": [{"turns": ["agent: 收拾你"]}]}
    rule = rule_of(when=[{"phrase": ["收拾你"]}], examples=examples)
    assert [(failure.kind, failure.number, failure.found) for failure in failing_examples(ruleset_of(rule))] == [
        ("violations", 1, "通过（例句：agent: 你好）"), ("clean", 1, "违规“收拾你”（例句：agent: 收拾你）"),
    ]  # fmt: skip


def documented(folder: Path) -> RuleSet:
    """The company's pack and the rules that docs/writing-rules.md shows, each in its file."""
    for text in re.findall(r"```yaml\n(.*?)```", WRITING_RULES.read_text("utf-8"), re.S):
        named = re.match(r"id: (\S+)", text)
        (folder / (f"{named[1]}.yaml" if named else "pack.yaml")).write_text(text, "utf-8")
    return load_rules(folder)


def test_what_the_docs_show_passes_its_own_checks(tmp_path: Path) -> None:
    company = documented(tmp_path)
    assert company.parameters["quiet_start"] == "21:00"
    assert [rule.id for rule in own_rules(company)] == ["ask-for-salary-card", "too-many-calls-in-two-days"]
    assert failing_examples(company) == ()
    assert lint(company) == ()
    assert needless(own_rules(company)[0], company) == ()


def test_only_rules_of_ones_own_are_judged_by_ones_own_parameters(tmp_path: Path) -> None:
    company = documented(tmp_path)
    (salary,) = (rule for rule in company.rules if rule.id == "ask-for-salary-card")
    others = tuple(rule for rule in company.rules if rule is not salary)
    broken = salary.model_copy(update={"when": (Condition(hour={"from": "$quiet_start", "to": "$quiet_end"}),)})
    failed = failing_examples(replace(company, rules=(*others, broken)))
    assert {failure.rule_id for failure in failed} == {"ask-for-salary-card"}


def test_rules_that_look_at_every_call_are_left_out_where_they_do_not_apply() -> None:
    traces = explain(Judge(RULESET), turns_of(["agent: 再不还钱我们就爆你通讯录"]), CallFacts())
    assert traces[0].rule_id == "threaten-contacts"
    assert not {"long-silence", "greeting-missing", "calls-in-quiet-hours"} & {trace.rule_id for trace in traces}


def test_a_rule_out_of_use_judges_nothing() -> None:
    examples = {"violations": [{"turns": ["agent: 收拾你"]}], "clean": [{"turns": ["agent: 收拾屋"]}]}
    rule = rule_of(when=[{"phrase": ["收拾你"]}], examples=examples, status="deprecated")
    judgement = Judge(ruleset_of(rule)).judge(turns_of(["agent: 收拾你"]), CallFacts())
    assert judgement == Judgement(findings=(), outcomes={})
    assert failing_examples(ruleset_of(rule)) == ()


def test_all_conduct_categories_have_rules() -> None:
    covered = {rule.category for rule in RULES}
    assert {category for category, (group, *_) in CATEGORIES.items() if group is Group.CONDUCT} <= covered
