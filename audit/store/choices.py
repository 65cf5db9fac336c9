"""What can be chosen in a filter: the teams, products and collectors that occur."""

from __future__ import annotations

from audit.store.calls import Store


def teams(store: Store) -> list[str]:
    """Teams of all calls, sorted."""
    return [name for name in _distinct(store, "team") if name]


def agents(store: Store) -> dict[str, str | None]:
    """agent_id → the name on their newest call, sorted by id."""
    newest = "select agent_name from calls where agent_id = ? order by started_at desc limit 1"
    found = {agent: store.one(newest, [agent]) for agent in _distinct(store, "agent_id") if agent}
    return {agent: None if row is None else row["agent_name"] for agent, row in found.items()}


def products(store: Store) -> list[str]:
    """Products of all calls, sorted."""
    rows = store.all("select distinct product from calls where product is not null order by product")
    return [row["product"] for row in rows]


def _distinct(store: Store, column: str) -> list[str]:
    """Jumps from value to value in the column's index, where `select distinct` would read every call."""
    rows = store.all(
        f"with recursive seen(value) as (select min({column}) from calls union all"
        f" select (select min({column}) from calls where {column} > seen.value) from seen where value is not null)"
        " select value from seen where value is not null"
    )
    return [row["value"] for row in rows]
