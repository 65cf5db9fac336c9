"""An existing store encrypted, decrypted, or put under another key; at any moment a kill leaves one that is whole.

The new file is written beside the store, compared with it row by row, and takes its place in one step. What stood
there is then overwritten: so that its words are gone, and so that a program which had opened it in between is told.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from audit.errors import BadKey, StoreError, os_reason
from audit.listening import folder_of
from audit.lock import alone
from audit.store import Store
from audit.store.cipher import given_key, make_key
from audit.store.recode import compare, copy, held

_BLOCK = bytes(1 << 20)


def encrypt(db: Path, *, new_key: Path | None = None) -> bool:
    """Encrypt the store under the given key, or under a fresh one that is written to `new_key`; also one that has
    another key so far. False where it already has the given key. `BadKey`, `StoreError`.
    """
    with Store.read(db) as store:  # a store of ours, of this version
        old = store.key
    if new_key is None and given_key() is None:
        raise BadKey("没有密钥；请加 --new-key 文件 生成一个，或用 CALLAUDIT_KEY_FILE 给出已有的")
    if new_key is None and old == given_key():
        _forget(db)
        return False
    _recode(db, old, given_key() if new_key is None else make_key(new_key))
    return True


def decrypt(db: Path) -> bool:
    """Write the store in the clear; False where it is so already. `BadKey`, `StoreError`."""
    with Store.read(db) as store:
        old = store.key
    if old is None:
        _forget(db)
        return False
    _recode(db, old, None)
    return True


def set_aside(db: Path) -> list[Path]:
    """Older stores that restoring a backup left beside this one; they stay as they are."""
    return sorted(path for path in db.parent.glob(f"{db.name}.before-*") if not path.name.endswith(("-wal", "-shm")))


def _recode(db: Path, old: str | None, new: str | None) -> None:
    half = Path(f"{db}.partial")
    with alone(db), held(db, old) as store:
        _forget(db)
        try:
            with open(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"):
                pass
            copy(store, half, new)
            compare(store, half, new)
            _replace(db, half)
        except OSError as error:
            raise StoreError(f"{db}：换不了（{os_reason(error)}）；原来的数据库没有动，请检查空间和权限") from error
        finally:
            half.unlink(missing_ok=True)


def _replace(db: Path, half: Path) -> None:
    """The old file is opened before and closed after, and only then: closing it lets go of its lock."""
    with db.open("rb+", buffering=0) as old:
        os.replace(half, db)
        _sync_folder(db.absolute().parent)
        for _ in range(0, os.fstat(old.fileno()).st_size, len(_BLOCK)):
            old.write(_BLOCK)
        os.fsync(old.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _forget(db: Path) -> None:
    """What an earlier try left behind, and copies of sound that were kept the other way: they are made again."""
    Path(f"{db}.partial").unlink(missing_ok=True)
    shutil.rmtree(folder_of(db), ignore_errors=True)
