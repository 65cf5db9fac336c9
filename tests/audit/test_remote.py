"""Recordings at addresses: a real S3 server, a plain web server, an SFTP server are audited like a folder."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import paramiko
import pytest
from fsspec import get_filesystem_class

from audit.arrivals import Arrivals
from audit.clips import ClipUnavailable
from audit.errors import BadPath, Exit
from audit.listening import Listening
from audit.remote import address, fetched, files_below, identify, plain, refuse_secret, spelled
from audit.store import Store
from tests.audit.conftest import tone
from tests.audit.sftp import Host
from tests.audit.sharing import shared
from tests.conftest import write_calls, write_transcript
from transcribe.errors import UnreadableAudio

Run = Callable[..., CompletedProcess[str]]
SECRET = "wJalrXUtnFEMI-very-secret"
CALLS = 4


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


@pytest.fixture(scope="module")
def s3() -> Iterator[int]:
    """Port of an S3 server in a process of its own."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                put(port, "/calls", b"")
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until, "the S3 server does not answer"
                time.sleep(0.05)
        yield port
        server.kill()


def put(port: int, path: str, data: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    signed = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/s3/aws4_request"  # what is there is changed
    connection.request("PUT", path, body=data, headers={"Host": f"127.0.0.1:{port}", "Authorization": signed})
    assert connection.getresponse().status == 200
    connection.close()


def asking(port: int) -> dict[str, str]:
    """The environment of somebody with keys to the S3 server."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    return {**os.environ, **keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Address of a plain web server, the folder that it shows, and what it was asked."""
    folder = tmp_path / "web"
    folder.mkdir()
    with shared(folder) as (at, asked):
        yield at, folder, asked


def judged(db: Path) -> dict[str, tuple[str, int]]:
    with Store.read(db) as store:
        return {call.record.call_id: (call.recording, call.card.score) for call in store.calls()}


def test_a_bucket_is_audited_like_a_folder(tmp_path: Path, pack: Path, callaudit: Run, s3: int) -> None:
    folder = write_calls(tmp_path / "calls", CALLS)
    (folder / "calls.csv").write_text("call_id,recording,agent_id\nk1,c0001.json,A7\nk9,gone.json,A7\n", "utf-8")
    for file in folder.iterdir():
        put(s3, f"/calls/day/1/{file.name}", file.read_bytes())
    put(s3, "/calls/day/1/", b"")  # how consoles make a folder
    put(s3, "/calls/day/1/2//twice.json", b"{}")
    private = tmp_path / "tmp"
    private.mkdir()
    env = {**asking(s3), "TMPDIR": str(private)}
    given = ("--engine", "transcript", "--rules", pack, "--workers", "1")
    there = callaudit(
        "audit", "s3://calls/day", "--calls", "s3://calls/day/1/calls.csv", *given, "--db", "there.db", env=env
    )
    here = callaudit("audit", "calls", *given, "--db", "here.db")
    assert (there.returncode, here.returncode) == (Exit.SOME_FAILED, Exit.SOME_FAILED), there.stderr
    assert there.stdout == here.stdout, there.stderr
    assert judged(tmp_path / "there.db") == judged(tmp_path / "here.db")
    with Store.read(tmp_path / "there.db") as store:
        (path,) = [call.record.path for call in store.calls() if call.record.call_id == "k1"]
        assert path is not None
        assert spelled(path) == "s3://calls/day/1/c0001.json"
        kept = store.one("select bytes from recordings join calls on recording = recordings.id where call_id = 'k1'")
        assert kept == {"bytes": (folder / "c0001.json").stat().st_size}
        reasons = sorted(failure.reason for failure in store.failures())
    assert [reason.partition("：")[0] for reason in reasons] == ["s3://calls/day/1/2", "s3://calls/day/1/gone.json"]
    assert "请改名" in reasons[0]
    assert "通话清单里有 k9" in reasons[1]
    assert SECRET not in there.stdout + there.stderr
    assert list(private.iterdir()) == []  # what was fetched is gone

    again = callaudit("audit", "s3://calls/day/1", *given, "--db", "there.db", env=env)
    assert "完成 0 通，跳过已完成 4 通" in again.stderr
    refused = callaudit("audit", "s3://none/day", *given, env=env)
    assert refused.returncode == Exit.COULD_NOT_RUN
    assert "s3://none/day：没有这个文件或文件夹" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_bucket_is_watched_and_a_restart_fetches_nothing_again(
    tmp_path: Path, pack: Path, callaudit: Run, s3: int
) -> None:
    put(s3, "/watched", b"")
    folder = write_calls(tmp_path / "calls", 3)
    for file in folder.iterdir():
        put(s3, f"/watched/in/day/{file.name}", file.read_bytes())
    put(s3, "/watched/in/day/bad.json", b"{")
    put(s3, "/watched/in/calls.csv", b"call_id,recording,agent_id\nk1,day/c0001.json,A7\n")

    def watched() -> list[dict[str, object]]:
        command = ("watch", "s3://watched/in", "--once", "--settle", "0.1", "--engine", "transcript", "--rules", pack)
        done = callaudit(*command, env=asking(s3))
        assert done.returncode == Exit.SOME_FAILED, done.stderr  # the one that can't be read
        events = [json.loads(line) for line in done.stderr.splitlines()]
        return [event for event in events if event["event"] in ("batch", "left_there")]

    batch, left = watched()
    assert (batch["done"], batch["failed"], left["event"]) == (3, 1, "left_there")
    assert judged(tmp_path / "callaudit.db").keys() == {"c0000", "k1", "c0002"}
    write_transcript(folder / "c0002.json", "agent: 换了内容")
    put(s3, "/watched/in/day/c0002.json", (folder / "c0002.json").read_bytes())
    (batch,) = watched()
    assert (batch["done"], batch["skipped"], batch["failed"]) == (1, 0, 0)
    with Store.read(tmp_path / "callaudit.db") as store:
        (failure,) = store.failures()
        assert (spelled(failure.path), failure.tries) == ("s3://watched/in/day/bad.json", 1)
    assert not (tmp_path / "callaudit.db-quarantine").exists()


def test_a_web_share_is_audited_below_its_folder_only(
    tmp_path: Path, pack: Path, callaudit: Run, web: tuple[str, Path, list[str]]
) -> None:
    at, folder, asked = web
    write_transcript(folder / "录音/一 百%.json", "agent: 我们就爆你通讯录")
    write_transcript(folder / "录音/子/b.json", "agent: 您好")
    write_transcript(folder / "录音/.hidden.json", "agent: 您好")
    write_transcript(folder / "elsewhere.json", "agent: 您好")
    given = ("--engine", "transcript", "--rules", pack, "--workers", "1")
    done = callaudit("audit", f"{at}/录音/", *given)
    assert done.returncode == Exit.CLEAN, done.stderr
    assert sorted(judged(tmp_path / "callaudit.db")) == ["b", "一 百%"]
    assert [line for line in asked if line.startswith("GET") and "b.json" in line] == ["GET /录音/子/b.json HTTP/1.1"]
    (folder / "录音/子/b.json").unlink()
    assert callaudit("audit", f"{at}/录音/子/b.json", *given).returncode == Exit.SOME_FAILED
    with Store.read(tmp_path / "callaudit.db") as store:
        (failure,) = store.failures()
    assert failure.reason == f"{at}/录音/子/b.json：没有这个文件或文件夹；请检查地址"


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[tuple[Host, str, Path]]:
    """A host that shows tmp_path/share, the line that makes it known, and the home of a user whom it lets in."""
    host_key, user_key = (paramiko.ECDSAKey.generate() for _ in range(2))
    ssh = tmp_path / "home/.ssh"
    ssh.mkdir(parents=True)
    user_key.write_private_key_file(str(ssh / "id_ecdsa"))
    (tmp_path / "share").mkdir()
    host = Host(tmp_path / "share", host_key=host_key, user_key=user_key)
    yield host, f"[127.0.0.1]:{host.port} {host_key.get_name()} {host_key.get_base64()}\n", ssh.parent
    host.close()
    for system in get_filesystem_class("sftp")._cache.values():
        system.client.close()


def test_a_known_sftp_host_is_audited_and_an_unknown_one_refused(
    tmp_path: Path, pack: Path, callaudit: Run, sftp: tuple[Host, str, Path]
) -> None:
    host, line, home = sftp
    write_calls(tmp_path / "share/录音", 2)
    env = {**os.environ, "HOME": str(home), "SSH_AUTH_SOCK": ""}
    given = ("--engine", "transcript", "--rules", pack, "--workers", "1")
    unknown = callaudit("audit", f"sftp://127.0.0.1:{host.port}/录音", *given, env=env)
    (home / ".ssh/known_hosts").write_text(line)
    known = callaudit("audit", f"sftp://127.0.0.1:{host.port}/录音", *given, env=env)
    assert unknown.returncode == Exit.COULD_NOT_RUN
    assert "读取失败（SSHException）" in unknown.stderr
    assert known.returncode == Exit.CLEAN, known.stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        paths = [spelled(call.record.path) for call in store.calls() if call.record.path]
    assert sorted(paths) == [f"sftp://127.0.0.1:{host.port}/录音/c000{n}.json" for n in range(2)]


@pytest.mark.parametrize("kind", ["web", "sftp"])
def test_what_arrives_at_an_address_is_given_out_once_and_again_when_it_changes(
    kind: str, tmp_path: Path, web: tuple[str, Path, list[str]], sftp: tuple[Host, str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, folder = (web[0], web[1]) if kind == "web" else (f"sftp://127.0.0.1:{sftp[0].port}", tmp_path / "share")
    (sftp[2] / ".ssh/known_hosts").write_text(sftp[1])
    monkeypatch.setenv("HOME", str(sftp[2]))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (folder / "in").mkdir()
    arrivals = Arrivals(folders=[Path(f"{at}/in")], suffixes=frozenset({".wav"}), settle_seconds=10)

    def ready(now: float) -> list[str]:
        return [path.name for path in arrivals.ready(now)]

    (folder / "in/a.wav").write_bytes(b"1")
    assert (ready(0), arrivals.waiting()) == ([], 1)
    (folder / "in/a.wav").write_bytes(b"12")  # still being written
    assert (ready(10), ready(20), ready(30)) == ([], ["a.wav"], [])
    sftp[0].hang_up()
    (folder / "in/a.wav").write_bytes(b"123")
    (folder / "in/b.txt").write_bytes(b"1")
    assert ready(40) == []
    assert ready(50) + ready(60) == ["a.wav"]  # the lost connection may have cost a look
    assert (arrivals.waiting(), arrivals.away) == (0, 0)


def test_what_is_fetched_is_private_and_goes_again_also_after_an_error(web: tuple[str, Path, list[str]]) -> None:
    at, folder, _ = web
    (folder / "a.wav").write_bytes(b"sound" * 1000)
    place = Path(f"{at}/a.wav")
    with fetched(place) as copy:
        assert copy.read_bytes() == (folder / "a.wav").read_bytes()
        assert copy.parent.stat().st_mode & 0o077 == 0
    assert not copy.parent.exists()
    with pytest.raises(UnreadableAudio) as told, fetched(place) as copy:
        raise UnreadableAudio(copy, "不是录音")
    assert str(told.value) == f"{at}/a.wav：不是录音"
    assert not copy.parent.exists()
    (found, missing) = identify([place, Path(f"{at}/b.wav")])
    assert (found.sha256, found.bytes) == (hashlib.sha256(b"sound" * 1000).hexdigest(), 5000)
    assert missing.problem == f"{at}/b.wav：没有这个文件或文件夹；请检查地址"


def test_the_player_hears_what_lies_at_an_address_or_says_why_not(tmp_path: Path, web: tuple[str, Path, list[str]]) -> None:
    at, folder, _ = web
    tone(folder / "a.wav", hertz=400)
    place = Path(f"{at}/a.wav")
    (found,) = identify([place])
    assert Listening(folder=tmp_path / "kept").sound(place, found.sha256).duration_ms == 30_000
    (folder / "a.wav").unlink()
    with pytest.raises(ClipUnavailable, match=f"录音在 {at}/a.wav，现在取不到：没有这个文件"):
        Listening(folder=tmp_path / "none").sound(place, found.sha256)


def test_a_server_that_is_away_is_told_in_one_sentence() -> None:
    port = free_port()
    with pytest.raises(BadPath, match=rf"http://127.0.0.1:{port}/x：读取失败"):
        list(files_below(Path(f"http://127.0.0.1:{port}/x")))


@pytest.mark.parametrize(
    "given", ["s3://key:secret@b/a.wav", "https://h/a.wav?X-Amz-Signature=secret", "http://h/a#secret"]
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(BadPath) as told:
        refuse_secret(Path(given))
    assert "secret" not in str(told.value)


def test_addresses_survive_being_paths() -> None:
    assert address(Path("s3://b/k/a.wav")) == "s3://b/k/a.wav"
    assert address(Path("/data/s3:/a.wav")) is None
    assert address(Path("s3")) is None
    assert spelled(Path("/data/a.wav")) == "/data/a.wav"
    assert plain(Path("file:///data/a.wav")) == Path("/data/a.wav")
