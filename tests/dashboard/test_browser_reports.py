"""Downloads in a browser: a report is made, saved and opened; a collector's profile is reached and heard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from audit import ledger
from audit.store import Store
from tests.served import Served, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def download(page: Page, folder: Path) -> Path:
    """Make the report that is chosen, and save it."""
    page.get_by_role("button", name="生成报表").click()
    page.get_by_role("button", name="下载").wait_for(timeout=180_000)
    with page.expect_download() as begun:
        page.get_by_role("button", name="下载").click()
    path = folder / begun.value.suggested_filename
    begun.value.save_as(path)
    return path


def test_an_excel_report_is_downloaded_and_read(opened: Callable[[str], Page], served: Served, tmp_path: Path) -> None:
    page = opened("reports?agent=C02")
    page.get_by_text("Excel").click()
    settled(page)
    path = download(page, tmp_path)
    assert path.name == "callaudit_C02.xlsx"
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[:4] == ["概览", "问题明细", "催收员", "通话"]
    agents = {row[4] for row in book["通话"].iter_rows(min_row=2, values_only=True)}
    assert agents == {"C02"}
    with Store.read(served.db) as store:
        (entry, *_) = ledger.recent(store, kind=ledger.Kind.EXPORT)
    assert (entry.subject, entry.data["form"], entry.data["agent"]) == ("report", "xlsx", "C02")


def test_an_html_report_is_downloaded_and_opened(opened: Callable[[str], Page], tmp_path: Path) -> None:
    page = opened("reports?agent=C02")
    path = download(page, tmp_path)
    report = page.context.new_page()
    report.goto(path.as_uri())
    assert report.title() == "催收通话合规审计报告"
    assert report.locator("article").count() > 0
    assert report.get_by_text("个人信息已遮盖").count() == 1
    assert "黄婷" not in report.content()  # 黄* alone


def test_a_row_opens_the_profile_and_a_fault_is_heard(opened: Callable[[str], Page]) -> None:
    page = opened("collectors?agent=A02")
    page.get_by_role("heading", name="李强").wait_for()
    listen = page.get_by_role("button", name="听这一段")
    for expander in page.get_by_test_id("stExpander").all()[1:]:
        if listen.locator("visible=true").count():
            break
        expander.locator("summary").click()
    listen.locator("visible=true").first.click()
    page.locator("audio, [data-testid=stAlert]").first.wait_for(state="attached")
    page.get_by_role("button", name="全部催收员").click()
    page.get_by_test_id("stDataFrame").wait_for()


def test_promises_to_follow_up_their_chart_and_contacts_as_a_file(
    opened: Callable[[str], Page], served: Served
) -> None:
    page = opened("promises")
    page.get_by_test_id("stDataFrame").first.wait_for()
    page.get_by_role("tab", name="按催收员").click()
    page.get_by_text("谁守规矩地把钱收回来").wait_for()
    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first.wait_for()
    page.get_by_role("link", name="联系频次").click()
    with page.expect_download() as got:
        page.locator('[class*="st-key-contacts_csv"]').get_by_role("button").click()
    written = Path(got.value.path()).read_text("utf-8-sig")
    assert written.startswith("日期,问题,级别,结果,号码或债务人,依据,通话编号")
    assert "同一号码一天拨打次数过多,中,违规,***********,同一号码当天未接通拨打 9 次" in written
    with Store.read(served.db) as store:
        (entry, *_) = ledger.recent(store, kind=ledger.Kind.EXPORT)
    assert (entry.subject, entry.data["form"], entry.data["unmasked"]) == ("conduct", "csv", False)
