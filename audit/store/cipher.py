"""The key of an encrypted store, and the SQLite that reads it: SQLCipher where a key is given, else Python's own.

The key comes from the environment, because every process that opens the store needs it (workers, dashboard, the
worker that the dashboard starts) and it must stand in no command line, no configuration and no message.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import sys
from functools import cache
from pathlib import Path
from typing import Any

from audit.errors import BadKey, os_reason

KEY, KEY_FILE = "CALLAUDIT_KEY", "CALLAUDIT_KEY_FILE"
_HOW = f"请用 {KEY_FILE} 给出密钥文件，或用 {KEY} 给出密钥"


def given_key() -> str | None:
    """64 hexadecimal digits from the environment, None where it has none; `BadKey`."""
    return _key(os.environ.get(KEY_FILE, ""), os.environ.get(KEY, ""))


@cache
def _key(file: str, text: str) -> str | None:
    if file and text:
        raise BadKey(f"{KEY_FILE} 和 {KEY} 只能设一个")
    return read_key(Path(file)) if file else _checked(text, KEY) if text else None


def read_key(file: Path) -> str:
    """The key in a file; `BadKey`."""
    try:
        return _checked(file.read_text("ascii"), str(file))
    except OSError as error:
        raise BadKey(f"{file}：读不了密钥文件（{os_reason(error)}）；{_HOW}") from error
    except UnicodeDecodeError:
        raise BadKey(f"{file}：不是密钥文件；{_HOW}") from None


def _checked(text: str, where: str) -> str:
    """A passphrase would have to be stretched on every opening of the store, a quarter of a second each."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text.strip()):
        raise BadKey(f"{where}：密钥要是 64 位十六进制数；请用 callaudit encrypt --new-key 文件 生成")
    return text.strip().lower()


def make_key(file: Path) -> str:
    """Write a fresh key to a file that must not be there yet, for its owner only; returns it. `BadKey`."""
    key = secrets.token_hex(32)
    try:
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as out:
            out.write(f"{key}\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise BadKey(f"{file}：写不了密钥文件（{os_reason(error)}）；已有的密钥文件不会被覆盖") from error
    return key


def library() -> Any:
    """What connects: one SQLite in a process, since two on one file drop each other's locks.

    https://sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application
    """
    return sqlite3 if given_key() is None else sqlcipher()


def sqlcipher() -> Any:
    """SQLCipher with the DB-API of sqlite3; `BadKey` where it is not installed."""
    try:
        from sqlcipher3 import dbapi2
    except ImportError:
        raise BadKey("加密的数据库需要 sqlcipher3；请运行 pip install 'callaudit[encryption]'") from None
    return dbapi2


def database_errors() -> tuple[type[Exception], ...]:
    """What a connection of either library raises."""
    loaded = sys.modules.get("sqlcipher3.dbapi2")
    return (sqlite3.DatabaseError,) if loaded is None else (sqlite3.DatabaseError, loaded.DatabaseError)


def code(error: BaseException) -> int:
    """SQLite's code of what a connection raised; 0 where it has none."""
    return int(getattr(error, "sqlite_errorcode", 0))


def unlock(connection: Any, key: str) -> None:
    """Before anything else is asked of a connection. A raw key: nothing is stretched."""
    silence(connection)
    connection.execute(f"pragma key = \"{as_sql(key)}\"")


def silence(connection: Any) -> None:
    """SQLCipher's own words would go to stderr beside ours."""
    connection.execute("pragma cipher_log_level = none")


def fits(connection: Any) -> bool:
    """Whether what was unlocked can be read; an empty file can be."""
    try:
        connection.execute("select 1 from sqlite_master limit 1").fetchone()
    except database_errors() as error:
        if code(error) & 0xFF != sqlite3.SQLITE_NOTADB:
            raise
        return False
    return True


def looks_encrypted(path: Path) -> bool:
    """Whether a file that is no plain database has the shape of an encrypted one: whole pages and no heading.

    Only for files that no connection of this process has open: closing the file would drop the locks of those.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
        return len(head) == 16 and path.stat().st_size % 4096 == 0 and not head.startswith(b"SQLite format 3")
    except OSError:
        return False


def as_sql(key: str) -> str:
    """A key as SQLCipher takes it raw; nothing but digits gets here."""
    return f"x'{key}'"
