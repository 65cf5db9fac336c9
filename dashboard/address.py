"""What the session keeps and the browser's address shows, in step.

Streamlit empties the query of the address when one moves to another page; the session does not forget. A value in
the address that we did not write is a link somebody followed, and wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

import streamlit as st

_WRITTEN = "address_written"


def news(names: Iterable[str]) -> dict[str, str]:
    """What the address asks for of these names since we last wrote it."""
    written = st.session_state.get(_WRITTEN, {})
    found = {name: st.query_params[name] for name in names if name in st.query_params}
    return {name: value for name, value in found.items() if value != written.get(name)}


def write(values: Mapping[str, str | None]) -> None:
    """Show these values in the address; None is left out."""
    for name, value in values.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value
    st.session_state[_WRITTEN] = {**st.session_state.get(_WRITTEN, {}), **values}


def number(name: str) -> int | None:
    """The number that the address gives, however large; None where it gives none."""
    with suppress(ValueError):
        return int(st.query_params.get(name, ""))
    return None
