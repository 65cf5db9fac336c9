"""What the player and the pages say of a finding: its sign, title, clause and where its review stands."""

from __future__ import annotations

from audit.review import title
from audit.store import RuleCard
from audit.store.queue import FOLLOWED_UP, Item
from dashboard.player import ICONS, Mark, Style
from dashboard.words import lang, t
from rules.model import Finding, Result


def style(item: Item) -> Style:
    """Severity; but what the machine doubts, and what customers say of themselves, look different."""
    if item.category == FOLLOWED_UP:
        return "signal"
    return "unsure" if item.result is Result.UNSURE else item.severity.value


def sign(item: Item) -> str:
    """The icon and the word for the severity: never a colour alone."""
    return f"{ICONS[style(item)]} {t(f'review.{item.severity.value}')}"


def heading(item: Item, card: RuleCard | None) -> str:
    """The rule's title in the reader's language."""
    return title(item.rule_id, card, lang=lang())


def clause(card: RuleCard | None) -> str:
    """Instrument and clause of the first reference; empty where the rule cites none."""
    if card is None or not card.references:
        return ""
    first = card.references[0]
    return " ".join(part for part in (first.instrument, first.clause) if part)


def mark(item: Item, finding: Finding, card: RuleCard | None) -> Mark:
    """The finding for the player."""
    return Mark(
        key=item.key,
        turn=finding.turn,
        start=finding.start,
        end=finding.end,
        start_ms=finding.start_ms,
        end_ms=finding.end_ms,
        style=style(item),
        title=heading(item, card),
        because=finding.because,
        clause=clause(card),
        heard_as=finding.heard_as or "",
        state=t(f"review.{item.state.value}"),
    )
