"""What stands beside a call's words: findings, scorecard and duties, measures, the record, what is around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from audit.access import Action, Actor, may
from audit.coaching import NewClip
from audit.dossier import CallLine, ComplaintLine, Dossier, Found
from audit.report_words import Words, beijing
from audit.review import title
from audit.score import POINTS, Duty, Verdict
from audit.store.queue import COUNTED
from dashboard import complaint_labels, rulebook
from dashboard.clip_button import clip_button
from dashboard.marks import clause, heading, plain, sign
from dashboard.player import ICONS
from dashboard.words import lang, t
from rules.model import Result

_DUTY_ICONS = {
    Result.PASS: ":green[:material/check_circle:]",
    Result.FAIL: ":red[:material/cancel:]",
    Result.UNSURE: ":violet[:material/help:]",
    Result.NOT_APPLICABLE: ":gray[:material/remove_circle_outline:]",
}
_VERDICT_ICONS = {
    Verdict.PASS: ":green[:material/check_circle:]",
    Verdict.FAIL: ":red[:material/cancel:]",
    Verdict.REVIEW: ":violet[:material/help:]",
    Verdict.NOT_SCORED: ":gray[:material/volume_off:]",
}
_PANE = 560


def findings(dossier: Dossier, actor: Actor) -> None:
    """Each finding with its sign, words, reason, clause and where its review stands."""
    if not dossier.found:
        st.caption(t("call.no_confirmed" if actor.only_confirmed else "call.no_findings"))
        return
    with st.container(height=_PANE, border=False):
        for number, found in enumerate(dossier.found):
            _finding(found, number, dossier, actor)


def _finding(found: Found, number: int, dossier: Dossier, actor: Actor) -> None:
    one, item = found.finding, found.item
    with st.container(border=True, gap="xxsmall"):
        if item is None:
            name = title(one.rule_id, found.rule, lang=lang())
            st.markdown(f"**{ICONS['signal']} {t('call.signal')}**　{plain(name)}")
        else:
            state = t(f"review.{item.state.value}")
            st.markdown(f"**{sign(item)}**　{plain(heading(item, found.rule))}　:gray-badge[{state}]")
        if one.quote:
            st.text(f"“{one.quote}”")
        st.caption(plain("　".join(filter(None, (one.because, clause(found.rule))))))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                _place(found, dossier), key=f"call_go_{number}", icon=":material/play_arrow:", type="tertiary",
                on_click=_focus, args=(found.key,), help=t("call.go"),
            )  # fmt: skip
            if item is not None and may(actor, Action.JUDGE):
                st.page_link(
                    "views/review.py", label=t("call.review"), icon=":material/gavel:",
                    query_params={"finding": item.key},
                )  # fmt: skip
            if item is not None and item.state in COUNTED:
                clip_button(NewClip(call_id=item.call_id, finding=item.key), key=f"call_{number}")


def _place(found: Found, dossier: Dossier) -> str:
    one = found.finding
    if one.turn < 0 or one.turn >= len(dossier.turns):
        return t("call.whole_call")
    seconds = one.start_ms // 1000
    return t("call.turn_n", n=one.turn + 1, at=f"{seconds // 60:02d}:{seconds % 60:02d}")


def _focus(key: str) -> None:
    st.session_state["call_focus"] = key


def scored(dossier: Dossier) -> None:
    """The score, what it lost and why; the duties ticked off."""
    card = dossier.card
    assert card is not None
    verdict = Words(lang()).of("verdict", card.verdict.value)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.metric(t("call.score"), "—" if card.score is None else card.score, width="content")
        st.markdown(f"{_VERDICT_ICONS[card.verdict]} **{verdict}**", width="content")
    st.markdown(f"**{t('call.deductions')}**")
    for lost in card.deductions:
        severity = f"{ICONS[lost.severity.value]} {t(f'review.{lost.severity.value}')}"
        points = t("call.points_taken" if lost.points < POINTS[lost.severity] else "call.points", n=lost.points)
        st.markdown(f"**{points}**　{severity}　{plain(_rule(dossier, lost.rule_id))}")
    if not card.deductions:
        st.caption(t("call.no_deductions" if card.score is not None else "call.not_scored"))
    unsure = sum(card.unsure.values())
    if unsure:
        st.caption(t("call.unsure_n", n=unsure))
    st.caption(t("call.machine_score"))
    st.markdown(f"**{t('call.duties')}**")
    for duty in card.duties:
        st.markdown(_duty(duty))
    if not card.duties:
        st.caption(t("call.no_duties"))


def _duty(duty: Duty) -> str:
    """By its category: the rule is titled after its breach, and 没有告知录音 would read as such where it was kept."""
    return f"{_DUTY_ICONS[duty.result]} {rulebook.category(duty.category)}　:gray[{t(f'call.d_{duty.result.value}')}]"


def _rule(dossier: Dossier, rule_id: str) -> str:
    return title(rule_id, dossier.rules.get(rule_id), lang=lang())


def measured(dossier: Dossier) -> None:
    """Figures with their units; then the promise to pay."""
    m = dossier.measures
    rows = [
        ("agent_share", None if m.agent_share is None else f"{m.agent_share:.0%}", ""),
        ("overlaps", _times(m.overlaps), _longest(m.longest_overlap_ms)),
        ("silences", _times(m.silences), _longest(m.longest_silence_ms)),
        ("slowest_reply", _seconds(m.slowest_reply_ms), ""),
        ("agent_pace", _pace(m.agent_pace), ""),
        ("fastest_pace", _pace(m.fastest_pace), ""),
    ]
    columns = st.columns(2)
    for number, (name, value, more) in enumerate(rows):
        columns[number % 2].metric(
            t(f"call.m_{name}"), value or t("call.m_unknown"), delta=more or None, delta_color="off", delta_arrow="off"
        )
    st.caption(t("call.m_note"))
    _promise(dossier)


def _times(n: int | None) -> str | None:
    return None if n is None else t("call.m_times", n=n)


def _longest(ms: int | None) -> str:
    return t("call.m_longest", s=f"{ms / 1000:.1f}") if ms else ""


def _seconds(ms: int | None) -> str | None:
    return None if ms is None else t("call.m_seconds", s=f"{ms / 1000:.1f}")


def _pace(value: float | None) -> str | None:
    return None if value is None else t("call.m_pace", n=f"{value:.0f}")


def _promise(dossier: Dossier) -> None:
    st.markdown(f"**{t('call.promise')}**")
    found = dossier.promise
    if found is None:
        st.caption(t("call.no_promise"))
        return
    rows = {
        "p_amount": None if found["amount"] is None else t("call.yuan", n=f"{found['amount']:,}"),
        "p_date": found["date"],
        "p_text": found["text"],
        "p_repeated": "✓" if found.get("repeated_back") else "—",
    }
    table({t(f"call.{name}"): value for name, value in rows.items()})


def record(dossier: Dossier) -> None:
    """The call record as the calling system gave it, with what callaudit has no use for."""
    r, words = dossier.record, Words(lang())
    seconds = dossier.duration_ms // 1000
    rows = {
        "r_call_id": r.call_id,
        "r_started_at": None if r.started_at is None else f"{beijing(r.started_at):%Y-%m-%d %H:%M:%S}",
        "r_duration": t("call.minutes", m=seconds // 60, s=seconds % 60),
        "r_agent": " ".join(filter(None, (r.agent_id, r.agent_name))),
        "r_team": r.team,
        "r_debtor": r.debtor_id,
        "r_case": r.case_id,
        "r_relation": words.of("relation", r.callee_relation),
        "r_direction": words.of("direction", r.direction),
        "r_product": r.product,
        "r_overdue": r.days_overdue,
        "r_file": None if r.path is None else r.path.name,
        "r_sha": dossier.recording,
    }
    table({t(f"call.{name}"): value for name, value in rows.items()} | dict(r.extra))


def around(dossier: Dossier, *, open_call: Callable[[str], None]) -> None:
    """Complaints and other calls of the same debtor."""
    st.markdown(f"**{t('call.complaints')}**")
    for line in dossier.complaints:
        _complaint(line)
    if not dossier.complaints:
        st.caption(t("call.no_complaints"))
    st.markdown(f"**{t('call.others')}**")
    for number, other in enumerate(dossier.others):
        st.button(
            _other(other), key=f"call_other_{number}", type="tertiary", icon=":material/call:", on_click=open_call,
            args=(other.call_id,),
        )  # fmt: skip
    if not dossier.others:
        st.caption(t("call.no_others"))


def _complaint(line: ComplaintLine) -> None:
    facts = [
        f"{beijing(line.received_at):%Y-%m-%d}",
        complaint_labels.channel(line.channel),
        complaint_labels.category(line.category),
        t(f"complaints.{line.status}"),
        *([t("call.linked")] if line.linked else []),
    ]
    st.page_link(
        "views/complaints.py",
        label=f"{t('call.complaint', id=line.id)}　{' · '.join(facts)}",
        icon=":material/feedback:",
        query_params={"id": str(line.id)},
    )


def _other(line: CallLine) -> str:
    at = "" if line.started_at is None else f"{beijing(line.started_at):%Y-%m-%d %H:%M}"
    count = sum(n for state, n in line.items.items() if state != "dismissed")
    found = t("call.tab_findings", n=count) if count else ""
    return plain("　".join(filter(None, (at, line.call_id, line.agent_id, found))))


def table(rows: dict[str, Any]) -> None:
    """Names and values; what is unknown is left out."""
    known = {name: str(value) for name, value in rows.items() if value not in (None, "")}
    what, value = t("call.t_what"), t("call.t_value")
    st.dataframe(
        [{what: name, value: known[name]} for name in known], hide_index=True, width="stretch", height="content"
    )
