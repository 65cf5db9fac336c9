"""complaints.csv: one complaint a row, as complaint systems and spreadsheets write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path

from audit.complaint_record import Intake
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CHANNELS, key_of
from audit.complaints import ComplaintRefused, refuse_intake
from audit.csv_lists import ListKind, cells_of, moment, open_list, plausible, read_cell
from audit.errors import BadComplaints

COLUMNS = ("received_at", "channel", "complainant", "debtor_id", "case_id", "agent_id", "category", "text")
"""Columns of complaints.csv; docs/complaints.md explains each."""

_KIND = ListKind(
    name="投诉清单",
    example=",".join(COLUMNS),
    needed=(("received_at",), ("channel",), ("text",)),
    refuse=BadComplaints,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintList:
    """What a list holds: complaints with the line they stand on, and a sentence for each row that can't be used."""

    intakes: tuple[tuple[int, Intake], ...]
    bad: tuple[str, ...]


def read_complaints(file: Path, *, utc_offset: tzinfo, day: date, uploaded: bytes | None = None) -> ComplaintList:
    """Read complaints.csv (UTF-8 with or without BOM, UTF-16, GBK). `BadComplaints` where nothing can be used.

    `day` is today in Beijing. A day without an hour is taken: the clock counts days. `uploaded` is the content of
    a file that came through a browser.
    """
    found = open_list(file, _KIND, uploaded=uploaded)
    intakes, bad = [], []
    for line, cells in found.rows:
        try:
            intake = _intake(cells_of(found.header, cells), utc_offset)
            refuse_intake(intake, day=day)
            intakes.append((line, intake))
        except (ValueError, ComplaintRefused) as error:
            bad.append(f"{file} 第 {line} 行：{error}")
    return ComplaintList(intakes=tuple(intakes), bad=tuple(bad))


def _intake(cells: Mapping[str, str], offset: tzinfo) -> Intake:
    received = read_cell(
        cells, "received_at", lambda cell: _moment(cell, offset), "例如 2026-11-19 15:10 或 2026-11-19"
    )
    channel = read_cell(cells, "channel", lambda cell: key_of(cell, CHANNELS), f"可选：{'、'.join(CHANNELS)}")
    names = [f"{key}（{zh}）" for key, (zh, _) in CATEGORIES_OF_COMPLAINTS.items()]
    category = read_cell(
        cells, "category", lambda cell: key_of(cell, CATEGORIES_OF_COMPLAINTS), f"可选：{'、'.join(names)}"
    )
    if received is None or channel is None:
        raise ValueError(f"{'channel' if received else 'received_at'} 是空的；每一条投诉都要有收到时间和渠道")
    texts = {name: cells.get(name) or None for name in ("complainant", "debtor_id", "case_id", "agent_id")}
    return Intake(received_at=received, channel=channel, text=cells.get("text", ""), category=category, **texts)


def _moment(cell: str, offset: tzinfo) -> datetime:
    parts = cell.replace("/", "-").replace(".", "-").split("-")
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        year, month, day = map(int, parts)
        return plausible(datetime(year, month, day, tzinfo=offset))
    return moment(cell, offset)
