"""Nothing lost, nothing twice: killed at any moment, two at once, disk full, the store ends as if nothing had been."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit.calls import CallRecord
from audit.errors import Exit, StoreFull
from audit.store import Store
from tests.audit.conftest import AGENT, FAIL, SETTINGS, Said, audited, tone
from tests.disturbed import Forks, done, facts, kill_often, write_work, wrong

KILLS = 12  # benchmarks/kills.py does it fifty times
COUNT = 100
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Callable[[], Forks]]:
    running: list[Forks] = []

    def start() -> Forks:
        running.append(Forks(tmp_path))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def audit(tmp_path: Path, pack: Path) -> Callable[[str], list[str]]:
    """Arguments of a batch over the folder `work` into a store of that name."""
    (tmp_path / "callaudit.toml").write_text("second_opinion = false\n")  # a worker starts in less time without

    def arguments(db: str) -> list[str]:
        how = ["--engine", "transcript", "--rules", str(pack), "--workers", "1"]
        return ["audit", "work", *how, "--db", str(tmp_path / db)]

    return arguments


Audit = Callable[[str], list[str]]


def test_kills_at_any_moment_lose_nothing_and_double_nothing(tmp_path: Path, audit: Audit, forks: Callable[[], Forks]) -> None:
    write_work(tmp_path / "work", COUNT)
    run = forks()
    toll = kill_often(run, audit("killed.db"), times=KILLS, start_up=0.6)
    assert (toll.batches, toll.lost, toll.wrong) == (KILLS, 0, [])
    for db in ("killed.db", "calm.db"):
        run.start(audit(db))
        assert run.wait() == Exit.SOME_FAILED
    assert facts(tmp_path / "killed.db") == facts(tmp_path / "calm.db")
    assert wrong(tmp_path / "killed.db") == []


def test_two_batches_at_once_end_like_one(tmp_path: Path, audit: Audit, forks: Callable[[], Forks]) -> None:
    write_work(tmp_path / "work", 60)
    one, two = forks(), forks()
    one.start(audit("both.db"))
    two.start(audit("both.db"))
    assert (one.wait(), two.wait()) == (Exit.SOME_FAILED, Exit.SOME_FAILED)
    one.start(audit("calm.db"))
    assert one.wait() == Exit.SOME_FAILED
    assert len(facts(tmp_path / "calm.db")["failures"]) == 3
    assert facts(tmp_path / "both.db") == facts(tmp_path / "calm.db")
    assert wrong(tmp_path / "both.db") == []


def call(number: int) -> Said:
    return Said(
        call_id=f"c{number}",
        turns=[(AGENT, "你个老赖，我找你家人")],
        found=[("insult", 0, "老赖", FAIL), ("menace-family", 0, "找你家人", FAIL)],
    )


def save(db: Path, folder: Path, numbers: range, at_statement: int = -1) -> None:
    """Save calls; die of SIGKILL right before a statement, also one that begins or commits a transaction."""
    with Store.open(db) as store:
        left = at_statement

        def count(_: str) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                os.kill(os.getpid(), signal.SIGKILL)

        if at_statement >= 0:
            store.sql.set_trace_callback(count)
        run = store.start_run("audit", SETTINGS)
        store.add_records([CallRecord(call_id=f"c{n}", path=folder / f"{n}.wav", team="旧组") for n in numbers])
        for number in numbers:
            store.save(audited(call(number), folder / f"{number}.wav", number), run=run)
        store.finish_run(run, status="finished", done=len(numbers), failed=0)


def test_a_kill_before_any_statement_leaves_whole_calls(tmp_path: Path) -> None:
    for number in range(3):
        tone(tmp_path / f"{number}.wav", hertz=300 + number, seconds=0.05)
    calm, started = tmp_path / "calm.db", tmp_path / "started.db"
    save(started, tmp_path, range(1))
    shutil.copy(started, calm)
    save(calm, tmp_path, range(1, 3))
    statement, exitcode, seen = 0, -signal.SIGKILL, set()
    while exitcode == -signal.SIGKILL:
        db = tmp_path / f"killed{statement}.db"
        shutil.copy(started, db)
        process = FORK.Process(target=save, args=(db, tmp_path, range(1, 3), statement))
        process.start()
        process.join()
        exitcode = process.exitcode
        assert wrong(db) == []
        seen.add(len(done(db)))
        save(db, tmp_path, range(1, 3))
        assert facts(db) == facts(calm)
        statement += 1
    assert exitcode == 0
    assert statement > 50
    assert seen == {1, 2, 3}


def opened(db: Path) -> None:
    Store.open(db).close()


def test_a_kill_while_the_store_is_made_leaves_one_that_can_be_made(tmp_path: Path) -> None:
    opened(tmp_path / "calm.db")
    schema = _schema(tmp_path / "calm.db")
    half_made = 0
    for number in range(30):
        db = tmp_path / f"{number}.db"
        process = FORK.Process(target=opened, args=(db,))
        process.start()
        process.join(0.004 * (number + 1))
        process.kill()
        process.join()
        assert wrong(db) == []
        half_made += process.exitcode != 0
        opened(db)
        assert _schema(db) == schema
    assert half_made


def test_a_full_disk_at_any_size_keeps_the_tallies_right(tmp_path: Path) -> None:
    for number in range(8):
        tone(tmp_path / f"{number}.wav", hertz=300 + number, seconds=0.05)
    save(tmp_path / "calm.db", tmp_path, range(8))
    opened(tmp_path / "empty.db")
    size = (tmp_path / "empty.db").stat().st_size
    stopped = set()
    for extra in range(0, 400_000, 20_000):
        db = tmp_path / f"full{extra}.db"
        shutil.copy(tmp_path / "empty.db", db)
        process = FORK.Process(target=_save_on_a_small_disk, args=(db, tmp_path, size // 4 + extra))
        process.start()
        process.join()
        assert process.exitcode in {0, Exit.COULD_NOT_RUN}
        assert wrong(db) == []
        if process.exitcode:
            stopped.add(len(done(db)))
        save(db, tmp_path, range(8))
        assert facts(db) == facts(tmp_path / "calm.db")
    assert len(stopped) > 2, "the limits were never met between two calls"


def _save_on_a_small_disk(db: Path, folder: Path, most: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        save(db, folder, range(8))
    except StoreFull:
        os._exit(Exit.COULD_NOT_RUN)


def _schema(db: Path) -> list[tuple[str, str]]:
    with Store.read(db) as store:
        rows = store.all("select name, sql from sqlite_master where sql is not null order by name")
        return [(row["name"], row["sql"]) for row in rows]
