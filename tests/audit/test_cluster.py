"""A batch on a Ray cluster ends like one on this machine, also when a node dies in the middle."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from audit.config import read_on
from audit.errors import Exit
from audit.store import Store, tallies
from tests.audit.sharing import shared
from tests.conftest import COMMAND, write_calls
from tests.disturbed import done, facts, write_work

Run = Callable[..., CompletedProcess[str]]
CALLS = 110
PATIENCE = 300


class Nodes:
    """Talks to tests/audit/nodes.py."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("nodes.py")
        self._process = subprocess.Popen(
            [sys.executable, "-P", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.address = self._line()

    def ask(self, command: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._line()

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    cluster = Nodes()
    yield cluster
    cluster.close()


def wait_for(db: Path, count: int, batch: subprocess.Popen[str]) -> int:
    until = time.monotonic() + PATIENCE
    while not db.exists() or (now := len(done(db))) < count:
        assert batch.poll() is None, batch.communicate()
        assert time.monotonic() < until, "the batch does not get on"
        time.sleep(0.01)
    return now


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    with shared(tmp_path) as served:
        yield served


def test_a_node_that_dies_in_the_middle_costs_nothing(
    tmp_path: Path, pack: Path, callaudit: Run, nodes: Nodes, web: tuple[str, list[str]]
) -> None:
    at, asked = web
    write_work(tmp_path / "calls", CALLS)
    arguments = ["audit", f"{at}/calls", "--engine", "transcript", "--rules", str(pack)]
    calm = callaudit(*arguments, "--db", "calm.db", "--workers", "1")
    assert calm.returncode == Exit.SOME_FAILED
    asked.clear()
    db = tmp_path / "spread.db"
    with subprocess.Popen(
        [COMMAND, *arguments, "--db", db, "--on", nodes.address], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as batch:  # fmt: skip
        try:
            wait_for(db, 10, batch)
            assert nodes.ask("freeze") == "1"
            # The other node gets on; the frozen one has been handed a call that it will never finish.
            wait_for(db, len(done(db)) + 10, batch)
            assert nodes.ask("kill") == "killed"
            told = batch.communicate(timeout=PATIENCE)
        finally:
            batch.kill()
    assert batch.returncode == Exit.SOME_FAILED, told
    assert told[0] == calm.stdout
    assert "Traceback" not in told[1]
    assert facts(db) == facts(tmp_path / "calm.db")
    fetched = Counter(line for line in asked if line.startswith("GET") and ".json" in line)
    assert set(fetched.values()) == {1}  # by this machine; nodes are handed what it has
    with Store.open(db) as store:
        assert tallies.differences(store) == []


def test_without_ray_one_sentence_says_what_to_install(tmp_path: Path, pack: Path, installed: Run) -> None:
    write_calls(tmp_path / "calls", 1)
    (tmp_path / "without/ray").mkdir(parents=True)
    (tmp_path / "without/ray/__init__.py").write_text("raise ImportError")
    given = ("audit", "calls", "--engine", "transcript", "--rules", pack, "--on", "ray")
    refused = installed(*given, env={"PYTHONPATH": str(tmp_path / "without"), "PATH": "/usr/bin:/bin"})
    assert refused.returncode == Exit.COULD_NOT_RUN
    assert "pip install 'callaudit[cluster]'" in refused.stderr
    assert len(refused.stderr.splitlines()) == 2  # and the reminder of the missing list


@pytest.mark.parametrize("place", ["cluster", "ray://", "ray://host", "ray:10001", "http://host:1"])
def test_a_place_that_is_none_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="ray://"):
        read_on(place)


@pytest.mark.parametrize("place", ["local", "ray", "ray://10.0.0.1:10001", "ray://[::1]:10001", "ray://head-1.lan:10001"])
def test_a_place_that_is_one_is_taken(place: str) -> None:
    assert read_on(place) == place
