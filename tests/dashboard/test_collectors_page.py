"""The page 催收员: the table, the profile by link, faults that can be heard, small samples marked."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit.access import Actor, Role
from audit.config import Config
from audit.store import Store, tallies
from dashboard import data

APP = Path(data.__file__).with_name("app.py")


def page(db: Path, *, role: Role = Role.OFFICER, **query: str) -> AppTest:
    data.configure(Config(db=db), acting=Actor(name="吴敏", role=role))
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page("views/collectors.py").run()


def test_everybody_stands_in_the_table_with_the_stores_counts(demo_master: Path) -> None:
    at = page(demo_master)
    assert not at.exception
    shown = at.dataframe[0].value.set_index("催收员")
    with Store.read(demo_master) as store:
        counted = {str(line.key[0]): line.calls for line in tallies.by_collector(store)}
    assert {name.split()[0]: calls for name, calls in shown["通话"].items()} == counted


def test_reviewers_see_no_money(demo_master: Path) -> None:
    at = page(demo_master)
    at.segmented_control(key="collectors_columns").set_value("results").run()
    assert "回款率" in at.dataframe[0].value.columns
    reviewers = page(demo_master, role=Role.REVIEWER)
    assert "回款率" not in reviewers.dataframe[0].value.columns
    assert "collectors_columns" not in [choice.key for choice in reviewers.segmented_control]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_link_opens_one_collector(demo_master: Path, lang: str) -> None:
    at = page(demo_master, agent="A02", lang=lang)
    assert not at.exception
    assert "李强" in at.header[0].value
    at.button(key="collectors_back").click().run()
    assert not at.header
    assert len(at.dataframe[0].value) == 8


def test_few_calls_are_marked(demo_master: Path) -> None:
    at = page(demo_master)
    at.selectbox(key="product").select("经营贷款").run()
    shown = at.dataframe[0].value
    assert all((few == "▲") == (calls < 30) for few, calls in zip(shown["样本少"], shown["通话"], strict=True))
    assert (shown["样本少"] == "▲").any()


def test_collectors_may_not_open_it(demo_master: Path) -> None:
    data.configure(Config(db=demo_master), acting=Actor(name="李强", role=Role.COLLECTOR, agent_id="A02"))
    at = AppTest.from_file(str(APP), default_timeout=60).switch_page("views/collectors.py").run()
    assert at.error
    assert not at.dataframe
