"""How figures read in tables: money in yuan, shares with their sample, intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from audit.figures import Rate, Share


def headed(rows: Sequence[Mapping[str, Any]], word: Callable[[str], str]) -> list[dict[str, Any]]:
    """Rows under the words for their columns, each asked for once: 500 rows would take a tenth of a second."""
    words = {name: word(name) for name in dict.fromkeys(name for row in rows for name in row)}
    return [{words[name]: value for name, value in row.items()} for row in rows]


def yuan(fen: int | None) -> str:
    """1,234.50; whole fen stay exact."""
    return "—" if fen is None else f"{fen // 100:,}.{fen % 100:02d}"


def percent(share: float | None) -> str:
    """12.3%; a dash where there is no sample."""
    return "—" if share is None else f"{share:.1%}"


def hundred(share: float | None) -> float | None:
    """A share as a number of percent, for columns that sort."""
    return None if share is None else 100 * share


def interval(found: Share | Rate) -> str:
    """The 95 % interval of a share in percent, or of a rate per 100 calls."""
    if found.low is None or found.high is None:
        return "—"
    if isinstance(found, Rate):
        return f"{found.low:.1f}–{found.high:.1f}"
    return f"{found.low:.0%}–{found.high:.0%}"
