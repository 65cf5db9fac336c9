"""Fake stereo and silent channels are found and said."""

from __future__ import annotations

import numpy as np
import pytest

from transcribe.audio import blocks, examine


@pytest.mark.parametrize("gain", [1.0, 0.5, -1.0])
@pytest.mark.parametrize("codec", ["alaw", "opus"])
def test_the_same_signal_twice_is_mono_even_with_gain_and_noise(sounds, gain, codec):
    left = sounds.speech()[0, ::2]
    right = gain * left + sounds.noise(len(left) / 8000, level=0.002)[: len(left)]
    recording = examine(sounds.save(f"fake.{'wav' if codec == 'alaw' else 'opus'}", left, right, codec=codec))
    assert recording.fake_stereo
    assert recording.notes == ("假立体声：左右声道是同一信号，按单声道处理",)
    assert next(blocks(recording)).shape[0] == 1


def test_polarity_does_not_cancel_a_fake_stereo_call(sounds):
    left = sounds.speech()[0, ::2]
    mono = np.concatenate(list(blocks(examine(sounds.save("fake.wav", left, -left)))), axis=1)
    assert np.abs(mono).max() > 0.5 * np.abs(left).max()


def test_two_talkers_with_echo_are_no_fake_stereo(sounds):
    agent, customer = sounds.speech()[:, ::2]
    recording = examine(sounds.save("call.wav", agent + 0.2 * customer, customer + 0.2 * agent))
    assert not recording.fake_stereo
    assert recording.sources == (0, 1)
    assert recording.notes == ()


@pytest.mark.parametrize(("silent", "said"), [(0, "左声道没有声音"), (1, "右声道没有声音")])
def test_a_silent_channel_is_said_and_not_heard(sounds, silent, said):
    channels = [sounds.tone(2.0), sounds.tone(2.0)]
    channels[silent] = sounds.noise(2.0, level=0.0003)
    recording = examine(sounds.save("call.wav", *channels))
    assert recording.notes == (said,)
    assert recording.sources == (1 - silent,)
    assert next(blocks(recording)).shape[0] == 1


def test_one_word_in_a_long_silence_is_no_silent_channel(sounds):
    quiet = np.zeros(8000 * 600, dtype=np.float32)
    quiet[80_000:88_000] = sounds.tone(1.0, level=0.05)
    recording = examine(sounds.save("call.wav", sounds.noise(600.0, level=0.05), quiet))
    assert recording.sources == (0, 1)
