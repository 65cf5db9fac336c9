"""Batches that are killed again and again, and what must stand in the store after each kill and in the end.

Used by tests/audit/test_kills.py, with forks of a process that has imported everything, and by benchmarks.kills,
with the command started anew each time.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from audit.errors import StoreError
from audit.store import Store, tallies
from tests.conftest import write_transcript
from tests.forked import Forked

Row = tuple[object, ...]
TABLES = (
    "calls", "attempts", "recordings", "transcripts", "findings", "outcomes", "scorecards", "items", "promises",
    "failures", "rules", "call_days", "hour_days", "agent_days", "rule_days", "collector_days",
    "stage_days", "flagged_days",
)  # fmt: skip
# Row numbers, run numbers, clocks, and how often a file was tried: what depends on the disturbance.
DISTURBED = {"run", "added_at", "failed_at", "tries"}
PATIENCE = 120
_COLUMNS = "call_id,recording,started_at,agent_id,agent_name,team,debtor_id,callee_relation,product\n"
_SAID = (
    "agent: 再不还我们就爆你通讯录",
    "customer: 我明天还你两千块",
    "agent: 你这个臭老赖，臭老赖",
)


def write_work(folder: Path, count: int) -> Path:
    """So many transcripts and their list: findings, promises, the same bytes under two ids, a broken file, a row
    without its recording, an attempt, a row that can't be read.
    """
    lines = []
    for n in range(count):
        call, twin = f"c{n:04d}", n % 9 == 8
        path = folder / f"{call}.json"
        if twin:
            path.write_bytes((folder / f"c{n - 1:04d}.json").read_bytes())
        else:
            write_transcript(path, f"agent: 您好，这里是第{n}通", "customer: 嗯", _SAID[n % 3])
        if n % 4:  # every fourth stands in no list
            at = f"2026-11-{n % 28 + 1:02d}T{n % 24:02d}:10:00+08:00"
            lines.append(f"{call},{call}.json,{at},A{n % 5},张三,{n % 2}组,D{n % 50},self,消费贷款\n")
    (folder / "c0003.json").write_text("{", "utf-8")
    lines += ["x1,gone.json,2026-11-02T10:00:00+08:00,A1,张三,1组,D1,self,消费贷款\n"]
    lines += ["x2,,2026-11-02T11:00:00+08:00,A1,张三,1组,D1,self,消费贷款\n", "x3,c0001.json,昨天,,,,,,\n"]
    (folder / "calls.csv").write_text(_COLUMNS + "".join(lines), "utf-8")
    return folder


def facts(db: Path) -> dict[str, list[Row]]:
    """All rows of what must not depend on disturbance, by table."""
    connection = sqlite3.connect(db)
    try:
        return {table: sorted(_rows(connection, table), key=repr) for table in TABLES}
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    drop = DISTURBED | ({"id"} if table == "findings" else set())
    names = [row[1] for row in connection.execute(f"pragma table_info({table})") if row[1] not in drop]
    columns = ", ".join(f'"{name}"' for name in names)
    return connection.execute(f"select {columns} from {table}").fetchall()


def wrong(db: Path) -> list[str]:
    """What is wrong with a store that a batch was killed on; empty: nothing. One not yet made is not wrong."""
    if not db.exists():
        return []
    connection = sqlite3.connect(db)
    try:
        found = [row[0] for row in connection.execute("pragma integrity_check") if row[0] != "ok"]
        found += [f"foreign key {row}" for row in connection.execute("pragma foreign_key_check")]
    finally:
        connection.close()
    with contextlib.suppress(StoreError), Store.read(db) as store:
        found += tallies.differences(store)
    return found


def done(db: Path) -> set[Row]:
    """Calls in the store and what they were judged by."""
    if not db.exists():
        return set()
    connection = sqlite3.connect(db)
    try:
        return set(connection.execute("select call_id, settings, score, card from scorecards"))
    except sqlite3.OperationalError:
        return set()  # not made yet
    finally:
        connection.close()


def _calls(db: Path) -> int:
    """How many calls are in the store; 0 while it is not made."""
    if not db.exists():
        return 0
    with contextlib.closing(sqlite3.connect(db)) as connection, contextlib.suppress(sqlite3.OperationalError):
        return int(connection.execute("select count(*) from scorecards").fetchone()[0])
    return 0


class Forks:
    """Starts commands as tests/forked.py does: most of a start's time is saved."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: Forked | None = None

    def start(self, arguments: Sequence[str]) -> int:
        self.close()
        self._running = Forked(*arguments, folder=self._folder, spawn=True)
        return self._running.pid

    def wait(self) -> int:
        """How it ended; negative: by which signal."""
        assert self._running is not None
        return self._running.wait(PATIENCE)

    def close(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None


class Commands:
    """Starts the installed command anew each time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, arguments: Sequence[str]) -> int:
        command = [str(Path(sys.executable).with_name("callaudit")), *arguments]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        return self._process.pid

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@dataclass(kw_only=True)
class Toll:
    """What the kills cost: how many of each, calls that were in the store and no longer are, what was found wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def batches(self) -> int:
        """Kills that ended a batch."""
        return self.kills.total() - self.kills["a worker"]


def kill_often(run: Forks | Commands, arguments: Sequence[str], *, times: int, start_up: float) -> Toll:
    """Start the same batch (its store is named last) and kill it, so many times. Every third dies within `start_up`
    seconds, the others some milliseconds after a number of calls more; some lose a worker before.
    """
    chance, toll, db = random.Random(11), Toll(), Path(arguments[-1])
    for number in range(times):
        before = done(db)
        pid = run.start(arguments)
        if number % 3 == 0:
            time.sleep(chance.random() * start_up)
        else:
            _wait_for(db, len(before) + chance.randrange(8), pid)
            if chance.random() < 0.3:
                toll.kills["a worker"] += _kill_a_worker(pid)
            time.sleep(chance.random() / 50)
        whole = chance.random() < 0.5
        (os.killpg if whole else os.kill)(pid, signal.SIGKILL)
        if run.wait() != -signal.SIGKILL:
            raise AssertionError(f"the batch was over before kill {number}: give it more calls")
        toll.kills["the whole group" if whole else "the batch alone"] += 1
        toll.lost += len(before - done(db))
        toll.wrong += wrong(db)
        _await_silence(pid)
    return toll


def _wait_for(db: Path, count: int, pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while _calls(db) < count and time.monotonic() < deadline and psutil.Process(pid).status() != "zombie":
        time.sleep(0.005)


def _kill_a_worker(pid: int) -> int:
    for child in _workers(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
            return 1
    return 0


def _workers(pid: int) -> Iterator[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        yield from (one for one in psutil.Process(pid).children() if "spawn_main" in " ".join(one.cmdline()))


def _await_silence(group: int) -> None:
    """Workers whose batch is gone end by themselves."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.005)
    raise AssertionError(f"processes of {group} go on without their batch")
