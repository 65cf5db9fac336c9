"""Speech packed into windows comes back where it was said."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transcribe.engine import Speech
from transcribe.faster_whisper import _stacked
from transcribe.packing import HeardWord, pack, unpack


def speech(start_ms, length_ms, *, channel=0, voiced=()):
    samples = np.full(length_ms * 16, 0.1, dtype=np.float32)
    return Speech(samples=samples, start_ms=start_ms, channel=channel, voiced=voiced)


def heard(text, start_ms, end_ms):
    return HeardWord(text=text, start_ms=start_ms, end_ms=end_ms, confidence=0.5)


def test_short_stretches_of_one_voice_share_a_window_with_silence_between():
    (window,) = pack([speech(1000, 2000), speech(60_000, 3000)])
    assert [(p.start_ms, p.end_ms) for p in window.placed] == [(0, 2000), (2300, 5300)]
    assert not window.samples[2000 * 16 : 2300 * 16].any()


def test_voices_never_share_a_window():
    request = [speech(0, 1000), speech(0, 1000, channel=1), speech(5000, 1000)]
    assert [[p.index for p in w.placed] for w in pack(request)] == [[0, 2], [1]]


def test_words_go_to_the_span_in_which_they_are_spoken():
    request = [speech(1000, 2000), speech(60_000, 2000, voiced=((60_100, 60_800), (61_200, 61_900)))]
    (window,) = pack(request)
    words = [heard("您", 100, 400), heard("好", 400, 2100), heard("请", 2100, 2900), heard("问", 2900, 4000)]
    utterances = unpack(window, words, request)
    assert [(u.text, u.start_ms, u.end_ms) for u in utterances] == [
        ("您好", 1000, 3000),
        ("请", 60_100, 60_800),
        ("问", 61_200, 61_900),
    ]
    assert [(w.start_ms, w.end_ms) for w in utterances[0].words] == [(1100, 1400), (1400, 3000)]


def test_a_mark_at_the_start_of_an_utterance_is_dropped():
    request = [speech(0, 1000)]
    (window,) = pack(request)
    (utterance,) = unpack(window, [heard(",", 0, 40), heard("好", 40, 500)], request)
    assert (utterance.text, [w.text for w in utterance.words]) == ("好", ["好"])


@given(st.lists(st.tuples(st.integers(100, 24_000), st.integers(0, 1)), min_size=1, max_size=15))
def test_every_stretch_is_in_one_window_of_at_most_30_seconds(given_speech):
    request = [speech(i * 30_000, length, channel=ch) for i, (length, ch) in enumerate(given_speech)]
    windows = pack(request)
    assert sorted(p.index for w in windows for p in w.placed) == list(range(len(request)))
    assert all(len(w.samples) <= 30 * 16_000 for w in windows)
    for window in windows:
        for placed in window.placed:
            assert placed.clip(placed.start_ms) == request[placed.index].start_ms
            assert placed.clip(placed.end_ms) == request[placed.index].end_ms


def test_an_hour_of_windows_comes_in_few_lengths_each_with_a_silent_end():
    """For each length that it meets the encoder keeps a megabyte."""
    lengths = set()
    for frames in range(10, 3001, 10):
        (stacked,) = _stacked([np.ones((80, frames), dtype=np.float32)])
        assert stacked.sum() == 80 * frames
        assert 200 <= stacked.shape[1] - frames <= 400 or stacked.shape[1] == 3000
        lengths.add(stacked.shape[1])
    assert len(lengths) <= 15
