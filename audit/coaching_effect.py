"""Whether coaching helped: a collector's calls before and after, periods of the same length, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import sqrt

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


def difference(before: Share, after: Share) -> tuple[float, float, float] | None:
    """after - before with its 95 % interval from the two Wilson intervals (Newcombe 1998, method 10).

    None where either side has no calls.
    """
    if None in (before.share, before.low, before.high, after.share, after.low, after.high):
        return None
    b, b_low, b_high = (float(value or 0) for value in (before.share, before.low, before.high))
    a, a_low, a_high = (float(value or 0) for value in (after.share, after.low, after.high))
    change = a - b
    low = change - sqrt((a - a_low) ** 2 + (b_high - b) ** 2)
    high = change + sqrt((a_high - a) ** 2 + (b - b_low) ** 2)
    return change, low, high


def side(span: Span, *, calls: int, confirmed: int, waiting: int) -> Side:
    """One period from its counts."""
    return Side(span=span, rate=wilson(confirmed, calls), waiting=waiting)


def effect(before: Side, after: Side) -> Effect:
    """What the two periods say together."""
    found = difference(before.rate, after.rate)
    change, low, high = found or (None, None, None)
    few = min(before.rate.of, after.rate.of) < FEWEST_CALLS
    return Effect(before=before, after=after, change=change, low=low, high=high, verdict=_verdict(low, high, few=few))


def _verdict(low: float | None, high: float | None, *, few: bool) -> Verdict:
    if few or low is None or high is None:
        return Verdict.TOO_FEW
    if high < 0:
        return Verdict.BETTER
    return Verdict.WORSE if low > 0 else Verdict.UNCLEAR
