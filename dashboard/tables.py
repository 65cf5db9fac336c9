"""How figures read in tables: money in yuan, shares with their sample, intervals."""

from __future__ import annotations

from audit.figures import Rate, Share


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
