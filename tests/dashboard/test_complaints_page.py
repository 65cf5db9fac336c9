"""The page 投诉: register, choose, link, answer and close; what each role may see and do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit.access import Actor, Role
from audit.complaint_record import Intake
from audit.complaints import Desk, change, history, link, listing, read, register
from audit.config import CHINA, Config
from audit.csv_lists import moment
from audit.store import Store
from audit.store.complaints import EVERY_COMPLAINT
from dashboard import data

APP = Path(data.__file__).with_name("app.py")
OFFICER = Actor(name="吴敏", role=Role.OFFICER)


def page(db: Path, *, role: Role = Role.OFFICER, **query: str) -> AppTest:
    actor = Actor(name="吴敏", role=role, agent_id="A01" if role is Role.COLLECTOR else None)
    data.configure(Config(db=db), acting=actor)
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("views/complaints.py")
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def text(at: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "info", "warning", "error", "success", "subheader", "title")
    return "\n".join(str(element.value) for kind in kinds for element in at.get(kind))


def complain(db: Path, words: str = "说出我女儿的学校", *, received: str = "2026-11-10 09:00") -> int:
    """A complaint about the newest call of the demo."""
    with Store.open(db) as store:
        call = store.one("select debtor_id from calls order by started_at desc limit 1") or {}
        desk = Desk(store=store, actor=OFFICER, day=date(2026, 11, 22))
        intake = Intake(
            received_at=moment(received, CHINA), channel="12378", text=words, complainant="孙鹏",
            debtor_id=call.get("debtor_id"), category="threat",
        )  # fmt: skip
        return register(desk, intake) or 0


def at_desk(db: Path) -> Desk:
    return Desk(store=Store.read(db), actor=OFFICER)


def test_an_empty_store_says_what_to_do(empty: Path) -> None:
    at = page(empty)
    assert not at.exception
    assert "还没有投诉" in text(at)
    assert at.button(key="complaint_register").label == "登记"


def test_a_complaint_is_registered_once(empty: Path) -> None:
    at = page(empty)
    at.date_input(key="complaint_day").set_value(date(2026, 11, 19))
    at.text_input(key="complaint_complainant").set_value("孙鹏")
    at.text_area(key="complaint_text").set_value("骂人")
    at.button(key="complaint_register").click().run()
    assert "已登记为投诉 1" in text(at)
    at.button(key="complaint_register").click().run()
    assert "已经登记过" in text(at)
    (one,) = listing(at_desk(empty), EVERY_COMPLAINT)
    assert (one.complainant, one.text, one.created_by, one.received_on) == ("孙鹏", "骂人", "吴敏", date(2026, 11, 19))


def test_an_empty_complaint_is_refused_in_words(empty: Path) -> None:
    at = page(empty)
    at.button(key="complaint_register").click().run()
    assert "投诉内容是空的" in text(at)


def test_a_complaint_goes_its_way_on_the_page(demo: Path) -> None:
    number = complain(demo)
    at = page(demo, id=str(number))
    assert f"投诉 {number}" in text(at)
    at.button(key="complaint_to_answered").click().run()
    assert "请先填写并保存：结论、答复内容；填了还没保存的不算" in text(at)
    at.button(key="complaint_to_investigating").click().run()
    at.text_area(key=f"complaint_answer_{number}").set_value("已道歉")
    at.text_area(key=f"complaint_remedy_{number}").set_value("停岗培训")
    at.selectbox(key=f"complaint_cause_{number}").set_value("conduct")
    at.button_group(key=f"complaint_outcome_{number}").set_value("upheld")
    at.button(key="complaint_save_answer").click().run()
    at.button(key="complaint_to_answered").click().run()
    at.button(key="complaint_to_closed").click().run()
    assert not at.exception
    one = read(at_desk(demo), number)
    assert (one.status, one.outcome, one.cause, one.answer) == ("closed", "upheld", "conduct", "已道歉")
    assert [step.what for step in history(at_desk(demo), number)] == [
        "registered",
        "moved",
        "changed",
        "moved",
        "moved",
    ]


def test_who_saves_second_is_told_and_keeps_what_was_typed(demo: Path) -> None:
    number = complain(demo)
    at = page(demo, id=str(number))
    with Store.open(demo) as store:
        desk = Desk(store=store, actor=OFFICER)
        change(desk, read(desk, number), {"answer": "同事的答复"})
    at.text_area(key=f"complaint_answer_{number}").set_value("我的答复")
    at.button(key="complaint_save_answer").click().run()
    assert at.text_area(key=f"complaint_answer_{number}").value == "我的答复"
    assert "别人改过这里，现在是：答复：同事的答复" in text(at)
    assert not at.toast
    assert read(at_desk(demo), number).answer == "同事的答复"
    at.button(key="complaint_keep_answer").click().run()
    assert read(at_desk(demo), number).answer == "我的答复"


def test_what_was_typed_may_give_way_to_what_a_colleague_saved(demo: Path) -> None:
    number = complain(demo)
    at = page(demo, id=str(number))
    with Store.open(demo) as store:
        desk = Desk(store=store, actor=OFFICER)
        change(desk, read(desk, number), {"agent_id": "A05"})
    at.text_input(key=f"complaint_agent_id_{number}").set_value("A06").run()
    at.button(key="complaint_drop_facts").click().run()
    assert at.text_input(key=f"complaint_agent_id_{number}").value == "A05"
    assert "别人改过" not in text(at)


def test_what_another_saved_elsewhere_in_a_complaint_hinders_nobody(demo: Path) -> None:
    number = complain(demo)
    at = page(demo, id=str(number))
    at.text_area(key=f"complaint_answer_{number}").set_value("我的答复").run()
    with Store.open(demo) as store:
        desk = Desk(store=store, actor=OFFICER)
        change(desk, read(desk, number), {"agent_id": "A05"})
    at.button(key="complaint_save_answer").click().run()
    one = read(at_desk(demo), number)
    assert (one.answer, one.agent_id) == ("我的答复", "A05")


def test_saving_without_a_change_is_told_as_that(demo: Path) -> None:
    number = complain(demo)
    at = page(demo, id=str(number))
    at.button(key="complaint_save_answer").click().run()
    assert [step.what for step in history(at_desk(demo), number)] == ["registered"]


def test_what_is_typed_stands_when_one_comes_back_from_another_complaint(demo: Path) -> None:
    first, second = complain(demo), complain(demo, "夜里打电话")
    at = page(demo, id=str(first))
    at.text_area(key=f"complaint_answer_{first}").set_value("写到一半").run()
    at.query_params["id"] = str(second)
    at.run()
    assert not at.text_area(key=f"complaint_answer_{second}").value
    at.query_params["id"] = str(first)
    at.run()
    assert at.text_area(key=f"complaint_answer_{first}").value == "写到一半"
    assert "填了还没有保存" in text(at)
    assert read(at_desk(demo), first).answer is None


def test_the_figures_count_a_complaint_at_once(empty: Path) -> None:
    at = page(empty)
    assert at.metric[0].value == "0"
    at.text_area(key="complaint_text").set_value("骂人")
    at.button(key="complaint_register").click().run()
    assert at.metric[0].value == "1"


def test_a_duty_that_the_machine_missed_reads_as_missed(demo: Path) -> None:
    number = complain(demo)
    with Store.open(demo) as store:
        found = store.one("select call_id from items where category = 'offer_plan' and result = 'fail'") or {}
        link(Desk(store=store, actor=OFFICER), number, found["call_id"])
    assert "没有提协商方案" in text(page(demo, id=str(number)))
    assert "No plan offered" in text(page(demo, id=str(number), lang="en"))


def test_markup_in_a_complaint_is_shown_as_text(demo: Path) -> None:
    number = complain(demo, "<script>alert(1)</script> **粗** [x](javascript:1)")
    at = page(demo, id=str(number))
    assert at.text[0].value == "<script>alert(1)</script> **粗** [x](javascript:1)"
    assert "<script>" not in "".join(element.value for element in at.markdown)


def test_overdue_is_said_in_words_beside_the_colour(demo: Path) -> None:
    number = complain(demo, received="2026-09-01 09:00")
    at = page(demo, id=str(number))
    assert any("超期" in str(element.value) for element in at.get("markdown"))
    assert any("⚠ 超期" in str(value) for frame in at.dataframe for value in frame.value.to_numpy().ravel())


@pytest.mark.parametrize("number", ["99999", "0", "-1", "99999999999999999999"])
def test_a_number_that_is_not_there_is_told(demo: Path, number: str) -> None:
    at = page(demo, id=number)
    assert not at.exception
    assert f"没有编号为 {number} 的投诉" in text(at)


def test_a_number_beyond_all_reading_asks_for_none(demo: Path) -> None:
    assert not page(demo, id="9" * 5000).exception


def test_reviewers_work_on_complaints_but_import_none(demo: Path) -> None:
    at = page(demo, role=Role.REVIEWER, id=str(complain(demo)))
    labels = [tab.label for tab in at.tabs]
    assert {"办理", "统计", "登记"} < set(labels)
    assert "导入" not in labels


@pytest.mark.parametrize("role", [Role.TRAINER, Role.COLLECTOR])
def test_others_are_refused(demo: Path, role: Role) -> None:
    complain(demo)
    at = page(demo, role=role)
    assert "说出我女儿的学校" not in text(at)
    assert not at.dataframe


def test_the_page_speaks_english(demo: Path) -> None:
    at = page(demo, id=str(complain(demo)), lang="en")
    assert at.title[0].value == "Complaints"
    assert "Start investigating" in [button.label for button in at.button]


def test_what_one_sorts_complaints_by_stands_where_the_list_is_not_cut(demo: Path) -> None:
    headings = list(page(demo, id=str(complain(demo))).dataframe[0].value)
    assert headings.index("收到") < headings.index("类别")
    assert headings[-1] == "渠道"
