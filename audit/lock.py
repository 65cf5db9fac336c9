"""Who works on a store: batches share a lock beside it, what replaces the file needs it alone.

The system drops the lock of a killed process, so that a run that says `running` while nobody holds it was killed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.errors import StoreError, os_reason


@contextmanager
def at_work(db: Path) -> Iterator[None]:
    """While a batch writes into the store `db`; several may. `StoreError` while the file is being replaced."""
    with _locked(db, fcntl.LOCK_SH, f"{db}：文件正在被替换（恢复备份、加密或解密）；请等它结束后再试"):
        yield


@contextmanager
def alone(db: Path) -> Iterator[None]:
    """While the file `db` is replaced; `StoreError` where a batch is at work."""
    with _locked(db, fcntl.LOCK_EX, f"{db}：有批处理正在写这个数据库；请等它结束，或先停止它（Ctrl-C）再试"):
        yield


@contextmanager
def _locked(db: Path, how: int, refusal: str) -> Iterator[None]:
    path = Path(f"{db}.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"{path}：不能建立锁文件（{os_reason(error)}）；请检查文件夹和写权限") from error
    try:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(refusal) from None
        yield
    finally:
        os.close(handle)
