"""What is typed into a complaint's fields and not saved yet: it stands while one looks at other complaints, and is held
against what colleagues save meanwhile.

Streamlit forgets a field that is not drawn; so what was typed lies in the session, under the complaint's number and the
names of the fields that are saved together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from audit.complaint_record import Complaint

Names = tuple[str, ...]
"""The fields that one button saves."""
_DRAFTS = "complaint_drafts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was `typed` by field, and the complaint as it was `read` by whoever began to type."""

    read: Complaint
    typed: Mapping[str, str | None]

    def clashes(self, one: Complaint, names: Names) -> list[str]:
        """Which of the fields somebody has changed since."""
        return [name for name in names if getattr(self.read, name) != getattr(one, name)]


def draft(one: Complaint, names: Names) -> Draft | None:
    """What is typed and not saved; None where it is what the store holds anyhow."""
    found = _drafts().get((one.id, names))
    if found is not None and all(_said(value) == getattr(one, name) for name, value in found.typed.items()):
        forget(one, names)
        return None
    return found


def forget(one: Complaint, names: Names) -> None:
    """What was typed is not wanted any more; the fields show what the store holds."""
    _drafts().pop((one.id, names), None)


def field(one: Complaint, name: str, names: Names) -> dict[str, Any]:
    """The arguments with which a widget shows one of the fields, as typed or as it stands, and keeps what is typed.

    `read` of a draft is the complaint with which its first field was drawn, whatever the store holds by then.
    """
    key = f"complaint_{name}_{one.id}"
    found = draft(one, names)
    shown = getattr(one, name) if found is None else found.typed.get(name, getattr(one, name))
    if key not in st.session_state or _said(st.session_state[key]) != _said(shown):
        st.session_state[key] = shown
    return {"key": key, "on_change": _typed, "args": (one, name, names)}


def _typed(one: Complaint, name: str, names: Names) -> None:
    found = _drafts().get((one.id, names)) or Draft(read=one, typed={})
    value = st.session_state[f"complaint_{name}_{one.id}"]
    typed = {**found.typed, name: None if value is None else str(value)}
    _drafts()[one.id, names] = Draft(read=found.read, typed=typed)


def _drafts() -> dict[tuple[int, Names], Draft]:
    kept: dict[tuple[int, Names], Draft] = st.session_state.setdefault(_DRAFTS, {})
    return kept


def _said(value: str | None) -> str | None:
    """A field's value as the store keeps it."""
    return (value or "").strip() or None
