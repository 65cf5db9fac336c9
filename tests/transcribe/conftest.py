"""Recordings made while the tests run, in every format that a telephone system exports."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from transcribe.audio import blocks, examine

Signal = NDArray[np.float32]
OPENING = Path(__file__).with_name("opening.ogg")
"""17 s of stereo speech cut from our own samples: the agent's opening, two questions, the customer's answers."""

# how we call a format → (suffix, encoder, sample format)
ENCODERS = {
    "pcm": (".wav", "pcm_s16le", "s16"),
    "alaw": (".wav", "pcm_alaw", "s16"),
    "mulaw": (".wav", "pcm_mulaw", "s16"),
    "mp3": (".mp3", "libmp3lame", "s16p"),
    "m4a": (".m4a", "aac", "fltp"),
    "amr": (".amr", "libopencore_amrnb", "s16"),
    "opus": (".opus", "libopus", "s16"),
    "ogg": (".ogg", "libopus", "s16"),
    "flac": (".flac", "flac", "s16"),
}


class Sounds:
    """Makes signals of shape (n,) and writes recordings into the test's folder."""

    opening = OPENING

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tone(self, seconds: float, *, rate: int = 8000, hertz: float = 440.0, level: float = 0.3) -> Signal:
        """A sine."""
        return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)

    def noise(self, seconds: float, *, rate: int = 8000, level: float = 0.1, seed: int = 0) -> Signal:
        """White noise, the same for the same seed."""
        return (level * np.random.default_rng(seed).standard_normal(int(seconds * rate))).astype(np.float32)

    def save(self, name: str, *channels: Signal, rate: int = 8000, codec: str = "pcm") -> Path:
        """Write channels of one length, -1 to 1, and return the file."""
        return encode(self.folder / name, np.stack(channels), rate=rate, codec=codec)

    def speech(self) -> Signal:
        """The opening's two channels at 16 kHz, shape (2, n)."""
        return np.concatenate(list(blocks(examine(OPENING))), axis=1)


@pytest.fixture
def sounds(tmp_path: Path) -> Sounds:
    return Sounds(tmp_path)


def encode(path: Path, samples: Signal, *, rate: int, codec: str = "pcm") -> Path:
    """Write samples of shape (channels, n) with one of `ENCODERS`."""
    _, encoder, sample_format = ENCODERS[codec]
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
    whole = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(whole.T.reshape(1, -1).copy(), format="s16", layout=layout)
    frame.rate = rate
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=rate)
        stream.layout = layout
        stream.format = sample_format
        resampler = av.AudioResampler(format=sample_format, layout=layout, rate=rate, frame_size=stream.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path
