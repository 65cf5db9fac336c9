"""Promises to pay, one a call, and what was paid until they were due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from audit.calls import CallRecord
    from audit.store.calls import AuditedCall, Store
    from audit.store.connection import Connection
    from audit.store.filters import Filter

MOST_ROWS = 1_000
Take = Literal["earliest", "latest", "all"]
_CHINA = timezone(timedelta(hours=8))

# Parameters: ?1 days of grace, ?2 the day up to which payments are known, ?3 and on what a query asks.
_GRACE, _AS_OF, _FIRST = "?1", "?2", 3

# A question (能不能还两千?) is no promise. Payments count from the call until the last day of grace.
_JUDGED = f"""
select p.*, coalesce(p.amount_fen, c.overdue_fen) as target_fen, coalesce(c.stage, stage_of(p.days_overdue)) as stage,
  c.case_id is not null and p.made_at is not null as known, date(p.due, {_GRACE}) as last_day,
  (select coalesce(sum(fen), 0) from payments where payments.case_id = p.case_id and paid_at >= p.made_at
    and paid_at <= date(p.due, {_GRACE}) || 'T23:59:59+08:00') as paid_fen
from promises p left join cases c on c.case_id = p.case_id where p.firmness <> 'asked' and {{where}}
"""
_STANDING = f"standing(target_fen, paid_fen, last_day, known, {_AS_OF})"
_WITH_STANDING = f"select *, {_STANDING} as standing from ({_JUDGED})"
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


def find_cases(store: Connection) -> None:
    """Give promises without a case the one that a new list brought; within the caller's transaction."""
    store.sql.execute(_FIND_CASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """By what promises are judged: days of grace, and the ISO day up to which payments are known ("": none are)."""

    grace: int
    as_of: str


def promise_counts(store: Store, which: Filter, basis: Basis) -> list[dict[str, Any]]:
    """Promises of the period by agent_id, stage, firmness and standing: n, target_fen, paid_fen."""
    where, values = _where(which)
    # Materialized: else what was paid is looked up once for each column that asks for it.
    sql = (
        f"with judged as materialized ({_JUDGED.format(where=where)})"
        f" select agent_id, stage, firmness, {_STANDING} as standing, count(*) as n,"
        " sum(target_fen) as target_fen, sum(paid_fen) as paid_fen from judged group by 1, 2, 3, 4"
    )
    return _asked(store, sql, values, basis)


def promise_rows(
    store: Store, which: Filter, basis: Basis, *, standings: Sequence[str] = (), take: Take = "all"
) -> list[dict[str, Any]]:
    """Promises by due day, without one last: all, or the earliest or latest `MOST_ROWS`; of `standings`, or of any."""
    where, values = _where(which)
    sql = f"select * from ({_WITH_STANDING.format(where=where)})"
    if standings:
        wanted = ", ".join(f"?{number}" for number, _ in enumerate(standings, _FIRST + len(values)))
        sql += f" where standing in ({wanted})"
        values = [*values, *standings]
    order = "due desc, made_at desc, call_id" if take == "latest" else "due is null, due, made_at, call_id"
    sql += f" order by {order} limit {-1 if take == 'all' else MOST_ROWS}"
    return _asked(store, sql, values, basis)


def _asked(store: Store, sql: str, values: list[Any], basis: Basis) -> list[dict[str, Any]]:
    """The arithmetic of kept and broken has one place, audit/promises.py; SQL asks it."""
    from audit.cases import stage_of
    from audit.promises import standing

    store.sql.create_function("standing", 5, standing, deterministic=True)
    store.sql.create_function("stage_of", 1, stage_of, deterministic=True)
    return list(store.all(sql, [f"+{basis.grace} days", basis.as_of, *values]))


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
    made_at = None if record.started_at is None else record.started_at.astimezone(_CHINA).isoformat()
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
