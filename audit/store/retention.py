"""Calls whose time is over, what keeps them all the same, and their removal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.store import conduct, tallies
from audit.store.calls import Store
from audit.store.connection import now

# What is about a debtor; lists that name no debtor name the case.
_ABOUT = (
    "({row}debtor_id = {id} or {row}debtor_id is null"
    " and {row}case_id in (select case_id from cases where debtor_id = {id}))"
)
_OF_DEBTOR = _ABOUT.format(row="", id="?1")
_HELD = (
    "exists (select 1 from holds h where h.released_at is null and ((h.kind = 'call' and h.value = d.call_id)"
    " or (h.kind = 'case' and h.value = d.case_id)"
    f" or (h.kind = 'debtor' and {_ABOUT.format(row='d.', id='h.value')})))"
)
# What must wait: a hold, a complaint that is not closed, an appeal that is not decided.
_KEPT = (
    f"{_HELD} or exists (select 1 from complaint_calls k join complaints c on c.id = k.complaint"
    " where k.call_id = d.call_id and c.status <> 'closed')"
    " or exists (select 1 from appeals a where a.call_id = d.call_id and a.decision is null)"
)
_DATED = (
    "select call_id, case_id, debtor_id, coalesce(product, '') as product, calls.path, recording,"
    " substr(coalesce(started_at, added_at), 1, 10) as day from calls join recordings on recordings.id = recording"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """A call whose time is over: `product` may be empty, `day` is ISO."""

    call_id: str
    product: str
    day: str
    path: Path
    recording: str
    held: bool


# What outlives calls. A case is needed while it is open, or a call or an open complaint is about it; a complaint
# while it is open, or one of its calls is held. What has no day stays.
_OUTLIVES = {
    "attempts": "select call_id as id, call_id, case_id, debtor_id, coalesce(product, '') as product,"
    " substr(started_at, 1, 10) as day, 0 as needed from attempts",
    "complaints": "select cast(id as text) as id, null as call_id, case_id, debtor_id,"
    " coalesce(product, '') as product, case status when 'closed' then closed_on end as day,"
    " exists (select 1 from complaint_calls k join holds o"
    " on o.kind = 'call' and o.value = k.call_id and o.released_at is null where k.complaint = complaints.id) as needed"
    " from complaints",
    "cases": "select case_id as id, null as call_id, case_id, debtor_id, coalesce(product, '') as product,"
    " closed_on as day, (case_id in (select case_id from calls where case_id is not null) or case_id in"
    " (select case_id from complaints where case_id is not null and status <> 'closed')) as needed from cases",
}
_ROWS = {
    "attempts": (("attempts", "call_id"),),
    "cases": (("payments", "case_id"), ("cases", "case_id")),
    "complaints": (("complaint_changes", "complaint"), ("complaint_calls", "complaint"), ("complaints", "id")),
}
OUTLIVES = tuple(_OUTLIVES)
"""Kinds of what is kept beside calls and judged by a day of its own: attempts by theirs, the others by closing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlived:
    """Something of a kind in `OUTLIVES` whose time is over; `day` is ISO, `product` may be empty."""

    kind: str
    id: str
    product: str
    day: str
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That something must not be deleted: `kind` call, case or debtor, `value` its id."""

    id: int
    kind: str
    value: str
    reason: str
    by: str
    at: str


def expired(store: Store, *, before: Mapping[str, str], otherwise: str | None) -> list[Expired]:
    """Judged calls older than the day for their product in `before`, or than `otherwise`; None keeps for ever."""
    limit, values = _limit(before, otherwise)
    return _calls(store, f"day < {limit}", values)


def of_debtor(store: Store, debtor_id: str) -> list[Expired]:
    """Judged calls about a debtor, whatever their age."""
    return _calls(store, _OF_DEBTOR, [debtor_id])


def _calls(store: Store, which: str, values: Sequence[str | None]) -> list[Expired]:
    rows = store.all(
        f"select d.*, ({_KEPT}) as held from ({_DATED}) d where {which} order by day, call_id", values
    )
    return [
        Expired(
            call_id=row["call_id"],
            product=row["product"],
            day=row["day"],
            path=Path(row["path"]),
            recording=row["recording"],
            held=bool(row["held"]),
        )
        for row in rows
    ]


def _limit(before: Mapping[str, str], otherwise: str | None) -> tuple[str, list[str | None]]:
    """The first day that is kept, as an expression over `product` and its values."""
    cases = " ".join("when ? then ?" for _ in before)
    limit = f"case product {cases} else ? end" if before else "?"
    return limit, [*(part for pair in before.items() for part in pair), otherwise]


def outlived(store: Store, kind: str, *, before: Mapping[str, str], otherwise: str | None) -> list[Outlived]:
    """What of a kind is older than the day for its product; None keeps for ever."""
    limit, values = _limit(before, otherwise)
    rows = store.all(
        f"select id, product, day, (needed or {_HELD}) as held from ({_OUTLIVES[kind]}) d where day < {limit}"
        " order by day, id",
        values,
    )
    return [Outlived(kind=kind, **{**row, "held": bool(row["held"])}) for row in rows]


def outlived_of_debtor(store: Store, kind: str, debtor_id: str) -> list[Outlived]:
    """What of a kind is about a debtor; open cases and complaints are held, whatever else they are."""
    open_ = "false" if kind == "attempts" else "day is null"
    rows = store.all(
        f"select id, product, coalesce(day, '') as day, (needed or {open_} or {_HELD}) as held"
        f" from ({_OUTLIVES[kind]}) d where {_OF_DEBTOR} order by 3, id",
        [debtor_id],
    )
    return [Outlived(kind=kind, **{**row, "held": bool(row["held"])}) for row in rows]


def erase_outlived(store: Store, kind: str, ids: Sequence[str]) -> None:
    """Remove attempts, cases with their payments, or complaints with their history."""
    store.sql.execute("pragma secure_delete = on")
    with store.writing():
        for one in ids:
            for table, column in _ROWS[kind]:
                store.sql.execute(f"delete from {table} where {column} = ?", [one])
        if kind == "attempts":
            conduct.forget(store, ids)


def erase(store: Store, calls: Sequence[Expired]) -> list[str]:
    """Remove calls with every word of theirs; returns recordings that no call has any more.

    Verdicts stay as entries without words, so that the ledger's entries still have their counterpart.
    """
    ids = [call.call_id for call in calls]
    store.sql.execute("pragma secure_delete = on")
    with store.writing(), tallies.kept(store, *ids):
        for call_id in ids:
            store.sql.execute("update verdicts set finding = null, comment = null where call_id = ?", [call_id])
            store.sql.execute("update appeals set text = '', answer = '' where call_id = ?", [call_id])
            for table in ("comments", "clips", "corrections", "items"):
                store.sql.execute(f"delete from {table} where call_id = ?", [call_id])
            store.remove(call_id)
        conduct.forget(store, ids)
        return _orphans(store, {call.recording for call in calls})


def _orphans(store: Store, recordings: Iterable[str]) -> list[str]:
    gone = [
        recording
        for recording in sorted(recordings)
        if store.one("select 1 from calls where recording = ?", [recording]) is None
    ]
    for recording in gone:
        for table, column in (("items", "recording"), ("transcripts", "recording"), ("recordings", "id")):
            store.sql.execute(f"delete from {table} where {column} = ?", [recording])
    return gone


def settle_file(store: Store) -> bool:
    """Carry what was deleted out of the write-ahead log, where its bytes would otherwise stay a while; False where
    somebody who reads the store is in the way.
    """
    done = store.one("pragma wal_checkpoint(truncate)")
    return done is not None and not done["busy"]


def bearing(store: Store, kind: str, value: str) -> dict[str, int]:
    """How many rows of each table bear an id of a call, case or debtor."""
    which = _OF_DEBTOR if kind == "debtor" else f"{kind}_id = ?1"
    tables = ("calls", "attempts") if kind == "call" else ("calls", *OUTLIVES)
    rows = {table: store.one(f"select count(*) as n from {table} where {which}", [value]) for table in tables}
    return {table: row["n"] for table, row in rows.items() if row is not None}


def add_hold(store: Store, *, kind: str, value: str, reason: str, by: str) -> int:
    """Note a hold; returns its number."""
    row = {"kind": kind, "value": value, "reason": reason, "by": by, "at": now()}
    with store.writing():
        return int(store.insert("holds", row).lastrowid or 0)


def release_hold(store: Store, number: int, *, by: str) -> bool:
    """End a hold; False where there is none that stands."""
    with store.writing():
        done = store.sql.execute(
            "update holds set released_at = ?, released_by = ? where id = ? and released_at is null",
            [now(), by, number],
        )
        return done.rowcount == 1


def holds(store: Store) -> list[Hold]:
    """Holds that stand, by number."""
    rows = store.all("select id, kind, value, reason, by, at from holds where released_at is null order by id")
    return [Hold(**row) for row in rows]
