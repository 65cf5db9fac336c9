"""CSV lists as business systems and spreadsheets write them: encodings, headings, line numbers, cells, times."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

from audit.errors import AuditError, os_reason

T = TypeVar("T")
D = TypeVar("D", bound=date)

_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[ T]+(\d{1,2}):(\d\d)(?::(\d\d))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvList:
    """A list's column names (lower case) and its rows, each with the line that it starts on."""

    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKind:
    """What a list is: `name` is what people call it, `example` a heading to show them.

    Of each group in `needed` one column must be there; `refuse` is raised for a list that can't be used at all.
    """

    name: str
    example: str
    needed: tuple[tuple[str, ...], ...]
    refuse: type[AuditError]


def open_list(file: Path, kind: ListKind, *, uploaded: bytes | None = None) -> CsvList:
    """Open a list (UTF-8 with or without BOM, UTF-16, GBK); rows are read as they are asked for.

    `uploaded` is the content where `file` is only the name that it had elsewhere. Raises `kind.refuse`, also
    while rows are read.
    """
    name, refuse = kind.name, kind.refuse
    raw = _bytes(file, name, refuse) if uploaded is None else uploaded
    rows = csv.reader(io.StringIO(_text(file, raw, name, refuse), newline=""), strict=True)
    header = tuple(cell.strip().lower() for cell in _first(file, rows, refuse))
    if not header:
        raise refuse(f"{file}：{name}是空的；第一行要写列名，例如 {kind.example}")
    for group in kind.needed:
        if not set(group) & set(header):
            missing = "、".join(group)
            least = "，至少要有一列" if len(group) > 1 else ""
            raise refuse(f"{file}：缺少 {missing} 列{least}；现有的列：{'、'.join(header)}")
    repeated = sorted({cell for cell in header if cell and header.count(cell) > 1})
    if repeated:
        raise refuse(f"{file}：列名重复：{'、'.join(repeated)}；请每列只留一个")
    return CsvList(header=header, rows=_numbered(file, rows, refuse))


def cells_of(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """A row's cells by column, stripped; ValueError where there are more cells than columns."""
    if len(cells) > len(header):
        raise ValueError("单元格比列名多；请检查逗号和引号")
    return {column: cell.strip() for column, cell in zip(header, cells, strict=False)}


def read_cell(cells: Mapping[str, str], column: str, reader: Callable[[str], T], expected: str) -> T | None:
    """What `reader` makes of a cell; None where it is empty; ValueError names column, value and what is expected."""
    cell = cells.get(column)
    if not cell:
        return None
    try:
        return reader(cell)
    except (ValueError, KeyError):
        raise ValueError(f"{column} 的值“{cell}”不对；应为{expected}") from None


def moment(cell: str, offset: tzinfo) -> datetime:
    """A time as systems and spreadsheets write it, in UTC as of `offset`: no debtor lives there; ValueError for a day
    without an hour, and outside 1990 to 2100.

    Such a day read as midnight would be a call in the quiet hours.
    """
    found = _DATE.fullmatch(cell)
    if found:  # as spreadsheets write it: 2026/3/9 9:05
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        return plausible(datetime(year, month, day, hour, minute, second, tzinfo=offset))
    at = datetime.fromisoformat(cell)
    if len(cell) < len("2026-11-19T15"):
        raise ValueError
    local = at.replace(tzinfo=offset) if at.tzinfo is None else at
    return plausible(local if local.utcoffset() else local.astimezone(offset))


def plausible(when: D) -> D:
    """The same day or time; ValueError outside 1990 to 2100, where it is a slip and the calendar nearly ends."""
    if not 1990 <= when.year <= 2100:
        raise ValueError
    return when


def _bytes(file: Path, name: str, refuse: type[AuditError]) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise refuse(f"{file}：读不了{name}（{os_reason(error)}）；请检查路径和权限") from error


def _text(file: Path, raw: bytes, name: str, refuse: type[AuditError]) -> str:
    # GB18030 contains GBK and GB2312; it reads almost any bytes, so UTF-8 is tried first.
    encodings = ("utf-16",) if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    raise refuse(f"{file}：认不出{name}的编码；请另存为 UTF-8 或 GBK 的 CSV")


def _first(file: Path, rows: Any, refuse: type[AuditError]) -> list[str]:
    try:
        return next(rows, [])
    except csv.Error as error:
        raise refuse(f"{file} 第 1 行：引号没有配对或有非法字符（{error}）；请修正这一行") from None


def _numbered(file: Path, rows: Any, refuse: type[AuditError]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line they start on; empty lines are no rows."""
    line = rows.line_num + 1
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = rows.line_num + 1
    except csv.Error as error:
        raise refuse(f"{file} 第 {line} 行：引号没有配对或有非法字符（{error}）；请修正这一行") from None
