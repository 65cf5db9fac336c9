"""Tables for other programs: what is text stays text, and every export is known."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import ledger
from audit.access import Actor, Refused, Role
from audit.exports import Cell, Form, Table, csv_file, export, xlsx_file
from audit.store import Store

OFFICER = Actor(name="吴敏", role=Role.OFFICER)


def table(*cells: Cell) -> Table:
    return Table(name="投诉", subject="complaints", headings=("=列",), rows=tuple((cell,) for cell in cells))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_no_text_becomes_a_formula_and_none_is_lost(text: str) -> None:
    (_, (cell,)) = list(csv.reader(io.StringIO(csv_file(table(text)).decode("utf-8-sig"), newline="")))
    assert cell.lstrip("'") == text.lstrip("'")
    assert not cell.strip().startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+86", "-1", "@SUM(A1)", " =1", "\t=1"])
def test_what_looks_like_a_formula_is_marked_as_text(text: str) -> None:
    assert csv_file(table(text)).decode("utf-8-sig").splitlines()[1].lstrip('"').startswith("'")
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_file(table(text)))).active
    assert sheet is not None
    assert (sheet["A2"].data_type, sheet["A2"].value) == ("s", text)


def test_numbers_and_days_keep_their_kind() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_file(table(-3, 0.5, date(2026, 11, 20), None)))).active
    assert sheet is not None
    cells = [row[0].value for row in sheet.iter_rows(min_row=2)]
    assert cells[:2] == [-3, 0.5]
    assert sheet["A4"].value.date() == date(2026, 11, 20)
    assert csv_file(table(-3, date(2026, 11, 20))).decode("utf-8-sig").split() == ["'=列", "-3", "2026-11-20"]


def test_a_moment_keeps_its_minute_and_is_no_text() -> None:
    at = datetime(2026, 11, 20, 15, 10)
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_file(table(at)))).active
    assert sheet is not None
    assert (sheet["A2"].value, sheet["A2"].number_format) == (at, "yyyy-mm-dd hh:mm")
    assert csv_file(table(at)).decode("utf-8-sig").splitlines()[1] == "2026-11-20 15:10"


def test_a_column_is_as_wide_as_its_chinese_and_what_is_too_long_wraps() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_file(table("银行业保险业消费投诉")))).active
    assert sheet is not None
    assert sheet.column_dimensions["A"].width > 20
    assert not sheet["A2"].alignment.wrap_text
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_file(table("投诉" * 80)))).active
    assert sheet is not None
    assert 55 < sheet.column_dimensions["A"].width < 65
    assert sheet["A2"].alignment.wrap_text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_stands_in_the_ledger(batch: Store, form: Form) -> None:
    assert export(batch, table("a", "b"), form, actor=OFFICER)
    (entry,) = ledger.recent(batch, kind=ledger.Kind.EXPORT)
    assert (entry.subject, entry.data) == ("complaints", {"form": form, "rows": 2, "unmasked": False})


@pytest.mark.parametrize(("role", "unmasked"), [(Role.COLLECTOR, False), (Role.REVIEWER, True), (Role.TRAINER, True)])
def test_who_may_not_export_gets_nothing(batch: Store, role: Role, unmasked: bool) -> None:
    actor = Actor(name="x", role=role, agent_id="A01")
    with pytest.raises(Refused):
        export(batch, replace(table("a"), unmasked=unmasked), "csv", actor=actor)
    assert ledger.recent(batch, kind=ledger.Kind.EXPORT) == []
