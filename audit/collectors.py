"""Collectors side by side and one by one: conduct that people confirmed, duties, complaints, promises, recovery.

Only what people confirmed counts against a person; what the machine found and nobody has judged stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from audit import review
from audit.access import Action, Actor, may, require
from audit.figures import Rate, Share, rate, wilson
from audit.promises import Outcome, Terms, results
from audit.redact import Redaction
from audit.score import is_signal
from audit.sound import Window
from audit.store import choices, queue, tallies
from audit.store.collectors import confirmed_places, faultless_calls, rule_titles
from audit.store.complaints import Asked, tally_complaints
from rules.model import Severity

if TYPE_CHECKING:
    from audit.store import Filter, Store

SMALL_SAMPLE = 30
"""Below so many calls a rate says little; pages mark it."""
FAULTS_SHOWN = 12
"""Faults beyond are named and counted, their places not read."""
PLACES_SHOWN = 3
CALLS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorLine:
    """One collector under a filter; every share carries its sample.

    `waiting` counts findings that nobody has judged. `complaints` were decided, `upheld` of them in full or in
    part. `outcome` is None for those who may not see promises.
    """

    agent_id: str
    name: str | None
    team: str
    calls: int
    ms: int
    violations: Rate
    by_severity: Mapping[Severity, int]
    calls_confirmed: Share
    waiting: int
    duties: Share
    complaints: int
    upheld: int
    outcome: Outcome | None

    @property
    def small(self) -> bool:
        return self.calls < SMALL_SAMPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Seven days from Monday `start`: calls and confirmed violations in them."""

    start: date
    violations: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A confirmed place that can be shown and heard; `quote` and `window` are None where no words show it.

    Personal data in words is masked, and `beeps` are the times at which a tone covers it.
    """

    key: str
    call_id: str
    recording: str
    path: Path | None
    at: datetime | None
    quote: str | None
    because: str
    window: Window | None
    beeps: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule that this collector breaks: in how many calls, and the newest places of the first `FAULTS_SHOWN`."""

    rule_id: str
    title: str
    title_en: str
    category: str
    severity: Severity
    violations: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodCall:
    """A call with full score and nothing found or suspected."""

    call_id: str
    recording: str
    path: Path | None
    duration_ms: int
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One collector: figures, the same for everybody under the filter, weeks, faults and good calls."""

    line: CollectorLine
    everybody: Rate
    weeks: tuple[Week, ...]
    faults: tuple[Fault, ...]
    good: tuple[GoodCall, ...]


def collectors(store: Store, which: Filter, *, actor: Actor, terms: Terms) -> list[CollectorLine]:
    """Every collector with calls under the filter, most confirmed violations per call first; `Refused`."""
    require(actor, Action.SEE_COLLECTORS)
    lines = _lines(store, which, actor, terms)
    return sorted(lines, key=lambda line: (-(line.violations.per_100 or 0), line.agent_id))


def profile(store: Store, agent_id: str, which: Filter, *, actor: Actor, terms: Terms) -> Profile | None:
    """One collector under the filter, whose own choice of collector is left out; None without calls; `Refused`."""
    require(actor, Action.SEE_COLLECTORS)
    own, all_ = replace(which, agent_id=agent_id), replace(which, agent_id=None)
    found = _lines(store, own, actor, terms)
    if not found:
        return None
    total = tallies.totals(store, all_)
    return Profile(
        line=found[0],
        everybody=rate(total.violations, total.calls),
        weeks=tuple(_weeks(store, own)),
        faults=tuple(_faults(store, own)),
        good=tuple(_good(row) for row in faultless_calls(store, own, limit=CALLS_SHOWN)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known beside the counts of calls, each by agent_id."""

    names: Mapping[str, str | None]
    rules: Mapping[str, list[tallies.SeverityLine]]
    waiting: Mapping[str, int]
    complaints: Mapping[str, tuple[int, int]]
    outcomes: Mapping[str, Outcome]


def _lines(store: Store, which: Filter, actor: Actor, terms: Terms) -> list[CollectorLine]:
    seen = results(store, which, actor=actor, terms=terms).by_collector if may(actor, Action.SEE_PROMISES) else ()
    known = _Known(
        names=choices.agents(store),
        rules=_by_agent(tallies.by_collector_severity(store, which)),
        waiting=tallies.waiting_by_collector(store, which),
        complaints=_complaints(store, which, terms.today),
        outcomes={outcome.key: outcome for outcome in seen},
    )
    groups = _by_agent(tallies.by_collector(store, which))
    return [_line(agent, lines, known) for agent, lines in groups.items() if agent]


Counted = TypeVar("Counted", tallies.Line, tallies.SeverityLine)


def _by_agent(lines: Iterable[Counted]) -> dict[str, list[Counted]]:
    groups: dict[str, list[Counted]] = {}
    for line in lines:
        groups.setdefault(str(line.key[0]), []).append(line)
    return groups


