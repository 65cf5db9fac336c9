"""What spreading costs: the same recordings by processes, by threads and by Ray nodes of this machine.

    python -m benchmarks.scaling              four rounds of 12 calls, about 10 minutes on two free cores
    python -m benchmarks.scaling --rounds 1 --calls 24      in 5

Two cores of work each way: a worker process a core; one process with two threads; Ray with two nodes of one core each.
The ways take turns; told are processor seconds of all processes together (driver, workers, Ray), from start to end of
the command (Ray's nodes are up before), as a ratio to the first way, and whether all stores are equal. Clock seconds
stand beside, for machines that do nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import psutil

from tests.disturbed import facts

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("callaudit")
SAMPLES = sorted((ROOT / "samples").glob("*.wav"))
GOAL = 1.15
Spent = dict[tuple[int, float], float]


def main() -> None:
    """Make the calls, take turns, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--calls", type=int, default=12)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, nodes() as (address, cluster):
        place = Path(folder)
        _make_calls(place / "calls", given.calls)
        ways = {
            "2 processes": ["--workers", "2"],
            "1 process, 2 threads": ["--workers", "1"],
            "2 Ray nodes": ["--on", address],
        }
        cpu, wall = defaultdict(list), defaultdict(list)
        for number in range(given.rounds):
            for name, options in ways.items():
                db = place / f"{name}-{number}.db"
                seconds, clock = _measure([*map(str, options), "--db", str(db)], place, cluster)
                cpu[name].append(seconds)
                wall[name].append(clock)
                _note(f"round {number + 1}: {name}: {seconds:.1f} processor s, {clock:.1f} s")
        stores = [facts(place / f"{name}-{n}.db") for name in ways for n in range(given.rounds)]
        print("stores equal:", all(store == stores[0] for store in stores))
    first = next(iter(ways))
    for name in ways:
        ratios = [ours / theirs for ours, theirs in zip(cpu[name], cpu[first], strict=True)]
        clocks = [ours / theirs for ours, theirs in zip(wall[name], wall[first], strict=True)]
        print(f"{name:22} {statistics.median(cpu[name]):7.1f} processor s, x {statistics.median(ratios):.2f};"
              f" clock x {statistics.median(clocks):.2f}")  # fmt: skip
    print(f"goal for Ray: at most x {GOAL}, equal stores")


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


def _measure(options: Sequence[str], place: Path, cluster: psutil.Process) -> tuple[float, float]:
    """Processor and clock seconds of one run, with what the cluster did meanwhile."""
    before: Spent = {}
    _look(cluster, before)
    spent, begun = dict(before), time.monotonic()
    command = [str(COMMAND), "audit", "calls", *options]
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
