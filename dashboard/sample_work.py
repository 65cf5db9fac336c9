"""Working through a sample: one call after another, heard in full."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from audit import review, sampling
from audit.access import Actor
from audit.dossier import Dossier, Found
from audit.errors import AuditError
from audit.review import REASONS, Choice
from audit.sampling import Task
from audit.store.queue import OPEN, Item
from audit.store.samples import Correction, Pool, Sample
from audit.store.verdicts import Kind
from dashboard import data, rulebook
from dashboard.marks import beijing, heading, mark, person, plain, policy, sign
from dashboard.missed_form import VIOLATIONS, added_here, missed_form
from dashboard.player import Focus, Selected, Shown, player
from dashboard.sounds import sound_of
from dashboard.told import told
from dashboard.unmasking import mask_line, unmasking
from dashboard.words import lang, t


def show(actor: Actor, samples: list[Sample]) -> None:
    """The chosen sample's next call, and what one may say of it."""
    sample = _chosen(samples)
    task = _task(sample, actor)
    _top(sample, task, actor)
    if task is None:
        _nothing_left(sample)
        return
    if task.held_by is not None:
        st.warning(t("sampling.held", who=person(task.held_by)), icon=":material/visibility:")
    with data.reading() as store:
        call = sampling.hear_task(store, task, actor=actor, unmasking=unmasking(task.item.call_id))
    if call is None:
        st.info(t("sampling.gone"), icon=":material/delete:")
        st.button(t("sampling.later"), key="sampling_later", on_click=_put_off, args=(task,))
        return
    left, right = st.columns([13, 8], gap="medium")
    with left:
        selected, has_sound = _call(task, call, actor)
    with right:
        if not has_sound:
            st.warning(t("sampling.unheard"), icon=":material/hearing_disabled:")
        _say(task, call, selected, actor, heard=has_sound)
        _correct(task, call, selected, actor)
    st.caption(t("sampling.keys"))


# which one


def _chosen(samples: list[Sample]) -> Sample:
    by_id = {one.id: one for one in samples}
    first = next((one.id for one in samples if not one.complete), samples[0].id)
    if st.session_state.get("sampling_sample") not in by_id:
        st.session_state["sampling_sample"] = first
    number = st.selectbox(
        t("sampling.sample"), list(by_id), key="sampling_sample", on_change=_leave, label_visibility="collapsed",
        format_func=lambda one: label(by_id[one]),
    )  # fmt: skip
    return by_id[number]


def label(sample: Sample) -> str:
    """What a sample is called in lists."""
    text = t(
        "sampling.sample_label", id=sample.id, name=sample.plan.name, since=sample.days.since, until=sample.days.until,
        done=sample.done, items=sample.items,
    )  # fmt: skip
    return f"{text} · {t('sampling.blind_mark')}" if sample.plan.blind else text


def _task(sample: Sample, actor: Actor) -> Task | None:
    """What is being heard, else the next."""
    with data.writing() as store:
        named = st.session_state.get("sampling_item")
        found = None if named is None else sampling.task(store, named, actor=actor)
        if found is None or found.sample.id != sample.id:
            put_off = st.session_state.get("sampling_put_off", [])
            found = sampling.next_task(store, sample.id, actor=actor, put_off=put_off)
    st.session_state["sampling_item"] = None if found is None else found.item.id
    return found


def _leave() -> None:
    st.session_state["sampling_item"] = None
    st.session_state.pop("sampling_unheard", None)


def _put_off(task: Task) -> None:
    st.session_state.setdefault("sampling_put_off", []).append(task.item.id)
    _leave()


def _top(sample: Sample, task: Task | None, actor: Actor) -> None:
    with data.reading() as store:
        last = sampling.last_heard(store, sample.id, actor=actor)
    with st.container(horizontal=True, vertical_alignment="center"):
        left = 0 if task is None else task.left
        st.markdown(t("sampling.left", n=left, done=sample.done, items=sample.items), width="content")
        st.space("stretch")
        st.button(
            t("sampling.undo"), key="sampling_undo", icon=":material/undo:", shortcut="U", disabled=last is None,
            on_click=_undo, args=(None if last is None else last.id, actor),
        )  # fmt: skip


def _nothing_left(sample: Sample) -> None:
    if st.session_state.get("sampling_put_off"):
        st.info(t("sampling.put_off_left"), icon=":material/schedule:")
        st.button(t("sampling.look_again"), key="sampling_again", on_click=_look_again)
    else:
        text = t("sampling.nothing_left", done=sample.done, items=sample.items)
        st.success(text, icon=":material/check_circle:")


