"""Plans: what is drawn, in which parts, for whom; drawing one; the samples drawn so far."""

from __future__ import annotations

import re
from datetime import date, timedelta

import streamlit as st

from audit import sampling
from audit.access import Actor
from audit.complaints import today
from audit.errors import AuditError
from audit.store.samples import STRATA, NewPlan, Period, Plan, Pool, Sample, Stratum
from dashboard import data
from dashboard.filters import DAY
from dashboard.marks import person
from dashboard.told import told
from dashboard.words import t

_POOLS = (Pool.UNFLAGGED, Pool.FINDINGS, Pool.CALLS)


def show(actor: Actor, samples: list[Sample]) -> None:
    """A new plan at the left, drawing at the right, all samples below."""
    with data.reading() as store:
        plans = sampling.plans(store, actor=actor)
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True):
        _new(actor)
    with right, st.container(border=True):
        _draw(actor, plans)
    if samples:
        _table(samples)


def _new(actor: Actor) -> None:
    st.markdown(f"**{t('sampling.new_plan')}**")
    name, count = st.columns([3, 1])
    name.text_input(t("sampling.name"), key="sampling_name", placeholder=t("sampling.name_hint"))
    count.number_input(t("sampling.count"), 1, sampling.MOST, 50, key="sampling_count")
    left, right = st.columns([3, 2])
    pool = left.selectbox(
        t("sampling.pool"), _POOLS, key="sampling_pool", format_func=lambda one: t(f"sampling.pool_{one.value}")
    )
    right.selectbox(
        t("sampling.stratum"), STRATA[pool], key=f"sampling_stratum_{pool.value}",
        format_func=lambda one: t(f"sampling.s_{one.value}"),
    )  # fmt: skip
    st.text_input(t("sampling.reviewers"), key="sampling_reviewers")
    if pool is not Pool.FINDINGS:
        st.checkbox(t("sampling.blind"), key="sampling_blind")
    st.button(
        t("sampling.make"),
        key="sampling_make",
        type="primary",
        icon=":material/add:",
        on_click=_make,
        args=(actor, pool),
    )


def _make(actor: Actor, pool: Pool) -> None:
    given = st.session_state
    plan = NewPlan(
        name=given["sampling_name"],
        pool=pool,
        stratum=Stratum(given[f"sampling_stratum_{pool.value}"]),
        per_stratum=given["sampling_count"],
        reviewers=tuple(
            part.strip() for part in re.split(r"[、,，;；\s]+", given["sampling_reviewers"]) if part.strip()
        ),
        blind=pool is not Pool.FINDINGS and bool(given.get("sampling_blind")),
    )
    try:
        with data.writing() as store:
            made = sampling.make_plan(store, plan, actor=actor)
    except AuditError as error:
        given["sampling_trouble"] = told(error)
        return
    given["sampling_plan"] = made.id
    given["sampling_name"] = ""
    given["sampling_notice"] = t("sampling.made")


def _draw(actor: Actor, plans: list[Plan]) -> None:
    st.markdown(f"**{t('sampling.draw_title')}**")
    if not plans:
        st.info(t("sampling.no_plans"), icon=":material/info:")
        return
    by_id = {one.id: one for one in plans}
    st.selectbox(t("sampling.plan"), list(by_id), key="sampling_plan", format_func=lambda one: _label(by_id[one]))
    since, until = days("sampling_draw")
    st.button(
        t("sampling.draw"), key="sampling_draw", type="primary", icon=":material/casino:", on_click=_drawn,
        args=(actor, since, until),
    )  # fmt: skip
    st.caption(t("sampling.draw_note"))


def days(key: str) -> tuple[date, date]:
    """Two dates side by side; the last thirty days at first."""
    left, right = st.columns(2)
    last = today()
    since = left.date_input(t("sampling.since"), value=last - timedelta(days=29), key=f"{key}_since", format=DAY)
    until = right.date_input(t("sampling.until"), value=last, key=f"{key}_until", format=DAY)
    return since, until


def _drawn(actor: Actor, since: date, until: date) -> None:
    state = st.session_state
    try:
        with data.writing() as store:
            sample = sampling.draw(store, state["sampling_plan"], Period(since=since, until=until), actor=actor)
    except AuditError as error:
        state["sampling_trouble"] = told(error)
        return
    state["sampling_sample"] = sample.id
    state["sampling_item"] = None
    of = sum(sample.strata.values())
    state["sampling_notice"] = t("sampling.drawn", id=sample.id, items=sample.items, of=f"{of:,}")


def _label(plan: Plan) -> str:
    pool, stratum = t(f"sampling.pool_{plan.pool.value}"), t(f"sampling.s_{plan.stratum.value}")
    text = t("sampling.plan_label", id=plan.id, name=plan.name, pool=pool, stratum=stratum, n=plan.per_stratum)
    return f"{text} · {t('sampling.blind_mark')}" if plan.blind else text


def _table(samples: list[Sample]) -> None:
    st.markdown(f"**{t('sampling.samples')}**")
    st.dataframe(
        [
            {
                t("sampling.c_id"): one.id,
                t("sampling.name"): one.plan.name,
                t("sampling.pool"): t(f"sampling.pool_{one.plan.pool.value}"),
                t("sampling.stratum"): t(f"sampling.s_{one.plan.stratum.value}"),
                t("sampling.c_days"): f"{one.days.since} – {one.days.until}",
                t("sampling.c_done"): 100 * (one.done + one.gone) / one.items,
                t("sampling.c_left"): one.items - one.done - one.gone,
                t("sampling.c_gone"): one.gone,
                t("sampling.c_strata"): len(one.strata),
                t("sampling.blind_mark"): "✓" if one.plan.blind else "",
                t("sampling.c_by"): person(one.drawn_by),
            }
            for one in samples
        ],
        key="sampling_table",
        hide_index=True,
        column_config={
            t("sampling.c_done"): st.column_config.ProgressColumn(format="%.0f%%", min_value=0, max_value=100)
        },
    )
