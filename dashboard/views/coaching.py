"""辅导: playlists for trainers, tasks for collectors, and whether it helped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import streamlit as st

from audit.access import Action, Actor, may
from audit.coaching import (
    NewClip,
    Task,
    add_clip,
    assign,
    assignments,
    candidates,
    change_playlist,
    clips,
    drop_clip,
    make_playlist,
    note_clip,
    playlists,
    shift_clip,
)
from audit.coaching_record import Assignment, Clip, Playlist
from audit.coaching_sheet import sheet
from audit.complaints import today
from audit.redact import find_private, mask
from audit.store import Store
from dashboard import address, data, filters
from dashboard.coaching_clips import act, rule_title, show_clip
from dashboard.coaching_tasks import effects, own_tasks, task_list
from dashboard.words import lang, t

CANDIDATES = 12
_WEEK = timedelta(days=7)


def show() -> None:
    actor = data.actor()
    with data.reading() as store:
        if actor.only_own is not None:
            st.title(t("coaching.mine"))
            own_tasks(store, actor)
            return
        st.title(t("coaching.title"))
        tasks = assignments(store, actor=actor, agent_id=filters.current().agent_id)
        lists = playlists(store, actor=actor)
        _figures(tasks, lists)
        tabs = st.tabs([t("coaching.tab_playlists"), t("coaching.tab_tasks"), t("coaching.tab_effect")])
        with tabs[0]:
            _playlists(store, actor, lists)
        with tabs[1]:
            task_list(actor, tasks)
        with tabs[2]:
            effects(store, actor, tasks)


def _figures(tasks: list[Assignment], lists: list[Playlist]) -> None:
    overdue = sum(task.overdue(today()) for task in tasks)
    waiting = sum(task.acknowledged_at is None for task in tasks)
    late = t("coaching.m_overdue")
    columns = st.columns(4)
    columns[0].metric(t("coaching.m_lists"), sum(not one.archived for one in lists), border=True)
    columns[1].metric(t("coaching.m_open"), waiting, border=True)
    columns[2].metric(f":red[:material/warning: {late}]" if overdue else late, overdue, border=True)
    columns[3].metric(t("coaching.m_done"), len(tasks) - waiting, border=True)


# playlists


def _playlists(store: Store, actor: Actor, lists: list[Playlist]) -> None:
    maker = may(actor, Action.ASSIGN_COACHING) or may(actor, Action.JUDGE)
    left, right = st.columns([4, 8], gap="medium")
    with left:
        if maker:
            _new_playlist(expanded=not lists)
        chosen = _choose(lists)
    with right:
        if chosen is None:
            st.info(t("coaching.none_yet"), icon=":material/queue_music:")
        else:
            _playlist(store, actor, chosen)


def _new_playlist(*, expanded: bool) -> None:
    with (
        st.expander(t("coaching.new"), expanded=expanded, icon=":material/add:"),
        st.form("coaching_new", border=False, clear_on_submit=True),
    ):
        title = st.text_input(t("coaching.name"), key="coaching_title", placeholder=t("coaching.name_hint"))
        note = st.text_input(t("coaching.note"), key="coaching_note", placeholder=t("coaching.note_hint"))
        sent = st.form_submit_button(t("coaching.create"), key="coaching_create", type="primary")
    if sent:
        st.query_params.pop("playlist", None)
        act(make_playlist, title=title, note=note)


def _choose(lists: list[Playlist]) -> Playlist | None:
    if not lists:
        return None
    numbers = [one.id for one in lists]
    asked = address.number("playlist")
    number = asked if asked in numbers else numbers[0]
    at = numbers.index(number)
    key = f"coaching_lists_{number}_{at}"  # Streamlit ticks what it is given only under a new key
    st.dataframe(
        [_listed(one) for one in lists],
        hide_index=True,
        key=key,
        height=min(560, 38 + 35 * len(lists)),
        on_select=partial(_open_selected, numbers, key),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [at]}},
    )
    return lists[at]


def _listed(one: Playlist) -> dict[str, Any]:
    away = t("shell.brackets", what=t("coaching.archived")) if one.archived else ""
    return {
        t("coaching.c_title"): f"{one.title}{away}",
        t("coaching.c_good"): one.good,
        t("coaching.c_bad"): one.bad,
        t("coaching.c_assigned"): one.assigned,
        t("coaching.c_done"): one.acknowledged,
    }


def _open_selected(numbers: list[int], key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.query_params["playlist"] = str(numbers[rows[0]])


def _playlist(store: Store, actor: Actor, one: Playlist) -> None:
    trainer = may(actor, Action.ASSIGN_COACHING)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(one.title, width="content", anchor=False)
        if trainer:
            _edit(one)
            _assign(store, actor, one)
        if may(actor, Action.EXPORT):
            _print(actor, one)
    if one.note:
        st.text(one.note)
    found = clips(store, one.id, actor=actor)
    if not found:
        st.info(t("coaching.no_clips"), icon=":material/content_cut:")
    for number, clip in enumerate(found, 1):
        with st.container(border=True):
            show_clip(store, clip, actor=actor, number=number)
            if trainer:
                _clip_tools(clip, one)
    if trainer or may(actor, Action.JUDGE):
        _add_bad(store, actor, one, found)
        _add_good(one)


def _edit(one: Playlist) -> None:
    with st.popover(t("coaching.edit"), icon=":material/edit:"):
        title = st.text_input(t("coaching.name"), one.title, key=f"coaching_title_{one.id}")
        note = st.text_area(t("coaching.note"), one.note, key=f"coaching_note_{one.id}")
        with st.container(horizontal=True):
            if st.button(t("coaching.save"), key="coaching_save", type="primary"):
                act(change_playlist, replace(one, title=title, note=note))
            if st.button(t("coaching.unarchive" if one.archived else "coaching.archive"), key="coaching_archive"):
                act(change_playlist, replace(one, archived=not one.archived))


def _assign(store: Store, actor: Actor, one: Playlist) -> None:
    names = filters.names(actor)
    with (
        st.popover(t("coaching.assign"), icon=":material/assignment_ind:"),
        st.form(f"coaching_assign_{one.id}", border=False),
    ):
        agents = st.multiselect(
            t("coaching.who"), list(names), key=f"coaching_agents_{one.id}",
            format_func=lambda agent: f"{agent} {names[agent] or ''}".strip(), placeholder=t("coaching.choose"),
        )  # fmt: skip
        due = st.date_input(
            t("coaching.due_on"), today() + _WEEK, key=f"coaching_due_{one.id}", min_value=today(), format=filters.DAY
        )
        note = st.text_input(t("coaching.task_note"), key=f"coaching_task_note_{one.id}")
        sent = st.form_submit_button(t("coaching.assign_go"), key="coaching_assign_go", type="primary")
    if sent:
        act(assign, one.id, Task(agents=tuple(agents), due_on=due, note=note))


def _print(actor: Actor, one: Playlist) -> None:
    st.download_button(
        t("coaching.print"),
        data=partial(_sheet, actor, one.id, lang()),
        file_name=f"coaching-{one.id}.html",
        mime="text/html",
        key="coaching_print",
        icon=":material/print:",
        on_click="ignore",
        help=t("coaching.print_help"),
    )


def _sheet(actor: Actor, number: int, language: Any) -> str:
    """Runs when the file is fetched, where no session is at hand: who asks was asked when the button was drawn."""
    with data.writing() as store:
        return sheet(store, number, actor=actor, lang=language)


def _clip_tools(clip: Clip, one: Playlist) -> None:
    with st.container(horizontal=True):
        for name, icon, by in (("up", ":material/arrow_upward:", -1), ("down", ":material/arrow_downward:", 1)):
            if st.button(t(f"coaching.{name}"), key=f"coaching_{name}_{clip.id}", icon=icon, type="tertiary"):
                act(shift_clip, clip.id, by=by)
        with st.popover(t("coaching.clip_note"), icon=":material/edit_note:", type="tertiary"):
            note = st.text_area(t("coaching.clip_note"), clip.note, key=f"coaching_clip_note_{clip.id}")
            if st.button(t("coaching.save"), key=f"coaching_clip_save_{clip.id}"):
                act(note_clip, clip.id, note)
        with st.popover(t("coaching.drop"), icon=":material/delete:", type="tertiary"):
            waiting = one.assigned - one.acknowledged
            st.markdown(t("coaching.drop_assigned", n=waiting) if waiting else t("coaching.drop_sure"))
            if st.button(t("coaching.drop_yes"), key=f"coaching_drop_{clip.id}", type="primary"):
                act(drop_clip, clip.id)


def _add_bad(store: Store, actor: Actor, one: Playlist, known: list[Clip]) -> None:
    with st.expander(t("coaching.add_bad"), icon=":material/thumb_down:", expanded=not known):
        there = {clip.finding for clip in known}
        found = [item for item in candidates(store, filters.current(), actor=actor) if item.key not in there]
        st.caption(t("coaching.add_bad_note") if found else t("coaching.no_candidates"))
        for item in found[:CANDIDATES]:
            left, right = st.columns([9, 2], vertical_alignment="center")
            who = " · ".join(filter(None, (item.at[:16].replace("T", " "), item.agent_id, item.call_id)))
            said = mask(item.words, find_private(item.words))[:40]
            left.markdown(f"**{rule_title(store, item.rule_id)}**" + (f" “{said}”" if said else ""))
            left.caption(who)
            if right.button(t("coaching.add"), key=f"coaching_add_{item.key}", icon=":material/add:"):
                act(add_clip, one.id, NewClip(call_id=item.call_id, finding=item.key))


def _add_good(one: Playlist) -> None:
    with (
        st.expander(t("coaching.add_good"), icon=":material/thumb_up:"),
        st.form(f"coaching_good_{one.id}", border=False),
    ):
        first, second, third = st.columns([4, 2, 2])
        call_id = first.text_input(t("coaching.call_id"), key=f"coaching_good_call_{one.id}")
        start = second.number_input(t("coaching.from_s"), 0.0, key=f"coaching_good_from_{one.id}", step=1.0)
        end = third.number_input(t("coaching.to_s"), 0.0, value=20.0, key=f"coaching_good_to_{one.id}", step=1.0)
        note = st.text_input(t("coaching.why_good"), key=f"coaching_good_note_{one.id}")
        sent = st.form_submit_button(t("coaching.add"), key="coaching_good_add")
    if sent and not call_id.strip():
        st.error(t("coaching.which_call"), icon=":material/error:")
    elif sent:
        first_ms, last_ms = round(start * 1000), round(end * 1000)
        new = NewClip(call_id=call_id.strip(), note=note, start_ms=first_ms, end_ms=last_ms)
        act(add_clip, one.id, new)


show()
