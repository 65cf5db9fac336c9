"""Promises to pay: whether each was kept, by what came in, and what recovers how well beside who keeps the rules.

A promise is judged by itself: payments for its case from the call until its due day and the days of grace. What is
not yet known is never held against anyone: it is judged as of the last day for which payments are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from audit.access import Action, Actor, require
from audit.figures import Share, wilson

if TYPE_CHECKING:
    from audit.store import Filter, Store
    from audit.store.promises import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By what promises are judged: the day it is, and how late a payment may come (`promise_grace_days`)."""

    today: date
    grace_days: int


class Standing(StrEnum):
    """How a promise stands. UNKNOWN: no due day, no case, or no sum to hold a payment against."""

    KEPT = "kept"
    PARTLY = "partly"
    BROKEN = "broken"
    OPEN = "open"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """As collectors say it."""
        return _LABELS[self]


_LABELS = {
    Standing.KEPT: "已兑现",
    Standing.PARTLY: "部分兑现",
    Standing.BROKEN: "未兑现",
    Standing.OPEN: "待到期",
    Standing.UNKNOWN: "无法判断",
}


def standing(target_fen: int | None, paid_fen: int, last_day: str | None, known: int, as_of: str) -> str:
    """How a promise stands: `target_fen` is the sum promised, else what was overdue; `paid_fen` came in for its case
    from the call to `last_day` (ISO, days of grace included); `as_of` is the last day for which payments are known.

    That day itself is not over: what falls due on it is still open.
    """
    if not known or last_day is None:
        return Standing.UNKNOWN.value
    if target_fen is not None and 0 < target_fen <= paid_fen:
        return Standing.KEPT.value
    if as_of <= last_day:
        return Standing.OPEN.value
    if paid_fen <= 0:
        return Standing.BROKEN.value
    return Standing.UNKNOWN.value if not target_fen else Standing.PARTLY.value


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRow:
    """One promise as pages list it. Money is fen; `made_at` Beijing time; `due` None where no day was named."""

    call_id: str
    case_id: str | None
    debtor_id: str | None
    agent_id: str | None
    team: str | None
    product: str | None
    stage: str | None
    made_at: datetime | None
    due: date | None
    last_day: date | None
    target_fen: int | None
    amount_fen: int | None
    paid_fen: int
    firmness: str
    repeated_back: bool
    text: str
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one collector, one stage, or everybody brought in, and how. Money is fen, shares carry their samples.

    `kept` is of promises whose time is over; `open` and `unknown` stand beside it. `cycle_days` is the median from
    assignment to cure over `cured` cases; `satisfaction` the mean of `scored` cases. `violations` are confirmed ones
    in `calls` judged calls.
    """

    key: str
    cases: int
    overdue_fen: int
    recovered_fen: int
    cured: int
    cycle_days: float | None
    scored: int
    satisfaction: float | None
    kept: Share
    partly: int
    broken: int
    open: int
    unknown: int
    calls: int
    violations: int

    @property
    def recovery(self) -> float | None:
        """Share of what was overdue that came in; None where nothing was."""
        return self.recovered_fen / self.overdue_fen if self.overdue_fen else None

    @property
    def promises(self) -> int:
        return self.kept.of + self.open + self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The page 承诺与成效: everything together, by stage of overdue, by collector."""

    known_until: date | None
    cases: int
    total: Outcome
    by_stage: tuple[Outcome, ...]
    by_collector: tuple[Outcome, ...]


def known_until(store: Store) -> date | None:
    """The last day for which payments are known."""
    from audit.store.cases import known_until as asked

    return asked(store)


