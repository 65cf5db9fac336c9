"""Charts of collectors: who recovers by the book, and how one of them does week by week."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audit.collectors import SMALL_SAMPLE, Week
from audit.figures import Rate, rate
from audit.promises import Outcome, Results
from dashboard.words import t

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 380
# Neither red nor green: the place on the chart is the judgement. Dark enough for either theme.
_POINT, _LINE = "#3b6fb6", "#8a93a0"


def by_the_book(
    found: Results, names: dict[str, str | None], *, measure: str
) -> alt.LayerChart | alt.FacetChart | None:
    """A chart with `measure` (recovery or kept) upwards; None where fewer than two collectors have figures."""
    import altair as alt

    points = [point for outcome in found.by_collector if (point := _point(outcome, names, measure)) is not None]
    if len(points) < 2:
        return None
    most = max(1.0, *(point["x"] for point in points))
    x = alt.X("x:Q", title=t("promises.axis_x"), scale=alt.Scale(domain=[0, 1.15 * most]))
    y = alt.Y("y:Q", title=t(f"promises.axis_{measure}"), axis=alt.Axis(format="%"), scale=alt.Scale(zero=False))
    base = alt.Chart(alt.InlineData(values=points)).encode(x=x, y=y)
    dots = base.mark_point(strokeWidth=2).encode(
        color=alt.value(_POINT),
        fill=alt.condition("datum.small", alt.value("transparent"), alt.value(_POINT)),
        size=alt.Size("calls:Q", legend=None, scale=alt.Scale(range=[60, 500], zero=True)),
        tooltip=[
            alt.Tooltip("name:N", title=t("promises.c_agent")),
            alt.Tooltip("x:Q", title=t("promises.axis_x"), format=".1f"),
            alt.Tooltip("x_interval:N", title=t("promises.c_interval")),
            alt.Tooltip("calls:Q", title=t("promises.c_calls")),
            alt.Tooltip("y:Q", title=t(f"promises.axis_{measure}"), format=".1%"),
            alt.Tooltip("sample:N", title=t("promises.c_cases" if measure == "recovery" else "promises.c_promises")),
        ],
    )
    text = base.mark_text(align="left", dx=12, fontSize=13).encode(text="label:N")
    corner = alt.Chart(alt.InlineData(values=[{"text": t("promises.corner")}])).mark_text(
        align="left", baseline="top", color=_LINE, fontSize=13
    ).encode(x=alt.value(10), y=alt.value(8), text="text:N")  # fmt: skip
    return alt.layer(*_levels(found.total, measure), corner, dots, text).properties(height=HEIGHT)


def _point(outcome: Outcome, names: dict[str, str | None], measure: str) -> dict[str, Any] | None:
    broken = rate(outcome.violations, outcome.calls)
    height = _height(outcome, measure)
    if broken.per_100 is None or height is None:
        return None
    name = names.get(outcome.key) or outcome.key
    sample = outcome.cases if measure == "recovery" else outcome.kept.of
    return {
        "name": f"{outcome.key} {name}",
        "label": f"{name}  n={outcome.calls}",
        "x": broken.per_100,
        "x_interval": f"{broken.low:.1f}–{broken.high:.1f}",
        "y": height,
        "calls": outcome.calls,
        "sample": sample,
        "small": outcome.calls < SMALL_SAMPLE,
    }


def _height(outcome: Outcome, measure: str) -> float | None:
    return outcome.recovery if measure == "recovery" else outcome.kept.share


def _levels(total: Outcome, measure: str) -> list[alt.Chart]:
    """Dashed lines where everybody together stands."""
    import altair as alt

    broken, height = rate(total.violations, total.calls).per_100, _height(total, measure)
    dashed: dict[str, Any] = {"strokeDash": [4, 4], "color": _LINE}
    return [
        alt.Chart(alt.InlineData(values=[{"x": broken}])).mark_rule(**dashed).encode(x="x:Q"),
        alt.Chart(alt.InlineData(values=[{"y": height}])).mark_rule(**dashed).encode(y="y:Q"),
    ]


def weekly(weeks: Sequence[Week], everybody: Rate) -> alt.LayerChart | alt.FacetChart:
    """Confirmed violations per 100 calls by week, with intervals, and everybody's level."""
    import altair as alt

    rows = [
        {
            "week": week.start.isoformat(),
            "y": week.violations.per_100,
            "low": week.violations.low,
            "high": week.violations.high,
            "calls": f"n={week.violations.of}",
        }
        for week in weeks
    ]
    axis = alt.Axis(labelAngle=0, labelExpr="slice(datum.value, 5)")  # the year stays in the tooltip
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=alt.X("week:O", title=t("collectors.week"), axis=axis))
    y = alt.Y("y:Q", title=t("collectors.per_100"))
    bars = base.mark_rule(color=_LINE).encode(y=alt.Y("low:Q", title=t("collectors.per_100")), y2="high:Q")
    dots = base.mark_line(point=True, color=_POINT).encode(y=y, tooltip=["week:O", "y:Q", "calls:N"])
    counts = base.mark_text(dx=14, dy=-8, fontSize=11).encode(y=y, text="calls:N")
    level = alt.Chart(alt.InlineData(values=[{"y": everybody.per_100 or 0}]))
    dashed = level.mark_rule(strokeDash=[4, 4], color=_LINE).encode(y="y:Q")
    return alt.layer(dashed, bars, dots, counts).properties(height=240)
