"""What the player and the pages say of a finding: its sign, title, clause and where its review stands."""

from __future__ import annotations

from datetime import datetime

from audit.access import LOCAL
from audit.config import CHINA
from audit.review import REASONS, Policy, title
from audit.store import RuleCard
from audit.store.queue import FOLLOWED_UP, Item
from audit.store.verdicts import Verdict
from dashboard import data
from dashboard.player import ICONS, Mark, Style
from dashboard.words import lang, t
from rules.model import Finding, Result

_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in r"\`*_{}[]<>()#+-.!|~$:"} | {"\n": " "})


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


def plain(text: str) -> str:
    """Words that people said or typed are no Markdown."""
    return text.translate(_MARKUP)


def beijing(at: datetime) -> str:
    """Day and minute as the wall clock there shows them."""
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"


def person(name: str) -> str:
    """Who did something; whoever sat at a machine without accounts has no name of their own."""
    return t("shell.local_name") if name == LOCAL.name else name


def said(entry: Verdict) -> str:
    """One line of a history: when, who, what and why."""
    labels = REASONS.get(entry.kind, {}).get(entry.reason or "")
    parts = [t(f"review.k_{entry.kind.value}"), None if labels is None else labels[lang() == "en"], entry.comment]
    at = beijing(datetime.fromisoformat(entry.at))
    return f"{at}  {person(entry.by)}  " + " · ".join(part for part in parts if part)


def policy() -> Policy:
    """What callaudit.toml says of reviews and appeals."""
    given = data.config()
    return Policy(two_reviewers=given.two_reviewers, appeal_days=given.appeal_days)


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
