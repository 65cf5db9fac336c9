"""What strangers may put into recordings, lists, models and names, and what becomes of it."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audit.calls import read_calls
from audit.config import CHINA, read_config
from audit.errors import BadConfig
from audit.quarantine import bring_back, set_apart
from audit.store import Failure, Store
from audit.terminal import harmless, print_table
from audit.uploads import safe_name
from rules.load import RuleErrors, load_rules
from transcribe.audio import examine
from transcribe.errors import UnreadableAudio

ESCAPES = "\x1b[2J\x1b]0;gone\x07\x9b31m\u202ecilbup\u2066"


def test_escapes_in_names_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["通话"], [[f"c{ESCAPES}1"]])
    shown = capsys.readouterr().out
    assert not set(shown) & set("\x1b\x07\x9b\u202e\u2066")
    assert "c" in shown
    assert harmless("中文，正常\n的一句") == "中文，正常\n的一句"


@pytest.mark.parametrize(
    "name", ["../a.wav", "..\\..\\a.wav", "/etc/a.wav", "x/../../a.wav", "./../a.wav", "b/../../c/a.wav", "\\\\host\\share\\..\\..\\a.wav"]
)
def test_a_call_list_cannot_point_outside_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "calls.csv").write_text(f"call_id,recording\nc1,{name}\n", "utf-8")
    found = read_calls(folder / "calls.csv", utc_offset=CHINA)
    inside = [record.path for record in found.records if record.path is not None]
    assert all(path.is_relative_to(folder) and ".." not in path.parts for path in inside)
    assert len(inside) + len(found.bad) == 1


@pytest.mark.parametrize("name", ["../../.ssh/id.wav", "C:\\x\\a.wav", "..\x00/a.wav", "\u202egpj.wav", "\x1b[2J.wav", ".bashrc.wav"])
def test_an_uploaded_name_holds_neither_places_nor_controls(name: str) -> None:
    safe = safe_name(name)
    assert Path(safe).name == safe
    assert harmless(safe) == safe
    assert not safe.startswith(".")


def _wave(path: Path, *, promised: int, rate: int = 8000, bits: int = 8, content: bytes = b"\x80" * 8000) -> Path:
    form = struct.pack("<HHIIHH", 1, 1, rate, rate * bits // 8, bits // 8, bits)
    head = b"RIFF" + struct.pack("<I", min(promised + 36, 2**32 - 1)) + b"WAVEfmt " + struct.pack("<I", 16) + form
    path.write_bytes(head + b"data" + struct.pack("<I", promised) + content)
    return path


def test_a_header_that_promises_a_hundred_hours_is_not_believed(tmp_path: Path) -> None:
    path = _wave(tmp_path / "long.wav", promised=100 * 3600 * 8000)
    assert examine(path).duration_ms == 1000


def test_hours_of_silence_in_a_few_bytes_are_stopped_at_the_limit(tmp_path: Path) -> None:
    import av

    path = tmp_path / "silence.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=8000, layout="mono")
        for _ in range(80):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 80_000), np.int16), format="s16", layout="mono")
            frame.rate = 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert path.stat().st_size < 200_000  # 800 s of sound, 12.8 MB as it is decoded
    with pytest.raises(UnreadableAudio, match="上限"):
        examine(path, longest_hours=0.1)


@pytest.mark.parametrize("form", ["zip", "xlsx"])
def test_archives_are_no_recordings_and_are_not_unpacked(tmp_path: Path, form: str) -> None:
    import zipfile

    path = tmp_path / f"bomb.{form}.wav"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 50_000_000)
    with pytest.raises(UnreadableAudio, match="不是能识别"):
        examine(path)


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(c)}: &{chr(c)} [{','.join(['*' + chr(c - 1)] * 9)}]\n" for c in range(98, 110)),
        "[" * 50_000,
        "{a: " * 50_000,
        "- " * 5_000 + "x",
    ],
    ids=["billion laughs", "deep lists", "deep maps", "deep items"],
)
def test_yaml_bombs_are_refused_quickly(tmp_path: Path, bomb: str) -> None:
    (tmp_path / "pack.yaml").write_text(bomb, "utf-8")
    with pytest.raises(RuleErrors, match=r"太多|太深"):
        load_rules(tmp_path)


def test_alert_addresses_stay_out_of_messages(tmp_path: Path) -> None:
    (tmp_path / "callaudit.toml").write_text('alerts = "dingtalk://s3cr3t/"', "utf-8")
    with pytest.raises(BadConfig) as caught:
        read_config(tmp_path / "callaudit.toml")
    assert "s3cr3t" not in str(caught.value)


class _Code:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return os.open, (str(self.marker), os.O_CREAT)  # type: ignore[return-value]


def test_a_second_opinion_with_code_in_it_runs_nothing(tmp_path: Path) -> None:
    marker, path = tmp_path / "ran", tmp_path / "model.npz"
    np.savez(path, weights=np.array([_Code(marker)], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"), np.load(path) as content:
        content["weights"]
    assert not marker.exists()
    sources = [p.read_text("utf-8") for folder in ("rules", "audit", "transcribe") for p in Path(folder).rglob("*.py")]
    assert not [text for text in sources if "allow_pickle=True" in text or "pickle.load" in text]


def test_a_checkpoint_with_code_in_it_runs_nothing(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("whisper")
    from transcribe.errors import WeightsMissing
    from transcribe.openai_whisper import OpenaiWhisper

    marker, path = tmp_path / "ran", tmp_path / "model.pt"
    torch.save({"dims": {}, "model_state_dict": _Code(marker)}, path)
    with pytest.raises(WeightsMissing):
        OpenaiWhisper(path)
    assert not marker.exists()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_for_its_owner_alone(batch: Store, tmp_path: Path, threat_call: object) -> None:
    from audit.backup import backup
    from audit.lock import at_work
    from transcribe.files import write_json, write_srt

    old = os.umask(0)  # the worst that a system may be set to
    try:
        call = next(batch.calls())
        words = batch.transcript(call.recording)
        assert words is not None
        write_json(words, tmp_path / "t.json")
        write_srt(words, tmp_path / "t.srt")
        backup(batch, tmp_path / "b.db")
        with at_work(tmp_path / "lock.db"):
            pass
    finally:
        os.umask(old)
    written = [tmp_path / name for name in ("t.json", "t.srt", "b.db", "lock.db.lock")]
    assert {path.name: _mode(path) for path in written} == dict.fromkeys((path.name for path in written), 0o600)


def test_a_note_in_quarantine_names_only_the_recording_beside_it(batch: Store, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    precious, path = tmp_path / "precious", tmp_path / "a.wav"
    precious.touch()
    path.touch()
    failure = Failure(path=path, call_id=None, reason="空", failed_at=datetime(2026, 1, 1, tzinfo=UTC), tries=1, run=1)
    apart = set_apart(batch, failure, tmp_path / "q")
    note = Path(f"{apart.path}.why.json")
    assert _mode(note) == 0o600
    note.write_text(note.read_text("utf-8").replace(apart.path, str(precious)), "utf-8")
    assert bring_back(batch, tmp_path / "q", before=datetime(2030, 1, 1, tzinfo=UTC)) == [path]
    assert precious.exists()
