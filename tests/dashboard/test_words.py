"""What people read: every key that a page asks for is there, in both languages, with the same blanks."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

from dashboard import words

FOLDER = Path(words.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("module", MODULES)
def test_both_languages_say_something_with_the_same_blanks(module: str) -> None:
    for key, (chinese, english) in import_module(f"dashboard.words.{module}").WORDS.items():
        assert chinese.strip() or english.strip(), key
        assert blanks(chinese) == blanks(english), key


def test_every_key_asked_for_is_there() -> None:
    asked = set()
    for file in FOLDER.parent.rglob("*.py"):
        asked |= set(re.findall(r'\bt\(\s*"([a-z_]+\.[a-z0-9_]+)"', file.read_text("utf-8")))
    missing = {
        key for key in asked if key.split(".")[1] not in import_module(f"dashboard.words.{key.split('.')[0]}").WORDS
    }
    assert len(asked) > 50
    assert missing == set()


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
