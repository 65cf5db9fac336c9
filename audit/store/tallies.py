"""Counts by day, collector and rule, kept by whoever writes: an overview of a million calls reads some thousand rows.

`kept` stands around every change of a call, its judgement or its items; it counts the call before and after, and
adds the difference. `recount` computes everything anew: equal, or the store is damaged (`differences`).

call_days, by local day, hour (-1 unknown), team, product and collector; hour_days, the same without collectors, and
agent_days, the same without hours:
    calls, ms            judged calls and their sound
    score                sum of the machine's scores
    duties_done, _due    duties kept; kept or missed (unsure ones are in neither), as the machine has it
    calls_confirmed      calls with at least one violation that people confirmed
    calls_machine        calls without one, with at least one sure finding that nobody has judged yet
    calls_critical_waiting   calls with at least one critical item open
    silent               calls in which nobody was heard to speak, and nothing was found: in no other count
    waiting              in agent_days only: open items, customers' signals of self-harm left out
rule_days, by rule, category, severity, local day, team and product, and collector_days, by collector too; items are
places, not calls:
    fails, unsure        items that the machine finds today
    confirmed, partial, dismissed   items by what people said; under appeal counts as confirmed; without added ones
    missed               items that people added and that stand
    waiting, waiting_unsure   open items; those of them of which the machine is unsure
    calls                calls in which the machine finds the rule
    violations           calls in which people confirmed the rule: one rule broken in one call is one violation
stage_days, by stage of overdue (as the call list has it), local day, team and product: calls and violations.
flagged_days, by category ("": any) and local day, signals of self-harm left out; calls, not items:
    flagged              those in which the machine finds the category
    confirmed, dismissed of them those in which people upheld a finding; and in which they dismissed all
    known                others with any finding of the machine, to which people added the category; none under ""
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from audit.cases import stage_of
from audit.score import is_signal
from audit.store.connection import Connection
from audit.store.filters import EVERY_CALL, Filter, where
from audit.store.queue import COUNTED, EVERYTHING, FOLLOWED_UP, OPEN, Machine, State, Wanted
from rules.model import Result, Severity

Key = tuple[str | int, ...]
Counts = dict[Key, tuple[int, ...]]

_CALL_KEYS = ("day", "hour", "team", "product", "agent_id")
_CALL_COUNTS = (
    "calls", "ms", "score", "duties_done", "duties_due", "calls_confirmed", "calls_machine", "calls_critical_waiting",
    "silent",
)  # fmt: skip
_HOUR_KEYS = ("day", "hour", "team", "product")
_AGENT_KEYS = ("agent_id", "team", "day", "product")
_AGENT_COUNTS = (*_CALL_COUNTS, "waiting")
_RULE_KEYS = ("rule_id", "category", "severity", "day", "team", "product")
_COLLECTOR_KEYS = ("agent_id", "severity", "rule_id", "category", "day", "team", "product")
_RULE_COUNTS = (
    "fails", "unsure", "confirmed", "partial", "dismissed", "missed", "waiting", "waiting_unsure", "calls",
    "violations",
)  # fmt: skip
_STAGE_KEYS = ("stage", "day", "team", "product")
_STAGE_COUNTS = ("calls", "violations")
_FLAGGED_KEYS = ("category", "day")
_FLAGGED_COUNTS = ("flagged", "confirmed", "dismissed", "known")
_TABLES = (
    ("call_days", _CALL_KEYS, _CALL_COUNTS),
    ("hour_days", _HOUR_KEYS, _CALL_COUNTS),
    ("agent_days", _AGENT_KEYS, _AGENT_COUNTS),
    ("rule_days", _RULE_KEYS, _RULE_COUNTS),
    ("collector_days", _COLLECTOR_KEYS, _RULE_COUNTS),
    ("stage_days", _STAGE_KEYS, _STAGE_COUNTS),
    ("flagged_days", _FLAGGED_KEYS, _FLAGGED_COUNTS),
)
_CALL = (
    "select call_id, calls.recording as recording, coalesce(substr(started_at, 1, 10), '') as day,"
    " coalesce(cast(substr(started_at, 12, 2) as integer), -1) as hour, coalesce(team, '') as team,"
    " coalesce(product, '') as product, coalesce(agent_id, '') as agent_id,"
    " coalesce(recordings.duration_ms, 0) as ms, days_overdue, score, card"
    " from scorecards join calls using (call_id) join recordings on recordings.id = calls.recording"
)
_ITEM = "select call_id, recording, rule_id, category, severity, result, state, machine from items"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts of call_days under a filter (see the module), and the open items and violations of rule_days."""

    calls: int = 0
    ms: int = 0
    score: int = 0
    duties_done: int = 0
    duties_due: int = 0
    calls_confirmed: int = 0
    calls_machine: int = 0
    calls_critical_waiting: int = 0
    silent: int = 0
    violations: int = 0
    waiting: int = 0

    @property
    def every_call(self) -> int:
        """With those in which nobody was heard to speak."""
        return self.calls + self.silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Counts of call_days for one day, hour or collector; `key` is what `by_…` says."""

    key: Key
    calls: int
    ms: int
    score: int
    duties_done: int
    duties_due: int
    calls_confirmed: int
    calls_machine: int
    calls_critical_waiting: int
    silent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """Counts of rule_days for one rule, category, day or collector; `key` is what `by_…` says."""

    key: Key
    fails: int
    unsure: int
    confirmed: int
    partial: int
    dismissed: int
    missed: int
    waiting: int
    waiting_unsure: int
    calls: int
    violations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityLine:
    """Violations of collector_days for a collector and a severity; `key` is what `by_…` says."""

    key: Key
    violations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Open items: how many, of which severity, and the local days of their calls: oldest and median, None where nothing
    waits or no call has a time.
    """

    waiting: int
    by_severity: Mapping[Severity, int]
    oldest: date | None
    median: date | None


