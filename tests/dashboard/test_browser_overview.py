"""In a real browser: the charts of the overview, where one week is all there is and where the window is narrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.demo import LAST_DAY

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


def middle(drawn: Locator) -> float:
    box = drawn.first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


def test_dots_interval_bar_and_label_of_a_single_day_stand_in_line(opened: Callable[[str], Page]) -> None:
    chart = opened(f"overview?since={LAST_DAY}").locator(".stVegaLiteChart").first
    chart.get_by_text("11-16").wait_for()
    label, bar, interval, dot = (
        middle(found)
        for found in (
            chart.get_by_text("11-16"),
            chart.locator(".layer_0_marks path"),
            chart.locator(".mark-rule.role-mark line"),
            chart.locator(".mark-symbol.role-mark path"),
        )
    )
    assert max(label, bar, interval, dot) - min(label, bar, interval, dot) < 2


def test_charts_stand_below_each_other_in_a_narrow_window(opened: Callable[[str], Page]) -> None:
    page = opened("overview?lang=en")
    charts = page.locator(".stVegaLiteChart svg.marks")
    page.wait_for_function("() => document.querySelectorAll('.stVegaLiteChart svg.marks').length === 3")
    wide = [box["x"] for chart in charts.all() if (box := chart.bounding_box())]
    page.set_viewport_size({"width": 800, "height": 900})
    page.wait_for_function(
        "() => new Set([...document.querySelectorAll('.stVegaLiteChart')].map(e => e.getBoundingClientRect().x)).size === 1"
    )
    assert len(set(wide)) == 2
    calls = page.get_by_role("radio", name="Calls", exact=True)
    box = calls.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] < 800
