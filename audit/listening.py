"""A recording for the ear and the eye: Ogg/Opus that browsers play and seek in, and the peaks of its waveform.

Made once per recording and kept in a private folder: an hour's call takes some ten seconds the first time and
none after that. Who may not hear personal data gets another file, with a tone in its place.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256 as digest_of
from pathlib import Path

import numpy as np

from audit.clips import ClipUnavailable, opened
from audit.remote import address
from audit.sealed import seal, unseal
from audit.sound import Samples, Window, beeped, write_opus
from audit.store.cipher import given_key
from transcribe.audio import SAMPLE_RATE, Recording, blocks

MIME = "audio/ogg"
LARGEST_CACHE = 4 * 1024**3
"""Bytes; some 250 hours. What was not heard for longest goes first."""

PEAKS_PER_SECOND = 25
MOST_PEAKS = 6_000
"""Per channel: an hour's waveform is 60 kB, and still shows two values a second."""

_BITS_PER_SECOND = {1: 20_000, 2: 32_000}
# Without the speech model Opus encodes twice as fast, and at this rate nobody hears a difference on the telephone.
_OPTIONS = {"application": "lowdelay", "frame_duration": "20", "compression_level": "0"}
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A playable copy. `channels` are those of the recording, one row of `peaks` (0 to 100) each, evenly spaced."""

    file: Path
    duration_ms: int
    channels: tuple[int, ...]
    peaks: tuple[tuple[int, ...], ...]
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where playable copies are kept: a folder that is its owner's alone, up to `largest` bytes.

    With a `key`, that of the store, what is written there can be read with it alone.
    """

    folder: Path
    largest: int = LARGEST_CACHE
    key: str | None = None

    def ready(self, path: Path | None, sha256: str, *, beeps: Sequence[Window] = ()) -> Sound | None:
        """The copy if it is there already and the recording still is; None otherwise. Takes no time."""
        if not _may_be_there(path):
            return None
        return _read(self._file(sha256, beeps), self.key)

    def sound(self, path: Path | None, sha256: str, *, beeps: Sequence[Window] = ()) -> Sound:
        """The copy, made where there is none; `ClipUnavailable` says in Chinese why there is nothing to hear.

        A recording that is gone takes its copies with it: it was perhaps deleted for good reason.
        """
        if not _may_be_there(path):
            self.forget(sha256)
            raise ClipUnavailable(_gone(path))
        found = self.ready(path, sha256, beeps=beeps)
        if found is not None:
            return found
        with opened(path, sha256) as recording:
            _private_folder(self.folder)
            made = _make(recording, self._file(sha256, beeps), beeps, self.key)
        self._shrink(keep=made.file)
        return made

    def forget(self, sha256: str) -> None:
        """Delete every copy of a recording."""
        for file in self.folder.glob(f"{_stem(sha256)}-*") if self.folder.is_dir() else ():
            file.unlink(missing_ok=True)

    def _file(self, sha256: str, beeps: Sequence[Window]) -> Path:
        places = "-".join(f"{w.start_ms}+{w.end_ms}" for w in beeps)
        which = digest_of(places.encode()).hexdigest()[:12] if beeps else "whole"
        return self.folder / f"{_stem(sha256)}-{which}.{'ogg' if self.key is None else 'sealed'}"

    def _shrink(self, *, keep: Path) -> None:
        """Delete the copies that were used longest ago until the rest fits; the newest stays whatever its size."""
        files = [file for file in self.folder.iterdir() if file.suffix in (".ogg", ".sealed")]
        files.sort(key=lambda file: file.stat().st_mtime)
        size = sum(file.stat().st_size for file in files)
        for file in files:
            if size > self.largest and file != keep:
                size -= file.stat().st_size
                file.unlink(missing_ok=True)
                _facts_of(file).unlink(missing_ok=True)


def listening_of(db: Path) -> Listening:
    """The copies of a store's recordings, sealed where a key is given."""
    return Listening(folder=folder_of(db), key=given_key())


