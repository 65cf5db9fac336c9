"""Which calls have been judged, for those that go over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.store import queue
from audit.store.connection import Connection, marks
from audit.store.keys import finding_keys
from audit.store.promises import promise_in_step

if TYPE_CHECKING:
    from audit.store.calls import StoredCall
    from rules.model import Result


@dataclass(frozen=True, slots=True)
class Standing:
    """By which run and settings a call's judgement stands, and of which recording it speaks, heard by which settings
    (`hearing`; empty where it was never heard).
    """

    call_id: str
    run: int
    settings: str
    recording: str
    hearing: str


def judged_calls(store: Connection, *, newest: int | None = None) -> list[str]:
    """Ids of judged calls, the newest first; all of them, or so many."""
    rows = store.all(
        "select call_id from calls join scorecards using (call_id) order by started_at desc limit ?",
        [-1 if newest is None else newest],
    )
    return [row["call_id"] for row in rows]


def standings(store: Connection, call_ids: Sequence[str]) -> dict[str, Standing]:
    """How calls stand, by id; those that are not judged are left out."""
    rows = store.all(
        "select call_id, run, scorecards.settings, recording, coalesce(transcripts.settings, '') as hearing"
        " from scorecards join calls using (call_id) left join transcripts using (recording)"
        f" where call_id in ({marks(call_ids)})",
        call_ids,
    )
    return {row["call_id"]: Standing(**row) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A call found as it stands by the settings of that digest; `outcomes` are those that are new or another, None
    where a rule has gone: of rules that find nothing in the call and add nothing to its scorecard.
    """

    call_id: str
    recording: str
    settings: str
    outcomes: Mapping[str, Result | None]


def confirm(store: Connection, calls: Sequence[Confirmed], *, run: int) -> None:
    """A run found these calls as they stand. Within the caller's transaction."""
    store.sql.executemany(
        "update scorecards set run = ?, settings = ? where call_id = ?",
        [(run, call.settings, call.call_id) for call in calls],
    )
    new = [(call.call_id, rule, result) for call in calls for rule, result in call.outcomes.items()]
    store.sql.executemany(
        "insert or replace into outcomes (call_id, rule_id, result) values (?, ?, ?)",
        [(call_id, rule, result.value) for call_id, rule, result in new if result is not None],
    )
    store.sql.executemany(
        "delete from outcomes where call_id = ? and rule_id = ?",
        [(call_id, rule) for call_id, rule, result in new if result is None],
    )
    store.sql.execute(
        "update runs set (engine, engine_version, model, model_sha256, calls_done) = (select engine, engine_version,"
        " model, model_sha256, calls_done + ? from transcripts where recording = ?) where id = ?",
        [len(calls), calls[0].recording, run],
    )


def in_step(store: Connection, call: StoredCall) -> bool:
    """Whether the review queue holds what the machine finds in a call, and no more, and its promise is kept aright."""
    findings = call.judgement.findings
    keys = finding_keys(call.recording, findings)
    wanted = {key for key, f in zip(keys, findings, strict=True) if queue.belongs_here(f.category)}
    rows = list(store.all("select key, call_id, machine from items where recording = ?", [call.recording]))
    present = {row["key"] for row in rows if row["machine"] != queue.Machine.GONE}
    own = (row for row in rows if row["call_id"] == call.record.call_id)
    queued = wanted <= present and {row["key"] for row in own if row["machine"] == queue.Machine.PRESENT} <= wanted
    return queued and promise_in_step(store, call.record, call.promise)


def failed_files(store: Connection) -> int:
    """How many files could not be judged and have not been since."""
    row = store.one("select count(*) as n from failures")
    return 0 if row is None else int(row["n"])
