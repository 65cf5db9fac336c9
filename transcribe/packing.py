"""Speech of many channels and calls laid side by side in 30 s windows, and the way back.

A window costs the same however little is in it; a customer who says six words would cost a window of his own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transcribe.audio import SAMPLE_RATE, Samples
from transcribe.engine import Speech, Utterance
from transcribe.model import Word

WINDOW_SECONDS = 30.0
# Silence between two stretches: keeps Whisper from running two speakers' words together.
GAP_SECONDS = 0.6
_MS = SAMPLE_RATE // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where in a window a stretch of speech lies; `index` is its place in the request."""

    index: int
    start_ms: int
    end_ms: int

    def clip(self, ms: int) -> int:
        """The time of this stretch that is nearest to `ms`."""
        return min(max(ms, self.start_ms), self.end_ms)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """Up to 30 s of sound, shape (n,), and what lies where in it."""

    samples: Samples
    placed: tuple[Placed, ...]

    def at(self, ms: float) -> Placed:
        """The stretch at, or nearest to, a time of the window."""
        return min(self.placed, key=lambda p: max(p.start_ms - ms, ms - p.end_ms))


def pack(
    speech: Sequence[Speech], *, seconds: float = WINDOW_SECONDS, gap: float = GAP_SECONDS
) -> list[Window]:
    """Fill windows in the order given: neighbours in a channel stay neighbours, which Whisper needs as context."""
    limit, between = int(seconds * SAMPLE_RATE), int(gap * SAMPLE_RATE)
    groups: list[list[int]] = []
    used = limit
    for index, one in enumerate(speech):
        used += between + len(one.samples)
        if used > limit or not groups:
            groups.append([])
            used = len(one.samples)
        groups[-1].append(index)
    return [_lay(speech, group, between) for group in groups]


def _lay(speech: Sequence[Speech], group: Sequence[int], between: int) -> Window:
    silence = np.zeros(between, dtype=np.float32)
    pieces: list[Samples] = []
    placed: list[Placed] = []
    at = 0
    for index in group:
        samples = speech[index].samples
        placed.append(Placed(index=index, start_ms=at // _MS, end_ms=(at + len(samples)) // _MS))
        pieces += [samples, silence]
        at += len(samples) + between
    return Window(samples=np.concatenate(pieces[:-1]), placed=tuple(placed))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWord:
    """A word with its times in a window, in ms, and how sure the recogniser was, 0 to 1."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


def unpack(window: Window, words: Sequence[HeardWord], speech: Sequence[Speech]) -> dict[int, Utterance]:
    """Give each word to the stretch it falls into; returns utterances by index of the request."""
    shares: dict[int, list[HeardWord]] = {}
    places = {placed.index: placed for placed in window.placed}
    for word in words:
        shares.setdefault(window.at((word.start_ms + word.end_ms) / 2).index, []).append(word)
    return {index: _utter(speech[index], places[index], share) for index, share in shares.items()}


def _utter(speech: Speech, placed: Placed, share: Sequence[HeardWord]) -> Utterance:
    text = ""
    words: list[Word] = []
    for heard in share:
        start = placed.clip(heard.start_ms) - placed.start_ms + speech.start_ms
        end = placed.clip(heard.end_ms) - placed.start_ms + speech.start_ms
        words.append(
            Word(
                text=heard.text,
                start=len(text),
                end=len(text) + len(heard.text),
                start_ms=start,
                end_ms=end,
                confidence=heard.confidence,
            )
        )
        text += heard.text
    return Utterance(
        text=text,
        start_ms=speech.start_ms,
        end_ms=speech.end_ms,
        words=tuple(words),
        confidence=round(sum(w.confidence for w in words) / len(words), 4),
        channel=speech.channel,
        call=speech.call,
    )
