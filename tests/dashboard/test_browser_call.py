"""The page of a call in a browser: sound, turns, keys, what is masked, and words that look like markup."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit import ledger
from audit.store import Store
from tests.served import Served, serving, settled
from transcribe.model import Turn

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
EVIL = "<script>window.hacked=1</script><img src=x onerror='window.hacked=2'>我叫陈志强"


def seconds(page: Page) -> float:
    return float(page.locator(".ca-wave").get_attribute("aria-valuenow") or 0)


def starts(page: Page, turn: int) -> float:
    text = page.locator(".ca-turn .ca-at").nth(turn).inner_text()
    minutes, rest = text.split(":")
    return 60 * int(minutes) + int(rest)


def heard_calls(db: Path) -> list[str]:
    """Calls of some length with findings whose recording is really there."""
    with Store.read(db) as store:
        found = [call for call in store.calls() if call.record.path and call.record.path.exists()]
        long = [call for call in found if len(_turns(store, call.recording)) > 9]
        return [call.record.call_id for call in long if len(call.judgement.findings) > 9]


def _turns(store: Store, recording: str) -> tuple[Turn, ...]:
    transcript = store.transcript(recording)
    return transcript.turns if transcript else ()


def poison(db: Path, call_id: str) -> None:
    """Words as a recogniser, or a hostile transcript file, may have written them."""
    with sqlite3.connect(db) as sql:
        (recording,) = sql.execute("select recording from calls where call_id = ?", [call_id]).fetchone()
        (turns,) = sql.execute("select turns from transcripts where recording = ?", [recording]).fetchone()
        changed = json.loads(turns)
        changed[0]["text"] = EVIL
        sql.execute("update transcripts set turns = ? where recording = ?", [json.dumps(changed), recording])
        sql.execute("update calls set agent_name = ? where call_id = ?", ["<b onclick=x>", call_id])
    sql.close()


@pytest.fixture(scope="module")
def served(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of this file; the second call with sound has words that look like markup."""
    db = Path(shutil.copy(demo_master, tmp_path_factory.mktemp("call") / "callaudit.db"))
    poison(db, heard_calls(db)[1])
    with serving(db) as running:
        yield running


@pytest.fixture
def call(served: Served, opened: Callable[[str], Page]) -> Page:
    page = opened(f"call?call={heard_calls(served.db)[0]}")
    page.wait_for_function("document.querySelector('.ca-time')?.textContent.includes('/ 0')")
    page.wait_for_function(
        "document.querySelector('.ca-wave > div')?.shadowRoot.querySelector('[part~=region]') !== null"
    )
    return page


def test_a_clip_plays_and_the_position_moves(call: Page) -> None:
    assert seconds(call) == 0
    call.get_by_role("button", name="播放", exact=True).click()
    call.wait_for_function("Number(document.querySelector('.ca-wave').getAttribute('aria-valuenow')) >= 2")
    assert call.get_by_role("button", name="暂停").is_visible()
    assert call.locator(".ca-turn[aria-current=true]").count() == 1


def test_a_click_on_a_turn_jumps_there_and_plays(call: Page) -> None:
    call.locator(".ca-turn").nth(5).click()
    call.wait_for_selector(".ca-turn:nth-child(6)[aria-current=true]")
    assert starts(call, 5) <= seconds(call) <= starts(call, 5) + 5
    call.wait_for_function(
        f"Number(document.querySelector('.ca-wave').getAttribute('aria-valuenow')) > {starts(call, 5)}"
    )


def test_keys_move_play_loop_and_change_the_speed(call: Page) -> None:
    press = call.keyboard.press
    press("ArrowRight")
    assert seconds(call) == 3
    press("ArrowLeft")
    assert seconds(call) == 0
    press(".")
    press(".")
    assert abs(seconds(call) - starts(call, 1)) <= 1
    press(",")
    assert call.locator(".ca-turn").nth(0).get_attribute("aria-current") == "true"
    press("]")
    press("]")
    assert call.get_by_label("语速").input_value() == "1.5"
    press("l")
    assert call.get_by_role("button", name="循环").get_attribute("aria-pressed") == "true"
    press("Space")
    call.get_by_role("button", name="暂停").wait_for()
    press("Space")
    call.get_by_role("button", name="播放", exact=True).wait_for()


