"""A store written anew under another key, or none: held so that nobody writes meanwhile, copied, compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from audit.errors import StoreError
from audit.store import cipher
from audit.store.connection import told

_PATIENCE_SECONDS = 2.0


@contextmanager
def held(path: Path, key: str | None) -> Iterator[Any]:
    """The connection to a store that no other process has open, nor can open until the block ends."""
    with told(path), closing(_connect(path, key)) as connection:
        connection.execute("pragma locking_mode = exclusive")
        try:
            connection.execute("pragma journal_mode = delete")
            connection.execute("begin exclusive")
            connection.execute("commit")
        except cipher.database_errors() as error:
            if cipher.code(error) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            raise StoreError(
                f"{path}：有别的程序开着这个数据库（仪表盘、watch、批处理）；请先停止它们再试"
            ) from error
        yield connection


def copy(connection: Any, to: Path, key: str | None) -> None:
    """Write all that a held store has into the empty file `to`, under `key`."""
    with told(to):
        connection.execute("attach ? as copy key ?", [str(to), "" if key is None else cipher.as_sql(key)])
        connection.execute("select sqlcipher_export('copy')").fetchone()
        connection.commit()
        connection.execute("detach copy")


def compare(connection: Any, with_: Path, key: str | None) -> None:
    """`StoreError` where the copy is not whole, or differs from the held store in its tables or any row of them."""
    with told(with_), closing(_connect(with_, key)) as other:
        verdict = str(other.execute("pragma integrity_check(1)").fetchone()[0])
        if verdict != "ok" or _schema(connection) != _schema(other):
            raise _differs(with_)
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            everything = f'select * from "{table}" order by {_order(connection, table)}'
            mine, theirs = connection.execute(everything), other.execute(everything)
            try:
                if any(one != two for one, two in zip(mine, theirs, strict=True)):
                    raise _differs(with_)
            except ValueError:  # one has more rows
                raise _differs(with_) from None


def _differs(copy: Path) -> StoreError:
    return StoreError(f"{copy}：副本与原来的数据库不一致，没有替换；请检查磁盘后再试")


def _order(connection: Any, table: str) -> str:
    """By primary key where it has one: tables without row numbers are kept in that order."""
    keys = [name for _, name, _, _, _, at in connection.execute(f'pragma table_info("{table}")') if at]
    return ", ".join(f'"{name}"' for name in keys) or "rowid"


def _schema(connection: Any) -> list[Any]:
    return sorted(connection.execute("select type, name, tbl_name, sql from sqlite_master"), key=str)


def _connect(path: Path, key: str | None) -> Any:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = cipher.sqlcipher().connect(uri, uri=True, timeout=_PATIENCE_SECONDS)
    if key is None:
        cipher.silence(connection)
    else:
        cipher.unlock(connection, key)
    return connection
