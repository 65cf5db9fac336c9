"""What a report is made of, and the figures in it: pure functions from judged calls to counts and shares.

A violation is one rule broken in one call; how many places show it does not make it more (audit/score.py).
What is unsure and what customers say of themselves are counted apart and never enter a rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from math import sqrt
from typing import Literal

from audit.calls import CallRecord
from audit.score import Scorecard, Verdict, is_signal
from audit.store import Failure, RuleCard
from rules.model import CATEGORIES, Finding, Result, Severity
from transcribe.model import Turn

By = Literal["collector", "team", "rule"]

# 95 % of the normal distribution lies within this many standard deviations.
_Z = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One rule that came out fail or unsure on one call, with the places that show it in order of time."""

    rule: RuleCard
    severity: Severity
    result: Result
    places: tuple[Finding, ...]

    @property
    def is_signal(self) -> bool:
        return is_signal(self.rule.category)

    @property
    def is_violation(self) -> bool:
        return self.result is Result.FAIL and not self.is_signal

    @property
    def is_unsure(self) -> bool:
        return self.result is Result.UNSURE and not self.is_signal


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCall:
    """One call of the report. `duration_ms` is what was heard; `recording` the SHA-256 of the file."""

    record: CallRecord
    recording: str
    duration_ms: int
    notes: tuple[str, ...]
    role_confidence: float
    card: Scorecard
    issues: tuple[Issue, ...]

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
    """Everything a report says, read once. `dialogues`: recording → turns, for the calls shown in full."""

    store: str
    since: date | None
    until: date | None
    by: By
    provenance: tuple[Provenance, ...]
    calls: tuple[JudgedCall, ...]
    failures: tuple[Failure, ...]
    dialogues: Mapping[str, tuple[Turn, ...]]
    audited_at: datetime | None = None

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
class Tally:
    """Violations, unsure outcomes and the number of calls with at least one violation."""

    violations: int
    unsure: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table by collector, team or rule; `ms` is sound heard, `score` the mean of the calls.

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
    rule: RuleCard | None = None

    @property
    def per_100(self) -> float | None:
        """Violations per 100 calls; None without calls."""
        return 100 * self.violations / self.calls if self.calls else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The summary of a report."""

    calls: int
    ms: int
    failures: int
    violations: int
    unsure: int
    with_violation: Share
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


def figures(data: ReportData) -> Figures:
    """All counts of the report."""
    calls = data.calls
    return Figures(
        calls=len(calls),
        ms=sum(call.duration_ms for call in calls),
        failures=len(data.failures),
        violations=sum(len(call.violations) for call in calls),
        unsure=sum(len(call.unsure) for call in calls),
        with_violation=wilson(sum(bool(call.violations) for call in calls), len(calls)),
        verdicts={verdict: sum(call.card.verdict is verdict for call in calls) for verdict in Verdict},
        by_severity={s: _tally(calls, partial(_of_severity, s)) for s in Severity},
        by_category=_by_category(calls),
        signals=_signals(calls),
        duties=_duties(calls),
        lines=_lines(data),
    )


def flagged(calls: Iterable[JudgedCall]) -> list[JudgedCall]:
    """Calls that someone should read, worst first: violations, then unsure, then grave signals."""
    return sorted((call for call in calls if _gravity(call) != (-1, -1, -1)), key=_order)


def _order(call: JudgedCall) -> tuple[tuple[int, ...], int, str, str]:
    started = call.record.started_at.isoformat() if call.record.started_at else ""
    return tuple(-rank for rank in _gravity(call)), call.card.score, started, call.record.call_id


def _gravity(call: JudgedCall) -> tuple[int, int, int]:
    """Highest rank of violations, of unsure outcomes, and of signals if high or worse; -1 for none."""
    signals = [s for s in call.signals if s.severity.rank >= Severity.HIGH.rank]
    return _worst(call.violations), _worst(call.unsure), _worst(signals)


def _worst(issues: Iterable[Issue]) -> int:
    return max((issue.severity.rank for issue in issues), default=-1)


def _tally(calls: Iterable[JudgedCall], wanted: Callable[[Issue], bool]) -> Tally:
    violations = [sum(map(wanted, call.violations)) for call in calls]
    unsure = sum(sum(map(wanted, call.unsure)) for call in calls)
    return Tally(violations=sum(violations), unsure=unsure, calls=sum(map(bool, violations)))


def _by_category(calls: Sequence[JudgedCall]) -> dict[str, Tally]:
    """Categories that occur, in the order of the closed list."""
    seen = {issue.rule.category for call in calls for issue in call.issues if not issue.is_signal}
    return {c: _tally(calls, partial(_of_category, c)) for c in CATEGORIES if c in seen}


def _of_severity(severity: Severity, issue: Issue) -> bool:
    return issue.severity is severity


def _of_category(category: str, issue: Issue) -> bool:
    return issue.rule.category == category


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


def _lines(data: ReportData) -> tuple[Line, ...]:
    """Rows of the table, most violations per call first."""
    lines = _rule_lines(data.calls) if data.by == "rule" else _people_lines(data.calls, data.by)
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
    everything = _tally(calls, lambda issue: True)
    return Line(
        key=key,
        name=key if by == "team" else next(iter(names), key),
        team=next(iter(teams), ""),
        calls=len(calls),
        ms=sum(call.duration_ms for call in calls),
        violations=everything.violations,
        unsure=everything.unsure,
        by_severity=_severities(issue for call in calls for issue in call.violations),
        calls_with=everything.calls,
        duties=_duties(calls),
        score=sum(call.card.score for call in calls) / len(calls),
    )


def _rule_lines(calls: Sequence[JudgedCall]) -> list[Line]:
    rules = {issue.rule.id: issue for call in calls for issue in call.issues if not issue.is_signal}
    return [_rule_line(issue, calls) for issue in rules.values()]


def _rule_line(seen: Issue, calls: Sequence[JudgedCall]) -> Line:
    tally = _tally(calls, lambda issue: issue.rule.id == seen.rule.id)
    return Line(
        key=seen.rule.id,
        name=seen.rule.title,
        team="",
        calls=len(calls),
        ms=sum(call.duration_ms for call in calls),
        violations=tally.violations,
        unsure=tally.unsure,
        by_severity={s: tally.violations if s is seen.severity else 0 for s in Severity},
        calls_with=tally.calls,
        duties=wilson(0, 0),
        score=None,
        rule=seen.rule,
    )


def _severities(issues: Iterable[Issue]) -> dict[Severity, int]:
    seen = [issue.severity for issue in issues]
    return {severity: seen.count(severity) for severity in Severity}