def folder_of(db: Path) -> Path:
    """Where the copies of a store's recordings are kept: beside it."""
    return db.with_name(f"{db.name}-sound")


def _may_be_there(path: Path | None) -> bool:
    """What lies at an address is there until a look says otherwise."""
    return path is not None and (address(path) is not None or path.is_file())


def _gone(path: Path | None) -> str:
    if path is None:
        return "没有保存录音路径"
    # Not where it was: that is the server's folder, and the reader's only concern is which file.
    return f"录音文件 {path.name} 不在审计时的位置；请把它放回原处，或请管理员查看它是否已按保存期限删除"


def _stem(sha256: str) -> str:
    """Of what the store says, only a hash may become part of a path."""
    return digest_of(sha256.encode()).hexdigest()[:40]


def _facts_of(file: Path) -> Path:
    return file.with_suffix(".json")


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def _make(recording: Recording, file: Path, beeps: Sequence[Window], key: str | None) -> Sound:
    """Both files are complete before they get their names: a kill leaves a stray .part and nothing else."""
    levels = _Levels(len(recording.sources))
    sounding = levels.watch(beeped(blocks(recording, seconds=10.0), beeps))
    channels = len(recording.sources)
    whole = io.BytesIO()  # 14 MB an hour
    write_opus(sounding, whole, channels=channels, bit_rate=_BITS_PER_SECOND[channels], options=_OPTIONS)
    facts = {
        "format": _FORMAT,
        "duration_ms": recording.duration_ms,
        "channels": recording.sources,
        "peaks": levels.peaks(),
    }
    _write(_facts_of(file), json.dumps(facts, separators=(",", ":")).encode(), key)
    _write(file, whole.getvalue(), key)
    made = _read(file, key)
    assert made is not None
    return made


def _write(file: Path, content: bytes, key: str | None) -> None:
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    sealed = content if key is None else seal(content, key=key, name=file.name)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
        out.write(sealed)
    part.replace(file)


def _content(file: Path, key: str | None) -> bytes:
    """`OSError` where it is not there, ValueError where the key does not open it."""
    content = file.read_bytes()
    return content if key is None else unseal(content, key=key, name=file.name)


def _read(file: Path, key: str | None) -> Sound | None:
    try:
        facts = json.loads(_content(_facts_of(file), key))
        content = _content(file, key)
        os.utime(file)  # used just now
    except (OSError, ValueError):
        return None
    if facts["format"] != _FORMAT:
        return None
    return Sound(
        file=file,
        duration_ms=facts["duration_ms"],
        channels=tuple(facts["channels"]),
        peaks=tuple(tuple(lane) for lane in facts["peaks"]),
        content=content,
    )


class _Levels:
    """The loudest sample of every stretch of 1/`PEAKS_PER_SECOND` s, gathered while the sound passes through."""

    def __init__(self, channels: int) -> None:
        self._found: list[Samples] = []
        self._rest: Samples = np.zeros((channels, 0), np.float32)

    def watch(self, sounding: Iterable[Samples]) -> Iterator[Samples]:
        step = SAMPLE_RATE // PEAKS_PER_SECOND
        for block in sounding:
            loud = np.concatenate([self._rest, np.abs(block)], axis=1)
            whole = loud.shape[1] // step * step
            self._found.append(loud[:, :whole].reshape(len(loud), -1, step).max(axis=2))
            self._rest = loud[:, whole:]
            yield block
        if self._rest.shape[1]:
            self._found.append(self._rest.max(axis=1, keepdims=True))

    def peaks(self) -> list[list[int]]:
        """At most `MOST_PEAKS` per channel, as percent of the loudest of all channels."""
        found = np.concatenate(self._found, axis=1)
        step = -(-found.shape[1] // MOST_PEAKS)
        wide = np.pad(found, ((0, 0), (0, -found.shape[1] % step)))
        lanes = wide.reshape(len(wide), -1, step).max(axis=2)
        scaled = np.rint(100 * lanes / max(float(lanes.max()), 1e-4)).astype(int)
        return [list(map(int, lane)) for lane in scaled]
