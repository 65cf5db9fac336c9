"""The page 报表: what is chosen is what is made, by rights, and never an old report for a new question."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit import ledger
from audit.access import Actor, Role
from audit.config import Config
from audit.store import Store
from dashboard import data

APP = Path(data.__file__).with_name("app.py")


def page(db: Path, *, role: Role = Role.OFFICER, **query: str) -> AppTest:
    data.configure(Config(db=db), acting=Actor(name="吴敏", role=role))
    at = AppTest.from_file(str(APP), default_timeout=120)
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page("views/reports.py").run()


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    Store.open(tmp_path / "callaudit.db").close()
    return tmp_path / "callaudit.db"


def test_a_report_is_made_and_another_question_takes_it_away(demo: Path) -> None:
    at = page(demo, agent="C02")
    at.radio(key="reports_form").set_value("xlsx").run()
    at.button(key="reports_make").click().run()
    assert not at.exception
    assert at.success
    at.selectbox(key="reports_category").select("threat").run()
    assert not at.success
    with Store.read(demo) as store:
        (entry,) = ledger.recent(store, kind=ledger.Kind.EXPORT)
    assert (entry.actor, entry.data["form"], entry.data["agent"]) == ("吴敏", "xlsx", "C02")


def test_only_who_may_is_offered_personal_data(demo_master: Path) -> None:
    assert [box.key for box in page(demo_master).checkbox] == ["reports_unmasked"]
    assert not page(demo_master, role=Role.REVIEWER).checkbox


def test_no_calls_under_the_filters_says_so(demo_master: Path) -> None:
    at = page(demo_master, since="2020-01-01", until="2020-01-02")
    assert not at.exception
    assert "reports_make" not in [button.key for button in at.button]


def test_collectors_may_not_open_it(demo_master: Path) -> None:
    data.configure(Config(db=demo_master), acting=Actor(name="李强", role=Role.COLLECTOR, agent_id="A02"))
    at = AppTest.from_file(str(APP), default_timeout=60).switch_page("views/reports.py").run()
    assert at.error
    assert not at.radio
