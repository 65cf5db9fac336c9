"""An encrypted store: unreadable without its key, whole whatever happens while it is converted, the same inside."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from audit import ledger
from audit.access import LOCAL
from audit.backup import backup, restore
from audit.cli import cli
from audit.doctor import _store as look_at_store
from audit.encryption import decrypt, encrypt
from audit.errors import AuditError, BadKey, StoreError
from audit.evidence import evidence
from audit.listening import Listening, folder_of
from audit.store import Store, cipher
from audit.store.queue import items_of_call
from tests.audit.conftest import SETTINGS
from tests.audit.test_listening import heard, write_call
from transcribe.audio import fingerprint

KEY, OTHER = "5e" * 32, "a7" * 32
WORDS = "实验小学".encode()


@pytest.fixture
def plain(stored: Callable[..., Store], threat_call: Any, good_call: Any) -> Path:
    """A store in the clear, with calls and a ledger, that nobody has open."""
    with stored(threat_call, good_call) as store, store.writing():
        ledger.record(store, actor=LOCAL, kind=ledger.Kind.EXPORT, subject="x", data={})
    return store.path


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(cipher.KEY, KEY)
    return KEY


def everything(db: Path) -> dict[str, list[dict[str, Any]]]:
    with Store.read(db) as store:
        tables = [row["name"] for row in store.all("select name from sqlite_master where type = 'table' order by 1")]
        return {table: sorted(store.all(f'select * from "{table}"'), key=str) for table in tables}


def bytes_of(db: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(db.parent.glob(f"{db.name}*")) if path.is_file())


def test_a_store_made_with_a_key_holds_no_word_in_the_clear(
    key: str, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(plain) as store:  # the log beside it is still there
        assert store.key == KEY
        assert WORDS not in bytes_of(plain)
        assert not plain.read_bytes().startswith(b"SQLite format 3")
        assert items_of_call(store, "c-threat")
        assert evidence(store, "c-threat", reason="监管检查", actor=LOCAL).startswith(b"PK")
        assert ledger.verify(store) is None
    monkeypatch.delenv(cipher.KEY)
    with pytest.raises(BadKey, match=r"已加密.*没有给出密钥.*CALLAUDIT_KEY_FILE"):
        Store.read(plain)
    monkeypatch.setenv(cipher.KEY, OTHER)
    with pytest.raises(BadKey, match="密钥不对") as caught:
        Store.open(plain)
    assert OTHER not in str(caught.value)


def test_what_is_encrypted_decrypted_and_given_another_key_stays_the_same(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(plain)
    assert before["sqlite_sequence"]
    (folder_of(plain)).mkdir()
    (folder_of(plain) / "x.ogg").write_bytes(b"OggS")
    assert encrypt(plain, new_key=tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode) == 0o600
    assert WORDS not in bytes_of(plain)
    assert not folder_of(plain).exists()
    monkeypatch.setenv(cipher.KEY_FILE, str(tmp_path / "key"))
    assert everything(plain) == before
    assert not encrypt(plain)
    assert encrypt(plain, new_key=tmp_path / "second")
    with pytest.raises(BadKey):
        Store.read(plain)
    monkeypatch.setenv(cipher.KEY_FILE, str(tmp_path / "second"))
    assert everything(plain) == before
    assert decrypt(plain)
    assert not decrypt(plain)
    monkeypatch.delenv(cipher.KEY_FILE)
    assert everything(plain) == before
    with Store.open(plain) as store:
        assert ledger.verify(store) is None


def test_without_a_key_nothing_is_encrypted(plain: Path) -> None:
    with pytest.raises(BadKey, match="--new-key"):
        encrypt(plain)


@pytest.mark.parametrize("content", ["", "abc", "g" * 64, "5e" * 33, "口令"])
def test_a_key_that_is_none_is_refused_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "key").write_text(content, "utf-8")
    monkeypatch.setenv(cipher.KEY_FILE, str(tmp_path / "key"))
    with pytest.raises(BadKey, match="密钥") as caught:
        Store.open(tmp_path / "x.db")
    assert not content or content not in str(caught.value)
    assert not (tmp_path / "x.db").exists() or (tmp_path / "x.db").stat().st_size == 0


def test_a_key_file_that_is_missing_or_one_of_two_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cipher.KEY_FILE, str(tmp_path / "none"))
    with pytest.raises(BadKey, match="none：读不了密钥文件（不存在）"):
        Store.open(tmp_path / "x.db")
    monkeypatch.setenv(cipher.KEY, KEY)
    with pytest.raises(BadKey, match="只能设一个"):
        Store.open(tmp_path / "x.db")


def test_a_key_file_is_never_overwritten(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("mine")
    with pytest.raises(BadKey, match="已有同名的文件"):
        encrypt(plain, new_key=tmp_path / "key")
    assert (tmp_path / "key").read_text() == "mine"
    assert WORDS in bytes_of(plain)


def test_a_store_that_another_program_has_open_is_left_alone(plain: Path, key: str) -> None:
    reader = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('select * from calls'); print(); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", reader, plain], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdout.readline()
    with pytest.raises(StoreError, match="有别的程序开着这个数据库"):
        encrypt(plain)
    assert plain.read_bytes().startswith(b"SQLite format 3")
    other.communicate("\n")


def test_who_opened_the_file_before_it_was_replaced_is_told_and_loses_nothing_quietly(plain: Path, key: str) -> None:
    stale = sqlite3.connect(plain)  # has the file, and has not looked at it yet
    assert encrypt(plain)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        stale.execute("delete from calls")
    stale.close()


_KILLS = """
import os, shutil, signal, sys, time
from pathlib import Path
from audit.encryption import encrypt
store, folder, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
start = time.monotonic()
encrypt(Path(shutil.copy(store, folder / "timed.db")))
takes = time.monotonic() - start
for n in range(kills):
    db = Path(shutil.copy(store, folder / f"{n}.db"))
    child = os.fork()
    if child == 0:
        encrypt(db)
        os._exit(0)
    time.sleep(takes * n / kills * 1.3)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
