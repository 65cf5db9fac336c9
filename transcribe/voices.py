"""Two voices on one channel, told apart by how they sound: pitch and the finer colour of the spectrum.

No model: what an utterance sounds like is nine numbers, and the utterances of a call fall into two groups. Which
group is the agent, words must tell (`roles.py`); where both people sound alike the groups mean nothing, and words
won't agree with them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transcribe.audio import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from transcribe.engine import Speech, Utterance

Floats = NDArray[np.float64]

_FRAME, _HOP, _BINS = 1024, 256, 2048  # 64 ms, every 16 ms: three periods of the lowest voice
_LOWEST_HZ, _HIGHEST_HZ = 70, 400
_LINE_HZ = (120.0, 3600.0)  # what a telephone passes
_BANDS = 24
# Cepstral coefficients: the first four tell vowels and the line, the next ones the speaker.
_COLOUR = range(5, 13)
# Spread within one speaker from utterance to utterance, over the 20 open recordings of the corpus mixed to mono:
# octaves of pitch, then each coefficient.
_SPREAD = np.array([0.12, 0.49, 0.51, 0.51, 0.54, 0.60, 0.57, 0.53, 0.53])
_PERIODIC = 0.5  # of the frame repeats: a vowel
_QUIET = 10**-2.5  # of the loudest frame's power
_FEWEST_FRAMES = 5
_MOST_MS = 8000  # of an utterance: longer ones are sure enough, and memory stays flat
_FEWEST_UTTERANCES = 4

# Log odds per unit of squared distance, half of it for an utterance with 30 frames of vowel, and at most 3.
_TRUST, _HALF_TRUSTED_FRAMES, _MOST_ODDS = 0.15, 30, 3.0
_STARTS, _ROUNDS = 8, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How an utterance sounds, in spreads of one speaker, and over how many frames with a vowel."""

    sound: tuple[float, ...]
    frames: int


def hear_voices(utterances: Sequence[Utterance], speech: Sequence[Speech]) -> list[Utterance]:
    """The same utterances with `voice`, from the speech that they were heard in."""
    return [replace(one, voice=_voice_of(one, speech)) for one in utterances]


def _voice_of(heard: Utterance, speech: Sequence[Speech]) -> Voice | None:
    whole = next((one for one in speech if one.holds(heard)), None)
    if whole is None:
        return None
    return voice(whole.sound(heard.start_ms, min(heard.end_ms, heard.start_ms + _MOST_MS)))


def voice(samples: Samples) -> Voice | None:
    """How a stretch of sound at 16 kHz, shape (n,), sounds; None where there are too few vowels to tell."""
    if len(samples) < _FRAME:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP] * np.hanning(_FRAME)
    power = np.abs(np.fft.rfft(frames, _BINS)) ** 2
    octaves, vowel = _pitch(power)
    if vowel.sum() < _FEWEST_FRAMES:
        return None
    bands, cosines = _filters()
    colour = (np.log(power[vowel] @ bands + 1e-7) @ cosines).mean(axis=0)
    sound = np.concatenate([[np.median(octaves[vowel])], colour]) / _SPREAD
    return Voice(sound=tuple(float(x) for x in sound), frames=int(vowel.sum()))


def _pitch(power: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Pitch of each frame in octaves, and whether it is a vowel, from the peak of its autocorrelation."""
    echoes = np.fft.irfft(power)[:, :_FRAME]
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_FRAME), _BINS)) ** 2)[:_FRAME]
    first, last = SAMPLE_RATE // _HIGHEST_HZ, SAMPLE_RATE // _LOWEST_HZ
    likeness = (echoes / np.maximum(echoes[:, :1], 1e-9) / (window / window[0]))[:, first:last]
    best = likeness.max(axis=1)
    # The first peak nearly as high as the highest: two periods are as alike as one.
    peaks = (likeness[:, 1:-1] > likeness[:, :-2]) & (likeness[:, 1:-1] >= likeness[:, 2:])
    peaks &= likeness[:, 1:-1] > 0.87 * best[:, None]
    lags = first + np.where(peaks.any(axis=1), peaks.argmax(axis=1) + 1, likeness.argmax(axis=1))
    loud = echoes[:, 0] > _QUIET * echoes[:, 0].max()
    return np.log2(SAMPLE_RATE / lags), (best > _PERIODIC) & loud


@cache
def _filters() -> tuple[Floats, Floats]:
    """Mel bands as (bins, bands), and the cosines that make coefficients of them, (bands, coefficients)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in _LINE_HZ)
    edges = 700 * (10 ** (np.linspace(low, high, _BANDS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(_BINS, 1 / SAMPLE_RATE)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    angles = np.pi * (np.arange(_BANDS)[:, None] + 0.5) * np.array(_COLOUR) / _BANDS
    return np.maximum(0, np.minimum(rising, falling)), np.cos(angles) * np.sqrt(2 / _BANDS)


def tell_apart(voices: Sequence[Voice | None]) -> list[float]:
    """Log odds of each that it is the first of two voices, 0 where nothing is known; which is first means nothing."""
    known = [one for one in voices if one is not None]
    if len(known) < _FEWEST_UTTERANCES:
        return [0.0] * len(voices)
    sounds, frames = np.array([one.sound for one in known]), np.array([one.frames for one in known])
    distance = _distances(sounds, _two_means(sounds, frames))
    trust = _TRUST * frames / (frames + _HALF_TRUSTED_FRAMES)
    odds = iter(np.clip(trust * (distance[:, 1] - distance[:, 0]), -_MOST_ODDS, _MOST_ODDS))
    return [0.0 if one is None else float(next(odds)) for one in voices]


def _two_means(sounds: Floats, frames: NDArray[np.int64]) -> Floats:
    """Centres of two groups, shape (2, n): the best that any two of the longest utterances lead to."""
    weights = np.minimum(frames, 120)
    longest = np.argsort(-weights, kind="stable")[:_STARTS]
    found = [_settle(sounds[[a, b]], sounds, weights) for a, b in itertools.combinations(longest, 2)]
    return min(found, key=lambda centres: float(weights @ _distances(sounds, centres).min(axis=1)))


def _settle(centres: Floats, sounds: Floats, weights: NDArray[np.int64]) -> Floats:
    for _ in range(_ROUNDS):
        nearest = _distances(sounds, centres).argmin(axis=1)
        if len(set(nearest)) < 2:
            break
        moved = np.stack([np.average(sounds[nearest == i], axis=0, weights=weights[nearest == i]) for i in (0, 1)])
        if np.allclose(moved, centres):
            break
        centres = moved
    return centres


def _distances(sounds: Floats, centres: Floats) -> Floats:
    """Squared distances, shape (utterances, 2)."""
    return np.asarray(((sounds[:, None] - centres) ** 2).sum(axis=2))
