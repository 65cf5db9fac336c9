"""What a batch finds, what it leaves out, and which call record a recording gets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from audit.calls import CallRecord, read_calls
from audit.config import CHINA
from audit.errors import BadPath
from audit.plan import SOUND, Plan, Wanted, make_plan
from tests.conftest import without_privileges


def plan(*paths: Path, lists: Sequence[Path] = (), known: Mapping[Path, Sequence[CallRecord]] | None = None) -> Plan:
    read = [read_calls(file, utc_offset=CHINA) for file in lists]
    return make_plan(paths, wanted=Wanted(suffixes=SOUND), lists=read, known=known or {}, utc_offset=CHINA)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def ids(found: Plan) -> dict[str, str]:
    return {record.call_id: record.path.name for record in found.records if record.path}


def test_recordings_are_found_below_by_suffix_without_hidden_and_cache_files(tmp_path: Path) -> None:
    touch(
        tmp_path, "a 通话.wav", "子/B.MP3", "子/.hidden.wav", ".trash/c.wav", "@eaDir/a.wav", "~$a.wav", "notes.txt",
        "calls.csv",
    )  # fmt: skip
    assert ids(plan(tmp_path)) == {"a 通话": "a 通话.wav", "B": "B.MP3"}


def test_a_file_that_is_named_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "x.voc")
    assert ids(plan(tmp_path / "x.voc", tmp_path / "x.voc")) == {"x": "x.voc"}


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadPath, match=r"none\.wav：没有这个文件或文件夹"):
        plan(tmp_path / "none.wav")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.wav")
    assert plan(tmp_path).records == ()
    assert "不是普通文件" in plan(tmp_path / "p.wav").refusals[0].reason


def test_a_folder_without_permission_is_refused_and_the_rest_goes_on(open_folder: Path) -> None:
    touch(open_folder, "closed/a.wav", "open/b.wav")
    (open_folder / "closed").chmod(0o000)
    with without_privileges():
        found = plan(open_folder)
    assert ids(found) == {"b": "b.wav"}
    (refusal,) = found.refusals
    assert refusal.path == open_folder / "closed"
    assert "进不了这个文件夹" in refusal.reason


def test_two_files_of_one_name_are_two_calls(tmp_path: Path) -> None:
    touch(tmp_path, "1/a.wav", "2/a.wav", "2/a.mp3")
    found = plan(tmp_path)
    assert len({record.call_id for record in found.records}) == 3
    assert found == plan(tmp_path)


def test_records_come_from_the_list_by_path_then_by_name(tmp_path: Path) -> None:
    touch(tmp_path, "lists/calls.csv", "sound/a.wav", "sound/b.wav", "sound/c2.wav")
    (tmp_path / "lists" / "calls.csv").write_text("call_id,recording,team\nc1,a.wav,一组\n", "utf-8")
    found = plan(tmp_path / "sound", lists=[tmp_path / "lists" / "calls.csv"])
    assert ids(found) == {"c1": "a.wav", "b": "b.wav", "c2": "c2.wav"}
    (tmp_path / "lists" / "calls.csv").write_text("call_id\nc2\n", "utf-8")
    assert ids(plan(tmp_path / "sound", lists=[tmp_path / "lists" / "calls.csv"]))["c2"] == "c2.wav"


def test_a_listed_recording_that_is_missing_is_refused_by_its_call_id(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    (tmp_path / "calls.csv").write_text("call_id,recording\nc1,a.wav\nc2,gone.wav\n", "utf-8")
    found = plan(tmp_path, lists=[tmp_path / "calls.csv"])
    assert [(refusal.call_id, refusal.path.name) for refusal in found.refusals] == [("c2", "gone.wav")]
    alone = plan(tmp_path / "a.wav", lists=[tmp_path / "calls.csv"])
    assert alone.refusals == ()  # nobody asked for the others


def test_a_recording_is_not_judged_by_half_a_record(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    (tmp_path / "calls.csv").write_text("call_id,recording,started_at\nc1,a.wav,gestern\nc2,b.wav,\n", "utf-8")
    found = plan(tmp_path, lists=[tmp_path / "calls.csv"])
    assert ids(found) == {"c2": "b.wav"}
    assert [refusal.path for refusal in found.refusals] == [tmp_path / "a.wav"]


def test_a_repeated_row_is_told_by_its_line_and_its_call_is_done(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    (tmp_path / "calls.csv").write_text("call_id,recording\nc1,a.wav\nc1,a.wav\n", "utf-8")
    found = plan(tmp_path, lists=[tmp_path / "calls.csv"])
    assert ids(found) == {"c1": "a.wav"}
    assert [refusal.path for refusal in found.refusals] == [Path(f"{tmp_path}/calls.csv:3")]


def test_the_store_knows_calls_of_earlier_runs(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    path = tmp_path / "a.wav"
    known = {path: [CallRecord(call_id="c1", path=path, team="二组")]}
    assert ids(plan(tmp_path, known=known)) == {"c1": "a.wav", "b": "b.wav"}
    (tmp_path / "calls.csv").write_text("call_id,recording\nnew,a.wav\n", "utf-8")
    renamed = plan(tmp_path, known=known, lists=[tmp_path / "calls.csv"])
    assert (ids(renamed)["new"], renamed.replaced) == ("a.wav", ("c1",))


def outside(tmp_path: Path) -> tuple[Path, Path]:
    """The folder that is named, and another beside it with somebody else's recording."""
    return touch(tmp_path / "named", "own.wav"), touch(tmp_path / "elsewhere", "deep/secret.wav")


