"""Charts of the overview. Colour is never the only sign: shapes, dashes and numbers say the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from audit.overview import Bucket, Cell
from audit.store.tallies import RuleLine
from dashboard import rulebook
from dashboard.words import t

if TYPE_CHECKING:
    import altair as alt

CONFIRMED, MACHINE, CALLS = "#b3261e", "#1f5a8c", "#c9d2db"
_INK, _PAPER, _BLANK = "#1c2733", "#ffffff", "#f4f6f8"
_WARM, _COLD = ["#fff4ec", "#9c2a12"], ["#f1f6fa", "#1f5a8c"]
_TICKS = 16  # points up to which each has its own day below it
_DAY = timedelta(days=1)
_ROOM_FOR_NUMBER = 28  # pixels of a cell's width
LEAST = 5  # calls in a cell of the heat map, below which its share says nothing


def trend(found: Sequence[Bucket], *, machine: bool) -> alt.LayerChart | alt.FacetChart:
    """Shares of calls over time with their 95 % intervals; how many calls there were, as bars behind."""
    import altair as alt

    rows = [_point(bucket, kind) for bucket in found for kind in ("confirmed", "machine")[: 1 + machine]]
    calls = [{"start": _midnight(bucket.start), "calls": bucket.calls} for bucket in found]
    ticks: dict[str, Any] = {"values": [row["start"] for row in calls]} if len(calls) <= _TICKS else {}
    span = [_midnight(found[0].start - _DAY), _midnight(found[-1].start + _DAY)]
    x: Any = alt.X(
        "start:T",
        title=None,
        axis=alt.Axis(format="%m-%d", labelOverlap=True, grid=False, **ticks),
        scale=alt.Scale(domain=span, padding=16),
    )
    bars = alt.Chart(alt.InlineData(values=calls)).mark_bar(color=CALLS, opacity=0.55, size=_bar(len(found))).encode(
        x=x, y=alt.Y("calls:Q", title=t("overview.axis_calls"), axis=alt.Axis(orient="right", grid=False)),
        tooltip=[alt.Tooltip("start:T", title=t("overview.day"), format="%Y-%m-%d"),
                 alt.Tooltip("calls:Q", title=t("overview.axis_calls"), format=",")],
    )  # fmt: skip
    kinds = [t("overview.confirmed"), t("overview.machine")][: 1 + machine]
    colour = alt.Color("kind:N", title=None, scale=alt.Scale(domain=kinds, range=[CONFIRMED, MACHINE][: len(kinds)]),
                       legend=alt.Legend(orient="top", symbolOpacity=1, symbolStrokeWidth=2))  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, color=colour)
    share = alt.Y("share:Q", title=t("overview.axis_share"), axis=alt.Axis(format=".0%"))
    area = base.mark_area(opacity=0.16) if len(found) > 1 else base.mark_errorbar(ticks=True)
    band = area.encode(y=alt.Y("low:Q", title=t("overview.axis_share")), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(
        y=share, strokeDash=alt.StrokeDash("kind:N", legend=None, scale=alt.Scale(domain=kinds, range=[[1, 0], [5, 3]]))
    )
    dots = base.mark_point(filled=True, size=46).encode(
        y=share,
        shape=alt.Shape("kind:N", title=None, scale=alt.Scale(domain=kinds, range=["circle", "square"])),
        tooltip=[alt.Tooltip("start:T", title=t("overview.day"), format="%Y-%m-%d"), alt.Tooltip("kind:N", title=" "),
                 alt.Tooltip("share:Q", title=t("overview.axis_share"), format=".1%"),
                 alt.Tooltip("range:N", title=t("overview.interval")), alt.Tooltip("n:N", title="n")],
    )  # fmt: skip
    both: alt.LayerChart = alt.layer(bars, alt.layer(band, line, dots)).resolve_scale(y="independent")
    return both.properties(height=250)


def _midnight(day: date) -> str:
    """With a time, for a browser reads a bare day as one of UTC."""
    return f"{day.isoformat()}T00:00"


def _point(bucket: Bucket, kind: str) -> dict[str, Any]:
    share = bucket.confirmed if kind == "confirmed" else bucket.machine
    return {
        "start": _midnight(bucket.start),
        "kind": t(f"overview.{kind}"),
        "share": share.share,
        "low": share.low,
        "high": share.high,
        "range": f"{share.low or 0:.1%}–{share.high or 0:.1%}",
        "n": f"{share.hits:,} / {share.of:,}",
    }


def _bar(count: int) -> float:
    return max(2.0, min(26.0, 560 / max(1, count)))


def categories(found: Sequence[RuleLine], *, machine: bool) -> alt.LayerChart | alt.FacetChart:
    """Confirmed violations and open findings by category, as filled and as outlined bars with their numbers."""
    import altair as alt

    kinds = [t("overview.violations"), t("overview.waiting")][: 1 + machine]
    rows = [
        {"category": rulebook.as_finding(str(line.key[0])), "kind": kind, "n": count}
        for line in found
        for kind, count in zip(kinds, (line.violations, line.waiting), strict=False)
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "category:N",
            title=None,
            sort=[str(row["category"]) for row in rows],
            axis=alt.Axis(labelLimit=150, labelOverlap=False, ticks=False),
        ),
        yOffset=alt.YOffset("kind:N", sort=kinds),
        x=alt.X("n:Q", title=None, axis=alt.Axis(tickMinStep=1, grid=False)),
        tooltip=[alt.Tooltip("category:N", title=" "), alt.Tooltip("kind:N", title=" "), alt.Tooltip("n:Q", title="n")],
    )
    scale = alt.Scale(domain=kinds, range=[CONFIRMED, MACHINE][: len(kinds)])
    bars = base.mark_bar(strokeWidth=1.2).encode(
        stroke=alt.Stroke(
            "kind:N", title=None, scale=scale, legend=alt.Legend(orient="top", columns=1, labelLimit=300)
        ),
        fill=alt.Fill("kind:N", title=None, scale=alt.Scale(domain=kinds, range=[CONFIRMED, _PAPER][: len(kinds)])),
    )
    numbers = base.mark_text(align="left", dx=4, fontSize=10, color=_INK).encode(text=alt.Text("n:Q", format=","))
    return alt.layer(bars, numbers).properties(height=max(120, len(found) * (40 if machine else 26)))


def heat(found: Sequence[Cell], *, share: bool) -> alt.LayerChart | alt.FacetChart:
    """Hour by weekday: how many calls, or which share of them has a violation; the number stands in each cell where
    there is room for it. Hours without a call keep their place between the others.
    """
    import altair as alt

    rows = [_square(cell, share=share) for cell in found]
    days = [t(f"overview.weekday_{n}") for n in range(1, 8)]
    known = [cell.hour for cell in found]
    hours = [f"{hour:02d}" for hour in range(min(known), max(known) + 1)] if known else []
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "hour:O", title=t("overview.axis_hour"), scale=alt.Scale(domain=hours),
            axis=alt.Axis(labelAngle=0, labelOverlap=True, ticks=False, domain=False),
        ),
        y=alt.Y("weekday:N", title=None, sort=days, axis=alt.Axis(ticks=False, domain=False)),
        tooltip=[alt.Tooltip("weekday:N", title=t("overview.weekday")), alt.Tooltip("hour:O", title=t("overview.hour")),
                 alt.Tooltip("calls:Q", title=t("overview.axis_calls"), format=","),
                 alt.Tooltip("told:N", title=t("overview.axis_share"))],
    )  # fmt: skip
    squares = base.mark_rect(cornerRadius=2, stroke=_PAPER, strokeWidth=1).encode(
        color=alt.condition(
            "datum.value === null",
            alt.value(_BLANK),
            alt.Color("value:Q", legend=None, scale=alt.Scale(domainMin=0, range=_WARM if share else _COLD)),
        )
    )
    most = max((row["value"] or 0 for row in rows), default=0)
    numbers = base.mark_text(fontSize=11).encode(
        text="text:N",
        color=alt.condition(f"datum.value > {0.6 * most}", alt.value(_PAPER), alt.value(_INK)),
        opacity=alt.condition(
            f"datum.value !== null && width < {_ROOM_FOR_NUMBER * len(hours)}", alt.value(0), alt.value(1)
        ),
    )
    return alt.layer(squares, numbers).properties(height=250)


def _square(cell: Cell, *, share: bool) -> dict[str, Any]:
    part = cell.share.share or 0.0
    known = cell.calls >= LEAST
    return {
        "weekday": t(f"overview.weekday_{cell.weekday}"),
        "hour": f"{cell.hour:02d}",
        "calls": cell.calls,
        "value": (part if known else None) if share else cell.calls,
        "text": (f"{part:.0%}" if known else "·") if share else f"{cell.calls:,}",
        "told": f"{part:.1%} ({cell.share.low or 0:.0%}–{cell.share.high or 0:.0%}, n = {cell.calls})",
    }
