"""What stands around every page: who may open what, the language, the filters."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit.access import RIGHTS, Action, Actor, Role
from audit.config import Config
from audit.store import Store
from dashboard import data

APP = Path(data.__file__).with_name("app.py")


def actor(role: Role) -> Actor:
    return Actor(name="someone", role=role, agent_id="A01" if role is Role.COLLECTOR else None)


def run(db: Path, *, role: Role = Role.ADMIN, page: str | None = None, **query: str) -> AppTest:
    data.configure(Config(db=db), acting=actor(role))
    at = AppTest.from_file(str(APP), default_timeout=30)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    return at if page is None else at.switch_page(f"views/{page}.py").run()


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    Store.open(tmp_path / "callaudit.db").close()
    return tmp_path / "callaudit.db"


def test_a_link_opens_in_the_language_that_it_names(empty: Path) -> None:
    assert run(empty, page="operations").title[0].value == "运行"
    assert run(empty, page="operations", lang="en").title[0].value == "Operations"


def test_the_language_stays_between_pages_and_in_the_address(empty: Path) -> None:
    at = run(empty, page="operations")
    at.sidebar.button_group(key="lang").set_value("en").run()
    assert at.title[0].value == "Operations"
    assert at.query_params["lang"] == "en"


def test_filters_of_a_link_are_drawn_and_hold_on_another_page(demo: Path) -> None:
    at = run(demo, page="promises", team="一组", agent="A02", since="2026-11-01")
    assert at.sidebar.selectbox(key="team").value == "一组"
    at.switch_page("views/collectors.py").run()
    assert at.sidebar.selectbox(key="agent").value == "A02"
    assert at.sidebar.date_input(key="since").value == date(2026, 11, 1)
    assert at.query_params["team"] == "一组"


def test_filters_that_name_nothing_ask_nothing(demo: Path) -> None:
    at = run(demo, team="没有这个组", since="soon")
    assert at.sidebar.selectbox(key="team").value is None
    assert at.sidebar.date_input(key="since").value is None
    assert not at.exception
    assert sorted(toast.value for toast in at.toast) == [
        "筛选“从”认不出“soon”，已取消这一项筛选", "筛选“小组”认不出“没有这个组”，已取消这一项筛选",
    ]  # fmt: skip


@pytest.mark.parametrize("view", ["bench", "reaudit"])
def test_views_that_heed_no_filter_show_none_and_forget_none(demo: Path, view: str) -> None:
    at = run(demo, page="rules_page", team="一组")
    at.button_group(key="rules_view").set_value(view).run()
    assert not at.sidebar.selectbox
    at.button_group(key="rules_view").set_value("list").run()
    assert at.sidebar.selectbox(key="team").value == "一组"


def test_filters_outlast_a_page_without_them(demo: Path) -> None:
    at = run(demo, page="promises", team="一组")
    at.switch_page("views/operations.py").run()
    assert not at.sidebar.selectbox
    at.switch_page("views/promises.py").run()
    assert at.sidebar.selectbox(key="team").value == "一组"


def test_clearing_the_filters_empties_the_address(demo: Path) -> None:
    at = run(demo, page="promises", team="一组")
    at.sidebar.button(key="clear_filters").click().run()
    assert at.sidebar.selectbox(key="team").value is None
    assert "team" not in at.query_params


def test_a_collector_chooses_nobody_else(demo: Path) -> None:
    at = run(demo, role=Role.COLLECTOR, agent="A02")
    assert [box.key for box in at.sidebar.selectbox] == []


@pytest.mark.parametrize("role", Role)
def test_a_page_opens_for_the_roles_that_have_the_right_and_no_others(empty: Path, role: Role) -> None:
    for name, needs in pages():
        at = run(empty, role=role, page=name)
        refused = [box.value for box in at.error if "不能打开" in box.value or "没有可以打开" in box.value]
        assert bool(refused) == needs.isdisjoint(RIGHTS[role]), (role, name)


@pytest.mark.parametrize(("lang", "words"), [("zh", "还没有审计过的通话"), ("en", "No calls have been audited yet")])
def test_pages_about_calls_say_on_an_empty_store_how_to_begin(empty: Path, lang: str, words: str) -> None:
    for name in ("overview", "review", "contacts", "call", "collectors", "reports"):
        at = run(empty, page=name, lang=lang)
        assert not at.exception
        assert words in at.info[0].value
        assert "callaudit audit" in at.code[0].value


def pages() -> list[tuple[str, set[Action]]]:
    """Each page with the actions of which one is enough; the frame is a script and can't be imported."""
    calls = [node for node in ast.walk(ast.parse(APP.read_text("utf-8"))) if isinstance(node, ast.Call)]
    specs = [{k.arg: ast.unparse(k.value) for k in c.keywords} for c in calls if ast.unparse(c.func) == "PageSpec"]
    actions = [{spec[key] for key in ("needs", "or_needs") if key in spec} for spec in specs]
    return [
        (ast.literal_eval(spec["name"]), {Action[name.removeprefix("Action.")] for name in needs})
        for spec, needs in zip(specs, actions, strict=True)
    ]
