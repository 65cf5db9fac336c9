"""Cases and payments that fit the calls of tests/demo.py: most of what was promised comes in, some cases are cured."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from audit.access import LOCAL
from audit.calls import CallRecord
from audit.cases import Case, CaseList, Payment, import_cases, stage_of
from audit.config import CHINA
from audit.promises import PromiseRow, Terms, promises
from audit.store import EVERY_CALL, Store

# Of 100 promises made to a collector, how many are kept: pressure gets words, not money.
_KEPT = {"A01": 78, "A02": 45, "A03": 66, "B01": 72, "B02": 41, "B03": 60, "C01": 58, "C02": 80}
_GIVEN = ("debtor_id", "agent_id", "product", "stage", "days_overdue", "overdue_fen", "satisfaction", "assigned_on")


def add_cases(store: Store, *, last_day: date) -> None:
    """A case for every debtor of the calls; payments are known up to `last_day`."""
    dice = random.Random(11)
    newest = {call.record.case_id: call.record for call in store.calls()}
    cases = tuple(_case(record, dice) for _, record in sorted(newest.items(), key=lambda item: str(item[0])))
    import_cases(store, [_list(cases, ())], actor=LOCAL)
    promised = promises(store, EVERY_CALL, actor=LOCAL, terms=Terms(today=last_day, grace_days=3))
    paid = tuple(payment for payment in _payments(cases, promised, dice) if payment.paid_at.date() <= last_day)
    import_cases(store, [_list((), paid)], actor=LOCAL, paid_until=last_day)


def _list(cases: tuple[Case, ...], payments: tuple[Payment, ...]) -> CaseList:
    return CaseList(file=Path("cases.csv"), given=_GIVEN, cases=cases, payments=payments, bad=())


def _case(record: CallRecord, dice: random.Random) -> Case:
    assert record.case_id is not None
    assert record.started_at is not None
    kind = _KEPT.get(record.agent_id or "", 60)
    return Case(
        case_id=record.case_id,
        debtor_id=record.debtor_id,
        agent_id=record.agent_id,
        product=record.product,
        stage=stage_of(record.days_overdue),
        days_overdue=record.days_overdue,
        overdue_fen=100 * round(dice.lognormvariate(8.2, 0.8)),
        satisfaction=min(100, max(0, round(dice.gauss(kind, 12)))) if dice.random() < 0.6 else None,
        assigned_on=record.started_at.date() - timedelta(days=dice.randrange(3, 40)),
    )


def _payments(cases: Iterable[Case], promised: Iterable[PromiseRow], dice: random.Random) -> Iterator[Payment]:
    """What was promised, in full or half, and now and then something that nobody had promised."""
    for row in promised:
        luck = dice.randrange(100)
        if row.due is not None and row.target_fen and row.case_id and luck < _KEPT.get(row.agent_id or "", 60) + 15:
            part = 1 if luck < _KEPT.get(row.agent_id or "", 60) else 2
            yield _payment(row.case_id, row.due, row.target_fen // part, row.call_id, dice)
    for case in cases:
        if case.overdue_fen and case.assigned_on and dice.randrange(100) < _KEPT.get(case.agent_id or "", 60) // 2:
            day = case.assigned_on + timedelta(days=dice.randrange(2, 30))
            yield _payment(case.case_id, day, case.overdue_fen // dice.choice((1, 2, 3)), case.case_id, dice)


def _payment(case_id: str, day: date, fen: int, key: str, dice: random.Random) -> Payment:
    at = datetime.combine(day, time(dice.randrange(8, 22), dice.randrange(60)), CHINA)
    return Payment(key=f"id:{key}", case_id=case_id, paid_at=at, fen=fen)
