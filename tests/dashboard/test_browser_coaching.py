"""In a browser: a playlist is made, filled, played, printed and assigned; the collector acknowledges it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit.access import LOCAL, Role
from audit.coaching import assignments, clips, playlists
from audit.store import Store
from tests.served import Served, add_people, click, serving, settled, sign_in, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def guarded(demo: Path) -> Iterator[Served]:
    """The demo store with a trainer's account and one of collector A02."""
    add_people(demo, ("lin", Role.TRAINER, None), ("liqiang", Role.COLLECTOR, "A02"))
    with serving(demo) as server:
        yield server


def test_make_fill_print_assign_and_acknowledge(page: Page, guarded: Served) -> None:
    with Store.read(guarded.db) as store:
        found = store.all("select call_id, path from calls order by call_id")
        call = next(row["call_id"] for row in found if Path(row["path"]).is_file())
    sign_in(page, guarded, "lin", where="coaching")
    page.get_by_text("新建播放列表").first.click()
    write(page, "coaching_title", "开场白")
    click(page, "新建")
    page.get_by_role("heading", name="开场白").wait_for()

    click(page, "加入")  # the newest confirmed finding
    page.get_by_role("button", name="移除").first.wait_for()
    settled(page)
    page.get_by_text("加正面例子").first.click()
    page.get_by_label("通话编号").last.fill(call)
    page.get_by_label("好在哪里").fill("先核验身份")
    form = page.locator('[data-testid="stForm"]', has=page.get_by_label("好在哪里"))
    form.get_by_role("button", name="加入").click()
    page.get_by_text("请注意：先核验身份").wait_for()

    page.get_by_role("button", name="播放", exact=True).last.click()
    page.wait_for_function("() => document.querySelector('audio')?.currentTime > 0.2")

    with page.expect_download() as got:
        page.get_by_role("button", name="打印单").click()
    sheet = got.value.path().read_text("utf-8")
    assert "先核验身份" in sheet
    assert "签名" in sheet

    page.get_by_role("button", name="布置给催收员").click()
    form = page.locator('[data-testid="stForm"]', has=page.get_by_label("要求"))
    form.get_by_role("combobox").first.click()
    page.get_by_role("option", name="A02 李强").click()
    page.get_by_label("要求").fill("周会前听完")
    form.get_by_role("button", name="布置", exact=True).click()
    page.get_by_text("已保存").first.wait_for()
    settled(page)
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/sign-in")

    sign_in(page, guarded, "liqiang", where="coaching")
    page.get_by_role("heading", name="我的辅导任务").wait_for()
    page.get_by_text("请注意：先核验身份").wait_for()
    page.get_by_role("button", name="我已听完并知悉").first.click()
    page.get_by_text("✓ 已确认 · 开场白").wait_for()

    with Store.read(guarded.db) as store:
        newest = playlists(store, actor=LOCAL)[0]
        kinds = [clip.kind.value for clip in clips(store, newest.id, actor=LOCAL)]
        (task,) = assignments(store, actor=LOCAL, playlist=newest.id)
    assert (newest.title, kinds) == ("开场白", ["bad", "good"])
    assert (task.agent_id, task.acknowledged_by, task.note) == ("A02", "A02", "周会前听完")
