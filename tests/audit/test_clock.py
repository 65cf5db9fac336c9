"""A clock that is set back: order comes from numbers, so nothing is lost and nothing is done twice."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

import pytest

from audit import ledger
from audit.access import LOCAL
from audit.store import Store, tallies
from tests.audit.conftest import SETTINGS


class Past(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Past:
        return cls(2001, 1, 1, tzinfo=tz)


def test_a_clock_set_back_breaks_neither_ledger_nor_runs(batch: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    done, calls = batch.done(), tallies.totals(batch).calls
    with batch.writing():
        ledger.record(batch, actor=LOCAL, kind=ledger.Kind.EXPORT, subject="before", data={})
    monkeypatch.setattr("audit.ledger.datetime", Past)
    monkeypatch.setattr("audit.store.calls.now", lambda: Past.now(UTC).isoformat())
    with batch.writing():
        ledger.record(batch, actor=LOCAL, kind=ledger.Kind.EXPORT, subject="after", data={})
    run = batch.start_run("audit", SETTINGS)
    batch.finish_run(run, status="finished", done=0, failed=0)
    newest = batch.last_run()
    assert newest is not None
    assert (newest.id, newest.started_at.year) == (run, 2001)
    assert ledger.verify(batch) is None
    assert next(e for e in ledger.recent(batch) if e.subject == "after").at.startswith("2001")
    assert batch.done() == done
    assert tallies.totals(batch).calls == calls
