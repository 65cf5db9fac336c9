"""申诉: collectors speak against what was confirmed of them; reviewers who did not judge it decide."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

import streamlit as st

from audit import appeals
from audit.access import Action, Actor, may
from audit.appeals import Appealed, OwnFinding
from audit.errors import AuditError
from audit.store.appeals import Appeal, Decision
from dashboard import data
from dashboard.marks import beijing, clause, heading, person, plain, policy, said, sign
from dashboard.told import told
from dashboard.words import t


def show() -> None:
    actor = data.actor()
    st.title(t("appeals.title"))
    st.caption(t("appeals.rule", days=policy().appeal_days))
    if (notice := st.session_state.pop("appeals_notice", None)) is not None:
        st.toast(notice, icon=":material/check_circle:")
    if (trouble := st.session_state.pop("appeals_trouble", None)) is not None:
        st.warning(trouble, icon=":material/warning:")
    if may(actor, Action.DECIDE_APPEAL):
        _for_reviewers(actor)
    else:
        _for_collector(actor)


# for reviewers


def _for_reviewers(actor: Actor) -> None:
    with data.reading() as store:
        waiting = appeals.to_decide(store, actor=actor)
        over = appeals.decided(store, actor=actor)
    first, second = st.tabs([t("appeals.to_decide", n=len(waiting)), t("appeals.decided")])
    with first:
        if not waiting:
            st.success(t("appeals.none_open"), icon=":material/check_circle:")
        for one in waiting:
            _to_decide(one, actor)
    with second:
        if not over:
            st.info(t("appeals.none_decided"), icon=":material/history:")
        for one in over:
            with st.container(border=True):
                _what(one, one.appeal.call_id)
                _says(one.appeal)
                _outcome(one.appeal)


def _to_decide(one: Appealed, actor: Actor) -> None:
    number = one.appeal.id
    with st.container(border=True):
        _what(one, one.appeal.call_id)
        left, right = st.columns(2, gap="medium")
        with left:
            _says(one.appeal)
            st.caption(t("appeals.judged"))
            for entry in one.history:
                st.text(said(entry))
        with right:
            if not appeals.may_decide(one.item, actor=actor):
                st.info(t("appeals.not_you"), icon=":material/group:")
                return
            st.text_area(t("appeals.answer"), key=f"appeals_answer_{number}", height=100)
            uphold, overturn = st.columns(2)
            for column, decision, label in (
                (uphold, Decision.UPHELD, "uphold"),
                (overturn, Decision.OVERTURNED, "overturn"),
            ):
                column.button(
                    t(f"appeals.{label}"), key=f"appeals_{label}_{number}", width="stretch",
                    on_click=_decide, args=(actor, number, decision),
                )  # fmt: skip


def _decide(actor: Actor, number: int, decision: Decision) -> None:
    answer = st.session_state.get(f"appeals_answer_{number}", "")
    try:
        with data.writing() as store:
            appeals.decide_appeal(store, number, decision, answer, actor=actor)
    except AuditError as error:
        st.session_state["appeals_trouble"] = told(error)
        return
    st.session_state["appeals_notice"] = t("appeals.done")


# for collectors


def _for_collector(actor: Actor) -> None:
    if not actor.agent_id:
        st.warning(t("appeals.no_agent"), icon=":material/badge:")
        return
    with data.reading() as store:
        own = appeals.own_findings(store, actor=actor, policy=policy())
    if not own:
        st.success(t("appeals.none_own", days=policy().appeal_days), icon=":material/check_circle:")
        return
    st.subheader(t("appeals.own"), anchor=False)
    for one in own:
        with st.container(border=True):
            _what(one, one.item.call_id)
            _own(one, actor)


def _own(one: OwnFinding, actor: Actor) -> None:
    if one.appeal is not None:
        _says(one.appeal)
        _outcome(one.appeal)
    elif one.until is None:
        st.caption(t("appeals.over"))
    else:
        key = one.item.key
        st.caption(t("appeals.until", at=beijing(one.until)))
        st.text_area(t("appeals.why"), key=f"appeals_why_{key}", height=80)
        st.button(
            t("appeals.file"), key=f"appeals_file_{key}", icon=":material/gavel:", on_click=_file, args=(actor, key)
        )


def _file(actor: Actor, key: str) -> None:
    text = st.session_state.get(f"appeals_why_{key}", "")
    try:
        with data.writing() as store:
            appeals.file_appeal(store, key, text, actor=actor, policy=policy())
    except AuditError as error:
        st.session_state["appeals_trouble"] = told(error)
        return
    st.session_state["appeals_notice"] = t("appeals.filed_done")


# parts of both


def _what(one: Appealed | OwnFinding, call_id: str) -> None:
    item, finding = one.item, one.finding
    words, link = st.columns([6, 1], vertical_alignment="center")
    if item is not None and finding is not None:
        words.markdown(f"**{sign(item)}　{plain(heading(item, one.rule))}**")
        said = f"{t('appeals.words')}{t('shell.colon')}{finding.quote}" if finding.quote else t("appeals.call_as_whole")
        at = beijing(datetime.fromisoformat(item.at)) if item.at else ""
        words.text(f"{said}　{at}　{item.call_id}")
        words.caption(" · ".join(plain(part) for part in (finding.because, clause(one.rule)) if part))
    address = f"/call?call={quote(call_id)}" + ("" if item is None else f"&finding={item.key}")
    link.link_button(t("appeals.open_call"), address, icon=":material/graphic_eq:", width="stretch")


def _says(appeal: Appeal) -> None:
    at = beijing(datetime.fromisoformat(appeal.at))
    st.caption(f"{t('appeals.number', n=appeal.id)} · {t('appeals.filed', who=person(appeal.by), at=at)}")
    st.text(f"{t('appeals.says')}{t('shell.colon')}{appeal.text}")


def _outcome(appeal: Appeal) -> None:
    if appeal.decision is None or appeal.decided_at is None:
        st.text(t("appeals.pending"))
        return
    at = beijing(datetime.fromisoformat(appeal.decided_at))
    st.text(t(f"appeals.{appeal.decision.value}"))
    st.text(t("appeals.by", who=person(appeal.decided_by or ""), at=at, answer=appeal.answer))


show()
