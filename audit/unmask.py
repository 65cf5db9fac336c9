"""Showing personal data as it was said: who may, why, for how long; each time is an entry in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit import ledger
from audit.access import Action, Actor, require
from audit.errors import AuditError
from audit.redact import find_private, mask
from audit.store import Store

LASTS = timedelta(minutes=30)
"""How long one reason holds; then the mask is back, and who needs more says why again."""

SHORTEST_REASON = 4


class NoReason(AuditError):
    """An unmasking without a reason that somebody could check later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmasking:
    """That somebody was let see one thing unmasked: `subject` is a call's id, or what an export holds."""

    subject: str
    by: str
    until: datetime
    entry: int

    def holds(self, subject: str, actor: Actor) -> bool:
        """Whether this lets the actor see the subject now."""
        return (subject, actor.name) == (self.subject, self.by) and datetime.now(UTC) < self.until


def unmask(store: Store, subject: str, reason: str, *, actor: Actor) -> Unmasking:
    """Let the actor see a call, or a list, unmasked; `Refused` where the role may not, `NoReason` without a reason."""
    return _let(store, subject, reason, actor=actor, action=Action.UNMASK)


def unmask_export(store: Store, subject: str, reason: str, *, actor: Actor) -> Unmasking:
    """Let the actor take an unmasked report or package out of the house; `Refused`, `NoReason`."""
    return _let(store, subject, reason, actor=actor, action=Action.EXPORT_UNMASKED)


def _let(store: Store, subject: str, reason: str, *, actor: Actor, action: Action) -> Unmasking:
    require(actor, action)
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise NoReason(f"请写明查看原文的理由（至少 {SHORTEST_REASON} 个字），它会记入台账")
    # The ledger keeps its entries for ever: no name or number may get into it by way of a reason.
    kept = mask(reason, find_private(reason))
    head = ledger.record(
        store, actor=actor, kind=ledger.Kind.UNMASK, subject=subject, data={"reason": kept, "right": action.value}
    )
    return Unmasking(subject=subject, by=actor.name, until=datetime.now(UTC) + LASTS, entry=head.seq)
