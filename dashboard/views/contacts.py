"""联系频次: what several calls break together, with the calls that show it and the rule they break."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import streamlit as st

from audit import conduct_list
from audit.access import Action, Actor, may
from audit.conduct import across_calls
from audit.conduct_list import MOST_ROWS, SUBJECT, Figures, Wanted
from audit.exports import Table
from audit.report_words import Words
from audit.store import Filter, Store
from audit.store.conduct import Grounds, KeptConduct, NamedCall
from audit.unmask import Unmasking
from dashboard import data, filters, rulebook
from dashboard.downloads import downloads
from dashboard.links import link, nothing_audited
from dashboard.marks import beijing, plain
from dashboard.rule_detail import clause
from dashboard.tables import headed
from dashboard.unmasking import mask_switch, unmasking
from dashboard.words import Lang, lang, t
from dashboard.words.contacts import WORDS
from rules.model import CATEGORIES, Result

_SHOWN = 9  # rows, so that what one of them is about still stands on the screen
_A_ROW = 5  # figures side by side
_ALL = "all_rules"  # no rule's id, which have no underscore
_SHORT_NAMES = frozenset(name for name in WORDS if "-" in name)
"""Rules that have a short name here."""
_EXPORTED = ("day", "rule", "severity", "result", "subject", "why", "calls")


def show() -> None:
    st.title(t("contacts.title"))
    actor, which = data.actor(), filters.current()
    found = _figures(actor, actor.role, which, data.version())
    if not found.grounds.calls:
        nothing_audited()
        return
    judged = found.grounds.judged_at
    at = "" if judged is None else f"　{t('contacts.judged_at', at=beijing(judged))}"
    st.caption(f"{t('contacts.about')}{at}")
    if judged is None:
        st.info(t("contacts.never"), icon=":material/hourglass_empty:")
        st.code(f"callaudit conduct --db {data.config().db}", "bash")
        return
    _what_lacks(found.grounds)
    rules = _rules(found)
    _numbers(found, rules)
    if found.counts:
        _list(actor, Wanted(which=which, rule_id=_chosen(rules)))
    elif which != Filter():
        st.info(t("contacts.nothing_here"), icon=":material/filter_alt_off:")
    elif found.grounds.debtors or found.grounds.numbers:
        st.success(t("contacts.nothing"), icon=":material/check_circle:")


@st.cache_data(max_entries=32, show_spinner=False)
def _figures(_actor: Actor, role: str, which: Filter, version: tuple[int, ...]) -> Figures:
    with data.reading() as store:
        return conduct_list.figures(store, which, actor=_actor)


def _what_lacks(grounds: Grounds) -> None:
    """Columns of the call list without which rules stay silent."""
    if grounds.waits:
        st.info(t("contacts.waits"), icon=":material/update:")
    if not grounds.times:
        st.warning(t("contacts.no_times"), icon=":material/table_edit:")
        return
    if not grounds.debtors:
        st.warning(t("contacts.no_debtors"), icon=":material/table_edit:")
    if not grounds.numbers:
        st.warning(t("contacts.no_numbers"), icon=":material/table_edit:")


def _rules(found: Figures) -> tuple[str, ...]:
    """Today's rules by category, then those of before of which findings are kept."""
    order = list(CATEGORIES)
    today = sorted(across_calls(rulebook.ruleset()), key=lambda rule: order.index(rule.category))
    return tuple(dict.fromkeys((*(rule.id for rule in today), *sorted(rule_id for rule_id, _ in found.counts))))


def _name(rule_id: str) -> str:
    return t(f"contacts.{rule_id}") if rule_id in _SHORT_NAMES else rulebook.title(rule_id)


def _numbers(found: Figures, rules: tuple[str, ...]) -> None:
    shown = (None, *rules)
    for first in range(0, len(shown), _A_ROW):
        row = shown[first : first + _A_ROW]
        for column, rule_id in zip(st.columns(min(_A_ROW, len(shown))), row, strict=False):
            name = t("contacts.all") if rule_id is None else _name(rule_id)
            column.metric(name, found.of(Result.FAIL, rule_id), border=True)
            column.caption(t("contacts.unsure_n", n=found.of(Result.UNSURE, rule_id)))


def _chosen(rules: tuple[str, ...]) -> str | None:
    chosen = st.segmented_control(
        t("contacts.rule"), (_ALL, *rules), key="contacts_rule", default=_ALL, required=True,
        format_func=lambda name: t("contacts.all") if name == _ALL else _name(name), label_visibility="collapsed",
    )  # fmt: skip
    return None if chosen == _ALL else chosen


