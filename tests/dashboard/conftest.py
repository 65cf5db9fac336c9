"""For all tests of the dashboard: the demo store, the server, a browser."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit.store import Store
from tests.demo import build_demo
from tests.served import CHROMIUM, QUIET, WATCH, Served, serving, settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="session")
def demo_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo store that tests copy and nobody writes. Of pytest's processes the first that needs it makes it for all."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            build_demo(folder / "callaudit.db")
            (folder / "made").touch()
    return Path(shutil.copy(folder / "callaudit.db", tmp_path_factory.mktemp("demo")))


@pytest.fixture
def demo(demo_master: Path, tmp_path: Path) -> Path:
    """A demo store of the test's own."""
    return Path(shutil.copy(demo_master, tmp_path / "callaudit.db"))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A store without a call."""
    Store.open(tmp_path / "callaudit.db").close()
    return tmp_path / "callaudit.db"


@pytest.fixture(autouse=True)
def _own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves its script as `__main__`, which every process that a later test spawns would run again."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="module")
def served(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`callaudit dashboard` on a demo store, without accounts: one for a file, whose tests leave alone what others read."""
    db = Path(shutil.copy(demo_master, tmp_path_factory.mktemp("served") / "callaudit.db"))
    with serving(db) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; tests that need it are skipped where there is none.

    Not for the whole session: as long as it runs, no other test of this process may run an event loop.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="需要 playwright：pip install 'callaudit[test]'")
    if CHROMIUM is None:
        pytest.skip("没有 Chromium：apt-get install chromium fonts-noto-cjk，或设置环境变量 CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield running
        running.close()


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """One for a file, so that Streamlit's scripts are loaded and compiled once."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(60_000)
    context.add_init_script(WATCH)
    yield context
    context.close()


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """An empty tab of 1440 × 900 in which nobody has signed in."""
    yield profile.new_page()
    for tab in profile.pages:
        tab.close()
    profile.clear_cookies()


@pytest.fixture
def opened(page: Page, served: Served) -> Callable[[str], Page]:
    """`opened("review?lang=en")` → the tab on that page, once its script has run."""

    def open_(where: str = "") -> Page:
        page.goto(served.url + where)
        settled(page)
        return page

    return open_
