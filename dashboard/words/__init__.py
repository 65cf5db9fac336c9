"""Every text people read in the dashboard, Chinese and English side by side, one module per page.

`t("review.confirm")` reads `WORDS["confirm"]` in dashboard/words/review.py.
"""

from __future__ import annotations

from importlib import import_module
from typing import Literal

import streamlit as st

Lang = Literal["zh", "en"]
Words = dict[str, tuple[str, str]]
"""Key → (Chinese, English), both with the same {placeholders}."""


def lang() -> Lang:
    """The reader's language: what the switch says, else Chinese."""
    return "en" if st.session_state.get("lang") == "en" else "zh"


def t(key: str, **values: object) -> str:
    """The text of a key `page.name` in the reader's language."""
    page, name = key.split(".", 1)
    words: Words = import_module(f"dashboard.words.{page}").WORDS
    text = words[name][lang() == "en"]
    return text.format(**values) if values else text
