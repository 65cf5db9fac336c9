"""Tasks of coaching: who has heard what, a collector's own, and whether it helped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from audit.access import Action, Actor, may
from audit.coaching import acknowledge, assignments, clips, effect_of, withdraw
from audit.coaching_effect import FEWEST_CALLS, LONGEST, Effect, Side
from audit.coaching_record import Assignment
from audit.complaint_clock import BEIJING
from audit.complaints import today
from audit.store import Store
from dashboard.coaching_clips import act, show_clip
from dashboard.marks import person
from dashboard.words import t


def task_list(actor: Actor, tasks: list[Assignment]) -> None:
    """All tasks; a chosen one can be withdrawn, or signed on paper."""
    if not tasks:
        st.info(t("coaching.no_tasks"), icon=":material/assignment:")
        return
    chosen = st.dataframe(
        [_task(task) for task in tasks],
        hide_index=True,
        key="coaching_tasks",
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = chosen["selection"]["rows"]
    task = tasks[rows[0]] if rows and rows[0] < len(tasks) else None
    if not may(actor, Action.ASSIGN_COACHING):
        return
    if task is None or task.acknowledged_at is not None:
        st.caption(t("coaching.choose_task"))
        return
    with st.container(horizontal=True):
        if st.button(t("coaching.withdraw"), key="coaching_withdraw", icon=":material/undo:"):
            act(withdraw, task.id)
        paper = t("coaching.on_paper")
        if may(actor, Action.ACKNOWLEDGE_COACHING) and st.button(paper, key="coaching_paper", icon=":material/draw:"):
            act(acknowledge, task.id)


def _task(task: Assignment) -> dict[str, Any]:
    return {
        t("coaching.t_state"): _state(task),
        t("coaching.t_who"): f"{task.agent_id} {task.agent_name or ''}".strip(),
        t("coaching.t_list"): task.title,
        t("coaching.t_due"): task.due_on,
        t("coaching.t_by"): person(task.assigned_by),
        t("coaching.t_heard"): "" if task.acknowledged_at is None else f"{_beijing(task):%Y-%m-%d %H:%M}",
        t("coaching.t_reply"): task.reply or "",
    }


def _state(task: Assignment) -> str:
    if task.acknowledged_at is not None:
        own = task.acknowledged_by == task.agent_id
        return t("coaching.s_done") if own else t("coaching.s_paper", by=task.acknowledged_by)
    if task.overdue(today()):
        return t("coaching.s_overdue", n=(today() - task.due_on).days)
    return t("coaching.s_open")


def _beijing(task: Assignment) -> datetime:
    assert task.acknowledged_at is not None
    return task.acknowledged_at.astimezone(BEIJING)


def own_tasks(store: Store, actor: Actor) -> None:
    """What a collector is to hear, and the button that says they have."""
    tasks = assignments(store, actor=actor)
    if not tasks:
        st.info(t("coaching.mine_none"), icon=":material/task_alt:")
    for task in tasks:
        with st.expander(f"{_state(task)} · {task.title}", expanded=task.acknowledged_at is None):
            st.caption(t("coaching.asked", by=person(task.assigned_by), due=task.due_on))
            if task.note:
                st.text(task.note)
            for number, clip in enumerate(clips(store, task.playlist, actor=actor), 1):
                with st.container(border=True):
                    show_clip(store, clip, actor=actor, number=number)
            _acknowledge(task)


def _acknowledge(task: Assignment) -> None:
    if task.acknowledged_at is not None:
        st.success(t("coaching.acknowledged", at=f"{_beijing(task):%Y-%m-%d %H:%M}"), icon=":material/task_alt:")
        return
    with st.form(f"coaching_ack_{task.id}", border=False):
        reply = st.text_input(t("coaching.reply"), key=f"coaching_reply_{task.id}")
        sent = st.form_submit_button(t("coaching.acknowledge"), key=f"coaching_ack_go_{task.id}", type="primary")
    if sent:
        act(acknowledge, task.id, reply=reply)


def effects(store: Store, actor: Actor, tasks: list[Assignment]) -> None:
    """Before and after, for each acknowledged task."""
    st.caption(t("coaching.effect_note", days=LONGEST, few=FEWEST_CALLS))
    heard = [task for task in tasks if task.acknowledged_at is not None]
    if not heard:
        st.info(t("coaching.effect_none"), icon=":material/trending_down:")
        return
    scope = st.segmented_control(
        t("coaching.tab_effect"), ("coached", "all"), key="coaching_scope", default="coached", required=True,
        format_func=lambda name: t(f"coaching.rules_{name}"), label_visibility="collapsed",
    )  # fmt: skip
    only = scope == "coached"
    found = [(task, effect_of(store, task, actor=actor, today=today(), coached_rules=only)) for task in heard]
    st.dataframe([_effect(task, one) for task, one in found], hide_index=True, key="coaching_effects")


def _effect(task: Assignment, found: Effect | None) -> dict[str, Any]:
    before, after = (None, None) if found is None else (found.before, found.after)
    days = "" if before is None else (before.span.until - before.span.since).days + 1
    waiting = "" if before is None or after is None else f"{before.waiting} / {after.waiting}"
    return {
        t("coaching.t_who"): f"{task.agent_id} {task.agent_name or ''}".strip(),
        t("coaching.t_list"): task.title,
        t("coaching.e_heard"): f"{_beijing(task):%Y-%m-%d}",
        t("coaching.e_verdict"): t(f"coaching.v_{'too_early' if found is None else found.verdict}"),
        t("coaching.e_days"): str(days),
        t("coaching.e_before"): _rate(before),
        t("coaching.e_after"): _rate(after),
        t("coaching.e_change"): _change(found),
        t("coaching.e_waiting"): waiting,
    }


def _rate(side: Side | None) -> str:
    if side is None or side.rate.share is None or side.rate.low is None or side.rate.high is None:
        return "—"
    rate = side.rate
    return f"{side.rate.share:.0%} ({rate.hits}/{rate.of}, {side.rate.low:.0%}–{side.rate.high:.0%})"


def _change(found: Effect | None) -> str:
    if found is None or found.change is None or found.low is None or found.high is None:
        return "—"
    return f"{found.change * 100:+.1f} ({found.low * 100:+.1f} … {found.high * 100:+.1f})"
