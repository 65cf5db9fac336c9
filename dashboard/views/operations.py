"""运行: batches, failures, uploads, the engine and the store."""

from __future__ import annotations

import streamlit as st

from dashboard.words import t


def show() -> None:
    st.title(t("operations.title"))


show()
