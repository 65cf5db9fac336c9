"""In a real browser: three findings reviewed by keys alone, one taken back; an appeal filed and decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit import appeals, review
from audit.access import LOCAL, Actor, Role
from audit.review import Choice, Policy
from audit.store import Filter, Store, queue, verdicts
from audit.store.queue import State, Wanted
from audit.store.verdicts import Kind, Verdict
from tests.served import Served, add_people, click_on, press, serving, sign_in, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
WU = Actor(name="wu", role=Role.REVIEWER)


def said_by(store: Store, name: str) -> list[Verdict]:
    rows = store.all("select id from verdicts where by = ? order by id", [name])
    return [found for row in rows if (found := verdicts.entry(store, row["id"])) is not None]


@pytest.fixture
def served(demo: Path) -> Iterator[Served]:
    """A server of the test's own: each begins with the whole queue."""
    with serving(demo) as running:
        yield running


def test_three_findings_by_keyboard_and_one_taken_back(opened: Callable[[str], Page], demo: Path) -> None:
    page = opened("review")
    press(page, "a", shows="今天已判 1")
    press(page, "d", shows="为什么驳回")
    press(page, "2", shows="今天已判 2")
    press(page, "s", shows="哪里成立")
    press(page, "1", shows="撤销：部分成立")
    press(page, "u", shows="今天已判 2")
    with Store.read(demo) as store:
        said = said_by(store, LOCAL.name)
        assert [entry.kind for entry in said] == [Kind.CONFIRM, Kind.DISMISS, Kind.PARTIAL, Kind.UNDO]
        assert [entry.reason for entry in said] == [None, "context", "milder", None]
        after = [found.state for entry in said[:3] if (found := queue.item(store, entry.key)) is not None]
        assert after == [State.CONFIRMED, State.DISMISSED, State.WAITING]


def test_words_selected_in_the_transcript_become_a_violation(opened: Callable[[str], Page], demo: Path) -> None:
    page = opened("review")
    page.locator(".ca-player").wait_for()
    press(page, "m", shows="补充漏判：")  # the player's key: choose the turn where the finding is
    press(page, "e", shows="人工补充")
    with Store.read(demo) as store:
        (said,) = said_by(store, LOCAL.name)
        assert said.kind is Kind.ADD
        assert said.finding is not None
        assert said.finding["quote"]


def test_an_appeal_is_filed_by_the_collector_and_decided_by_another_reviewer(page: Page, demo: Path) -> None:
    add_people(demo, ("wu", Role.REVIEWER, None), ("zheng", Role.REVIEWER, None), ("li", Role.COLLECTOR, "A02"))
    with Store.open(demo) as store:
        wanted = Wanted(calls=Filter(agent_id="A02"), category="recording_notice")
        offer = review.next_item(store, wanted, actor=WU)
        assert offer is not None
        item = review.judge(store, offer.item, Choice(kind=Kind.CONFIRM), actor=WU, policy=Policy())
    with serving(demo) as server:
        sign_in(page, server, "li", where="appeals")
        write(page, f"appeals_why_{item.key}", "我在开头告知过录音")
        click_on(page, f"appeals_file_{item.key}")
        page.get_by_text("申诉已提交").wait_for()
        with Store.read(demo) as store:
            number = next(one.appeal.id for one in appeals.to_decide(store, actor=WU) if one.appeal.key == item.key)
        sign_in(page, server, "wu", where="appeals")  # who confirmed it sees the appeal, and may not decide
        page.get_by_text("我在开头告知过录音").wait_for()
        assert page.locator(f".st-key-appeals_overturn_{number}").count() == 0
        sign_in(page, server, "zheng", where="appeals")
        write(page, f"appeals_answer_{number}", "听录音，开头确有告知")
        click_on(page, f"appeals_overturn_{number}")
        page.get_by_text("已处理；结果已记入").wait_for()
        sign_in(page, server, "li", where="appeals")
        page.get_by_text("听录音，开头确有告知").wait_for()
    with Store.read(demo) as store:
        after = queue.item(store, item.key)
        assert after is not None
        assert after.state is State.DISMISSED
