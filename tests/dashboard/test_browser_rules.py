"""Overview and rules in a real browser: from a number to the work behind it, and words tried on the bench."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.served import settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_from_the_overview_to_what_waits(opened: Callable[..., Page]) -> None:
    page = opened()
    page.get_by_text("待复核，涉及").wait_for()
    page.get_by_role("link", name="去复核").first.click()
    page.wait_for_url(re.compile(r"/review\b.*severity=critical"))
    settled(page)
    page.get_by_text("一票否决").first.wait_for()


def test_words_are_tried_and_the_rule_behind_them_read(opened: Callable[..., Page]) -> None:
    page = opened("rules_page?view=bench")
    words = page.get_by_role("textbox", name="对话")
    words.fill("坐席：再不还钱我们就爆你通讯录\n客户：你敢")
    page.get_by_role("button", name="判定", exact=False).last.click()
    page.get_by_text("不合格 · 一票否决").wait_for()
    page.locator("span", has_text="爆你通讯录").first.wait_for()
    words.fill("坐席：您放心，我们不会爆您的通讯录")
    page.get_by_role("button", name="判定", exact=False).last.click()
    page.get_by_text("不合格 · 一票否决").wait_for(state="detached")
    page.goto(page.url.split("/rules_page")[0] + "/rules_page?rule=threaten-contacts")
    page.get_by_role("heading", name="扬言爆通讯录").wait_for()
    page.get_by_role("tab", name="合规的例子").click()
    page.get_by_role("tabpanel").get_by_text("不会爆您的通讯录").first.wait_for()
