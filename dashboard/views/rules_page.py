"""规则: what is looked for and why, how well it does, a bench to try words on, and what new rules would change."""

from __future__ import annotations

import streamlit as st

from audit.access import Action, may
from dashboard import data, rule_bench, rule_detail, rule_list, rule_reaudit, rulebook
from dashboard.words import t
from rules.load import RuleErrors

_VIEWS = {"list": Action.SEE_RULES, "bench": Action.TRY_RULES, "reaudit": Action.TRY_RULES}


def show() -> None:
    try:
        _page()
    except RuleErrors as broken:
        rulebook.tell_broken(broken)


def _page() -> None:
    shown = st.query_params.get("rule")
    if shown:
        rule_detail.show(shown)
        return
    st.title(t("rules_page.title"))
    asked = st.query_params.get("view")
    views = [name for name, action in _VIEWS.items() if may(data.actor(), action)]
    view = st.segmented_control(
        t("rules_page.view"),
        views,
        key="rules_view",
        default=asked if asked in views else "list",
        required=True,
        format_func=lambda name: t(f"rules_page.view_{name}"),
        label_visibility="collapsed",
        on_change=_remember,
    )
    {"list": rule_list.show, "bench": rule_bench.show, "reaudit": rule_reaudit.show}[view or "list"]()


def _remember() -> None:
    st.query_params["view"] = st.session_state["rules_view"]


show()
