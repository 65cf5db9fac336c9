"""Voice activity per channel, block by block: Silero, as shipped in faster-whisper, run directly by onnxruntime.

The model's state is carried from block to block, so an hour of call needs no more memory than a minute.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from transcribe.audio import SAMPLE_RATE, Samples
from transcribe.engine import Speech
from transcribe.errors import EngineMissing

FRAME = 512
"""Samples per probability: 32 ms at 16 kHz, given by the model."""

_CONTEXT = 64
_ENTER, _LEAVE = 0.5, 0.35
_FRAMES_PER_SECOND = SAMPLE_RATE / FRAME
# Silence that ends a stretch. Measured on the samples with base: CER 0.15 with 1 s and 0.4 s of padding, 0.22 with
# 0.5 s and 0.2 s; Whisper wants the pauses as they were.
_PAUSE = round(1.0 * _FRAMES_PER_SECOND)
_PAD = round(0.4 * _FRAMES_PER_SECOND)
# A pause inside a stretch, at which the other one may take the word: people answer after a quarter of a second.
_BREATH = round(0.25 * _FRAMES_PER_SECOND)
_SHORTEST = round(0.1 * _FRAMES_PER_SECOND)
# Below Whisper's 30 s window, so that one stretch always fits into one window.
_LONGEST = round(24 * _FRAMES_PER_SECOND)


class Listener:
    """Finds the speech of one channel: `feed` blocks in order, then `finish`. A stretch is 24 s at most."""

    def __init__(self, *, channel: int = 0) -> None:
        self._channel = channel
        self._state = np.zeros((2, 1, 1, 128), dtype=np.float32)
        self._before = np.zeros(_CONTEXT, dtype=np.float32)
        self._rest = np.zeros(0, dtype=np.float32)
        self._audio = np.zeros(0, dtype=np.float32)
        self._base = 0  # frame at which _audio starts
        self._scores: list[float] = []  # of the frames since the open stretch began
        self._voiced: list[tuple[int, int]] = []  # frames, of the open stretch
        self._open: int | None = None
        self._quiet = 0
        self._now = 0
        self._done = 0  # frame up to which speech was handed out

    def feed(self, samples: Samples) -> list[Speech]:
        """Return the speech that ended within these samples, shape (n,), 16 kHz."""
        self._rest = np.concatenate([self._rest, samples])
        whole = len(self._rest) // FRAME * FRAME
        frames, self._rest = self._rest[:whole], self._rest[whole:]
        if not whole:
            return []
        self._audio = np.concatenate([self._audio, frames])
        found = [s for score in self._probabilities(frames) for s in self._step(float(score))]
        self._forget()
        return found

    def finish(self) -> list[Speech]:
        """Return what is still open at the end of the recording."""
        found = self.feed(np.zeros(FRAME - len(self._rest) % FRAME, dtype=np.float32))
        if self._open is not None:
            found += self._close(self._now - self._quiet)
        return found

    def _probabilities(self, samples: Samples) -> Samples:
        rows = samples.reshape(-1, FRAME)
        heads = np.concatenate([self._before[None], rows[:-1, -_CONTEXT:]])
        self._before = rows[-1, -_CONTEXT:].copy()
        given = {"input": np.concatenate([heads, rows], axis=1), "h": self._state[0], "c": self._state[1]}
        scores, hidden, cell = _model().run(None, given)
        self._state = np.stack([hidden, cell])
        return np.asarray(scores, dtype=np.float32).reshape(-1)

    def _step(self, score: float) -> list[Speech]:
        self._now += 1
        if score >= _ENTER:
            self._voice()
        if self._open is None:
            if score >= _ENTER:
                self._open, self._quiet, self._scores = self._now - 1, 0, [score]
            return []
        self._scores.append(score)
        self._quiet = 0 if score >= _ENTER else self._quiet + 1 if score < _LEAVE or self._quiet else 0
        if self._quiet >= _PAUSE:
            return self._close(self._now - self._quiet)
        return self._split() if len(self._scores) >= _LONGEST else []

    def _voice(self) -> None:
        """Note a frame of voice: part of the last voiced span, or after a breath the start of the next."""
        if self._voiced and self._now - self._voiced[-1][1] <= _BREATH:
            self._voiced[-1] = (self._voiced[-1][0], self._now)
        else:
            self._voiced.append((self._now - 1, self._now))

    def _split(self) -> list[Speech]:
        """Cut a speech without pauses where Silero is least sure, in its second half."""
        assert self._open is not None
        half = len(self._scores) // 2
        cut = half + int(np.argmin(self._scores[half:]))
        rest = self._scores[cut:]
        start = self._open
        self._cut_voice(start + cut)
        found = self._hand_out(start, start + cut)
        self._open, self._scores, self._quiet = start + cut, rest, min(self._quiet, len(rest))
        return found

    def _cut_voice(self, at: int) -> None:
        """Let no voiced span reach over a cut."""
        self._voiced = [
            piece
            for a, b in self._voiced
            for piece in (((a, at), (at, b)) if a < at < b else ((a, b),))
        ]

    def _close(self, end: int) -> list[Speech]:
        assert self._open is not None
        start, self._open = self._open, None
        if end - start < _SHORTEST:
            self._voiced = []
            return []
        return self._hand_out(start - _PAD, end + _PAD)

    def _hand_out(self, start: int, end: int) -> list[Speech]:
        start, end = max(start, self._done), min(end, self._now)
        self._done = end
        at = (start - self._base) * FRAME
        voiced = tuple((_ms(a), _ms(b)) for a, b in self._voiced if start <= a < end)
        self._voiced = [span for span in self._voiced if span[0] >= end]
        return [
            Speech(
                samples=self._audio[at : at + (end - start) * FRAME].copy(),
                start_ms=_ms(start),
                voiced=voiced,
                channel=self._channel,
            )
        ]

    def _forget(self) -> None:
        keep_from = max(self._base, (self._now if self._open is None else self._open) - _PAD)
        self._audio = self._audio[(keep_from - self._base) * FRAME :].copy()
        self._base = keep_from


def _ms(frame: int) -> int:
    return frame * FRAME * 1000 // SAMPLE_RATE


@cache
def _model() -> Any:
    """Load Silero without importing faster_whisper, which costs a second and is another module's right."""
    spec = find_spec("faster_whisper")
    if spec is None or not spec.submodule_search_locations:
        raise EngineMissing("没有安装 faster-whisper，缺少语音检测模型；请运行 pip install faster-whisper")
    asset = Path(next(iter(spec.submodule_search_locations))) / "assets" / "silero_vad_v6.onnx"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(asset), options, providers=["CPUExecutionProvider"])
