"""report.xlsx: the same facts as the page, as data; nothing in it is ever executed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from audit import report_masks
from audit.errors import BadPath
from audit.figures import figures
from audit.report import Asked, read_report, write_report
from audit.report_xlsx import Column, Sheet, parts
from audit.store import Failure, Store


@pytest.fixture(scope="module")
def book(same_batch: Store) -> openpyxl.Workbook:
    return written(same_batch)


def written(store: Store, **options: Any) -> openpyxl.Workbook:
    path = store.path.parent / "report.xlsx"
    write_report(store, path, Asked(unmasked=True, reason="监管调阅", **options))
    return openpyxl.load_workbook(path)


def rows(sheet: Worksheet) -> list[dict[str, Any]]:
    heading, *body = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, heading), row, strict=True)) for row in body]


def test_seven_sheets_with_frozen_heads_and_filters(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == ["概览", "问题明细", "催收员", "通话", "还款承诺", "投诉", "失败"]
    assert {sheet.freeze_panes for sheet in book} == {"B2"}
    assert all(sheet.auto_filter.ref.startswith("A1:") for sheet in book)


def test_every_place_of_every_call_is_a_row_with_the_facts_of_the_page(book: openpyxl.Workbook) -> None:
    found = rows(book["问题明细"])
    assert len(found) == 6
    menace = next(row for row in found if row["规则"] == "menace-family")
    assert menace["通话编号"] == "c-threat"
    assert (menace["级别"], menace["判定"], menace["类别"]) == ("一票否决", "违规", "威胁恐吓")
    assert menace["原话"] == "你女儿是在实验小学三年级吧，路上小心一点"
    assert menace["依据条款"] == "某某催收规范 第 5.2 条（国家标准，条款核对 已核实）"
    assert menace["时间"] == timedelta(seconds=8.5)
    assert menace["轮次"] == 3


def test_moments_are_dates_and_shares_are_numbers(book: openpyxl.Workbook) -> None:
    call = next(row for row in rows(book["通话"]) if row["通话编号"] == "c-<script>")
    assert call["通话时间"] == datetime(2026, 11, 18, 10, 12, 5)
    assert call["时长"] == timedelta(seconds=30)
    assert call["角色判定置信度"] == 0.62
    assert (call["得分"], call["结论"], call["机器判定"]) == (50, "不合格", 2)


def test_both_formats_rest_on_the_same_figures(same_batch: Store, book: openpyxl.Workbook) -> None:
    counted = figures(read_report(same_batch))
    summary = {(row["分组"], row["项目"]): row for row in rows(book["概览"])}
    assert summary["概览", "机器判定"]["数值"] == counted.violations == 4
    assert summary["概览", "机器判定"]["存疑"] == counted.unsure == 1
    assert summary["级别", "高"]["数值"] == 2
    assert summary["概览", "机器判定有违规的通话"]["数值"].startswith("66.7% (2/3, 95% 置信区间 20.8%–93.9%)")
    people = {row["工号"]: row for row in rows(book["催收员"])}
    assert people["A02"]["每百通机器判定"] == 200
    assert people["A02"]["规定动作完成率"] == 0.5


def test_what_looks_like_a_formula_stays_text(same_batch: Store, book: openpyxl.Workbook) -> None:
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    assert any(cell.value == "=1+1" and cell.data_type == "s" for cell in cells)


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "http://example.org", "007"])
def test_a_name_of_any_kind_comes_back_as_it_was(stored: Callable[..., Store], threat_call: Any, text: str) -> None:
    book = written(stored(replace(threat_call, agent=("A1", text, "队"))))
    cell = book["催收员"]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


def test_failures_are_a_sheet(book: openpyxl.Workbook) -> None:
    (failure,) = rows(book["失败"])
    assert failure["文件"] == "坏 文件.wav"
    assert failure["原因"].startswith("文件是空的")
    assert isinstance(failure["失败时间（北京时间）"], datetime)


def test_an_empty_store_gives_a_workbook_with_heads_only(stored: Callable[..., Store]) -> None:
    book = written(stored())
    assert [len(rows(book[name])) for name in ("问题明细", "催收员", "通话", "失败")] == [0, 0, 0, 0]


@pytest.mark.parametrize(("by", "name"), [("team", "小组"), ("rule", "规则")])
def test_the_third_sheet_groups_as_asked(same_batch: Store, by: str, name: str) -> None:
    assert written(same_batch, by=by).sheetnames[2] == name


def test_rows_beyond_what_excel_holds_go_on_in_a_further_sheet() -> None:
    sheet = Sheet(name="通话", columns=(Column("n", 5, "number"),), rows=tuple((n,) for n in range(5)))
    got = [(part.name, [n for (n,) in part.rows]) for part in parts(sheet, limit=2)]
    assert got == [("通话", [0, 1]), ("通话 2", [2, 3]), ("通话 3", [4])]


def test_english_heads(same_batch: Store) -> None:
    book = written(same_batch, lang="en")
    assert book.sheetnames == ["Summary", "Findings", "Collectors", "Calls", "Promises", "Complaints", "Failures"]
    assert rows(book["Findings"])[0]["Outcome"] == "Violation"


def test_the_same_store_gives_the_same_bytes(same_batch: Store, tmp_path: Path) -> None:
    one, other = tmp_path / "one.xlsx", tmp_path / "other.xlsx"
    write_report(same_batch, one)
    write_report(same_batch, other)
    assert one.read_bytes() == other.read_bytes()


def test_another_ending_is_refused_by_name(same_batch: Store, tmp_path: Path) -> None:
    with pytest.raises(BadPath, match=r"报告\.pdf：报告只能写成 \.html 或 \.xlsx"):
        write_report(same_batch, tmp_path / "报告.pdf")


def test_a_folder_that_is_not_there_is_told(same_batch: Store, tmp_path: Path) -> None:
    with pytest.raises(BadPath, match="报告写不进去"):
        write_report(same_batch, tmp_path / "none" / "report.xlsx")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("recordings/20261118_B02_1104.amr", "recordings/20261118_B02_1104.amr"),
        ("20261118-093100.wav", "20261118-093100.wav"),
        ("20261118-093100-13800138000.wav", "***************************.wav"),
        ("13800138000.wav", "***********.wav"),
    ],
)
def test_a_masked_report_still_tells_which_recording_failed(name: str, told: str) -> None:
    failure = Failure(path=Path(name), call_id=None, reason=f"{name}：空文件", run=1, tries=1, failed_at=datetime.now(UTC))
    masked = report_masks.masked_failure(failure)
    assert (str(masked.path), masked.reason) == (told, f"{told}：空文件")
