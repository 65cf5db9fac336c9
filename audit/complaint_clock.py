"""A complaint's status and its clock: which step may follow which, and how many days are left, in Beijing days.

The periods are those of 《银行业保险业消费投诉处理管理办法》 (银保监会令 2020 年第 3 号): 15 days where the facts are
clear, 30 where they are complex, 30 more where they are especially so and that was approved and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

BEIJING = timezone(timedelta(hours=8))


class Status(StrEnum):
    """How far a complaint has come. The clock runs until it is answered."""

    RECEIVED = "received"
    INVESTIGATING = "investigating"
    ANSWERED = "answered"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        """As complaint desks say it."""
        return _LABELS[self]

    @property
    def running(self) -> bool:
        """Whether the complainant still waits for an answer."""
        return self in (Status.RECEIVED, Status.INVESTIGATING)


class Complexity(StrEnum):
    """What the period hangs on."""

    SIMPLE = "simple"
    COMPLEX = "complex"
    VERY_COMPLEX = "very_complex"

    @property
    def label(self) -> str:
        """As the regulation says it."""
        return {"simple": "简单", "complex": "复杂", "very_complex": "特别复杂"}[self.value]


class Pace(StrEnum):
    """Where a complaint stands against its day."""

    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    MET = "met"
    MISSED = "missed"


_LABELS = {
    Status.RECEIVED: "已受理",
    Status.INVESTIGATING: "调查中",
    Status.ANSWERED: "已答复",
    Status.CLOSED: "已办结",
}
NEXT: Mapping[Status, tuple[Status, ...]] = {
    Status.RECEIVED: (Status.INVESTIGATING, Status.ANSWERED),
    Status.INVESTIGATING: (Status.ANSWERED,),
    Status.ANSWERED: (Status.CLOSED, Status.INVESTIGATING),
    Status.CLOSED: (Status.INVESTIGATING,),
}
"""Which status may follow which. Back to investigating is a reopening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Days for each complexity, and how many days before the last one a complaint is due soon."""

    simple: int = 15
    complex: int = 30
    very_complex: int = 60
    due_soon: int = 3

    def days(self, complexity: Complexity) -> int:
        """Days until an answer is due."""
        return {"simple": self.simple, "complex": self.complex, "very_complex": self.very_complex}[complexity.value]


STANDARD = Terms()
"""The regulation's own periods; callaudit.toml may set others."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`days_left` is 0 on the last day and negative after it; for an answered complaint, at its answer."""

    pace: Pace
    days_left: int


def beijing_day(moment: datetime) -> date:
    """The day in Beijing; `moment` has an offset."""
    return moment.astimezone(BEIJING).date()


def due_on(start: date, complexity: Complexity, terms: Terms) -> date:
    """The last day for an answer: the day of receipt doesn't count, the last day does, whole."""
    return start + timedelta(days=terms.days(complexity))


def clock(due: date, *, answered: date | None, today: date, terms: Terms) -> Clock:
    """How a complaint stands on `today`, or stood when it was answered."""
    left = (due - (answered or today)).days
    if answered is not None:
        return Clock(Pace.MET if left >= 0 else Pace.MISSED, left)
    if left < 0:
        return Clock(Pace.OVERDUE, left)
    return Clock(Pace.DUE_SOON if left <= terms.due_soon else Pace.ON_TIME, left)


def is_reopening(before: Status, after: Status) -> bool:
    """Whether the step takes up again what was answered."""
    return not before.running and after.running