def _list(actor: Actor, wanted: Wanted) -> None:
    with data.reading() as store:
        found = conduct_list.latest(store, wanted, actor=actor, unmasking=unmasking(SUBJECT))
    if not found:
        st.info(t("contacts.nothing_here"), icon=":material/filter_alt_off:")
        return
    chosen = st.dataframe(
        headed([_row(one) for one in found], _head),
        key=f"contacts_list_{wanted.rule_id}",
        hide_index=True,
        height="content" if len(found) <= _SHOWN else 38 + 35 * _SHOWN,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        column_config={t("contacts.c_why"): st.column_config.TextColumn(width="large")},
    )
    _below(actor, wanted, found)
    rows = [row for row in chosen.selection.rows if row < len(found)] or [0]
    _detail(actor, found[rows[0]])


def _below(actor: Actor, wanted: Wanted, found: list[KeptConduct]) -> None:
    """Masked or not, and the way out of the house."""
    if len(found) == MOST_ROWS:
        st.caption(t("contacts.truncated", n=MOST_ROWS))
    if any(one.result is Result.UNSURE for one in found):
        st.caption(t("contacts.unsure_note"))
    shown = unmasking(SUBJECT)
    with st.container(horizontal=True, vertical_alignment="center"):
        if may(actor, Action.EXPORT):
            let = shown if may(actor, Action.EXPORT_UNMASKED) else None
            downloads(actor, partial(_table, wanted, actor, let, lang()), "contacts")
        masked = not conduct_list.unmasked(shown, actor)
        mask_switch(SUBJECT, actor, masked=masked, said=t("contacts.masked"))


def _row(one: KeptConduct) -> dict[str, Any]:
    return {
        "day": one.day,
        "rule": _name(one.rule_id),
        "result": t(f"contacts.{one.result.value}"),
        "subject": one.subject,
        "why": _why(one),
        "n": len(one.calls),
    }


def _why(one: KeptConduct) -> str:
    """The sentence without the calls that it names."""
    return one.because.partition("：")[0]


def _head(name: str) -> str:
    return t(f"contacts.c_{name}")


def _table(wanted: Wanted, actor: Actor, shown: Unmasking | None, language: Lang, store: Store) -> Table:
    """All of them for another program, in the language of the page that offered it."""
    words, english = Words(language), language == "en"
    found = conduct_list.every(store, wanted, actor=actor, unmasking=shown)
    rows = (
        (
            one.day, one.title_en if english else one.title, words.of("severity", one.severity.value),
            words.of("outcome", one.result.value), one.subject, one.because, "、".join(one.calls),
        )
        for one in found
    )  # fmt: skip
    return Table(
        name=WORDS["title"][english], subject=SUBJECT,
        headings=tuple(WORDS[f"c_{name}"][english] for name in _EXPORTED),
        rows=tuple(rows), unmasked=conduct_list.unmasked(shown, actor),
    )  # fmt: skip


def _detail(actor: Actor, one: KeptConduct) -> None:
    """The calls that show it, and the rule with its clauses."""
    rule = rulebook.rule(one.rule_id)
    title = one.title if lang() == "zh" else one.title_en
    st.subheader(f"{one.day} · {plain(_name(one.rule_id))} · {plain(one.subject)}", anchor=False)
    st.caption(plain(_why(one)))
    with data.reading() as store:
        calls = conduct_list.named_calls(store, one, actor=actor)
    if calls:
        st.dataframe(
            headed([_call(call) for call in calls], _head),
            key="contacts_calls",
            hide_index=True,
            placeholder="—",
            column_config={
                t("contacts.c_at"): st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
                t("contacts.c_open"): st.column_config.LinkColumn(display_text=t("contacts.open_call")),
            },
        )
    else:
        st.info(t("contacts.gone"), icon=":material/delete_history:")
    with st.expander(t("contacts.clauses", title=title), icon=":material/gavel:"):
        if rule is not None:
            st.text(rule.why)
            for reference in rule.references:
                clause(reference)
        link("rules_page", t("contacts.to_rule"), icon=":material/arrow_forward:", rule=one.rule_id)


def _call(call: NamedCall) -> dict[str, Any]:
    """As the debtor's clock showed it: that decides the day."""
    seconds = None if call.duration_ms is None else round(call.duration_ms / 1000)
    return {
        "at": datetime.combine(call.at.date(), call.at.time()),
        "call": call.call_id,
        "agent": f"{call.agent_id or ''} {call.agent_name or ''}".strip(),
        "debtor": call.debtor,
        "relation": Words(lang()).of("relation", call.relation),
        "answered": call.answered,
        "seconds": seconds,
        "open": f"/call?call={quote(call.call_id)}" if call.heard else None,
    }


show()
