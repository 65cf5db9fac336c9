"""Files in watched folders: given out once, at rest, again when they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audit.arrivals import Arrivals
from audit.config import CHINA
from audit.plan import Wanted, make_plan


@pytest.fixture
def arrivals(tmp_path: Path) -> Arrivals:
    return Arrivals(folders=[tmp_path], suffixes=frozenset({".wav"}), settle_seconds=10)


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_file_is_given_out_once_and_only_at_rest(arrivals: Arrivals, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"1")
    assert arrivals.ready(0) == []
    assert arrivals.waiting() == 1
    assert arrivals.ready(9) == []
    assert names(arrivals.ready(10)) == ["a.wav"]
    assert arrivals.ready(30) == []
    assert arrivals.waiting() == 0


def test_a_watch_looks_where_an_audit_does(tmp_path: Path) -> None:
    inside, outside, elsewhere = tmp_path / "in", tmp_path / "share", tmp_path / "elsewhere"
    for file in (
        inside / "a.wav", inside / "day" / "b.wav", inside / "@eaDir" / "c.wav", inside / ".d.wav", inside / "~$e.wav",
        outside / "f.wav", elsewhere / "g.wav",
    ):  # fmt: skip
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"1")
    (inside / "link").symlink_to(outside)
    (inside / "out").symlink_to(elsewhere)
    wanted = Wanted(suffixes=frozenset({".wav"}), linked=(outside,))
    plan = make_plan([inside], wanted=wanted, lists=(), known={}, utc_offset=CHINA)
    arrivals = Arrivals(folders=[inside], suffixes=wanted.suffixes, settle_seconds=0, linked=wanted.linked)
    assert sorted(arrivals.ready(0)) == sorted(record.path for record in plan.records if record.path)
    assert names(sorted(arrivals.ready(1))) == []
    assert len(plan.records) == 3


def test_a_file_that_grows_waits(arrivals: Arrivals, tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    for second in range(0, 60, 6):
        file.write_bytes(b"1" * (second + 1))
        assert arrivals.ready(second) == []
    assert names(arrivals.ready(64)) == ["a.wav"]


def test_a_file_whose_times_are_old_or_in_the_future_waits_like_any_other(arrivals: Arrivals, tmp_path: Path) -> None:
    for name, stamp in (("old.wav", 0), ("future.wav", 4_000_000_000)):
        (tmp_path / name).write_bytes(b"1")
        os.utime(tmp_path / name, (stamp, stamp))
    assert arrivals.ready(0) == []
    assert names(arrivals.ready(10)) == ["future.wav", "old.wav"]


def test_a_file_that_changes_later_is_given_out_again(arrivals: Arrivals, tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(b"1")
    arrivals.ready(0)
    arrivals.ready(10)
    file.write_bytes(b"22")
    assert arrivals.ready(20) == []
    assert names(arrivals.ready(30)) == ["a.wav"]


def test_a_changed_call_list_brings_its_folder(arrivals: Arrivals, tmp_path: Path) -> None:
    (tmp_path / "day" / "team").mkdir(parents=True)
    (tmp_path / "day" / "team" / "a.wav").write_bytes(b"1")
    (tmp_path / "b.wav").write_bytes(b"1")
    arrivals.ready(0)
    assert len(arrivals.ready(10)) == 2
    (tmp_path / "day" / "calls.csv").write_text("call_id\n")
    arrivals.ready(20)
    assert names(arrivals.ready(30)) == ["a.wav"]


def test_hidden_and_half_written_names_and_other_files_are_left_alone(arrivals: Arrivals, tmp_path: Path) -> None:
    for name in (".a.wav", "~$b.wav", "c.wav.part", "d.txt"):
        (tmp_path / name).write_bytes(b"1")
    arrivals.ready(0)
    assert arrivals.ready(10) == []


def test_a_share_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    share = tmp_path / "share"
    arrivals = Arrivals(folders=[share], suffixes=frozenset({".wav"}), settle_seconds=1)
    assert arrivals.ready(0) == []
    share.mkdir()
    (share / "a.wav").write_bytes(b"1")
    arrivals.ready(1)
    assert names(arrivals.ready(2)) == ["a.wav"]


def test_what_an_address_gave_is_not_forgotten_while_it_is_out_of_reach(tmp_path: Path) -> None:
    there = Path("http://127.0.0.1:1/in")
    arrivals = Arrivals(folders=[there, tmp_path], suffixes=frozenset({".wav"}), settle_seconds=0)
    arrivals.remember({there / "a.wav": "5 etag"})
    (tmp_path / "b.wav").write_bytes(b"1")
    assert names(arrivals.ready(0)) == ["b.wav"]
    assert arrivals.away == 1
    assert arrivals.given_there([there / "a.wav", tmp_path / "b.wav"]) == {there / "a.wav": "5 etag"}
    arrivals.forget([tmp_path / "b.wav"])
    assert names(arrivals.ready(1)) == ["b.wav"]
