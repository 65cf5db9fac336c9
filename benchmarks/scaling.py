"""What spreading costs: the same recordings by processes, by threads and by Ray nodes of this machine.

    python -m benchmarks.scaling              one round, 10 calls each way (2 and 8): about 4 minutes on two free cores
    python -m benchmarks.scaling --rounds 4 --calls 24      for a closer look

Two cores of work each way: a worker process a core; one process with two threads; Ray with two nodes of one core each.
The ways take turns, each with a few calls and with all: the difference is what calls cost, the rest is the start. Told
are processor seconds of all processes together (driver, workers, Ray), from start to end of the command (Ray's nodes
are up before), as a ratio to the first way, and whether all stores are equal. Clock seconds stand beside, for machines
that do nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle, islice, product
from pathlib import Path

import psutil

from tests.disturbed import facts

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("callaudit")
SAMPLES = sorted((ROOT / "samples").glob("*.wav"))
GOAL = 1.15
FEW = 2
Spent = dict[tuple[int, float], float]
Took = tuple[float, float]
"""Processor seconds, clock seconds."""


def main() -> None:
    """Make the calls, take turns, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--calls", type=int, default=8)
    given = parser.parse_args()
    sizes = (FEW, given.calls)
    with tempfile.TemporaryDirectory() as folder, nodes() as (address, cluster):
        place = Path(folder)
        for size in sizes:
            _make_calls(place / f"calls{size}", size)
        ways = {
            "2 processes": ["--workers", "2"],
            "1 process, 2 threads": ["--workers", "1"],
            "2 Ray nodes": ["--on", address],
        }
        took: dict[tuple[str, int], list[Took]] = defaultdict(list)
        for number, (name, options), size in product(range(given.rounds), ways.items(), sizes):
            db = place / f"{name}-{size}-{number}.db"
            one = _measure([f"calls{size}", *options, "--db", str(db)], place, cluster)
            took[name, size].append(one)
            _note(f"round {number + 1}: {name}, {size} calls: {one[0]:.1f} processor s, {one[1]:.1f} s")
        stores = [facts(place / f"{name}-{given.calls}-{n}.db") for name in ways for n in range(given.rounds)]
        print("stores equal:", all(store == stores[0] for store in stores))
    _tell(took, list(ways), given.calls)


def _tell(took: Mapping[tuple[str, int], Sequence[Took]], ways: Sequence[str], calls: int) -> None:
    """A line for each way; the start is what no calls would take."""
    whole = {name: [statistics.median(column) for column in zip(*took[name, calls], strict=True)] for name in ways}
    few = {name: [statistics.median(column) for column in zip(*took[name, FEW], strict=True)] for name in ways}
    each = {n: [(w - f) / (calls - FEW) for w, f in zip(whole[n], few[n], strict=True)] for n in ways}
    first = ways[0]
    for name in ways:
        start = few[name][0] - FEW * each[name][0]
        print(f"{name:22} {whole[name][0]:7.1f} processor s, x {whole[name][0] / whole[first][0]:.2f};"
              f" start {start:.1f}, a call {each[name][0]:.2f}, x {each[name][0] / each[first][0]:.2f};"
              f" clock x {whole[name][1] / whole[first][1]:.2f},"
              f" a call x {each[name][1] / each[first][1]:.2f}")  # fmt: skip
    print(f"goal for Ray: at most x {GOAL} a call, equal stores")


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def nodes() -> Iterator[tuple[str, psutil.Process]]:
    """Address of two nodes of one processor each, and the process that keeps them."""
    script = ROOT / "tests/audit/nodes.py"
    process = subprocess.Popen(
        [sys.executable, "-P", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip(), psutil.Process(process.pid)
    finally:
        process.stdin.close()
        process.wait()


def _make_calls(folder: Path, count: int) -> None:
    """Samples over and over; bytes behind the sound make each another recording."""
    folder.mkdir()
    for number, sample in enumerate(islice(cycle(SAMPLES), count)):
        (folder / f"c{number:03d}.wav").write_bytes(sample.read_bytes() + number.to_bytes(4, "big"))


def _measure(options: Sequence[str], place: Path, cluster: psutil.Process) -> Took:
    """Processor and clock seconds of one run, with what the cluster did meanwhile."""
    before: Spent = {}
    _look(cluster, before)
    spent, begun = dict(before), time.monotonic()
    command = [str(COMMAND), "audit", *options]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as batch:
        while batch.poll() is None:
            _look(psutil.Process(batch.pid), spent)
            _look(cluster, spent)
            time.sleep(0.5)
        if batch.returncode:
            raise SystemExit(batch.stderr.read() if batch.stderr else "")
    return sum(spent.values()) - sum(before.values()), time.monotonic() - begun


def _look(root: psutil.Process, spent: Spent) -> None:
    """Note how much each process of the tree has taken by now; those that are gone keep what was last seen."""
    try:
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for one in tree:
        try:
            times = one.cpu_times()
            spent[one.pid, one.create_time()] = times.user + times.system
        except psutil.NoSuchProcess:
            continue


if __name__ == "__main__":
    main()
