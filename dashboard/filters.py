"""The filters all pages share: drawn in the sidebar, kept while one moves between pages, written in the address.

A filter's name in the address is its key in the session: `since, until, team, product, agent`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Final

import streamlit as st

from audit.access import Actor
from audit.choices import Choices, choices
from audit.store import Filter
from dashboard import address, data
from dashboard.marks import plain
from dashboard.words import t

NAMES = ("since", "until", "team", "product", "agent")
# Streamlit's own bounds are ten years to both sides, and a day beyond them in an address would stop the page.
DAY: Final = "YYYY-MM-DD"
"""How every field shows a day: as the tables and reports beside it."""
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)


def draw(actor: Actor) -> None:
    """Draw the filters; the frame does this once per run."""
    found = _choices(actor, actor.only_own, data.version())
    options = {"team": found.teams, "product": found.products, "agent": tuple(found.agents)}
    _adopt(options)
    for name in ("since", "until"):
        label = t(f"shell.{name}")
        st.date_input(label, key=name, value=None, min_value=EARLIEST, max_value=LATEST, format=DAY)
    if swapped():
        st.warning(t("shell.swapped"), icon=":material/swap_vert:")
    if actor.only_own is None:
        for name, among in options.items():
            _select(name, among, names=found.agents)
    chosen = {name: st.session_state.get(name) for name in NAMES}
    address.write({name: None if value is None else str(value) for name, value in chosen.items()})
    if any(chosen.values()):
        st.button(t("shell.clear"), key="clear_filters", on_click=clear, icon=":material/filter_alt_off:")


def current(actor: Actor | None = None) -> Filter:
    """What the filters say now. A collector's is always their own calls."""
    chosen = {name: st.session_state.get(name) for name in NAMES}
    who = actor or data.actor()
    return Filter(
        since=chosen["since"],
        until=chosen["until"],
        team=chosen["team"],
        product=chosen["product"],
        agent_id=chosen["agent"] if who.only_own is None else who.only_own,
    )


def swapped() -> bool:
    """Whether the first day comes after the last, so that nothing can be found."""
    since, until = st.session_state.get("since"), st.session_state.get("until")
    return since is not None and until is not None and since > until


def names(actor: Actor) -> dict[str, str | None]:
    """What the collectors whom this person may see are called, by their ids."""
    return _choices(actor, actor.only_own, data.version()).agents


def clear() -> None:
    """Ask nothing any more."""
    for name in NAMES:
        st.session_state[name] = None


def understood(name: str, asked: str, options: dict[str, tuple[str, ...]]) -> date | str | None:
    """What a link asks a filter for; None for what makes no sense, or names nobody that this person may see."""
    if name in options:
        return asked if asked in options[name] else None
    with suppress(ValueError):
        day = date.fromisoformat(asked)
        return day if EARLIEST <= day <= LATEST else None
    return None


def keep() -> None:
    """Where they are not drawn: Streamlit forgets a field that it doesn't see."""
    for name in NAMES:
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def _adopt(options: dict[str, tuple[str, ...]]) -> None:
    for name, asked in address.news(NAMES).items():
        found = st.session_state[name] = understood(name, asked, options)
        if asked and found is None:
            said = t("shell.unknown_filter", what=t(f"shell.{name}"), asked=plain(asked))
            st.toast(said, icon=":material/filter_alt_off:", duration="infinite")


def _select(name: str, options: tuple[str, ...], *, names: dict[str, str | None]) -> None:
    def label(option: str) -> str:
        return f"{option} {names.get(option) or ''}".strip() if name == "agent" else option

    st.selectbox(t(f"shell.{name}"), options, key=name, index=None, placeholder=t("shell.any"), format_func=label)


@st.cache_data(max_entries=64, show_spinner=False)
def _choices(_actor: Actor, only_own: str | None, version: tuple[int, ...]) -> Choices:
    """Cached per `only_own`, all that an actor changes about it, and state of the store."""
    with data.reading() as store:
        return choices(store, actor=_actor)
