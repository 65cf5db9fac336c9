"""complaints.csv as complaint systems write it, as they get it wrong, and from the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from audit.complaint_list import COLUMNS, ComplaintList, read_complaints
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CHANNELS
from audit.config import CHINA, BadConfig, Config, read_config
from audit.errors import BadComplaints

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 26)
HEADER = ",".join(COLUMNS) + "\n"
ROW = "2026-11-19 15:10,12378,孙鹏,D1,AJ1,A02,threat,说出我女儿的学校\n"


def read(folder: Path, text: str, encoding: str = "utf-8") -> ComplaintList:
    file = folder / "complaints.csv"
    file.write_bytes(text.encode(encoding))
    return read_complaints(file, utc_offset=CHINA, day=DAY)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_every_encoding_of_a_spreadsheet_is_read(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, HEADER + ROW, encoding)
    ((line, intake),) = found.intakes
    assert (line, found.bad) == (2, ())
    assert intake.received_at == datetime(2026, 11, 19, 15, 10, tzinfo=CHINA)
    assert (intake.complainant, intake.debtor_id, intake.text) == ("孙鹏", "D1", "说出我女儿的学校")


def test_an_uploaded_list_is_read_like_a_file(tmp_path: Path) -> None:
    raw = (HEADER + ROW).encode("gbk")
    found = read_complaints(Path("投诉.csv"), utc_offset=CHINA, day=DAY, uploaded=raw)
    assert found == read(tmp_path, HEADER + ROW)


@pytest.mark.parametrize("written", ["2026-11-19", "2026/11/19", "2026.11.19"])
def test_a_day_is_enough_for_a_complaint(tmp_path: Path, written: str) -> None:
    ((_, intake),) = read(tmp_path, f"received_at,channel,text\n{written},app,x\n").intakes
    assert intake.received_at == datetime(2026, 11, 19, tzinfo=CHINA)


@pytest.mark.parametrize(("written", "key"), [("客服热线", "hotline"), ("Court", "court"), (" 12345 ", "12345")])
def test_channels_may_be_said_in_words(tmp_path: Path, written: str, key: str) -> None:
    ((_, intake),) = read(tmp_path, f"received_at,channel,text,category\n2026-11-19,{written},x,威胁恐吓\n").intakes
    assert (intake.channel, intake.category) == (key, "threat")


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("received_at", "上周", "received_at 的值“上周”不对"),
        ("received_at", "2026-13-40", "received_at 的值“2026-13-40”不对"),
        ("received_at", "2062-11-19", "在将来"),
        ("received_at", "", "received_at 是空的"),
        ("channel", "传真", "channel 的值“传真”不对"),
        ("channel", "", "channel 是空的"),
        ("category", "乱写", "category 的值“乱写”不对"),
        ("text", " ", "投诉内容是空的"),
    ],
)
def test_a_bad_cell_costs_its_row_and_is_told_with_its_line(tmp_path: Path, column: str, value: str, told: str) -> None:
    cells = dict(zip(COLUMNS, ROW.strip().split(","), strict=True)) | {column: value}
    found = read(tmp_path, f"{HEADER}{','.join(cells.values())}\n{ROW}")
    assert len(found.intakes) == 1
    (sentence,) = found.bad
    assert "complaints.csv 第 2 行" in sentence
    assert told in sentence


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "是空的"),
        ("channel,text\n", "缺少 received_at 列"),
        ("received_at,channel,text,text\n", "列名重复"),
        ('received_at,channel,text\n"2026', "引号"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadComplaints, match=told):
        read(tmp_path, text)


def test_a_surplus_cell_costs_its_row(tmp_path: Path) -> None:
    found = read(tmp_path, f"{HEADER}{ROW.strip()},多出来\n")
    assert (found.intakes, len(found.bad)) == ((), 1)


def test_the_sample_list_is_good() -> None:
    found = read_complaints(ROOT / "samples/complaints.csv", utc_offset=CHINA, day=DAY)
    assert found.bad == ()
    assert len(found.intakes) == 11


def test_importing_twice_adds_nothing_and_bad_rows_give_exit_code_3(
    callaudit: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "c.csv").write_text(HEADER + ROW + ROW.replace("12378", "传真"), "gbk")
    first = callaudit("complaints", "import", "c.csv")
    assert (first.returncode, first.stdout) == (3, "")
    assert "第 3 行" in first.stderr
    assert "登记 1 条投诉" in first.stderr
    assert "登记 0 条投诉，已有 1 条" in callaudit("complaints", "import", "c.csv").stderr
    listed = callaudit("complaints", "due", "--within", 365, "--json")
    (one,) = map(json.loads, listed.stdout.splitlines())
    assert one["due_on"] == "2026-12-04"
    assert "孙鹏" not in listed.stdout + callaudit("complaints", "due").stdout


def test_the_periods_come_from_the_configuration(
    tmp_path: Path, callaudit: Callable[..., CompletedProcess[str]]
) -> None:
    (tmp_path / "callaudit.toml").write_text("complaint_days = [7, 20, 40]\ncomplaint_due_soon = 1\n", "utf-8")
    (tmp_path / "c.csv").write_text(HEADER + ROW, "utf-8")
    callaudit("complaints", "import", "c.csv")
    listed = callaudit("complaints", "due", "--within", 365, "--json")
    assert json.loads(listed.stdout)["due_on"] == "2026-11-26"


@pytest.mark.parametrize("value", ["15", "[15, 30]", "[30, 15, 60]", "[0, 30, 60]", '["15", "30", "60"]'])
def test_periods_that_make_no_sense_are_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "callaudit.toml").write_text(f"complaint_days = {value}\n", "utf-8")
    with pytest.raises(BadConfig, match="complaint_days"):
        read_config(tmp_path / "callaudit.toml")


def test_the_page_for_officers_names_every_column_channel_and_period() -> None:
    text = (ROOT / "docs/complaints.md").read_text("utf-8")
    assert [name for name in COLUMNS if f"| `{name}` |" not in text] == []
    assert [name for name in CHANNELS if name not in text] == []
    assert [name for name in ("dispute", "credit_record", "service", "other") if name not in text] == []
    assert set(re.findall(r"(\d+) 天", text)) >= {str(days) for days in Config().complaint_days}
    assert "threat" in CATEGORIES_OF_COMPLAINTS
