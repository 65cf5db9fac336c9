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
