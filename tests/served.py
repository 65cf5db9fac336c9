"""The dashboard as people run it, in a browser: for the browser tests and the pictures in the docs."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

COMMAND = Path(sys.executable).with_name("callaudit")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--autoplay-policy=no-user-gesture-required",
    "--force-color-profile=srgb", "--lang=zh-CN",
)  # fmt: skip
"""Options of a Chromium that needs no screen and calls nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running dashboard: `url` ends in a slash."""

    url: str
    db: Path


@contextmanager
def serving(db: Path, *options: str) -> Iterator[Served]:
    """`callaudit dashboard` on a free port of the loopback address, ended afterwards; `options` come on top."""
    port = _free_port()
    log = db.parent / "dashboard.log"
    command = [str(COMMAND), "dashboard", "--db", str(db), "--port", str(port), *options]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, cwd=db.parent)
        try:
            _wait_for(port, process, log)
            yield Served(url=f"http://127.0.0.1:{port}/", db=db)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if _healthy(port):
            return
        time.sleep(0.2)
    raise RuntimeError(f"callaudit dashboard did not start: {log.read_text('utf-8')}")


def _healthy(port: int) -> bool:
    asked = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        asked.request("GET", "/_stcore/health")
        return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_QUIET = """([asked, ms]) => {
  const state = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState;
  const quiet = state === "notRunning" && !document.querySelector('[data-testid="stSkeleton"]');
  if (!quiet || window.quiet?.asked !== asked) window.quiet = {asked, since: performance.now()};
  return quiet && performance.now() - window.quiet.since > ms;
}"""
_ASKED = itertools.count()


def settled(page: Page) -> None:
    """Wait until Streamlit has run the script to its end, drawn what it made, and asks for no other run."""
    page.wait_for_function(_QUIET, arg=[next(_ASKED), 300])
