"""In a real browser: a plan is made, its sample heard by keys, a missed violation added."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from audit import sampling
from audit.access import LOCAL
from audit.store import Store, samples, verdicts
from audit.store.samples import Period
from audit.store.verdicts import Kind
from tests.demo import LAST_DAY
from tests.served import Served, click_on, press, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_plan_is_made_and_its_sample_heard_by_keys(opened: Callable[[str], Page], served: Served) -> None:
    page = opened("sampling")
    write(page, "sampling_name", "漏判抽检")
    write(page, "sampling_count", "3")
    click_on(page, "sampling_make")
    page.locator(".st-key-sampling_draw").wait_for()
    with Store.open(served.db) as store:  # the days that the page offers are today's, those of the demo are not
        sampling.draw(store, 1, Period(since=LAST_DAY - timedelta(days=20), until=LAST_DAY), actor=LOCAL)
    page = opened("sampling?view=work")
    page.get_by_text("全部 0/3").wait_for()
    page.locator(".ca-player").wait_for()
    press(page, "m", shows="补充漏判：")  # the player's key: choose the turn
    press(page, "e", shows="听完了（补充了 1 处）")
    for shows in ("全部 1/3", "全部 2/3"):
        _note_unheard(page, shows)
    press(page, "u", shows="全部 1/3")
    for shows in ("全部 2/3", "没有要您听的了（全部 3/3）"):
        _note_unheard(page, shows)
    with Store.read(served.db) as store:
        items = samples.items(store, 1)
        (said,) = verdicts.standing_of_reviewer(store, LOCAL.name, limit=9)
    assert all(one.done_by == LOCAL.name for one in items)
    assert said.kind is Kind.ADD
    assert said.call_id in {one.call_id for one in items}


def _note_unheard(page: Page, shows: str) -> None:
    """A call without sound is noted at the second press."""
    press(page, "a", shows="请再点一次")
    press(page, "a", shows=shows)
