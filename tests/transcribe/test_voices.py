"""Two voices on one channel are told apart by sound; what has no voice, or too little, says nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.audio import blocks, examine
from transcribe.engine import Speech, Utterance
from transcribe.voices import Voice, hear_voices, tell_apart, voice

CORPUS = Path(__file__).parents[1] / "corpus" / "sound"
PER_OCTAVE = 1 / 0.12  # pitch is counted in spreads of one speaker


def vowel(hertz, *, seconds=0.5):
    """A buzz of that pitch: harmonics that fall by 6 dB an octave, as those of a throat."""
    times = np.arange(int(seconds * 16_000)) / 16_000
    waves = [np.sin(2 * np.pi * hertz * n * times) / n for n in range(1, int(3600 / hertz))]
    return (0.1 * np.sum(waves, axis=0)).astype(np.float32)


@pytest.mark.parametrize("hertz", [85, 120, 210, 330])
def test_pitch_is_heard_without_slips_of_an_octave(hertz):
    heard = voice(vowel(hertz))
    assert heard is not None
    assert heard.sound[0] / PER_OCTAVE == pytest.approx(np.log2(hertz), abs=0.03)


def test_silence_noise_and_a_click_have_no_voice(sounds):
    assert voice(np.zeros(16_000, dtype=np.float32)) is None
    assert voice(sounds.noise(1.0, rate=16_000)) is None
    assert voice(vowel(120, seconds=0.05)) is None


@pytest.mark.parametrize("call_id", ["o-0192", "o-0230", "o-0214"])
def test_turns_of_a_call_mixed_to_one_channel_fall_into_its_two_speakers(call_id):
    """A noisy, a poor and a clean line, three pairs of voices; 0.97 to 1.0 of the time when this was written."""
    call = next(one for one in json.loads((CORPUS / "index.json").read_text()) if one["call_id"] == call_id)
    mixed = np.concatenate(list(blocks(examine(CORPUS / call["file"]))), axis=1).sum(axis=0)
    odds = tell_apart([voice(mixed[t["start_ms"] * 16 : t["end_ms"] * 16]) for t in call["turns"]])
    lengths = np.array([t["end_ms"] - t["start_ms"] for t in call["turns"]])
    first = np.array([(odd > 0) == (t["role"] == "agent") for odd, t in zip(odds, call["turns"], strict=True)])
    share = lengths[first].sum() / lengths.sum()
    assert max(share, 1 - share) > 0.9


def test_a_longer_utterance_is_trusted_more():
    lone = [Voice(sound=(PER_OCTAVE * pitch,) + (0.0,) * 8, frames=n) for pitch, n in ((7.0, 9), (7.0, 99), (8.0, 9), (8.0, 99))]
    short, long, *_ = tell_apart(lone)
    assert 0 < abs(short) < abs(long) <= 3


def test_three_utterances_are_too_few_and_one_without_voice_says_nothing():
    known = [Voice(sound=(PER_OCTAVE * pitch,) + (0.0,) * 8, frames=50) for pitch in (7.0, 8.0, 7.0, 8.0)]
    assert tell_apart(known[:3]) == [0.0] * 3
    assert tell_apart([*known, None])[-1] == 0.0


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(5, 300)), min_size=4, max_size=12))
def test_any_voices_have_odds_of_at_most_three(given_voices):
    odds = tell_apart([Voice(sound=(x,) * 9, frames=n) for x, n in given_voices])
    assert all(abs(odd) <= 3 for odd in odds)


def test_an_utterance_gets_the_voice_of_its_own_time():
    speech = Speech(samples=np.concatenate([vowel(120), vowel(240)]), start_ms=5000)
    low, high, gone = hear_voices(
        [Utterance(text="喂", start_ms=a, end_ms=b) for a, b in ((5000, 5500), (5500, 6000), (60_000, 61_000))], [speech]
    )
    assert low.voice.sound[0] + PER_OCTAVE == pytest.approx(high.voice.sound[0], abs=0.5)
    assert gone.voice is None
