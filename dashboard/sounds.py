"""The sound of a call for a page: at once where it is short or ready, else prepared beside while one reads."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import streamlit as st

from audit.access import Action, Actor, may
from audit.clips import ClipUnavailable
from audit.dossier import Dossier, hear, is_ready
from audit.listening import Listening, Sound, listening_of
from dashboard import data
from dashboard.told import told
from dashboard.words import t

AT_ONCE_MS = 300_000
"""Calls up to this length are waited for; a second or so."""

_LOOK_AGAIN_S = 2.0
_pending: dict[tuple[str, bool], Future[Sound]] = {}


def sound_of(dossier: Dossier, actor: Actor) -> tuple[Sound | None, str]:
    """What to hear, and where there is nothing (yet) the sentence that says why."""
    if not may(actor, Action.LISTEN):
        return None, t("call.may_not_listen")
    listening = listening_of(data.config().db)
    try:
        if is_ready(listening, dossier):
            _pending.pop((dossier.recording, dossier.masked), None)
            return hear(listening, dossier, actor=actor), ""
        if dossier.duration_ms <= AT_ONCE_MS:
            with st.spinner(t("call.preparing")):
                return hear(listening, dossier, actor=actor), ""
        return _prepared_beside(listening, dossier, actor)
    except ClipUnavailable as error:
        return None, t("call.no_sound", why=told(error))


def _prepared_beside(listening: Listening, dossier: Dossier, actor: Actor) -> tuple[Sound | None, str]:
    """Started once whoever asks; the page looks again by itself until it is done."""
    key = (dossier.recording, dossier.masked)
    job = _pending.get(key)
    if job is None:
        job = _pending[key] = _worker().submit(hear, listening, dossier, actor=actor)
    if job.done():
        _pending.pop(key, None)
        return job.result(), ""
    _watch(key)
    return None, t("call.preparing_long", minutes=round(dossier.duration_ms / 60_000))


@st.fragment(run_every=_LOOK_AGAIN_S)
def _watch(key: tuple[str, bool]) -> None:
    job = _pending.get(key)
    if job is None or job.done():
        st.rerun()


@cache
def _worker() -> ThreadPoolExecutor:
    """One at a time: encoding takes a core, and the pages need the others."""
    return ThreadPoolExecutor(1, thread_name_prefix="sound")