def _look_again() -> None:
    st.session_state["sampling_put_off"] = []


# the call


def _call(task: Task, call: Dossier, actor: Actor) -> tuple[Selected | None, bool]:
    """What was selected in the transcript, and whether there is something to hear."""
    _facts(task, call)
    with st.container(horizontal=True, vertical_alignment="center"):
        mask_line(call, actor)
    sound, missing = sound_of(call, actor)
    marks = [mark(one.item, one.finding, one.rule) for one in call.found if one.item is not None]
    # From the first turn on, so that the player's keys know where one is.
    focus = Focus(key=task.item.key) if task.item.key else Focus(turn=call.turns[0].index) if call.turns else None
    shown = Shown(turns=call.turns, marks=marks, sound=sound, missing=missing, focus=focus)
    return player(shown, key=f"sampling_player_{task.item.id}", selectable=True), sound is not None


def _facts(task: Task, call: Dossier) -> None:
    """Of a blind set not even who speaks: names have a reputation."""
    record, seconds = call.record, call.duration_ms // 1000
    facts = [
        t("review.no_time") if record.started_at is None else beijing(record.started_at),
        t("review.minutes", m=seconds // 60, s=seconds % 60),
    ]
    if not task.sample.plan.blind:
        facts += filter(None, (record.agent_id, record.agent_name, record.team, record.product, task.item.stratum))
    st.caption(plain(" · ".join(dict.fromkeys(facts))))


# what one says of it


def _say(task: Task, call: Dossier, selected: Selected | None, actor: Actor, *, heard: bool) -> None:
    """What was heard; where there is nothing to hear, putting it off comes first."""
    plan = task.sample.plan
    if plan.blind:
        st.info(t("sampling.blind_note"), icon=":material/visibility_off:")
        _blind(task, actor, heard=heard)
    elif plan.pool is Pool.FINDINGS:
        _verdict(task, call, actor)
    else:
        note = "sampling.hear_note" if plan.pool is Pool.UNFLAGGED else "sampling.hear_note_all"
        st.caption(t(note))
        missed_form(call, selected, actor, page="sampling")
        added = added_here(call, actor)
        words = t("sampling.done_added", n=added) if added else t("sampling.clean")
        _finish_button(words, task, actor, heard=heard)
    st.button(
        t("sampling.later"), key="sampling_later", icon=":material/schedule:", shortcut="N", on_click=_put_off,
        args=(task,), type="secondary" if heard else "primary",
    )  # fmt: skip


def _blind(task: Task, actor: Actor, *, heard: bool) -> None:
    said = st.multiselect(
        t("sampling.blind_which"), VIOLATIONS, key=f"sampling_said_{task.item.id}", format_func=rulebook.as_finding,
        placeholder=t("sampling.choose"),
    )  # fmt: skip
    answer = frozenset(said)
    words = t("sampling.blind_some" if said else "sampling.blind_none")
    _finish_button(words, task, actor, answer, heard=heard)


def _finish_button(
    words: str, task: Task, actor: Actor, said: frozenset[str] | None = None, *, heard: bool = True
) -> None:
    """Of what nobody could hear it asks once more. `said` in a blind set."""
    st.checkbox(t("sampling.text_checked"), key=_checked(task))
    asked = st.session_state.get("sampling_unheard") == task.item.id
    if asked:
        st.warning(t("sampling.unheard_sure", words=words), icon=":material/help:")
    st.button(
        words, key="sampling_clean" if said is None else "sampling_said", icon=":material/check:", shortcut="A",
        type="primary" if heard else "secondary", width="stretch",
        on_click=_finish if heard or asked else _ask_unheard, args=(task, actor, said),
    )  # fmt: skip


def _ask_unheard(task: Task, *_: object) -> None:
    st.session_state["sampling_unheard"] = task.item.id


def _checked(task: Task) -> str:
    return f"sampling_text_checked_{task.item.id}"


def _finish(task: Task, actor: Actor, said: frozenset[str] | None) -> None:
    checked = bool(st.session_state.get(_checked(task)))
    with data.writing() as store:
        _told(lambda: sampling.finish(store, task.item.id, actor=actor, said=said, text_checked=checked))


def _told(act: Callable[[], object], *, notice: str = "sampling.finished") -> None:
    """Do it and go on to the next; what can't be done is said, and one stays here."""
    try:
        act()
    except AuditError as error:
        st.session_state["sampling_trouble"] = told(error)
        return
    st.session_state["sampling_notice"] = t(notice)
    _leave()


def _undo(number: int, actor: Actor) -> None:
    with data.writing() as store:
        _told(lambda: sampling.reopen(store, number, actor=actor), notice="sampling.undone")
    st.session_state["sampling_item"] = number


def _verdict(task: Task, call: Dossier, actor: Actor) -> None:
    """A finding that was drawn: judged here as in the queue."""
    found = next((one for one in call.found if one.key == task.item.key), None)
    if found is None or found.item is None:
        st.info(t("review.not_here"), icon=":material/info:")
        return
    _finding(found, found.item)
    if found.item.state not in OPEN or actor.name in found.item.judged_by:
        _finish_button(t("review.next"), task, actor)
        return
    kinds = [Kind.CONFIRM, Kind.PARTIAL, Kind.DISMISS]
    kind = st.segmented_control(
        t("sampling.your_verdict"), kinds, key=f"sampling_verdict_{task.item.id}",
        format_func=lambda one: t(f"review.k_{one.value}"),
    )  # fmt: skip
    reasons = REASONS.get(kind, {}) if kind else {}
    reason = st.selectbox(
        t("sampling.reason"), list(reasons), key=f"sampling_reason_{kind}",
        format_func=lambda one: reasons[one][lang() == "en"],
    ) if reasons else None  # fmt: skip
    remark = st.text_input(t("sampling.comment"), key=f"sampling_comment_{task.item.id}")
    st.button(
        t("sampling.save_verdict"), key="sampling_judge", type="primary", icon=":material/check:", width="stretch",
        disabled=kind is None, on_click=_judge,
        args=(task, found.item, Choice(kind=kind or Kind.CONFIRM, reason=reason, comment=remark), actor),
    )  # fmt: skip


def _finding(found: Found, item: Item) -> None:
    st.markdown(f"#### {sign(item)}　{plain(heading(item, found.rule))}")
    if found.finding.quote:
        st.markdown(f"> {plain(found.finding.quote)}")
    st.text(f"{t('review.because')}{t('shell.colon')}{found.finding.because}")


def _judge(task: Task, item: Item, choice: Choice, actor: Actor) -> None:
    def both() -> None:
        with store.writing():
            review.judge(store, item, choice, actor=actor, policy=policy())
            sampling.finish(store, task.item.id, actor=actor)

    with data.writing() as store:
        _told(both)


# the words


def _correct(task: Task, call: Dossier, selected: Selected | None, actor: Actor) -> None:
    """What was said in a turn, beside what was heard; the turn in which words are selected is offered first."""
    with st.expander(t("sampling.fix"), icon=":material/edit_note:", key="sampling_fix"):
        if not call.turns:
            return
        with data.reading() as store:
            done = sampling.corrected(store, task.item, actor=actor)
        if done:
            st.caption(t("sampling.fix_done", turns=t("shell.comma").join(str(turn + 1) for turn in sorted(done))))
        turns = {turn.index: turn for turn in call.turns}
        first = list(turns).index(selected.turn) if selected is not None and selected.turn in turns else 0
        number = st.selectbox(
            t("sampling.fix_turn"), list(turns), index=first,
            key=f"sampling_turn_{task.item.id}_{first}",
            format_func=lambda one: f"{one + 1}  {turns[one].text[:24]}",
        )  # fmt: skip
        heard = turns[number].text
        st.text(t("sampling.fix_heard", text=heard))
        key = f"sampling_text_{task.item.id}_{number}"
        st.text_area(t("sampling.fix_said"), value=heard, key=key, height=80)
        st.button(
            t("sampling.fix_save"), key="sampling_fix_save", icon=":material/save:", on_click=_keep,
            args=(task, number, heard, key, actor),
        )  # fmt: skip
        if call.masked and call.private:
            st.caption(t("sampling.fix_note"))


def _keep(task: Task, turn: int, heard: str, key: str, actor: Actor) -> None:
    correction = Correction(turn=turn, heard=heard, text=st.session_state[key])
    try:
        with data.writing() as store:
            sampling.correct(store, task.item.id, correction, actor=actor)
    except AuditError as error:
        st.session_state["sampling_trouble"] = told(error)
        return
    st.session_state["sampling_notice"] = t("sampling.fix_saved")
