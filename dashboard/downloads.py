"""A table as a file for other programs: buttons, and the entry in the ledger when one is used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from audit.access import Actor
from audit.exports import MIME, Form, Table, export
from audit.store import Store
from dashboard import data
from dashboard.words import t


def downloads(actor: Actor, make: Callable[[Store], Table], name: str) -> None:
    """A button for each form; the table is made when it is fetched."""
    for form in MIME:
        st.download_button(
            t(f"shell.{form}"),
            data=partial(_exported, actor, make, form),
            file_name=f"{name}.{form}",
            mime=MIME[form],
            key=f"{name}_{form}",
            icon=":material/download:",
            on_click="ignore",
        )


def _exported(actor: Actor, make: Callable[[Store], Table], form: Form) -> bytes:
    """Made when the file is fetched, so that the ledger knows of downloads and of nothing else.

    There is no session there: who asks was asked when the button was drawn.
    """
    with data.writing() as store:
        return export(store, make(store), form, actor=actor)