def test_a_link_that_leads_out_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    named, elsewhere = outside(tmp_path)
    (named / "planted.wav").symlink_to(elsewhere / "deep" / "secret.wav")
    (named / "folder").symlink_to(elsewhere)
    (named / "list.csv").write_text("call_id,recording\nc1,planted.wav\nc2,own.wav\nc3,folder/deep/secret.wav\n", "utf-8")
    found = plan(named, lists=[named / "list.csv"])
    assert ids(found) == {"c2": "own.wav"}
    assert {refusal.path.name for refusal in found.refusals} == {"planted.wav", "folder"}
    for refusal in found.refusals:
        assert "是符号链接" in refusal.reason
        assert str(elsewhere) in refusal.reason
        assert "linked_folders" in refusal.reason


def test_a_link_is_refused_by_its_own_name_too(tmp_path: Path) -> None:
    named, elsewhere = outside(tmp_path)
    (named / "planted.wav").symlink_to(elsewhere / "deep" / "secret.wav")
    found = plan(named / "own.wav", named / "planted.wav")  # as the shell writes named/*.wav
    assert ids(found) == {"own": "own.wav"}
    assert [refusal.path.name for refusal in found.refusals] == ["planted.wav"]


def test_links_within_the_folder_and_to_the_folder_itself_are_followed(tmp_path: Path) -> None:
    named, _ = outside(tmp_path)
    (named / "again.wav").symlink_to("own.wav")
    (named / "circle").symlink_to(named)
    (tmp_path / "share").symlink_to(named)
    found = plan(tmp_path / "share")
    assert ids(found) == {"own": "own.wav", "again": "again.wav"}
    assert found.refusals == ()


def test_links_into_folders_that_the_configuration_names_are_followed(tmp_path: Path) -> None:
    named, elsewhere = outside(tmp_path)
    (named / "one.wav").symlink_to(elsewhere / "deep" / "secret.wav")
    (named / "folder").symlink_to(elsewhere / "deep")
    (elsewhere / "deep" / "circle").symlink_to(elsewhere / "deep")
    found = make_plan([named], wanted=Wanted(suffixes=SOUND, linked=(elsewhere,)), lists=(), known={}, utc_offset=CHINA)
    assert ids(found) == {"own": "own.wav", "one": "one.wav", "secret": "secret.wav"}
    assert found.refusals == ()
