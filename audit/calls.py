"""Call records: who called whom, when, about which case. Read from calls.csv, one row a call."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TypeVar

from audit.csv_lists import ListKind, cells_of, moment, open_list, read_cell
from audit.errors import BadCalls
from rules.model import RELATIONS

T = TypeVar("T")
MOST_DAYS = 36_500


_INBOUND = frozenset({"inbound", "incoming", "in", "i", "呼入", "客户呼入", "来电", "客户来电", "被叫"})


def is_inbound(direction: str | None) -> bool:
    """Whether a record's `direction` says that the other one called."""
    return (direction or "").strip().casefold() in _INBOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as the calling system knows it; everything but the id may be unknown.

    `path` is where the recording lies; None for an attempt that left none. `started_at` has an offset and is
    the debtor's local time; `duration_ms` as the calling system says; `agent_channel` 0 (left) or 1 (right).
    `extra` keeps the columns that callaudit has no use for.
    """

    call_id: str
    path: Path | None = None
    started_at: datetime | None = None
    duration_ms: int | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    team: str | None = None
    case_id: str | None = None
    debtor_id: str | None = None
    callee_relation: str | None = None
    direction: str | None = None
    answered: bool | None = None
    product: str | None = None
    days_overdue: int | None = None
    agent_channel: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


COLUMNS = tuple(
    {"path": "recording", "duration_ms": "duration"}.get(f.name, f.name)
    for f in fields(CallRecord)
    if f.name != "extra"
)
"""Columns of calls.csv that callaudit knows; docs/calls.md explains each."""

_KIND = ListKind(
    name="通话清单",
    example="call_id,recording,started_at",
    needed=(("call_id", "recording"),),
    refuse=BadCalls,
)
_YES_OR_NO = {"true": True, "1": True, "yes": True, "是": True, "false": False, "0": False, "no": False, "否": False}
_CHANNELS = {"0": 0, "left": 0, "左": 0, "1": 1, "right": 1, "右": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that can't be used: the line in the file, the sentence that says why, the recording it stands for."""

    line: int
    reason: str
    path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallList:
    """What a call list holds: calls and attempts (records without a path), and the rows that can't be used."""

    file: Path
    records: tuple[CallRecord, ...]
    bad: tuple[BadRow, ...]


def read_calls(file: Path, *, utc_offset: tzinfo) -> CallList:
    """Read calls.csv (UTF-8 with or without BOM, UTF-16, GBK). `BadCalls` where nothing of it can be used.

    `recording` is a path from the list's folder and may not leave it. Without that column the recording is the
    file named after call_id; without call_id, the recording's name is the id. A row without a recording, or
    not answered and with none, is an attempt.
    """
    found = open_list(file, _KIND)
    records: dict[str, tuple[int, CallRecord]] = {}
    bad: list[BadRow] = []
    for line, cells in found.rows:
        row = _Row(file, found.header, cells, utc_offset)
        try:
            record = row.record()
            if record.call_id in records:
                raise ValueError(f"call_id {record.call_id} 与第 {records[record.call_id][0]} 行重复；请改成唯一的编号")
            records[record.call_id] = (line, record)
        except ValueError as error:
            bad.append(BadRow(line=line, reason=f"{file} 第 {line} 行：{error}", path=row.path_or_none()))
    return CallList(file=file, records=tuple(record for _, record in records.values()), bad=tuple(bad))


def default_record(path: Path, *, call_id: str, utc_offset: tzinfo) -> CallRecord:
    """What a file name alone says: the time of the call where it holds one (20261119-151000)."""
    found = re.search(r"(?<!\d)(20\d{6})[-_T]?(\d{6})(?!\d)", path.stem)
    started_at = None
    if found:
        with contextlib.suppress(ValueError):
            started_at = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S").replace(tzinfo=utc_offset)
    return CallRecord(call_id=call_id, path=path, started_at=started_at)


class _Row:
    """One row's cells by column; each reader raises ValueError with column, value and what is expected."""

    def __init__(self, file: Path, header: Sequence[str], cells: Sequence[str], offset: tzinfo) -> None:
        self.folder = file.parent.absolute()
        self.cells = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        self.header, self.row = header, cells
        self.offset = offset

    def record(self) -> CallRecord:
        cells_of(self.header, self.row)
        path = self.path()
        call_id = self.cells.get("call_id") or ("" if path is None else path.stem)
        if not call_id:
            raise ValueError("call_id 和 recording 都是空的；至少要填一个")
        texts = ("agent_id", "agent_name", "team", "case_id", "debtor_id", "direction", "product")
        return CallRecord(
            call_id=call_id,
            path=path,
            started_at=self.read("started_at", self.time, "例如 2026-11-19T15:10:00+08:00 或 2026-11-19 15:10:00"),
            duration_ms=self.read("duration", _duration_ms, "秒数，或 分:秒"),
            callee_relation=self.read("callee_relation", _relation, f"可选：{'、'.join(RELATIONS)}"),
            answered=self.read("answered", _yes_or_no, "可选：true、false、1、0、是、否"),
            days_overdue=self.read("days_overdue", _days, "整数"),
            agent_channel=self.read("agent_channel", _channel, "0（左）或 1（右）"),
            extra={name: cell for name, cell in self.cells.items() if name not in COLUMNS},
            **{name: self.cells.get(name) or None for name in texts},
        )

    def path(self) -> Path | None:
        """Where the recording should lie; None for an attempt. Never outside the list's folder."""
        if "recording" not in self.header:
            answered = self.read("answered", _yes_or_no, "可选：true、false、1、0、是、否")
            name = Path(self.cells.get("call_id", "")).name
            return None if answered is False or not name else self.folder / name
        if not self.cells.get("recording"):
            return None
        name = self.cells["recording"].replace("\\", "/")
        path = Path(os.path.normpath(self.folder / name))
        if not path.is_relative_to(self.folder):
            raise ValueError(f"recording {name} 在清单所在文件夹之外；请用从 {self.folder} 起的相对路径")
        return path

    def path_or_none(self) -> Path | None:
        try:
            return self.path()
        except ValueError:
            return None

    def read(self, column: str, reader: Callable[[str], T], expected: str) -> T | None:
        return read_cell(self.cells, column, reader, expected)

    def time(self, cell: str) -> datetime:
        return moment(cell, self.offset)


def _duration_ms(cell: str) -> int:
    seconds = 0.0
    for part in cell.split(":"):
        seconds = seconds * 60 + float(part)
    if not 0 <= seconds < 86_400:
        raise ValueError
    return round(seconds * 1000)


def _days(cell: str) -> int:
    days = int(cell)
    if abs(days) > MOST_DAYS:  # a slip, and a little further no number that a store can hold
        raise ValueError
    return days


def _relation(cell: str) -> str:
    if cell not in RELATIONS:
        raise ValueError
    return cell


def _yes_or_no(cell: str) -> bool:
    return _YES_OR_NO[cell.lower()]


def _channel(cell: str) -> int:
    return _CHANNELS[cell.lower()]
