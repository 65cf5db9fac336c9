"""Runs commands in forks of a process that has imported everything and opened nothing: a start costs no imports.

`python forked.py` reads a JSON list of arguments a line, answers with the process id, and when that process is over
with its exit status (negative: the signal that killed it).
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module


def run(arguments: list[str]) -> None:
    """The command as its own group of processes, as from a terminal, silent."""
    from audit.cli import cli
    from audit.terminal import run

    os.setpgid(0, 0)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    sys.argv = ["callaudit", *arguments]
    run(cli)


def main() -> None:
    """Serve until the input ends."""
    for module in (
        "audit.batch", "audit.cli_batch", "audit.settings", "audit.store.migrations", "audit.workers", "rules.digests",
        "rules.engine", "transcribe.audio", "transcribe.files",
    ):  # fmt: skip
        import_module(module)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run(json.loads(line))
        os.setpgid(pid, pid)  # whoever of the two is first
        _answer(pid)
        _answer(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
