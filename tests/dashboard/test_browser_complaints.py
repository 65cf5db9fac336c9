"""In a browser: a complaint is registered, linked to its call, answered and closed; the list is downloaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from audit.access import LOCAL
from audit.complaint_figures import linked
from audit.complaints import Desk, change, history, listing, read
from audit.store import Store
from audit.store.complaints import Asked
from tests.served import Served, click, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).first.click()
    settled(page)


def test_register_link_answer_and_close(opened: Callable[[str], Page], served: Served) -> None:
    with Store.read(served.db) as store:
        call = store.one(
            "select call_id, debtor_id from calls where started_at < '2026-11-20' order by started_at desc"
        )
    assert call is not None
    page = opened("complaints")
    tab(page, "登记")
    page.get_by_label("投诉人", exact=True).last.fill("孙鹏")
    page.get_by_label("债务人编号").last.fill(call["debtor_id"])
    page.get_by_placeholder("尽量用投诉人的原话").fill("拿我女儿说事")
    click(page, "登记")
    page.get_by_text("已登记为投诉").wait_for()
    number = int(page.get_by_text("已登记为投诉").inner_text().removeprefix("已登记为投诉 ").rstrip("。"))

    page.goto(f"{served.url}complaints?id={number}")
    settled(page)
    page.get_by_text("拿我女儿说事").first.wait_for()
    click(page, "关联")
    page.get_by_role("tab", name="有关的通话 1").wait_for()
    click(page, "用今天的规则再判一次")
    page.get_by_text("今天的规则：").wait_for(timeout=60_000)  # the rules are compiled first
    tab(page, "调查与答复")
    page.get_by_role("radio", name="部分属实").or_(page.get_by_role("button", name="部分属实")).first.click()
    page.get_by_label("答复内容").fill("已听取录音并道歉")
    page.get_by_label("整改措施").fill("停岗培训")
    page.get_by_label("原因").last.click()
    page.get_by_role("option", name="催收员行为不当").click()
    click(page, "保存")
    click(page, "已答复投诉人")
    page.get_by_role("button", name="办结", exact=True).wait_for()
    click(page, "办结")
    page.get_by_role("button", name="办结", exact=True).wait_for(state="detached")

    with Store.read(served.db) as store:
        desk = Desk(store=store, actor=LOCAL)
        one = read(desk, number)
        assert (one.status, one.outcome, one.cause, one.complainant) == ("closed", "partial", "conduct", "孙鹏")
        assert [near.call_id for near in linked(desk, number)]
        assert [step.what for step in history(desk, number)] == ["registered", "linked", "changed", "moved", "moved"]


def test_the_list_is_downloaded_without_names_unless_asked_for(opened: Callable[[str], Page], served: Served) -> None:
    page = opened("complaints")
    with page.expect_download() as got:
        page.get_by_role("button", name="CSV").first.click()
    rows = list(csv.reader(io.StringIO(got.value.path().read_text("utf-8-sig"))))
    assert rows[0][:4] == ["编号", "收到", "渠道", "状态"]
    assert "投诉人" not in rows[0]
    assert len(rows) > 1
    with Store.read(served.db) as store:
        assert store.one("select 1 as known from ledger where kind = 'export' and subject = 'complaints'")


def test_the_next_complaint_is_a_key_away(opened: Callable[[str], Page]) -> None:
    page = opened("complaints")
    heading = page.locator("h3", has_text="投诉").first
    first = heading.inner_text()
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_function("text => document.querySelector('h3').innerText !== text", arg=first)
    assert "id=" in page.url


def test_what_is_typed_stands_when_a_key_leads_on_and_back(opened: Callable[[str], Page]) -> None:
    page = opened("complaints")
    first = page.locator("h3", has_text="投诉").first.inner_text()
    tab(page, "调查与答复")
    page.get_by_label("答复内容").focus()
    page.keyboard.type("写到一半")
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_function("text => document.querySelector('h3').innerText !== text", arg=first)
    settled(page)
    assert page.get_by_label("答复内容").input_value() == ""
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_function("text => document.querySelector('h3').innerText === text", arg=first)
    settled(page)
    assert page.get_by_label("答复内容").input_value() == "写到一半"


def test_only_the_complaint_that_is_open_is_ticked_in_the_list(opened: Callable[[str], Page], served: Served) -> None:
    with Store.open(served.db) as store:
        desk = Desk(store=store, actor=LOCAL)
        one = listing(desk, Asked(statuses=("received", "investigating")))[0]
        change(desk, one, {"outcome": "rejected", "answer": "已说明"})
    page = opened(f"complaints?id={one.id}")
    ticked = page.locator(".stDataFrame tr[aria-selected=true]")
    assert ticked.locator("td").first.inner_text() == str(one.id)
    click(page, "已答复投诉人")
    ticked.wait_for(state="detached")
    page.get_by_role("heading", name=f"投诉 {one.id}").wait_for()
    page.get_by_role("radio", name="已答复").click()
    settled(page)
    assert ticked.locator("td").first.inner_text() == str(one.id)


def test_the_figures_are_there_when_their_tab_is_opened(opened: Callable[[str], Page]) -> None:
    page = opened("complaints")
    tab(page, "统计")
    with page.expect_download() as got:
        page.locator('[class*="st-key-complaint_figures_csv"]').get_by_role("button").click()
    rows = list(csv.reader(io.StringIO(got.value.path().read_text("utf-8-sig"))))
    assert rows[0][:3] == ["催收员", "投诉", "未答复"]
    assert sum(int(row[1]) for row in rows[1:]) > 5
