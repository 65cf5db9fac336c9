"""What can't be judged is refused with one Chinese sentence: what is wrong, and what to do."""

from __future__ import annotations

import pickle
import random
import shutil

import numpy as np
import pytest

from tests.conftest import without_privileges
from transcribe.audio import blocks, examine
from transcribe.errors import UnreadableAudio


def reason(path, **options):
    with pytest.raises(UnreadableAudio) as caught:
        examine(path, **options)
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    assert "\n" not in caught.value.reason
    return caught.value.reason


def test_an_empty_file(tmp_path):
    path = tmp_path / "空 文件.wav"
    path.touch()
    assert reason(path) == "文件是空的（0 字节）；请从录音系统重新导出"


def test_a_missing_file_and_a_folder(tmp_path):
    assert "文件不存在" in reason(tmp_path / "none.wav")
    assert "文件夹" in reason(tmp_path)


@pytest.mark.parametrize("text", ["这不是录音\n" * 50, "#EXTM3U\n#EXTINF:10,\nother.wav\n", "ffconcat version 1.0\nfile x.wav\n"])
def test_text_renamed_wav_and_playlists(tmp_path, text):
    path = tmp_path / "notes.wav"
    path.write_text(text, encoding="utf-8")
    assert "不是能识别的录音格式" in reason(path)


def test_too_short(sounds):
    assert reason(sounds.save("short.wav", sounds.tone(0.2))).startswith("只有 0.2 秒，短于 0.5 秒")


def test_more_than_two_channels(sounds):
    path = sounds.save("surround.wav", *[sounds.tone(1.0, rate=48_000)] * 6, rate=48_000)
    assert reason(path).startswith("有 6 个声道，只支持单声道或双声道")


def test_too_long(sounds):
    path = sounds.save("long.wav", sounds.tone(40.0))
    assert reason(path, longest_hours=0.01).startswith("超过 0.01 小时的上限")


def test_no_permission(sounds, open_folder):
    path = shutil.copy(sounds.save("secret.wav", sounds.tone(1.0)), open_folder / "secret.wav")
    path.chmod(0)
    with without_privileges():
        assert reason(path).startswith("没有读取权限")


def test_no_permission_as_the_system_reports_it(sounds, monkeypatch):
    path = sounds.save("secret.wav", sounds.tone(1.0))

    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)
    assert reason(path).startswith("没有读取权限")


CODECS = pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp3", "mp3"), (".wav", "alaw"), (".wav", "pcm"), (".flac", "flac")]
)


@CODECS
def test_a_truncated_file_keeps_most_of_a_call_and_says_so(sounds, suffix, codec):
    path = sounds.save(f"cut{suffix}", sounds.noise(20.0), codec=codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    recording = examine(path)
    assert 13_000 < recording.duration_ms < 15_000
    assert len(recording.notes) == 1
    assert recording.notes[0].startswith("文件不完整：应有 20.0 秒，只解出 1")
    assert sum(part.shape[1] for part in blocks(recording)) / 16 == pytest.approx(recording.duration_ms, abs=5)


@CODECS
def test_a_file_that_lost_more_than_half_is_refused(sounds, suffix, codec):
    path = sounds.save(f"cut{suffix}", sounds.noise(20.0), codec=codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 10])
    assert reason(path).startswith("文件不完整：应有 20.0 秒，只能解出")


def test_a_wav_written_to_a_pipe_promises_nothing(sounds):
    path = sounds.save("pipe.wav", sounds.noise(20.0))
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    for unknown in (0x7FFFF000, 0xFFFFFFFF):
        content[at : at + 4] = unknown.to_bytes(4, "little")
        path.write_bytes(content)
        assert examine(path).notes == ()


def test_damage_that_reads_as_another_rate_costs_its_frames_alone(sounds):
    path = sounds.save("damaged.mp3", sounds.noise(20.0), codec="mp3")
    content = bytearray(path.read_bytes())
    dice = random.Random(3)
    for at in range(len(content) // 3, len(content), 97):
        content[at] = dice.randrange(256)
    path.write_bytes(content)
    recording = examine(path)
    assert recording.duration_ms > 5_000
    assert sum(part.shape[1] for part in blocks(recording)) > 5_000 * 16


def test_a_truncated_m4a_has_lost_its_index(sounds):
    path = sounds.save("cut.m4a", sounds.noise(20.0), codec="m4a")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "不是能识别的录音格式" in reason(path)


def test_amr_without_a_length_in_its_header_is_never_called_incomplete(sounds):
    assert examine(sounds.save("call.amr", sounds.noise(20.0), codec="amr")).notes == ()


def test_silence_is_a_valid_recording_with_a_note(sounds):
    recording = examine(sounds.save("silence.wav", np.zeros(8000 * 5, dtype=np.float32)))
    assert recording.sources == ()
    assert recording.notes == ("整段录音没有声音",)


def test_the_error_travels_between_processes(tmp_path):
    error = UnreadableAudio(tmp_path / "x.wav", "坏了")
    again = pickle.loads(pickle.dumps(error))
    assert (again.path, again.reason, str(again)) == (error.path, error.reason, str(error))
