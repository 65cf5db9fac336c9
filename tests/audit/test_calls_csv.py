"""calls.csv as calling systems and spreadsheets write it, and as they get it wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from audit.calls import COLUMNS, BadCalls, CallList, default_record, read_calls
from audit.config import CHINA

HEADER = "call_id,recording,started_at,duration,agent_id,agent_name,team,callee_relation,answered,工单号\n"
ROW = "c1,a.wav,2026-11-19T15:10:00+08:00,65.5,A1,王敏,一组,self,是,W-9\n"


def read(folder: Path, text: str, encoding: str = "utf-8") -> CallList:
    file = folder / "calls.csv"
    file.write_bytes(text.encode(encoding))
    return read_calls(file, utc_offset=CHINA)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_every_encoding_of_a_spreadsheet_is_read(tmp_path: Path, encoding: str) -> None:
    calls = read(tmp_path, HEADER + ROW, encoding)
    (record,) = calls.records
    assert calls.bad == ()
    assert (record.agent_name, record.team, record.extra) == ("王敏", "一组", {"工单号": "W-9"})
    assert record.path == tmp_path / "a.wav"
    assert record.duration_ms == 65_500
    assert record.answered is True


@pytest.mark.parametrize("written", ["2026-11-19 15:10:00", "2026/11/19 15:10", "2026-11-19T15:10:00+08:00"])
def test_times_without_an_offset_are_local(tmp_path: Path, written: str) -> None:
    (record,) = read(tmp_path, f"call_id,recording,started_at\nc1,a.wav,{written}\n").records
    assert record.started_at == datetime(2026, 11, 19, 15, 10, tzinfo=CHINA)


@pytest.mark.parametrize("written", ["2026-11-19T01:00:00Z", "2026-11-19T01:00:00+00:00"])
def test_a_time_in_utc_is_told_in_the_debtors_own(tmp_path: Path, written: str) -> None:
    (record,) = read(tmp_path, f"call_id,recording,started_at\nc1,a.wav,{written}\n").records
    assert record.started_at is not None
    assert record.started_at.isoformat() == "2026-11-19T09:00:00+08:00"


@pytest.mark.parametrize("row", ["A1", "A1,"])
def test_a_row_that_names_no_call_is_bad(tmp_path: Path, row: str) -> None:
    calls = read(tmp_path, f"agent_id,call_id\n{row}\n")
    assert calls.records == ()
    assert len(calls.bad) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("started_at", "2026-13-40 10:00"),
        ("started_at", "2026-11-19"),  # midnight would be a call in the quiet hours
        ("duration", "很久"),
        ("callee_relation", "邻居"),
        ("answered", "maybe"),
        ("days_overdue", "三十"),
        ("agent_channel", "2"),
        ("recording", "../别处.wav"),
        ("recording", "/etc/passwd"),
    ],
)
def test_a_bad_cell_costs_its_row_and_is_told_with_line_and_column(tmp_path: Path, column: str, value: str) -> None:
    columns = list(dict.fromkeys(["call_id", "recording", column]))
    good = ",".join({"call_id": "good", "recording": "g.wav"}.get(name, "") for name in columns)
    bad = ",".join({"call_id": "bad", "recording": "b.wav", column: value}.get(name, "") for name in columns)
    calls = read(tmp_path, ",".join(columns) + f"\n{bad}\n{good}\n")
    assert [record.call_id for record in calls.records] == ["good"]
    (row,) = calls.bad
    assert row.line == 2
    assert f"{tmp_path / 'calls.csv'} 第 2 行" in row.reason
    assert column in row.reason
    assert value in row.reason


def test_a_repeated_id_keeps_the_first_and_names_both_lines(tmp_path: Path) -> None:
    calls = read(tmp_path, "call_id,recording\nc1,a.wav\nc2,b.wav\nc1,c.wav\n")
    assert [record.call_id for record in calls.records] == ["c1", "c2"]
    assert calls.bad[0].line == 4
    assert "第 2 行" in calls.bad[0].reason
    assert calls.bad[0].path == tmp_path / "c.wav"


def test_lines_are_counted_through_cells_with_line_breaks(tmp_path: Path) -> None:
    calls = read(tmp_path, 'call_id,recording,备注\nc1,a.wav,"两\n行"\n\nc2,b.wav,x,y\n')
    assert [record.call_id for record in calls.records] == ["c1"]
    assert calls.bad[0].line == 5


def test_without_id_and_recording_the_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadCalls, match=r"calls\.csv：缺少 call_id、recording 列.*agent_id"):
        read(tmp_path, "agent_id,team\nA1,一组\n")


def test_only_recordings_are_enough(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "recording\n子文件夹/a 1.wav\n").records
    assert (record.call_id, record.path) == ("a 1", tmp_path / "子文件夹" / "a 1.wav")


def test_only_ids_are_enough(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "call_id\n../c1\n").records
    assert record.path == tmp_path / "c1"


def test_what_left_no_recording_is_an_attempt(tmp_path: Path) -> None:
    calls = read(tmp_path, "call_id,recording,answered,debtor_id\nc1,,false,D1\nc2,,,D1\n")
    assert [(record.path, record.answered) for record in calls.records] == [(None, False), (None, None)]


@pytest.mark.parametrize("text", ["", "\n", "call_id,call_id\n1,2\n", 'call_id,recording\nc1,"a.wav\n'])
def test_a_list_that_is_none_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadCalls, match=r"calls\.csv"):
        read(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_bytes(b"\xff\x80\x00\x81\xff")
    with pytest.raises(BadCalls, match="编码"):
        read_calls(tmp_path / "calls.csv", utc_offset=CHINA)


def test_file_names_tell_the_time_of_the_call() -> None:
    named = default_record(Path("/r/A01_20261119-151000_138.wav"), call_id="x", utc_offset=CHINA)
    assert named.started_at == datetime(2026, 11, 19, 15, 10, tzinfo=CHINA)
    assert default_record(Path("/r/20269999-999999.wav"), call_id="x", utc_offset=CHINA).started_at is None


def test_columns_are_those_of_the_design() -> None:
    assert set(COLUMNS) == {
        "call_id", "recording", "started_at", "duration", "agent_id", "agent_name", "team", "case_id", "debtor_id",
        "callee_relation", "direction", "answered", "product", "days_overdue", "agent_channel",
    }  # fmt: skip