def _line(agent: str, lines: list[tallies.Line], known: _Known) -> CollectorLine:
    """Who changed teams stands with the one of most calls."""
    calls = sum(line.calls for line in lines)
    rules = known.rules.get(agent, [])
    by_severity = dict.fromkeys(Severity, 0)
    for rule in rules:
        by_severity[Severity(str(rule.key[1]))] += rule.violations
    complaints, upheld = known.complaints.get(agent, (0, 0))
    return CollectorLine(
        agent_id=agent,
        name=known.names.get(agent),
        team=str(max(lines, key=lambda line: line.calls).key[1]),
        calls=calls,
        ms=sum(line.ms for line in lines),
        violations=rate(sum(by_severity.values()), calls),
        by_severity=by_severity,
        calls_confirmed=wilson(sum(line.calls_confirmed for line in lines), calls),
        waiting=known.waiting.get(agent, 0),
        duties=wilson(sum(line.duties_done for line in lines), sum(line.duties_due for line in lines)),
        complaints=complaints,
        upheld=upheld,
        outcome=known.outcomes.get(agent),
    )


def _complaints(store: Store, which: Filter, today: date) -> dict[str, tuple[int, int]]:
    """Agent → complaints decided, and of them upheld in full or in part."""
    asked = Asked(since=which.since, until=which.until, team=which.team, product=which.product, agent_id=which.agent_id)
    rows = tally_complaints(store, asked, by="agent_id", today=today)
    return {row["key"]: (row["decided"] or 0, (row["upheld"] or 0) + (row["partial"] or 0)) for row in rows}


def _weeks(store: Store, which: Filter) -> Iterator[Week]:
    calls: Counter[date] = Counter()
    violations: Counter[date] = Counter()
    for line in tallies.by_day(store, which):
        if line.key[0]:
            calls[_monday(str(line.key[0]))] += line.calls
    for rule in tallies.by_rule_day(store, which):
        if rule.key[0] and not is_signal(str(rule.key[1])):
            violations[_monday(str(rule.key[0]))] += rule.violations
    for start in sorted(calls):
        yield Week(start=start, violations=rate(violations[start], calls[start]))


def _monday(day: str) -> date:
    found = date.fromisoformat(day)
    return found - timedelta(days=found.weekday())


def _faults(store: Store, which: Filter) -> Iterator[Fault]:
    """Gravest first, then the most frequent."""
    known = rule_titles(store)
    lines = [line for line in tallies.by_rule(store, which) if line.violations and not is_signal(str(line.key[1]))]
    worst = sorted(lines, key=lambda line: (-Severity(str(line.key[2])).rank, -line.violations))
    for number, line in enumerate(worst):
        rule_id, category, severity = map(str, line.key)
        zh, en = known.get(rule_id) or (review.title(rule_id, None), review.title(rule_id, None, lang="en"))
        limit = PLACES_SHOWN if number < FAULTS_SHOWN else 0
        rows = confirmed_places(store, which, rule_id=rule_id, limit=limit)
        yield Fault(
            rule_id=rule_id,
            title=zh,
            title_en=en,
            category=category,
            severity=Severity(severity),
            violations=line.violations,
            places=tuple(_place(store, row) for row in rows),
        )


def _place(store: Store, row: Mapping[str, Any]) -> Place:
    """As the machine has it today, else as it was when people judged it."""
    from audit.clips import window

    item, call = queue.item(store, row["key"]), store.call(row["call_id"])
    transcript = store.transcript(row["recording"])
    assert item is not None
    assert call is not None
    redaction = Redaction.of(() if transcript is None else transcript.turns, record=call.record)
    found = redaction.finding(review.finding_of(store, item))
    heard = window(found.start_ms, found.end_ms, duration_ms=call.duration_ms) if found.quote else None
    return Place(
        key=row["key"],
        call_id=row["call_id"],
        recording=row["recording"],
        path=call.record.path,
        at=call.record.started_at,
        quote=found.quote or None,
        because=found.because,
        window=heard,
        beeps=redaction.beeps,
    )


def _good(row: Mapping[str, Any]) -> GoodCall:
    return GoodCall(
        call_id=row["call_id"],
        recording=row["recording"],
        path=_path(row["path"]),
        duration_ms=row["duration_ms"] or 0,
        at=_moment(row["started_at"]),
    )


def hear(place: Place, *, actor: Actor) -> bytes:
    """A confirmed place as Ogg/Opus, a tone over personal data; `Refused`, `ClipUnavailable`."""
    from audit.clips import ClipUnavailable, cut

    require(actor, Action.LISTEN)
    if place.window is None:
        raise ClipUnavailable("这一处没有对应的录音片段")
    return cut(place.path, place.recording, [place.window], beeps=place.beeps)[place.window]


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
