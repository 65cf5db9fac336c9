"""Signing in, in a browser: in, refused, locked out, thrown out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from audit.access import LOCAL, Role
from audit.store import Store
from audit.users import disable
from tests.served import PASSWORD, Served, add_people, fill_in_sign_in, serving, settled, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def guarded(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo store with accounts, locked after two wrong guesses; who is locked or leaves is in no other test."""
    demo = Path(shutil.copy(demo_master, tmp_path_factory.mktemp("guarded") / "callaudit.db"))
    add_people(
        demo, ("li", Role.OFFICER, None), ("forgetful", Role.OFFICER, None), ("leaving", Role.OFFICER, None),
        ("wang", Role.TRAINER, None), ("c1", Role.COLLECTOR, "A02"),
    )  # fmt: skip
    config = demo.with_name("callaudit.toml")
    config.write_text("lockout_failures = 2\n", "utf-8")
    with serving(demo, "--config", str(config)) as server:
        yield server


def test_in_by_the_link_one_came_for_and_out_again(page: Page, guarded: Served) -> None:
    page.goto(f"{guarded.url}operations?lang=en")
    assert "/sign-in" in page.url
    page.get_by_label("Name").fill("li")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/operations?lang=en")
    settled(page)
    assert page.get_by_role("heading", name="Operations").is_visible()
    cookie = next(c for c in page.context.cookies() if c["name"] == "callaudit_session")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert "callaudit_session" not in page.evaluate("document.cookie")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.goto(f"{guarded.url}operations")
    assert "/sign-in" in page.url


def test_a_wrong_password_and_then_a_locked_name(page: Page, guarded: Served) -> None:
    page.goto(guarded.url)
    fill_in_sign_in(page, "forgetful", "wrong wrong wrong")
    assert "账号或密码不对" in page.get_by_role("alert").inner_text()
    fill_in_sign_in(page, "forgetful", "wrong wrong wrong")
    fill_in_sign_in(page, "forgetful")
    assert "尝试次数过多" in page.get_by_role("alert").inner_text()


def test_a_page_of_another_role_is_neither_shown_nor_opened(page: Page, guarded: Served) -> None:
    sign_in(page, guarded, "wang")
    links = page.get_by_test_id("stSidebarNavLink").all_inner_texts()
    assert any("催收员" in link for link in links)
    assert not any("运行" in link or "复核" in link for link in links)
    page.goto(f"{guarded.url}operations")
    settled(page)
    page.get_by_text("您的角色（培训主管）不能打开这个页面").wait_for()
    assert page.get_by_role("tab").count() == 0


def test_a_collector_has_no_filter_by_collector(page: Page, guarded: Served) -> None:
    sign_in(page, guarded, "c1", where="?agent=A01")
    page.get_by_text("c1（催收员）").wait_for()
    assert page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").count() == 0


def test_who_is_disabled_is_out_at_the_next_click(page: Page, guarded: Served) -> None:
    sign_in(page, guarded, "leaving", where="operations")
    with Store.open(guarded.db) as store:
        disable(store, actor=LOCAL, name="leaving")
    page.get_by_role("radio", name="English").click()
    page.wait_for_url("**/sign-in")
    fill_in_sign_in(page, "leaving")
    page.get_by_role("alert").wait_for()


def test_the_address_of_a_recording_is_worth_nothing_to_others(page: Page, guarded: Served) -> None:
    page.goto(f"{guarded.url}call?call={call_with_sound(guarded.db)}")
    with page.expect_request(lambda request: urlsplit(request.url).path.startswith("/media/")) as asked:
        fill_in_sign_in(page, "li")
    sound = asked.value.url
    assert page.request.get(sound).ok
    page.context.clear_cookies()
    assert page.request.get(sound).status == 401
    sign_in(page, guarded, "c1")
    assert page.request.get(sound).status == 403


def call_with_sound(db: Path) -> str:
    with Store.read(db) as store:
        return next(c.record.call_id for c in store.calls() if c.record.path is not None and c.record.path.is_file())
