"""Pages of rules and drafts of new ones."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from pydantic import ValidationError

from audit.errors import Exit
from rules.draft import QUESTIONS, as_yaml, draft, is_rule_id, pack_of_ones_own
from rules.examples import failing_examples
from rules.load import load_rules
from rules.page import page, pages, stale_pages, write_pages

ANSWERS = {
    "title": "索要家人电话", "title_en": "Asks for a relative's number", "category": "privacy_leak", "severity": "medium",
    "why": "不必要地收集第三人信息。", "instrument": "公司制度", "phrases": "你老婆电话 你妈电话", "violation": "把你老婆电话给我",
    "clean": "您本人的电话换了吗", "clean_why": "问的是本人",
}  # fmt: skip


@pytest.mark.parametrize("rule", load_rules().rules, ids=lambda rule: rule.id)
def test_a_page_says_what_why_and_on_which_ground(rule) -> None:  # type: ignore[no-untyped-def]
    text = page(rule)
    for said in (rule.title, rule.why, *(reference.instrument for reference in rule.references)):
        assert said in text
    assert text.count("\n- ") >= len(rule.when) + len(rule.examples.violations) + len(rule.examples.clean)


def test_pages_are_written_checked_and_cleaned_up(tmp_path: Path) -> None:
    written = pages(load_rules(), {})
    (tmp_path / "gone.md").write_text("一条已删除的规则", "utf-8")
    assert "gone.md" in stale_pages(written, tmp_path)
    write_pages(written, tmp_path)
    assert stale_pages(written, tmp_path) == []
    (tmp_path / "README.md").write_text("改过", "utf-8")
    assert stale_pages(written, tmp_path) == ["README.md"]


def test_the_pages_in_the_repository_are_those_of_today() -> None:
    assert stale_pages(pages(load_rules(), {}), Path(__file__).parents[2] / "docs/rules") == []  # make rule-pages


def test_a_draft_loads_and_its_examples_hold(tmp_path: Path) -> None:
    assert set(ANSWERS) == {question.name for question in QUESTIONS}
    (tmp_path / "privacy_leak").mkdir()
    (tmp_path / "pack.yaml").write_text(pack_of_ones_own("我的规则包"), "utf-8")
    (tmp_path / "privacy_leak/ask-number.yaml").write_text(as_yaml(draft("ask-number", ANSWERS)), "utf-8")
    ruleset = load_rules(tmp_path)
    assert failing_examples(ruleset) == ()
    (drafted,) = (rule for rule in ruleset.rules if rule.id == "ask-number")
    assert drafted.status == "draft"
    assert len(ruleset.rules) == 1 + len(load_rules().rules)


def test_a_draft_with_a_bad_id_is_refused() -> None:
    assert not is_rule_id("索要电话")
    with pytest.raises(ValidationError):
        draft("索要电话", ANSWERS)


def test_what_is_drafted_can_be_tried_where_it_was_written(callaudit: Callable[..., CompletedProcess[str]]) -> None:
    answers = "".join(f"{ANSWERS[question.name]}\n" for question in QUESTIONS)
    drafted = callaudit("rules", "new", "ask-number", "--out", "pk", stdin=answers)
    assert drafted.returncode == Exit.CLEAN, drafted.stderr
    assert callaudit("rules", "lint", "--rules", "pk").returncode == Exit.CLEAN
    assert "ask-number" in callaudit("rules", "test", "--rules", "pk", "-i", ANSWERS["violation"]).stdout
    again = callaudit("rules", "new", "ask-number", "--out", "pk")
    assert (again.returncode, "已经存在" in again.stderr) == (Exit.COULD_NOT_RUN, True)
    assert "小写字母" in callaudit("rules", "new", "Bad Name!").stderr
