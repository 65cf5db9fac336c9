"""Cases and payments as the business system lists them, from cases.csv and payments.csv, a row each.

Money is yuan in the files and whole fen in here: 1234.50 stays what it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from audit.csv_lists import CsvList, ListKind, cells_of, moment, open_list, plausible, read_cell
from audit.errors import BadCases

if TYPE_CHECKING:
    from audit.access import Actor
    from audit.store import Store

MOST_FEN = 10**14  # a trillion yuan: more is a slip of the keyboard
LAST_STAGE = 7
DAYS_A_STAGE = 30

_YUAN = re.compile(r"[¥￥]?\s*(\d{1,3}(?:[,，]\d{3})+|\d+)(\.\d{1,2})?\s*元?")
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_PAID = re.compile(r"paid_at(_\d+)?")
_END_OF_DAY = time(23, 59, 59)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; everything but the id may be unknown. `overdue_fen` is what was overdue on `assigned_on` (委案日).

    `satisfaction` is 0 to 100 on whatever scale the business system uses; `extra` keeps columns we don't know.
    """

    case_id: str
    debtor_id: str | None = None
    agent_id: str | None = None
    product: str | None = None
    stage: str | None = None
    days_overdue: int | None = None
    overdue_fen: int | None = None
    principal_fen: int | None = None
    satisfaction: float | None = None
    assigned_on: date | None = None
    closed_on: date | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that came in; `key` is the same whenever the same row is read again.

    A day without a time is the end of that day: a payment on the day of a call counts as made after it.
    """

    key: str
    case_id: str
    paid_at: datetime
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCaseRow:
    """A row that can't be used: its line, and the sentence that says why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseList:
    """What one file holds. `given` names the fields of `Case` that it has columns for; others stay as they were."""

    file: Path
    given: tuple[str, ...]
    cases: tuple[Case, ...]
    payments: tuple[Payment, ...]
    bad: tuple[BadCaseRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import changed; a file that was read before changes nothing."""

    new_cases: int
    changed_cases: int
    new_payments: int
    changed_payments: int

    @property
    def changes(self) -> int:
        return self.new_cases + self.changed_cases + self.new_payments + self.changed_payments


_FIELDS = {
    "overdue_fen": "overdue_amount",
    "principal_fen": "principal",
    "assigned_on": "assigned_at",
    "closed_on": "closed_at",
}
CASE_COLUMNS = tuple(_FIELDS.get(f.name, f.name) for f in fields(Case) if f.name != "extra")
"""Columns of cases.csv that callaudit knows, beside paid_at and paid_amount; docs/promises.md explains each."""
PAYMENT_COLUMNS = ("case_id", "paid_at", "amount", "payment_id")


_LIST = ListKind(
    name="案件清单",
    example="case_id,agent_id,days_overdue,overdue_amount",
    needed=(("case_id",),),
    refuse=BadCases,
)


def read_cases(file: Path, *, utc_offset: tzinfo, uploaded: bytes | None = None) -> CaseList:
    """Read a list of cases, or of payments where it has the columns paid_at and amount; `BadCases`.

    A list of cases may carry payments as columns: paid_at and paid_amount, paid_at_2 and paid_amount_2, …
    `uploaded` is the content where `file` is only the name that it had elsewhere.
    """
    found = open_list(file, _LIST, uploaded=uploaded)
    if {"paid_at", "amount"} <= set(found.header):
        return _payment_list(file, found, utc_offset)
    return _case_list(file, found, utc_offset)


def stage_of(days_overdue: int | None) -> str | None:
    """M1 for 1 to 30 days overdue, M2 to 60, … M7+ from 181; M0 for a debt that is not overdue."""
    if days_overdue is None:
        return None
    months = max(0, -(-days_overdue // DAYS_A_STAGE))
    return f"M{months}" if months < LAST_STAGE else f"M{LAST_STAGE}+"


def fen(cell: str) -> int:
    """Yuan as lists write them (1,234.5, ￥800, 2000元) in whole fen; ValueError for anything else."""
    found = _YUAN.fullmatch(cell.strip())
    if found is None:
        raise ValueError
    amount = int(Decimal(re.sub("[,，]", "", found[1]) + (found[2] or "")) * 100)
    if amount >= MOST_FEN:
        raise ValueError
    return amount


def import_cases(store: Store, lists: Sequence[CaseList], *, actor: Actor, paid_until: date | None = None) -> Imported:
    """Keep cases and payments in one transaction and settle what hangs on them; `Refused`.

    `paid_until` is the day up to which all payments are in; by default the last one of the lists.
    """
    from audit import ledger
    from audit.access import Action, require
    from audit.store.cases import note_known_until, save_cases, save_payments, settle

    require(actor, Action.IMPORT)
    paid = [payment.paid_at.date() for found in lists for payment in found.payments]
    with store.writing():
        cases = [save_cases(store, found.cases, given=found.given) for found in lists]
        payments = [save_payments(store, found.payments) for found in lists]
        imported = Imported(
            new_cases=sum(new for new, _ in cases),
            changed_cases=sum(changed for _, changed in cases),
            new_payments=sum(new for new, _ in payments),
            changed_payments=sum(changed for _, changed in payments),
        )
        moved = note_known_until(store, paid_until or max(paid, default=None))
        if imported.changes or moved:
            settle(store)
            counts = {f.name: getattr(imported, f.name) for f in fields(Imported)}
            ledger.record(store, actor=actor, kind=ledger.Kind.IMPORT, subject="cases", data=counts)
    return imported


def unknown_cases(store: Store, lists: Sequence[CaseList]) -> tuple[list[CaseList], list[str]]:
    """The lists without payments to cases that nobody has listed, and a sentence for each such payment left out."""
    from audit.store.cases import known_cases

    listed = {case.case_id for found in lists for case in found.cases}
    paying = {payment.case_id for found in lists for payment in found.payments}
    missing = paying - listed - known_cases(store, paying - listed)
    kept = [_without(found, missing) for found in lists]
    sentences = [
        f"{found.file}：案件 {payment.case_id} 不在库中，{payment.paid_at:%Y-%m-%d} 的还款没有存；请先导入这个案件"
        for found in lists
        for payment in found.payments
        if payment.case_id in missing
    ]
    return kept, sentences


def _without(found: CaseList, missing: set[str]) -> CaseList:
    from dataclasses import replace

    return replace(found, payments=tuple(p for p in found.payments if p.case_id not in missing))


def _case_list(file: Path, found: CsvList, offset: tzinfo) -> CaseList:
    lines: dict[str, int] = {}
    cases: list[Case] = []
    payments: list[Payment] = []
    bad: list[BadCaseRow] = []
    seen: Counter[tuple[str, str, int]] = Counter()
    for line, row in found.rows:
        try:
            case, paid = _case(cells_of(found.header, row), offset)
            if case.case_id in lines:
                raise ValueError(f"case_id {case.case_id} 与第 {lines[case.case_id]} 行重复；请一个案件只留一行")
        except ValueError as error:
            bad.append(BadCaseRow(line=line, reason=f"{file} 第 {line} 行：{error}"))
            continue
        lines[case.case_id] = line
        cases.append(case)
        payments += [_payment(case.case_id, at, amount, seen) for at, amount in paid]
    names = {column: name for name, column in _FIELDS.items()}
    given = {names.get(column, column) for column in found.header} & {f.name for f in fields(Case)}
    others = any(column not in CASE_COLUMNS and not _of_payment(column) for column in found.header)
    known = given | ({"stage"} if "days_overdue" in given else set()) | ({"extra"} if others else set())
    return CaseList(
        file=file,
        given=tuple(f.name for f in fields(Case) if f.name in known),
        cases=tuple(cases),
        payments=tuple(payments),
        bad=tuple(bad),
    )


def _case(cells: Mapping[str, str], offset: tzinfo) -> tuple[Case, list[tuple[datetime, int]]]:
    if not cells.get("case_id"):
        raise ValueError("case_id 是空的；每个案件都要有编号")
    days = read_cell(cells, "days_overdue", _days, "0 或更大的整数")
    case = Case(
        case_id=cells["case_id"],
        debtor_id=cells.get("debtor_id") or None,
        agent_id=cells.get("agent_id") or None,
        product=cells.get("product") or None,
        stage=cells.get("stage") or stage_of(days),
        days_overdue=days,
        overdue_fen=read_cell(cells, "overdue_amount", fen, _MONEY),
        principal_fen=read_cell(cells, "principal", fen, _MONEY),
        satisfaction=read_cell(cells, "satisfaction", _score, "0 到 100 的数"),
        assigned_on=read_cell(cells, "assigned_at", day, _A_DAY),
        closed_on=read_cell(cells, "closed_at", day, _A_DAY),
        extra={name: cell for name, cell in cells.items() if name not in CASE_COLUMNS and not _of_payment(name)},
    )
    return case, list(_paid(cells, offset))


_MONEY = "以元为单位的金额，最多两位小数，例如 1234.50"
_A_DAY = "日期，例如 2026-11-19"


def _paid(cells: Mapping[str, str], offset: tzinfo) -> Iterator[tuple[datetime, int]]:
    for column in cells:
        if _PAID.fullmatch(column):
            other = column.replace("paid_at", "paid_amount")
            at = read_cell(cells, column, lambda cell: _moment_or_day(cell, offset), _A_DAY)
            amount = read_cell(cells, other, fen, _MONEY)
            if (at is None) != (amount is None):
                raise ValueError(f"{column} 和 {other} 要么都填，要么都空")
            if at is not None and amount is not None:
                yield at, amount


def _of_payment(column: str) -> bool:
    return _PAID.fullmatch(column.replace("paid_amount", "paid_at")) is not None


def _payment_list(file: Path, found: CsvList, offset: tzinfo) -> CaseList:
    payments: list[Payment] = []
    bad: list[BadCaseRow] = []
    seen: Counter[tuple[str, str, int]] = Counter()
    for line, row in found.rows:
        try:
            payments.append(_listed_payment(cells_of(found.header, row), offset, seen))
        except ValueError as error:
            bad.append(BadCaseRow(line=line, reason=f"{file} 第 {line} 行：{error}"))
    return CaseList(file=file, given=(), cases=(), payments=tuple(payments), bad=tuple(bad))


def _listed_payment(cells: Mapping[str, str], offset: tzinfo, seen: Counter[tuple[str, str, int]]) -> Payment:
    at = read_cell(cells, "paid_at", lambda cell: _moment_or_day(cell, offset), _A_DAY)
    amount = read_cell(cells, "amount", fen, _MONEY)
    if not cells.get("case_id") or at is None or amount is None:
        raise ValueError("case_id、paid_at、amount 都要填")
    return _payment(cells["case_id"], at, amount, seen, own=cells.get("payment_id") or None)


def _payment(
    case_id: str, at: datetime, amount: int, seen: Counter[tuple[str, str, int]], *, own: str | None = None
) -> Payment:
    """Two equal payments of one day are two; the same file read again has the same two."""
    place = (case_id, at.isoformat(), amount)
    seen[place] += 1
    key = f"id:{own}" if own else sha256("\0".join(map(str, [*place, seen[place]])).encode()).hexdigest()[:32]
    return Payment(key=key, case_id=case_id, paid_at=at, fen=amount)


def day(cell: str) -> date:
    """A day as lists write it: 2026-11-19, 2026/11/19, with or without a time; ValueError."""
    found = _DAY.match(cell)
    if found is None or cell[found.end() : found.end() + 1] not in ("", " ", "T"):
        raise ValueError
    return plausible(date(*(int(part) for part in found.groups())))


def _moment_or_day(cell: str, offset: tzinfo) -> datetime:
    if _DAY.fullmatch(cell):
        return datetime.combine(day(cell), _END_OF_DAY, tzinfo=offset)
    return moment(cell, offset)


def _days(cell: str) -> int:
    days = int(cell)
    if not 0 <= days <= 36_500:
        raise ValueError
    return days


def _score(cell: str) -> float:
    score = float(cell)
    if not 0 <= score <= 100:
        raise ValueError
    return score
