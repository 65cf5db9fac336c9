"""A playlist's clips as people hear and read them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from audit.access import Actor
from audit.clips import ClipUnavailable
from audit.coaching_clips import hear, sound
from audit.coaching_record import Clip, Kind
from audit.coaching_sheet import clock_of
from audit.errors import AuditError
from audit.listening import MIME
from audit.review import rule_cards, title
from audit.store import Store
from dashboard import data
from dashboard.told import told
from dashboard.words import lang, t
from transcribe.model import Role

SIGNS = {Kind.GOOD: (":material/thumb_up:", "green"), Kind.BAD: (":material/thumb_down:", "red")}


def show_clip(store: Store, clip: Clip, *, actor: Actor, number: int) -> None:
    """One clip: what it shows, what to listen for, its words, and its sound when asked for."""
    icon, colour = SIGNS[clip.kind]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{number}.**", width="content")
        st.badge(t(f"coaching.{clip.kind}"), icon=icon, color="green" if colour == "green" else "red")
        if clip.rule_id:
            st.markdown(f"**{rule_title(store, clip.rule_id)}**", width="content")
        st.caption(_where(clip), width="content")
    if not clip.stands:
        st.caption(f":material/visibility_off: {t('coaching.gone')}")
    if clip.note:
        st.text(f"{t('coaching.clip_note')}{t('shell.colon')}{clip.note}")
    _words(store, clip, actor)
    _sound(clip, actor)


def act(step: Callable[..., object], *what: object, **more: object) -> None:
    """Take a step and draw the page anew; what refuses it is told here."""
    try:
        with data.writing() as store:
            step(store, *what, actor=data.actor(), **more)
    except AuditError as error:
        st.error(told(error), icon=":material/error:")
        return
    st.toast(t("coaching.saved"), icon=":material/check:")
    st.rerun()


def rule_title(store: Store, rule_id: str) -> str:
    """A rule's title as the last run's rules have it."""
    return title(rule_id, rule_cards(store, None).get(rule_id), lang=lang())


def _where(clip: Clip) -> str:
    when = "" if clip.started_at is None else f"{clip.started_at:%Y-%m-%d}"
    who = " ".join(filter(None, (clip.agent_id, clip.agent_name)))
    return " · ".join(filter(None, (when, f"{clock_of(clip.start_ms)}–{clock_of(clip.end_ms)}", who)))


def _words(store: Store, clip: Clip, actor: Actor) -> None:
    heard = hear(store, clip, actor=actor)
    if not heard.turns:
        st.caption(t("coaching.no_words"))
        return
    known = {Role.AGENT: "agent", Role.CUSTOMER: "customer", Role.OTHER: "other", Role.UNKNOWN: "unknown"}
    with st.container(border=True, gap=None):
        for turn in heard.turns:
            st.text(f"{t(f'player.role_{known[turn.role]}')}{t('shell.colon')}{turn.text}")


def _sound(clip: Clip, actor: Actor) -> None:
    """Cut only when somebody wants to hear it: a page of clips must come at once."""
    playing = st.session_state.get("coaching_playing")
    if st.button(t("coaching.play"), key=f"coaching_play_{clip.id}", icon=":material/play_arrow:"):
        playing = st.session_state["coaching_playing"] = clip.id
    if playing != clip.id:
        return
    try:
        cut = _cut(actor, actor.name, clip.id, clip.playlist, data.version())
    except ClipUnavailable as error:
        st.caption(f":material/volume_off: {t('coaching.no_sound', why=told(error))}")
        return
    st.audio(cut, format=MIME, autoplay=True, alt=f"{t('coaching.play')} {clip.id}")


@st.cache_data(max_entries=32, show_spinner=False)
def _cut(_actor: Actor, name: str, clip: int, playlist: int, version: tuple[int, ...]) -> bytes:
    with data.reading() as store:
        return sound(store, clip, playlist, actor=_actor)
