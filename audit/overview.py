"""总览: how a house stands, all from counts that the writer keeps; nothing here reads calls one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Literal

from audit.access import Action, Actor, may, require
from audit.complaint_clock import STANDARD, Terms
from audit.complaint_figures import table
from audit.complaints import Desk
from audit.figures import Share, wilson
from audit.store import Filter, Store, tallies
from audit.store.complaints import Asked
from audit.store.judged import failed_files
from audit.store.tallies import Backlog, Line, RuleLine, Totals

Step = Literal["day", "week"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """Complaints received under the filter: not answered yet, of those past their last day, and all."""

    open: int
    overdue: int
    all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A day or a week from Monday on: calls, and the shares of them with violations (see `Overview`)."""

    start: date
    calls: int
    confirmed: Share
    machine: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An hour of an ISO weekday (1 Monday to 7): `share` of calls with a violation, confirmed or not yet judged."""

    weekday: int
    hour: int
    calls: int
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """`confirmed`: calls with a violation that people confirmed. `machine`: calls without one, with a sure finding
    that nobody has judged yet. What a role may not see is None, or zero in the lines.

    `days` in order, calls without a time left out; `categories` and `rules` by violations and open findings, the most
    first; both without customers' signals but self-harm.
    """

    totals: Totals
    confirmed: Share
    machine: Share | None
    backlog: Backlog | None
    complaints: Complaints | None
    failures: int | None
    days: Sequence[Line] = field(default=())
    hours: Sequence[Line] = field(default=())
    categories: Sequence[RuleLine] = field(default=())
    rules: Sequence[RuleLine] = field(default=())


def overview(store: Store, which: Filter, *, actor: Actor, today: date, terms: Terms = STANDARD) -> Overview:
    """Everything the page shows under a filter; `Refused`."""
    require(actor, Action.SEE_OVERVIEW)
    totals = tallies.totals(store, which)
    all_seen = not actor.only_confirmed
    rules = tallies.by_rule(store, which)
    return Overview(
        totals=totals,
        confirmed=wilson(totals.calls_confirmed, totals.calls),
        machine=wilson(totals.calls_machine, totals.calls) if all_seen else None,
        backlog=tallies.backlog(store, which) if all_seen else None,
        complaints=_complaints(Desk(store=store, actor=actor, terms=terms, day=today), which),
        failures=failed_files(store) if may(actor, Action.SEE_OPERATIONS) else None,
        days=[line for line in tallies.by_day(store, which) if line.key[0]],
        hours=tallies.by_hour_weekday(store, which),
        categories=_worst_first(_by_category(rules), confirmed_only=not all_seen),
        rules=_worst_first(rules, confirmed_only=not all_seen),
    )


def _complaints(desk: Desk, which: Filter) -> Complaints | None:
    if not may(desk.actor, Action.SEE_COMPLAINTS):
        return None
    asked = Asked(since=which.since, until=which.until, team=which.team, product=which.product, agent_id=which.agent_id)
    lines = table(desk, asked)
    line = lines[0] if lines else None
    return Complaints(
        open=line.open if line else 0, overdue=line.overdue if line else 0, all=line.complaints if line else 0
    )


def _by_category(rules: Iterable[RuleLine]) -> list[RuleLine]:
    """Lines of one category added up: a second look at the store would cost a quarter of a second."""
    names = [f.name for f in fields(RuleLine) if f.name != "key"]
    sums: dict[str, Counter[str]] = {}
    for line in rules:
        found = sums.setdefault(str(line.key[1]), Counter())
        found.update({name: getattr(line, name) for name in names})
    return [RuleLine(key=(category,), **{name: found[name] for name in names}) for category, found in sums.items()]


def _worst_first(lines: Iterable[RuleLine], *, confirmed_only: bool) -> list[RuleLine]:
    found = [line for line in lines if line.violations or (line.waiting and not confirmed_only)]
    return sorted(found, key=lambda line: (-line.violations, -line.waiting, line.key))


def buckets(days: Iterable[Line], *, step: Step) -> list[Bucket]:
    """Days as they are, or put together by week."""
    sums: dict[date, list[int]] = {}
    for line in days:
        day = date.fromisoformat(str(line.key[0]))
        start = day if step == "day" else day - timedelta(days=day.weekday())
        found = sums.setdefault(start, [0, 0, 0])
        for n, count in enumerate((line.calls, line.calls_confirmed, line.calls_machine)):
            found[n] += count
    return [
        Bucket(start=start, calls=calls, confirmed=wilson(confirmed, calls), machine=wilson(machine, calls))
        for start, (calls, confirmed, machine) in sorted(sums.items())
    ]


def cells(hours: Iterable[Line], *, confirmed_only: bool) -> list[Cell]:
    """The heat map, hours without calls left out."""
    return [
        Cell(
            weekday=int(line.key[0]),
            hour=int(line.key[1]),
            calls=line.calls,
            share=wilson(line.calls_confirmed + (0 if confirmed_only else line.calls_machine), line.calls),
        )
        for line in hours
        if line.calls
    ]
