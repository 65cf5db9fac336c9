"""Tables for other programs, as CSV or Excel: no cell is ever a formula, and each export stands in the ledger."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from unicodedata import east_asian_width

from audit import ledger
from audit.access import Action, Actor, require
from audit.store import Store

Form = Literal["csv", "xlsx"]
Cell = str | int | float | bool | date | datetime | None

MIME: dict[Form, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_WIDEST, _ARROW = 60, 4
"""Characters up to which a column is widened (longer texts wrap), and those of the filter's arrow beside a heading."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under headings. `name` is the sheet's (at most 31 characters), `subject` what the ledger calls it.

    `unmasked` says that personal data stands in it.
    """

    name: str
    subject: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    unmasked: bool = False


def export(store: Store, table: Table, form: Form, *, actor: Actor) -> bytes:
    """The table as a file, and the export in the ledger with its number of rows."""
    require(actor, Action.EXPORT_UNMASKED if table.unmasked else Action.EXPORT)
    content = csv_file(table) if form == "csv" else xlsx_file(table)
    data = {"form": form, "rows": len(table.rows), "unmasked": table.unmasked}
    ledger.record(store, actor=actor, kind=ledger.Kind.EXPORT, subject=table.subject, data=data)
    return content


def csv_file(table: Table) -> bytes:
    """UTF-8 with a byte order mark, by which Excel knows it; a text that would be a formula gets a quote before it."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([plain(heading) for heading in table.headings])
    writer.writerows([plain(cell) for cell in row] for row in table.rows)
    return file.getvalue().encode("utf-8-sig")


def xlsx_file(table: Table) -> bytes:
    """One sheet with a filter on the headings; texts stay texts."""
    import xlsxwriter

    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(table.name)
        top = {"valign": "top"}
        plain_cell, wrapped = book.add_format(top), book.add_format(top | {"text_wrap": True})
        day, minute = (book.add_format(top | {"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        sheet.write_row(0, 0, table.headings, book.add_format({"bold": True}))
        for number, row in enumerate(table.rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, minute if isinstance(cell, datetime) else day)
                elif cell is not None:
                    sheet.write(number, column, cell, wrapped if _width(cell) > _WIDEST else plain_cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.headings) - 1)
        for column, heading in enumerate(table.headings):
            widest = max((_width(row[column]) for row in table.rows), default=0)
            sheet.set_column(column, column, min(_WIDEST, max(widest + 1, _width(heading) + _ARROW)))
    return file.getvalue()


def _width(cell: Cell) -> int:
    """Characters that the longest line of a cell takes; a Chinese one takes two."""
    lines = str(plain(cell)).splitlines()
    return max((sum(2 if east_asian_width(c) in "WF" else 1 for c in line) for line in lines), default=0)


def plain(cell: Cell) -> str | int | float:
    """A cell of CSV that no program takes for a formula."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str):
        return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
    return "" if cell is None else cell
