"""Every telephone format decodes to float32 at 16 kHz, one row per channel, whatever its rate."""

from __future__ import annotations

import numpy as np
import pytest

from transcribe.audio import blocks, examine

FORMATS = [
    (suffix, codec, rate, channels)
    for suffix, codec in ((".wav", "pcm"), (".wav", "alaw"), (".wav", "mulaw"), (".mp3", "mp3"), (".m4a", "m4a"),
                          (".opus", "opus"), (".ogg", "ogg"), (".flac", "flac"))
    for rate in (8000, 16000, 48000)
    for channels in (1, 2)
] + [(".amr", "amr", 8000, 1)]


def loudest_hertz(row):
    spectrum = np.abs(np.fft.rfft(row))
    return np.argmax(spectrum) * 16_000 / len(row)


@pytest.mark.parametrize(("suffix", "codec", "rate", "channels"), FORMATS)
def test_decodes_to_its_channels_at_16_khz(sounds, suffix, codec, rate, channels):
    pitches = (440.0, 900.0)[:channels]
    tones = [sounds.tone(2.0, rate=rate, hertz=hertz) for hertz in pitches]
    recording = examine(sounds.save(f"call{suffix}", *tones, rate=rate, codec=codec))
    decoded = np.concatenate(list(blocks(recording)), axis=1)
    assert recording.channels == channels
    assert abs(recording.duration_ms - 2000) < 200
    assert decoded.dtype == np.float32
    assert abs(decoded.shape[1] / 16 - recording.duration_ms) < 5
    assert [round(loudest_hertz(row)) for row in decoded] == pytest.approx(pitches, abs=5)


def test_blocks_are_bounded_and_together_the_whole(sounds):
    recording = examine(sounds.save("call.wav", sounds.tone(7.3)))
    parts = list(blocks(recording, seconds=2.0))
    assert [part.shape[1] for part in parts[:-1]] == [32_000] * 3
    assert sum(part.shape[1] for part in parts) == pytest.approx(7.3 * 16_000, abs=32)


def test_id_is_the_hash_of_the_bytes_not_of_the_name(sounds):
    one = sounds.save("一 通 电话.wav", sounds.tone(1.0))
    other = one.with_name("copy.wav")
    other.write_bytes(one.read_bytes())
    assert examine(one).sha256 == examine(other).sha256
