"""How many calls a second one writer keeps, and how many bytes each takes: where a single SQLite file ends.

    python -m benchmarks.million small.db 3000
    python -m benchmarks.writer small.db [calls]

Judged calls of that store are saved again under other ids, as a batch saves them (a transaction each), into an empty
store and behind those of the given one. Processor and clock milliseconds a call, and what a day of it would hold.
"""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from audit.store import AuditedCall, Settings, Store
from audit.store.judged import judged_calls

KEPT = 200
"""Calls that are saved over and over."""
_SETTINGS = Settings(
    tool_version="0", ruleset="benchmark", ruleset_version="0", ruleset_digest="0", engine="transcript", model=None,
    options={},
)  # fmt: skip


def main() -> None:
    """Save into both, print a line each."""
    given = Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    with Store.open(given) as store:
        calls = list(_calls(store))
        outcomes = sum(len(call.judgement.outcomes) for call in calls) / len(calls)
        findings = sum(len(call.judgement.findings) for call in calls) / len(calls)
    print(f"{findings:.1f} findings and {outcomes:.0f} outcomes a call")
    with tempfile.TemporaryDirectory(dir=given.parent) as folder:
        _measure("an empty store", Path(folder, "empty.db"), calls, count)
        shutil.copy(given, Path(folder, "full.db"))
        _measure(f"behind {given.stat().st_size / 1e9:.2f} GB", Path(folder, "full.db"), calls, count)


def _calls(store: Store) -> Iterator[AuditedCall]:
    for call_id in judged_calls(store, newest=KEPT * 20):
        old = store.call(call_id)
        found = None if old is None else store.transcript(old.recording)
        if old is not None and found is not None and old.judgement.outcomes:
            yield AuditedCall(
                record=old.record, transcript=found, judgement=old.judgement, card=old.card, promise=old.promise,
                settings="", hearing="", bytes=1_000_000,
            )  # fmt: skip


def _measure(name: str, db: Path, calls: list[AuditedCall], count: int) -> None:
    with Store.open(db) as store:
        run = store.start_run("audit", _SETTINGS)
        size, cpu, wall = db.stat().st_size, time.process_time(), time.monotonic()
        for number, call in enumerate(itertools.islice(itertools.cycle(calls), count)):
            store.save(_another(call, number), run=run)
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        store.sql.execute("pragma wal_checkpoint(truncate)")
    size = (db.stat().st_size - size) / count
    print(f"{name}: {1000 * cpu / count:.2f} processor ms and {1000 * wall / count:.2f} ms a call,"
          f" {count / cpu * 86_400 / 1e6:.1f} million calls a day on one core, {size / 1e3:.1f} kB a call")  # fmt: skip


def _another(call: AuditedCall, number: int) -> AuditedCall:
    name = f"w{number:08d}"
    return replace(
        call,
        record=replace(call.record, call_id=name, path=Path(f"/audio/{name}.wav")),
        transcript=replace(call.transcript, recording=sha256(name.encode()).hexdigest()),
    )


if __name__ == "__main__":
    main()
