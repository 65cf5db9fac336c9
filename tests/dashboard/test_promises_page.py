"""The page 承诺与成效: figures that agree with the store, lists to follow up, import, and what an empty one says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit.access import Actor, Role
from audit.complaints import today
from audit.config import Config
from audit.promises import Terms, promises, results
from audit.store import EVERY_CALL, Store
from dashboard import data
from dashboard.collector_charts import padded, sides

APP = Path(data.__file__).with_name("app.py")
OFFICER = Actor(name="吴敏", role=Role.OFFICER)


def page(db: Path, *, role: Role = Role.OFFICER, **query: str) -> AppTest:
    data.configure(Config(db=db), acting=Actor(name="吴敏", role=role))
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page("views/promises.py").run()


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    Store.open(tmp_path / "callaudit.db").close()
    return tmp_path / "callaudit.db"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_empty_store_says_what_to_import(empty: Path, lang: str) -> None:
    at = page(empty, lang=lang)
    assert not at.exception
    assert any("callaudit cases import" in code.value for code in at.code)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_numbers_are_those_of_the_store(demo_master: Path, lang: str) -> None:
    at = page(demo_master, lang=lang)
    assert not at.exception
    with Store.read(demo_master) as store:
        found = results(store, EVERY_CALL, actor=OFFICER, terms=Terms(today=today(), grace_days=3)).total
    assert found.kept.share is not None
    assert found.recovery is not None
    values = [metric.value for metric in at.metric]
    assert f"{found.kept.share:.1%}" in values
    assert f"{found.recovery:.1%}" in values


def test_the_list_shows_what_is_chosen(demo_master: Path) -> None:
    at = page(demo_master)
    at.segmented_control(key="promises_show").set_value("kept").run()
    listed = at.dataframe[0].value
    assert set(listed["结果"]) == {"✔ 已兑现"}
    assert (listed["期限内已还（元）"] >= listed["承诺金额（元）"]).all()


def test_filters_of_the_sidebar_hold(demo_master: Path) -> None:
    at = page(demo_master)
    at.selectbox(key="agent").select("A02").run()
    at.segmented_control(key="promises_show").set_value("all").run()
    with Store.read(demo_master) as store:
        terms = Terms(today=today(), grace_days=3)
        own = promises(store, replace(EVERY_CALL, agent_id="A02"), actor=OFFICER, terms=terms)
    assert len(at.dataframe[0].value) == len(own)


def test_reviewers_may_not_open_it(demo_master: Path) -> None:
    at = page(demo_master, role=Role.REVIEWER)
    assert not at.metric
    assert at.error


def test_the_customer_stands_before_the_words(demo_master: Path) -> None:
    headings = list(page(demo_master).dataframe[0].value)
    assert headings.index("客户编号") < headings.index("原话")


def test_labels_of_the_chart_give_way_to_each_other() -> None:
    assert sides([(0.3, 0.5), (0.3, 0.52), (0.3, 0.51), (0.8, 0.5)]) == [1, -1, 0, 1]


def test_the_best_and_the_worst_dot_lie_inside_the_chart() -> None:
    low, high = padded([0.1, 0.3])
    assert low < 0.1
    assert high > 0.3
    low, high = padded([0.0, 0.0])
    assert low == 0.0
    assert high > 0.0