"""A process of its own, because a process with threads had better not fork."""


def test_killed_at_any_moment_it_is_one_store_or_the_other(plain: Path, key: str, tmp_path: Path) -> None:
    kills = 5
    with Store.open(plain) as store, store.writing():
        run = store.start_run("audit", SETTINGS)
        for n in range(1000):
            store.fail(tmp_path / f"{n}.wav", "文件是空的", call_id=None, run=run)
    before = everything(plain)
    subprocess.run([sys.executable, "-c", _KILLS, plain, tmp_path, str(kills)], check=True, timeout=120)
    ends = []
    for db in (tmp_path / f"{n}.db" for n in range(kills)):
        assert everything(db) == before
        with Store.read(db) as store:
            ends.append(store.key)
        encrypt(db)
        assert WORDS not in bytes_of(db)
    assert None in ends


def test_a_backup_is_encrypted_like_its_store_and_one_from_before_is_told(
    plain: Path, key: str, tmp_path: Path
) -> None:
    with Store.read(plain) as store:
        before = backup(store, tmp_path / "before.db")
    assert encrypt(plain)
    with Store.read(plain) as store:
        after = backup(store, tmp_path / "after.db")
    assert WORDS not in after.read_bytes()
    inside = everything(plain)
    restore(after, plain, actor=LOCAL)
    noted = ("ledger", "sqlite_sequence")  # that it was restored
    assert {**everything(plain), **dict.fromkeys(noted)} == {**inside, **dict.fromkeys(noted)}
    done = CliRunner().invoke(cli, ["restore", str(before), "--db", str(plain)])
    assert (done.exit_code, "这个备份没有加密" in done.stderr) == (0, True)
    with pytest.raises(AuditError, match="没有加密；请运行 callaudit encrypt"):
        look_at_store(plain)
    assert KEY not in done.stderr


def test_kept_sound_is_sealed_and_sounds_the_same(tmp_path: Path) -> None:
    call = write_call(tmp_path / "call.wav")
    open_ = Listening(folder=tmp_path / "open").sound(call, fingerprint(call))
    sealed = Listening(folder=tmp_path / "sealed", key=KEY).sound(call, fingerprint(call))
    assert sealed.content == open_.content == open_.file.read_bytes()
    assert (sealed.peaks, sealed.duration_ms) == (open_.peaks, open_.duration_ms)
    for file in (tmp_path / "sealed").iterdir():
        assert b"OggS" not in file.read_bytes()
        assert b"peaks" not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Listening(folder=tmp_path / "sealed", key=OTHER).ready(call, fingerprint(call)) is None
    assert Listening(folder=tmp_path / "sealed", key=KEY).ready(call, fingerprint(call)) == sealed
    (tmp_path / "again.ogg").write_bytes(sealed.content)
    assert heard(tmp_path / "again.ogg").shape[0] == 2


def test_the_command_line_takes_the_key_from_a_file_and_never_says_it(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    done = CliRunner().invoke(cli, ["encrypt", "--new-key", str(file), "--db", str(plain)])
    assert (done.exit_code, "丢了密钥" in done.stderr) == (0, True)
    closed = CliRunner().invoke(cli, ["ledger", "verify", "--db", str(plain)])
    assert (closed.exit_code, "没有给出密钥" in closed.output) == (2, True)
    monkeypatch.setenv(cipher.KEY_FILE, str(file))
    opened = CliRunner().invoke(cli, ["ledger", "verify", "--db", str(plain)])
    assert opened.exit_code == 0
    assert file.read_text().strip() not in done.output + closed.output + opened.output
    assert CliRunner().invoke(cli, ["decrypt", "--db", str(plain)]).exit_code == 0
    monkeypatch.delenv(cipher.KEY_FILE)
    assert CliRunner().invoke(cli, ["ledger", "verify", "--db", str(plain)]).exit_code == 0
