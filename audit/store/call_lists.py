"""Finding a call among many: by id, debtor, case or collector, newest first; never by going through all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.store.connection import Connection
from audit.store.filters import EVERY_CALL, Filter, where

_COLUMNS = (
    "select calls.call_id, calls.started_at, calls.agent_id, calls.agent_name, calls.team, calls.product,"
    " calls.debtor_id, calls.case_id, calls.recording, recordings.duration_ms, scorecards.score"
    " from calls join scorecards using (call_id) join recordings on recordings.id = calls.recording"
)
_LAST = "\U0010ffff"
"""Sorts after every id that begins with the same letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsWanted:
    """Which calls: under the shared filter, with `text` as (the beginning of) an id, `agents` by number.

    `states`: only calls with an item in one of these; empty asks nothing.
    """

    calls: Filter = EVERY_CALL
    text: str = ""
    agents: tuple[str, ...] = ()
    states: tuple[str, ...] = ()


def find_calls(store: Connection, wanted: CallsWanted, *, limit: int) -> list[dict[str, Any]]:
    """Judged calls, newest first."""
    clause, values = _clause(wanted)
    rows = store.all(f"{_COLUMNS} where {clause} order by calls.started_at desc limit ?", [*values, limit])
    return list(rows)


def calls_of_debtor(store: Connection, debtor_id: str, *, limit: int) -> list[dict[str, Any]]:
    """Judged calls with one debtor, newest first."""
    rows = store.all(f"{_COLUMNS} where calls.debtor_id = ? order by calls.started_at desc limit ?", [debtor_id, limit])
    return list(rows)


def item_counts(store: Connection, recordings: Sequence[str]) -> dict[tuple[str, str], dict[str, int]]:
    """Items by (recording, call_id) and state."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    rows = store.all(
        "select recording, call_id, state, count(*) as n from items"
        " where recording in (select value from json_each(?)) group by recording, call_id, state",
        [json.dumps(list(recordings))],
    )
    for row in rows:
        found.setdefault((row["recording"], row["call_id"]), {})[row["state"]] = row["n"]
    return found


def complaints_about(store: Connection, call_id: str, debtor_id: str | None) -> list[Mapping[str, Any]]:
    """Complaints linked to a call, and the others of its debtor, newest first; `linked` tells them apart."""
    rows = store.all(
        "select id, received_at, channel, category, status, outcome,"
        " exists (select 1 from complaint_calls where complaint = complaints.id and call_id = ?) as linked"
        " from complaints where id in (select complaint from complaint_calls where call_id = ?)"
        " or debtor_id = ? order by received_at desc limit 50",
        [call_id, call_id, debtor_id],
    )
    return list(rows)


def _clause(wanted: CallsWanted) -> tuple[str, list[object]]:
    """Days as a range of the text itself, so that the index on it serves."""
    shared = wanted.calls
    clause, values = where(Filter(team=shared.team, agent_id=shared.agent_id, product=shared.product), day="started_at")
    clauses = [clause]
    if shared.since is not None:
        clauses.append("calls.started_at >= ?")
        values.append(shared.since.isoformat())
    if shared.until is not None:
        clauses.append("calls.started_at < ?")
        values.append((shared.until + timedelta(days=1)).isoformat())
    if wanted.text:
        agents = json.dumps(list(wanted.agents))
        clauses.append(
            "((calls.call_id >= ? and calls.call_id < ?) or calls.debtor_id = ? or calls.case_id = ?"
            " or calls.agent_id in (select value from json_each(?)))"
        )
        values += [wanted.text, wanted.text + _LAST, wanted.text, wanted.text, agents]
    if wanted.states:
        clauses.append(
            "exists (select 1 from items where items.recording = calls.recording and items.call_id = calls.call_id"
            " and items.state in (select value from json_each(?)))"
        )
        values.append(json.dumps(list(wanted.states)))
    return " and ".join(clauses), values
