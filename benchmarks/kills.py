"""The whole command started and killed many times on one store: what was lost, what was doubled, what was damaged.

    python -m benchmarks.kills [times]

Prints a table. Doubled and differing rows are counted against a store that one undisturbed batch made.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.conftest import PACK
from tests.disturbed import Commands, facts, kill_often, write_work, wrong

TIMES = 50
CALLS_A_KILL = 7
START_UP = 1.5  # seconds that the command takes to load and to start its worker on a quiet machine


def main(times: int) -> None:
    """Disturb, finish, compare, print."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "tiny.yaml").write_text(PACK, "utf-8")
        (folder / "work").mkdir()
        write_work(folder / "work", 60 + CALLS_A_KILL * times)
        disturbed, calm = folder / "disturbed.db", folder / "calm.db"
        run, began = Commands(folder), time.monotonic()
        toll = kill_often(run, _audit(disturbed), times=times, start_up=START_UP)
        took = time.monotonic() - began
        for db in (disturbed, calm):
            run.start(_audit(db))
            run.wait()
        found, expected = facts(disturbed), facts(calm)
        missing = sum((Counter(expected[table]) - Counter(found[table])).total() for table in expected)
        beyond = sum((Counter(found[table]) - Counter(expected[table])).total() for table in expected)
        rows = sum(map(len, expected.values()))
        _print_table([
            *((f"kills: {what}", count) for what, count in sorted(toll.kills.items())),
            ("calls lost at a kill", toll.lost),
            ("integrity, keys or counts wrong after a kill", len(toll.wrong)),
            ("rows of the undisturbed store", rows),
            ("rows lost in the end", missing),
            ("rows double or other in the end", beyond),
            ("wrong in the end", len(wrong(disturbed))),
            ("seconds", round(took)),
        ])  # fmt: skip


def _audit(db: Path) -> list[str]:
    how = ["--engine", "transcript", "--rules", "tiny.yaml", "--workers", "2"]
    return ["audit", "work", *how, "--db", str(db)]


def _print_table(rows: list[tuple[str, int]]) -> None:
    for name, number in rows:
        print(f"{name:<48}{number:>8}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TIMES)
