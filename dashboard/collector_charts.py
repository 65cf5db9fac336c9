"""Charts of collectors: who recovers by the book, and how one of them does week by week."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from audit.collectors import SMALL_SAMPLE, Week
from audit.figures import Rate, rate
from audit.promises import Outcome, Results
from dashboard.words import t

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 380
_LABEL = (0.12, 0.06)  # width and height of a label as shares of the chart's
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
    most = 1.15 * max(1.0, *(point["x"] for point in points))
    low, high = padded([point["y"] for point in points])
    places = [(point["x"] / most, (point["y"] - low) / (high - low)) for point in points]
    for point, side in zip(points, sides(places), strict=True):
        point["side"] = side
    x = alt.X("x:Q", title=t("promises.axis_x"), axis=alt.Axis(tickCount=10), scale=alt.Scale(domain=[0, most]))
    height = t(f"promises.axis_{measure}")
    y = alt.Y("y:Q", title=height, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[low, high]))
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
    beside = {side: base.transform_filter(f"datum.side === {side}").encode(text="label:N") for side in (1, -1)}
    text = [
        beside[1].mark_text(align="left", dx=12, fontSize=13),
        beside[-1].mark_text(align="right", dx=-12, fontSize=13),
    ]
    corner = alt.Chart(alt.InlineData(values=[{"text": t("promises.corner")}])).mark_text(
        align="left", baseline="top", color=_LINE, fontSize=13
    ).encode(x=alt.value(10), y=alt.value(8), text="text:N")  # fmt: skip
    return alt.layer(*_levels(found.total, measure), corner, dots, *text).properties(height=HEIGHT)


def padded(values: Sequence[float]) -> tuple[float, float]:
    """Where the axis of shares begins and ends, with room for the dots; never below nothing."""
    room = 0.12 * max(max(values) - min(values), 0.01)
    return max(0.0, min(values) - room), max(values) + room


def sides(places: Sequence[tuple[float, float]]) -> list[int]:
    """On which side of its dot each label stands so that none lies on another: 1 right, -1 left, 0 nowhere.

    `places` are shares of the chart's width and height; what has no room is told by pointing at the dot.
    """
    taken: list[tuple[float, float]] = []
    sides = []
    for x, y in places:
        middles = {1: (x + _LABEL[0] / 2, y), -1: (x - _LABEL[0] / 2, y)}
        side = next((side for side, middle in middles.items() if not _covered(middle, taken)), 0)
        taken += [middles[side]] if side else []
        sides.append(side)
    return sides


def _covered(middle: tuple[float, float], taken: Iterable[tuple[float, float]]) -> bool:
    return any(abs(middle[0] - x) < _LABEL[0] and abs(middle[1] - y) < _LABEL[1] for x, y in taken)


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
