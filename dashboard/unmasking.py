"""How much of a call, or of another subject, is masked, and the way to see it: a reason, which the ledger keeps."""

from __future__ import annotations

import streamlit as st

from audit.access import Action, Actor, may
from audit.dossier import Dossier
from audit.errors import AuditError
from audit.unmask import Unmasking, unmask
from dashboard import data
from dashboard.marks import beijing
from dashboard.told import told
from dashboard.words import t


def unmasking(subject: str) -> Unmasking | None:
    """What lets this reader see a call (by its id), or another subject, as it is, if they have given a reason."""
    found = st.session_state.get(f"unmasking_{subject}")
    return found if isinstance(found, Unmasking) else None


def mask_line(call: Dossier, actor: Actor) -> None:
    """Whether the call is masked, and a button for the other; for a horizontal container, once a page."""
    said = t("call.masked", n=call.private) if call.private else t("call.masked_none")
    mask_switch(call.record.call_id, actor, masked=call.masked, said=said)


def mask_switch(subject: str, actor: Actor, *, masked: bool, said: str) -> None:
    """The same for any subject; `said` tells what is masked."""
    shown = unmasking(subject)
    if not masked and shown is not None:
        until = beijing(shown.until)[-5:]
        st.caption(f":material/visibility: {t('call.unmasked', until=until, entry=shown.entry)}", width="content")
        st.button(t("call.mask_again"), key="mask_again", on_click=_mask_again, args=(subject,), type="tertiary")
        return
    st.caption(f":material/visibility_off: {said}", width="content")
    if may(actor, Action.UNMASK):
        with st.popover(t("call.unmask"), icon=":material/lock_open:", type="tertiary"):
            _ask_why(subject, actor)


def _ask_why(subject: str, actor: Actor) -> None:
    with st.form("unmask_form", border=False):
        reason = st.text_input(t("call.unmask_why"), key="unmask_why", placeholder=t("call.unmask_example"))
        if st.form_submit_button(t("call.unmask_do"), key="unmask_do", icon=":material/lock_open:"):
            try:
                with data.writing() as store:
                    st.session_state[f"unmasking_{subject}"] = unmask(store, subject, reason, actor=actor)
            except AuditError as error:
                st.error(told(error))
                return
            st.rerun()


def _mask_again(subject: str) -> None:
    st.session_state.pop(f"unmasking_{subject}", None)
