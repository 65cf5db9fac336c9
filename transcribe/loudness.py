"""How loud each turn is: the level of its voice, on its channel, within its span.

Turns come into being when the sound is gone, so the power of every frame of voice is kept meanwhile: 25 kB a minute of
talk. Pauses, ringing and the line's noise never count, since no voice is found in them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from transcribe.audio import PER_MS
from transcribe.engine import Speech
from transcribe.model import LEVELS_DB, Turn
from transcribe.speech import FRAME

_FRAME_MS = FRAME // PER_MS

Frames = tuple[NDArray[np.int64], NDArray[np.float32]]
"""When each frame of voice begins, in ms of the recording, and its mean square."""


class Loudness:
    """The power of a recording's voices: `note` all speech, of each channel in order, then ask for levels."""

    def __init__(self) -> None:
        self._frames: dict[int, list[Frames]] = defaultdict(list)

    def note(self, speech: Speech) -> None:
        """Keep the power of what is voiced in a speech; its samples are not held."""
        self._frames[speech.channel] += [_frames(speech, *span) for span in speech.spans]

    def with_levels(self, turns: Iterable[Turn]) -> tuple[Turn, ...]:
        """The same turns with `level_db`; None stays where a turn has no channel or no frame of voice."""
        heard = {channel: _joined(frames) for channel, frames in self._frames.items()}
        return tuple(
            replace(turn, level_db=_level(heard[turn.channel], turn.start_ms, turn.end_ms))
            if turn.channel in heard else turn
            for turn in turns
        )  # fmt: skip


def _frames(speech: Speech, start_ms: int, end_ms: int) -> Frames:
    sound = speech.sound(start_ms, end_ms)
    rows = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    return start_ms + _FRAME_MS * np.arange(len(rows)), np.einsum("fn,fn->f", rows, rows) / FRAME


def _joined(parts: Iterable[Frames]) -> Frames:
    times, powers = zip(*parts, strict=True)
    return np.concatenate(times), np.concatenate(powers)


def _level(frames: Frames, start_ms: int, end_ms: int) -> float | None:
    """RMS of the frames that begin within a span, in dBFS, where a full-scale sine has -3.0."""
    times, powers = frames
    first, last = np.searchsorted(times, (start_ms, end_ms))
    if first == last:
        return None
    power = float(powers[first:last].mean())
    low, high = LEVELS_DB
    return round(min(high, 10 * math.log10(max(power, 10 ** (low / 10)))), 1)
