"""Recordings that could not be judged, set apart with the reason, and brought back to be tried again."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.errors import BadPath, os_reason
from audit.store import Failure, Store

MOST_TRIES = 3
"""Nights on which a recording is tried; what fails them all waits for a person."""

_NOTE = ".why.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetApart:
    """A recording in quarantine: where it is, where it came from, why, when it was last tried, and how often."""

    path: str
    came_from: str
    reason: str
    tried_at: str
    tries: int


def set_apart(store: Store, failure: Failure, folder: Path) -> SetApart:
    """Move a failed recording into the folder, a note with the reason beside it; its failure row goes with it."""
    target = _free(folder, failure.path.name)
    note = SetApart(
        path=str(target),
        came_from=str(failure.path),
        reason=failure.reason,
        tried_at=failure.failed_at.isoformat(),
        tries=failure.tries,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _note_of(target).touch(mode=0o600)
        _note_of(target).write_text(json.dumps(asdict(note), ensure_ascii=False, indent=1), "utf-8")
        _move(failure.path, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            _note_of(target).unlink()
        raise BadPath(f"{folder}：隔离不了 {failure.path}（{os_reason(error)}）；请检查隔离文件夹的权限") from error
    store.move_failure(failure.path, target)
    return note


def bring_back(store: Store, folder: Path, *, before: datetime) -> list[Path]:
    """Put what was last tried before a time, and not too often, where it came from; returns those paths.

    What can't go back (its share is away, its folder can't be written) stays for another night.
    """
    back = []
    for note in list(set_apart_in(folder)):
        with contextlib.suppress(OSError):
            if _may_try(note, before):
                back.append(_return(store, note))
    return back


def put_back(store: Store, recording: Path) -> Path | None:
    """Put one recording where it came from if it lies in quarantine; returns where it is now, None where it can't go
    back.
    """
    note = next((note for note in set_apart_in(recording.parent) if note.path == str(recording)), None)
    if note is None:
        return recording
    if Path(note.came_from).exists():
        return None
    with contextlib.suppress(OSError):
        return _return(store, note)
    return None


def set_apart_in(folder: Path) -> Iterator[SetApart]:
    """What lies in quarantine, by name; a note without its recording, or a broken one, is left alone."""
    for file in sorted(folder.glob(f"*{_NOTE}")):
        recording = file.with_name(file.name.removesuffix(_NOTE))
        try:
            note = _note(json.loads(file.read_text("utf-8")), recording)
        except (OSError, ValueError, TypeError, RecursionError):
            continue
        if recording.is_file():
            yield note


def _note(written: dict[str, Any], recording: Path) -> SetApart:
    """A note about the recording it lies beside, whatever it says where that is; ValueError where it is broken."""
    note = SetApart(**{**written, "path": str(recording)})
    texts = (note.came_from, note.reason, note.tried_at)
    if type(note.tries) is not int or not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise ValueError
    if datetime.fromisoformat(note.tried_at).tzinfo is None or not Path(note.came_from).is_absolute():
        raise ValueError
    return note


def _may_try(note: SetApart, before: datetime) -> bool:
    rested = datetime.fromisoformat(note.tried_at) < before
    return rested and note.tries < MOST_TRIES and not Path(note.came_from).exists()


def _return(store: Store, note: SetApart) -> Path:
    path, home = Path(note.path), Path(note.came_from)
    _move(path, home)
    store.move_failure(path, home)
    _note_of(path).unlink(missing_ok=True)
    return home


def _move(source: Path, target: Path) -> None:
    """Also to another filesystem: the copy is whole and on the disk before the original goes."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f".{target.name}.part")
        try:
            shutil.copy2(source, part)
            with part.open("rb") as copy:
                os.fsync(copy.fileno())
            os.rename(part, target)
            os.unlink(source)
        except OSError:
            part.unlink(missing_ok=True)
            if source.exists():
                target.unlink(missing_ok=True)
            raise


def _note_of(path: Path) -> Path:
    return path.with_name(path.name + _NOTE)


def _free(folder: Path, name: str) -> Path:
    """The name, or with a number where another recording has it already."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}~{number}{Path(name).suffix}"
    return path
