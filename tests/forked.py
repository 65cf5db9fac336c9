"""Commands in processes that are forked from one which has imported everything: a start costs no imports.

What a command meets is what it meets in a shell: a process, a folder, arguments, streams and an exit code of its own.
Only what Python does before `audit.cli.main`, and after it at exit, is left out; tests of that run `COMMAND`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

COMMAND = Path(sys.executable).with_name("callaudit")
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.preloaded"])
STREAMS = ("stdin", "stdout", "stderr")


class Forked:
    """A command at work; like a `subprocess.Popen` of it, and a process group of its own as from a terminal.

    Its workers are forked from the same process, and are none of its group: they know nothing of its environment. With
    `spawn` they are started as always.
    """

    def __init__(
        self,
        *arguments: object,
        folder: Path,
        stdin: str = "",
        environment: Mapping[str, str] = os.environ,
        spawn: bool = False,
    ) -> None:
        self._streams = tempfile.TemporaryDirectory(prefix="callaudit-streams-")
        (Path(self._streams.name) / "stdin").write_text(stdin, "utf-8")
        self._process: BaseProcess = SERVER.Process(
            target=_command, args=([*map(str, arguments)], str(folder), self._streams.name, dict(environment), spawn)
        )
        with mock.patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):  # ours is nothing to run again
            self._process.start()
        with contextlib.suppress(ProcessLookupError):
            while os.getpgid(self.pid) != self.pid:
                time.sleep(0.001)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """How it ended; negative: by which signal."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("callaudit", timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it has said, once it is over."""
        self.wait(timeout)
        return self._said("stdout"), self._said("stderr")

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """End it, if it still runs, and forget what it said."""
        self.kill()
        self.wait()
        self._process.close()
        self._streams.cleanup()

    def _said(self, stream: str) -> str:
        return (Path(self._streams.name) / stream).read_text("utf-8")


def completed(*arguments: object, timeout: float, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `subprocess.run` does; `more` as for `Forked`."""
    forked = Forked(*arguments, **more)
    try:
        stdout, stderr = forked.communicate(timeout)
        return subprocess.CompletedProcess([*map(str, arguments)], forked.wait(), stdout, stderr)
    finally:
        forked.close()


def _command(arguments: Sequence[str], folder: str, streams: str, environment: dict[str, str], spawn: bool) -> None:
    os.setpgid(0, 0)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # it follows the environment
    _take_streams(Path(streams))
    sys.argv = ["callaudit", *arguments]
    if not spawn:
        _fork_workers()
    from audit.cli import main

    main()


def _take_streams(folder: Path) -> None:
    for number, name in enumerate(STREAMS):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY
        os.dup2(os.open(folder / name, flags), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)


def _fork_workers() -> None:
    """Let this process start its own from the server that it comes from."""
    from audit import workers

    forkserver._forkserver.ensure_running = lambda: None
    workers._SPAWN = SERVER
