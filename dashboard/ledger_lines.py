"""What an entry of the ledger is about and what was noted of it, in words; what has none stays as it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audit.ledger import Entry, Kind
from dashboard.words import t
from dashboard.words.operations import WORDS

_NUMBERED = re.compile(r"(?P<what>playlist|assignment|plan|sample|run)[:\- ](?P<n>\d+)")
_HASH = re.compile(r"[0-9a-f]{32,64}")


def subject(entry: Entry) -> str:
    """Whom or what it is about: 投诉 3, 抽检样本 1, 投诉统计; a call's or a finding's id as it is."""
    if entry.kind == Kind.COMPLAINT:
        return t("complaints.heading", id=entry.subject)
    if found := _NUMBERED.fullmatch(entry.subject):
        return t(f"operations.about_{found['what']}", n=found["n"])
    return _word(f"about_{entry.subject.replace(' ', '_')}", entry.subject)


def content(data: Mapping[str, Any]) -> str:
    """What was noted, name by name: 通话：20261023-A03-0120；后来：已驳回; what is empty is left out."""
    said = [f"{_word(f'noted_{name}', name)}{t('shell.colon')}{_value(value)}" for name, value in data.items() if value]
    return t("shell.semicolon").join(said)


def _value(value: object) -> str:
    if value is True:
        return t("operations.yes")
    if isinstance(value, Mapping):
        return t("shell.brackets", what=content(value))
    if isinstance(value, list | tuple):
        return t("shell.comma").join(map(_value, value))
    text = str(value)
    return f"{text[:8]}…" if _HASH.fullmatch(text) else _word(f"is_{text}", text)


def _word(key: str, otherwise: str) -> str:
    return t(f"operations.{key}") if key in WORDS else otherwise
