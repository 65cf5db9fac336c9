"""What the samples and reviews of a period say, with intervals: tiles, two charts, a table of rules, blind sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from audit.access import Actor
from audit.estimates import Estimate
from audit.review import rule_cards, title
from audit.sampling import Comparison
from audit.sampling_figures import CategoryRecall, Floor, Quality, RuleQuality, quality
from audit.store.samples import Period
from dashboard import data, rulebook
from dashboard.sample_plans import days
from dashboard.tables import hundred, interval, percent
from dashboard.words import lang, t

if TYPE_CHECKING:
    import altair as alt

_MOST_RULES = 18
_GOOD, _BAD, _INK = "#1f5a8c", "#b3261e", "#1c2733"


def show(actor: Actor) -> None:
    """Figures over calls of the days chosen."""
    with st.container(width=420):
        since, until = days("sampling_figures")
    if until < since:
        st.warning(t("sampling.figures_empty"), icon=":material/date_range:")
        return
    given = data.config()
    floor = Floor(precision=given.precision_floor, reviews=given.precision_floor_reviews)
    found, titles = _quality(actor, actor.role, Period(since=since, until=until), floor, (lang(), *data.version()))
    if not found.rules and found.recall_of is None and not found.blind:
        st.info(t("sampling.figures_empty"), icon=":material/date_range:")
        return
    _tiles(found)
    _revise(found, floor, titles)
    left, right = st.columns(2, gap="medium")
    with left:
        _rules_chart(found, floor, titles)
    with right:
        _recall_chart(found)
    _rules_table(found, titles)
    _blind(found.blind)


@st.cache_data(max_entries=16, show_spinner=False)
def _quality(
    _actor: Actor, role: str, days: Period, floor: Floor, version: tuple[object, ...]
) -> tuple[Quality, dict[str, str]]:
    """The figures, and the titles of their rules as they read when they judged."""
    with data.reading() as store:
        found = quality(store, days, floor=floor, actor=_actor)
        cards = rule_cards(store, None)
    return found, {one.rule_id: title(one.rule_id, cards.get(one.rule_id), lang=lang()) for one in found.rules}


# tiles


def _tiles(found: Quality) -> None:
    whole = next((one.recall for one in found.recall if not one.category), None)
    kappa = found.blind[0].agreed[0].kappa if found.blind else None
    reviews, appeals = found.reviews, found.overturned.all
    tiles = [
        ("recall", _percent(whole), _note(whole, "n_recall")),
        ("precision", percent(reviews.share), t("sampling.n_reviews", interval=interval(reviews), n=reviews.of)),
        ("overturned", percent(appeals.share), t("sampling.n_appeals", interval=interval(appeals), n=appeals.of)),
        ("kappa", _kappa(kappa), _note(kappa, "n_calls", share=False)),
        ("errors", _percent(found.errors), _note(found.errors, "n_calls")),
    ]  # fmt: skip
    absent = {"recall": "no_recall", "kappa": "no_blind", "errors": "no_errors", "overturned": "no_appeals",
              "precision": "no_reviews"}  # fmt: skip
    for column, (name, value, note) in zip(st.columns(len(tiles)), tiles, strict=True):
        with column, st.container(border=True, height="stretch", gap="xxsmall"):
            st.metric(t(f"sampling.m_{name}"), value)
            st.caption(t(f"sampling.{absent[name]}") if value == "—" else note)


def _percent(found: Estimate | None) -> str:
    return "—" if found is None else percent(found.value)


def _kappa(found: Estimate | None) -> str:
    return "—" if found is None or found.value is None else f"{found.value:.2f}"


def _note(found: Estimate | None, key: str, *, share: bool = True) -> str:
    return "" if found is None else t(f"sampling.{key}", interval=_interval(found, share=share), n=f"{found.of:,}")


def _interval(found: Estimate, *, share: bool = True) -> str:
    if found.low is None or found.high is None:
        return "—"
    return f"{found.low:.0%}–{found.high:.0%}" if share else f"{found.low:.2f}–{found.high:.2f}"


def _revise(found: Quality, floor: Floor, titles: Mapping[str, str]) -> None:
    below = [titles[one.rule_id] for one in found.rules if one.revise]
    limits = {"floor": f"{floor.precision:.0%}", "least": floor.reviews}
    if below:
        names = t("shell.comma").join(below)
        st.error(t("sampling.revise", n=len(below), names=names, **limits), icon=":material/build:")
    else:
        st.caption(f":material/check: {t('sampling.none_revise', **limits)}")


# charts


def _rules_chart(found: Quality, floor: Floor, titles: Mapping[str, str]) -> None:
    import altair as alt

    st.markdown(f"**{t('sampling.by_rule')}**")
    judged = sorted((one for one in found.rules if one.precision.of), key=lambda one: -one.precision.of)[:_MOST_RULES]
    if not judged:
        st.caption(t("sampling.no_reviews"))
        return
    rows = [
        {
            "name": titles[one.rule_id],
            "share": one.precision.share,
            "low": one.precision.low,
            "high": one.precision.high,
            "n": f"n = {one.precision.of}" + ("  ⚠" if one.revise else ""),
            "below": one.revise,
        }
        for one in judged
    ]
    line = alt.Chart(alt.InlineData(values=[{"floor": floor.precision}])).mark_rule(color=_BAD, strokeDash=[5, 3])
    drawn = alt.layer(line.encode(x="floor:Q"), *_ranges(rows))
    st.altair_chart(drawn.properties(height=26 * len(rows) + 40), key="sampling_rules_chart")


def _recall_chart(found: Quality) -> None:
    import altair as alt

    st.markdown(f"**{t('sampling.by_category')}**")
    sample = found.recall_of
    known = [one for one in found.recall if one.recall.value is not None]
    if sample is None or not known:
        st.info(t("sampling.no_recall"), icon=":material/casino:")
        return
    size, heard = sum(sample.strata.values()), found.recall[0].recall.of
    span = {"since": sample.days.since, "until": sample.days.until}
    st.caption(t("sampling.recall_from", id=sample.id, size=f"{size:,}", n=heard, **span))
    rows = [
        {
            "name": _category(one.category),
            "share": one.recall.value,
            "low": one.recall.low,
            "high": one.recall.high,
            "n": f"{one.recall.found or 0:,.0f} / {(one.recall.found or 0) + (one.recall.missed or 0):,.0f}",
            "below": False,
        }
        for one in known
    ]
    st.altair_chart(alt.layer(*_ranges(rows)).properties(height=26 * len(rows) + 40), key="sampling_recall_chart")
    with st.expander(t("sampling.as_table"), icon=":material/table:"):
        st.dataframe([_recall_row(one) for one in found.recall], key="sampling_recall_table", hide_index=True)


def _ranges(rows: Sequence[Mapping[str, Any]]) -> tuple[alt.Chart, alt.Chart, alt.Chart]:
    """A dot with its interval on each line, and its sample at the right; what is below the floor is a red diamond."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=[dict(row) for row in rows])).encode(
        y=alt.Y("name:N", title=None, sort=[row["name"] for row in rows], axis=alt.Axis(labelLimit=210, ticks=False)),
        color=alt.condition("datum.below", alt.value(_BAD), alt.value(_GOOD)),
    )
    scale = alt.Scale(domain=[0, 1])
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=None, scale=scale, axis=alt.Axis(format=".0%")), x2="high:Q"
    )
    shape: Any = alt.condition("datum.below", alt.value("diamond"), alt.value("circle"))
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("share:Q", scale=scale), shape=shape,
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("share:Q", format=".1%", title="%"),
                 alt.Tooltip("low:Q", format=".1%"), alt.Tooltip("high:Q", format=".1%"),
                 alt.Tooltip("n:N", title=" ")],
    )  # fmt: skip
    numbers = base.mark_text(align="left", dx=6, fontSize=11).encode(
        x=alt.value("width"), text="n:N", color=alt.value(_INK)
    )
    return bars, dots, numbers


