"""Ways from one page to another: links with what to show there, none where the reader may not open it; first steps."""

from __future__ import annotations

import shlex

import streamlit as st

from audit.access import Action, may
from dashboard import data, filters
from dashboard.words import t

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


def nothing_audited() -> None:
    """While the store has no call: how the first ones come into it."""
    st.info(t("shell.nothing_audited"), icon=":material/upload_file:")
    st.code(t("shell.audit_command", db=shlex.quote(str(data.config().db))), "bash")
    link("operations", t("shell.upload"), icon=":material/settings:")


def nothing_here() -> None:
    """Where the filters leave no call."""
    st.info(t("shell.swapped" if filters.swapped() else "shell.nothing_here"), icon=":material/filter_alt_off:")
    st.button(t("shell.clear"), key="clear_here", on_click=filters.clear, icon=":material/filter_alt_off:")
