"""Many calls through worker processes: nothing twice, nothing lost, every failure with its reason."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from audit.store import Store
from tests.conftest import write_calls, write_transcript

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def audit(tmp_path: Path, callaudit: Run, pack: Path) -> Run:
    """`callaudit audit` on transcripts, with the tiny pack and one worker unless said otherwise."""
    (tmp_path / "callaudit.toml").write_text("second_opinion = false\n")  # a worker starts in less time without

    def run(*args: object) -> CompletedProcess[str]:
        extra = () if "--rules" in args else ("--rules", pack)
        return callaudit("audit", *args, "--engine", "transcript", "--workers", 1, *extra)

    return run


def test_a_batch_prints_its_calls_and_says_where_the_rest_is(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 4)
    (tmp_path / "calls" / "calls.csv").write_text("call_id,recording,agent_name\nk0,c0000.json,王敏\n", "gbk")
    done = audit("calls")
    assert done.returncode == 0
    assert "王敏" in next(line for line in done.stdout.splitlines() if "k0" in line)
    assert "c0003" in done.stdout
    assert "完成 4 通，跳过已完成 0 通，失败 0 通；结果在 callaudit.db" in done.stderr
    assert "callaudit report" in done.stderr.splitlines()[-1]
    with Store.read(tmp_path / "callaudit.db") as store:
        scores = {call.record.call_id: call.card.score for call in store.calls()}
    assert scores == {"k0": 0, "c0001": 100, "c0002": 100, "c0003": 0}


@pytest.mark.parametrize(("level", "code"), [("critical", 1), ("info", 1)])
def test_violations_at_or_above_the_level_give_exit_code_1(tmp_path: Path, audit: Run, level: str, code: int) -> None:
    write_calls(tmp_path / "calls", 1)
    assert audit("calls", "--fail-on", level).returncode == code


def test_violations_below_the_level_give_exit_code_0(tmp_path: Path, audit: Run) -> None:
    write_transcript(tmp_path / "a.json", "agent: 你这个臭老赖")
    assert audit("a.json", "--fail-on", "high").returncode == 0
    assert audit("a.json", "--fail-on", "medium").returncode == 1


def test_the_same_command_again_does_nothing_twice(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 3)
    first = audit("calls")
    again = audit("calls")
    assert "完成 0 通，跳过已完成 3 通" in again.stderr
    assert again.stdout == first.stdout
    write_transcript(tmp_path / "calls" / "c0001.json", "agent: 换了内容")
    assert "完成 1 通，跳过已完成 2 通" in audit("calls").stderr


def test_other_rules_need_no_sound(tmp_path: Path, audit: Run, pack: Path) -> None:
    write_calls(tmp_path / "calls", 2)
    audit("calls")
    other = tmp_path / "other.yaml"
    other.write_text(
        pack.read_text("utf-8").replace("[爆你通讯录]}]\n    ex", "[尽快处理, 爆你通讯录]}]\n    ex"), "utf-8"
    )
    changed = audit("calls", "--rules", other)
    assert "完成 2 通" in changed.stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        assert [call.card.score for call in store.calls()] == [0, 0]
        run = store.last_run()
        assert run is not None
        assert run.calls_done == 2


def test_the_same_inputs_give_the_same_scorecards_byte_for_byte(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 4)
    audit("calls", "--db", "1.db")
    audit("calls", "--db", "2.db", "--workers", 2)
    cards = []
    for name in ("1.db", "2.db"):
        with Store.read(tmp_path / name) as store:
            cards.append([json.dumps(call.card.as_dict()) for call in store.calls()])
    assert cards[0] == cards[1]


def test_a_renamed_recording_stays_the_same_call(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 2)
    audit("calls")
    (tmp_path / "calls" / "c0000.json").rename(tmp_path / "calls" / "zz.json")
    done = audit("calls")
    assert "跳过已完成 2 通" in done.stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        paths = {call.record.call_id: call.record.path for call in store.calls()}
        assert len(list(store.records())) == 2
    assert paths == {"c0000": tmp_path / "calls" / "zz.json", "c0001": tmp_path / "calls" / "c0001.json"}


def test_a_copy_is_a_call_of_its_own_and_so_is_one_whose_original_is_out_of_reach(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 1)
    audit("calls")
    shutil.copy(tmp_path / "calls" / "c0000.json", tmp_path / "copy.json")
    audit("copy.json")
    (tmp_path / "calls").rename(tmp_path / "unmounted")
    shutil.copy(tmp_path / "copy.json", tmp_path / "third.json")
    audit("third.json")
    with Store.read(tmp_path / "callaudit.db") as store:
        assert set(store.done()) == {"c0000", "copy", "third"}


def test_two_files_with_the_same_bytes_are_one_recording_and_two_calls(tmp_path: Path, audit: Run) -> None:
    write_transcript(tmp_path / "calls" / "a.json", "agent: 我们就爆你通讯录")
    (tmp_path / "calls" / "b.json").write_bytes((tmp_path / "calls" / "a.json").read_bytes())
    assert "完成 2 通" in audit("calls").stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        calls = list(store.calls())
        assert [call.record.call_id for call in calls] == ["a", "b"]
        assert len({call.recording for call in calls}) == len(store.heard()) == 1
        assert [len(call.judgement.findings) for call in calls] == [1, 1]


def test_a_file_that_cannot_be_read_is_a_failure_until_it_can(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 3)
    broken = tmp_path / "calls" / "c0001.json"
    broken.write_text("{", "utf-8")
    done = audit("calls", "--fail-on", "critical")
    assert done.returncode == 3  # and not 1: what could not be judged weighs more
    assert "失败：" in done.stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        (failure,) = store.failures()
        assert (failure.path, failure.call_id, failure.tries) == (broken, "c0001", 1)
        assert "c0001.json" in failure.reason
        assert len(store.done()) == 2
    assert audit("calls").returncode == 3
    write_transcript(broken, "agent: 您好")
    assert audit("calls").returncode == 0
    with Store.read(tmp_path / "callaudit.db") as store:
        assert store.failures() == []
        assert len(store.done()) == 3


def test_a_name_that_is_not_utf8_is_a_failure_until_it_is_changed_and_the_rest_is_done(
    tmp_path: Path, audit: Run
) -> None:
    bad = write_transcript(tmp_path / "calls" / os.fsdecode(b"\xd2\xf401.json"), "agent: 您好")
    write_transcript(tmp_path / "calls" / os.fsdecode(b"\xd2") / "b.json", "agent: 请您尽快处理")
    write_transcript(tmp_path / "calls" / "c.json", "agent: 再见")
    done = audit("calls")
    assert done.returncode == 3
    assert "calls/\\xd2\\xf401.json：文件名或文件夹名不是 UTF-8" in done.stderr
    assert "完成 1 通，跳过已完成 0 通，失败 2 通" in done.stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        assert set(store.done()) == {"c"}
        failed = [(failure.path.name, failure.path.parent.name) for failure in store.failures()]
        assert failed == [("b.json", "\\xd2"), ("\\xd2\\xf401.json", "calls")]
    assert audit(bad).returncode == 3
    bad.rename(tmp_path / "calls" / "录01.json")
    (tmp_path / "calls" / os.fsdecode(b"\xd2")).rename(tmp_path / "calls" / "录")
    assert audit("calls").returncode == 0
    with Store.read(tmp_path / "callaudit.db") as store:
        assert store.failures() == []


def test_an_unknown_role_in_a_transcript_is_a_failure_that_names_it(tmp_path: Path, audit: Run) -> None:
    write_transcript(tmp_path / "calls" / "a.json", "boss: 还钱")
    write_transcript(tmp_path / "calls" / "b.json", "agent: 您好")
    done = audit("calls")
    assert done.returncode == 3
    assert "boss" in done.stderr
    assert "完成 1 通" in done.stderr


def test_bad_rows_are_told_kept_and_gone_when_mended(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 2)
    calls = tmp_path / "calls" / "calls.csv"
    calls.write_text("call_id,recording,started_at\nx,c0000.json,昨天\ny,c0001.json,\n,,\nz,gone.json,\n", "utf-8")
    done = audit("calls")
    assert done.returncode == 3
    assert done.stderr.count("calls/calls.csv 第 2 行：started_at 的值“昨天”不对") == 1
    assert "完成 1 通，跳过已完成 0 通，失败 2 通" in done.stderr
    calls.write_text("call_id,recording,started_at\nx,c0000.json,2026-11-19 10:00\ny,c0001.json,\n", "utf-8")
    assert audit("calls").returncode == 0
    with Store.read(tmp_path / "callaudit.db") as store:
        assert store.failures() == []
        assert set(store.done()) == {"x", "y"}


def test_a_list_that_is_none_stops_before_anything_is_done(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 1)
    (tmp_path / "calls" / "calls.csv").write_text("agent_id,team\nA1,x\n", "utf-8")
    done = audit("calls")
    assert done.returncode == 2
    assert "缺少 call_id、recording 列" in done.stderr
    assert not (tmp_path / "callaudit.db").exists()


def test_without_a_list_the_names_serve_and_people_are_warned(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 1)
    done = audit("calls")
    assert done.returncode == 0
    assert "提醒：没有通话清单 calls.csv" in done.stderr


def test_a_list_asked_for_that_is_not_there_stops_before_anything_is_done(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 1)
    done = audit("calls", "--calls", "typo.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "typo.csv：没有这个通话清单" in done.stderr
    assert not (tmp_path / "callaudit.db").exists()


def test_a_list_that_comes_later_replaces_the_names(tmp_path: Path, audit: Run) -> None:
    write_calls(tmp_path / "calls", 2)
    audit("calls")
    (tmp_path / "calls" / "calls.csv").write_text("call_id,recording\nnew,c0000.json\n", "utf-8")
    assert audit("calls").returncode == 0
    with Store.read(tmp_path / "callaudit.db") as store:
        assert set(store.done()) == {"new", "c0001"}


def test_imported_records_are_used_and_attempts_kept(tmp_path: Path, audit: Run, callaudit: Run) -> None:
    write_calls(tmp_path / "calls", 1)
    calls = tmp_path / "calls" / "list.csv"
    calls.write_text("call_id,recording,agent_id,answered\nk,c0000.json,A7,true\nt,,A7,false\n", "utf-8-sig")
    imported = callaudit("calls", "import", calls)
    assert (imported.returncode, imported.stdout) == (0, "")
    assert "存入 1 通、未接通 1 条" in imported.stderr
    assert audit(tmp_path / "calls" / "c0000.json").returncode == 0
    with Store.read(tmp_path / "callaudit.db") as store:
        assert [(call.record.call_id, call.record.agent_id) for call in store.calls()] == [("k", "A7")]
        assert [record.call_id for record in store.attempts()] == ["t"]
    calls.write_text("call_id,recording\nt,c0000.json\n", "utf-8")
    callaudit("calls", "import", calls)
    with Store.read(tmp_path / "callaudit.db") as store:  # the recording of an attempt has come after all
        assert list(store.attempts()) == []


def test_a_call_list_in_a_folder_whose_name_is_not_utf8_is_refused(tmp_path: Path, callaudit: Run) -> None:
    folder = os.fsencode(tmp_path) + b"/\xc2\xbc\xd2\xf4"
    os.mkdir(folder)
    Path(os.fsdecode(folder), "calls.csv").write_text("call_id,recording\nc1,a.wav\n", "utf-8")
    done = callaudit("calls", "import", os.fsdecode(folder + b"/calls.csv"))
    assert (done.returncode, "不是 UTF-8" in done.stderr) == (2, True)


def test_an_import_keeps_the_good_rows_and_returns_3(tmp_path: Path, callaudit: Run) -> None:
    (tmp_path / "l.csv").write_text("call_id,recording,answered\na,a.wav,?\nb,b.wav,1\n", "utf-8")
    done = callaudit("calls", "import", "l.csv")
    assert done.returncode == 3
    assert "第 2 行：answered 的值“?”不对" in done.stderr


def test_nothing_to_audit_is_told(tmp_path: Path, audit: Run) -> None:
    (tmp_path / "empty").mkdir()
    done = audit("empty")
    assert done.returncode == 2
    assert "没有找到录音" in done.stderr


def test_weights_that_cannot_be_had_stop_before_anything_is_done(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    done = callaudit("audit", "a.wav", "--model", "no-such-model", "--rules", pack)
    assert done.returncode == 2
    assert "no-such-model" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_pack_is_told_with_file_and_line(tmp_path: Path, audit: Run, pack: Path) -> None:
    write_calls(tmp_path / "calls", 1)
    pack.write_text(pack.read_text("utf-8").replace("severity: critical", "severty: critical"), "utf-8")
    done = audit("calls")
    assert done.returncode == 2
    assert "tiny.yaml:" in done.stderr
    assert "severty" in done.stderr
