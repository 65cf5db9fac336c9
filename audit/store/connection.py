"""One SQLite file, opened for its owner only; every read, write and error of the store goes through here.

One call is one transaction, write-ahead logged: a kill at any moment loses the calls in flight, nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from audit.errors import BadKey, StoreError, StoreFull, os_reason
from audit.store import cipher

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

BUSY_SECONDS = 30
"""How long a write waits for another process before it gives up."""

_DAMAGED = "不是数据库文件或文件已损坏；请换一个路径，或从备份恢复"
_NO_SPACE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}


class Connection:
    """An open store. One writer at a time; readers are never in its way. `key` is None where it is not encrypted."""

    def __init__(self, path: Path, db: Database, key: str | None) -> None:
        self.path = path
        self.key = key
        self._db = db
        self.sql = db.conn

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for reading and writing, made (for its owner only) or migrated where needed; `StoreError`."""
        with told(path):
            _make(path)
            return cls._patiently(path, ours=False)

    @classmethod
    def existing(cls, path: Path) -> Self:
        """As `open`, but `StoreError` where there is none yet: a mistyped path makes no store."""
        _refuse_missing(path)
        with told(path):
            return cls._patiently(path, ours=True)

    @classmethod
    def _patiently(cls, path: Path, *, ours: bool) -> Self:
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return cls._opened(path, ours=ours)
            except cipher.database_errors() as error:
                # Two that make a store at once: SQLite refuses the change of journal without waiting.
                if cipher.code(error) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    @classmethod
    def _opened(cls, path: Path, *, ours: bool) -> Self:
        """With `ours`, a database of another program is refused; else our tables are put into it."""
        store = cls(path, *_connect(path, mode="rw"))
        try:
            steps = _migrations()
            if ours and not steps.applied(store._db):
                raise StoreError(f"{path}：不是 callaudit 的数据库；请用 --db 指定 callaudit 的数据库")
            store.sql.execute("pragma journal_mode = wal")
            # A power cut may cost the last calls, never the store: https://sqlite.org/pragma.html#pragma_synchronous
            store.sql.execute("pragma synchronous = normal")
            if steps.pending(store._db):
                with store.writing():  # who waited for another that makes the store finds nothing left to do
                    steps.apply(store._db)
        except BaseException:
            store.close()
            raise
        store._refuse_newer()
        return store

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open for reading; `StoreError` where there is none, or an older one must be migrated first."""
        _refuse_missing(path)
        with told(path):
            # Without leave to write beside it, a finished store is read as a file that nobody changes.
            still = not _may_write(path.absolute().parent) and not Path(f"{path}-wal").exists()
            store = cls(path, *_connect(path, mode="ro&immutable=1" if still else "ro"))
            if _migrations().pending(store._db):
                store.close()
                raise StoreError(f"{path}：不是 callaudit 的数据库，或版本太旧；请先运行一次 callaudit audit")
            store._refuse_newer()
        return store

    @classmethod
    def examine(cls, path: Path) -> Self:
        """Open a finished copy to look at, also one of an earlier version; `StoreError` where it is not a store."""
        with told(path):
            store = cls(path, *_connect(path, mode="ro&immutable=1"))
            if not _migrations().applied(store._db):
                store.close()
                raise StoreError(f"{path}：不是 callaudit 的数据库；请给 callaudit backup 写出的文件")
            store._refuse_newer()
        return store

    def copy_to(self, path: Path) -> None:
        """Write what the store holds now into the empty file `path`, while others go on writing."""
        with told(path):
            copy = cipher.library().connect(path)
            try:
                if self.key is not None:
                    cipher.unlock(copy, self.key)
                # In one step: between two steps another process may write, and SQLite would begin again.
                self.sql.backup(copy)
                copy.execute("pragma journal_mode = delete")
            finally:
                copy.close()

    def close(self) -> None:
        self.sql.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def integrity(self) -> str:
        """`ok`, or what SQLite found wrong with the file."""
        with told(self.path):
            return str(self.sql.execute("pragma quick_check(1)").fetchone()[0])

    def _refuse_newer(self) -> None:
        from sqlite_utils import Database

        known = {step.name for step in _migrations().pending(Database(memory=True))}
        unknown = [step.name for step in _migrations().applied(self._db) if step.name not in known]
        if unknown:
            self.close()
            raise StoreError(f"{self.path}：由更新版本的 callaudit 写成（{unknown[0]}）；请升级 callaudit")

    def insert(self, table: str, row: Mapping[str, Any]) -> sqlite3.Cursor:
        return self.sql.execute(
            f"insert into {table} ({_names(row)}) values ({', '.join('?' * len(row))})", list(row.values())
        )

    def upsert(self, table: str, key: str, row: Mapping[str, Any]) -> None:
        """Table.upsert reads the schema back on every call; a batch can't spare that."""
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in row if name != key)
        self.sql.execute(
            f"insert into {table} ({_names(row)}) values ({', '.join('?' * len(row))})"
            f" on conflict ({key}) do update set {changes}",
            list(row.values()),
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; within another it is part of that one.

        The right to write is taken at the start: a transaction that reads first and writes later is refused at
        once, without waiting, when another process wrote in between (https://sqlite.org/isolation.html).
        """
        with told(self.path):
            if self.sql.in_transaction:
                yield
                return
            self.sql.execute("begin immediate")
            try:
                yield
                self.sql.execute("commit")
            except BaseException:
                if self.sql.in_transaction:
                    self.sql.execute("rollback")
                raise

    def one(self, sql: str, values: Sequence[Any] = ()) -> dict[str, Any] | None:
        return next(self.all(sql, values), None)

    def all(self, sql: str, values: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        with told(self.path):
            cursor = self.sql.execute(sql, values)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))


def marks(values: Collection[object]) -> str:
    """A question mark for each value, for `in (…)`."""
    return ", ".join("?" * len(values))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk say into one sentence."""
    try:
        yield
    except cipher.database_errors() as error:
        code = cipher.code(error)
        if code & 0xFF == sqlite3.SQLITE_NOTADB:
            raise _unreadable(path) from error
        if code in _NO_SPACE or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
            raise StoreFull(
                f"{path}：磁盘已满，写不进数据库；已完成的都在，清理空间后再运行同一命令即可继续"
            ) from error
        raise StoreError(f"{path}：{_why(error, code)}") from error
    except UnicodeDecodeError as error:  # a text of the schema or a cell that no longer is one
        raise StoreError(f"{path}：{_DAMAGED}") from error
    except FileNotFoundError as error:
        raise StoreError(
            f"{path}：不能建立数据库，没有文件夹 {path.absolute().parent}；请先建立它，或用 --db 指定别处"
        ) from error
    except OSError as error:
        raise StoreError(f"{path}：不能建立数据库（{os_reason(error)}）；请检查文件夹和写权限") from error


def _is_full(path: Path) -> bool:
    """SQLCipher's driver does not say which writing failed."""
    try:
        return shutil.disk_usage(path.absolute().parent).free < 1 << 20
    except OSError:
        return False


def _unreadable(path: Path) -> StoreError:
    """A key that does not fit, none for a store that needs one, or no database: SQLite says the same of all three."""
    if cipher.given_key() is not None:
        return BadKey(f"{path}：给出的密钥打不开，密钥不对，或文件已损坏、不是数据库；请检查 {cipher.KEY_FILE}")
    if cipher.looks_encrypted(path):
        return BadKey(
            f"{path}：已加密（或文件头已损坏），没有给出密钥；请用 {cipher.KEY_FILE} 给出密钥文件，或从备份恢复"
        )
    return StoreError(f"{path}：{_DAMAGED}")


def _why(error: Exception, code: int) -> str:
    match code & 0xFF:
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return "数据库是只读的或打不开；请检查文件和所在文件夹的写权限"
        case sqlite3.SQLITE_CORRUPT:
            return _DAMAGED
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"数据库被另一个程序占用超过 {BUSY_SECONDS} 秒；请等它结束后再试"
        case _:
            return f"数据库读写失败（{error}）；请检查磁盘"


def _refuse_missing(path: Path) -> None:
    if not path.is_file():
        raise StoreError(f"{path}：没有这个数据库；请先运行 callaudit audit，或用 --db 指定已有的数据库")


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _make(path: Path) -> None:
    """Recordings of people's debts: readable by the owner alone from the first byte."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _migrations() -> Migrations:
    """Read when a store is opened: with sqlite-utils comes pandas, where it is installed, which no worker needs."""
    from audit.store.migrations import migrations

    return migrations


def _connect(path: Path, *, mode: str) -> tuple[Database, str | None]:
    """With the key that fits: the one given, or none for a store that is not encrypted."""
    from sqlite_utils import Database

    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = cipher.library().connect(uri, uri=True, timeout=BUSY_SECONDS)
    key = cipher.given_key()
    if key is not None:
        cipher.unlock(connection, key)
        if not cipher.fits(connection):
            connection.close()
            connection, key = cipher.library().connect(uri, uri=True, timeout=BUSY_SECONDS), None
            cipher.silence(connection)
    connection.execute("pragma foreign_keys = on")
    return Database(connection, execute_plugins=False), key


def _names(row: Mapping[str, Any]) -> str:
    return ", ".join(f'"{name}"' for name in row)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def packed(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
