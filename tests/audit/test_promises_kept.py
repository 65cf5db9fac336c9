"""Kept, broken, partly: the arithmetic, and that the store's sums are those of plain counting."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import doctor
from audit.access import LOCAL, Actor, Refused, Role
from audit.cases import Case, CaseList, Payment, import_cases
from audit.config import CHINA
from audit.promises import (
    ANY,
    Listed,
    PromiseRow,
    Standing,
    Terms,
    all_promises,
    known_until,
    promises,
    results,
    standing,
)
from audit.store import EVERY_CALL, AuditedCall, Filter, Store
from audit.store.calls import StoredCall
from audit.store.cases import settle
from audit.store.promises import resettle_promises

DAYS = st.dates(date(2026, 11, 1), date(2026, 12, 31))
FEN = st.integers(1, 1_000_000)
TERMS = Terms(today=date(2026, 12, 31), grace_days=3)


@given(target=FEN, paid=st.integers(0, 2_000_000), more=FEN, last_day=DAYS, as_of=DAYS)
def test_more_money_is_never_worse_and_the_whole_sum_is_kept(
    target: int, paid: int, more: int, last_day: date, as_of: date
) -> None:
    order = [Standing.BROKEN, Standing.PARTLY, Standing.OPEN, Standing.KEPT]
    days = last_day.isoformat(), 1, as_of.isoformat()
    less, enough = standing(target, paid, *days), standing(target, paid + more, *days)
    assert order.index(Standing(less)) <= order.index(Standing(enough))
    assert (less == Standing.KEPT) == (paid >= target)


@given(target=FEN, paid=st.integers(0, 2_000_000), last_day=DAYS, as_of=DAYS)
def test_nothing_is_held_against_anyone_before_the_last_day_is_over(
    target: int, paid: int, last_day: date, as_of: date
) -> None:
    found = standing(target, paid, last_day.isoformat(), 1, as_of.isoformat())
    if as_of <= last_day:
        assert found in (Standing.OPEN, Standing.KEPT)
    else:
        assert found != Standing.OPEN


@pytest.mark.parametrize(
    ("target", "paid", "last_day", "known", "expected"),
    [
        (None, 0, "2026-11-20", 1, Standing.BROKEN),  # whatever the sum was, nothing came
        (None, 100, "2026-11-20", 1, Standing.UNKNOWN),  # how much was meant nobody knows
        (200, 100, "2026-11-20", 1, Standing.PARTLY),
        (200, 0, None, 1, Standing.UNKNOWN),
        (200, 0, "2026-11-20", 0, Standing.UNKNOWN),
    ],
)
def test_what_can_not_be_known_is_not_judged(
    target: int | None, paid: int, last_day: str | None, known: int, expected: Standing
) -> None:
    assert standing(target, paid, last_day, known, "2026-12-31") == expected


def test_payments_up_to_an_unknown_day_leave_everything_open() -> None:
    assert standing(200, 0, "2026-11-20", 1, "") == Standing.OPEN


# the store


class Book:
    """A store with one call, whose promise and payments a test sets."""

    def __init__(self, store: Store, call: AuditedCall) -> None:
        self.store, self.call = store, call
        self.run = store.start_run("audit", next(iter(store.runs().values())).settings)

    def promise(
        self, *, amount: float | None, due: str | None, firmness: str = "firm", case_id: str | None = "AJ1"
    ) -> None:
        said = {
            "amount": amount, "date": due, "text": "我还", "firmness": firmness, "repeated_back": True, "turn": 1,
        }  # fmt: skip
        record = replace(self.call.record, case_id=case_id)
        self.store.save(replace(self.call, record=record, promise=said), run=self.run)

    def paid(self, *payments: tuple[str, int], overdue_fen: int | None = None) -> None:
        with self.store.writing():
            self.store.sql.execute("delete from payments")
            settle(self.store)
        rows = tuple(
            Payment(key=str(i), case_id="AJ1", paid_at=datetime.fromisoformat(at).replace(tzinfo=CHINA), fen=fen)
            for i, (at, fen) in enumerate(payments)
        )
        case = Case(case_id="AJ1", debtor_id="D0000", overdue_fen=overdue_fen, days_overdue=40, stage="M2")
        found = CaseList(
            file=Path("x"), given=("debtor_id", "overdue_fen", "stage"), cases=(case,), payments=rows, bad=()
        )
        import_cases(self.store, [found], actor=LOCAL, paid_until=date(2026, 12, 31))

    def row(self, terms: Terms = TERMS) -> PromiseRow:
        (row,) = promises(self.store, EVERY_CALL, actor=LOCAL, terms=terms)
        return row


def audited_again(store: Store, call: StoredCall) -> AuditedCall:
    transcript = store.transcript(call.recording)
    assert transcript is not None
    return AuditedCall(
        record=call.record, transcript=transcript, judgement=call.judgement, card=call.card, promise=None,
        settings="s", hearing="h", bytes=1,
    )  # fmt: skip


@pytest.fixture
def book(stored: Callable[..., Store], good_call: object) -> Book:
    store = stored(good_call)  # called on 2026-11-16 at 10:12:05
    call = store.call("c-good")
    assert call is not None
    return Book(store, audited_again(store, call))


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        ([("2026-11-18T12:00:00", 200_000)], Standing.KEPT),
        ([("2026-11-17T12:00:00", 150_000), ("2026-11-21T23:59:59", 50_000)], Standing.KEPT),  # within the grace
        ([("2026-11-18T12:00:00", 199_999)], Standing.PARTLY),  # a fen short
        ([("2026-11-22T00:00:00", 200_000)], Standing.BROKEN),  # a day late
        ([("2026-11-16T10:00:00", 200_000)], Standing.BROKEN),  # before the call
        ([("2026-11-16T23:59:59", 200_000)], Standing.KEPT),  # on the day of the call
    ],
)
def test_a_promise_is_judged_by_what_came_in_between_call_and_grace(
    book: Book, paid: list[tuple[str, int]], expected: Standing
) -> None:
    book.promise(amount=2000, due="2026-11-18")
    book.paid(*paid)
    assert book.row().standing is expected


moments = st.datetimes(datetime(2026, 11, 14), datetime(2026, 11, 30)).map(lambda at: at.replace(microsecond=0))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    paid=st.lists(st.tuples(moments, st.integers(1, 300_000)), max_size=6),
    amount=st.decimals("0.01", "4000", places=2),
    due=st.dates(date(2026, 11, 16), date(2026, 11, 25)),
    grace=st.integers(0, 6),
)
def test_the_store_adds_up_as_plain_counting_does(
    book: Book, paid: list[tuple[datetime, int]], amount: Decimal, due: date, grace: int
) -> None:
    """Each example replaces the promise and the payments of the one before."""
    book.promise(amount=float(amount), due=due.isoformat())
    book.paid(*((at.isoformat(), fen) for at, fen in paid))
    last_day = due + timedelta(days=grace)
    called = datetime(2026, 11, 16, 10, 12, 5)
    counted = sum(fen for at, fen in paid if called <= at and at.date() <= last_day)
    row = book.row(replace(TERMS, grace_days=grace))
    assert (row.paid_fen, row.last_day, row.target_fen) == (counted, last_day, int(amount * 100))
    assert row.standing == standing(int(amount * 100), counted, last_day.isoformat(), 1, "2026-12-31")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(
                st.just("promise"), st.none() | st.integers(1, 4000), st.none() | DAYS, st.none() | st.just("AJ1")
            ),
            st.tuples(st.just("paid"), st.lists(st.tuples(moments, st.integers(0, 300_000)), max_size=4), FEN),
        ),
        min_size=2,
        max_size=6,
    ),
    grace=st.integers(0, 60),
    today=DAYS,
)
def test_counts_are_those_of_each_promise_judged_by_itself(
    book: Book, steps: list[tuple[Any, ...]], grace: int, today: date
) -> None:
    """Whatever came first: promises judged again, cases and payments listed later or changed."""
    for kind, *given_ in steps:
        if kind == "promise":
            amount, due, case_id = given_
            book.promise(amount=amount, due=due and due.isoformat(), case_id=case_id)
        else:
            payments, overdue_fen = given_
            book.paid(*((at.isoformat(), fen) for at, fen in payments), overdue_fen=overdue_fen)
    assert resettle_promises(book.store) == 0
    terms = Terms(today=today, grace_days=grace)
    for row in promises(book.store, EVERY_CALL, actor=LOCAL, terms=terms):
        known = known_until(book.store)
        as_of = "" if known is None else min(known, today).isoformat()
        day = None if row.last_day is None else row.last_day.isoformat()
        case = book.store.one("select 1 from cases where case_id = ?", [row.case_id]) is not None
        assert row.standing == standing(row.target_fen, row.paid_fen, day, case, as_of)
        total = results(book.store, EVERY_CALL, actor=LOCAL, terms=terms).total
        stands = {
            Standing.KEPT: total.kept.hits, Standing.PARTLY: total.partly, Standing.BROKEN: total.broken,
            Standing.OPEN: total.open, Standing.UNKNOWN: total.unknown,
        }  # fmt: skip
        assert stands == {each: int(each is row.standing) for each in Standing}


def test_what_was_damaged_is_found_and_mended(book: Book) -> None:
    book.promise(amount=2000, due="2026-11-18")
    book.paid(("2026-11-17T09:00:00", 200_000))
    with book.store.writing():
        book.store.sql.execute("update promises set kept_after = null")
    assert book.row().standing is Standing.PARTLY
    assert doctor.recount(book.store.path) == 1
    assert book.row().standing is Standing.KEPT


def test_a_store_of_before_gets_its_promises_settled(book: Book) -> None:
    book.promise(amount=2000, due="2026-11-18")
    book.paid(("2026-11-17T09:00:00", 100_000), ("2026-11-19T09:00:00", 100_000))
    path, settled = book.store.path, book.row()
    indexes = ("promises_judged", "promises_due", "cases_figures", "cases_cured_by", "payments_paid")
    book.store.close()
    raw = sqlite3.connect(path)
    for index in indexes:
        raw.execute(f"drop index {index}")
    for column in ("stage", "target_fen", "known", "kept_after", "paid_after"):
        raw.execute(f"alter table promises drop column {column}")
    raw.execute("alter table agent_days drop column waiting")
    raw.execute("delete from _sqlite_migrations where name like 'm017%' or name like 'm019%'")
    raw.commit()
    raw.close()
    with Store.open(path) as store:
        assert promises(store, EVERY_CALL, actor=LOCAL, terms=TERMS) == [settled]
        assert settled.standing is Standing.KEPT
        assert resettle_promises(store) == 0


def test_lists_take_the_earliest_or_the_latest_and_those_without_a_day_come_last(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.promise(amount=2000, due="2026-11-18")
    with book.store.writing():
        for name, due in (("c-late", "2026-11-20"), ("c-none", None), ("c-early", "2026-11-17")):
            row = book.store.one("select * from calls where call_id = 'c-good'") or {}
            book.store.insert("calls", row | {"call_id": name})
            said = book.store.one("select * from promises where call_id = 'c-good'") or {}
            day = due or "2026-11-16"
            book.store.insert("promises", said | {"call_id": name, "due": due, "day": day})

    def ids(which: Filter = EVERY_CALL, listed: Listed = ANY) -> list[str]:
        return [row.call_id for row in promises(book.store, which, actor=LOCAL, terms=TERMS, listed=listed)]

    early = ["c-early", "c-good", "c-late", "c-none"]
    assert ids() == early
    assert [row.call_id for row in all_promises(book.store, EVERY_CALL, actor=LOCAL, terms=TERMS)] == early
    assert ids(listed=Listed(take="latest")) == ["c-late", "c-good", "c-early", "c-none"]
    monkeypatch.setattr("audit.store.promises.MOST_ROWS", 2)
    assert ids() == early[:2]
    which = Filter(since=date(2026, 11, 18), until=date(2026, 11, 20))
    assert ids(which) == early[1:3]


def test_without_a_sum_the_whole_overdue_amount_is_meant(book: Book) -> None:
    book.promise(amount=None, due="2026-11-18")
    book.paid(("2026-11-17T09:00:00", 100_00), overdue_fen=300_00)
    assert (book.row().standing, book.row().target_fen) == (Standing.PARTLY, 300_00)


def test_a_promise_without_a_case_belongs_to_the_only_case_of_its_debtor(book: Book) -> None:
    book.promise(amount=2000, due="2026-11-18", case_id=None)
    book.paid(("2026-11-17T09:00:00", 200_000))
    assert (book.row().case_id, book.row().standing) == ("AJ1", Standing.KEPT)
    book.promise(amount=2000, due="2026-11-18", case_id=None)  # judged again after the import
    assert book.row().case_id == "AJ1"


def test_without_cases_nothing_is_known(book: Book) -> None:
    book.promise(amount=2000, due="2026-11-18")
    assert book.row().standing is Standing.UNKNOWN


def test_judging_again_replaces_the_promise_and_none_removes_it(book: Book) -> None:
    book.promise(amount=2000, due="2026-11-18")
    book.promise(amount=18.88, due="2026-11-20")
    assert (book.row().amount_fen, book.row().due) == (1888, date(2026, 11, 20))
    book.store.save(book.call, run=book.run)
    assert promises(book.store, EVERY_CALL, actor=LOCAL, terms=TERMS) == []


def test_a_question_is_no_promise(book: Book) -> None:
    book.promise(amount=2000, due="2026-11-18", firmness="asked")
    assert promises(book.store, EVERY_CALL, actor=LOCAL, terms=TERMS) == []


def test_a_call_that_is_forgotten_takes_its_promise_along(book: Book) -> None:
    book.promise(amount=2000, due="2026-11-18")
    book.store.forget(["c-good"])
    assert promises(book.store, EVERY_CALL, actor=LOCAL, terms=TERMS) == []


def test_results_add_up_by_stage_and_by_collector(book: Book) -> None:
    book.promise(amount=2000, due="2026-11-18")
    book.paid(("2026-11-17T09:00:00", 200_000), overdue_fen=300_000)
    found = results(book.store, EVERY_CALL, actor=LOCAL, terms=TERMS)
    assert [(o.key, o.kept.hits, o.recovered_fen, o.calls) for o in found.by_collector] == [("A01", 1, 200_000, 1)]
    assert {o.key: (o.kept.hits, o.recovered_fen, o.calls) for o in found.by_stage} == {
        "M1": (0, 0, 1),  # the call says 12 days overdue,
        "M2": (1, 200_000, 0),  # the case 40
    }
    assert found.total.recovery == 2 / 3


@pytest.mark.parametrize(
    "which",
    [
        Filter(since=date(2026, 11, 19)),
        Filter(until=date(2026, 11, 17)),
        Filter(team="二组"),
        Filter(agent_id="A02"),
        Filter(product="信用卡"),
    ],
)
def test_filters_ask_for_the_due_day_and_for_whose_promise_it_is(book: Book, which: Filter) -> None:
    book.promise(amount=2000, due="2026-11-18")
    assert len(promises(book.store, Filter(since=date(2026, 11, 18), team="一组"), actor=LOCAL, terms=TERMS)) == 1
    assert promises(book.store, which, actor=LOCAL, terms=TERMS) == []


def test_collectors_and_reviewers_are_refused(book: Book) -> None:
    for role in (Role.COLLECTOR, Role.REVIEWER):
        with pytest.raises(Refused):
            results(book.store, EVERY_CALL, actor=Actor(name="x", role=role, agent_id="A01"), terms=TERMS)
