"""What several calls break together, as people look through it: counts, a list with numbers masked, the calls named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audit.access import Action, Actor, require
from audit.redact import find_private, mask
from audit.store import conduct as rows
from audit.store.conduct import Grounds, KeptConduct, NamedCall
from rules.model import Result

if TYPE_CHECKING:
    from audit.store import Filter, Store
    from audit.unmask import Unmasking

MOST_ROWS = 500
SUBJECT = "conduct"
"""What an unmasking of the list, and an export of it, is called in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which findings: of these days and calls, of one rule or of all."""

    which: Filter
    rule_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How many findings of each rule are violations, and how many unsure, under a filter."""

    counts: Mapping[tuple[str, Result], int]
    grounds: Grounds

    def of(self, result: Result, rule_id: str | None = None) -> int:
        """Findings of a rule, or of all of them."""
        return sum(n for (rule, found), n in self.counts.items() if found is result and rule_id in (None, rule))


def figures(store: Store, which: Filter, *, actor: Actor) -> Figures:
    """Counts under a filter, and what they rest on; `Refused`."""
    require(actor, Action.SEE_QUEUE)
    return Figures(counts=rows.counts(store, which), grounds=rows.grounds(store))


def latest(store: Store, wanted: Wanted, *, actor: Actor, unmasking: Unmasking | None = None) -> list[KeptConduct]:
    """The latest findings, at most `MOST_ROWS`, with numbers masked unless they are unmasked; `Refused`."""
    require(actor, Action.SEE_QUEUE)
    found = rows.kept(store, wanted.which, rule_id=wanted.rule_id, latest=MOST_ROWS)
    return found if unmasked(unmasking, actor) else [masked(one) for one in found]


def every(store: Store, wanted: Wanted, *, actor: Actor, unmasking: Unmasking | None = None) -> list[KeptConduct]:
    """All of them in order of day, for a file; `Refused`."""
    require(actor, Action.SEE_QUEUE)
    found = rows.kept(store, wanted.which, rule_id=wanted.rule_id)
    return found if unmasked(unmasking, actor) else [masked(one) for one in found]


def named_calls(store: Store, finding: KeptConduct, *, actor: Actor) -> list[NamedCall]:
    """The calls and attempts that a finding names; `Refused`."""
    require(actor, Action.SEE_QUEUE)
    return rows.named_calls(store, finding)


def unmasked(unmasking: Unmasking | None, actor: Actor) -> bool:
    """Whether this person sees numbers now."""
    return unmasking is not None and unmasking.holds(SUBJECT, actor)


def masked(finding: KeptConduct) -> KeptConduct:
    """As it may leave the house: the number that was dialled is covered."""
    return replace(finding, subject=mask(finding.subject, find_private(finding.subject)))
