"""Playable copies of recordings: what they sound like, who may read them, how they are kept and let go."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from audit.clips import ClipUnavailable, cut
from audit.listening import MOST_PEAKS, Listening
from audit.sound import TONE_HZ, Window, beeped
from transcribe.audio import SAMPLE_RATE, blocks, examine, fingerprint

SPEECH_HZ = 300


def write_call(path: Path, *, seconds: float = 4.0, silent_first: float = 1.0) -> Path:
    """Two voices at 8 kHz: the left begins after `silent_first` seconds, the right is half as loud all along."""
    moments = np.arange(int(seconds * 8000)) / 8000
    left = np.where(moments < silent_first, 0, 0.5) * np.sin(2 * np.pi * SPEECH_HZ * moments)
    right = 0.25 * np.sin(2 * np.pi * 440 * moments)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((np.stack([left, right], axis=1) * 32767).astype("<i2").tobytes())
    return path


def heard(path: Path) -> np.ndarray:
    return np.concatenate(list(blocks(examine(path))), axis=1)


def loudest_hz(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples))


@pytest.fixture
def call(tmp_path: Path) -> Path:
    return write_call(tmp_path / "call.wav")


@pytest.fixture
def listening(tmp_path: Path) -> Listening:
    return Listening(folder=tmp_path / "sound")


def test_a_copy_holds_both_channels_and_the_whole_call(call: Path, listening: Listening) -> None:
    sound = listening.sound(call, fingerprint(call))

    copy = heard(sound.file)
    assert sound.channels == (0, 1)
    assert sound.duration_ms == 4000
    assert copy.shape[0] == 2
    assert abs(copy.shape[1] / SAMPLE_RATE - 4.0) < 0.1
    assert loudest_hz(copy[0, 2 * SAMPLE_RATE : 3 * SAMPLE_RATE]) == pytest.approx(SPEECH_HZ, abs=5)


def test_peaks_show_when_each_side_speaks_and_how_loud_beside_the_other(call: Path, listening: Listening) -> None:
    left, right = listening.sound(call, fingerprint(call)).peaks

    assert len(left) == len(right) == 100
    assert max(left[:24]) == 0
    assert min(left[26:]) > 95
    assert all(45 <= peak <= 55 for peak in right)


def test_a_long_call_has_a_bounded_number_of_peaks(tmp_path: Path, listening: Listening) -> None:
    call = write_call(tmp_path / "long.wav", seconds=1000)
    assert all(len(lane) <= MOST_PEAKS for lane in listening.sound(call, fingerprint(call)).peaks)


def test_copies_are_for_their_owner_alone(call: Path, listening: Listening) -> None:
    listening.sound(call, fingerprint(call))

    assert listening.folder.stat().st_mode & 0o777 == 0o700
    files = list(listening.folder.iterdir())
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)


def test_the_second_time_nothing_is_made(call: Path, listening: Listening) -> None:
    assert listening.ready(call, fingerprint(call)) is None
    first = listening.sound(call, fingerprint(call))
    made_at = first.file.stat().st_ctime_ns, first.file.read_bytes()

    assert listening.ready(call, fingerprint(call)) == first
    assert listening.sound(call, fingerprint(call)) == first
    assert first.file.read_bytes() == made_at[1]


def test_a_recording_that_is_gone_is_said_and_takes_its_copies_with_it(call: Path, listening: Listening) -> None:
    sha256 = fingerprint(call)
    listening.sound(call, sha256)
    call.unlink()

    assert listening.ready(call, sha256) is None
    with pytest.raises(ClipUnavailable, match=r"录音文件 call\.wav 不在审计时的位置"):
        listening.sound(call, sha256)
    assert list(listening.folder.iterdir()) == []


def test_another_file_in_the_recordings_place_is_not_played(call: Path, listening: Listening) -> None:
    sha256 = fingerprint(call)
    write_call(call, seconds=5.0)
    with pytest.raises(ClipUnavailable, match="SHA-256"):
        listening.sound(call, sha256)


def test_beyond_the_limit_the_copy_used_longest_ago_goes(tmp_path: Path) -> None:
    calls = [write_call(tmp_path / f"{n}.wav", seconds=4 + n) for n in range(3)]
    keys = [fingerprint(call) for call in calls]
    once = Listening(folder=tmp_path / "sound").sound(calls[0], keys[0]).file.stat().st_size
    listening = Listening(folder=tmp_path / "sound", largest=int(once * 2.9))
    listening.sound(calls[1], keys[1])
    assert listening.ready(calls[0], keys[0]) is not None  # used again: now the other is older

    listening.sound(calls[2], keys[2])

    assert [listening.ready(*pair) is not None for pair in zip(calls, keys, strict=True)] == [True, False, True]


def test_a_tone_covers_the_words_and_nothing_else(call: Path, listening: Listening) -> None:
    beeps = [Window(2000, 2500)]
    whole = listening.sound(call, fingerprint(call))
    masked = listening.sound(call, fingerprint(call), beeps=beeps)

    assert whole.file != masked.file
    for lane in heard(masked.file):
        covered = lane[int(2.05 * SAMPLE_RATE) : int(2.45 * SAMPLE_RATE)]
        assert loudest_hz(covered) == pytest.approx(TONE_HZ, abs=10)
        spectrum = np.abs(np.fft.rfft(covered))
        assert spectrum[round(SPEECH_HZ * len(covered) / SAMPLE_RATE)] < spectrum.max() / 20
    after = heard(masked.file)[0, int(2.6 * SAMPLE_RATE) : int(3.2 * SAMPLE_RATE)]
    assert loudest_hz(after) == pytest.approx(SPEECH_HZ, abs=5)


def test_a_clip_is_beeped_at_the_time_of_the_recording(call: Path, tmp_path: Path) -> None:
    window = Window(1500, 3500)
    clip = tmp_path / "clip.ogg"
    clip.write_bytes(cut(call, fingerprint(call), [window], beeps=[Window(2000, 2500)])[window])

    samples = heard(clip)[0]
    assert loudest_hz(samples[int(0.55 * SAMPLE_RATE) : int(0.95 * SAMPLE_RATE)]) == pytest.approx(TONE_HZ, abs=10)
    assert loudest_hz(samples[int(1.1 * SAMPLE_RATE) : int(1.9 * SAMPLE_RATE)]) == pytest.approx(440, abs=145)


@pytest.mark.parametrize("size", [1, 7, 160, 4000])
def test_a_tone_does_not_depend_on_how_the_sound_comes_in_pieces(size: int) -> None:
    sound = np.random.default_rng(1).normal(size=(2, 4000)).astype(np.float32)
    beeps = [Window(10, 60), Window(100, 2000)]
    whole = next(iter(beeped([sound], beeps)))
    pieces = beeped([sound[:, at : at + size] for at in range(0, 4000, size)], beeps)
    assert np.array_equal(np.concatenate(list(pieces), axis=1), whole)
    assert np.array_equal(whole[:, 960:1600], sound[:, 960:1600])
    assert not np.any(whole[:, 200:900] == sound[:, 200:900])
