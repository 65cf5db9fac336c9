"""Speech of a call laid side by side in windows of at most 30 s, and the way back.

Whisper's cost is per window; a customer who says six words in an hour makes one short window. Channels don't share
a window: measured on the samples, Whisper drops the second voice of a mixed window more often than not.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from transcribe.audio import PER_MS, SAMPLE_RATE, Samples
from transcribe.engine import Speech, Utterance
from transcribe.model import Word

_WINDOW = 30 * SAMPLE_RATE
# Silence between two stretches, so that their words don't run together.
_GAP = 300 * PER_MS
# Cross-attention lets a word after a pause begin inside the pause: late in its time the word is surely spoken.
_SPOKEN = 0.75
_FULL_WIDTH = {",": "，", "?": "？", "!": "！"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where in a window a voiced span lies: `index` is its speech in the request, `shift_ms` leads back to the call."""

    index: int
    start_ms: int
    end_ms: int
    shift_ms: int

    def clip(self, ms: int) -> int:
        """The time of the call that belongs to a time of the window, kept inside this span."""
        return min(max(ms, self.start_ms), self.end_ms) + self.shift_ms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """Up to 30 s of sound, shape (n,), and what lies where in it."""

    samples: Samples
    placed: tuple[Placed, ...]

    @property
    def voiced_ms(self) -> int:
        """How long somebody speaks in it."""
        return sum(p.end_ms - p.start_ms for p in self.placed)

    def at(self, ms: float) -> Placed:
        """The voiced span at, or nearest to, a time of the window."""
        return min(self.placed, key=lambda p: max(p.start_ms - ms, ms - p.end_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWord:
    """A word with its times in a window, in ms, and how sure the recogniser was, 0 to 1."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


def pack(speech: Sequence[Speech]) -> list[Window]:
    """Fill windows voice by voice in the order given; a stretch longer than a window gets one of its own."""
    voices: dict[int, list[int]] = {}
    for index, one in enumerate(speech):
        voices.setdefault(one.channel, []).append(index)
    return [_lay(speech, group) for voice in voices.values() for group in _groups(speech, voice)]


def _groups(speech: Sequence[Speech], voice: Sequence[int]) -> Iterator[list[int]]:
    group: list[int] = []
    used = 0
    for index in voice:
        size = len(speech[index].samples)
        if group and used + _GAP + size > _WINDOW:
            yield group
            group, used = [], 0
        used += size + (_GAP if group else 0)
        group.append(index)
    yield group


def _lay(speech: Sequence[Speech], group: Sequence[int]) -> Window:
    silence = np.zeros(_GAP, dtype=np.float32)
    pieces: list[Samples] = []
    placed: list[Placed] = []
    at = 0
    for index in group:
        one = speech[index]
        shift = one.start_ms - at // PER_MS
        placed += [Placed(index=index, start_ms=a - shift, end_ms=b - shift, shift_ms=shift) for a, b in one.spans]
        pieces += [one.samples, silence]
        at += len(one.samples) + _GAP
    return Window(samples=np.concatenate(pieces[:-1]), placed=tuple(placed))


def unpack(window: Window, words: Sequence[HeardWord], speech: Sequence[Speech]) -> list[Utterance]:
    """Give each word to the voiced span in which it is spoken; an utterance for each span that got words."""
    shares: dict[Placed, list[HeardWord]] = {}
    for word in words:
        at = word.start_ms + _SPOKEN * (word.end_ms - word.start_ms)
        shares.setdefault(window.at(at), []).append(word)
    return [_utter(speech[placed.index], placed, share) for placed, share in shares.items()]


def _utter(speech: Speech, placed: Placed, share: Sequence[HeardWord]) -> Utterance:
    heard = "".join(word.text for word in share)
    text = _typeset(heard.lstrip(" ，。,.?!"))
    ends = [max(0, end - len(heard) + len(text)) for end in itertools.accumulate(len(word.text) for word in share)]
    words = [
        Word(
            text=text[start:end],
            start=start,
            end=end,
            start_ms=placed.clip(word.start_ms),
            end_ms=placed.clip(word.end_ms),
            confidence=word.confidence,
        )
        for word, (start, end) in zip(share, itertools.pairwise([0, *ends]), strict=True)
    ]
    return Utterance(
        text=text,
        start_ms=placed.clip(placed.start_ms),
        end_ms=placed.clip(placed.end_ms),
        words=tuple(word for word in words if word.text),
        confidence=round(sum(w.confidence for w in words) / len(words), 4),
        channel=speech.channel,
    )


def _typeset(text: str) -> str:
    """Full-width marks as Chinese has them, character for character; those between digits stay (3,500)."""
    return re.sub(r"(?<!\d)[,?!]|[,?!](?!\d)", lambda mark: _FULL_WIDTH[mark[0]], text)