def _recall_row(one: CategoryRecall) -> dict[str, object]:
    return {
        t("sampling.c_category"): _category(one.category),
        t("sampling.c_recall"): _percent(one.recall),
        t("sampling.c_interval"): _interval(one.recall),
        t("sampling.c_found"): one.recall.found,
        t("sampling.c_missed"): one.recall.missed,
    }


def _category(name: str) -> str:
    return rulebook.as_finding(name) if name else t("sampling.any")


# tables


def _rules_table(found: Quality, titles: Mapping[str, str]) -> None:
    st.dataframe(
        [_rule_row(one, found, titles[one.rule_id]) for one in found.rules],
        key="sampling_rules",
        hide_index=True,
        placeholder="—",
        column_config={
            t("sampling.c_precision"): st.column_config.ProgressColumn(format="%.0f%%", min_value=0, max_value=100),
            t("sampling.c_fires"): st.column_config.NumberColumn(format="%.1f"),
        },
    )
    before = found.days.before
    span = (found.days.until - found.days.since).days + 1
    st.caption(t("sampling.drift_note", days=span, since=before.since, until=before.until))


def _rule_row(one: RuleQuality, found: Quality, title: str) -> dict[str, object]:
    overturned = found.overturned.by_rule.get(one.rule_id)
    return {
        t("sampling.c_state"): t("sampling.c_revise") if one.revise else "",
        t("sampling.c_rule"): title,
        t("sampling.c_precision"): hundred(one.precision.share),
        t("sampling.c_interval"): interval(one.precision),
        t("sampling.c_judged"): one.precision.of,
        t("sampling.c_sampled"): f"{percent(one.sampled.share)} ({one.sampled.of})" if one.sampled.of else "—",
        t("sampling.c_precision_change"): _change(one.precision_change, 100),
        t("sampling.c_fires"): None if one.fires.share is None else 1000 * one.fires.share,
        t("sampling.c_fires_change"): _change(one.fires_change, 1000),
        t("sampling.c_overturned"): "—" if overturned is None else f"{overturned.hits}/{overturned.of}",
    }


