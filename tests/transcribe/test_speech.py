"""Voice activity: speech is found where it is, in blocks of any size, and not in noise or silence."""

from __future__ import annotations

import numpy as np
import pytest

from transcribe.speech import Listener


def listen(samples, *, block=16_000):
    listener = Listener(channel=1)
    found = [s for at in range(0, len(samples), block) for s in listener.feed(samples[at : at + block])]
    return found + listener.finish()


@pytest.fixture(scope="module")
def agent(request):
    from pathlib import Path

    from transcribe.audio import blocks, examine

    opening = Path(__file__).with_name("opening.ogg")
    return np.concatenate(list(blocks(examine(opening))), axis=1)[0]


def test_finds_the_two_stretches_of_the_opening(agent):
    found = listen(agent)
    # the texts were spoken from 0.60 to 9.49 s and from 12.54 to 16.64 s
    times = [t for s in found for t in (s.spans[0][0], s.spans[-1][1])]
    assert times == pytest.approx([600, 9490, 12_541, 16_641], abs=200)
    assert all(s.channel == 1 for s in found)


def test_samples_are_those_of_the_time_that_is_claimed(agent):
    for stretch in listen(agent):
        at = stretch.start_ms * 16
        assert np.array_equal(stretch.samples[:1000], agent[at : at + 1000])


@pytest.mark.parametrize("block", [1000, 16_000, 100_000, 1_000_000])
def test_blocks_of_any_size_find_the_same(agent, block):
    whole, parts = listen(agent, block=len(agent)), listen(agent, block=block)
    assert [(s.start_ms, s.end_ms, s.voiced) for s in parts] == [(s.start_ms, s.end_ms, s.voiced) for s in whole]


def test_speech_without_a_pause_is_cut_before_whispers_window_is_full(agent):
    endless = np.concatenate([agent[10_000:150_000]] * 8)
    found = listen(endless)
    assert max(len(s.samples) for s in found) <= 25 * 16_000
    assert sum(len(s.samples) for s in found) > 0.9 * len(endless)
    ends = [s.end_ms for s in found]
    assert all(s.start_ms >= end for s, end in zip(found[1:], ends, strict=False))


def test_spans_lie_inside_their_stretch(agent):
    for stretch in listen(np.concatenate([agent] * 3)):
        times = [t for span in stretch.voiced for t in span]
        assert times == sorted(times)
        assert stretch.start_ms <= times[0] < times[-1] <= stretch.end_ms


def test_nothing_in_noise_and_silence(sounds):
    assert listen(sounds.noise(20.0, rate=16_000, level=0.05)) == []
    assert listen(np.zeros(16_000 * 20, dtype=np.float32)) == []


def test_an_empty_block_and_an_empty_recording_are_fine():
    assert listen(np.zeros(0, dtype=np.float32)) == []
