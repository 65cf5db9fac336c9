"""Taking complaints in: one by a form, many by a list."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import streamlit as st

from audit.complaint_clock import BEIJING, Complexity
from audit.complaint_list import COLUMNS, read_complaints
from audit.complaint_record import Intake
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CHANNELS
from audit.complaints import Desk, register, take_in
from audit.errors import AuditError
from audit.store import Store
from dashboard import complaint_labels as labels
from dashboard import data
from dashboard.filters import DAY
from dashboard.told import told
from dashboard.words import t

_REGISTERED, _IMPORTED = "complaint_registered", "complaints_imported"
"""What the run before this one took in: a number; the counts of a list and the sentences about its bad rows."""


def register_form(desk: Desk) -> None:
    """A form for one complaint; keeps what was typed."""
    with st.form("complaint_new", border=False):
        intake = _fields()
        st.caption(t("complaints.period_note", days=desk.terms.days(Complexity.SIMPLE)))
        sent = st.form_submit_button(t("complaints.register"), key="complaint_register", type="primary")
    if sent:
        _register(desk, intake)
    if (number := st.session_state.pop(_REGISTERED, None)) is not None:
        st.success(t("complaints.registered", id=number), icon=":material/check_circle:")


def _fields() -> Intake:
    now = datetime.now(BEIJING)
    first, second, third, fourth = st.columns(4)
    day = first.date_input(t("complaints.received_day"), value=now.date(), key="complaint_day", format=DAY)
    hour = second.time_input(t("complaints.received_time"), value=now.time().replace(second=0), key="complaint_time")
    channel = third.selectbox(
        t("complaints.channel"), list(CHANNELS), key="complaint_channel", format_func=labels.channel
    )
    category = fourth.selectbox(
        t("complaints.category"), list(CATEGORIES_OF_COMPLAINTS), key="complaint_category", index=None,
        placeholder=t("complaints.unknown"), format_func=labels.category,
    )  # fmt: skip
    names = ("complainant", "debtor", "case", "agent")
    texts = [
        column.text_input(t(f"complaints.{name}"), key=f"complaint_{name}")
        for column, name in zip(st.columns(4), names, strict=True)
    ]
    complainant, debtor, case, agent = (text.strip() or None for text in texts)
    words = st.text_area(t("complaints.words"), key="complaint_text", placeholder=t("complaints.words_hint"))
    return Intake(
        received_at=datetime.combine(day, hour, BEIJING), channel=channel or "hotline", text=words, category=category,
        complainant=complainant, debtor_id=debtor, case_id=case, agent_id=agent,
    )  # fmt: skip


def _register(desk: Desk, intake: Intake) -> None:
    try:
        with data.writing() as store:
            number = register(writing_desk(desk, store), intake)
    except AuditError as error:
        st.error(told(error))
        return
    if number is None:
        st.warning(t("complaints.known"), icon=":material/content_copy:")
        return
    st.query_params["id"] = str(number)
    st.session_state[_REGISTERED] = number
    st.rerun()  # the figures and the list above are of before


def import_list(desk: Desk) -> None:
    """Upload of complaints.csv."""
    st.caption(t("complaints.import_note"))
    file = st.file_uploader(t("complaints.import_file"), type="csv", key="complaints_file")
    with st.container(horizontal=True):
        if st.button(t("complaints.import_go"), key="complaints_import", type="primary", disabled=file is None):
            assert file is not None
            _import(desk, file.name, file.getvalue())
        empty = ",".join(COLUMNS) + "\n"
        st.download_button(
            t("complaints.template"), data=empty.encode("utf-8-sig"), file_name="complaints.csv", mime="text/csv",
            key="complaints_template",
        )  # fmt: skip
    _imported()


def _import(desk: Desk, name: str, raw: bytes) -> None:
    try:
        offset = data.config().utc_offset
        found = read_complaints(Path(name), utc_offset=offset, day=desk.day, uploaded=raw)
        with data.writing() as store:
            numbers = take_in(writing_desk(desk, store), [intake for _, intake in found.intakes])
    except AuditError as error:
        st.error(told(error))
        return
    known = numbers.count(None)
    counts = {"new": len(numbers) - known, "known": known, "bad": len(found.bad)}
    st.session_state[_IMPORTED] = counts, found.bad[:200]
    st.rerun()


def _imported() -> None:
    counts, bad = st.session_state.pop(_IMPORTED, (None, ()))
    if counts is not None:
        st.success(t("complaints.imported", **counts))
    if bad:
        st.code("\n".join(map(told, bad)), language=None)


def writing_desk(desk: Desk, store: Store) -> Desk:
    """The same desk at a store that is open for writing."""
    return replace(desk, store=store)
