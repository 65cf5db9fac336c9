"""The worker: audits what people handed in or want tried again, in a process of its own.

The dashboard starts it and need not outlive it. What is to be done stands in the store, and whether it is done is
seen from calls and failures: a worker that is killed leaves nothing half said, the next one goes on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from audit.access import Action, Actor, require
from audit.remote import address
from audit.store import Store
from audit.store import operations as rows

AT_ONCE = 500
"""Recordings of one batch: later ones, handed in meanwhile, go into the next."""


def work(store: Store, audit: Callable[[Sequence[Path]], None], *, stopped: Callable[[], bool]) -> int:
    """Audit what waits until nothing does, or until stopped; returns how many recordings are done. Another worker's
    turn gives 0.
    """
    done = 0
    with _only_worker(store.path) as mine:
        while mine and not stopped() and (paths := rows.waiting(store, limit=AT_ONCE)):
            gone = [path for path in paths if address(path) is None and not path.is_file()]
            rows.drop_work(store, gone)
            if there := [path for path in paths if path not in gone]:
                audit(there)
            over = set(there) - set(rows.waiting(store, limit=AT_ONCE))
            if there and not over:  # nothing came of it: not again and again
                break
            done += len(over)
    return done


def is_working(db: Path) -> bool:
    """Whether a worker is at it."""
    with _only_worker(db) as mine:
        return not mine


def waits(store: Store) -> bool:
    """Whether anything waits for a worker."""
    return bool(rows.waiting(store, limit=1))


def last_words(db: Path) -> str | None:
    """What the last worker died of, in its own words; None where it ended well or never was."""
    log = _log(db)
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    return lines[-1].removeprefix("错误：") if lines and lines[-1].startswith("错误：") else None


def start_worker(store: Store, options: Sequence[str], *, actor: Actor) -> bool:
    """Start `callaudit work` beside this process; False where one is at it already, which then does this too.

    `options` are --db and --config as this process got them. What it says goes to `<store>.worker.log`.
    """
    require(actor, Action.OPERATE)
    if is_working(store.path):
        return False
    command = [sys.executable, "-c", "from audit.cli import main; main()", "work", *options]
    log = os.open(_log(store.path), os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    finally:
        os.close(log)
    Thread(target=process.wait, daemon=True).start()  # else it stays a zombie until we end
    return True


def _log(db: Path) -> Path:
    return db.with_name(f"{db.name}.worker.log")


@contextmanager
def _only_worker(db: Path) -> Iterator[bool]:
    """Whether this process is the one worker of the store, while the block runs; the lock falls with its process."""
    with open(os.open(f"{db}.worker.lock", os.O_CREAT | os.O_RDWR, 0o600), "rb") as file:
        mine = False
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        yield mine