# writing


@contextmanager
def kept(store: Connection, *call_ids: str) -> Iterator[None]:
    """Around a change to these calls or their items, within one transaction: the counts follow.

    Never one within another for the same call: both would count the change.
    """
    with store.writing():
        before = [_counted(store, call_id) for call_id in call_ids]
        yield
        after = [_counted(store, call_id) for call_id in call_ids]
        for number, (table, keys, counts) in enumerate(_TABLES):
            change = _difference([both[number] for both in before], [both[number] for both in after])
            _add(store, table, keys, counts, change)


def differences(store: Connection) -> list[str]:
    """Rows of the tables that a recount does not bear out, as `table key: kept ≠ counted`; empty: all is well."""
    found = []
    for (table, keys, counts), counted in zip(_TABLES, _recount(store), strict=True):
        rows = store.all(f"select * from {table}")
        stands = {tuple(row[k] for k in keys): tuple(row[c] for c in counts) for row in rows}
        for key in sorted(stands.keys() | counted.keys(), key=str):
            was, now = stands.get(key, (0,) * len(counts)), counted.get(key, (0,) * len(counts))
            if was != now:
                found.append(f"{table} {key}: {was} ≠ {now}")
    return found


def quick_check(store: Connection) -> str | None:
    """Whether the sums agree with the tables that they count, in a second for a million calls; a sentence if not."""
    calls = "(select count(*) from scorecards join calls using (call_id))"
    waiting = "(select count(*) from items join calls using (call_id, recording) where state in ('waiting', 'second'))"
    looks = (
        ("通话数", calls, "(select sum(calls + silent) from call_days)"),
        ("待复核数", waiting, "(select sum(waiting) from rule_days)"),
        ("各催收员的待复核数", waiting, "(select sum(waiting) from collector_days)"),
    )
    for name, counted, kept_sum in looks:
        row = store.one(f"select {counted} as counted, coalesce({kept_sum}, 0) as kept_sum") or {}
        if row["counted"] != row["kept_sum"]:
            return f"统计表的{name}是 {row['kept_sum']}，实际是 {row['counted']}"
    return None


def recount(store: Connection) -> None:
    """Write the tables anew from calls and items; a minute for a million calls."""
    with store.writing():
        for (table, keys, counts), counted in zip(_TABLES, _recount(store), strict=True):
            store.sql.execute(f"delete from {table}")
            _add(store, table, keys, counts, counted)


# reading


def totals(store: Connection, which: Filter = EVERY_CALL) -> Totals:
    """Everything under the filter in one row."""
    clause, values = where(which, day="day")
    calls = store.one(f"select {_sums(_CALL_COUNTS)} from {_calls_under(which)} where {clause}", values) or {}
    sums = _sums(("violations", "waiting"))
    rules = store.one(f"select {sums} from {_rules_under(which)} where {clause}", values) or {}
    return Totals(**calls, **rules)


def by_day(store: Connection, which: Filter = EVERY_CALL) -> list[Line]:
    """A line per local day, in order; key (day,), "" for calls without a time."""
    return _lines(store, which, "day")


