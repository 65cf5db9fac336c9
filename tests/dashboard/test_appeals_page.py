"""The page 申诉: collectors file, reviewers who did not judge decide, everybody sees what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit import appeals, review
from audit.access import Actor, Role
from audit.config import Config
from audit.review import Choice, Policy
from audit.store import Filter, Store, queue
from audit.store.appeals import Decision
from audit.store.queue import Item, State, Wanted
from audit.store.verdicts import Kind
from dashboard import data

APP = Path(data.__file__).with_name("app.py")
WU = Actor(name="吴敏", role=Role.REVIEWER)
ZHENG = Actor(name="郑云", role=Role.REVIEWER)
LI = Actor(name="李强", role=Role.COLLECTOR, agent_id="A02")


def page(db: Path, actor: Actor, **query: str) -> AppTest:
    data.configure(Config(db=db), acting=actor)
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page("views/appeals.py").run()


def shown(at: AppTest) -> str:
    assert not at.exception
    kinds = (at.markdown, at.caption, at.text, at.info, at.warning, at.success, at.toast)
    return "\n".join(element.value for kind in kinds for element in kind)


@pytest.fixture
def mine(demo: Path) -> Item:
    """A finding of 李强 that 吴敏 has just confirmed."""
    with Store.open(demo) as store:
        offer = review.next_item(store, Wanted(calls=Filter(agent_id="A02"), category="recording_notice"), actor=WU)
        assert offer is not None
        return review.judge(store, offer.item, Choice(kind=Kind.CONFIRM), actor=WU, policy=Policy())


def test_a_collector_files_and_another_reviewer_overturns(demo: Path, mine: Item) -> None:
    at = page(demo, LI)
    at.text_area(key=f"appeals_why_{mine.key}").input("客户先骂人，我只是提醒").run()
    at.button(key=f"appeals_file_{mine.key}").click().run()
    assert "申诉已提交" in shown(at)
    with Store.read(demo) as store:
        waiting = next(one for one in appeals.to_decide(store, actor=ZHENG) if one.appeal.key == mine.key)
    number = waiting.appeal.id
    at = page(demo, ZHENG)
    assert "客户先骂人，我只是提醒" in shown(at)
    at.text_area(key=f"appeals_answer_{number}").input("听录音后认可").run()
    at.button(key=f"appeals_overturn_{number}").click().run()
    with Store.read(demo) as store:
        after = queue.item(store, mine.key)
    assert after is not None
    assert after.state is State.DISMISSED
    assert "听录音后认可" in shown(page(demo, LI))


def test_without_a_reason_nothing_is_filed(demo: Path, mine: Item) -> None:
    at = page(demo, LI)
    at.button(key=f"appeals_file_{mine.key}").click().run()
    assert "申诉理由是空的" in shown(at)


def test_who_judged_sees_it_but_may_not_decide(demo: Path, mine: Item) -> None:
    with Store.open(demo) as store:
        number = appeals.file_appeal(store, mine.key, "不认可", actor=LI, policy=Policy()).id
    at = page(demo, WU)
    assert "须由另一位复核人处理" in shown(at)
    assert f"appeals_uphold_{number}" not in [button.key for button in at.button]


def test_a_decision_without_words_is_refused(demo: Path, mine: Item) -> None:
    with Store.open(demo) as store:
        number = appeals.file_appeal(store, mine.key, "不认可", actor=LI, policy=Policy()).id
    at = page(demo, ZHENG)
    at.button(key=f"appeals_uphold_{number}").click().run()
    assert "写明处理意见" in shown(at)


def test_collectors_see_their_own_alone(demo: Path, mine: Item) -> None:
    other = page(demo, Actor(name="王敏", role=Role.COLLECTOR, agent_id="A01"))
    assert mine.call_id not in shown(other)
    assert mine.call_id in shown(page(demo, LI))


def test_an_empty_store_says_when_something_will_be_here(tmp_path: Path) -> None:
    Store.open(tmp_path / "callaudit.db").close()
    assert "没有被确认的违规" in shown(page(tmp_path / "callaudit.db", LI))
    assert "没有待处理的申诉" in shown(page(tmp_path / "callaudit.db", ZHENG))


def test_an_account_without_a_number_is_told(demo: Path) -> None:
    assert "没有对应的催收员工号" in shown(page(demo, Actor(name="新人", role=Role.COLLECTOR)))


def test_what_people_write_is_text(demo: Path, mine: Item) -> None:
    with Store.open(demo) as store:
        number = appeals.file_appeal(store, mine.key, "<script>alert(1)</script> **粗**", actor=LI, policy=Policy()).id
        appeals.decide_appeal(store, number, Decision.UPHELD, "[x](javascript:1)", actor=ZHENG)
    at = page(demo, LI)
    assert any("<script>alert(1)</script> **粗**" in text.value for text in at.text)
    assert not any("javascript" in element.value or "script" in element.value for element in at.markdown)


def test_english(demo: Path, mine: Item) -> None:
    assert "Findings confirmed against me" in "".join(h.value for h in page(demo, LI, lang="en").subheader)
