"""The list of rules with how each does in use."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from audit.access import Actor
from audit.rule_figures import NOTHING, RuleFigures, rule_figures
from audit.store import Filter
from dashboard import data, filters, rulebook
from dashboard.tables import hundred, interval
from dashboard.words import lang, t
from rules.model import CATEGORIES, Group, Rule, Severity

LEAST_JUDGED = 20
"""Verdicts below which a precision is only a hint."""


def show() -> None:
    """The list, a search above it; a chosen row opens the rule."""
    found = figures()
    ruleset = rulebook.ruleset()
    calls = next(iter(found.values()), NOTHING).of
    silent = replace(NOTHING, of=calls)
    words = {"name": ruleset.name, "version": ruleset.version, "digest": ruleset.digest[:8]}
    st.caption(t("rules_page.pack", n=len(ruleset.rules), calls=f"{calls:,}", **words))
    rules = _asked()
    if not rules:
        st.info(t("rules_page.none_found"), icon=":material/search_off:")
        return
    chosen = st.dataframe(
        [_row(rule, found.get(rule.id, silent)) for rule in rules],
        key="rules_table",
        hide_index=True,
        placeholder="—",
        height=620,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            t("rules_page.c_per_1000"): st.column_config.NumberColumn(format="%.1f"),
            t("rules_page.c_precision"): st.column_config.ProgressColumn(
                format="%.0f%%", min_value=0, max_value=100, width="small"
            ),
            t("rules_page.c_interval"): st.column_config.TextColumn(width=90),
            t("rules_page.c_title"): st.column_config.TextColumn(width=172),
        },
    )
    st.caption(t("rules_page.list_note", least=LEAST_JUDGED))
    if chosen.selection.rows:
        st.query_params["rule"] = rules[chosen.selection.rows[0]].id
        st.rerun()


def figures() -> dict[str, RuleFigures]:
    """By rule id, under the filters."""
    actor = data.actor()
    return _figures(actor, actor.role, filters.current(), data.version())


@st.cache_data(max_entries=16, show_spinner=False)
def _figures(_actor: Actor, role: str, which: Filter, version: tuple[int, ...]) -> dict[str, RuleFigures]:
    with data.reading() as store:
        return rule_figures(store, which, actor=_actor)


def _asked() -> list[Rule]:
    """Rules of the chosen group that have the words, worst first within their category."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    group = left.segmented_control(
        t("rules_page.groups"),
        ["all", *Group],
        key="rules_group",
        default="all",
        required=True,
        format_func=lambda name: t("rules_page.all" if name == "all" else f"rules_page.group_{name}"),
        label_visibility="collapsed",
    )
    words = right.text_input(
        t("rules_page.search"), key="rules_search", placeholder=t("rules_page.search_hint"), icon=":material/search:",
        label_visibility="collapsed",
    )  # fmt: skip
    order = list(CATEGORIES)
    rules = [
        rule
        for rule in rulebook.ruleset().rules
        if group in ("all", CATEGORIES[rule.category][0]) and _has(rule, words.strip().lower())
    ]
    return sorted(rules, key=lambda rule: (order.index(rule.category), -Severity(rule.severity).rank, rule.id))


def _has(rule: Rule, words: str) -> bool:
    said = (line for example in rule.examples.violations for line in example.turns)
    texts = (rule.id, rule.title, rule.title_en, *map(rulebook.clause, rule.references), *said)
    return not words or any(words in text.lower() for text in texts)


def _row(rule: Rule, found: RuleFigures) -> dict[str, object]:
    clause = rulebook.short_clause(rule.references[0]) if rule.references else t("rules_page.practice")
    return {
        t("rules_page.c_category"): rulebook.category(rule.category),
        t("rules_page.c_severity"): rulebook.severity(rule.severity),
        t("rules_page.c_title"): rule.title if lang() == "zh" else rule.title_en,
        t("rules_page.c_status"): t(f"rules_page.status_{rule.status}"),
        t("rules_page.c_per_1000"): found.per_1000,
        t("rules_page.c_precision"): hundred(found.precision.share),
        t("rules_page.c_interval"): interval(found.precision),
        t("rules_page.c_judged"): found.precision.of,
        t("rules_page.c_waiting"): found.waiting,
        t("rules_page.c_clause"): clause,
        t("rules_page.c_id"): rule.id,
    }