def by_hour_weekday(store: Connection, which: Filter = EVERY_CALL) -> list[Line]:
    """A line per (ISO weekday 1 to 7, hour) that has calls; calls without a time are left out."""
    table = "hour_days" if which.agent_id is None else "call_days"
    by_hour = f"select day, hour, {_sums(_CALL_COUNTS)} from {table}"
    sums: dict[Key, list[int]] = {}
    for row in _grouped(store, by_hour, which, by="day, hour", more="day <> '' and hour >= 0"):
        key = (date.fromisoformat(row["day"]).isoweekday(), row["hour"])
        found = sums.setdefault(key, [0] * len(_CALL_COUNTS))
        for n, name in enumerate(_CALL_COUNTS):
            found[n] += row[name]
    return [Line(key=key, **dict(zip(_CALL_COUNTS, counts, strict=True))) for key, counts in sorted(sums.items())]


def by_collector(store: Connection, which: Filter = EVERY_CALL) -> list[Line]:
    """A line per (agent_id, team)."""
    return _lines(store, which, "agent_id, team", table="agent_days")


def by_rule(store: Connection, which: Filter = EVERY_CALL) -> list[RuleLine]:
    """A line per (rule_id, category, severity)."""
    return _rule_lines(store, which, "rule_id, category, severity")


def by_category(store: Connection, which: Filter = EVERY_CALL) -> list[RuleLine]:
    """A line per (category,). `calls` and `violations` are summed over rules: a call may be in several."""
    return _rule_lines(store, which, "category")


def by_rule_day(store: Connection, which: Filter = EVERY_CALL) -> list[RuleLine]:
    """A line per (day, category, severity), in order of days: for trends."""
    return _rule_lines(store, which, "day, category, severity")


def by_collector_severity(store: Connection, which: Filter = EVERY_CALL) -> list[SeverityLine]:
    """A line per (agent_id, severity) with violations, customers' signals left out."""
    select = "select agent_id, severity, sum(violations) as violations from collector_days"
    more = f"violations > 0 and category <> '{FOLLOWED_UP}'"  # as an index has it
    rows = _grouped(store, select, which, by="agent_id, severity", more=more)
    return [SeverityLine(key=_key(row, ("violations",)), violations=row["violations"]) for row in rows]


def waiting_by_collector(store: Connection, which: Filter = EVERY_CALL) -> dict[str, int]:
    """agent_id → open items, customers' signals left out."""
    rows = _grouped(store, "select agent_id, sum(waiting) as n from agent_days", which, by="agent_id", more="true")
    return {row["agent_id"]: row["n"] for row in rows}


def calls_by_stage(store: Connection, which: Filter = EVERY_CALL) -> list[dict[str, Any]]:
    """stage ("" unknown), calls and violations, of all collectors: `which.agent_id` is not asked."""
    rows = f"select stage, {_sums(_STAGE_COUNTS)} from stage_days"
    return list(_grouped(store, rows, replace(which, agent_id=None), by="stage", more="true"))


def calls_by_collector(store: Connection, which: Filter = EVERY_CALL) -> list[dict[str, Any]]:
    """agent_id ("" unknown), calls and violations."""
    calls = _grouped(store, "select agent_id, sum(calls) as calls from agent_days", which, by="agent_id", more="true")
    violations = {
        row["agent_id"]: row["n"]
        for row in _grouped(store, "select agent_id, sum(violations) as n from collector_days", which, by="agent_id",
                            more="violations > 0")
    }  # fmt: skip
    return [{**row, "violations": violations.get(row["agent_id"], 0)} for row in calls]


def flagged(store: Connection, which: Filter) -> list[dict[str, Any]]:
    """category ("": any), flagged, confirmed, dismissed, known of the days asked for; nothing else is asked."""
    days = Filter(since=which.since, until=which.until)
    rows = f"select category, {_sums(_FLAGGED_COUNTS)} from flagged_days"
    return list(_grouped(store, rows, days, by="category", more="true"))


def backlog(store: Connection, which: Filter = EVERY_CALL) -> Backlog:
    """How much waits for review and how old it is, by the day of the call."""
    clause, values = where(which, day="day")
    rows = list(store.all(
        f"select day, severity, sum(waiting) as n from {_rules_under(which)} where waiting > 0 and {clause}"
        " group by day, severity order by day", values,
    ))  # fmt: skip
    by_severity: Counter[str] = Counter()
    for row in rows:
        by_severity[row["severity"]] += row["n"]
    dated = [(date.fromisoformat(row["day"]), row["n"]) for row in rows if row["day"]]
    return Backlog(
        waiting=by_severity.total(),
        by_severity={severity: by_severity[severity.value] for severity in Severity},
        oldest=_quantile(dated, 0.0),
        median=_quantile(dated, 0.5),
    )


