"""What a report is made of, and the figures in it: pure functions from judged calls to counts and shares.

A violation is one rule broken in one call; how many places show it does not make it more (audit/score.py).
What is unsure and what customers say of themselves are counted apart and never enter a rate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from audit.calls import CallRecord
from audit.score import Scorecard, Verdict, is_signal
from audit.store import Failure, RuleCard
from audit.store.queue import COUNTED, OPEN, State
from rules.model import CATEGORIES, Finding, Result, Severity
from transcribe.model import Turn

if TYPE_CHECKING:
    from audit.complaint_record import Complaint
    from audit.promises import PromiseRow
    from audit.sound import Window
    from audit.store.conduct import KeptConduct

By = Literal["collector", "team", "rule"]
Key = TypeVar("Key", bound=Hashable)

# 95 % of the normal distribution lies within this many standard deviations.
_Z = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What people said of a place: `key` names it in the queue; None and no name where nobody has spoken."""

    key: str
    state: State
    by: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One rule that came out fail or unsure on one call, with the places that show it in order of time.

    `reviews` has one for each place. `machine` is False for what people added, or today's rules no longer find.
    """

    rule: RuleCard
    severity: Severity
    result: Result
    places: tuple[Finding, ...]
    reviews: tuple[Review, ...] = ()
    machine: bool = True

    @property
    def is_signal(self) -> bool:
        return is_signal(self.rule.category)

    @property
    def is_violation(self) -> bool:
        return self.machine and self.result is Result.FAIL and not self.is_signal

    @property
    def is_unsure(self) -> bool:
        return self.machine and self.result is Result.UNSURE and not self.is_signal

    @property
    def is_confirmed(self) -> bool:
        """Whether people say so: what alone counts against a person."""
        return not self.is_signal and any(review.state in COUNTED for review in self.reviews)

    @property
    def is_dismissed(self) -> bool:
        """Whether people have dismissed every place of it."""
        return bool(self.reviews) and all(review.state is State.DISMISSED for review in self.reviews)

    @property
    def review(self) -> Review | None:
        """The one that speaks for all: a confirmed place before an open one before a dismissed one."""
        order = (*COUNTED, *OPEN, State.DISMISSED)
        return min(self.reviews, key=lambda review: order.index(review.state), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCall:
    """One call of the report. `duration_ms` is what was heard; `recording` the SHA-256 of the file.

    `sound` is where the recording lies; clips cover `beeps`, times in it, with a tone.
    """

    record: CallRecord
    recording: str
    duration_ms: int
    notes: tuple[str, ...]
    role_confidence: float
    card: Scorecard
    issues: tuple[Issue, ...]
    sound: Path | None = None
    beeps: tuple[Window, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether nobody was heard to speak, and people found nothing either: in no share and no mean."""
        return self.card.score is None and not self.issues

    @property
    def confirmed(self) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.issues if issue.is_confirmed)

    @property
    def violations(self) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.issues if issue.is_violation)

    @property
    def unsure(self) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.issues if issue.is_unsure)

    @property
    def signals(self) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.issues if issue.is_signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """By what the calls were judged: rule set, recogniser and our own version."""

    ruleset: str
    ruleset_version: str
    digest: str
    engine: str
    engine_version: str
    model: str
    tool_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """Everything a report says, read once. `dialogues`: recording → turns, for the calls shown in full.

    `selection` names the filters beside the period; `masked` says that personal data is; promises, complaints
    and what several calls break together are None for those who may not see them.
    """

    store: str
    since: date | None
    until: date | None
    by: By
    provenance: tuple[Provenance, ...]
    calls: tuple[JudgedCall, ...]
    failures: tuple[Failure, ...]
    dialogues: Mapping[str, tuple[Turn, ...]]
    audited_at: datetime | None = None
    selection: tuple[str, ...] = ()
    masked: bool = False
    promises: tuple[PromiseRow, ...] | None = None
    complaints: tuple[Complaint, ...] | None = None
    conduct: tuple[KeptConduct, ...] | None = None

    @property
    def period(self) -> tuple[date | None, date | None]:
        """First and last day: as asked for, else as the calls have it."""
        days = [call.record.started_at.date() for call in self.calls if call.record.started_at]
        return self.since or min(days, default=None), self.until or max(days, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`hits` of `of`, with Wilson's 95 % interval; all three shares are None where `of` is 0."""

    hits: int
    of: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`events` in `of` calls, as so many per 100 calls with a 95 % interval; all three are None where `of` is 0."""

    events: int
    of: int
    per_100: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the machine found (violations, unsure, calls with a violation) and what people made of it."""

    violations: int
    unsure: int
    calls: int
    confirmed: int
    dismissed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table by collector, team or rule; `ms` is sound heard, `score` the mean of the calls. Calls in
    which nobody spoke are in none of it.

    By rule, `calls` is all calls, `rule` is set and `duties` are empty: a rule speaks for itself.
    """

    key: str
    name: str
    team: str
    calls: int
    ms: int
    violations: int
    unsure: int
    by_severity: Mapping[Severity, int]
    calls_with: int
    duties: Share
    score: float | None
    confirmed: Rate
    dismissed: int
    rule: RuleCard | None = None

    @property
    def per_100(self) -> float | None:
        """Violations per 100 calls; None without calls."""
        return 100 * self.violations / self.calls if self.calls else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The summary of a report: `calls` and `ms` of all, `silent` calls in which nobody spoke, shares of the others."""

    calls: int
    ms: int
    silent: int
    failures: int
    violations: int
    unsure: int
    with_violation: Share
    confirmed: Rate
    with_confirmed: Share
    dismissed: int
    open: int
    verdicts: Mapping[Verdict, int]
    by_severity: Mapping[Severity, Tally]
    by_category: Mapping[str, Tally]
    signals: Mapping[str, int]
    duties: Share
    lines: tuple[Line, ...]


def wilson(hits: int, of: int) -> Share:
    """Share with Wilson's score interval, which stays inside 0..1 for small numbers too."""
    if not of:
        return Share(hits=hits, of=of, share=None, low=None, high=None)
    share, square = hits / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return Share(hits=hits, of=of, share=share, low=max(0.0, middle - half), high=min(1.0, middle + half))


def rate(events: int, of: int) -> Rate:
    """Events per 100 calls, of which one call may have several: Byar's approximation to the exact Poisson limits."""
    if not of:
        return Rate(events=events, of=of, per_100=None, low=None, high=None)
    more = events + 1
    low = events * (1 - 1 / (9 * events) - _Z / (3 * sqrt(events))) ** 3 if events else 0.0
    high = more * (1 - 1 / (9 * more) + _Z / (3 * sqrt(more))) ** 3
    return Rate(events=events, of=of, per_100=100 * events / of, low=max(0.0, 100 * low / of), high=100 * high / of)


def figures(data: ReportData) -> Figures:
    """All counts of the report."""
    calls = [call for call in data.calls if not call.is_silent]
    return Figures(
        calls=len(data.calls),
        ms=sum(call.duration_ms for call in data.calls),
        silent=len(data.calls) - len(calls),
        failures=len(data.failures),
        violations=sum(len(call.violations) for call in calls),
        unsure=sum(len(call.unsure) for call in calls),
        with_violation=wilson(sum(bool(call.violations) for call in calls), len(calls)),
        confirmed=rate(sum(len(call.confirmed) for call in calls), len(calls)),
        with_confirmed=wilson(sum(bool(call.confirmed) for call in calls), len(calls)),
        dismissed=sum(issue.is_dismissed for call in calls for issue in call.issues if not issue.is_signal),
        open=sum(_is_open(issue) for call in calls for issue in call.issues),
        verdicts={verdict: sum(call.card.verdict is verdict for call in data.calls) for verdict in Verdict},
        by_severity=_by_severity(calls),
        by_category=_by_category(calls),
        signals=_signals(calls),
        duties=_duties(calls),
        lines=_lines(calls, data.by),
    )


def flagged(calls: Iterable[JudgedCall]) -> list[JudgedCall]:
    """Calls that someone should read, worst first: violations, then unsure, then grave signals."""
    return sorted((call for call in calls if _gravity(call) != (-1, -1, -1)), key=_order)


def _order(call: JudgedCall) -> tuple[tuple[int, ...], int, str, str]:
    started = call.record.started_at.isoformat() if call.record.started_at else ""
    return tuple(-rank for rank in _gravity(call)), call.card.score or 0, started, call.record.call_id


def _gravity(call: JudgedCall) -> tuple[int, int, int]:
    """Highest rank of violations, of unsure outcomes, and of signals if high or worse; -1 for none."""
    signals = [s for s in call.signals if s.severity.rank >= Severity.HIGH.rank]
    return _worst((*call.violations, *call.confirmed)), _worst(call.unsure), _worst(signals)


def _is_open(issue: Issue) -> bool:
    return not (issue.is_signal or issue.is_confirmed or issue.is_dismissed)


def _worst(issues: Iterable[Issue]) -> int:
    return max((issue.severity.rank for issue in issues), default=-1)


def _tallies(calls: Iterable[JudgedCall], key: Callable[[Issue], Key]) -> dict[Key, Tally]:
    """Counts by whatever `key` reads from an issue, in one pass; only keys that occur."""
    counts: dict[Key, Counter[str]] = {}
    for call in calls:
        for issue in (issue for issue in call.issues if not issue.is_signal):
            found = counts.setdefault(key(issue), Counter())
            found["violations"] += issue.is_violation
            found["unsure"] += issue.is_unsure
            found["confirmed"] += issue.is_confirmed
            found["dismissed"] += issue.is_dismissed
        for each in {key(issue) for issue in call.violations}:
            counts[each]["calls"] += 1
    return {each: Tally(**{name: found[name] for name in _COUNTED}) for each, found in counts.items()}


_COUNTED = tuple(field.name for field in fields(Tally))
_NOTHING = Tally(violations=0, unsure=0, calls=0, confirmed=0, dismissed=0)


def _by_severity(calls: Sequence[JudgedCall]) -> dict[Severity, Tally]:
    tallies = _tallies(calls, lambda issue: issue.severity)
    return {severity: tallies.get(severity, _NOTHING) for severity in Severity}


def _by_category(calls: Sequence[JudgedCall]) -> dict[str, Tally]:
    """Categories that occur, in the order of the closed list."""
    tallies = _tallies(calls, lambda issue: issue.rule.category)
    return {category: tallies[category] for category in CATEGORIES if category in tallies}


def _signals(calls: Iterable[JudgedCall]) -> dict[str, int]:
    """Number of calls with each kind of customer's signal."""
    seen = [{issue.rule.category for issue in call.signals} for call in calls]
    counts = {category: sum(category in kinds for kinds in seen) for category in CATEGORIES}
    return {category: count for category, count in counts.items() if count}


def _duties(calls: Iterable[JudgedCall]) -> Share:
    """Duties done of duties due; not applicable and unsure ones are in neither."""
    results = [duty.result for call in calls for duty in call.card.duties]
    done, missed = results.count(Result.PASS), results.count(Result.FAIL)
    return wilson(done, done + missed)


def _lines(calls: Sequence[JudgedCall], by: By) -> tuple[Line, ...]:
    """Rows of the table, most violations per call first."""
    lines = _rule_lines(calls) if by == "rule" else _people_lines(calls, by)
    return tuple(sorted(lines, key=lambda line: (-(line.per_100 or 0), -line.unsure, line.key)))


def _people_lines(calls: Iterable[JudgedCall], by: By) -> list[Line]:
    groups: dict[str, list[JudgedCall]] = {}
    for call in calls:
        groups.setdefault(_key(call, by), []).append(call)
    return [_people_line(key, group, by) for key, group in groups.items()]


def _key(call: JudgedCall, by: By) -> str:
    record = call.record
    return (record.team if by == "team" else record.agent_id or record.agent_name) or ""


def _people_line(key: str, calls: Sequence[JudgedCall], by: By) -> Line:
    names = [call.record.agent_name for call in calls if call.record.agent_name]
    teams = [call.record.team for call in calls if call.record.team]
    by_severity = _by_severity(calls)
    scores = [call.card.score for call in calls if call.card.score is not None]
    return Line(
        key=key,
        name=key if by == "team" else next(iter(names), key),
        team=next(iter(teams), ""),
        calls=len(calls),
        ms=sum(call.duration_ms for call in calls),
        violations=sum(tally.violations for tally in by_severity.values()),
        unsure=sum(tally.unsure for tally in by_severity.values()),
        by_severity={severity: tally.violations for severity, tally in by_severity.items()},
        calls_with=sum(bool(call.violations) for call in calls),
        duties=_duties(calls),
        score=sum(scores) / len(scores) if scores else None,
        confirmed=rate(sum(tally.confirmed for tally in by_severity.values()), len(calls)),
        dismissed=sum(tally.dismissed for tally in by_severity.values()),
    )


def _rule_lines(calls: Sequence[JudgedCall]) -> list[Line]:
    rules = {issue.rule.id: issue for call in calls for issue in call.issues}
    ms = sum(call.duration_ms for call in calls)
    tallies = _tallies(calls, lambda issue: issue.rule.id)
    return [_rule_line(rules[rule], tally, calls=len(calls), ms=ms) for rule, tally in tallies.items()]


def _rule_line(seen: Issue, tally: Tally, *, calls: int, ms: int) -> Line:
    return Line(
        key=seen.rule.id,
        name=seen.rule.title,
        team="",
        calls=calls,
        ms=ms,
        violations=tally.violations,
        unsure=tally.unsure,
        by_severity={s: tally.violations if s is seen.severity else 0 for s in Severity},
        calls_with=tally.calls,
        duties=wilson(0, 0),
        score=None,
        confirmed=rate(tally.confirmed, calls),
        dismissed=tally.dismissed,
        rule=seen.rule,
    )
