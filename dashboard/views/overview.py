"""总览: where the house stands, each number beside the place where one acts on it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import streamlit as st

from audit.access import Actor
from audit.complaint_clock import Terms
from audit.complaints import today as this_day
from audit.figures import Share
from audit.overview import Overview, Step, buckets, cells, overview
from audit.store import Filter
from audit.store.tallies import RuleLine
from dashboard import charts, data, filters, rulebook
from dashboard.links import link, nothing_audited, nothing_here
from dashboard.tables import interval, percent
from dashboard.words import t
from rules.model import Severity

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

MOST_RULES = 12
MOST_CATEGORIES = 12
# A trend begins by week where it is long, or where a day has too few calls to tell anything.
_LONG, _FEW = 45, 30


def show() -> None:
    st.title(t("overview.title"))
    actor, which = data.actor(), filters.current()
    found = _overview(actor, actor.role, which, this_day(), data.config().complaint_terms, data.version())
    if not found.totals.every_call:
        _empty(which, found)
        return
    _figures(found)
    left, right = st.columns([5, 3], gap="medium")
    with left:
        _trend(found, actor)
        _heat(found, actor)
    with right:
        _categories(found, actor)
    _rules(found)


@st.cache_data(max_entries=32, show_spinner=False)
def _overview(_actor: Actor, role: str, which: Filter, day: date, terms: Terms, version: tuple[int, ...]) -> Overview:
    with data.reading() as store:
        return overview(store, which, actor=_actor, today=day, terms=terms)


def _empty(which: Filter, found: Overview) -> None:
    if which != Filter():
        nothing_here()
        return
    nothing_audited()
    if found.failures:
        st.metric(t("overview.failures"), found.failures)


def _figures(found: Overview) -> None:
    tiles = [_calls, _confirmed]
    tiles += [_machine, _critical, _backlog] if found.backlog is not None else []
    tiles += [_complaints] if found.complaints is not None else []
    tiles += [_failures] if found.failures is not None else []
    for column, tile in zip(st.columns(len(tiles)), tiles, strict=True):
        with column, st.container(border=True, height="stretch", gap="xxsmall"):
            tile(found)


def _calls(found: Overview) -> None:
    st.metric(t("overview.calls"), f"{found.totals.calls:,}")
    st.caption(t("overview.hours", hours=f"{found.totals.ms / 3_600_000:,.1f}"))
    if found.totals.silent:
        st.caption(t("overview.silent", n=f"{found.totals.silent:,}"))


def _confirmed(found: Overview) -> None:
    st.metric(t("overview.confirmed_share"), percent(found.confirmed.share))
    st.caption(_sample(found.confirmed))


def _machine(found: Overview) -> None:
    assert found.machine is not None
    st.metric(t("overview.machine_share"), percent(found.machine.share))
    st.caption(_sample(found.machine))


def _critical(found: Overview) -> None:
    assert found.backlog is not None
    waiting = found.backlog.by_severity[Severity.CRITICAL]
    st.metric(t("overview.critical"), f"{waiting:,}")
    told = t("overview.critical_calls", n=f"{found.totals.calls_critical_waiting:,}")
    if not waiting:
        st.caption(told)
    else:
        st.markdown(f":small[:red[:material/priority_high: {told}]]")
        link("review", t("overview.go_review"), icon=":material/arrow_forward:", severity="critical")


def _backlog(found: Overview) -> None:
    backlog = found.backlog
    assert backlog is not None
    st.metric(t("overview.backlog"), f"{backlog.waiting:,}")
    if backlog.oldest is None or backlog.median is None:
        st.caption(t("overview.no_backlog"))
        return
    st.caption(t("overview.backlog_age", oldest=f"{backlog.oldest:%m-%d}", median=f"{backlog.median:%m-%d}"))
    link("review", t("overview.go_review"), icon=":material/arrow_forward:")


def _complaints(found: Overview) -> None:
    complaints = found.complaints
    assert complaints is not None
    st.metric(t("overview.complaints"), f"{complaints.open:,}")
    if complaints.overdue:
        st.markdown(f":small[:red[:material/warning: {t('overview.overdue', n=complaints.overdue)}]]")
    else:
        st.caption(t("overview.not_overdue", all=f"{complaints.all:,}"))
    link("complaints", t("overview.go_complaints"), icon=":material/arrow_forward:")


def _failures(found: Overview) -> None:
    st.metric(t("overview.failures"), f"{found.failures:,}")
    st.caption(t("overview.failures_what"))
    if found.failures:
        link("operations", t("overview.go_operations"), icon=":material/arrow_forward:")


def _sample(share: Share) -> str:
    return t("overview.interval_n", range=interval(share), hits=f"{share.hits:,}", of=f"{share.of:,}")


def _head(name: str) -> DeltaGenerator:
    """The heading of a chart, and room beside it for the switch; below it where the room is narrow."""
    line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom")
    line.subheader(t(f"overview.{name}"), anchor=False, width="content")
    return line


def _trend(found: Overview, actor: Actor) -> None:
    steps: tuple[Step, ...] = ("day", "week")
    thin = len(found.days) > _LONG or found.totals.calls < _FEW * len(found.days)
    with _head("trend"):
        step = st.segmented_control(
            t("overview.step"),
            steps,
            key="overview_step",
            default=steps[thin],
            required=True,
            format_func=lambda step: t(f"overview.step_{step}"),
            label_visibility="collapsed",
            width="content",
        )
    st.altair_chart(
        charts.trend(buckets(found.days, step=step or "week"), machine=not actor.only_confirmed), key="trend"
    )
    st.caption(t("overview.trend_note"))


def _heat(found: Overview, actor: Actor) -> None:
    with _head("heat"):
        what = st.segmented_control(
            t("overview.heat_what"),
            ["share", "calls"],
            key="overview_heat",
            default="share",
            required=True,
            format_func=lambda what: t(f"overview.heat_{what}"),
            label_visibility="collapsed",
            width="content",
        )
    squares = cells(found.hours, confirmed_only=actor.only_confirmed)
    st.altair_chart(charts.heat(squares, share=what == "share"), key="heat")
    note = "heat_note_confirmed" if actor.only_confirmed else "heat_note"
    if what == "share":
        st.caption(t(f"overview.{note}", least=charts.LEAST))


def _categories(found: Overview, actor: Actor) -> None:
    st.subheader(t("overview.categories"), anchor=False)
    st.altair_chart(
        charts.categories(found.categories[:MOST_CATEGORIES], machine=not actor.only_confirmed), key="categories"
    )


def _rules(found: Overview) -> None:
    st.subheader(t("overview.rules"), anchor=False)
    lines = found.rules[:MOST_RULES]
    chosen = st.dataframe(
        [_row(line, found.totals.calls) for line in lines],
        key="overview_rules",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config={t("overview.c_per_1000"): st.column_config.NumberColumn(format="%.1f")},
    )
    st.caption(t("overview.rules_note"))
    rows = chosen.selection.rows
    if rows:
        rule_id = str(lines[rows[0]].key[0])
        st.switch_page("views/rules_page.py", query_params={"rule": rule_id})


def _row(line: RuleLine, calls: int) -> dict[str, object]:
    rule_id, category, severity = (str(part) for part in line.key)
    return {
        t("overview.c_severity"): rulebook.severity(Severity(severity)),
        t("overview.c_rule"): rulebook.title(rule_id),
        t("overview.c_category"): rulebook.as_finding(category),
        t("overview.c_violations"): line.violations,
        t("overview.c_waiting"): line.waiting,
        t("overview.c_per_1000"): 1000 * line.calls / calls if calls else None,
    }


show()
