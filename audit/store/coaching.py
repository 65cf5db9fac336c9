"""Playlists of clips, who is to hear them, and the counts that show whether it helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from audit.store.calls import Store
from audit.store.connection import now
from audit.store.queue import COUNTED, OPEN
from rules.model import CATEGORIES, Group

Row = dict[str, Any]

_COUNTED = ", ".join(f"'{state}'" for state in COUNTED)
_OPEN = ", ".join(f"'{state}'" for state in OPEN)
_SIGNALS = ", ".join(f"'{name}'" for name, (group, _, _) in CATEGORIES.items() if group is Group.SIGNAL)
# A bad clip stands as long as its finding counts; a good one as long as its call is there.
_CLIPS = (
    "select clips.*, calls.path, calls.started_at, calls.agent_name, recordings.duration_ms, items.severity,"
    " items.category, findings.because, findings.quote,"
    f" calls.call_id is not null and (finding is null or coalesce(items.state in ({_COUNTED}), 0)) as stands"
    " from clips left join calls using (call_id) left join recordings on recordings.id = clips.recording"
    " left join items on items.key = finding"
    " left join findings on findings.key = finding and findings.call_id = clips.call_id"
)
_ASSIGNMENTS = (
    "select a.*, p.title, (select count(*) from clips where playlist = p.id) as clips,"
    " (select agent_name from calls where agent_id = a.agent_id order by started_at desc limit 1) as agent_name"
    " from assignments a join playlists p on p.id = a.playlist"
)


def add_playlist(store: Store, *, title: str, note: str, by: str) -> int:
    """A new, empty playlist; returns its number."""
    row = {"title": title, "note": note, "archived": 0, "made_at": now(), "made_by": by}
    with store.writing():
        return int(store.insert("playlists", row).lastrowid or 0)


def update_playlist(store: Store, number: int, values: Mapping[str, Any]) -> None:
    """Set title, note or archived."""
    names = ", ".join(f"{name} = ?" for name in values)
    with store.writing():
        store.sql.execute(f"update playlists set {names} where id = ?", [*values.values(), number])


def playlists(store: Store, *, number: int | None = None) -> list[Row]:
    """Playlists, newest first, with how many good and bad clips and how many assignments (also done) they have."""
    rows = store.all(
        "select p.*, (select count(*) from clips where playlist = p.id and kind = 'good') as good,"
        " (select count(*) from clips where playlist = p.id and kind = 'bad') as bad,"
        " (select count(*) from assignments where playlist = p.id and withdrawn_at is null) as assigned,"
        " (select count(*) from assignments where playlist = p.id and acknowledged_at is not null) as acknowledged"
        f" from playlists p where {'true' if number is None else 'id = ?'} order by archived, id desc",
        [] if number is None else [number],
    )
    return list(rows)


def add_clip_row(store: Store, row: Mapping[str, Any]) -> int:
    """Append a clip to its playlist; returns its number."""
    with store.writing():
        last = store.one("select max(position) as last from clips where playlist = ?", [row["playlist"]])
        position = (last["last"] if last and last["last"] is not None else 0) + 1
        return int(store.insert("clips", {**row, "position": position, "added_at": now()}).lastrowid or 0)


def clips_of(store: Store, playlist: int) -> list[Row]:
    """A playlist's clips in order; what the call record says is null where the call is gone."""
    return list(store.all(f"{_CLIPS} where clips.playlist = ? order by position, clips.id", [playlist]))


def clip_row(store: Store, number: int) -> Row | None:
    """One clip."""
    return store.one(f"{_CLIPS} where clips.id = ?", [number])


def update_clip(store: Store, number: int, values: Mapping[str, Any]) -> None:
    """Set columns of a clip."""
    names = ", ".join(f"{name} = ?" for name in values)
    with store.writing():
        store.sql.execute(f"update clips set {names} where id = ?", [*values.values(), number])


def delete_clip(store: Store, number: int) -> None:
    """Take a clip out of its playlist."""
    with store.writing():
        store.sql.execute("delete from clips where id = ?", [number])


def add_assignment(store: Store, row: Mapping[str, Any]) -> int:
    """A playlist for a collector; returns the assignment's number."""
    with store.writing():
        return int(store.insert("assignments", {**row, "assigned_at": now()}).lastrowid or 0)


def update_assignment(store: Store, number: int, values: Mapping[str, Any]) -> bool:
    """Set columns of an assignment that is neither acknowledged nor withdrawn; False where it is."""
    names = ", ".join(f"{name} = ?" for name in values)
    with store.writing():
        done = store.sql.execute(
            f"update assignments set {names} where id = ? and acknowledged_at is null and withdrawn_at is null",
            [*values.values(), number],
        )
        return done.rowcount == 1


def assignments(store: Store, *, agent_id: str | None = None, playlist: int | None = None) -> list[Row]:
    """Assignments that were not withdrawn: unacknowledged ones by their day, then the others, newest first."""
    asked = {"a.agent_id": agent_id, "a.playlist": playlist}
    used = {name: value for name, value in asked.items() if value is not None}
    where = " and ".join(["withdrawn_at is null", *(f"{name} = ?" for name in used)])
    rows = store.all(
        f"{_ASSIGNMENTS} where {where} order by acknowledged_at is not null,"
        " case when acknowledged_at is null then due_on end, acknowledged_at desc, a.id desc",
        list(used.values()),
    )
    return list(rows)


def assignment_row(store: Store, number: int) -> Row | None:
    """One assignment."""
    return store.one(f"{_ASSIGNMENTS} where a.id = ?", [number])


def knows_agent(store: Store, agent_id: str) -> bool:
    """Whether any call names this collector."""
    return store.one("select 1 as known from calls where agent_id = ? limit 1", [agent_id]) is not None


def conduct_between(
    store: Store, agent_id: str, *, since: date, until: date, rules: Sequence[str] | None = None
) -> Row:
    """A collector's judged calls between two local days, both included: calls, confirmed, waiting.

    `confirmed` are calls with a confirmed violation (of these rules, where given), `waiting` calls with a sure
    finding that nobody has judged yet.
    """
    span = [agent_id, since.isoformat(), until.isoformat()]
    calls = store.one(
        "select coalesce(sum(calls), 0) as n from call_days where agent_id = ? and day >= ? and day <= ?", span
    )
    one_of = "" if rules is None else f" and rule_id in ({', '.join('?' * len(rules))})"
    found = "select count(distinct call_id) as n from items where agent_id = ? and at >= ? and at < ?"
    span[2] += "~"  # after every "T12:…" of the last day
    confirmed = store.one(
        f"{found} and state not in ('waiting', 'second') and state in ({_COUNTED}) and category not in ({_SIGNALS})"
        f"{one_of}",
        [*span, *(rules or ())],
    )
    waiting = store.one(
        f"{found} and state in ({_OPEN}) and result = 'fail' and category not in ({_SIGNALS}){one_of}",
        [*span, *(rules or ())],
    )
    counts = {"calls": calls, "confirmed": confirmed, "waiting": waiting}
    return {name: 0 if row is None else int(row["n"]) for name, row in counts.items()}


def place_of_finding(store: Store, key: str) -> Row | None:
    """From where to where a finding reaches (ms): as the rules found it, else as the person who judged it saw it."""
    found = store.one("select start_ms, end_ms from findings where key = ? and start_ms is not null limit 1", [key])
    return found or store.one(
        "select json_extract(finding, '$.start_ms') as start_ms, json_extract(finding, '$.end_ms') as end_ms"
        " from verdicts where key = ? and json_extract(finding, '$.end_ms') is not null order by id desc limit 1",
        [key],
    )
