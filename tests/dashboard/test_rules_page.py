"""The page 规则: the list with how rules do, a rule's page, the bench, and what new rules would change."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit.access import LOCAL, Actor, Role
from audit.config import Config
from audit.ledger import recent
from audit.rule_figures import rule_figures
from audit.store import Filter, Store
from dashboard import data, server

APP = Path(data.__file__).with_name("app.py")
PACK = """\
name: small
title: 小规则包
version: 9.9.9
rules:
  - id: says-hurry
    title: 说了“尽快”
    title_en: Says hurry
    category: harassment
    kind: forbid
    role: agent
    severity: low
    status: test
    since: 0.1.0
    references: [{instrument: 测试, authority: company_policy, confidence: high}]
    why: 测试
    when: [{phrase: [尽快]}]
    examples:
      violations: [{turns: ["agent: 请尽快处理"], spans: [尽快]}]
      clean: [{turns: ["agent: 您好"], why: 问候}]
"""


def page(db: Path, *, role: Role = Role.OFFICER, rules: str = "cn-collection", **query: str) -> AppTest:
    data.configure(Config(db=db, rules=rules), acting=Actor(name="吴敏", role=role, agent_id="A01"))
    at = AppTest.from_file(str(APP), default_timeout=120)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("views/rules_page.py")
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def text(at: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "info", "warning", "error", "success", "title")
    return "\n".join(str(element.value) for kind in kinds for element in at.get(kind))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    Store.open(tmp_path / "callaudit.db").close()
    return tmp_path / "callaudit.db"


def test_rules_are_there_before_any_call_is(empty: Path) -> None:
    at = page(empty)
    assert not at.exception
    assert len(at.dataframe[0].value) > 100


def test_precision_is_what_reviewers_said(demo_master: Path) -> None:
    with Store.read(demo_master) as store:
        counts = {
            row["state"]: row["n"]
            for row in store.all(
                "select state, count(*) as n from items where rule_id = 'recording-not-announced' group by state"
            )
        }
        found = rule_figures(store, Filter(), actor=LOCAL)["recording-not-announced"]
    right = counts.get("confirmed", 0) + counts.get("partial", 0) + counts.get("appealed", 0)
    assert (found.precision.hits, found.precision.of) == (right, right + counts.get("dismissed", 0))
    assert found.waiting == counts.get("waiting", 0)
    assert found.per_1000 == pytest.approx(1000 * found.calls / 400)


def test_the_list_is_searched(demo_master: Path) -> None:
    at = page(demo_master)
    at.text_input(key="rules_search").set_value("通讯录").run()
    titles = list(at.dataframe[0].value["规则"])
    assert "扬言爆通讯录" in titles
    assert len(titles) < 30


def test_a_rule_has_its_page(demo_master: Path) -> None:
    at = page(demo_master, rule="threaten-contacts")
    assert at.title[0].value == "扬言爆通讯录"
    assert "民法典" in text(at)
    assert "坐席：你再不还钱我们就爆你通讯录" in text(at)


def test_a_rule_that_is_no_more_is_told(demo_master: Path) -> None:
    assert "没有规则 gone-rule" in text(page(demo_master, rule="gone-rule"))


def test_an_example_goes_to_the_bench(demo_master: Path) -> None:
    at = page(demo_master, rule="threaten-contacts")
    at.button(key="rules_try").click().run()
    assert at.text_area(key="bench_text").value == "坐席：你再不还钱我们就爆你通讯录"
    assert "扬言爆通讯录" in list(at.dataframe[0].value["规则"])


def test_the_bench_says_why_rules_fire_and_why_not(empty: Path) -> None:
    at = page(empty, view="bench")
    at.text_area(key="bench_text").set_value("坐席：您放心，我们不会爆您的通讯录")
    at.button(key="bench_judge").click().run()
    silent = at.dataframe[-1].value
    assert any("否定" in why for why in silent["为什么"])


def test_words_on_the_bench_are_shown_as_text(empty: Path) -> None:
    at = page(empty, view="bench")
    at.text_area(key="bench_text").set_value("坐席：**粗** <b>x</b> :red[y] $a$")
    at.button(key="bench_judge").click().run()
    said = next(element.value for element in at.markdown if "粗" in element.value)
    assert r"\*\*粗\*\*" in said
    assert r"\<b\>" in said


def test_a_certain_violation_is_red_though_doubtful_words_go_around_it(empty: Path) -> None:
    at = page(empty, view="bench")
    words = next(line.value for line in at.markdown if "爆你通讯录" in str(line.value) and "坐席" in str(line.value))
    assert ":red-background[" in words
    assert "爆你通讯录" in words.partition(":red-background[")[2].partition("]")[0]


def test_a_bad_line_on_the_bench_is_told(empty: Path) -> None:
    at = page(empty, view="bench")
    at.text_area(key="bench_text").set_value("没有说话人")
    at.button(key="bench_judge").click().run()
    assert "第 1 行没有写是谁说的" in at.error[0].value


def test_new_rules_are_compared_first_and_applied_after(demo: Path, tmp_path: Path) -> None:
    pack = tmp_path / "small.yaml"
    pack.write_text(PACK, "utf-8")
    with Store.read(demo) as store:
        before = store.one("select count(*) as n from findings") or {}
    at = page(demo, rules=str(pack), view="reaudit")
    at.button(key="reaudit_compare").click().run()
    rows = at.dataframe[0].value
    new = rows[rows["编号"] == "says-hurry"]["新增"].iloc[0]
    assert new > 0
    with Store.read(demo) as store:
        assert store.one("select count(*) as n from findings") == before
    at.button(key="reaudit_sure").click().run()
    with Store.read(demo) as store:
        assert (store.one("select count(*) as n from findings where rule_id = 'says-hurry'") or {})["n"] == new
        assert recent(store)[0].kind == "rules"
        kept = store.one("select count(*) as n from items where state = 'confirmed'") or {}
    assert kept["n"] > 100


def test_a_reviewer_may_compare_but_not_apply(demo_master: Path) -> None:
    at = page(demo_master, role=Role.REVIEWER, view="reaudit")
    at.button(key="reaudit_compare").click().run()
    assert "没有变化" in text(at)
    assert not [button for button in at.button if button.key == "reaudit_sure"]


def test_a_collector_sees_rules_and_no_figures(demo_master: Path) -> None:
    at = page(demo_master, role=Role.COLLECTOR, rule="threaten-contacts")
    assert at.title[0].value == "扬言爆通讯录"
    assert not at.metric
    assert not [button for button in at.button if button.key == "rules_try"]


def test_a_broken_pack_is_told_line_by_line(empty: Path, tmp_path: Path) -> None:
    pack = tmp_path / "small.yaml"
    pack.write_text(PACK.replace("severity: low", "severity: loud"), "utf-8")
    at = page(empty, rules=str(pack))
    server.get_ready()  # what is loaded ahead stops nobody
    assert "规则包读不了" in at.error[0].value
    assert "severity" in at.code[0].value


def test_a_law_is_called_by_its_short_name_where_its_article_must_fit(demo_master: Path) -> None:
    clauses = list(page(demo_master).dataframe[0].value["依据"])
    assert any(clause.startswith("治安管理处罚法") and "第五十条" in clause for clause in clauses)
    assert not any(clause.startswith("中华人民共和国") for clause in clauses)
