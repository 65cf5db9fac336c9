"""A worker that hangs or eats memory costs one retry, then one failure row, never the batch."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import psutil
import pytest

from audit.cli_batch import _workers
from audit.config import Config
from audit.errors import Exit
from audit.store import Store
from tests.conftest import COMMAND, write_calls
from tests.disturbed import done

Run = Callable[..., CompletedProcess[str]]
PATIENCE = 60
CALLS = 150


def test_a_worker_that_hangs_is_ended_and_its_call_done_by_another(tmp_path: Path, pack: Path) -> None:
    write_calls(tmp_path / "calls", CALLS)
    (tmp_path / "callaudit.toml").write_text("call_minutes = 0.12\nsecond_opinion = false\n")
    arguments = [COMMAND, "audit", "calls", "--engine", "transcript", "--rules", str(pack), "--workers", "2"]
    with subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as batch:
        try:
            _wait_for_a_call(tmp_path / "callaudit.db")
            _a_worker(batch.pid).send_signal(signal.SIGSTOP)
            assert batch.wait(PATIENCE) == Exit.CLEAN
        finally:
            batch.kill()
    with Store.read(tmp_path / "callaudit.db") as store:
        assert len(store.done()) == CALLS
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


def test_workers_that_die_while_they_start_are_failures_not_silence(tmp_path: Path, pack: Path, installed: Run) -> None:
    write_calls(tmp_path / "calls", 2)
    (tmp_path / "sitecustomize.py").write_text("import os, sys\nif 'spawn_main' in str(sys.orig_argv): os._exit(1)\n")
    given = ("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", "1")
    result = installed(*given, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert result.returncode == Exit.SOME_FAILED, result.stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        assert ["两次意外退出" in failure.reason for failure in store.failures()] == [True, True]


def test_where_memory_is_short_there_are_fewer_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.cli_batch._cores", lambda: 8)
    for gigabytes, workers in ((100, 8), (4, 4), (0.5, 1)):
        monkeypatch.setattr("audit.workers.memory_share", lambda _, size=gigabytes: int(size * 1e9))
        assert _workers(Config()) == workers
    assert _workers(Config(workers=6)) == 6


def _wait_for_a_call(db: Path) -> None:
    """Until a call is done: before it is at work, a worker that is stopped stops who starts it."""
    until = time.monotonic() + PATIENCE
    while not (db.exists() and done(db)):
        assert time.monotonic() < until, "no call was done"
        time.sleep(0.005)


def _a_worker(pid: int) -> psutil.Process:
    """A worker process of the batch; multiprocessing's resource tracker is none."""
    return next(child for child in psutil.Process(pid).children() if "spawn_main" in " ".join(child.cmdline()))
