"""Which calls: what every page and report asks in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which calls: local days of the call, both ends included; None asks nothing."""

    since: date | None = None
    until: date | None = None
    team: str | None = None
    agent_id: str | None = None
    product: str | None = None


EVERY_CALL = Filter()


def where(which: Filter, *, day: str) -> tuple[str, list[object]]:
    """The filter as SQL and its values, for a table with team, agent_id and product; `day` gives the ISO day."""
    asked = [
        (f"{day} >= ?", None if which.since is None else which.since.isoformat()),
        (f"{day} <= ?", None if which.until is None else which.until.isoformat()),
        ("team = ?", which.team),
        ("agent_id = ?", which.agent_id),
        ("product = ?", which.product),
    ]
    used = [(clause, value) for clause, value in asked if value is not None]
    return " and ".join(clause for clause, _ in used) or "true", [value for _, value in used]
