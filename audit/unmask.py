"""Showing personal data as it was said: who may, why, for how long; each time is an entry in the ledger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit import ledger
from audit.access import Action, Actor, require
from audit.errors import AuditError
from audit.redact import Kind, Private, find_private, mask
from audit.store import Store
from rules.numerals import FOLD

LASTS = timedelta(minutes=30)
"""How long one reason holds; then the mask is back, and who needs more says why again."""

SHORTEST_REASON = 4

# 2026-118号, (2026)118: a year with something behind it, as references have it and phones do not.
_YEAR_FIRST = re.compile(r"20[0-4]\d\s*[-_/—年(（〔\[)）〕\]]")
_REFERENCE = re.compile(
    r"(?:文号|案号|卷号|编号|工单号?|单号|投诉号|受理号|来函|[函字]第?|第|调取|调证|调阅)"
    r"[^0-9一-鿿]{0,3}[A-Za-z]{0,8}[-_ ]?$"
)
_MOST_DIGITS = 14  # of a reference; identity cards have 15 or 18, bank cards 16 or more


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
        raise NoReason(f"请写明查看原文的理由（至少 {SHORTEST_REASON} 个字），它会记入账本")
    kept = _without_people(reason)
    head = ledger.record(
        store, actor=actor, kind=ledger.Kind.UNMASK, subject=subject, data={"reason": kept, "right": action.value}
    )
    return Unmasking(subject=subject, by=actor.name, until=datetime.now(UTC) + LASTS, entry=head.seq)


def _without_people(reason: str) -> str:
    """The reason as the ledger keeps it for ever: no name or number of a person, but the reference of the case."""
    return mask(reason, [span for span in find_private(reason) if not _is_reference(reason.translate(FOLD), span)])


def _is_reference(reason: str, span: Private) -> bool:
    """A number that nothing calls a phone, card or contract, and that is written as files are numbered."""
    number = reason[span.start : span.end]
    digits = re.sub(r"[^0-9]", "", number)
    if span.kind is not Kind.NUMBER or not 0 < len(digits) <= _MOST_DIGITS:
        return False
    labelled = _REFERENCE.search(reason, 0, span.start) is not None and digits[0] not in "01"
    return labelled or _YEAR_FIRST.match(number) is not None
