"""Promises to pay, one a call, and what was paid until they were due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from audit.complaint_clock import BEIJING

if TYPE_CHECKING:
    from audit.calls import CallRecord
    from audit.store.calls import AuditedCall, Store
    from audit.store.connection import Connection
    from audit.store.filters import Filter

MOST_ROWS = 500
Take = Literal["earliest", "latest", "all"]

# Parameters: ?1 days of grace, ?2 the day up to which payments are known, ?3 the latest due day that is over then; and
# on what a query asks from _FIRST.
_GRACE, _AS_OF, _OVER, _FIRST = "?1", "?2", "?3", 4

# How a promise stands follows from a few facts that the writer keeps beside it; none of them depends on the days of
# grace or on today:
#     stage, target_fen, known   as its case has them, else as the call has them; known: a case and a moment
#     kept_after   days from the due day to the payment with which the whole sum was in; null: it never was
#     paid_after   the same for the first payment
# standing() compares sums and days, so it is given any that compare alike: it is asked once for many promises then.
_TARGET = "iif(target_fen > 0, 2, target_fen)"
_PAID = f"case when kept_after <= {_GRACE} then 2 when paid_after <= {_GRACE} then 1 else 0 end"
_LAST_DAY = f"case when due is null then null when due > {_OVER} then {_AS_OF} else '' end"
_STANDING = f"standing({_TARGET}, {_PAID}, {_LAST_DAY}, known, {_AS_OF})"
# All that standing() can tell apart as one number, the place of its arguments in `_standings`: many promises are
# counted by it faster than by the arguments.
_TARGETS, _PAIDS = (None, 0, 2), (0, 1, 2)
_CODE = (
    f"27 * known + 9 * (case when target_fen is null then 0 when target_fen > 0 then 2 else 1 end) + 3 * ({_PAID})"
    f" + case when due is null then 0 when due > {_OVER} then 1 else 2 end"
)
# A question (能不能还两千?) is no promise.
_IS_PROMISE = "p.firmness <> 'asked'"
# Payments count from the call until the last day of grace.
_ROW = f"""
select p.*, date(due, '+' || {_GRACE} || ' days') as last_day, {_STANDING} as standing,
  (select coalesce(sum(fen), 0) from payments where payments.case_id = p.case_id and paid_at >= p.made_at
    and paid_at < date(p.due, '+' || ({_GRACE} + 1) || ' days')) as paid_fen
"""
_PAYMENTS = "from payments where payments.case_id = promises.case_id and paid_at >= promises.made_at"
_AFTER = "cast(julianday(substr(min(paid_at), 1, 10)) - julianday(promises.due) as integer)"
_FACTS = ("stage", "target_fen", "known", "kept_after", "paid_after")
_FROM_CASE = (
    "select coalesce(c.stage, stage_of(promises.days_overdue)), coalesce(promises.amount_fen, c.overdue_fen),"
    " c.case_id is not null and promises.made_at is not null"
    " from (select 1) left join cases c on c.case_id = promises.case_id"
)
_KEPT_AFTER = (
    f"select {_AFTER} from (select paid_at, sum(fen) over (order by paid_at, key rows unbounded preceding) as so_far"
    f" {_PAYMENTS}) where so_far >= promises.target_fen"
)
# Without a case of its own a promise belongs to the only case that its debtor has.
_FIND_CASE = (
    "update promises set case_id = (select case_id from cases where cases.debtor_id = promises.debtor_id)"
    " where case_id is null and debtor_id is not null"
    " and 1 = (select count(*) from cases where cases.debtor_id = promises.debtor_id)"
)


def replace_promise(store: Connection, call: AuditedCall) -> None:
    """Keep a call's promise, or none where today's judgement finds none; within the caller's transaction."""
    if call.promise is None:
        store.sql.execute("delete from promises where call_id = ?", [call.record.call_id])
        return
    store.upsert("promises", "call_id", _row(call.record, call.promise))
    store.sql.execute(f"{_FIND_CASE} and call_id = ?", [call.record.call_id])
    settle_promises(store, call_id=call.record.call_id)


def promise_in_step(store: Connection, record: CallRecord, promise: Mapping[str, Any] | None) -> bool:
    """Whether a call's promise is kept as judgement and call record have it."""
    kept = store.one("select * from promises where call_id = ?", [record.call_id])
    if kept is None or promise is None:
        return kept is None and promise is None
    row = _row(record, promise)
    return all(kept[name] == row[name] for name in row if name != "case_id" or row[name] is not None)


def settle_promises(store: Connection, *, call_id: str | None = None) -> None:
    """Work out anew the facts by which promises stand, of one call or of all; within the caller's transaction."""
    from audit.cases import stage_of

    store.sql.create_function("stage_of", 1, stage_of, deterministic=True)
    which, values = ("true", []) if call_id is None else ("call_id = ?", [call_id])
    store.sql.execute(f"update promises set (stage, target_fen, known) = ({_FROM_CASE}) where {which}", values)
    store.sql.execute(
        f"update promises set kept_after = iif(target_fen > 0, ({_KEPT_AFTER}), null),"
        f" paid_after = (select {_AFTER} {_PAYMENTS} and fen > 0) where {which}",
        values,
    )


def resettle_promises(store: Connection) -> int:
    """Work out the facts of all promises anew; returns of how many they were wrong."""
    with store.writing():
        before = _facts(store)
        settle_promises(store)
        after = _facts(store)
    return sum(before[call_id] != facts for call_id, facts in after.items())


