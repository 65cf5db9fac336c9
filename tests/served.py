"""The dashboard as people run it, in a browser: for the browser tests and the pictures in the docs."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from audit.access import LOCAL, Role
from audit.store import Store
from audit.users import NewUser, add_user

if TYPE_CHECKING:
    from playwright.sync_api import Page

COMMAND = Path(sys.executable).with_name("callaudit")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--autoplay-policy=no-user-gesture-required",
    "--force-color-profile=srgb", "--lang=zh-CN", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
"""Options of a Chromium that needs no screen and asks nobody but this machine."""
PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running dashboard: `url` ends in a slash."""

    url: str
    db: Path


@contextmanager
def serving(db: Path, *options: str, port: int | None = None) -> Iterator[Served]:
    """`callaudit dashboard` on a free port of the loopback address, ended afterwards; `options` come on top."""
    port = port or free_port()
    command = [str(COMMAND), "dashboard", "--db", str(db), "--port", str(port), *options]
    with answering(command, port, "/_stcore/health", folder=db.parent) as url:
        yield Served(url=url, db=db)


@contextmanager
def answering(command: Sequence[str], port: int, path: str, *, folder: Path) -> Iterator[str]:
    """A server's address, once its `path` answers; it runs in `folder`, leaves its log there, and is ended afterwards."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, cwd=folder)
        try:
            until = time.monotonic() + 60
            while not _answers(port, path):
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(f"{command[0]} did not start: {log.read_text('utf-8')}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int, path: str) -> bool:
    asked = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        asked.request("GET", path)
        return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


WATCH = """
  window.reruns = {asked: 0, begun: 0};
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (data[0] === 0x5a) window.reruns.asked = performance.now();
    return send.call(this, data);
  };
  new MutationObserver(() => {
    const app = document.querySelector('[data-testid="stApp"]');
    if (app?.dataset.testScriptState === "running") window.reruns.begun = performance.now();
  }).observe(document, {subtree: true, childList: true, attributeFilter: ["data-test-script-state"]});
"""
"""For every tab of a test, before its page: notes when Streamlit's page asks for a run of the script (0x5a begins such
a message), and when one was last seen to run."""

_SETTLED = """([asked, ms, most]) => {
  const state = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState;
  const {asked: wanted, begun} = window.reruns ?? {asked: 0, begun: 0};
  const ran = (begun && begun >= wanted) || performance.now() - wanted > most;
  const quiet = ran && state === "notRunning" && !document.querySelector('[data-testid="stSkeleton"]');
  if (!quiet || window.quiet?.asked !== asked) window.quiet = {asked, since: performance.now()};
  return quiet && performance.now() - window.quiet.since > ms;
}"""
_QUIET_MS = 300
_SEEN_MS = 5_000  # a run may begin and end unseen
_ASKED = itertools.count()


def settled(page: Page) -> None:
    """Wait until Streamlit has run the script to its end, drawn what it made, and asks for no other run."""
    page.wait_for_function(_SETTLED, arg=[next(_ASKED), _QUIET_MS, _SEEN_MS])


def add_people(db: Path, *people: tuple[str, Role, str | None]) -> None:
    """Accounts with PASSWORD: name, role, and whose calls a collector's are."""
    with Store.open(db) as store:
        for name, role, agent in people:
            add_user(store, NewUser(name=name, role=role, password=PASSWORD, agent_id=agent), actor=LOCAL)


def sign_in(page: Page, served: Served, name: str, *, where: str = "") -> None:
    """Whoever was signed in before, `name` is now, and looks at the page at `where`."""
    page.context.clear_cookies()
    page.goto(served.url + where)
    fill_in_sign_in(page, name)
    page.wait_for_url(lambda url: "/sign-in" not in url)
    settled(page)


def fill_in_sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Send the form off, and wait for the page that answers, whatever it says."""
    page.get_by_label("账号").fill(name)
    page.get_by_label("密码").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="登录", exact=True).click()


def press(page: Page, key: str, *, shows: str) -> None:
    """A key, wherever the focus is; then wait for the words that follow from it."""
    page.keyboard.press(key)
    page.get_by_text(shows).first.wait_for()
    settled(page)


def click(page: Page, name: str) -> None:
    """The first button of this name, and what follows from it."""
    page.get_by_role("button", name=name, exact=True).first.click()
    settled(page)


def click_on(page: Page, key: str) -> None:
    """The button of a Streamlit key, and what follows from it."""
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def write(page: Page, key: str, text: str) -> None:
    """Type into the field of a Streamlit key and leave it, which is when Streamlit takes it over."""
    box = page.locator(f".st-key-{key}").locator("input, textarea")
    box.fill(text)
    box.press("Tab")
    settled(page)
