"""The player: both channels as a waveform with the findings on it, the words beside; one component.

    chosen = player(Shown(sound=…, turns=…, marks=…), key="call", selectable=True)
    if chosen is not None:
        add_violation(turn=chosen.turn, start=chosen.start, end=chosen.end, …)

Keys: space, ← → (3 s), , . (turn back, on), [ ] (slower, faster), L (loop), M (choose the turn); they work on the
whole page except where one types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from audit.listening import MIME, Sound
from dashboard.words import t
from transcribe.model import Role, Turn

Style = Literal["critical", "high", "medium", "low", "info", "unsure", "signal"]

ICONS: Mapping[Style, str] = {
    "critical": "◆",
    "high": "▲",
    "medium": "●",
    "low": "■",
    "info": "○",
    "unsure": "？",
    "signal": "♪",
}
"""Beside every colour: severity is never told by colour alone."""

_FOLDER = Path(__file__).parent
_HTML = '<div class="ca-player"></div>'
_WORDS = (
    "player", "tools", "play", "pause", "loop", "looping", "turn_back", "turn_on", "speed", "zoom", "position",
    "transcript", "hear_turn", "silent", "because", "heard_as", "reading", "clause", "state", "keys", "selected",
    "unplayable",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A finding as the player shows it: where it is in words and time, and what the reader is told of it.

    `start` = `end` where no words show it: it is then a region only, and with equal times too nowhere at all.
    """

    key: str
    turn: int
    start: int
    end: int
    start_ms: int
    end_ms: int
    style: Style
    title: str
    because: str
    clause: str = ""
    heard_as: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """Where to go when it changes: a turn, or the finding with this key."""

    turn: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """Words that the reader selected: half-open, in characters of the turn as spoken."""

    turn: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the player shows. Without `sound`, `missing` says why, and the words stand alone."""

    turns: Sequence[Turn]
    marks: Sequence[Mark]
    sound: Sound | None
    missing: str = ""
    focus: Focus | None = None


def player(shown: Shown, *, key: str, selectable: bool = False) -> Selected | None:
    """Draw the player; returns what the reader has selected last, where `selectable`.

    A run that changes nothing of what is shown does not interrupt the sound.
    """
    chosen = _component()(
        key=key,
        data={
            "sound": None if shown.sound is None else _sound(shown.sound, shown.turns, key),
            "missing": shown.missing,
            "turns": [_turn(turn, shown.marks) for turn in shown.turns],
            "hits": [_hit(mark) for mark in shown.marks],
            "focus": None if shown.focus is None else {"turn": shown.focus.turn, "key": shown.focus.key},
            "selectable": selectable,
            "words": {name: t(f"player.{name}") for name in _WORDS},
        },
        on_selection_change=_nothing,
    )
    return _selected(chosen.selection, shown.turns) if selectable else None


def parts(text: str, marks: Sequence[tuple[int, Mark]]) -> Iterator[tuple[str, str, list[int]]]:
    """The text cut where marks begin and end: piece, style of the gravest mark over it, numbers of all over it."""
    spans = [(at, mark) for at, mark in marks if 0 <= mark.start < mark.end <= len(text)]
    edges = sorted({0, len(text), *(edge for _, mark in spans for edge in (mark.start, mark.end))})
    for start, end in pairwise(edges):
        over = [(at, mark) for at, mark in spans if mark.start <= start and end <= mark.end]
        over.sort(key=lambda pair: list(ICONS).index(pair[1].style))
        yield text[start:end], over[0][1].style if over else "", [at for at, _ in over]


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "callaudit_player", html=_HTML, css=_read("player.css"), js=_javascript(), isolate_styles=False
    )


def _javascript() -> str:
    """One module: the two libraries as they were published, each in a function of its own, then the player."""
    libraries = {"WaveSurfer": "vendor/wavesurfer.cjs", "Regions": "vendor/regions.cjs"}
    wrapped = [
        f"const {name} = (() => {{ const module = {{}};\n{_read(file)}\nreturn module.exports }})();"
        for name, file in libraries.items()
    ]
    return "\n".join([*wrapped, _read("player.js")])


def _read(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _nothing() -> None:
    """A state needs a callback to be one."""


def _sound(sound: Sound, turns: Sequence[Turn], key: str) -> dict[str, Any]:
    return {
        "url": _url(sound.content, key),
        "duration": sound.duration_ms / 1000,
        "peaks": [list(lane) for lane in sound.peaks],
        "labels": [_lane(channel, turns) for channel in sound.channels],
    }


def _url(content: bytes, key: str) -> str:
    """An address that only this session's page knows, as Streamlit's own audio element makes it."""
    from streamlit.runtime import get_instance

    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    path = get_instance().media_file_mgr.add(content, MIME, f"player-{key}")
    return f"/{base}{path}" if base else path


def _lane(channel: int, turns: Sequence[Turn]) -> str:
    """Who speaks on a channel: whoever most of its turns belong to."""
    roles = Counter(turn.role for turn in turns if turn.channel == channel)
    if not roles:
        return t("player.both") if all(turn.channel is None for turn in turns) else t("player.nobody")
    if len(roles) > 1 and len({turn.channel for turn in turns}) == 1:
        return t("player.both")
    return _who(roles.most_common(1)[0][0])


def _who(role: Role) -> str:
    return t(f"player.role_{role.value}")


def _turn(turn: Turn, marks: Sequence[Mark]) -> dict[str, Any]:
    mine = [(at, mark) for at, mark in enumerate(marks) if mark.turn == turn.index]
    return {
        "n": turn.index,
        "role": turn.role.value,
        "who": _who(turn.role),
        "start": turn.start_ms / 1000,
        "end": turn.end_ms / 1000,
        "parts": [list(part) for part in parts(turn.text, mine)],
        "reading": turn.reading or "",
    }


def _hit(mark: Mark) -> dict[str, Any]:
    return {
        "key": mark.key,
        "style": mark.style,
        "icon": ICONS[mark.style],
        "label": t(f"player.style_{mark.style}"),
        "title": mark.title,
        "because": mark.because,
        "clause": mark.clause,
        "heard_as": mark.heard_as,
        "state": mark.state,
        "start": mark.start_ms / 1000,
        "end": mark.end_ms / 1000,
    }


def _selected(found: object, turns: Sequence[Turn]) -> Selected | None:
    """What the browser says is checked: it may be of a call shown before, or not from our page at all."""
    if not isinstance(found, Mapping):
        return None
    turn, start, end = (found.get(name) for name in ("turn", "start", "end"))
    text = next((one.text for one in turns if one.index == turn), "")
    if not isinstance(turn, int) or not isinstance(start, int) or not isinstance(end, int):
        return None
    if not 0 <= start < end <= len(text) or text[start:end] != found.get("text"):
        return None
    return Selected(turn=turn, start=start, end=end, text=text[start:end])