def test_a_loop_comes_back_to_its_beginning(call: Page) -> None:
    call.evaluate("document.querySelector('.ca-turn').click()")
    call.keyboard.press("l")
    call.get_by_label("语速").select_option("2")
    call.wait_for_function(
        """() => {
          const now = Number(document.querySelector(".ca-wave").getAttribute("aria-valuenow"));
          window.furthest = Math.max(window.furthest ?? 0, now);
          return now < window.furthest;
        }"""
    )
    assert call.evaluate("window.furthest") <= starts(call, 1) + 1
    assert call.get_by_role("button", name="暂停").is_visible()


def test_a_finding_is_explained_when_its_words_have_the_focus(call: Page) -> None:
    call.locator(".ca-mark").first.focus()
    tip = call.get_by_role("tooltip")
    assert tip.is_visible()
    assert "理由" in tip.inner_text()
    assert call.locator(".ca-mark").first.get_attribute("aria-label")


def test_turns_are_reached_by_arrow_keys_alone(call: Page) -> None:
    call.locator(".ca-turn .ca-when").first.focus()
    call.keyboard.press("ArrowDown")
    call.keyboard.press("ArrowDown")
    call.keyboard.press("Enter")
    call.wait_for_selector(".ca-turn:nth-child(3)[aria-current=true]")


def test_markup_in_words_is_shown_as_text_and_names_are_masked(served: Served, opened: Callable[[str], Page]) -> None:
    page = opened(f"call?call={heard_calls(served.db)[1]}")
    first = page.locator(".ca-turn .ca-text").first
    first.wait_for()
    assert first.inner_text() == EVIL.replace("陈志强", "***")
    assert page.locator(".ca-player script, .ca-player img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_unmasking_asks_why_shows_the_words_and_stands_in_the_ledger(
    served: Served, opened: Callable[[str], Page]
) -> None:
    call_id = heard_calls(served.db)[1]
    page = opened(f"call?call={call_id}")
    page.get_by_role("button", name=re.compile("显示原文")).first.click()
    page.get_by_label("查看原文的理由（记入账本）").fill("投诉 3 号，核对姓名")
    page.get_by_role("button", name="显示原文和原声").click()
    page.get_by_text("正在显示原文和原声").wait_for()
    settled(page)
    page.wait_for_function("document.querySelector('.ca-turn .ca-text')?.textContent.includes('陈志强')")
    with Store.read(served.db) as store:
        (entry,) = ledger.recent(store, kind=ledger.Kind.UNMASK)
    assert (entry.subject, entry.data["reason"]) == (call_id, "投诉 3 号，核对姓名")

    page.get_by_role("button", name="恢复遮盖").click()
    page.wait_for_function("document.querySelector('.ca-turn .ca-text')?.textContent.includes('***')")


def test_without_its_recording_a_call_is_read_and_says_so(served: Served, opened: Callable[[str], Page]) -> None:
    with Store.read(served.db) as store:
        gone = next(c.record for c in store.calls() if c.record.path and not c.record.path.exists())
    assert gone.path is not None
    page = opened(f"call?call={gone.call_id}")
    page.get_by_text(f"录音文件 {gone.path.name} 不在审计时的位置").wait_for()
    assert str(gone.path.parent) not in page.content()
    page.locator(".ca-turn").nth(1).click()
    assert page.locator(".ca-turn").nth(1).get_attribute("aria-current") == "true"


def test_a_call_is_found_in_the_list_and_opened(served: Served, opened: Callable[[str], Page]) -> None:
    call_id = heard_calls(served.db)[0]
    page = opened("call")
    page.get_by_label("查找通话").fill(call_id)
    page.keyboard.press("Enter")
    page.get_by_text("1 通，最新的在前").wait_for()
    settled(page)
    page.locator('[data-testid="stDataFrame"]').click(position={"x": 18, "y": 50})
    page.get_by_text(f"通话 {call_id}").wait_for()
    assert f"call={call_id}" in page.url


def test_the_evidence_of_a_call_is_downloaded_masked_and_noted(served: Served, opened: Callable[[str], Page]) -> None:
    call_id = heard_calls(served.db)[1]
    page = opened(f"call?call={call_id}")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载证据报告（已遮盖）").click()
    written = Path(download.value.path()).read_text("utf-8")
    assert download.value.suggested_filename == f"{call_id}.html"
    assert call_id in written
    assert "陈志强" not in written
    with Store.read(served.db) as store:
        (entry,) = ledger.recent(store, kind=ledger.Kind.EXPORT)
    assert (entry.subject, entry.data["unmasked"]) == (call_id, False)
