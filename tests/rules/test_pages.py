"""Pages of rules and drafts of new ones."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from rules.draft import QUESTIONS, draft
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
    (tmp_path / "pack.yaml").write_text("name: mine\ntitle: 我的\nversion: 1.0.0\n", "utf-8")
    (tmp_path / "privacy_leak/ask-number.yaml").write_text(draft("ask-number", ANSWERS), "utf-8")
    ruleset = load_rules(tmp_path)
    assert failing_examples(ruleset) == ()
    assert ruleset.rules[0].status == "draft"


def test_a_draft_with_a_bad_id_is_refused() -> None:
    with pytest.raises(ValidationError):
        draft("索要电话", ANSWERS)
