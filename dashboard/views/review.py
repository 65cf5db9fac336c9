"""复核: one finding at a time with its call, judged by keys; the next is there at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

import streamlit as st

from audit import review
from audit.access import Action, Actor, may
from audit.coaching import NewClip
from audit.dossier import Dossier, read_dossier
from audit.errors import AuditError
from audit.redact import find_private
from audit.redact import mask as mask_words
from audit.review import REASONS, Case, Choice, Offer
from audit.store import EVERY_CALL, RuleCard
from audit.store.queue import FOLLOWED_UP, OPEN, Item, State, Wanted, belongs_here
from audit.store.verdicts import Kind, Verdict
from dashboard import address, data, filters, rulebook
from dashboard.clip_button import clip_button, moment
from dashboard.links import nothing_audited
from dashboard.marks import beijing, clause, heading, mark, person, plain, policy, said, sign
from dashboard.missed_form import missed_form
from dashboard.player import Focus, Selected, Shown, player
from dashboard.sounds import sound_of
from dashboard.told import told
from dashboard.unmasking import mask_line, unmasking
from dashboard.words import lang, t
from rules.model import CATEGORIES, Finding, Result, Severity

_ASKED = ("category", "rule", "severity", "result")
"""What this page alone filters by: names in the address, and with `review_` before them in the session."""


def show() -> None:
    actor = data.actor()
    _adopt()
    wanted = _wanted()
    _begin_anew_if_changed(wanted)
    found, held_by = _current(actor, wanted)
    _top(actor, wanted)
    _notices()
    if found is None:
        _nothing_left(wanted)
        return
    if held_by is not None:
        st.warning(t("review.held", who=person(held_by)), icon=":material/visibility:")
    with data.reading() as store:
        call = read_dossier(store, found.item.call_id, actor=actor, unmasking=unmasking(found.item.call_id))
    left, right = st.columns([13, 8], gap="medium")
    with left:
        selected = None if call is None else _call(found.item, call, actor)
    with right:
        _finding(found, call, actor)
        _judge(found, actor)
        if call is not None:
            missed_form(call, selected, actor, page="review", likely=found.item.category)
            if selected is not None:
                clip_button(moment(call, selected), key="review_moment")
            _others(found.item, call)
        _past(found, actor)
    st.caption(t("review.keys"))


# which one


def _adopt() -> None:
    """What a link asks for; what makes no sense asks nothing."""
    allowed = {
        "category": set(_categories()),
        "severity": {severity.value for severity in Severity},
        "result": {"fail", "unsure"},
        "rule": set(_rule_titles(lang(), str(data.config().db))),
    }
    asked = address.news((*_ASKED, "finding"))
    for name in _ASKED:
        if name in asked:
            st.session_state[f"review_{name}"] = asked[name] if asked[name] in allowed[name] else None
    if "finding" in asked:
        _go_to(asked["finding"])
        st.session_state["review_wanted"] = _wanted()


def _categories() -> list[str]:
    return [name for name in CATEGORIES if belongs_here(name)]


def _wanted() -> Wanted:
    state = st.session_state
    severity, result = state.get("review_severity"), state.get("review_result")
    return Wanted(
        calls=filters.current(),
        category=state.get("review_category"),
        rule_id=state.get("review_rule"),
        severity=None if severity is None else Severity(severity),
        result=None if result is None else Result(result),
    )


def _begin_anew_if_changed(wanted: Wanted) -> None:
    """Other filters ask for another item."""
    if st.session_state.get("review_wanted", wanted) != wanted:
        _leave()
        st.session_state["review_put_off"] = []
    st.session_state["review_wanted"] = wanted


def _current(actor: Actor, wanted: Wanted) -> tuple[Case | None, str | None]:
    """The item being looked at, else the next of the queue; the address names it."""
    named = st.session_state.get("review_key")
    with data.writing() as store:
        if named is None:
            offer = review.next_item(store, wanted, actor=actor, put_off=st.session_state.get("review_put_off", ()))
        else:
            offer = _named(review.case(store, named, actor=actor))
        address.write({"finding": None if offer is None else offer.item.key})
        if offer is None:
            return None, None
        st.session_state["review_key"] = offer.item.key
        return review.case(store, offer.item.key, actor=actor), offer.held_by


def _named(found: Case | None) -> Offer | None:
    if found is None:
        st.session_state["review_notice"] = t("review.not_here")
        _leave()
        return None
    return Offer(item=found.item, held_by=None)


def _leave() -> None:
    """Let go of the item; the next run takes the next one."""
    for name in ("review_key", "review_asking", "review_bulk"):
        st.session_state.pop(name, None)


def _go_to(key: str) -> None:
    _leave()
    st.session_state["review_key"] = key


def _put_off(key: str) -> None:
    st.session_state.setdefault("review_put_off", []).append(key)
    _leave()


# the line above


def _top(actor: Actor, wanted: Wanted) -> None:
    with data.reading() as store:
        progress = review.progress(store, wanted, actor=actor)
        last = next(iter(review.recent(store, actor=actor)), None)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(t("review.title"), anchor=False, width="content")
        st.markdown(t("review.counts", waiting=f"{progress.waiting:,}", today=progress.today), width="content")
        st.space("stretch")
        _filters()
        st.button(
            t("review.undo_none") if last is None else t("review.undo", what=t(f"review.k_{last.kind}")),
            key="review_undo",
            icon=":material/undo:",
            shortcut="U",
            disabled=last is None,
            on_click=_undo,
            args=(actor, last),
        )
        # Only what is confirmed may be a bad example, and the page has gone on by then.
        if last is not None and last.kind in (Kind.CONFIRM, Kind.PARTIAL):
            clip_button(NewClip(call_id=last.call_id, finding=last.key), key="review_last", label=t("review.clip_last"))


def _filters() -> None:
    chosen = {name: st.session_state.get(f"review_{name}") for name in _ASKED}
    address.write(chosen)
    on = sum(value is not None for value in chosen.values())
    label = t("review.choose_on", n=on) if on else t("review.choose")
    with st.popover(label, icon=":material/filter_list:"):
        _choice("category", _categories(), rulebook.as_finding)
        _choice("severity", [severity.value for severity in Severity], lambda name: t(f"review.{name}"))
        _choice("result", ["fail", "unsure"], lambda name: t(f"review.{name}"))
        titles = _rule_titles(lang(), str(data.config().db))
        _choice("rule", list(titles), lambda name: titles.get(name, name))


def _choice(name: str, options: list[str], label: Callable[[str], str]) -> None:
    st.selectbox(
        t(f"review.{name}"),
        options,
        index=None,
        key=f"review_{name}",
        placeholder=t("review.all"),
        format_func=label,
    )


@st.cache_data(ttl=60, max_entries=8, show_spinner=False)
def _rule_titles(language: str, db: str) -> dict[str, str]:
    """Rules that have items, by how many wait; a minute old at most, for each verdict changes the store."""
    with data.reading() as store:
        return review.rule_titles(store, lang=language)


def _notices() -> None:
    if (notice := st.session_state.pop("review_notice", None)) is not None:
        st.toast(notice, icon=":material/info:")
    if (trouble := st.session_state.pop("review_trouble", None)) is not None:
        st.warning(trouble, icon=":material/warning:")


def _nothing_left(wanted: Wanted) -> None:
    if st.session_state.get("review_put_off"):
        st.info(t("review.empty_put_off"), icon=":material/schedule:")
        st.button(t("review.look_again"), key="review_again", on_click=_look_again, shortcut="N")
        return
    with data.reading() as store:
        empty = not review.rule_titles(store)
    if empty:
        nothing_audited()
    elif wanted == Wanted(calls=EVERY_CALL):
        st.success(t("review.empty"), icon=":material/check_circle:")
    else:
        st.info(t("review.empty_filter"), icon=":material/filter_alt_off:")
        st.button(t("review.clear"), key="review_clear", on_click=_clear)


def _look_again() -> None:
    st.session_state["review_put_off"] = []


def _clear() -> None:
    filters.clear()
    for name in _ASKED:
        st.session_state[f"review_{name}"] = None


# the call


def _call(item: Item, call: Dossier, actor: Actor) -> Selected | None:
    _facts(call, item)
    with st.container(horizontal=True, vertical_alignment="center"):
        mask_line(call, actor)
    sound, missing = sound_of(call, actor)
    marks = [mark(one.item, one.finding, one.rule) for one in call.found if one.item is not None]
    shown = Shown(turns=call.turns, marks=marks, sound=sound, missing=missing, focus=Focus(key=item.key))
    # A key of its own for every call: what was selected in the one before is not selected in this one.
    return player(shown, key=f"review_player_{item.recording[:16]}", selectable=may(actor, Action.JUDGE))


def _facts(call: Dossier, item: Item) -> None:
    record = call.record
    seconds = call.duration_ms // 1000
    facts = [
        t("review.no_time") if record.started_at is None else beijing(record.started_at),
        t("review.minutes", m=seconds // 60, s=seconds % 60),
        f"{t('review.collector')} {' '.join(filter(None, (record.agent_id, record.agent_name, record.team)))}",
        f"{t('review.debtor')} {record.debtor_id or '—'}",
        record.product,
        None if record.days_overdue is None else t("review.overdue", n=record.days_overdue),
        None if call.card is None or call.card.score is None else t("review.score", n=call.card.score),
    ]
    words, link = st.columns([5, 2], vertical_alignment="center")
    words.caption(plain(" · ".join(fact for fact in facts if fact)))
    address = f"/call?call={quote(item.call_id)}&finding={item.key}"
    link.link_button(t("review.open_call"), address, icon=":material/graphic_eq:", width="stretch")


# the finding


def _finding(found: Case, call: Dossier | None, actor: Actor) -> None:
    item = found.item
    finding, rule = _as_shown(found, call)
    st.markdown(f"#### {sign(item)}　{plain(heading(item, rule))}")
    machine = t("review.machine_says", result=t(f"review.{item.result.value}"), share=f"{item.confidence:.0%}")
    judged = [t("review.added") if item.machine == "added" else machine]
    if item.machine == "gone":
        judged.append(t("review.gone"))
    judged.append(t("review.people_say", state=t(f"review.{item.state.value}")))
    st.caption(" · ".join([rulebook.as_finding(item.category), *judged]))
    if finding.quote:
        st.markdown(f"> {plain(finding.quote)}")
    else:
        st.caption(t("review.no_words"))
    st.text(f"{t('review.because')}{t('shell.colon')}{finding.because}")
    if finding.heard_as:
        st.text(t("review.heard_as", words=finding.heard_as))
    if law := clause(rule):
        st.text(f"{t('review.clause')}{t('shell.colon')}{law}")
    if item.category == FOLLOWED_UP:
        st.warning(t("review.follow_up"), icon=":material/health_and_safety:")
    if _blind(item, actor):
        st.info(t("review.second_note"), icon=":material/group:")


def _as_shown(found: Case, call: Dossier | None) -> tuple[Finding, RuleCard | None]:
    """The finding as far as this reader may see it."""
    for one in () if call is None else call.found:
        if one.key == found.item.key:
            return one.finding, one.rule
    hidden = found.finding
    texts = (hidden.quote, hidden.heard_as or "", hidden.because)
    quoted, likely, why = (mask_words(text, find_private(text)) for text in texts)
    return replace(hidden, quote=quoted, heard_as=likely or None, because=why), None


def _blind(item: Item, actor: Actor) -> bool:
    return item.state is State.SECOND and actor.name not in item.judged_by


# judging


def _judge(found: Case, actor: Actor) -> None:
    item = found.item
    if item.state not in OPEN or actor.name in item.judged_by:
        st.info(t("review.judged", state=t(f"review.{item.state.value}")), icon=":material/task_alt:")
        st.button(t("review.next"), key="review_next", shortcut="N", type="primary", on_click=_leave)
        if item.counts:
            clip_button(NewClip(call_id=item.call_id, finding=item.key), key="review_item")
        return
    asking = st.session_state.get("review_asking")
    if asking is None:
        _verdicts(found, actor)
    else:
        st.markdown(f"**{t('review.why_dismiss' if asking == Kind.DISMISS else 'review.why_partly')}**")
    if found.equal:
        on = st.session_state.get("review_bulk", False)
        label = t("review.bulk_on" if on else "review.bulk_off", n=found.equal)
        st.button(label, key="review_bulk_switch", shortcut="B", type="tertiary", on_click=_switch_bulk)
    remark = _remark_field(item.key)
    if asking is not None:
        _reasons(found, Kind(asking), actor)
    elif remark:
        st.button(t("review.keep_comment"), key="review_keep", on_click=_comment, args=(actor, item))


def _remark_field(key: str) -> str:
    """A field of its own for each finding, which holds what was typed when one comes back to it."""
    st.session_state.setdefault(_field(key), _remarks().get(key, ""))
    return st.text_input(t("review.comment"), key=_field(key), on_change=_remember, args=(key,))


def _field(key: str) -> str:
    return f"review_comment_{key}"


def _remarks() -> dict[str, str]:
    """Remarks by finding, kept in the session: Streamlit forgets a field that is not drawn."""
    kept: dict[str, str] = st.session_state.setdefault("review_remarks", {})
    return kept


def _remember(key: str) -> None:
    _remarks()[key] = st.session_state[_field(key)]


def _verdicts(found: Case, actor: Actor) -> None:
    signal = found.item.category == FOLLOWED_UP
    left, right = st.columns(2, gap="small")
    with left:
        st.button(
            t("review.do_follow" if signal else "review.confirm"),
            key="review_confirm",
            type="primary",
            icon=":material/check:",
            shortcut="A",
            width="stretch",
            on_click=_give,
            args=(actor, found, Choice(kind=Kind.CONFIRM)),
        )
    with right:
        _ask(Kind.DISMISS, "no_follow" if signal else "dismiss", "D")
    with left:
        if not signal:
            _ask(Kind.PARTIAL, "partly", "S")
    with right:
        st.button(
            t("review.later"),
            key="review_later",
            icon=":material/schedule:",
            shortcut="N",
            width="stretch",
            on_click=_put_off,
            args=(found.item.key,),
        )


def _ask(kind: Kind, label: str, key: str) -> None:
    st.button(
        t(f"review.{label}"),
        key=f"review_{label}",
        icon=":material/contrast:" if kind is Kind.PARTIAL else ":material/close:",
        shortcut=key,
        width="stretch",
        on_click=_ask_why,
        args=(kind.value,),
    )


def _reasons(found: Case, kind: Kind, actor: Actor) -> None:
    with st.container(gap="xsmall"):
        for number, (reason, labels) in enumerate(REASONS[kind].items(), 1):
            st.button(
                labels[lang() == "en"],
                key=f"review_reason_{reason}",
                shortcut=str(number),
                width="stretch",
                on_click=_give,
                args=(actor, found, Choice(kind=kind, reason=reason)),
            )
    st.button(t("review.back"), key="review_back", shortcut="Esc", type="tertiary", on_click=_ask_why, args=(None,))


def _ask_why(kind: str | None) -> None:
    st.session_state["review_asking"] = kind


def _switch_bulk() -> None:
    st.session_state["review_bulk"] = not st.session_state.get("review_bulk", False)


def _give(actor: Actor, found: Case, bare: Choice) -> None:
    key = found.item.key
    choice = Choice(kind=bare.kind, reason=bare.reason, comment=st.session_state.get(_field(key), ""))
    try:
        with data.writing() as store:
            done = [review.judge(store, found.item, choice, actor=actor, policy=policy())]
            if st.session_state.get("review_bulk"):
                done += review.judge_equal(store, found.item, choice, actor=actor, policy=policy())
    except AuditError as error:
        st.session_state["review_trouble"] = told(error)
        return
    # One key judged them all, and one takes them all back.
    st.session_state["review_together"] = [item.stamp for item in done]
    if len(done) > 1:
        st.session_state["review_notice"] = t("review.done_many", n=len(done))
    _remarks().pop(key, None)
    _leave()


def _undo(actor: Actor, last: Verdict) -> None:
    together = st.session_state.pop("review_together", [])
    try:
        with data.writing() as store:
            for entry in reversed(together if last.id in together else [last.id]):
                item = review.undo(store, entry, actor=actor, policy=policy())
    except AuditError as error:
        st.session_state["review_trouble"] = told(error)
        return
    _leave()
    if item is not None:
        st.session_state["review_key"] = item.key
    st.session_state["review_notice"] = t("review.undone_gone" if item is None else "review.undone")


def _comment(actor: Actor, item: Item) -> None:
    with data.writing() as store:
        review.comment(store, item.key, st.session_state[_field(item.key)], actor=actor)
    _remarks().pop(item.key, None)
    st.session_state[_field(item.key)] = ""
    st.session_state["review_notice"] = t("review.kept_comment")


# beside it


def _others(item: Item, call: Dossier) -> None:
    others = [one for one in call.found if one.item is not None and one.key != item.key]
    if not others:
        return
    st.markdown(f"**{t('review.others')}**")
    with st.container(gap=None):
        for one in others:
            assert one.item is not None
            words = f"{t('shell.colon')}{one.finding.quote[:16]}" if one.finding.quote else ""
            st.button(
                f"{plain(sign(one.item) + ' ' + heading(one.item, one.rule) + words)}"
                f"{t('shell.brackets', what=t(f'review.{one.item.state.value}'))}",
                key=f"review_other_{one.key}",
                type="tertiary",
                wrap=False,
                on_click=_go_to,
                args=(one.key,),
            )


def _past(found: Case, actor: Actor) -> None:
    shown = [] if _blind(found.item, actor) else list(found.history)
    for entry in shown:
        st.text(said(entry))
    for remark in found.comments:
        when = beijing(datetime.fromisoformat(remark.at))
        st.text(f"{when}  {person(remark.by)}  {t('review.remarks')}{t('shell.colon')}{remark.text}")


show()
