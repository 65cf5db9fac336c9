"""Whether coaching helped: a collector's calls before and after, periods of the same length, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from audit.estimates import difference
from audit.figures import Share, wilson

LONGEST = 30
"""Days on each side at most: further back other things have changed too."""
FEWEST_CALLS = 30
"""With fewer calls on either side the interval is wider than any change that one could hope for."""


class Verdict(StrEnum):
    """What the figures allow one to say."""

    TOO_FEW = "too_few"
    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Local days, both included."""

    since: date
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One period: the share of calls with a confirmed violation; `waiting` calls have findings nobody judged yet."""

    span: Span
    rate: Share
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Before and after. `change` is after less before as a share, with Newcombe's 95 % interval."""

    before: Side
    after: Side
    change: float | None
    low: float | None
    high: float | None
    verdict: Verdict


def spans(heard_on: date, *, today: date) -> tuple[Span, Span] | None:
    """Periods before and after the day when the playlist was heard, which is in neither, nor is today.

    None where no whole day has passed since.
    """
    days = min(LONGEST, (today - heard_on).days - 1)
    if days < 1:
        return None
    day = timedelta(days=1)
    before = Span(since=heard_on - days * day, until=heard_on - day)
    return before, Span(since=heard_on + day, until=heard_on + days * day)


def side(span: Span, *, calls: int, confirmed: int, waiting: int) -> Side:
    """One period from its counts."""
    return Side(span=span, rate=wilson(confirmed, calls), waiting=waiting)


def effect(before: Side, after: Side) -> Effect:
    """What the two periods say together."""
    found = difference(after.rate, before.rate)
    verdict = _verdict(found.low, found.high, few=found.of < FEWEST_CALLS)
    return Effect(
        before=before, after=after, change=found.value, low=found.low, high=found.high, verdict=verdict
    )


def _verdict(low: float | None, high: float | None, *, few: bool) -> Verdict:
    if few or low is None or high is None:
        return Verdict.TOO_FEW
    if high < 0:
        return Verdict.BETTER
    return Verdict.WORSE if low > 0 else Verdict.UNCLEAR
