"""One rule: what it looks for, why, on which clause, with examples, and how it does in use."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from audit.access import Action, may
from audit.rule_figures import NOTHING
from dashboard import data, rulebook
from dashboard.links import link
from dashboard.rule_list import figures
from dashboard.tables import percent
from dashboard.words import lang, t
from rules.hints import title as title_of_hint
from rules.model import CATEGORIES, Example, Group, Reference, Rule, Severity
from rules.page import describe

_COLOURS: dict[Severity, Literal["red", "orange"]] = {
    Severity.CRITICAL: "red", Severity.HIGH: "red", Severity.MEDIUM: "orange"
}  # fmt: skip


def show(rule_id: str) -> None:
    """The page of a rule by its id, as it stands in the address."""
    if st.button(t("rules_page.back"), key="rules_back", icon=":material/arrow_back:", type="tertiary"):
        del st.query_params["rule"]
        st.rerun()
    rule = rulebook.rule(rule_id)
    st.title(rulebook.title(rule_id), anchor=False)
    if rule is None:
        _no_rule(rule_id)
        return
    _badges(rule)
    left, right = st.columns([5, 3], gap="large")
    with left:
        st.subheader(t("rules_page.why"), anchor=False)
        st.text(rule.why)
        _examples(rule)
        _looks_for(rule)
    with right:
        _figures(rule)
        st.subheader(t("rules_page.clauses"), anchor=False)
        for reference in rule.references:
            clause(reference)
        if not rule.references:
            st.caption(t("rules_page.no_clause"))


def _no_rule(rule_id: str) -> None:
    if title_of_hint(rule_id) is not None:
        st.info(t("rules_page.hint"), icon=":material/lightbulb:")
        link("review", t("rules_page.go_review"), icon=":material/arrow_forward:", rule=rule_id)
    else:
        st.warning(t("rules_page.unknown", rule=rule_id), icon=":material/search_off:")


def _badges(rule: Rule) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        mark = rulebook.severity(rule.severity)
        st.badge(mark, color=_COLOURS.get(rule.severity, "gray"))
        st.badge(rulebook.category(rule.category), color="blue")
        st.badge(t(f"rules_page.kind_{rule.kind}"), color="gray")
        st.badge(t(f"rules_page.status_{rule.status}"), color="gray")
        st.caption(f"`{rule.id}` · {t('rules_page.version', version=rule.version, since=rule.since)}")
    if lang() == "en":
        st.caption(t("rules_page.chinese"))


def _looks_for(rule: Rule) -> None:
    if rule.needs_case_data:
        st.caption(f":material/folder_open: {t('rules_page.case_data')}")
    sections = {
        "applies_when": rule.applies_when,
        "applies_unless": rule.applies_unless,
        "when_require" if rule.kind == "require" else "when": rule.when,
        "unless": rule.unless,
    }
    with st.expander(t("rules_page.looks_for"), icon=":material/manage_search:"):
        for name, conditions in sections.items():
            if conditions:
                st.markdown(f"**{t(f'rules_page.{name}')}**")
                st.text("\n".join(f"{number}. {describe(one)}" for number, one in enumerate(conditions, 1)))


def _examples(rule: Rule) -> None:
    shown = rule.examples
    kinds = {"violations": shown.violations, "clean": shown.clean, "missed_examples": shown.missed}
    tabs = st.tabs([f"{t(f'rules_page.{name}')} {len(examples)}" for name, examples in kinds.items()])
    for tab, examples in zip(tabs, kinds.values(), strict=True):
        with tab:
            for example in examples:
                _example(example)
            if not examples:
                st.caption(t("rules_page.no_missed"))
    if may(data.actor(), Action.TRY_RULES):
        st.button(
            t("rules_page.try_example"),
            key="rules_try",
            icon=":material/science:",
            on_click=_take_to_bench,
            args=[shown.violations[0]],
        )


def _example(example: Example) -> None:
    with st.container(border=True, gap="xxsmall"):
        st.text("\n".join(map(_line, example.turns)))
        if example.why:
            st.caption(example.why)


def _line(turn: str) -> str:
    role, text = turn.split(": ", 1)
    return f"{ {'agent': '坐席', 'customer': '客户', 'other': '他人', 'unknown': '不明'}[role] }：{text}"


def _take_to_bench(example: Example) -> None:
    st.session_state["bench_text"] = "\n".join(map(_line, example.turns))
    st.session_state["bench_relation"] = example.relation
    st.query_params["view"] = "bench"
    st.session_state["rules_view"] = "bench"
    del st.query_params["rule"]


def _figures(rule: Rule) -> None:
    if data.actor().only_confirmed:
        return
    found = figures().get(rule.id, NOTHING)
    fires, precision = st.columns(2)
    with fires.container(border=True, height="stretch", gap="xxsmall"):
        st.metric(t("rules_page.fires"), "—" if found.per_1000 is None else f"{found.per_1000:.1f}")
        st.caption(t("rules_page.fires_n", calls=f"{found.calls:,}", of=f"{found.of:,}"))
    with precision.container(border=True, height="stretch", gap="xxsmall"):
        st.metric(t("rules_page.precision"), percent(found.precision.share))
        share = found.precision
        told = {"low": percent(share.low), "high": percent(share.high), "n": f"{share.of:,}"}
        unjudged = "signal_not_judged" if _only_signal(rule) else "not_judged"
        st.caption(t("rules_page.precision_n", **told) if share.of else t(f"rules_page.{unjudged}"))
    if found.waiting:
        st.caption(f"{t('rules_page.waiting')} {found.waiting:,}")
        link("review", t("rules_page.go_review"), icon=":material/arrow_forward:", rule=rule.id)
    if found.missed:
        st.caption(t("rules_page.missed", n=found.missed))


def _only_signal(rule: Rule) -> bool:
    return CATEGORIES[rule.category][0] is Group.SIGNAL and rule.category != "self_harm"


def clause(reference: Reference) -> None:
    """Instrument and clause, with a link to where they stand."""
    with st.container(border=True, gap="xxsmall"):
        st.text(rulebook.clause(reference))
        if reference.url:
            st.link_button(t("rules_page.source"), reference.url, icon=":material/open_in_new:", type="tertiary")
