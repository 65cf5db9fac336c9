"""One complaint: its clock, its calls and what the machine made of them, its answer, its history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import streamlit as st

from audit.access import Action, may
from audit.complaint_clock import BEIJING, NEXT, Complexity, Status, is_reopening
from audit.complaint_figures import Flag, NearCall, judged_today, linked, reviewed, suggest
from audit.complaint_record import Complaint
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CAUSES, Outcome
from audit.complaints import Desk, change, extend, history, link, move, read, related, unlink
from audit.errors import AuditError
from dashboard import complaint_labels as labels
from dashboard import data, rulebook
from dashboard.complaint_drafts import Names, draft, field, forget
from dashboard.complaint_intake import writing_desk
from dashboard.marks import person
from dashboard.told import told
from dashboard.words import t
from rules.model import Result

SUGGESTED = 8
_LONG, _LONG_PX = 400, 240  # characters from which a complaint scrolls, so that the steps below stay in sight
_ACTS: dict[Status, tuple[str, str]] = {
    Status.INVESTIGATING: ("complaints.go_investigating", ":material/search:"),
    Status.ANSWERED: ("complaints.go_answered", ":material/mark_email_read:"),
    Status.CLOSED: ("complaints.go_closed", ":material/task_alt:"),
}
_COLOURS: dict[Status, labels.Colour] = {
    Status.RECEIVED: "gray", Status.INVESTIGATING: "violet", Status.ANSWERED: "green", Status.CLOSED: "green",
}  # fmt: skip
_ANSWER = ("outcome", "cause", "answer", "remedy")
_FACTS = ("category", "complainant", "debtor_id", "case_id", "agent_id")


def detail(desk: Desk, number: int) -> None:
    """Everything about one complaint."""
    try:
        one = read(desk, number)
    except AuditError:
        st.warning(t("complaints.no_such", id=number), icon=":material/search_off:")
        return
    editor = may(desk.actor, Action.EDIT_COMPLAINTS)
    _head(desk, one)
    with st.container(border=True, height=_LONG_PX if len(one.text) > _LONG else "content"):
        st.text(one.text)
    if editor:
        _steps(desk, one)
    calls, others = linked(desk, one.id), related(desk, one.id)
    names = ["calls", "findings", "facts", "related", "history"]
    counts = {"calls": len(calls), "related": len(others)}
    titles = [f"{t(f'complaints.{n}')} {counts[n]}" if counts.get(n) else t(f"complaints.{n}") for n in names]
    tabs = dict(zip(names, st.tabs(titles), strict=True))
    with tabs["calls"]:
        _calls(desk, one, calls, editor=editor)
    with tabs["findings"]:
        _answer_form(desk, one, editor=editor)
    with tabs["facts"]:
        _facts_form(desk, one, editor=editor)
    with tabs["related"]:
        _related(desk, others)
    with tabs["history"]:
        _history(desk, one)


def _head(desk: Desk, one: Complaint) -> None:
    found = one.clock(today=desk.day, terms=desk.terms)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(t("complaints.heading", id=one.id), width="content", anchor=False)
        st.badge(t(f"complaints.{one.status}"), color=_COLOURS[one.status])
        st.badge(labels.pace(found), icon=labels.ICONS[found.pace], color=labels.COLOURS[found.pace])
        if one.outcome:
            st.badge(t(f"complaints.{one.outcome}"), icon=":material/gavel:", color="gray")
    received = one.received_at.astimezone(BEIJING)
    due = t("complaints.due_line", day=one.due_on, complexity=t(f"complaints.{one.complexity}"))
    parts = [labels.channel(one.channel), labels.category(one.category), f"{received:%Y-%m-%d %H:%M}", due]
    st.caption(" · ".join(part for part in parts if part != "—"))


def _do(desk: Desk, step: Callable[..., object], *what: object, **more: object) -> None:
    """Take a step and draw the page anew; what refuses it is told here. A step that says False changed nothing."""
    try:
        with data.writing() as store:
            done = step(writing_desk(desk, store), *what, **more)
    except AuditError as error:
        st.error(told(error), icon=":material/error:")
        return
    if done is False:
        st.toast(t("complaints.unchanged"), icon=":material/info:")
    else:
        st.toast(t("complaints.saved"), icon=":material/check:")
    st.rerun()


def _steps(desk: Desk, one: Complaint) -> None:
    with st.container(horizontal=True):
        for to in NEXT[one.status]:
            if is_reopening(one.status, to):
                _reopen(desk, one, to)
                continue
            label, icon = _ACTS[to]
            first = to is NEXT[one.status][0]
            key = f"complaint_to_{to}"
            if st.button(t(label), key=key, icon=icon, type="primary" if first else "secondary"):
                _do(desk, move, one, to)
        if one.status.running:
            _extend(desk, one)


def _reopen(desk: Desk, one: Complaint, to: Status) -> None:
    with st.popover(t("complaints.reopen"), icon=":material/undo:"):
        reason = st.text_input(t("complaints.reason_reopen"), key=f"complaint_reopen_{one.id}")
        if st.button(t("complaints.reopen"), key="complaint_reopen"):
            _do(desk, move, one, to, reason=reason)


def _extend(desk: Desk, one: Complaint) -> None:
    with st.popover(t("complaints.extend"), icon=":material/event:"):
        wanted = st.segmented_control(
            t("complaints.complexity"), list(Complexity), key=f"complaint_complexity_{one.id}_{one.revision}",
            default=one.complexity, required=True,
            format_func=lambda c: f"{t(f'complaints.{c}')} {desk.terms.days(c)}",
        )  # fmt: skip
        reason = st.text_input(t("complaints.reason_extend"), key=f"complaint_extend_{one.id}")
        if st.button(t("complaints.save"), key="complaint_extend"):
            _do(desk, extend, one, wanted or one.complexity, reason=reason)


def _calls(desk: Desk, one: Complaint, calls: list[NearCall], *, editor: bool) -> None:
    if not calls:
        st.caption(t("complaints.no_linked"))
    for call in calls:
        with st.container(border=True):
            _call(call, one)
            _seen(desk, call)
            _under(desk, one, call, editor=editor)
    found = suggest(desk, one)[:SUGGESTED]
    st.markdown(f"**{t('complaints.suggested')}**")
    if not found:
        known = one.debtor_id or one.case_id or one.agent_id
        st.caption(t("complaints.no_suggested" if known else "complaints.no_key"))
    for call in found:
        left, right = st.columns([8, 2], vertical_alignment="center")
        with left:
            _call(call, one)
        if editor and right.button(t("complaints.link"), key=f"complaint_link_{call.call_id}", icon=":material/link:"):
            _do(desk, link, one.id, call.call_id)
    if editor:
        _by_id(desk, one)


def _call(call: NearCall, one: Complaint) -> None:
    """Two lines: which call, and what the machine found in it."""
    when = t("complaints.gone_call") if call.started_at is None else f"{call.started_at:%Y-%m-%d %H:%M}"
    who = " ".join(filter(None, (call.agent_id, call.agent_name)))
    length = "" if call.duration_ms is None else f"{call.duration_ms // 60_000}:{call.duration_ms // 1000 % 60:02d}"
    score = "" if call.score is None else t("complaints.score", n=call.score)
    why = t("shell.comma").join(t(f"complaints.why_{name}") for name in call.why)
    st.markdown(f"[{_safe(call.call_id)}](/call?call={quote(call.call_id, safe='')})")
    st.caption(" · ".join(filter(None, (when, _safe(who), length, score, why))))
    _flags(t("complaints.machine"), call.flags, one)


def _flags(what: str, flags: tuple[Flag, ...], one: Complaint) -> None:
    if not flags:
        st.caption(f"{what}{t('shell.colon')}:material/radio_button_unchecked: {t('complaints.machine_nothing')}")
        return
    best: dict[str, Flag] = {}
    for flag in flags:
        best.setdefault(flag.category, flag)
    said = []
    for category, flag in best.items():
        unsure = t("shell.brackets", what=t("complaints.unsure")) if flag.result is Result.UNSURE else ""
        hit = category == one.category
        name = f"{labels.category(category)}{unsure}"
        same = t("shell.brackets", what=t("complaints.same_category"))
        said.append(f":red[:material/flag: **{name}**{same}]" if hit else name)
    said.sort(key=lambda text: not text.startswith(":red"))
    st.markdown(f":small[{what}{t('shell.colon')}{t('shell.comma').join(said)}]")


def _seen(desk: Desk, call: NearCall) -> None:
    counts = reviewed(desk, call.call_id)
    said = [t(f"complaints.{name}_n", n=n) for name, n in counts.items() if n]
    nobody = not counts["confirmed"] and not counts["dismissed"]
    text = t("shell.comma").join([t("complaints.human_none"), *said] if nobody else said)
    st.caption(f"{t('complaints.human')}{t('shell.colon')}{text}")


def _under(desk: Desk, one: Complaint, call: NearCall, *, editor: bool) -> None:
    with st.container(horizontal=True):
        if st.button(t("complaints.today"), key=f"complaint_today_{call.call_id}", icon=":material/rule:"):
            with rulebook.judging:
                judged = judged_today(desk, call.call_id, rulebook.judge())
            st.session_state["complaint_today"] = (call.call_id, judged)
        if editor and st.button(
            t("complaints.unlink"), key=f"complaint_unlink_{call.call_id}", icon=":material/link_off:", type="tertiary"
        ):
            _do(desk, unlink, one.id, call.call_id)
    judged = st.session_state.get("complaint_today")
    if judged and judged[0] == call.call_id:
        if judged[1] is None:
            st.caption(t("complaints.today_gone"))
        else:
            _flags(t("complaints.today_is"), judged[1], one)


def _by_id(desk: Desk, one: Complaint) -> None:
    with st.form(f"complaint_by_id_{one.id}_{one.revision}", border=False):
        left, right = st.columns([8, 2], vertical_alignment="bottom")
        call_id = left.text_input(t("complaints.by_id"), key="complaint_call_id", placeholder=t("complaints.call_id"))
        sent = right.form_submit_button(t("complaints.link"), key="complaint_link_id", icon=":material/link:")
    if sent and call_id.strip():
        _do(desk, link, one.id, call_id.strip())


def _answer_form(desk: Desk, one: Complaint, *, editor: bool) -> None:
    left, right = st.columns([3, 2])
    left.segmented_control(
        t("complaints.outcome"), list(Outcome), **field(one, "outcome", _ANSWER), disabled=not editor, wrap=True,
        format_func=lambda found: t(f"complaints.{found}"),
    )  # fmt: skip
    right.selectbox(
        t("complaints.cause"), list(CAUSES), **field(one, "cause", _ANSWER), placeholder=t("complaints.unknown"),
        index=None, format_func=labels.cause, disabled=not editor,
    )  # fmt: skip
    st.text_area(t("complaints.answer"), **field(one, "answer", _ANSWER), disabled=not editor)
    st.text_area(t("complaints.remedy"), **field(one, "remedy", _ANSWER), height=80, disabled=not editor)
    _save(desk, one, _ANSWER, "answer", editor=editor)


def _facts_form(desk: Desk, one: Complaint, *, editor: bool) -> None:
    st.selectbox(
        t("complaints.category"), list(CATEGORIES_OF_COMPLAINTS), **field(one, "category", _FACTS), index=None,
        placeholder=t("complaints.unknown"), format_func=labels.category, disabled=not editor,
    )  # fmt: skip
    names = {"complainant": "complainant", "debtor_id": "debtor", "case_id": "case", "agent_id": "agent"}
    for column, (name, label) in zip(st.columns(4), names.items(), strict=True):
        column.text_input(t(f"complaints.{label}"), **field(one, name, _FACTS), disabled=not editor)
    _save(desk, one, _FACTS, "facts", editor=editor)


def _save(desk: Desk, one: Complaint, names: Names, what: str, *, editor: bool) -> None:
    """The button below fields; where a colleague saved some of them meanwhile, a choice between the two instead."""
    found = draft(one, names)
    typed = {} if found is None else found.typed
    clashing = [] if found is None else found.clashes(one, names)
    if clashing:
        stands = [labels.field(name, getattr(one, name)) for name in clashing]
        st.warning(t("complaints.clash", stands=_safe(t("shell.semicolon").join(stands))), icon=":material/group:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if clashing:
            if st.button(t("complaints.keep_mine"), key=f"complaint_keep_{what}"):
                _do(desk, change, one, typed)
            st.button(t("complaints.take_theirs"), key=f"complaint_drop_{what}", on_click=forget, args=(one, names))
        elif st.button(t("complaints.save"), key=f"complaint_save_{what}", disabled=not editor):
            _do(desk, change, one, typed)
        elif found is not None:
            st.caption(t("complaints.unsaved"))


def _related(desk: Desk, others: list[Complaint]) -> None:
    if not others:
        st.caption(t("complaints.related_none"))
        return
    for other in others:
        found = other.clock(today=desk.day, terms=desk.terms)
        said = [t("complaints.heading", id=other.id), str(other.received_on), labels.channel(other.channel)]
        said += [labels.category(other.category), t(f"complaints.{other.status}"), labels.pace(found)]
        st.markdown(f"[{' · '.join(said)}](/complaints?id={other.id})")
        st.caption(_safe(other.text[:120]))


def _history(desk: Desk, one: Complaint) -> None:
    for step in reversed(history(desk, one.id)):
        with st.container(gap=None):
            who = f"{_clock_time(step.at)} · {_safe(person(step.actor))}"
            st.markdown(f"**{t(f'complaints.h_{step.what}')}** · {who}")
            if said := labels.changes(step):
                st.caption(_safe(said))


def _clock_time(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _safe(text: str) -> str:
    """Text of others inside our Markdown: shown as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~:$&" else c for c in text).replace("\n", " ")
