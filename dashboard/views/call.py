"""通话: find a call; hear and read it beside its findings, scorecard, measures, record and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from audit.access import Action, Actor, may
from audit.dossier import MOST_CALLS, CallLine, Dossier, Found, list_calls, read_dossier
from audit.errors import AuditError
from audit.report import call_report
from audit.report_words import Words, beijing
from audit.store.queue import COUNTED, OPEN
from dashboard import data, filters
from dashboard.call_parts import around, findings, measured, record, scored
from dashboard.clip_button import clip_button, moment
from dashboard.links import nothing_audited
from dashboard.marks import clause, mark
from dashboard.player import Focus, Mark, Shown, player
from dashboard.sounds import sound_of
from dashboard.told import told
from dashboard.unmasking import mask_line, unmasking
from dashboard.words import lang, t

# Under this the page says that roles are in doubt, as the report does.
ROLE_DOUBT = 0.8
_COUNTS = ("confirmed", "waiting", "dismissed", "score")


def show() -> None:
    actor, chosen = data.actor(), st.query_params.get("call")
    if not chosen:
        _list(actor)
        return
    with data.reading() as store:
        try:
            dossier = read_dossier(store, chosen, actor=actor, unmasking=unmasking(chosen))
        except AuditError as error:
            st.error(told(error), icon=":material/block:")
            return
    if dossier is None:
        st.warning(t("call.not_here", call=chosen), icon=":material/search_off:")
        st.button(t("call.back"), key="call_back", on_click=_leave, icon=":material/arrow_back:")
        return
    _one(dossier, actor)


# the list


def _list(actor: Actor) -> None:
    st.title(t("call.title"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(t("call.search"), key="call_search", placeholder=t("call.search_hint"), width="stretch")
        flagged = st.toggle(t("call.with_findings"), key="call_flagged")
    with data.reading() as store:
        lines = list_calls(store, filters.current(), actor=actor, text=text, with_findings=flagged)
        empty = not lines and not list_calls(store, actor=actor)
    if empty:
        nothing_audited()
    elif not lines:
        st.info(t("call.none_found"), icon=":material/filter_alt_off:")
    else:
        st.caption(t("call.shown_most" if len(lines) == MOST_CALLS else "call.shown", n=len(lines)))
        st.dataframe(
            [_row(line, actor) for line in lines],
            key="call_list",
            hide_index=True,
            placeholder="",
            height=640 if len(lines) > 16 else "content",
            on_select=lambda: _choose(lines),
            selection_mode="single-row",
            column_config={t(f"call.c_{name}"): st.column_config.NumberColumn() for name in _COUNTS},
        )


def _row(line: CallLine, actor: Actor) -> dict[str, Any]:
    minutes, seconds = divmod(line.duration_ms // 1000, 60)
    row = {
        t("call.c_call"): line.call_id,
        t("call.c_at"): "" if line.started_at is None else f"{beijing(line.started_at):%Y-%m-%d %H:%M}",
        t("call.c_agent"): " ".join(filter(None, (line.agent_id, line.agent_name))),
        t("call.c_team"): line.team or "",
        t("call.c_debtor"): line.debtor_id or "",
        t("call.c_product"): line.product or "",
        t("call.c_minutes"): t("call.minutes", m=minutes, s=seconds),
        t("call.c_confirmed"): _sum(line.items, [state.value for state in COUNTED]),
    }
    if actor.only_confirmed:
        return row
    waiting = _sum(line.items, [state.value for state in OPEN])
    return row | {
        t("call.c_waiting"): waiting,
        t("call.c_dismissed"): line.items.get("dismissed"),
        t("call.c_score"): line.score,
    }


def _sum(counts: Mapping[str, int], states: Sequence[str]) -> int | None:
    """Nothing rather than 0: a column of zeros hides what matters."""
    return sum(counts.get(state, 0) for state in states) or None


def _choose(lines: Sequence[CallLine]) -> None:
    rows = st.session_state["call_list"]["selection"]["rows"]
    if rows:
        _open(lines[rows[0]].call_id)


def _open(call_id: str) -> None:
    st.session_state.pop("call_focus", None)
    st.query_params["call"] = call_id
    if "finding" in st.query_params:
        del st.query_params["finding"]


def _leave() -> None:
    for name in ("call", "finding"):
        if name in st.query_params:
            del st.query_params[name]


# one call


def _one(dossier: Dossier, actor: Actor) -> None:
    _head(dossier, actor)
    left, right = st.columns([13, 8], gap="medium")
    with left:
        _player(dossier, actor)
    with right:
        names = ["findings", *([] if dossier.card is None else ["score"]), "measures", "record", "around"]
        counts = {"findings": len(dossier.found), "around": len(dossier.others) + len(dossier.complaints)}
        tabs = st.tabs([t(f"call.tab_{name}", n=counts.get(name, 0)) for name in names])
        draw = {
            "findings": lambda: findings(dossier, actor),
            "score": lambda: scored(dossier),
            "measures": lambda: measured(dossier),
            "record": lambda: record(dossier),
            "around": lambda: around(dossier, open_call=_open),
        }
        for name, tab in zip(names, tabs, strict=True):
            with tab:
                draw[name]()


def _head(dossier: Dossier, actor: Actor) -> None:
    facts = dossier.record
    minutes, seconds = divmod(dossier.duration_ms // 1000, 60)
    answering = facts.callee_relation
    said = [
        "" if facts.started_at is None else f"{beijing(facts.started_at):%Y-%m-%d %H:%M}",
        t("call.minutes", m=minutes, s=seconds),
        " ".join(filter(None, (facts.agent_id, facts.agent_name, facts.team))),
        f"{t('call.c_debtor')} {facts.debtor_id or '—'}",
        "" if answering is None else t("call.answered_by", who=Words(lang()).of("relation", answering)),
        facts.product or "",
    ]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(t("call.back"), key="call_back", on_click=_leave, icon=":material/arrow_back:", type="tertiary")
        st.subheader(f"{t('call.one')} {facts.call_id}", anchor=False, width="content")
        st.text(" · ".join(filter(None, said)), width="stretch")
    with st.container(horizontal=True, vertical_alignment="center"):
        if may(actor, Action.EXPORT):
            _download(facts.call_id, actor)
        mask_line(dossier, actor)
    _said(dossier)


def _said(dossier: Dossier) -> None:
    """What whoever listens must know of the recording."""
    if dossier.notes:
        st.caption(t("call.notes", notes=t("shell.semicolon").join(dossier.notes)))
    if dossier.role_confidence < ROLE_DOUBT:
        st.caption(f":material/help: {t('call.role_doubt', share=f'{dossier.role_confidence:.0%}')}")


def _download(call_id: str, actor: Actor) -> None:
    language = lang()

    def make() -> bytes:
        with data.writing() as store:
            return call_report(store, call_id, actor=actor, lang=language)

    st.download_button(
        t("call.download"),
        make,
        file_name=f"{re.sub(r'[^0-9A-Za-z_-]', '_', call_id)}.html",
        mime="text/html",
        key="call_download",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def _player(dossier: Dossier, actor: Actor) -> None:
    sound, missing = sound_of(dossier, actor)
    key = st.session_state.get("call_focus") or st.query_params.get("finding")
    shown = Shown(
        turns=dossier.turns,
        marks=[_mark(found) for found in dossier.found],
        sound=sound,
        missing=missing,
        focus=None if key is None else Focus(key=key, turn=_turn_of(dossier, key)),
    )
    # A key of its own for each call and mask: the browser must not go on with the sound of another.
    name = f"call_player_{dossier.recording[:16]}_{dossier.masked}"
    selected = player(shown, key=name, selectable=may(actor, Action.ASSIGN_COACHING))
    if selected is not None:
        clip_button(moment(dossier, selected), key="call_moment")


def _turn_of(dossier: Dossier, key: str) -> int | None:
    return next((found.finding.turn for found in dossier.found if found.key == key), None)


def _mark(found: Found) -> Mark:
    if found.item is not None:
        return mark(found.item, found.finding, found.rule)
    one, zh = found.finding, lang() == "zh"
    title = one.rule_id if found.rule is None else found.rule.title if zh else found.rule.title_en
    return Mark(
        key=found.key, turn=one.turn, start=one.start, end=one.end, start_ms=one.start_ms, end_ms=one.end_ms,
        style="signal", title=title, because=one.because, clause=clause(found.rule), heard_as=one.heard_as or "",
        state=t("call.signal"),
    )  # fmt: skip


show()