def _facts(store: Connection) -> dict[str, tuple[object, ...]]:
    rows = store.all(f"select call_id, {', '.join(_FACTS)} from promises")
    return {row["call_id"]: tuple(row[name] for name in _FACTS) for row in rows}


def find_cases(store: Connection) -> None:
    """Give promises without a case the one that a new list brought, and settle all; within the caller's transaction."""
    store.sql.execute(_FIND_CASE)
    settle_promises(store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """By what promises are judged: days of grace, and the ISO day up to which payments are known ("": none are)."""

    grace: int
    as_of: str


def promise_counts(store: Store, which: Filter, basis: Basis) -> list[dict[str, Any]]:
    """Promises of the period by agent_id, stage and standing, a row or more each: n."""
    where, values = _where(which)
    rows = store.all(
        f"select agent_id, stage, {_CODE} as code, count(*) as n from promises p indexed by promises_judged"
        f" where {_IS_PROMISE} and {where} group by 1, 2, 3",
        [basis.grace, basis.as_of, _over(basis), *values],
    )
    stands = _standings(basis)
    return [{**row, "standing": stands[row["code"]]} for row in rows]


def _standings(basis: Basis) -> list[str]:
    """How a promise of each `_CODE` stands: that arithmetic has one place, audit/promises.py."""
    from audit.promises import standing

    last_days = (None, basis.as_of, "")
    return [
        standing(target, paid, last_day, known, basis.as_of)
        for known, target, paid, last_day in product((0, 1), _TARGETS, _PAIDS, last_days)
    ]


def count_promises(store: Store, which: Filter, basis: Basis, *, standings: Sequence[str] = ()) -> int:
    """How many promises `promise_rows` would find, counted no further than `MOST_ROWS`."""
    where, values = _where(which)
    wanted, values = _of(standings, values)
    some = f"select 1 from promises p where {_IS_PROMISE} and {where}{wanted} limit {MOST_ROWS}"
    return int(_asked(store, f"select count(*) as n from ({some})", values, basis)[0]["n"])


def promise_rows(
    store: Store, which: Filter, basis: Basis, *, standings: Sequence[str] = (), take: Take = "all"
) -> list[dict[str, Any]]:
    """Promises by due day, without one last: all, or the earliest or latest `MOST_ROWS`; of `standings`, or of any."""
    where, values = _where(which)
    wanted, values = _of(standings, values)
    where += wanted
    down = " desc" if take == "latest" else ""
    limit = -1 if take == "all" else MOST_ROWS
    # In the order of an index, so that only what is shown is read.
    dated, undated = (
        f"select * from ({_ROW} from promises p where {_IS_PROMISE} and {has} and {where} order by {by} limit {limit})"
        for has, by in (
            (_due(which), f"due{down}, made_at{down}, call_id{down}"),
            ("p.due is null", f"made_at{down}, call_id{down}"),
        )
    )
    return _asked(store, f"select * from ({dated} union all {undated}) limit {limit}", values, basis)


def _of(standings: Sequence[str], values: list[Any]) -> tuple[str, list[Any]]:
    if not standings:
        return "", values
    wanted = ", ".join(f"?{number}" for number, _ in enumerate(standings, _FIRST + len(values)))
    return f" and {_STANDING} in ({wanted})", [*values, *standings]


def _due(which: Filter) -> str:
    """Of promises with a due day, that day is theirs: said twice, the index of due days can be used."""
    ends = ((">=", which.since), ("<=", which.until))
    return " and ".join(["p.due is not null", *(f"p.due {than} '{day.isoformat()}'" for than, day in ends if day)])


def _asked(store: Store, sql: str, values: list[Any], basis: Basis) -> list[dict[str, Any]]:
    """The arithmetic of kept and broken has one place, audit/promises.py; SQL asks it."""
    from audit.promises import standing

    store.sql.create_function("standing", 5, standing, deterministic=True)
    return list(store.all(sql, [basis.grace, basis.as_of, _over(basis), *values]))


def _over(basis: Basis) -> str:
    if not basis.as_of:
        return ""
    return (date.fromisoformat(basis.as_of) - timedelta(days=basis.grace + 1)).isoformat()


def _where(which: Filter) -> tuple[str, list[Any]]:
    asked = [
        ("p.day >=", None if which.since is None else which.since.isoformat()),
        ("p.day <=", None if which.until is None else which.until.isoformat()),
        ("p.team =", which.team),
        ("p.agent_id =", which.agent_id),
        ("p.product =", which.product),
    ]
    used = [(clause, value) for clause, value in asked if value is not None]
    clauses = [f"{clause} ?{number}" for number, (clause, _) in enumerate(used, _FIRST)]
    return " and ".join(clauses) or "true", [value for _, value in used]


def _row(record: CallRecord, promise: Mapping[str, Any]) -> dict[str, Any]:
    made_at = None if record.started_at is None else record.started_at.astimezone(BEIJING).isoformat()
    amount = promise["amount"]
    names = ("call_id", "case_id", "debtor_id", "agent_id", "team", "product", "days_overdue")
    return {name: getattr(record, name) for name in names} | {
        "made_at": made_at,
        "day": promise["date"] or (made_at and made_at[:10]),
        "due": promise["date"],
        "amount_fen": None if amount is None else round(Decimal(str(amount)) * 100),
        "firmness": promise["firmness"],
        "repeated_back": int(promise["repeated_back"]),
        "turn": promise["turn"],
        "text": promise["text"],
    }
