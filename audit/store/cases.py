"""Cases and payments as the business system listed them, and what came in for each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from audit.store import tallies
from audit.store.connection import packed
from audit.store.promises import find_cases
from audit.store.queue import COUNTED, FOLLOWED_UP

if TYPE_CHECKING:
    from audit.cases import Case, Payment
    from audit.store.calls import Store
    from audit.store.filters import Filter

_AGAINST = ", ".join(f"'{state}'" for state in COUNTED)
_JUDGED = "i.state not in ('waiting', 'second')"  # as the partial index of judged items has it
# Whoever the case is assigned to, else whoever spoke last about it. Asked apart: assigned cases lie in an index by
# collector and stage, and are added up without sorting.
_SPOKE_LAST = "(select k.agent_id from calls k where k.case_id = c.case_id order by started_at desc limit 1)"
_APART = {"c.agent_id is not null": "c.agent_id", "c.agent_id is null": _SPOKE_LAST}
_TOGETHER = {"true": f"coalesce(c.agent_id, {_SPOKE_LAST})"}


def save_cases(store: Store, cases: Iterable[Case], *, given: Sequence[str]) -> tuple[int, int]:
    """Keep cases, of known ones only the fields `given`; returns how many are new and how many changed."""
    before = _count(store, "cases")
    touched = sum(_save(store, "cases", "case_id", _case_row(case, given)) for case in cases)
    new = _count(store, "cases") - before
    return new, touched - new


def save_payments(store: Store, payments: Iterable[Payment]) -> tuple[int, int]:
    """Keep payments; returns how many are new and how many changed."""
    from audit.config import CHINA

    before = _count(store, "payments")
    rows = (
        {"key": p.key, "case_id": p.case_id, "paid_at": p.paid_at.astimezone(CHINA).isoformat(), "fen": p.fen}
        for p in payments
    )
    touched = sum(_save(store, "payments", "key", row) for row in rows)
    new = _count(store, "payments") - before
    return new, touched - new


def settle(store: Store) -> None:
    """Work out anew what came in for each case and when it was cured, and whose promises belong to it."""
    store.sql.execute(
        "update cases set paid_fen ="
        " (select coalesce(sum(fen), 0) from payments where payments.case_id = cases.case_id)"
    )
    store.sql.execute(
        "update cases set cured_on = case when overdue_fen > 0 and paid_fen >= overdue_fen then"
        " (select min(substr(paid_at, 1, 10)) from (select paid_at, sum(fen) over (order by paid_at, key) as so_far"
        "  from payments where payments.case_id = cases.case_id) where so_far >= overdue_fen) end"
    )
    find_cases(store)


def known_cases(store: Store, case_ids: Iterable[str]) -> set[str]:
    """Those of the ids that the store has a case for."""
    asked = "select case_id from cases where case_id = ?"
    return {case_id for case_id in case_ids if store.one(asked, [case_id]) is not None}


def note_known_until(store: Store, day: date | None) -> bool:
    """Move the day up to which all payments are known forward; whether it moved."""
    if day is None:
        return False
    done = store.sql.execute(
        "insert into payments_known (id, until) values (1, ?)"
        " on conflict (id) do update set until = excluded.until where excluded.until > until",
        [day.isoformat()],
    )
    return done.rowcount > 0


def known_until(store: Store) -> date | None:
    """The day up to which all payments are known; None where none were ever imported."""
    row = store.one("select until from payments_known")
    return None if row is None else date.fromisoformat(row["until"])


def count_cases(store: Store) -> int:
    return _count(store, "cases")


def case_figures(store: Store, which: Filter) -> list[dict[str, Any]]:
    """Cases that were open in the period, by stage and collector, a row or more each, with money in fen.

    `recovered_fen` is what was paid in the period, of each case at most what was overdue; `satisfied` how many
    have a score, `satisfaction` their sum.
    """
    ever = which.since is None and which.until is None
    recovered = "sum(min(c.paid_fen, c.overdue_fen))" if ever else "0"
    sums = (
        f"count(*) as cases, sum(c.overdue_fen) as overdue_fen, {recovered} as recovered_fen,"
        " count(c.satisfaction) as satisfied, sum(c.satisfaction) as satisfaction"
    )
    found = _by_collector(store, which, sums, "cases c indexed by cases_figures")
    return found if ever else found + _recovered(store, which)


def _recovered(store: Store, which: Filter) -> list[dict[str, Any]]:
    """The payments of the period know their cases: fewer than all cases have any."""
    sums = (
        "0 as cases, 0 as overdue_fen, sum(min(came.fen, c.overdue_fen)) as recovered_fen, 0 as satisfied,"
        " 0 as satisfaction"
    )
    # In the order of cases, without sorting: faster than by day also for a single week of 90 days.
    came = (
        "select case_id, sum(fen) as fen from payments indexed by idx_payments_case_id_paid_at_fen"
        " where paid_at >= ?1 and paid_at <= ?2 group by case_id"
    )
    of = f"({came}) came cross join cases c on c.case_id = came.case_id"
    return _by_collector(store, which, sums, of, collectors=_TOGETHER)


def cycles(store: Store, which: Filter) -> list[dict[str, Any]]:
    """Cases cured in the period: stage, agent_id and for each its `days` from assignment, else the first call."""
    began = "coalesce(c.assigned_on, (select min(started_at) from calls k where k.case_id = c.case_id))"
    days = f"julianday(c.cured_on) - julianday(substr({began}, 1, 10))"
    cured = (
        "select * from cases indexed by cases_cured_by where cured_on is not null"
        " and cured_on >= substr(?1, 1, 10) and cured_on <= substr(?2, 1, 10)"
    )
    # One row for many cases: a row of Python for each took most of the time.
    rows = _by_collector(store, which, f"json_group_array({days}) as days", f"({cured}) c")
    known = ({**row, "days": [n for n in json.loads(row["days"]) if n is not None and n >= 0]} for row in rows)
    return [row for row in known if row["days"]]


def _by_collector(
    store: Store, which: Filter, sums: str, of: str, *, collectors: Mapping[str, str] = _APART
) -> list[dict[str, Any]]:
    """`sums` of the cases under the filter, by stage and agent_id."""
    found: list[dict[str, Any]] = []
    for whose, collector in collectors.items():
        where, values = _where(which, collector)
        found += store.all(
            f"select c.stage, {collector} as agent_id, {sums} from {of} where {whose} and {where}"
            f" group by {collector}, c.stage",
            values,
        )
    return found


def calls_by_stage(store: Store, which: Filter) -> list[dict[str, Any]]:
    """Judged calls of the period and confirmed violations, a rule once a call: stage, calls, violations."""
    if which.agent_id is None:
        rows = tallies.calls_by_stage(store, which)
        return [{**row, "stage": row["stage"] or None} for row in rows]
    return _calls_of_one(store, which)


def _calls_of_one(store: Store, which: Filter) -> list[dict[str, Any]]:
    """Of one collector the calls themselves are counted: by stage too, the table would have a row a call."""
    from audit.cases import stage_of

    store.sql.create_function("stage_of", 1, stage_of, deterministic=True)
    where, values = _where_calls(which)
    return list(
        store.all(
            "with counted as ("
            f" select days_overdue, count(*) as calls, 0 as violations from calls k"
            f" where recording is not null and {where} group by 1 union all"
            " select days_overdue, 0, count(*) from ("
            "  select distinct k.call_id, k.days_overdue, i.rule_id from items i join calls k using (call_id)"
            f"  where {_JUDGED} and i.state in ({_AGAINST}) and i.category <> '{FOLLOWED_UP}'"
            f"  and i.agent_id = k.agent_id and {where}) group by 1)"
            " select stage_of(days_overdue) as stage, sum(calls) as calls, sum(violations) as violations"
            " from counted group by 1",
            values,
        )
    )


def _where_calls(which: Filter) -> tuple[str, list[Any]]:
    asked = [
        ("k.started_at >=", None if which.since is None else which.since.isoformat()),
        ("k.started_at <", None if which.until is None else (which.until + timedelta(days=1)).isoformat()),
        ("k.team =", which.team),
        ("k.agent_id =", which.agent_id),
        ("k.product =", which.product),
    ]
    used = [(clause, value) for clause, value in asked if value is not None]
    clauses = [f"{clause} ?{number}" for number, (clause, _) in enumerate(used, 1)]
    return " and ".join(clauses) or "true", [value for _, value in used]


def _where(which: Filter, collector: str) -> tuple[str, list[Any]]:
    """?1 and ?2 are the ends of the period, as payments write their moments."""
    since = "0001-01-01" if which.since is None else which.since.isoformat()
    until = "9999-12-31" if which.until is None else which.until.isoformat()
    clauses = [
        "(c.assigned_on is null or c.assigned_on <= substr(?2, 1, 10))",
        "(c.closed_on is null or c.closed_on >= substr(?1, 1, 10))",
    ]
    values = [since, f"{until}T23:59:59+08:00"]
    if which.team is not None:
        values.append(which.team)
        clauses.append(f"{collector} in (select agent_id from agent_days where team = ?{len(values)})")
    if which.agent_id is not None:
        values.append(which.agent_id)
        clauses.append(f"{collector} = ?{len(values)}")
    if which.product is not None:
        values.append(which.product)
        clauses.append(f"c.product = ?{len(values)}")
    return " and ".join(clauses), values


def _save(store: Store, table: str, key: str, row: Mapping[str, Any]) -> int:
    """1 where a row is new or changed, else 0."""
    names = [f'"{name}"' for name in row]
    others = [name for name, column in zip(names, row, strict=True) if column != key]
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    old, new = ", ".join(f"{table}.{name}" for name in others), ", ".join(f"excluded.{name}" for name in others)
    conflict = f"do update set {changes} where ({old}) is not ({new})" if others else "do nothing"
    done = store.sql.execute(
        f"insert into {table} ({', '.join(names)}) values ({', '.join('?' * len(row))}) on conflict ({key}) {conflict}",
        list(row.values()),
    )
    return max(0, done.rowcount)


def _case_row(case: Case, given: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {f.name: getattr(case, f.name) for f in fields(case) if f.name in given}
    for name in ("assigned_on", "closed_on"):
        if row.get(name) is not None:
            row[name] = row[name].isoformat()
    if "extra" in row:
        row["extra"] = packed(dict(case.extra))
    return {**row, "case_id": case.case_id}


def _count(store: Store, table: str) -> int:
    row = store.one(f"select count(*) as n from {table}")
    return 0 if row is None else int(row["n"])
