"""承诺与成效: promises due and kept, what was recovered, and whether by the book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import streamlit as st

from audit.access import Action, Actor, may
from audit.cases import import_cases, read_cases, unknown_cases
from audit.collectors import SMALL_SAMPLE
from audit.complaints import today as this_day
from audit.errors import AuditError
from audit.figures import rate
from audit.promises import Listed, Outcome, PromiseRow, Results, Standing, Terms, how_many, promises, results
from audit.store import Filter
from audit.store.promises import MOST_ROWS
from dashboard import data, filters
from dashboard.collector_charts import by_the_book
from dashboard.tables import headed, hundred, interval, percent, yuan
from dashboard.told import told
from dashboard.words import lang, t

LOOK_BACK = timedelta(days=60)
AHEAD = timedelta(days=7)
_LISTED = {
    "today": Listed(),
    "overdue": Listed(standings=(Standing.BROKEN, Standing.PARTLY, Standing.OPEN), take="latest"),
    "coming": Listed(),
    "kept": Listed(standings=(Standing.KEPT,), take="latest"),
    "all": Listed(),
}


def show() -> None:
    st.title(t("promises.title"))
    actor, which = data.actor(), filters.current()
    terms = Terms(today=this_day(), grace_days=data.config().promise_grace_days)
    found = _results(actor, actor.role, which, terms, data.version())
    if not found.cases:
        _how_to_begin(actor)
    else:
        _basis(found, terms)
    _figures(found.total, {name: _how_many(actor, which, terms, name) for name in ("today", "overdue")})
    _tabs(found, actor, which, terms)
    if found.cases:
        _import(actor)


def _tabs(found: Results, actor: Actor, which: Filter, terms: Terms) -> None:
    """Only the one that is open is made: a chart of 500 collectors takes a quarter of a second."""
    labels = [t("promises.tab_follow"), t("promises.tab_stage"), t("promises.tab_collector")]
    # Open tabs are remembered by their label, which the other language has not.
    follow, stage, collector = st.tabs(labels, key=f"promises_tabs_{lang()}", on_change="rerun")
    names = filters.names(actor)
    if stage.open:
        with stage:
            _outcomes(found.by_stage, "stage", {})
            st.caption(t("promises.stage_note"))
    elif collector.open:
        with collector:
            _by_the_book(found, names)
            _outcomes(found.by_collector, "agent", names)
    else:
        with follow:
            _follow_up(actor, which, terms, names)


@st.cache_data(max_entries=32, show_spinner=False)
def _results(_actor: Actor, role: str, which: Filter, terms: Terms, version: tuple[int, ...]) -> Results:
    with data.reading() as store:
        return results(store, which, actor=_actor, terms=terms)


@st.cache_data(max_entries=64, show_spinner=False)
def _promises(
    _actor: Actor, role: str, which: Filter, terms: Terms, listed: Listed, version: tuple[int, ...]
) -> list[PromiseRow]:
    with data.reading() as store:
        return promises(store, which, actor=_actor, terms=terms, listed=listed)


@st.cache_data(max_entries=64, show_spinner=False)
def _counted(_actor: Actor, role: str, which: Filter, terms: Terms, listed: Listed, version: tuple[int, ...]) -> int:
    with data.reading() as store:
        return how_many(store, which, actor=_actor, terms=terms, listed=listed)


def _how_to_begin(actor: Actor) -> None:
    st.info(t("promises.no_cases"), icon=":material/upload_file:")
    left, right = st.columns(2)
    left.caption(f"{t('promises.cases_file')} cases.csv")
    left.code(
        "case_id,agent_id,days_overdue,overdue_amount,assigned_at\nAJ261001,A01,12,3520.00,2026-11-10",
        "csv",
        wrap_lines=True,
    )
    right.caption(f"{t('promises.payments_file')} payments.csv")
    right.code("case_id,paid_at,amount\nAJ261001,2026-11-20,2000.00", "csv")
    st.caption(t("promises.or_command"))
    st.code("callaudit cases import cases.csv payments.csv", "bash")
    _import(actor, expanded=True)


def _basis(found: Results, terms: Terms) -> None:
    if found.known_until is None:
        st.warning(t("promises.no_payments"), icon=":material/hourglass_empty:")
    else:
        st.caption(t("promises.known_until", day=found.known_until, grace=terms.grace_days))


def _import(actor: Actor, *, expanded: bool = False) -> None:
    if not may(actor, Action.IMPORT):
        return
    with st.expander(t("promises.import"), expanded=expanded, icon=":material/upload:"):
        files = st.file_uploader(
            t("promises.import_files"), type="csv", accept_multiple_files=True, key="promises_files"
        )
        if st.button(t("promises.import_go"), key="promises_import", type="primary", disabled=not files):
            _take_in([(file.name, file.getvalue()) for file in files], actor)


def _take_in(files: Sequence[tuple[str, bytes]], actor: Actor) -> None:
    try:
        lists = [read_cases(Path(name), utc_offset=data.config().utc_offset, uploaded=raw) for name, raw in files]
        with data.writing() as store:
            kept, sentences = unknown_cases(store, lists)
            done = import_cases(store, kept, actor=actor)
    except AuditError as error:
        st.error(told(error))
        return
    st.success(t("promises.imported", **asdict(done)))
    sentences = [row.reason for found in lists for row in found.bad] + sentences
    if sentences:
        st.warning(t("promises.left_out", n=len(sentences)))
        st.code("\n".join(map(told, sentences[:200])), language=None)


def _figures(total: Outcome, counts: Mapping[str, int]) -> None:
    columns = st.columns(6)
    columns[0].metric(t("promises.due_today"), _many(counts["today"]), border=True)
    columns[0].caption(f"{t('promises.open')} {total.open}")
    columns[1].metric(t("promises.overdue"), _many(counts["overdue"]), border=True)
    columns[1].caption(t("promises.last_days", days=LOOK_BACK.days))
    columns[2].metric(t("promises.kept_rate"), percent(total.kept.share), border=True)
    columns[2].caption(_kept_sample(total))
    columns[3].metric(t("promises.recovery"), percent(total.recovery), border=True)
    columns[3].caption(t("promises.of_money", recovered=yuan(total.recovered_fen), overdue=yuan(total.overdue_fen)))
    cycle = "—" if total.cycle_days is None else f"{total.cycle_days:g}"
    columns[4].metric(t("promises.cycle"), cycle, border=True)
    columns[4].caption(t("promises.of_cured", n=total.cured))
    mean = "—" if total.satisfaction is None else f"{total.satisfaction:.1f}"
    columns[5].metric(t("promises.satisfaction"), mean, border=True)
    columns[5].caption(t("promises.of_cases", n=total.scored))


def _many(count: int) -> str:
    return f"{count:,}+" if count == MOST_ROWS else f"{count:,}"


def _kept_sample(total: Outcome) -> str:
    kept = total.kept
    if kept.low is None:
        return t("promises.none")
    low, high = percent(kept.low), percent(kept.high)
    said = t("promises.of_promises", hits=kept.hits, of=kept.of, low=low, high=high)
    return f"{said}  \n{t('promises.unknown_note', open=total.open, unknown=total.unknown)}"


def _rows(actor: Actor, which: Filter, terms: Terms, shown: str) -> list[PromiseRow]:
    """What a choice of the list means, within the filters."""
    return _promises(actor, actor.role, _asked(which, terms.today, shown), terms, _LISTED[shown], data.version())


def _how_many(actor: Actor, which: Filter, terms: Terms, shown: str) -> int:
    return _counted(actor, actor.role, _asked(which, terms.today, shown), terms, _LISTED[shown], data.version())


def _asked(which: Filter, day: date, shown: str) -> Filter:
    spans = {
        "today": (day, day),
        "overdue": (which.since or day - LOOK_BACK, day - timedelta(days=1)),
        "coming": (day, day + AHEAD),
        "kept": (which.since or day - LOOK_BACK, which.until),
        "all": (which.since, which.until),
    }
    since, until = spans[shown]
    return replace(which, since=since, until=until)


def _follow_up(actor: Actor, which: Filter, terms: Terms, names: dict[str, str | None]) -> None:
    shown = st.segmented_control(
        t("promises.show"),
        tuple(_LISTED),
        key="promises_show",
        default="overdue",
        required=True,
        format_func=lambda name: t(f"promises.show_{name}"),
        label_visibility="collapsed",
    )
    found = _rows(actor, which, terms, shown or "overdue")
    if not found:
        st.info(t("promises.nothing"), icon=":material/check_circle:")
        return
    if len(found) == MOST_ROWS:
        st.caption(t("promises.truncated", n=MOST_ROWS))
    st.dataframe(
        headed([_listed(row, names, terms.today) for row in found], _head),
        hide_index=True,
        placeholder="—",
        key="promises_list",
        column_config={
            t("promises.c_text"): st.column_config.TextColumn(width=180),
            t("promises.c_call"): st.column_config.LinkColumn(display_text=t("promises.open_call")),
            t("promises.c_due"): st.column_config.DateColumn(format="YYYY-MM-DD"),
            t("promises.c_made"): st.column_config.DatetimeColumn(format="MM-DD HH:mm"),
            t("promises.c_amount"): st.column_config.NumberColumn(format="accounting"),
            t("promises.c_paid"): st.column_config.NumberColumn(format="accounting"),
        },
    )


def _listed(row: PromiseRow, names: dict[str, str | None], day: date) -> dict[str, Any]:
    name = names.get(row.agent_id or "") or ""
    return {
        "due": row.due,
        "standing": _standing(row, day),
        "amount": None if row.target_fen is None else row.target_fen / 100,
        "paid": row.paid_fen / 100,
        "agent": f"{row.agent_id or ''} {name}".strip(),
        "debtor": row.debtor_id,
        "stage": row.stage,
        "text": row.text,
        "call": f"/call?call={quote(row.call_id)}",
        "firm": t(f"promises.{row.firmness}"),
        "repeated": row.repeated_back,
        "made": row.made_at.replace(tzinfo=None) if row.made_at else None,
        "case": row.case_id,
    }


def _standing(row: PromiseRow, day: date) -> str:
    if row.standing is Standing.OPEN and row.due is not None and row.due < day:
        return t("promises.awaiting" if row.last_day and row.last_day < day else "promises.in_grace")
    if row.standing is Standing.OPEN:
        return t("promises.open_s")
    return t(f"promises.{row.standing}")


def _by_the_book(found: Results, names: dict[str, str | None]) -> None:
    st.subheader(t("promises.scatter"))
    measure = st.segmented_control(
        t("promises.measure"),
        ("recovery", "kept"),
        key="promises_axis",
        default="recovery",
        required=True,
        format_func=lambda name: t(f"promises.axis_{name}"),
        label_visibility="collapsed",
    )
    chart = by_the_book(found, names, measure=measure or "recovery")
    if chart is None:
        st.info(t("promises.no_scatter"))
        return
    st.altair_chart(chart, key="promises_scatter")
    st.caption(t("promises.scatter_note", n=SMALL_SAMPLE))


def _outcomes(outcomes: Sequence[Outcome], what: str, names: dict[str, str | None]) -> None:
    if not outcomes:
        st.info(t("promises.nothing"))
        return
    shares = (t("promises.c_rate"), t("promises.c_kept"))
    money = (t("promises.c_overdue_sum"), t("promises.c_recovered"))
    st.dataframe(
        headed([_outcome(outcome, what, names) for outcome in outcomes], _head),
        hide_index=True,
        placeholder="—",
        key=f"promises_by_{what}",
        column_config={name: st.column_config.NumberColumn(format="%.1f%%") for name in shares}
        | {name: st.column_config.NumberColumn(format="accounting") for name in money}
        | {t("promises.c_violations"): st.column_config.NumberColumn(format="%.1f")}
        | {t("promises.c_satisfaction"): st.column_config.NumberColumn(format="%.1f")},
    )


def _outcome(outcome: Outcome, what: str, names: dict[str, str | None]) -> dict[str, Any]:
    broken = rate(outcome.violations, outcome.calls)
    return {
        what: f"{outcome.key} {names.get(outcome.key) or ''}".strip(),
        "cases": outcome.cases,
        "overdue_sum": outcome.overdue_fen / 100,
        "recovered": outcome.recovered_fen / 100,
        "rate": hundred(outcome.recovery),
        "cured": outcome.cured,
        "cycle": outcome.cycle_days,
        "satisfaction": outcome.satisfaction,
        "scored": outcome.scored,
        "promises": outcome.kept.of,
        "kept": hundred(outcome.kept.share),
        "kept interval": interval(outcome.kept),
        "calls": outcome.calls,
        "violations": broken.per_100,
        "violations interval": interval(broken),
        "small": t("promises.small") if outcome.calls < SMALL_SAMPLE else "",
    }


def _head(name: str) -> str:
    """What stands above a column; an interval names what it is of."""
    return " ".join(t(f"promises.c_{part}") for part in name.split())


show()
