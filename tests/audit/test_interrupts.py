"""Killed, interrupted, run over: what is done stays done, and the same command ends where an undisturbed one does."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from audit.batch import Interrupts
from audit.store import Store, tallies
from tests.conftest import write_calls
from tests.forked import Forked

Run = Callable[..., CompletedProcess[str]]
Start = Callable[..., Forked]
COUNT = 160
# Everything that must not depend on how often a batch was disturbed; not run numbers, clocks, row ids.
FACTS = (
    "select call_id, recording, path from calls order by 1",
    "select id, duration_ms, bytes from recordings order by 1",
    "select recording, settings, turns, words from transcripts order by 1",
    "select call_id, settings, score, card, promise from scorecards order by 1",
    "select call_id, key, rule_id, result, quote, because from findings order by 1, 2",
    "select call_id, rule_id, result from outcomes order by 1, 2",
    "select path, reason from failures order by 1",
)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "callaudit.toml").write_text("second_opinion = false\n")  # a worker starts in less time without
    folder = write_calls(tmp_path / "calls", COUNT)
    (folder / "c0007.json").write_text("{", "utf-8")
    return folder


@pytest.fixture
def arguments(pack: Path) -> list[str]:
    return ["audit", "calls", "--engine", "transcript", "--rules", str(pack), "--workers", "2"]


def facts(db: Path) -> list[list[tuple[object, ...]]]:
    connection = sqlite3.connect(db)
    try:
        return [connection.execute(sql).fetchall() for sql in FACTS]
    finally:
        connection.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a batch as from a terminal: a process group of its own, to which a ctrl-C goes."""
    started: list[Forked] = []

    def run(*arguments: str) -> Forked:
        started.append(Forked(*arguments, folder=tmp_path, spawn=True))
        return started[-1]

    yield run
    for process in started:
        process.close()


def done(db: Path) -> int:
    if not db.exists():
        return 0
    connection = sqlite3.connect(db)
    try:
        return int(connection.execute("select count(*) from scorecards").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # not made yet
    finally:
        connection.close()


def wait_for(db: Path, count: int, process: Forked) -> None:
    deadline = time.monotonic() + 120
    while done(db) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()


def workers_of(pid: int) -> Iterator[int]:
    """Worker processes of a batch, by what they were started as."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        try:
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                yield int(child)
        except OSError:
            continue


def test_a_batch_that_is_killed_again_and_again_ends_like_an_undisturbed_one(
    tmp_path: Path, calls: Path, arguments: list[str], start: Start, callaudit: Run
) -> None:
    assert callaudit(*arguments, "--db", "calm.db").returncode == 3
    chance = random.Random(7)
    disturbed = tmp_path / "disturbed.db"
    for _ in range(4):
        before = done(disturbed)
        process = start(*arguments, "--db", "disturbed.db")
        wait_for(disturbed, before + chance.randrange(1, 40), process)
        time.sleep(chance.random() / 20)
        process.kill()
        process.communicate()
        with Store.open(disturbed) as store:
            assert store.integrity() == "ok"
            assert len(store.done()) >= before
    assert callaudit(*arguments, "--db", "disturbed.db").returncode == 3
    assert facts(disturbed) == facts(tmp_path / "calm.db")


def test_the_first_ctrl_c_is_told_at_once_and_once() -> None:
    told: list[str] = []
    with Interrupts(lambda: told.append("finishing")) as interrupts:
        for count in (1, 2):
            os.kill(os.getpid(), signal.SIGINT)
            assert (interrupts.count, told) == (count, ["finishing"])


def test_one_ctrl_c_finishes_what_is_in_flight_and_says_how_to_go_on(
    tmp_path: Path, calls: Path, arguments: list[str], start: Start, callaudit: Run
) -> None:
    process = start(*arguments)
    wait_for(tmp_path / "callaudit.db", 10, process)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "再按一次 Ctrl-C 立即停止" in told
    assert "再运行同一命令即从这里继续" in told
    assert "Traceback" not in told
    with Store.read(tmp_path / "callaudit.db") as store:
        run = store.last_run()
        assert run is not None
        assert run.status == "interrupted"
        assert run.calls_done == len(store.done()) < COUNT
    assert callaudit(*arguments).returncode == 3
    with Store.read(tmp_path / "callaudit.db") as store:
        assert len(store.done()) == COUNT - 1


def test_two_ctrl_c_stop_at_once_and_the_store_opens(
    tmp_path: Path, calls: Path, arguments: list[str], start: Start
) -> None:
    process = start(*arguments)
    wait_for(tmp_path / "callaudit.db", 10, process)
    os.kill(next(workers_of(process.pid)), signal.SIGSTOP)
    time.sleep(0.5)  # by now it has been handed a call, and that call will never end
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in told
    with Store.open(tmp_path / "callaudit.db") as store:
        assert store.integrity() == "ok"
        assert len(store.done()) >= 10


def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path, calls: Path, arguments: list[str], start: Start) -> None:
    process = start(*arguments)
    for count in (5, 60):
        wait_for(tmp_path / "callaudit.db", count, process)
        os.kill(next(workers_of(process.pid)), signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == 3
    with Store.read(tmp_path / "callaudit.db") as store:
        assert len(store.done()) == COUNT - 1
        assert [failure.path.name for failure in store.failures()] == ["c0007.json"]


def test_a_call_that_kills_its_worker_twice_is_a_failure(tmp_path: Path, arguments: list[str], start: Start) -> None:
    write_calls(tmp_path / "calls", 2)
    process = start(*arguments)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        for worker in list(workers_of(process.pid)):
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)
    process.communicate(timeout=30)
    assert process.returncode == 3
    with Store.read(tmp_path / "callaudit.db") as store:
        assert [failure.call_id for failure in store.failures()] == ["c0000", "c0001"]
        assert all("两次意外退出" in failure.reason for failure in store.failures())


def test_two_batches_at_once_on_one_store_end_like_one(
    tmp_path: Path, calls: Path, arguments: list[str], start: Start, callaudit: Run
) -> None:
    assert callaudit(*arguments, "--db", "calm.db").returncode == 3
    both = [start(*arguments, "--db", "shared.db") for _ in range(2)]
    told = [process.communicate(timeout=240)[1] for process in both]
    assert [process.returncode for process in both] == [3, 3], told
    assert not any("Traceback" in words for words in told)
    assert facts(tmp_path / "shared.db") == facts(tmp_path / "calm.db")
    with Store.open(tmp_path / "shared.db") as store:
        assert tallies.differences(store) == []
