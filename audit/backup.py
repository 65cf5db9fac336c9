"""Whole copies of the store, made while batches write; and the way back, which never destroys what was there."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from audit import ledger
from audit.access import Actor
from audit.errors import BadPath, StoreError, os_reason
from audit.lock import alone
from audit.store import Store

_PARTS = ("", "-wal", "-shm")


def backup(store: Store, named: str | Path) -> Path:
    """Copy the store to a file, or into a folder under a name with the time; returns the file, readable by its
    owner alone. It is as the store was at one moment, however much is written meanwhile. `BadPath`, `StoreError`.

    What is `named` with a slash at its end is a folder, and must be there: its disk may not be mounted.
    """
    to = Path(named)
    if os.path.basename(named) in ("", ".") and not to.is_dir():
        raise BadPath(f"{named}：没有这个文件夹；请先建立它，或检查它所在的磁盘是否已挂载")
    path = to / f"{store.path.stem}-{_stamp()}.db" if to.is_dir() else to
    if path.exists():
        raise BadPath(f"{path}：已有同名的文件；请换一个名字，备份不会覆盖任何文件")
    half = Path(f"{path}.partial")
    try:
        _make_private(half)
        store.copy_to(half)
        _verify(half)
        os.replace(half, path)
    except OSError as error:
        raise BadPath(f"{path}：备份写不进去（{os_reason(error)}）；请检查文件夹、权限和空间") from error
    finally:
        half.unlink(missing_ok=True)
    return path


def restore(source: Path, db: Path, *, actor: Actor) -> Path | None:
    """Put a backup in the place of `db`, and note so in its ledger, which is an older one from then on; returns where
    the store that stood there was moved to, None where none was.

    Refused with `StoreError` while a batch is at work, or where `source` is damaged or not a store of ours.
    """
    if not source.is_file():
        raise BadPath(f"{source}：没有这个文件；请给 callaudit backup 写出的文件")
    _verify(source)
    half = Path(f"{db}.partial")
    with alone(db):
        try:
            _make_private(half)
            shutil.copyfile(source, half)
            kept = _set_aside(db)
            os.replace(half, db)
        except OSError as error:
            raise BadPath(f"{db}：恢复不了（{os_reason(error)}）；原来的数据库没有动") from error
        finally:
            half.unlink(missing_ok=True)
    with Store.existing(db) as store, store.writing():
        data = {"replaced": None if kept is None else kept.name}
        ledger.record(store, actor=actor, kind=ledger.Kind.RESTORE, subject=source.name, data=data)
    return kept


def _verify(path: Path) -> None:
    """A store of ours, not newer than we are, that SQLite finds whole."""
    with Store.examine(path) as copy:
        verdict = copy.integrity()
    if verdict != "ok":
        raise StoreError(f"{path}：备份已损坏（{verdict}）；请换一份备份")


def _set_aside(db: Path) -> Path | None:
    if not db.exists():
        return None
    kept = Path(f"{db}.before-{_stamp()}")
    for part in _PARTS:
        if os.path.exists(f"{db}{part}"):
            os.rename(f"{db}{part}", f"{kept}{part}")
    return kept


def _make_private(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
