"""What the player hands to the browser: marks in pieces of text, checked selections, the libraries as published."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dashboard.player as player_module
from dashboard.player import ICONS, Mark, Selected, Style, _javascript, _lane, _selected, parts
from transcribe.model import Role, Turn

FOLDER = Path(player_module.__file__).parent


def mark(start: int, end: int, style: Style = "high") -> Mark:
    return Mark(
        key=f"{start}-{end}", turn=0, start=start, end=end, start_ms=0, end_ms=0, style=style, title="", because=""
    )


def turn(text: str, *, index: int = 0, role: Role = Role.AGENT, channel: int | None = 0) -> Turn:
    return Turn(index=index, role=role, channel=channel, start_ms=0, end_ms=1, text=text)


def test_the_libraries_are_those_that_the_note_names() -> None:
    note = (FOLDER / "README.md").read_text("utf-8")
    named = dict(reversed(line.split()) for line in re.findall(r"[0-9a-f]{64}  \S+", note))
    assert set(named) == {f"vendor/{file.name}" for file in (FOLDER / "vendor").iterdir()}
    for name, digest in named.items():
        assert sha256((FOLDER / name).read_bytes()).hexdigest() == digest


def test_nothing_in_the_player_makes_markup_of_text_or_fetches_from_elsewhere() -> None:
    ours = (FOLDER / "player.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", ours)
    assert not re.search(r"https?://|import\s*\(|@import|url\(", ours + (FOLDER / "player.css").read_text("utf-8"))


def test_libraries_stand_before_the_player_in_one_module() -> None:
    module = _javascript()
    assert module.index("const WaveSurfer") < module.index("const Regions") < module.index("export default")
    assert module.count("export default") == 1


def test_where_marks_overlap_the_gravest_gives_the_style_and_all_are_named() -> None:
    marks = [(0, mark(0, 4, "low")), (1, mark(2, 6, "critical"))]
    assert list(parts("一二三四五六七", marks)) == [
        ("一二", "low", [0]), ("三四", "critical", [1, 0]), ("五六", "critical", [1]), ("七", "", []),
    ]  # fmt: skip


SPANS = st.lists(st.tuples(st.integers(-3, 12), st.integers(-3, 12), st.sampled_from(list(ICONS))), max_size=6)


@given(st.text(max_size=10), SPANS)
def test_pieces_join_to_the_text(text: str, spans: list[tuple[int, int, Style]]) -> None:
    marks = [(at, mark(*span)) for at, span in enumerate(spans)]
    assert "".join(piece for piece, _, _ in parts(text, marks)) == text


def test_a_selection_of_what_stands_there_is_taken() -> None:
    found = {"turn": 3, "start": 1, "end": 3, "text": "😀二"}
    assert _selected(found, [turn("一😀二三", index=3)]) == Selected(turn=3, start=1, end=3, text="😀二")


@pytest.mark.parametrize(
    "found",
    [
        None,
        "x",
        {"turn": 3},
        {"turn": 9, "start": 0, "end": 1, "text": "一"},
        {"turn": 3, "start": 2, "end": 2, "text": ""},
        {"turn": 3, "start": -1, "end": 2, "text": "一二"},
        {"turn": 3, "start": 0, "end": 99, "text": "一二三四"},
        {"turn": 3, "start": "0", "end": 1, "text": "一"},
        {"turn": 3, "start": 0, "end": 2, "text": "别的"},
    ],
)
def test_a_selection_that_does_not_fit_the_words_is_none(found: object) -> None:
    assert _selected(found, [turn("一二三四", index=3)]) is None


def test_a_lane_is_named_after_who_speaks_on_it() -> None:
    turns = [turn("一", role=Role.AGENT, channel=0), turn("二", index=1, role=Role.CUSTOMER, channel=1)]
    assert [_lane(channel, turns) for channel in (0, 1, 2)] == ["坐席", "客户", "—"]
    one_channel = [turn("一", role=Role.AGENT), turn("二", index=1, role=Role.CUSTOMER)]
    assert _lane(0, one_channel) == "双方"
