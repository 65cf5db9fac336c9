"""What a complaint is: as it comes in, as it stands, and what was done to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from unicodedata import normalize

from audit.complaint_clock import BEIJING, Clock, Complexity, Status, Terms, clock
from audit.complaint_terms import Outcome
from audit.store.connection import packed

_NAMELESS = {"匿名", "匿名用户", "不详", "未知", "客户", "anonymous", "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What is known when a complaint comes in. `received_at` has an offset; closed lists: complaint_terms."""

    received_at: datetime
    channel: str
    text: str
    complainant: str | None = None
    debtor_id: str | None = None
    case_id: str | None = None
    agent_id: str | None = None
    category: str | None = None

    @property
    def digest(self) -> str:
        """The same for the same complaint, so that taking it in again changes nothing.

        Collector and category are left out: they are often known only in a later copy of the list.
        """
        known = [self.received_at.astimezone(BEIJING).isoformat(timespec="seconds"), self.channel, self.text.strip()]
        known += [self.complainant or "", self.debtor_id or "", self.case_id or ""]
        return sha256(packed(known).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A complaint as it stands. Days are Beijing's. `late`: it was once answered after its last day.

    `revision` goes up with every change: who changes a complaint says which one they read. `repeats` and `calls`
    count related complaints and linked calls where they were asked for.
    """

    id: int
    received_at: datetime
    received_on: date
    channel: str
    complainant: str | None
    debtor_id: str | None
    case_id: str | None
    agent_id: str | None
    team: str | None
    product: str | None
    category: str | None
    text: str
    status: Status
    complexity: Complexity
    clock_from: date
    due_on: date
    answered_on: date | None
    closed_on: date | None
    late: bool
    outcome: Outcome | None
    cause: str | None
    remedy: str | None
    answer: str | None
    revision: int
    created_by: str
    repeats: int = 0
    calls: int = 0

    def clock(self, *, today: date, terms: Terms) -> Clock:
        """How it stands against its last day."""
        return clock(self.due_on, answered=self.answered_on, today=today, terms=terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of a complaint's history: `what` is registered, changed, moved, extended, linked or unlinked."""

    at: datetime
    actor: str
    role: str
    what: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str


def person_key(name: str | None) -> str | None:
    """A complainant's name without spaces and width; None for the nameless."""
    key = "".join(normalize("NFKC", name or "").casefold().split())
    return None if len(key) < 2 or key in _NAMELESS else key


def plain(intake: Intake) -> dict[str, Any]:
    """An intake's fields as the store keeps them."""
    values = {f.name: getattr(intake, f.name) for f in fields(intake)}
    return values | {"received_at": intake.received_at.isoformat(), "text": intake.text.strip()}


def complaint_of(row: Mapping[str, Any]) -> Complaint:
    """A complaint from its row in the store."""
    values = {f.name: row[f.name] for f in fields(Complaint) if f.name in row}
    for name in ("received_on", "clock_from", "due_on", "answered_on", "closed_on"):
        values[name] = None if row[name] is None else date.fromisoformat(row[name])
    return Complaint(
        **values
        | {
            "received_at": datetime.fromisoformat(row["received_at"]),
            "status": Status(row["status"]),
            "complexity": Complexity(row["complexity"]),
            "late": bool(row["late"]),
            "outcome": None if row["outcome"] is None else Outcome(row["outcome"]),
        }
    )


def change_of(row: Mapping[str, Any]) -> Change:
    """An entry of the history from its row in the store."""
    return Change(
        at=datetime.fromisoformat(row["at"]),
        actor=row["actor"],
        role=row["role"],
        what=row["what"],
        before=json.loads(row["before"]),
        after=json.loads(row["after"]),
        reason=row["reason"] or "",
    )