def _change(found: Estimate, times: int) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "—"
    sign = "▲ " if found.low > 0 else "▼ " if found.high < 0 else ""
    value, low, high = (f"{times * number:+.0f}".replace("-", "−") for number in (found.value, found.low, found.high))
    return f"{sign}{value} ({low} … {high})"


def _blind(found: Sequence[Comparison]) -> None:
    if not found:
        return
    st.markdown(f"**{t('sampling.blind_sets')}**")
    for one in found:
        who = t("shell.comma").join(one.sample.plan.reviewers)
        title = t("sampling.blind_set", id=one.sample.id, name=one.sample.plan.name, who=who, n=len(one.calls))
        with st.expander(title, icon=":material/groups:"):
            st.dataframe(
                [
                    {
                        t("sampling.c_category"): _category(agreed.category),
                        t("sampling.c_kappa"): _kappa(agreed.kappa),
                        t("sampling.c_interval"): _interval(agreed.kappa, share=False),
                        t("sampling.c_share"): percent(agreed.share),
                    }
                    for agreed in one.agreed
                ],
                key=f"sampling_agreed_{one.sample.id}",
                hide_index=True,
            )
            _differences(one)


def _differences(one: Comparison) -> None:
    differ = [call for call in one.calls if len(set(call.said)) > 1]
    st.caption(t("sampling.differ", n=len(differ)))
    names = one.sample.plan.reviewers
    rows = [
        {
            t("sampling.c_call"): call.call_id,
            **{name: _said(said) for name, said in zip(names, call.said, strict=True)},
            t("sampling.c_machine"): _said(call.machine),
        }
        for call in differ
    ]
    if rows:
        st.dataframe(rows, key=f"sampling_differ_{one.sample.id}", hide_index=True)


def _said(categories: frozenset[str]) -> str:
    return t("shell.comma").join(sorted(map(rulebook.as_finding, categories))) or t("sampling.none")
