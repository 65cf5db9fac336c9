"""One click plays the evidence, in a real browser where the machine has one."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from audit.report import write_report
from audit.store import Store

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (apt install chromium-driver)"
)


class Browser:
    """As much of WebDriver as the test needs: https://www.w3.org/TR/webdriver2/."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/session"
        options = {"binary": CHROMIUM, "args": ["--headless", "--no-sandbox", "--disable-gpu"]}
        self.url += "/" + self.ask("", capabilities={"alwaysMatch": {"goog:chromeOptions": options}})["sessionId"]

    def ask(self, path: str, **values: Any) -> Any:
        request = Request(self.url + path, json.dumps(values).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, path: Path) -> None:
        self.ask("/url", url=path.as_uri())

    def click(self, css: str) -> None:
        ((_, element),) = self.ask("/element", using="css selector", value=css).items()
        self.ask(f"/element/{element}/click")

    def js(self, script: str) -> Any:
        return self.ask("/execute/sync", script="return " + script, args=[])

    def close(self) -> None:
        with urlopen(Request(self.url, method="DELETE"), timeout=60):
            pass


@pytest.fixture
def browser() -> Iterator[Browser]:
    with subprocess.Popen([DRIVER or "", "--port=0"], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        started = next(line for line in driver.stdout if "started successfully on port" in line)
        window = Browser(int(started.split()[-1].strip(".")))
        yield window
        window.close()
        driver.terminate()


def wait_for(condition: Any, *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def test_a_click_plays_the_clip_and_a_second_one_stops_it(same_batch: Store, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(same_batch, path)
    browser.open(path)
    button, audio = "#c1p1 button", "document.getElementById('c1a0')"
    start = browser.js(f"Number(document.querySelector('{button}').dataset.from)")
    browser.click(button)
    wait_for(lambda: browser.js(f"{audio}.currentTime") > start + 0.3)
    assert browser.js(f"document.querySelector('{button} .label').textContent") == "停止"
    browser.click(button)
    assert browser.js(f"{audio}.paused")
    assert browser.js(f"document.querySelector('{button} .label').textContent") == "播放证据"