def waiting(store: Connection, wanted: Wanted = EVERYTHING) -> int:
    """How many open items a queue with this filter holds."""
    clause, values = where(wanted.calls, day="day")
    asked = {"rule_id": wanted.rule_id, "category": wanted.category, "severity": wanted.severity}
    used = {name: str(value) for name, value in asked.items() if value is not None}
    clause = " and ".join(["waiting > 0", clause, *(f"{name} = ?" for name in used)])
    count = {None: "waiting", Result.UNSURE: "waiting_unsure"}.get(wanted.result, "waiting - waiting_unsure")
    row = store.one(
        f"select sum({count}) as n from {_rules_under(wanted.calls)} where {clause}", [*values, *used.values()]
    )
    return 0 if row is None else row["n"] or 0


# below: how a call counts


def _counted(store: Connection, call_id: str) -> tuple[Counts, ...]:
    """What the call adds to each of _TABLES."""
    call = store.one(f"{_CALL} where call_id = ?", [call_id])
    if call is None:
        return ({},) * len(_TABLES)
    items = list(store.all(f"{_ITEM} where recording = ? and call_id = ?", [call["recording"], call_id]))
    return _of(call, items)


def _of(call: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> tuple[Counts, ...]:
    rules = [({**call, **rows[0]}, _of_rule(rows)) for rows in _by_rule(items)]
    counts = _of_call(call, items)
    violations = sum(of_rule[_RULE_COUNTS.index("violations")] for _, of_rule in rules)
    waits = sum(_is_open(row) and row["category"] != FOLLOWED_UP for row in items)
    spoken = not _silent(call, items)
    return (
        *({tuple(call[name] for name in keys): counts} for keys in (_CALL_KEYS, _HOUR_KEYS)),
        {tuple(call[name] for name in _AGENT_KEYS): (*counts, waits)},
        {tuple(place[name] for name in _RULE_KEYS): counts for place, counts in rules},
        {tuple(place[name] for name in _COLLECTOR_KEYS): counts for place, counts in rules},
        {(stage_of(call["days_overdue"]) or "", *(call[name] for name in _STAGE_KEYS[1:])): (spoken, violations)},
        _of_flagged(call["day"], items),
    )


def _of_call(call: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """In the order of _CALL_COUNTS."""
    if _silent(call, items):
        return (*(0,) * (len(_CALL_COUNTS) - 1), 1)
    duties = [duty["result"] for duty in json.loads(call["card"])["duties"]]
    done, missed = duties.count(Result.PASS), duties.count(Result.FAIL)
    confirmed = any(_counts(row) for row in items)
    machine = not confirmed and any(row["result"] == Result.FAIL and _is_open(row) and _against(row) for row in items)
    critical = any(row["severity"] == Severity.CRITICAL and _is_open(row) for row in items)
    return 1, call["ms"], call["score"] or 0, done, done + missed, confirmed, machine, critical, 0


def _silent(call: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> bool:
    return call["score"] is None and not items


def _by_rule(items: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    groups: dict[Key, list[Mapping[str, Any]]] = {}
    for row in items:
        groups.setdefault((row["rule_id"], row["category"], row["severity"]), []).append(row)
    return groups.values()


def _of_rule(rows: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """In the order of _RULE_COUNTS."""
    present = [row for row in rows if row["machine"] == Machine.PRESENT]
    found = [row["state"] for row in rows if row["machine"] != Machine.ADDED]
    still_open = [row for row in rows if _is_open(row)]
    return (
        sum(row["result"] == Result.FAIL for row in present),
        sum(row["result"] == Result.UNSURE for row in present),
        found.count(State.CONFIRMED) + found.count(State.APPEALED),
        found.count(State.PARTIAL),
        found.count(State.DISMISSED),
        sum(row["machine"] == Machine.ADDED and row["state"] in COUNTED for row in rows),
        len(still_open),
        sum(row["result"] == Result.UNSURE for row in still_open),
        bool(present),
        any(_counts(row) for row in rows),
    )


def _of_flagged(day: str, items: Sequence[Mapping[str, Any]]) -> Counts:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in items:
        if row["category"] != FOLLOWED_UP:
            groups.setdefault("", []).append(row)
            groups.setdefault(row["category"], []).append(row)
    any_found = any(row["machine"] == Machine.PRESENT for row in items)
    return {(name, day): _flagged(rows, any_found=any_found and bool(name)) for name, rows in groups.items()}


def _flagged(rows: Sequence[Mapping[str, Any]], *, any_found: bool) -> tuple[int, ...]:
    """In the order of _FLAGGED_COUNTS."""
    here = [row for row in rows if row["machine"] == Machine.PRESENT]
    kept = any(row["state"] in COUNTED for row in here)
    waits = any(_is_open(row) for row in here)
    added = any(row["state"] in COUNTED for row in rows if row["machine"] != Machine.PRESENT)
    return bool(here), kept, bool(here) and not kept and not waits, not here and added and any_found


def _counts(row: Mapping[str, Any]) -> bool:
    return row["state"] in COUNTED and _against(row)


def _is_open(row: Mapping[str, Any]) -> bool:
    return row["state"] in OPEN


def _against(row: Mapping[str, Any]) -> bool:
    return not is_signal(row["category"])


def _difference(before: Iterable[Counts], after: Iterable[Counts]) -> Counts:
    change: dict[Key, list[int]] = {}
    for sign, many in ((-1, before), (1, after)):
        for counts in many:
            for key, values in counts.items():
                row = change.setdefault(key, [0] * len(values))
                for n, value in enumerate(values):
                    row[n] += sign * value
    return {key: tuple(row) for key, row in change.items() if any(row)}


def _add(store: Connection, table: str, keys: Sequence[str], counts: Sequence[str], change: Counts) -> None:
    if not change:
        return
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in counts)
    store.sql.executemany(
        f"insert into {table} ({', '.join((*keys, *counts))}) values ({', '.join('?' * len((*keys, *counts)))})"
        f" on conflict ({', '.join(keys)}) do update set {added}",
        [(*key, *map(int, values)) for key, values in change.items()],
    )
    # A row of nothing but zeros would still tell that this collector once was here.
    less = [key for key, values in change.items() if min(values) < 0]
    if less:
        store.sql.executemany(
            f"delete from {table} where {' and '.join(f'{name} = ?' for name in keys)}"
            f" and {' and '.join(f'{name} = 0' for name in counts)}", less,
        )  # fmt: skip


def _recount(store: Connection) -> list[Counts]:
    items: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in store.all(_ITEM):
        items.setdefault((row["call_id"], row["recording"]), []).append(row)
    calls = store.all(_CALL)
    counted = [_of(call, items.get((call["call_id"], call["recording"]), [])) for call in calls]
    return [_difference([], [one[number] for one in counted]) for number in range(len(_TABLES))]


def _lines(store: Connection, which: Filter, by: str, *, table: str | None = None) -> list[Line]:
    select = f"select {by}, {_sums(_CALL_COUNTS)} from {table or _calls_under(which)}"
    rows = _grouped(store, select, which, by=by, more="true")
    return [Line(key=_key(row, _CALL_COUNTS), **_only(row, _CALL_COUNTS)) for row in rows]


def _rule_lines(store: Connection, which: Filter, by: str) -> list[RuleLine]:
    select = f"select {by}, {_sums(_RULE_COUNTS)} from {_rules_under(which)}"
    rows = _grouped(store, select, which, by=by, more="true")
    return [RuleLine(key=_key(row, _RULE_COUNTS), **_only(row, _RULE_COUNTS)) for row in rows]


def _grouped(store: Connection, select: str, which: Filter, *, by: str, more: str) -> Iterator[dict[str, Any]]:
    clause, values = where(which, day="day")
    return store.all(f"{select} where {clause} and {more} group by {by} order by {by}", values)


def _calls_under(which: Filter) -> str:
    """The smaller table that can answer without hours."""
    return "hour_days" if which.agent_id is None else "agent_days"


def _rules_under(which: Filter) -> str:
    """The smaller table that can answer."""
    return "rule_days" if which.agent_id is None else "collector_days"


def _key(row: Mapping[str, Any], counts: Sequence[str]) -> Key:
    return tuple(value for name, value in row.items() if name not in counts)


def _only(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, int]:
    return {name: row[name] for name in names}


def _sums(names: Sequence[str]) -> str:
    return ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in names)


def _quantile(dated: Sequence[tuple[date, int]], share: float) -> date | None:
    """The day by which this share of the items lies; `dated` in order of days."""
    left = share * sum(n for _, n in dated)
    for day, n in dated:
        left -= n
        if left < 0 or (left == 0 and share == 1):
            return day
    return None
