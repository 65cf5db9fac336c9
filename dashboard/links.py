"""Links from one page to another, with what to show there; none where the reader may not open it."""

from __future__ import annotations

import streamlit as st

from audit.access import Action, may
from dashboard import data

_NEEDS = {
    "review": Action.SEE_QUEUE,
    "call": Action.SEE_CALL,
    "collectors": Action.SEE_COLLECTORS,
    "complaints": Action.SEE_COMPLAINTS,
    "rules_page": Action.SEE_RULES,
    "operations": Action.SEE_OPERATIONS,
}


def link(page: str, label: str, *, icon: str | None = None, **shown: str) -> None:
    """A link to a page, `shown` in its address; the filters go along."""
    if may(data.actor(), _NEEDS[page]):
        st.page_link(f"views/{page}.py", label=label, icon=icon, query_params=shown or None)
