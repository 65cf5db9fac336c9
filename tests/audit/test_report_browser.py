"""One click plays the evidence, in a real browser where the machine has one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit.report import write_report
from audit.store import Store
from tests.served import CHROMIUM, QUIET

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="没有 Chromium：apt-get install chromium")]


@pytest.fixture
def page() -> Iterator[Page]:
    """A tab that plays sound as any other: only when somebody has clicked."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="需要 playwright：pip install 'callaudit[test]'")
    strict = [option for option in QUIET if "autoplay" not in option]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=strict)
        yield browser.new_page()
        browser.close()


def test_a_phone_scrolls_tables_and_not_the_page(same_batch: Store, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(same_batch, path)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_click_plays_the_clip_and_a_second_one_stops_it(same_batch: Store, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(same_batch, path)
    page.goto(path.as_uri())
    button, audio = page.locator("#c1p1 button"), "document.getElementById('c1a0')"
    start = float(button.get_attribute("data-from") or "")
    assert page.evaluate(f"{audio}.paused")
    button.click()
    end = time.monotonic() + 20
    while page.evaluate(f"{audio}.currentTime") <= start + 0.3:  # its policy lets no test wait inside the page
        assert time.monotonic() < end, "nothing plays"
        page.wait_for_timeout(100)
    assert button.locator(".label").text_content() == "停止"
    button.click()
    assert page.evaluate(f"{audio}.paused")
    assert button.locator(".label").text_content() == "播放证据"
