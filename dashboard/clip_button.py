"""“加入辅导”: a confirmed finding or a good moment into a playlist, from any page that shows one.

clip_button(NewClip(call_id=…, finding=key), key="review")
clip_button(NewClip(call_id=…, start_ms=…, end_ms=…), key="call")
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from audit.access import Action, may
from audit.coaching import NewClip, add_clip, make_playlist, playlists
from audit.dossier import Dossier
from audit.errors import AuditError
from dashboard import data
from dashboard.player import Selected
from dashboard.told import told
from dashboard.words import t


def moment(call: Dossier, selected: Selected) -> NewClip:
    """The turn in which somebody has selected words."""
    turn = next(turn for turn in call.turns if turn.index == selected.turn)
    return NewClip(call_id=call.record.call_id, start_ms=turn.start_ms, end_ms=turn.end_ms)


def clip_button(new: NewClip, *, key: str, label: str | None = None) -> None:
    """A button that opens a choice of playlists; nothing for those who may not clip."""
    actor = data.actor()
    if not (may(actor, Action.JUDGE) or may(actor, Action.ASSIGN_COACHING)):
        return
    with (
        st.popover(label or t("coaching.add_to"), icon=":material/playlist_add:"),
        st.form(f"clip_{key}", border=False),
    ):
        with data.reading() as store:
            known = {one.id: one.title for one in playlists(store, actor=actor) if not one.archived}
        chosen = st.selectbox(
            t("coaching.playlist"), list(known), key=f"clip_list_{key}", index=0 if known else None,
            format_func=lambda number: known[number], placeholder=t("coaching.new"),
        )  # fmt: skip
        title = "" if known else st.text_input(t("coaching.name"), key=f"clip_title_{key}")
        note = st.text_input(t("coaching.clip_note"), key=f"clip_note_{key}")
        sent = st.form_submit_button(t("coaching.add"), key=f"clip_add_{key}", type="primary")
    if sent:
        _add(replace(new, note=note), chosen, title or known.get(chosen or 0, ""))


def _add(new: NewClip, playlist: int | None, title: str) -> None:
    actor = data.actor()
    try:
        with data.writing() as store, store.writing():
            add_clip(store, playlist or make_playlist(store, actor=actor, title=title), new, actor=actor)
    except AuditError as error:
        st.error(told(error), icon=":material/error:")
        return
    st.toast(t("coaching.added", title=title), icon=":material/playlist_add_check:")
