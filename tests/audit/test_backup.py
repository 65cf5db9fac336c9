"""Copies of a store made while others write, and the way back."""

from __future__ import annotations

import multiprocessing
import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from audit.access import LOCAL
from audit.backup import backup, restore
from audit.errors import BadPath, StoreError
from audit.ledger import Kind, recent, verify
from audit.lock import alone, at_work
from audit.store import Settings, Store

CALLS = 300
SETTINGS = Settings(
    tool_version="0.1.0", ruleset="r", ruleset_version="1", ruleset_digest="d",
    engine="transcript", model=None, options={},
)  # fmt: skip


def test_a_backup_is_private_whole_and_has_what_the_store_has(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        _fail(store, 3)
        copy = backup(store, tmp_path / "copy.db")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Store.read(copy) as kept:
        assert [f.path.name for f in kept.failures()] == ["0.wav", "1.wav", "2.wav"]
        assert kept.integrity() == "ok"


def test_into_a_folder_each_backup_has_a_name_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    with Store.open(tmp_path / "a.db") as store:
        names = {backup(store, tmp_path / "backups") for _ in range(2)}
    assert len(names) == 2


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("mine")
    with Store.open(tmp_path / "a.db") as store, pytest.raises(BadPath, match="不会覆盖"):
        backup(store, taken)
    assert taken.read_text() == "mine"


def test_a_backup_into_a_missing_folder_says_so(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store, pytest.raises(BadPath, match="不存在"):
        backup(store, tmp_path / "no" / "copy.db")


@pytest.mark.parametrize("named", ["mounted/", "mounted/."])
def test_a_name_with_a_slash_at_its_end_is_a_folder_that_must_be_there(
    tmp_path: Path, callaudit: Callable[..., CompletedProcess[str]], named: str
) -> None:
    Store.open(tmp_path / "callaudit.db").close()
    done = callaudit("backup", named)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{named}：没有这个文件夹" in done.stderr
    assert not (tmp_path / "mounted").exists()
    (tmp_path / "mounted").mkdir()
    assert callaudit("backup", named).returncode == 0
    assert len(list((tmp_path / "mounted").iterdir())) == 1


def test_backups_taken_while_another_process_writes_are_each_one_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    Store.open(path).close()
    writer = multiprocessing.get_context("spawn").Process(target=_write, args=(path,))
    writer.start()
    counts = []
    with Store.open(path) as store:
        while writer.is_alive():
            with Store.read(backup(store, tmp_path)) as copy:
                run = copy.last_run()
                counts.append((len(copy.failures()), run.calls_failed if run else 0))
    writer.join()
    assert writer.exitcode == 0
    assert counts
    assert all(failures == counted for failures, counted in counts)


def test_restoring_brings_the_old_state_back_and_keeps_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        _fail(store, 2)
        copy = backup(store, tmp_path / "copy.db")
        _fail(store, 5)
    kept = restore(copy, path, actor=LOCAL)
    assert kept is not None
    assert _failures(path) == 2
    assert _failures(kept) == 5
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Store.read(path) as store:
        assert [(e.kind, e.subject, e.data) for e in recent(store)] == [
            (Kind.RESTORE, "copy.db", {"replaced": kept.name})
        ]
        assert verify(store) is None


def test_restoring_where_nothing_stood(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        _fail(store, 1)
        copy = backup(store, tmp_path / "copy.db")
    assert restore(copy, tmp_path / "new.db", actor=LOCAL) is None
    assert _failures(tmp_path / "new.db") == 1


def test_nothing_is_restored_while_a_batch_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        copy = backup(store, tmp_path / "copy.db")
        _fail(store, 4)
    with at_work(path), at_work(path), pytest.raises(StoreError, match="批处理"):
        restore(copy, path, actor=LOCAL)
    with alone(path):
        assert _failures(path) == 4


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 50])
def test_what_is_no_backup_is_refused_and_the_store_stays(tmp_path: Path, content: bytes) -> None:
    path, bad = tmp_path / "a.db", tmp_path / "bad.db"
    with Store.open(path) as store:
        _fail(store, 1)
    bad.write_bytes(content)
    with pytest.raises(StoreError, match=r"bad\.db"):
        restore(bad, path, actor=LOCAL)
    assert _failures(path) == 1


def test_a_damaged_backup_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        _fail(store, 500)
        copy = backup(store, tmp_path / "copy.db")
    whole = bytearray(copy.read_bytes())
    middle = len(whole) // 4096 // 2 * 4096
    whole[middle : middle + 20_000] = b"\xff" * 20_000
    copy.write_bytes(whole)
    with pytest.raises(StoreError, match="损坏"):
        restore(copy, path, actor=LOCAL)
    assert _failures(path) == 500


def _fail(store: Store, count: int) -> None:
    run = store.last_run()
    number = run.id if run else store.start_run("audit", SETTINGS)
    for n in range(count):
        store.fail(Path(f"{n}.wav"), "试", call_id=None, run=number)


def _failures(path: Path) -> int:
    with Store.read(path) as store:
        return len(store.failures())


def _write(path: Path) -> None:
    with Store.open(path) as store:
        run = store.start_run("audit", SETTINGS)
        for n in range(CALLS):
            store.fail(Path(f"{n}.wav"), "试" * 500, call_id=None, run=run)
