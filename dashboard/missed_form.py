"""A violation that the machine missed, added from the words that one has selected; and those added to take back."""

from __future__ import annotations

import streamlit as st

from audit import review
from audit.access import Actor
from audit.dossier import Dossier
from audit.errors import AuditError
from audit.review import Missed, title
from audit.store.queue import FOLLOWED_UP, Item, Machine, belongs_here
from dashboard import data, rulebook
from dashboard.marks import heading, plain, policy, sign
from dashboard.player import Selected
from dashboard.told import told
from dashboard.words import lang, t
from rules.model import CATEGORIES, Severity

VIOLATIONS = tuple(name for name in CATEGORIES if belongs_here(name) and name != FOLLOWED_UP)


def missed_form(
    call: Dossier, selected: Selected | None, actor: Actor, *, page: str, likely: str | None = None
) -> None:
    """What was selected, of which category (`likely` is offered first) and rule, and the button that adds it.

    What is said of it stands in the session under `page`_notice and `page`_trouble; `page`_comment goes along.
    """
    if selected is None:
        st.caption(t("review.missed"))
        return
    with st.container(border=True):
        st.markdown(f"**{t('review.missed_words', words=plain(selected.text))}**")
        category, severity, rule = _kind(call, page, likely)
        missed = Missed(
            turn=selected.turn, start=selected.start, end=selected.end, category=category, rule_id=rule,
            severity=severity, comment=st.session_state.get(f"{page}_comment", ""),
        )  # fmt: skip
        st.button(
            t("review.add"), key=f"{page}_add", type="primary", icon=":material/add:", shortcut="E", on_click=_add,
            args=(call.record.call_id, missed, actor, page),
        )  # fmt: skip


def _kind(call: Dossier, page: str, likely: str | None) -> tuple[str, Severity, str | None]:
    left, right = st.columns(2)
    category = left.selectbox(
        t("review.category"), VIOLATIONS, index=VIOLATIONS.index(likely) if likely in VIOLATIONS else 0,
        format_func=rulebook.as_finding, key=f"{page}_add_category",
    )  # fmt: skip
    severity = right.selectbox(
        t("review.severity"), list(Severity), index=list(Severity).index(Severity.HIGH),
        format_func=lambda one: t(f"review.{one.value}"), key=f"{page}_add_severity",
    )  # fmt: skip
    named = [None, *(rule for rule, card in call.rules.items() if card.category == category)]
    rule = st.selectbox(
        t("review.rule"), named, key=f"{page}_add_rule",
        format_func=lambda one: title(one, call.rules.get(one), lang=lang()) if one else t("review.any_rule"),
    )  # fmt: skip
    return category, severity or Severity.HIGH, rule


def added_here(call: Dossier, actor: Actor) -> int:
    """What people have added in this call, with a way back for one's own; returns how many."""
    added = [one for one in call.found if one.item is not None and one.item.machine is Machine.ADDED]
    if added:
        st.markdown(f"**{t('sampling.added')}**")
    for one in added:
        assert one.item is not None
        with st.container(horizontal=True, vertical_alignment="center"):
            words = f"{t('shell.colon')}{one.finding.quote[:20]}" if one.finding.quote else ""
            st.markdown(plain(f"{sign(one.item)} {heading(one.item, one.rule)}{words}"), width="content")
            if actor.name in one.item.judged_by:
                st.button(
                    t("sampling.take_back"), key=f"sampling_back_{one.key}", type="tertiary", icon=":material/undo:",
                    on_click=_take_back, args=(one.item, actor),
                )  # fmt: skip
    return len(added)


def _add(call_id: str, missed: Missed, actor: Actor, page: str) -> None:
    try:
        with data.writing() as store:
            review.add_violation(store, call_id, missed, actor=actor, policy=policy())
    except AuditError as error:
        st.session_state[f"{page}_trouble"] = told(error)
        return
    st.session_state[f"{page}_comment"] = ""
    st.session_state[f"{page}_notice"] = t("review.added_done")


def _take_back(item: Item, actor: Actor) -> None:
    try:
        with data.writing() as store:
            review.undo(store, item.stamp, actor=actor, policy=policy())
    except AuditError as error:
        st.session_state["sampling_trouble"] = told(error)
