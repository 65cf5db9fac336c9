"""A worker that hangs or eats memory costs one retry, then one failure row, never the batch."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import psutil

from audit.errors import Exit
from audit.store import Store
from tests.conftest import COMMAND, write_calls

Run = Callable[..., CompletedProcess[str]]
PATIENCE = 60


def test_a_worker_that_hangs_is_ended_and_its_call_done_by_another(tmp_path: Path, pack: Path) -> None:
    write_calls(tmp_path / "calls", 40)
    (tmp_path / "callaudit.toml").write_text("call_minutes = 0.3\n")
    arguments = [COMMAND, "audit", "calls", "--engine", "transcript", "--rules", str(pack), "--workers", "2"]
    with subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as batch:
        frozen = _first_worker(batch.pid)
        frozen.send_signal(signal.SIGSTOP)
        assert batch.wait(PATIENCE) == Exit.CLEAN
    with Store.read(tmp_path / "callaudit.db") as store:
        assert len(store.done()) == 40
        assert not store.failures()


def test_calls_that_take_too_much_memory_are_failures_with_their_reason(tmp_path: Path, pack: Path, callaudit: Run) -> None:
    write_calls(tmp_path / "calls", 2)
    (tmp_path / "callaudit.toml").write_text("worker_gigabytes = 0.001\n")
    result = callaudit("audit", "calls", "--engine", "transcript", "--rules", str(pack), "--workers", "1")
    assert result.returncode == Exit.SOME_FAILED
    with Store.read(tmp_path / "callaudit.db") as store:
        reasons = [failure.reason for failure in store.failures()]
    assert len(reasons) == 2
    assert all("worker_gigabytes" in reason and ".json" in reason for reason in reasons)


def _first_worker(pid: int) -> psutil.Process:
    """A process of the batch that has loaded and works; multiprocessing's resource tracker is none."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for child in psutil.Process(pid).children():
            if "spawn_main" in " ".join(child.cmdline()):
                return child
        time.sleep(0.02)
    raise AssertionError("no worker started")