def results(store: Store, which: Filter, *, actor: Actor, terms: Terms) -> Results:
    """Promises due in the period, cases open in it, and confirmed violations of its calls; `Refused`."""
    from audit.store.cases import calls_by_stage, case_figures, count_cases, cycles
    from audit.store.promises import promise_counts
    from audit.store.tallies import calls_by_collector

    require(actor, Action.SEE_PROMISES)
    parts = _Parts(
        cases=case_figures(store, which),
        cycles=cycles(store, which),
        promises=promise_counts(store, which, _basis(store, terms)),
        calls=calls_by_stage(store, which),
    )
    collectors = replace(parts, calls=calls_by_collector(store, which))
    return Results(
        known_until=known_until(store),
        cases=count_cases(store),
        total=parts.outcome(""),
        by_stage=tuple(parts.by("stage")),
        by_collector=tuple(collectors.by("agent_id")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Which promises a list shows: of these standings (none asks nothing), the earliest or the latest of too many."""

    standings: tuple[Standing, ...] = ()
    take: Literal["earliest", "latest"] = "earliest"


ANY = Listed()


def promises(store: Store, which: Filter, *, actor: Actor, terms: Terms, listed: Listed = ANY) -> list[PromiseRow]:
    """Promises due in the period by due day, at most store.promises.MOST_ROWS, their words masked; `Refused`."""
    from audit.redact import find_private, mask
    from audit.store.promises import promise_rows

    require(actor, Action.SEE_PROMISES)
    wanted = [standing.value for standing in listed.standings]
    rows = promise_rows(store, which, _basis(store, terms), standings=wanted, take=listed.take)
    found = [_promise_row(row) for row in rows]
    return [replace(row, text=mask(row.text, find_private(row.text))) for row in found]


def how_many(store: Store, which: Filter, *, actor: Actor, terms: Terms, listed: Listed = ANY) -> int:
    """How many promises `promises` lists; `Refused`."""
    from audit.store.promises import count_promises

    require(actor, Action.SEE_PROMISES)
    wanted = [standing.value for standing in listed.standings]
    return count_promises(store, which, _basis(store, terms), standings=wanted)


def all_promises(store: Store, which: Filter, *, actor: Actor, terms: Terms) -> list[PromiseRow]:
    """Every promise due in the period, by due day, its words as spoken; `Refused`."""
    from audit.store.promises import promise_rows

    require(actor, Action.SEE_PROMISES)
    return [_promise_row(row) for row in promise_rows(store, which, _basis(store, terms))]


def _basis(store: Store, terms: Terms) -> Basis:
    from audit.store.promises import Basis

    known = known_until(store)
    as_of = "" if known is None else min(known, terms.today).isoformat()
    return Basis(grace=terms.grace_days, as_of=as_of)


def _promise_row(row: Mapping[str, Any]) -> PromiseRow:
    plain = ("call_id", "case_id", "debtor_id", "agent_id", "team", "product", "stage", "target_fen", "amount_fen")
    return PromiseRow(
        **{name: row[name] for name in (*plain, "paid_fen", "firmness", "text")},
        made_at=None if row["made_at"] is None else datetime.fromisoformat(row["made_at"]),
        due=None if row["due"] is None else date.fromisoformat(row["due"]),
        last_day=None if row["last_day"] is None else date.fromisoformat(row["last_day"]),
        repeated_back=bool(row["repeated_back"]),
        standing=Standing(row["standing"]),
    )


Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What the store counted, by stage and collector, to be added up either way; calls are by one of them alone."""

    cases: Rows
    cycles: Rows
    promises: Rows
    calls: Rows

    def by(self, column: str) -> list[Outcome]:
        """An outcome for each value of `column`, in its order; rows without a value are left to the total.

        Each list is split once: to search all of them for each of 500 collectors took four seconds.
        """
        split = [_split(rows, column) for rows in (self.cases, self.cycles, self.promises, self.calls)]
        keys = {key for rows in (split[0], split[2], split[3]) for key in rows if key}
        return [_Parts(**dict(zip(_PARTS, (rows.get(key, []) for rows in split), strict=True))).outcome(key)
                for key in sorted(keys)]  # fmt: skip

    def outcome(self, key: str) -> Outcome:
        """Everything in these lists, under a name."""
        cases, calls = self.cases, self.calls
        days = [days for row in self.cycles for days in row["days"]]
        stands: Counter[str] = Counter()
        for row in self.promises:
            stands[row["standing"]] += row["n"]
        over = sum(stands[s] for s in (Standing.KEPT, Standing.PARTLY, Standing.BROKEN))
        scored = _sum(cases, "satisfied")
        return Outcome(
            key=key,
            cases=_sum(cases, "cases"),
            overdue_fen=_sum(cases, "overdue_fen"),
            recovered_fen=_sum(cases, "recovered_fen"),
            cured=len(days),
            cycle_days=median(days) if days else None,
            scored=scored,
            satisfaction=sum(row["satisfaction"] or 0 for row in cases) / scored if scored else None,
            kept=wilson(stands[Standing.KEPT], over),
            partly=stands[Standing.PARTLY],
            broken=stands[Standing.BROKEN],
            open=stands[Standing.OPEN],
            unknown=stands[Standing.UNKNOWN],
            calls=_sum(calls, "calls"),
            violations=_sum(calls, "violations"),
        )


_PARTS = ("cases", "cycles", "promises", "calls")


def _split(rows: Rows, column: str) -> dict[Any, Rows]:
    split: dict[Any, Rows] = {}
    for row in rows:
        split.setdefault(row[column], []).append(row)
    return split


def _sum(rows: Iterable[Mapping[str, Any]], column: str) -> int:
    return sum(row[column] or 0 for row in rows)
