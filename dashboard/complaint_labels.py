"""How a complaint reads on a page: its clock with a sign and a colour, its closed lists in the reader's language."""

from __future__ import annotations

from datetime import date
from typing import Literal

from audit.complaint_clock import BEIJING, Clock, Pace, Terms
from audit.complaint_record import Change, Complaint
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CAUSES, CHANNELS, Labels
from audit.exports import Table
from audit.figures import Share
from dashboard.words import lang, t
from rules.model import FOUND

Colour = Literal["gray", "orange", "red", "green", "violet"]

ICONS: dict[Pace, str] = {
    Pace.ON_TIME: ":material/schedule:",
    Pace.DUE_SOON: ":material/hourglass_bottom:",
    Pace.OVERDUE: ":material/warning:",
    Pace.MET: ":material/check_circle:",
    Pace.MISSED: ":material/error:",
}
SIGNS: dict[Pace, str] = {
    Pace.ON_TIME: "○", Pace.DUE_SOON: "◐", Pace.OVERDUE: "⚠", Pace.MET: "✓", Pace.MISSED: "✗",
}  # fmt: skip
"""The same in tables, which have no icons."""
COLOURS: dict[Pace, Colour] = {
    Pace.ON_TIME: "gray",
    Pace.DUE_SOON: "orange",
    Pace.OVERDUE: "red",
    Pace.MET: "green",
    Pace.MISSED: "violet",
}
_FIELDS = {
    "status": "c_status", "complexity": "complexity", "due_on": "c_due_on", "answered_on": "c_answered_on",
    "closed_on": "c_closed_on", "channel": "c_channel", "complainant": "c_complainant", "debtor_id": "c_debtor",
    "case_id": "c_case", "agent_id": "c_agent", "category": "c_category", "outcome": "c_outcome",
    "cause": "c_cause", "remedy": "c_remedy", "answer": "c_answer", "call_id": "call_id",
}  # fmt: skip
"""Fields of the history that people read, and what they are called."""
INKS: dict[Pace, str] = {Pace.DUE_SOON: "#8a4b00", Pace.OVERDUE: "#a3121f", Pace.MISSED: "#5b3a9b"}
"""Text colours in tables, at least 4.5 : 1 on white; other paces keep the page's own."""


def pace(found: Clock) -> str:
    """超期 3 天, 剩 5 天 …"""
    if found.pace is Pace.DUE_SOON and found.days_left == 0:
        return t("complaints.due_today")
    return t(f"complaints.{found.pace}", n=abs(found.days_left))


def one_of(key: str | None, labels: Labels) -> str:
    """The label of a key in the reader's language; a dash where there is none."""
    if key is None:
        return "—"
    zh, en = labels.get(key, (key, key))
    return en if lang() == "en" else zh


def channel(key: str) -> str:
    """The channel in full."""
    return one_of(key, CHANNELS)


def short_channel(key: str) -> str:
    """The channel for a narrow column: its number where it has one."""
    return key if key.isdecimal() else channel(key)


def category(key: str | None) -> str:
    """The category of a complaint or of a finding."""
    return one_of(key, FOUND if key in FOUND else CATEGORIES_OF_COMPLAINTS)


def cause(key: str | None) -> str:
    """The root cause."""
    return one_of(key, CAUSES)


def changes(step: Change) -> str:
    """What a step changed, field by field: 结论 — → 属实；…；and the reason."""
    fields = [name for name in {**step.before, **step.after} if name in _FIELDS]
    said = []
    for name in fields:
        before, after = (_value(name, values.get(name)) for values in (step.before, step.after))
        arrow = f"{before} → {after}" if name in step.before else after
        said.append(f"{t(f'complaints.{_FIELDS[name]}')} {arrow}")
    if step.reason:
        said.append(f"{t('complaints.reason')}{t('shell.colon')}{step.reason}")
    return t("shell.semicolon").join(said)


def field(name: str, value: object) -> str:
    """A field of the history and its value: 结论：属实."""
    return f"{t(f'complaints.{_FIELDS[name]}')}{t('shell.colon')}{_value(name, value)}"


def _value(name: str, value: object) -> str:
    if value is None or value == "":
        return "—"
    tables = {"category": category, "cause": cause, "channel": channel}
    if name in tables:
        return tables[name](str(value))
    if name in ("status", "outcome", "complexity"):
        return t(f"complaints.{value}")
    return str(value)


def percent(share: Share) -> str:
    """12%, or a dash without a sample."""
    return "—" if share.share is None else f"{share.share:.0%}"


def sample(share: Share) -> str:
    """What a share rests on."""
    if share.low is None or share.high is None:
        return ""
    low, high = f"{share.low:.0%}", f"{share.high:.0%}"
    return t("complaints.m_interval", hits=share.hits, of=share.of, low=low, high=high)


def as_table(complaints: list[Complaint], *, today: date, terms: Terms, with_words: bool) -> Table:
    """The list for another program; names and words only where asked for."""
    headings = [
        "id", "received", "channel", "status", "due_on", "pace", "answered_on", "closed_on", "agent", "team", "product",
        "debtor", "case", "category", "outcome", "cause", "calls", "repeats",
    ]  # fmt: skip
    rows = [
        (
            one.id, one.received_at.astimezone(BEIJING).replace(tzinfo=None), channel(one.channel),
            t(f"complaints.{one.status}"), one.due_on,
            pace(one.clock(today=today, terms=terms)), one.answered_on, one.closed_on, one.agent_id,
            one.team, one.product, one.debtor_id, one.case_id, category(one.category),
            t(f"complaints.{one.outcome}") if one.outcome else None, cause(one.cause), one.calls, one.repeats,
            *((one.complainant, one.text, one.answer, one.remedy) if with_words else ()),
        )
        for one in complaints
    ]  # fmt: skip
    headings += ["complainant", "text", "answer", "remedy"] if with_words else []
    return Table(
        name=t("complaints.title"),
        subject="complaints",
        headings=tuple(t(f"complaints.c_{name}") for name in headings),
        rows=tuple(rows),
        unmasked=with_words,
    )
