"""催收员: everybody side by side; one of them with trend, faults to hear, good calls, coaching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import streamlit as st

from audit import coaching
from audit.access import Action, Actor, may
from audit.clips import ClipUnavailable
from audit.coaching import NewClip
from audit.coaching_record import Assignment
from audit.collectors import (
    FAULTS_SHOWN,
    SMALL_SAMPLE,
    CollectorLine,
    Fault,
    GoodCall,
    Place,
    Profile,
    collectors,
    hear,
    profile,
)
from audit.complaints import today as this_day
from audit.promises import Terms
from audit.report_words import Words, beijing
from audit.store import Filter
from dashboard import data, filters
from dashboard.clip_button import clip_button
from dashboard.collector_charts import weekly
from dashboard.links import nothing_audited, nothing_here
from dashboard.marks import plain
from dashboard.tables import headed, hundred, interval, percent
from dashboard.told import told
from dashboard.words import lang, t
from rules.model import Severity

MARKS = {"critical": "◆", "high": "▲", "medium": "●", "low": "■", "info": "○"}
_HOUR = 3_600_000
_PERCENT, _ONE_DECIMAL = st.column_config.NumberColumn(format="%.1f%%"), st.column_config.NumberColumn(format="%.1f")
_FORMATS = {
    "agent": st.column_config.TextColumn(pinned=True),
    "duties": _PERCENT,
    "kept": _PERCENT,
    "recovery": _PERCENT,
    "hours": _ONE_DECIMAL,
    "c_per_100": _ONE_DECIMAL,
    "recovered": st.column_config.NumberColumn(format="accounting"),
}


def show() -> None:
    st.title(t("collectors.title"))
    actor, which = data.actor(), filters.current()
    terms = Terms(today=this_day(), grace_days=data.config().promise_grace_days)
    if which.agent_id:
        _profile(which, actor, terms)
    else:
        _everybody(which, actor, terms)


@st.cache_data(max_entries=32, show_spinner=False)
def _lines(_actor: Actor, role: str, which: Filter, terms: Terms, version: tuple[int, ...]) -> list[CollectorLine]:
    with data.reading() as store:
        return collectors(store, which, actor=_actor, terms=terms)


@st.cache_data(max_entries=32, show_spinner=False)
def _one(_actor: Actor, role: str, which: Filter, terms: Terms, version: tuple[int, ...]) -> Profile | None:
    with data.reading() as store:
        return profile(store, which.agent_id or "", which, actor=_actor, terms=terms)


def _everybody(which: Filter, actor: Actor, terms: Terms) -> None:
    lines = _lines(actor, actor.role, which, terms, data.version())
    if not lines:
        _nobody(which)
        return
    waiting = sum(line.waiting for line in lines)
    st.caption(t("collectors.note", n=SMALL_SAMPLE))
    if waiting:
        st.caption(t("collectors.waiting_note", n=waiting))
    shown = _columns() if lines[0].outcome is not None else "conduct"
    few = any(line.small for line in lines)
    graded = [severity for severity in Severity if any(line.by_severity[severity] for line in lines)]
    rows = headed([_row(line, shown, few=few, graded=graded) for line in lines], _head)
    st.dataframe(
        rows,
        hide_index=True,
        placeholder="—",
        key="collectors_table",
        on_select=lambda: _choose(lines),
        selection_mode="single-row",
        column_config={_head(name): config for name, config in _FORMATS.items() if _head(name) in rows[0]},
    )


def _nobody(which: Filter) -> None:
    if which != Filter():
        nothing_here()
        return
    nothing_audited()
    st.caption(t("collectors.no_agents"))


def _columns() -> str:
    """All of them side by side are wider than a screen."""
    return st.segmented_control(
        t("collectors.columns"), ("conduct", "results"), key="collectors_columns", default="conduct", required=True,
        format_func=lambda name: t(f"collectors.columns_{name}"), label_visibility="collapsed",
    ) or "conduct"  # fmt: skip


def _choose(lines: Sequence[CollectorLine]) -> None:
    """A chosen row becomes the filter that all pages share, and the address tells it."""
    rows = st.session_state["collectors_table"]["selection"]["rows"]
    if rows:
        st.session_state["agent"] = lines[rows[0]].agent_id


def _row(line: CollectorLine, shown: str, *, few: bool, graded: Sequence[Severity]) -> dict[str, Any]:
    """Columns in which nobody has anything are left out: `few` small samples, severities that are not `graded`."""
    row = {
        "agent": f"{line.agent_id} {line.name or ''}".strip(),
        "team": line.team,
        "calls": line.calls,
        **({"sample": "▲" if line.small else ""} if few else {}),
        "c_per_100": line.violations.per_100,
        "interval": interval(line.violations),
    }
    return row | (_conduct(line, graded) if shown == "conduct" else _results(line))


def _conduct(line: CollectorLine, graded: Sequence[Severity]) -> dict[str, Any]:
    return {
        "c_confirmed": line.violations.events,
        **{severity.value: line.by_severity[severity] for severity in graded},
        "waiting": line.waiting,
        "duties": hundred(line.duties.share),
        "duties_n": line.duties.of,
        "c_complaints": f"{line.upheld}/{line.complaints}",
    }


def _results(line: CollectorLine) -> dict[str, Any]:
    assert line.outcome is not None
    kept = line.outcome.kept
    return {
        "hours": line.ms / _HOUR,
        "kept": hundred(kept.share),
        "kept_n": kept.of,
        "kept_interval": interval(kept),
        "recovery": hundred(line.outcome.recovery),
        "cases": line.outcome.cases,
        "recovered": line.outcome.recovered_fen / 100,
    }


def _head(name: str) -> str:
    return Words(lang()).of("severity", name) if name in MARKS else t(f"collectors.{name}")


def _profile(which: Filter, actor: Actor, terms: Terms) -> None:
    st.button(t("collectors.back"), key="collectors_back", icon=":material/arrow_back:", on_click=_all_again)
    found = _one(actor, actor.role, which, terms, data.version())
    if found is None:
        st.info(t("collectors.not_found", agent=which.agent_id))
        return
    line = found.line
    st.header(" · ".join(part for part in (line.name, line.agent_id, line.team) if part))
    if line.small:
        st.warning(t("collectors.small_sample", n=line.calls), icon=":material/warning:")
    _figures(found)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _faults(found.faults, actor)
    with right:
        st.subheader(t("collectors.trend"))
        st.altair_chart(weekly(found.weeks, found.everybody), key="collectors_trend")
        st.caption(t("collectors.trend_note"))
        _good(found.good)
        _coaching(line.agent_id, actor, terms)


def _all_again() -> None:
    st.session_state["agent"] = None


def _figures(found: Profile) -> None:
    line, broken = found.line, found.line.violations
    columns = st.columns(6)
    columns[0].metric(t("collectors.calls"), line.calls, border=True)
    columns[0].caption(t("collectors.hours_of", n=f"{line.ms / _HOUR:.1f}"))
    columns[1].metric(t("collectors.per_100"), _one_decimal(broken.per_100), border=True)
    columns[1].caption(
        f"{t('collectors.interval_is', interval=interval(broken))}  \n"
        f"{t('collectors.everybody', rate=_one_decimal(found.everybody.per_100))}"
    )
    columns[2].metric(t("collectors.confirmed"), broken.events, border=True)
    columns[2].caption(_by_severity(line) + "  \n" + t("collectors.waiting_of", n=line.waiting))
    columns[3].metric(t("collectors.duties"), percent(line.duties.share), border=True)
    columns[3].caption(t("collectors.of", hits=line.duties.hits, of=line.duties.of))
    columns[4].metric(t("collectors.complaints"), f"{line.upheld}/{line.complaints}", border=True)
    if line.outcome is not None:
        kept = line.outcome.kept
        columns[5].metric(t("collectors.kept"), percent(kept.share), border=True)
        columns[5].caption(
            t("collectors.of", hits=kept.hits, of=kept.of)
            + "  \n"
            + t("collectors.recovery_of", share=percent(line.outcome.recovery), cases=line.outcome.cases)
        )


def _by_severity(line: CollectorLine) -> str:
    words = Words(lang())
    return t("shell.comma").join(
        f"{MARKS[s.value]} {words.of('severity', s.value)} {line.by_severity[s]}"
        for s in Severity
        if line.by_severity[s]
    )


def _one_decimal(number: float | None) -> str:
    return "—" if number is None else f"{number:.1f}"


def _faults(faults: Sequence[Fault], actor: Actor) -> None:
    st.subheader(t("collectors.faults"))
    if not faults:
        st.info(t("collectors.no_faults"), icon=":material/check_circle:")
    words = Words(lang())
    for number, fault in enumerate(faults[:FAULTS_SHOWN]):
        title = fault.title if lang() == "zh" else fault.title_en
        mark = f"{MARKS[fault.severity.value]} {words.of('severity', fault.severity.value)}"
        label = f"{mark} · **{title}** · {t('collectors.times', n=fault.violations)}"
        with st.expander(label, expanded=number == 0):
            st.caption(f"{words.of('category', fault.category)} · {fault.rule_id}")
            for place in fault.places:
                _place(place, actor)
    rest = [f"{f.title if lang() == 'zh' else f.title_en} {f.violations}" for f in faults[FAULTS_SHOWN:]]
    if rest:
        st.caption(t("collectors.more_faults", n=len(rest)) + plain(t("shell.semicolon").join(rest)))


def _place(place: Place, actor: Actor) -> None:
    said = f"“{place.quote}”" if place.quote else t("collectors.no_words")
    when = beijing(place.at).strftime("%Y-%m-%d %H:%M") if place.at else "—"
    with st.container(border=True):
        st.text(said)
        st.caption(f"{when} · {t('collectors.because')}{t('shell.colon')}{plain(place.because)}")
        address = f"/call?call={quote(place.call_id)}&finding={quote(place.key)}"
        listening = False
        with st.container(horizontal=True, vertical_alignment="center"):
            if place.window is not None and may(actor, Action.LISTEN):
                listening = st.button(t("collectors.listen"), key=f"hear_{place.key}", icon=":material/volume_up:")
            clip_button(NewClip(call_id=place.call_id, finding=place.key), key=f"place_{place.key}")
            st.markdown(f"[{t('collectors.to_call')}]({address})", width="content")
        if listening:
            _play(place, actor)


def _play(place: Place, actor: Actor) -> None:
    try:
        st.audio(hear(place, actor=actor), format="audio/ogg", autoplay=True)
    except ClipUnavailable as error:
        st.warning(t("call.no_sound", why=told(error)), icon=":material/volume_off:")


def _good(calls: Sequence[GoodCall]) -> None:
    st.subheader(t("collectors.good"))
    if not calls:
        st.caption(t("collectors.no_good"))
        return
    for call in calls:
        when = beijing(call.at).strftime("%m-%d %H:%M") if call.at else "—"
        minutes = t("collectors.minutes", n=f"{call.duration_ms / 60_000:.1f}")
        st.markdown(f"{when} · {minutes} · [{plain(call.call_id)}](/call?call={quote(call.call_id)})")


def _coaching(agent_id: str, actor: Actor, terms: Terms) -> None:
    if not may(actor, Action.SEE_COACHING):
        return
    st.subheader(t("collectors.coaching"))
    with data.reading() as store:
        tasks = coaching.assignments(store, actor=actor, agent_id=agent_id)
        effects = {task.id: coaching.effect_of(store, task, actor=actor, today=terms.today) for task in tasks}
    if not tasks:
        st.caption(t("collectors.no_coaching"))
        return
    found = {number: t(f"collectors.{effect.verdict}") for number, effect in effects.items() if effect is not None}
    st.dataframe([_task(task, terms, found.get(task.id, "")) for task in tasks], hide_index=True, key="coaching_of")


def _task(task: Assignment, terms: Terms, effect: str) -> dict[str, Any]:
    done = beijing(task.acknowledged_at).strftime("%Y-%m-%d") if task.acknowledged_at else ""
    return {
        t("collectors.task"): task.title,
        t("collectors.clips"): task.clips,
        t("collectors.due"): task.due_on,
        t("collectors.done"): t("collectors.overdue") if task.overdue(terms.today) else done,
        t("collectors.effect"): effect,
    }


show()
