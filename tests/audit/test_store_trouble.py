"""A store that can't be used: one sentence with the file's name, never a traceback, never a broken file."""

from __future__ import annotations

import resource
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from audit.errors import StoreError
from audit.store import Store
from tests.conftest import without_privileges, write_calls

Run = Callable[..., CompletedProcess[str]]


def test_a_new_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    Store.open(tmp_path / "x.db").close()
    assert stat.S_IMODE((tmp_path / "x.db").stat().st_mode) == 0o600


def test_a_store_without_write_permission_is_told(open_folder: Path) -> None:
    path = open_folder / "x.db"
    Store.open(path).close()
    path.chmod(0o444)
    with without_privileges(), pytest.raises(StoreError, match=r"x\.db：.*只读"):
        Store.open(path)
    with without_privileges(), Store.read(path) as store:  # a report of it can still be written
        assert list(store.calls()) == []


def test_a_folder_without_write_permission_is_told(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with without_privileges(), pytest.raises(StoreError, match=r"x\.db：不能建立数据库.*写权限"):
        Store.open(open_folder / "x.db")


def test_a_missing_folder_is_told_by_its_name(tmp_path: Path, callaudit: Run) -> None:
    write_calls(tmp_path / "calls", 1)
    done = callaudit("audit", "calls", "--engine", "transcript", "--db", "stores/2026/x.db")
    assert done.returncode == 2
    assert f"没有文件夹 {tmp_path / 'stores' / '2026'}；请先建立它，或用 --db 指定别处" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [b"this is no database, it only has the name of one" * 100, b"short"])
def test_a_file_that_is_no_store_is_told_and_left_alone(tmp_path: Path, callaudit: Run, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    write_calls(tmp_path / "calls", 1)
    done = callaudit("audit", "calls", "--engine", "transcript", "--db", "x.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert "x.db：不是数据库文件或文件已损坏" in done.stderr
    assert (tmp_path / "x.db").read_bytes() == content


def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("insert into _sqlite_migrations (migration_set, name) values ('callaudit', 'm999_later')")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="m999_later"):
        Store.open(path)


NEED_A_STORE = (
    "report --out r.html", "alert", "reaudit", "work", "conduct", "doctor --recount", "evidence c1 --reason 调取",
    "users list", "users disable 张敏", "users enable 张敏", "users role 张敏 --role officer", "users passwd 张敏",
    "sampling plan 抽检", "sampling draw 1 --from 2026-11-01 --to 2026-11-30", "retention forget D1 --reason 申请",
    "retention hold call c1 --reason 诉讼", "retention release 1",
)  # fmt: skip


@pytest.mark.parametrize("command", NEED_A_STORE)
def test_a_mistyped_store_is_told_and_none_is_made(tmp_path: Path, callaudit: Run, command: str) -> None:
    done = callaudit(*command.split(), "--db", "none.db", stdin="密码密码密码密码\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "none.db：没有这个数据库" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_program_is_told_and_left_alone(tmp_path: Path, callaudit: Run) -> None:
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("create table theirs (id)")
    other.close()
    content = (tmp_path / "other.db").read_bytes()
    done = callaudit("users", "list", "--db", "other.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert "other.db：不是 callaudit 的数据库" in done.stderr
    assert (tmp_path / "other.db").read_bytes() == content


def test_a_full_disk_stops_the_batch_and_loses_nothing(
    tmp_path: Path, callaudit: Run, installed: Run, pack: Path
) -> None:
    write_calls(tmp_path / "calls", 300)
    Store.open(tmp_path / "callaudit.db").close()
    most = (tmp_path / "callaudit.db").stat().st_size + 200_000
    command = ("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", 1)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    stopped = installed(*command, preexec_fn=full)
    assert stopped.returncode == 2
    assert "callaudit.db：磁盘已满" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        assert store.integrity() == "ok"
        assert 0 < len(store.done()) < 300
    resumed = callaudit(*command)
    assert resumed.returncode == 0
    with Store.read(tmp_path / "callaudit.db") as store:
        assert len(store.done()) == 300


def test_another_process_that_holds_the_store_is_waited_for_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.store.connection.BUSY_SECONDS", 0.1)
    path = tmp_path / "x.db"
    Store.open(path).close()
    other = sqlite3.connect(path)
    other.execute("begin immediate")
    with Store.open(path) as store, pytest.raises(StoreError, match="占用"):
        store.forget(["c1"])
    other.close()
