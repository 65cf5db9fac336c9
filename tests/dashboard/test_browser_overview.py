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


@pytest.mark.parametrize("where", ["review", "rules_page?view=bench"])
def test_on_a_phone_the_halves_of_a_page_stand_below_each_other(opened: Callable[[str], Page], where: str) -> None:
    page = opened(where)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function(
        "() => [...document.querySelectorAll('.stHorizontalBlock:has(.stColumn .stColumn) > .stColumn')]"
        ".every(column => column.getBoundingClientRect().width > 300)"
    )


def test_six_figures_stand_three_and_three_where_six_have_no_room(opened: Callable[[str], Page]) -> None:
    page = opened("promises")
    page.set_viewport_size({"width": 1024, "height": 900})
    page.wait_for_function("() => document.querySelector('.stMetric').getBoundingClientRect().width > 200")
    tops = [box["y"] for tile in page.locator(".stMetric").all() if (box := tile.bounding_box())]
    assert [tops.count(top) for top in sorted(set(tops))] == [3, 3]


def test_no_title_of_a_figure_is_cut(opened: Callable[[str], Page]) -> None:
    page = opened("overview?lang=en")
    page.get_by_text("Unanswered complaints").wait_for()
    cut = "p => p.parentElement.scrollWidth > p.parentElement.clientWidth"
    assert not any(label.evaluate(cut) for label in page.locator("[data-testid=stMetricLabel] p").all())


def test_an_address_that_is_no_page_is_told_in_the_readers_language(opened: Callable[[str], Page]) -> None:
    page = opened("no_such")
    page.get_by_text("没有“no_such”这个页面").wait_for()
    page.wait_for_url(lambda url: url.endswith("/overview"))
    assert not page.get_by_role("dialog").count()


def test_a_day_that_is_not_filled_in_reads_in_chinese(opened: Callable[[str], Page]) -> None:
    page = opened("overview")
    year = page.locator(".st-key-since [data-type=year]")
    assert year.evaluate("node => getComputedStyle(node, '::after').content") == '"年"'
