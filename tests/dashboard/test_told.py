"""Whatever audit/ refuses on a page is told in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import audit
from audit.access import Action, Actor, Refused, Role, require
from dashboard.told import in_english

FOLDER = Path(audit.__file__).parent
SHOWN = (
    "access", "appeals", "bench", "coaching", "coaching_clips", "collectors", "complaints", "review", "sampling",
    "sessions", "unmask", "uploads",
)  # fmt: skip
"""Modules whose refusals pages show. Lists that are read from CSV name lines and columns, and stay Chinese."""
CHINESE = re.compile(r"[一-鿿]{2}")
EXAMPLE = "坐席：客户：您好，这里是"  # what is to be typed into the bench is Chinese in either language


def sentences(module: str) -> Iterator[str]:
    """Each sentence that the module raises, with 7 in every blank."""
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))):
        if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call) or not node.exc.args:
            continue
        match node.exc.args[0]:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=parts):
                yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in parts)


@pytest.mark.parametrize("module", SHOWN)
def test_every_sentence_that_a_page_shows_is_there_in_english(module: str) -> None:
    found = [text for text in sentences(module) if CHINESE.search(text)]
    assert found
    for text in found:
        english = in_english(text)
        assert not CHINESE.search(re.sub(f"[{EXAMPLE}]", "", english)), text
        assert english.count("7") == text.count("7") or "7" not in text, (text, english)


def test_names_stay_and_our_own_labels_are_translated() -> None:
    with pytest.raises(Refused) as refused:
        require(Actor(name="王敏", role=Role.COLLECTOR, agent_id="A01"), Action.EXPORT)
    assert in_english(str(refused.value)).startswith("王敏 (collector) may not do this")
    assert in_english("变为“已答复”之前请先填写：结论、答复内容").endswith("fill in: conclusion, answer")


def test_what_nobody_has_translated_is_shown_as_it_is() -> None:
    assert in_english("磁盘坏了") == "磁盘坏了"
