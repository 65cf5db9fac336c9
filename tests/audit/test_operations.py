"""Runs and their signs of life, failures tried again, recordings handed in, the worker."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.access import LOCAL, Actor, Refused, Role
from audit.config import CHINA
from audit.errors import AuditError
from audit.ledger import Kind, recent
from audit.operations import State, TaskState, failures, retry, runs, size, tasks
from audit.quarantine import set_apart
from audit.store import Settings, Store
from audit.store.operations import sign_run
from audit.uploads import BadUpload, Inbox, Upload, safe_name, take_in
from audit.work import is_working, last_words, start_worker, waits, work

SETTINGS = Settings(
    tool_version="0.1.0", ruleset="r", ruleset_version="1", ruleset_digest="d", engine="transcript", model=None, options={}
)  # fmt: skip
REVIEWER = Actor(name="zhang", role=Role.REVIEWER)
TRAINER = Actor(name="li", role=Role.TRAINER)
COUNTS = {"total": 100, "done": 20, "skipped": 5, "failed": 1, "heard_ms": 60_000, "bytes": 250, "total_bytes": 1000}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "audit.db") as store:
        yield store


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(folder=tmp_path / "inbox", largest_bytes=1 << 20, utc_offset=CHINA)


def look(store: Store, **later: float) -> State:
    return runs(store, actor=LOCAL, now=datetime.now(UTC) + timedelta(**later))[0].state


def never() -> bool:
    return False


def failed(store: Store, path: Path) -> None:
    store.fail(path, f"{path}：坏了", call_id=None, run=store.start_run("audit", SETTINGS))


def test_a_run_says_how_far_it_is(store: Store) -> None:
    run = store.start_run("audit", SETTINGS)
    sign_run(store, run, COUNTS)
    state = runs(store, actor=LOCAL, now=datetime.now(UTC))[0]
    assert (state.state, state.total, state.skipped, state.share) == (State.RUNNING, 100, 5, 0.25)


def test_a_run_that_falls_silent_was_killed(store: Store) -> None:
    run = store.start_run("audit", SETTINGS)
    sign_run(store, run, COUNTS)
    assert look(store, seconds=30) is State.RUNNING
    assert look(store, seconds=90) is State.KILLED
    store.finish_run(run, status="finished", done=99, failed=1)
    assert look(store, seconds=90) is State.FINISHED


@pytest.mark.parametrize("ask", [runs, failures, tasks, size])
def test_who_may_not_see_operations_is_refused(store: Store, ask: Callable[..., object]) -> None:
    options = {"now": datetime.now(UTC)} if ask is runs else {}
    with pytest.raises(Refused):
        ask(store, actor=TRAINER, **options)


def test_who_may_only_look_hands_nothing_in_and_starts_nothing(store: Store, inbox: Inbox) -> None:
    for act in (
        lambda: retry(store, [Path("a.wav")], actor=REVIEWER),
        lambda: take_in(store, [Upload(name="a.wav", content=b"x")], inbox=inbox, actor=REVIEWER),
        lambda: start_worker(store, [], actor=REVIEWER),
    ):
        with pytest.raises(Refused):
            act()
    assert not inbox.folder.exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/通话 1.WAV", "通话 1.WAV"),
        ("..\\..\\boot.wav", "boot.wav"),
        ("/etc/cron.d/x.mp3", "x.mp3"),
        (".hidden.wav", "hidden.wav"),
        ("~$lock.wav", "lock.wav"),
        ("a\x00b\n\u202ec.wav", "abc.wav"),
        ("a:b|c?.wav", "a_b_c_.wav"),
        ("长" * 200 + ".wav", "长" * 40 + ".wav"),
        ("x" * 300 + ".wav", "x" * 120 + ".wav"),
    ],
)
def test_a_name_stays_where_it_is_put(name: str, kept: str) -> None:
    assert safe_name(name) == kept
    assert Path("/inbox", safe_name(name)).resolve().parent == Path("/inbox")


@pytest.mark.parametrize("name", ["", "..", "../..", ".wav", "noend", "/", "...wav", "\x00"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadUpload):
        safe_name(name)


@pytest.mark.parametrize(
    ("uploads", "says"),
    [
        ([("a.exe", b"MZ")], "不是录音"),
        ([("a.wav", b"")], "空文件"),
        ([("a.wav", b"x" * (1 << 20) + b"x")], "超过 1 MB"),
        ([("a.wav", b"x"), ("b/a.wav", b"y")], "两个文件同名"),
        ([("a.wav", b"x"), ("calls.csv", b"nothing")], "calls.csv"),
        ([("a.wav", b"x"), ("calls.csv", b"call_id,recording\nc1,../../etc/passwd\n")], "calls.csv"),
    ],
)
def test_one_bad_file_and_nothing_is_kept(
    store: Store, inbox: Inbox, uploads: list[tuple[str, bytes]], says: str
) -> None:
    with pytest.raises(AuditError, match=says):
        take_in(store, [Upload(name=n, content=c) for n, c in uploads], inbox=inbox, actor=LOCAL)
    assert not list(inbox.folder.rglob("*.*")) if inbox.folder.exists() else True
    assert not waits(store)
    assert recent(store) == []


def test_an_upload_is_kept_for_its_owner_alone_and_waits(store: Store, inbox: Inbox) -> None:
    taken = take_in(store, [Upload(name="../c1.wav", content=b"sound")], inbox=inbox, actor=LOCAL)
    task = tasks(store, actor=LOCAL)[0]
    assert taken.queued == ("c1.wav",)
    assert (task.state, task.path.read_bytes(), task.path.parent.parent) == (TaskState.WAITING, b"sound", inbox.folder)
    assert stat.S_IMODE(task.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(task.path.parent.stat().st_mode) == 0o700
    assert recent(store)[0].kind == Kind.UPLOAD


def test_two_uploads_of_one_name_do_not_meet(store: Store, inbox: Inbox) -> None:
    for content in (b"one", b"two"):
        take_in(store, [Upload(name="c1.wav", content=content)], inbox=inbox, actor=LOCAL)
    assert sorted(task.path.read_bytes() for task in tasks(store, actor=LOCAL)) == [b"one", b"two"]


def test_what_was_audited_already_is_not_taken_again(demo_like: Store, inbox: Inbox) -> None:
    call = next(demo_like.calls())
    assert call.record.path is not None
    again = Upload(name="again.wav", content=call.record.path.read_bytes())
    taken = take_in(demo_like, [again], inbox=inbox, actor=LOCAL)
    assert taken.known == {"again.wav": call.record.call_id}
    assert taken.queued == ()


@pytest.fixture
def demo_like(batch: Store) -> Store:
    return batch


def test_only_files_that_are_there_are_tried_again(store: Store, tmp_path: Path) -> None:
    there, gone, row = tmp_path / "a.wav", tmp_path / "gone.wav", tmp_path / "calls.csv:12"
    there.write_bytes(b"x")
    for path in (there, gone, row):
        failed(store, path)
    assert retry(store, [there, gone, row], actor=LOCAL) == [there]
    assert [task.state for task in tasks(store, actor=LOCAL)] == [TaskState.WAITING]
    assert recent(store)[0].data == {"recordings": 1}


def test_a_retry_ends_done_or_failed_once_more(store: Store, tmp_path: Path) -> None:
    paths = [tmp_path / "good.wav", tmp_path / "bad.wav"]
    for path in paths:
        path.write_bytes(b"x")
        failed(store, path)
    retry(store, paths, actor=LOCAL)
    failed(store, paths[1])
    state = {task.name: (task.state, task.reason is not None) for task in tasks(store, actor=LOCAL)}
    assert state == {"good.wav": (TaskState.WAITING, False), "bad.wav": (TaskState.FAILED, True)}


def test_the_worker_does_what_waits_and_what_comes_meanwhile(store: Store, inbox: Inbox) -> None:
    def hand_in(name: str) -> None:
        take_in(store, [Upload(name=name, content=name.encode())], inbox=inbox, actor=LOCAL)

    hand_in("one.wav")
    seen: list[str] = []

    def audit(paths: Sequence[Path]) -> None:
        if not seen:
            hand_in("two.wav")
        for path in paths:
            seen.append(path.name)
            failed(store, path)

    assert work(store, audit, stopped=never) == 2
    assert seen == ["one.wav", "two.wav"]
    assert not waits(store)


def test_a_stopped_worker_counts_what_is_over_and_leaves_the_rest(store: Store, inbox: Inbox) -> None:
    names = ("one.wav", "two.wav", "three.wav")
    take_in(store, [Upload(name=name, content=name.encode()) for name in names], inbox=inbox, actor=LOCAL)
    seen: list[Path] = []

    def audit_one(paths: Sequence[Path]) -> None:
        seen.append(paths[0])
        failed(store, paths[0])

    assert work(store, audit_one, stopped=lambda: bool(seen)) == 1
    assert len(seen) == 1
    assert waits(store)


def test_a_recording_in_quarantine_is_tried_again_where_it_came_from(store: Store, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    home = tmp_path / "in" / "bad.wav"
    home.write_bytes(b"x")
    failed(store, home)
    apart = Path(set_apart(store, failures(store, actor=LOCAL)[0], tmp_path / "apart").path)
    assert retry(store, [apart], actor=LOCAL) == [home]
    assert home.read_bytes() == b"x"
    assert list((tmp_path / "apart").iterdir()) == []
    assert [failure.path for failure in failures(store, actor=LOCAL)] == [home]


def test_a_recording_in_quarantine_stays_where_its_place_is_gone_or_taken(store: Store, tmp_path: Path) -> None:
    homes = [tmp_path / name / "bad.wav" for name in ("gone", "taken")]
    for home in homes:
        home.parent.mkdir()
        home.write_bytes(b"x")
        failed(store, home)
    apart = [Path(set_apart(store, failure, tmp_path / "apart").path) for failure in failures(store, actor=LOCAL)]
    homes[0].parent.rmdir()
    homes[1].write_bytes(b"another")
    assert retry(store, apart, actor=LOCAL) == []
    assert all(path.exists() for path in apart)
    assert not homes[0].parent.exists()
    assert homes[1].read_bytes() == b"another"


def test_a_recording_at_an_address_is_tried_again_there(store: Store) -> None:
    there = Path("s3://bucket/a.wav")
    failed(store, there)
    assert retry(store, [there], actor=LOCAL) == [there]
    tried: list[Path] = []
    work(store, tried.extend, stopped=never)
    assert tried == [there]
    assert [task.state for task in tasks(store, actor=LOCAL)] == [TaskState.WAITING]


def test_quarantine_may_lie_on_another_filesystem(store: Store, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        if os.stat(elsewhere).st_dev == os.stat(tmp_path).st_dev:
            pytest.skip("one filesystem only")
        home = Path(elsewhere) / "bad.wav"
        home.write_bytes(b"x" * 100_000)
        failed(store, home)
        note = set_apart(store, failures(store, actor=LOCAL)[0], tmp_path / "apart")
        assert not home.exists()
        assert Path(note.path).read_bytes() == b"x" * 100_000
        assert retry(store, [Path(note.path)], actor=LOCAL) == [home]
        assert home.read_bytes() == b"x" * 100_000
        assert [path.name for path in Path(elsewhere).iterdir()] == ["bad.wav"]


def test_the_worker_gives_up_on_what_changes_nothing(store: Store, inbox: Inbox) -> None:
    take_in(store, [Upload(name="one.wav", content=b"x")], inbox=inbox, actor=LOCAL)
    tried: list[Sequence[Path]] = []
    assert work(store, tried.append, stopped=never) == 0
    assert len(tried) == 1
    assert waits(store)


def test_what_vanished_from_the_inbox_waits_no_longer(store: Store, inbox: Inbox) -> None:
    take_in(store, [Upload(name="one.wav", content=b"x")], inbox=inbox, actor=LOCAL)
    tasks(store, actor=LOCAL)[0].path.unlink()
    work(store, lambda paths: pytest.fail(f"nothing is there: {paths}"), stopped=never)
    assert not waits(store)


def test_there_is_one_worker_at_a_time(store: Store, inbox: Inbox) -> None:
    take_in(store, [Upload(name="one.wav", content=b"x")], inbox=inbox, actor=LOCAL)

    def audit(paths: Sequence[Path]) -> None:
        assert is_working(store.path)
        assert not start_worker(store, [], actor=LOCAL)
        with Store.open(store.path) as other:
            assert work(other, lambda _: pytest.fail("a second worker"), stopped=never) == 0
        failed(store, paths[0])

    work(store, audit, stopped=never)
    assert not is_working(store.path)


def test_what_a_worker_died_of_is_told(store: Store) -> None:
    log = Path(f"{store.path}.worker.log")
    assert last_words(store.path) is None
    log.write_text("处理 3 个录音，失败 0 个\n", "utf-8")
    assert last_words(store.path) is None
    log.write_text("处理 3 个录音，失败 0 个\n错误：模型不在\n", "utf-8")
    assert last_words(store.path) == "模型不在"
