"""The bench: a dialogue as somebody types it, and what each rule makes of it and why. Nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import streamlit as st

from audit.bench import Tried, read_dialogue, try_dialogue
from audit.check import BadLine
from audit.config import CHINA
from audit.score import is_signal
from dashboard import data, rulebook
from dashboard.filters import DAY
from dashboard.marks import plain
from dashboard.told import told
from dashboard.words import t
from rules.explain import Trace
from rules.model import RELATIONS, Finding, Result, Severity
from transcribe.model import Role, Turn

_COLOURS = ("blue", "orange", "red")  # the last is painted over the others


def show() -> None:
    """Words on the left, what becomes of them on the right."""
    left, right = st.columns([2, 3], gap="medium")
    with left, st.form("bench", border=False):
        st.session_state.setdefault("bench_text", t("rules_page.sample"))
        text = st.text_area(t("rules_page.dialogue"), key="bench_text", height=430, help=t("rules_page.dialogue_help"))
        relation, at = st.columns([2, 3])
        who = relation.selectbox(
            t("rules_page.relation"), RELATIONS, key="bench_relation", index=None,
            placeholder=t("rules_page.relation_none"), format_func=lambda name: t(f"rules_page.relation_{name}"),
        )  # fmt: skip
        moment = at.datetime_input(t("rules_page.at"), key="bench_at", value=None, format=DAY)
        st.form_submit_button(t("rules_page.judge"), key="bench_judge", icon=":material/gavel:", type="primary")
    with right:
        _judged(text, who, moment)


def _judged(text: str, relation: str | None, moment: datetime | None) -> None:
    try:
        turns, facts = read_dialogue(text)
    except BadLine as error:
        st.error(told(error), icon=":material/error:")
        return
    facts = replace(
        facts,
        callee_relation=relation or facts.callee_relation,
        started_at=moment.replace(tzinfo=CHINA) if moment else facts.started_at,
    )
    with rulebook.judging:
        tried = try_dialogue(turns, facts, judge=rulebook.judge(), second=rulebook.second_opinion(), actor=data.actor())
    _summary(tried)
    _dialogue(tried)
    _traces(tried)


def _summary(tried: Tried) -> None:
    score, verdict = st.columns([1, 3], vertical_alignment="center")
    score.metric(t("rules_page.score"), "—" if tried.card.score is None else tried.card.score)
    with verdict:
        sign = {"fail": ":red[:material/cancel: {}]", "review": ":orange[:material/help: {}]"}
        told = t(f"rules_page.verdict_{tried.card.verdict}")
        if tried.card.vetoed:
            told += f" · {t('rules_page.veto')}"
        st.markdown(f"**{sign.get(tried.card.verdict.value, ':green[:material/check: {}]').format(told)}**")
        if tried.promise:
            amount, day = tried.promise["amount"], tried.promise["date"]
            parts = [
                plain(str(tried.promise["text"])),
                t("rules_page.no_amount") if amount is None else t("call.yuan", n=f"{amount:,}"),
                str(day or t("rules_page.no_day")),
            ]
            st.caption(t("rules_page.promise", what=" · ".join(parts)))


def _dialogue(tried: Tried) -> None:
    """The turns, flagged words on red, what is unsure or a signal on orange and blue, each underlined by its turn."""
    with st.container(border=True, height=250, gap="xxsmall"):
        for turn in tried.turns:
            found = [f for f in tried.judgement.findings if f.turn == turn.index and f.end > f.start]
            st.markdown(f"**{_speaker(turn.role)}**　{_marked(turn, found)}")


def _speaker(role: Role) -> str:
    return t("rules_page.unknown_speaker" if role is Role.UNKNOWN else f"rules_page.{role}")


def _marked(turn: Turn, found: Iterable[Finding]) -> str:
    """The turn as Markdown; where findings overlap, the gravest colours the words."""
    colours = [""] * len(turn.text)
    for colour in _COLOURS:
        for finding in found:
            if _colour(finding) == colour:
                colours[finding.start : finding.end] = [colour] * (finding.end - finding.start)
    parts = []
    for colour, letters in groupby(zip(colours, turn.text, strict=True), key=itemgetter(0)):
        words = plain("".join(letter for _, letter in letters))
        parts.append(f":{colour}-background[{words}]" if colour else words)
    return "".join(parts)


def _colour(finding: Finding) -> str:
    if is_signal(finding.category):
        return "blue"
    return "red" if finding.result is Result.FAIL else "orange"


def _traces(tried: Tried) -> None:
    fired = sorted((trace for trace in tried.traces if trace.fired), key=_gravity)
    silent = [trace for trace in tried.traces if not trace.fired]
    st.markdown(f"**{t('rules_page.fired', n=len(fired))}**" if fired else t("rules_page.nothing_fired"))
    signals = {finding.rule_id for finding in tried.judgement.findings if is_signal(finding.category)}
    if fired:
        st.dataframe([_row(trace, signals) for trace in fired], key="bench_fired", hide_index=True, row_height=36)
    if silent:
        with st.expander(t("rules_page.silent", n=len(silent)), icon=":material/visibility_off:"):
            st.dataframe([_row(trace, signals) for trace in silent], key="bench_silent", hide_index=True)


def _gravity(trace: Trace) -> tuple[bool, int]:
    """Violations by severity, the worst first, then what is unsure."""
    rule = rulebook.rule(trace.rule_id)
    return trace.result is not Result.FAIL, -Severity(rule.severity).rank if rule else 0


def _row(trace: Trace, signals: set[str]) -> dict[str, str]:
    signal = trace.rule_id in signals and trace.result is Result.FAIL
    rule = rulebook.rule(trace.rule_id)
    severity = rulebook.severity(rule.severity) if rule else "—"
    return {
        t("rules_page.c_severity"): severity,
        t("rules_page.c_result"): t("rules_page.result_signal" if signal else f"rules_page.result_{trace.result}"),
        t("rules_page.c_title"): rulebook.title(trace.rule_id),
        t("rules_page.c_why"): trace.why,
        t("rules_page.c_id"): trace.rule_id,
    }
