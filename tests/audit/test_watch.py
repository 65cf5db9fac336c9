"""`callaudit watch`: what arrives is judged, what fails is set apart, a restart goes on; alerts and metrics."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.request import urlopen

import pytest

from audit.arrivals import Arrivals
from audit.batch import Interrupts
from audit.cli_watch import _audit
from audit.config import Config
from audit.errors import Exit
from audit.plan import TEXT
from audit.quarantine import MOST_TRIES, bring_back, set_apart_in
from audit.store import Store
from tests.conftest import write_calls, write_transcript
from tests.forked import Forked

Run = Callable[..., CompletedProcess[str]]
PATIENCE = 60
QUICK = ("--settle", "0.3", "--every", "0.1", "--engine", "transcript")


@pytest.fixture
def watching(tmp_path: Path, pack: Path) -> Iterator[Callable[..., Forked]]:
    """Starts the command as a service manager does; all are ended after the test."""
    started: list[Forked] = []

    def start(*more: str) -> Forked:
        (tmp_path / "in").mkdir(exist_ok=True)
        started.append(Forked("watch", "in", *QUICK, "--rules", pack, *more, folder=tmp_path))
        return started[-1]

    yield start
    for process in started:
        process.close()


def until(true: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError("it never happened")


def judged(db: Path) -> set[str]:
    if not db.exists():
        return set()
    with Store.open(db) as store:
        return set(store.done())


def failed(db: Path) -> list[Path]:
    if not db.exists():
        return []
    with Store.open(db) as store:
        return [failure.path for failure in store.failures()]


def test_what_arrives_is_judged_and_a_restart_goes_on(
    tmp_path: Path, watching: Callable[..., Forked]
) -> None:
    db = tmp_path / "callaudit.db"
    process = watching()
    write_transcript(tmp_path / "in" / "c1.json", "agent: 我们就爆你通讯录")
    until(lambda: judged(db) == {"c1"})
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == Exit.CLEAN
    events = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    by_name = {event["event"]: event for event in events}
    assert set(by_name) == {"watching", "batch", "stopping", "stopped"}
    assert (by_name["batch"]["done"], by_name["batch"]["failed"]) == (1, 0)
    assert "c1" not in told
    write_transcript(tmp_path / "in" / "c2.json", "agent: 您好")
    watching()
    until(lambda: judged(db) == {"c1", "c2"})


def test_a_bad_recording_is_set_apart_with_its_reason_and_the_rest_goes_on(
    tmp_path: Path, watching: Callable[..., Forked]
) -> None:
    write_calls(tmp_path / "in", 3)
    (tmp_path / "in" / "bad.json").write_text("{", "utf-8")
    process = watching("--once", "--quarantine", "apart")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == Exit.SOME_FAILED
    assert len(judged(tmp_path / "callaudit.db")) == 3
    assert not (tmp_path / "in" / "bad.json").exists()
    (note,) = set_apart_in(tmp_path / "apart")
    assert "bad.json" in note.reason
    with Store.read(tmp_path / "callaudit.db") as store:
        assert [str(failure.path) for failure in store.failures()] == [note.path]


def test_what_can_not_be_set_apart_stays_and_the_watch_goes_on(
    tmp_path: Path, watching: Callable[..., Forked]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.json").write_text("{", "utf-8")
    (tmp_path / "apart").write_text("no folder", "utf-8")
    process = watching("--quarantine", "apart")
    db = tmp_path / "callaudit.db"
    until(lambda: failed(db))
    write_transcript(tmp_path / "in" / "c1.json", "agent: 您好")
    until(lambda: judged(db) == {"c1"})
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == Exit.CLEAN
    assert [json.loads(line)["event"] for line in told.splitlines()].count("not_set_apart") == 1
    assert (tmp_path / "in" / "bad.json").exists()


def test_a_file_that_vanishes_before_it_is_judged_ends_nothing(tmp_path: Path, pack: Path) -> None:
    config, note = Config(db=tmp_path / "callaudit.db", rules=str(pack), engine="transcript"), tmp_path / "c1.json"
    write_transcript(note, "agent: 您好")
    arrivals = Arrivals(folders=[tmp_path], suffixes=TEXT, settle_seconds=0)
    with Store.open(config.db) as store, Interrupts(lambda: None) as interrupts:
        audit = _audit(arrivals, store, config, interrupts)
        assert audit([note, tmp_path / "gone.json"]) == {note, tmp_path / "gone.json"}
        assert arrivals.ready(time.monotonic()) == [note]
        assert audit([note]) == set()
        assert set(store.done()) == {"c1"}


def test_a_name_that_is_not_utf8_fails_where_it_is_and_the_rest_goes_on(
    tmp_path: Path, watching: Callable[..., Forked]
) -> None:
    write_calls(tmp_path / "in", 1)
    bad = write_transcript(tmp_path / "in" / os.fsdecode(b"\xd2.json"), "agent: 您好")
    assert watching("--once").wait(PATIENCE) == Exit.SOME_FAILED
    assert judged(tmp_path / "callaudit.db") == {"c0000"}
    assert bad.exists()
    with Store.read(tmp_path / "callaudit.db") as store:
        assert [failure.path.name for failure in store.failures()] == ["\\xd2.json"]


def test_a_bad_call_list_holds_back_its_own_folder_until_it_is_mended(
    tmp_path: Path, watching: Callable[..., Forked]
) -> None:
    write_calls(tmp_path / "in" / "good", 1)
    write_transcript(tmp_path / "in" / "bad" / "b.json", "agent: 您好")
    (tmp_path / "secret").write_text("root:x", "utf-8")
    bad_list = tmp_path / "in" / "bad" / "calls.csv"
    bad_list.symlink_to(tmp_path / "secret")
    assert watching("--once").wait(PATIENCE) == Exit.SOME_FAILED
    with Store.read(tmp_path / "callaudit.db") as store:
        (failure,) = store.failures()
    assert failure.path == bad_list
    assert "符号链接" in failure.reason
    assert "root:x" not in failure.reason
    assert len(judged(tmp_path / "callaudit.db")) == 1
    bad_list.unlink()
    bad_list.write_text("call_id,recording\nb9,b.json\n", "utf-8")
    assert watching("--once").wait(PATIENCE) == Exit.CLEAN
    assert "b9" in judged(tmp_path / "callaudit.db")


def test_a_bad_row_of_a_call_list_leaves_its_recording_where_it_is(
    tmp_path: Path, watching: Callable[..., Forked]
) -> None:
    write_transcript(tmp_path / "in" / "a.json", "agent: 您好")
    calls = tmp_path / "in" / "calls.csv"
    calls.write_text("call_id,recording,started_at\nc1,a.json,昨天下午\n", "utf-8")
    assert watching("--once").wait(PATIENCE) == Exit.SOME_FAILED
    assert (tmp_path / "in" / "a.json").exists()
    with Store.read(tmp_path / "callaudit.db") as store:
        (failure,) = store.failures()
    assert "calls.csv" in failure.reason
    calls.write_text("call_id,recording,started_at\nc1,a.json,2026-11-20 15:00\n", "utf-8")
    assert watching("--once").wait(PATIENCE) == Exit.CLEAN
    assert judged(tmp_path / "callaudit.db") == {"c1"}


def test_what_was_set_apart_is_tried_again_a_few_nights_and_then_waits(
    tmp_path: Path, watching: Callable[..., Forked]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.json").write_text("{", "utf-8")
    later = datetime.now().astimezone() + timedelta(days=1)
    for night in range(MOST_TRIES):
        assert watching("--once", "--quarantine", "apart", "--retry-at", "off").wait(PATIENCE) == Exit.SOME_FAILED
        (note,) = set_apart_in(tmp_path / "apart")
        assert note.tries == night + 1
        with Store.open(tmp_path / "callaudit.db") as store:
            back = bring_back(store, tmp_path / "apart", before=later)
        assert back == ([tmp_path / "in" / "bad.json"] if night + 1 < MOST_TRIES else [])


def test_a_mended_recording_leaves_no_failure_behind(
    tmp_path: Path, watching: Callable[..., Forked]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "c9.json").write_text("{", "utf-8")
    watching("--once", "--quarantine", "apart").wait(PATIENCE)
    with Store.open(tmp_path / "callaudit.db") as store:
        bring_back(store, tmp_path / "apart", before=datetime.now().astimezone() + timedelta(days=1))
    write_transcript(tmp_path / "in" / "c9.json", "agent: 您好")
    assert watching("--once", "--quarantine", "apart").wait(PATIENCE) == Exit.CLEAN
    assert judged(tmp_path / "callaudit.db") == {"c9"}
    assert list((tmp_path / "apart").iterdir()) == []


def test_metrics_are_served(tmp_path: Path, watching: Callable[..., Forked]) -> None:
    write_calls(tmp_path / "in", 2)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    watching("--metrics", f"127.0.0.1:{port}")
    until(lambda: len(judged(tmp_path / "callaudit.db")) == 2)
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    assert "callaudit_calls_total 2.0" in lines
    assert "callaudit_failures 0.0" in lines
    assert "callaudit_queue 0.0" in lines


@pytest.fixture
def webhook() -> Iterator[Callable[[], tuple[str, list[dict[str, Any]], list[int]]]]:
    """A server that takes messages; the last list is what it answers with, 200 when it is empty."""
    got: list[dict[str, Any]] = []
    answers: list[int] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield lambda: (f"json://127.0.0.1:{server.server_port}", got, answers)
    server.shutdown()
    server.server_close()
    thread.join()


def test_each_critical_finding_is_told_once_and_what_was_not_sent_is_sent_later(
    tmp_path: Path, pack: Path, callaudit: Run, webhook: Callable[[], tuple[str, list[dict[str, Any]], list[int]]]
) -> None:
    address, got, answers = webhook()
    (tmp_path / "callaudit.toml").write_text(f'alerts = ["{address}"]\n')
    (tmp_path / "in").mkdir()
    write_transcript(tmp_path / "in" / "c1.json", "agent: 我们就爆你通讯录")
    callaudit("audit", "in", "--engine", "transcript", "--rules", str(pack))
    answers.append(500)
    assert callaudit("alert").returncode == Exit.SOME_FAILED
    assert callaudit("alert").returncode == Exit.CLEAN
    assert callaudit("alert").returncode == Exit.CLEAN
    assert len(got) == 2
    assert "1 条一票否决" in got[1]["message"]
    assert "通讯录" not in json.dumps(got, ensure_ascii=False)
    write_transcript(tmp_path / "in" / "c2.json", "agent: 我们就爆你通讯录", "customer: 别")
    callaudit("audit", "in", "--engine", "transcript", "--rules", str(pack))
    assert callaudit("alert").returncode == Exit.CLEAN
    assert len(got) == 3


def test_a_wrong_address_is_named_by_its_number_alone(tmp_path: Path, pack: Path, callaudit: Run) -> None:
    (tmp_path / "callaudit.toml").write_text('alerts = ["nonsense:secret-token"]\n')
    write_calls(tmp_path / "in", 1)
    callaudit("audit", "in", "--engine", "transcript", "--rules", str(pack))
    result = callaudit("alert")
    assert result.returncode == Exit.COULD_NOT_RUN
    assert "第 1 个地址" in result.stderr
    assert "secret-token" not in result.stderr


def test_without_addresses_it_says_what_to_write(tmp_path: Path, pack: Path, callaudit: Run) -> None:
    write_calls(tmp_path / "in", 1)
    callaudit("audit", "in", "--engine", "transcript", "--rules", str(pack))
    assert "alerts = " in callaudit("alert").stderr
    assert callaudit("alert", "--dry-run").returncode == Exit.CLEAN
    shutil.rmtree(tmp_path / "in")
