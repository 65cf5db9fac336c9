"""The filters all pages share: drawn in the sidebar, kept while one moves between pages, written in the address.

Each widget's key is its name in the address: `since, until, team, product, agent`.
"""

from __future__ import annotations

from datetime import date

import streamlit as st

from audit.access import Actor
from audit.choices import Choices, choices
from audit.store import Filter
from dashboard import data
from dashboard.words import t

NAMES = ("since", "until", "team", "product", "agent")


def draw(actor: Actor) -> None:
    """Draw the filters; the frame does this once per run."""
    found = _choices(actor, actor.only_own, data.version())
    left, right = st.columns(2)
    left.date_input(t("shell.since"), key="since", value=None, bind="query-params")
    right.date_input(t("shell.until"), key="until", value=None, bind="query-params")
    if actor.only_own is None:
        _select("team", found.teams)
        _select("product", found.products)
        _select("agent", tuple(found.agents), names=found.agents)
    if any(st.session_state.get(name) for name in NAMES):
        st.button(t("shell.clear"), key="clear_filters", on_click=clear, icon=":material/filter_alt_off:")


def current(actor: Actor | None = None) -> Filter:
    """What the filters say now. A collector's is always their own calls."""
    chosen = {name: st.session_state.get(name) for name in NAMES}
    who = actor or data.actor()
    return Filter(
        since=_day(chosen["since"]),
        until=_day(chosen["until"]),
        team=chosen["team"] or None,
        product=chosen["product"] or None,
        agent_id=chosen["agent"] or None if who.only_own is None else who.only_own,
    )


def clear() -> None:
    """Ask nothing any more."""
    for name in NAMES:
        st.session_state[name] = None


def _select(name: str, options: tuple[str, ...], *, names: dict[str, str | None] | None = None) -> None:
    def label(option: str) -> str:
        return f"{option} {(names or {}).get(option) or ''}".strip()

    if name not in st.session_state and (given := st.query_params.get(name)) in options:
        st.session_state[name] = given  # links name an id alone; the widget itself writes the id with its name
    st.selectbox(
        t(f"shell.{name}"),
        options,
        key=name,
        index=None,
        placeholder=t("shell.any"),
        format_func=label,
        bind="query-params",
    )


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


@st.cache_data(max_entries=64, show_spinner=False)
def _choices(_actor: Actor, only_own: str | None, version: tuple[int, ...]) -> Choices:
    """Cached per `only_own`, all that an actor changes about it, and state of the store."""
    with data.reading() as store:
        return choices(store, actor=_actor)
