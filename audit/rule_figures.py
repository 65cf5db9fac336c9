"""How each rule does in use: how often it fires, and how often people agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit.access import Action, Actor, require
from audit.figures import Share, wilson
from audit.store import Filter, Store, tallies
from audit.store.tallies import RuleLine


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFigures:
    """Of one rule under a filter. `calls`: those in which the machine finds it, of `of` judged calls.

    `precision`: of what people judged (places, not calls), confirmed or partly right. `waiting`: places that nobody has
    judged. `missed`: places that people added.
    """

    calls: int
    of: int
    precision: Share
    violations: int
    dismissed: int
    waiting: int
    missed: int

    @property
    def per_1000(self) -> float | None:
        """Calls in which it fires, of a thousand."""
        return 1000 * self.calls / self.of if self.of else None


NOTHING = RuleFigures(
    calls=0, of=0, precision=wilson(0, 0), violations=0, dismissed=0, waiting=0, missed=0
)  # fmt: skip


def rule_figures(store: Store, which: Filter, *, actor: Actor) -> dict[str, RuleFigures]:
    """Figures by rule id, for rules that ever fired; empty for roles that see confirmed findings only. `Refused`."""
    require(actor, Action.SEE_RULES)
    if actor.only_confirmed:
        return {}
    calls = tallies.totals(store, which).calls
    by_rule: dict[str, list[RuleLine]] = {}
    for line in tallies.by_rule(store, which):
        by_rule.setdefault(str(line.key[0]), []).append(line)
    return {rule_id: _figures(lines, calls) for rule_id, lines in by_rule.items()}


def _figures(lines: Iterable[RuleLine], calls: int) -> RuleFigures:
    """A rule has several lines where its category or severity has changed."""
    lines = list(lines)
    right = sum(line.confirmed + line.partial for line in lines)
    wrong = sum(line.dismissed for line in lines)
    return RuleFigures(
        calls=sum(line.calls for line in lines),
        of=calls,
        precision=wilson(right, right + wrong),
        violations=sum(line.violations for line in lines),
        dismissed=wrong,
        waiting=sum(line.waiting for line in lines),
        missed=sum(line.missed for line in lines),
    )
