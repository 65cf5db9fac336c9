"""Sound that leaves the store: compressed as Ogg/Opus, and with a tone where personal data was spoken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from transcribe.audio import SAMPLE_RATE

TONE_HZ = 1_000
# As loud as speech on a telephone line, and no louder: it is listened to with headphones.
_TONE_LEVEL = 0.08
_LAYOUTS = {1: "mono", 2: "stereo"}

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open stretch of a recording in ms."""

    start_ms: int
    end_ms: int


def beeped(blocks: Iterable[Samples], beeps: Sequence[Window]) -> Iterator[Samples]:
    """The same blocks, shape (channels, n) at 16 kHz from the start of the recording, with a tone in every channel
    where `beeps` are: on a telephone line either side carries an echo of the other.
    """
    position = 0
    for block in blocks:
        end = position + block.shape[1]
        stretches = [(max(at(w.start_ms), position), min(at(w.end_ms), end)) for w in beeps]
        covered = [(first, last) for first, last in stretches if first < last]
        sounding = block.copy() if covered else block
        for first, last in covered:
            sounding[:, first - position : last - position] = _tone(first, last)
        yield sounding
        position = end


def write_opus(
    blocks: Iterable[Samples], file: BinaryIO, *, channels: int, bit_rate: int, options: Mapping[str, str]
) -> None:
    """Blocks of float32, shape (channels, n) at 16 kHz, as Ogg/Opus. The same samples give the same bytes."""
    import av

    # Without bitexact the muxer draws a random stream number, and no two files would be equal.
    with av.open(file, mode="w", format="ogg", container_options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream("libopus", rate=SAMPLE_RATE, layout=_LAYOUTS[channels])
        stream.bit_rate = bit_rate
        stream.options = dict(options)
        for frame in _frames(blocks, channels):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def at(ms: int) -> int:
    """The sample at a moment."""
    return ms * SAMPLE_RATE // 1000


def _tone(first: int, last: int) -> Samples:
    turns = (np.arange(first, last) * (TONE_HZ / SAMPLE_RATE)).astype(np.float32)
    tone: Samples = np.float32(_TONE_LEVEL) * np.sin(np.float32(2 * np.pi) * (turns % 1))
    return tone


def _frames(blocks: Iterable[Samples], channels: int) -> Iterator[Any]:
    from av import AudioFrame

    position = 0
    for block in blocks:
        if not block.shape[1]:  # a window past the end; the encoder takes no empty frame
            continue
        loud = np.clip(block * 32767, -32768, 32767).astype(np.int16)
        packed = np.ascontiguousarray(loud.T).reshape(1, -1)
        frame = AudioFrame.from_ndarray(packed, format="s16", layout=_LAYOUTS[channels])
        frame.sample_rate = SAMPLE_RATE
        frame.pts = position
        position += block.shape[1]
        yield frame
