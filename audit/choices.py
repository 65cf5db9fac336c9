"""What a person may choose from in the filters that all pages share."""

from __future__ import annotations

from dataclasses import dataclass

from audit.access import Actor
from audit.store import Store
from audit.store.choices import agents, products, teams


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Teams and products by name; `agents` maps each agent_id to a name, where the call list gave one."""

    teams: tuple[str, ...]
    products: tuple[str, ...]
    agents: dict[str, str | None]


def choices(store: Store, *, actor: Actor) -> Choices:
    """All that occur; for a collector themselves alone."""
    known = agents(store)
    if actor.only_own is not None:
        return Choices(teams=(), products=(), agents={actor.only_own: known.get(actor.only_own)})
    return Choices(teams=tuple(teams(store)), products=tuple(products(store)), agents=known)
