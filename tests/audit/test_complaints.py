"""Complaints from intake to closing: what may follow what, who may do it, what is kept of every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import complaint_figures as figures
from audit import ledger
from audit.access import Actor, Refused, Role
from audit.complaint_clock import BEIJING, NEXT, STANDARD, Complexity, Pace, Status, Terms, beijing_day, clock, due_on
from audit.complaint_record import Intake, person_key
from audit.complaints import (
    ComplaintRefused,
    Desk,
    change,
    extend,
    history,
    link,
    listing,
    move,
    read,
    register,
    related,
    take_in,
    unlink,
)
from audit.store import Store
from audit.store.complaints import EVERY_COMPLAINT, Asked

OFFICER = Actor(name="吴敏", role=Role.OFFICER)
DAY = date(2026, 11, 20)
THREAT = Intake(
    received_at=datetime(2026, 11, 19, 9, 30, tzinfo=BEIJING), channel="12378", text="说出我女儿的学校",
    complainant="孙鹏", debtor_id="D0001", category="threat",
)  # fmt: skip


@pytest.fixture
def desk(batch: Store) -> Desk:
    """The batch of three calls: c-good of D0000, c-threat of D0001 by A02, c-<script> of D0002."""
    return Desk(store=batch, actor=OFFICER, day=DAY)


@pytest.fixture
def number(desk: Desk) -> int:
    return register(desk, THREAT) or 0


def at(desk: Desk, number: int) -> Any:
    return read(desk, number)


def answer(desk: Desk, number: int) -> None:
    change(desk, at(desk, number), {"outcome": "upheld", "answer": "已道歉"})
    move(desk, at(desk, number), Status.ANSWERED)


# the clock

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@given(start=days, complexity=st.sampled_from(Complexity), after=st.integers(0, 100), soon=st.integers(0, 10))
def test_a_complaint_is_overdue_from_the_day_after_its_last_one(
    start: date, complexity: Complexity, after: int, soon: int
) -> None:
    terms = Terms(due_soon=soon)
    due = due_on(start, complexity, terms)
    stands = clock(due, answered=None, today=start + timedelta(days=after), terms=terms)
    assert stands.days_left == terms.days(complexity) - after
    assert (stands.pace is Pace.OVERDUE) == (after > terms.days(complexity))
    assert (stands.pace is Pace.DUE_SOON) == (0 <= stands.days_left <= soon)


@given(due=days, answered=days, later=st.integers(0, 1000))
def test_an_answer_stops_the_clock_for_good(due: date, answered: date, later: int) -> None:
    stands = clock(due, answered=answered, today=answered + timedelta(days=later), terms=STANDARD)
    assert stands.pace is (Pace.MET if answered <= due else Pace.MISSED)
    assert stands.days_left == (due - answered).days


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))
def test_days_are_those_of_beijing(moment: datetime) -> None:
    assert beijing_day(moment.replace(tzinfo=UTC)) == (moment + timedelta(hours=8)).date()


def test_the_last_minute_before_midnight_in_beijing_is_still_that_day(desk: Desk) -> None:
    late = replace(THREAT, received_at=datetime(2026, 11, 18, 16, 0, tzinfo=UTC))  # midnight in Beijing
    early = replace(THREAT, received_at=datetime(2026, 11, 18, 15, 59, tzinfo=UTC))
    found = [at(desk, register(desk, intake) or 0).received_on for intake in (late, early)]
    assert found == [date(2026, 11, 19), date(2026, 11, 18)]


# steps


def test_a_complaint_goes_its_way_and_every_step_is_kept(desk: Desk, number: int) -> None:
    assert at(desk, number).due_on == date(2026, 12, 4)
    move(desk, at(desk, number), Status.INVESTIGATING)
    link(desk, number, "c-threat")
    change(desk, at(desk, number), {"outcome": "partial", "cause": "conduct", "answer": "已道歉", "remedy": "停岗培训"})
    move(desk, at(desk, number), Status.ANSWERED)
    move(desk, at(desk, number), Status.CLOSED)
    closed = at(desk, number)
    assert (closed.status, closed.answered_on, closed.closed_on, closed.late) == (Status.CLOSED, DAY, DAY, False)
    steps = history(desk, number)
    assert [step.what for step in steps] == ["registered", "moved", "linked", "changed", "moved", "moved"]
    assert steps[3].before == {"outcome": None, "cause": None, "answer": None, "remedy": None}
    assert {step.actor for step in steps} == {"吴敏"}
    kept = ledger.recent(desk.store, kind=ledger.Kind.COMPLAINT, subject=str(number))
    assert len(kept) == len(steps)
    assert "已道歉" not in str(kept)
    assert ledger.verify(desk.store) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(wanted=st.lists(st.sampled_from(Status), max_size=8))
def test_no_order_of_steps_leaves_the_allowed_ones(desk: Desk, wanted: list[Status]) -> None:
    number = register(desk, replace(THREAT, text=f"{wanted}{datetime.now(UTC)}")) or 0
    change(desk, at(desk, number), {"outcome": "upheld", "cause": "conduct", "answer": "a", "remedy": "r"})
    for to in wanted:
        old = at(desk, number)
        if to in NEXT[old.status]:
            move(desk, old, to, reason="理由")
        else:
            with pytest.raises(ComplaintRefused):
                move(desk, old, to, reason="理由")
        new = at(desk, number)
        assert (new.answered_on is None) == new.status.running
        assert (new.closed_on is not None) == (new.status is Status.CLOSED)


@pytest.mark.parametrize("missing", ["outcome", "answer"])
def test_nobody_is_answered_without_outcome_and_answer(desk: Desk, number: int, missing: str) -> None:
    given = {"outcome": "upheld", "answer": "已道歉"}
    given.pop(missing)
    change(desk, at(desk, number), dict(given))
    with pytest.raises(ComplaintRefused, match="请先填写"):
        move(desk, at(desk, number), Status.ANSWERED)


def test_closing_a_founded_complaint_needs_cause_and_remedy_an_unfounded_one_only_the_cause(
    desk: Desk, number: int
) -> None:
    answer(desk, number)
    with pytest.raises(ComplaintRefused, match="原因、整改措施"):
        move(desk, at(desk, number), Status.CLOSED)
    change(desk, at(desk, number), {"outcome": "rejected", "cause": "unfounded"})
    move(desk, at(desk, number), Status.CLOSED)
    assert at(desk, number).status is Status.CLOSED


def test_what_an_answer_rests_on_is_not_taken_away(desk: Desk, number: int) -> None:
    answer(desk, number)
    with pytest.raises(ComplaintRefused, match="必须保留"):
        change(desk, at(desk, number), {"answer": ""})


def test_reopening_wants_a_reason_and_starts_a_new_period(desk: Desk, number: int) -> None:
    answer(desk, number)
    later = replace(desk, day=date(2027, 1, 10))
    with pytest.raises(ComplaintRefused, match="理由"):
        move(later, at(desk, number), Status.INVESTIGATING)
    move(later, at(desk, number), Status.INVESTIGATING, reason="投诉人不认可")
    again = at(desk, number)
    assert (again.clock_from, again.due_on, again.answered_on) == (date(2027, 1, 10), date(2027, 1, 25), None)


def test_a_late_answer_stays_late_through_a_reopening(desk: Desk, number: int) -> None:
    answer(replace(desk, day=date(2026, 12, 5)), number)
    assert at(desk, number).late
    late = replace(desk, day=date(2026, 12, 6))
    move(late, at(desk, number), Status.INVESTIGATING, reason="补充材料")
    move(late, at(desk, number), Status.ANSWERED)
    assert at(desk, number).late


def test_an_extension_wants_a_reason_and_counts_from_the_receipt(desk: Desk, number: int) -> None:
    with pytest.raises(ComplaintRefused, match="谁批准"):
        extend(desk, at(desk, number), Complexity.COMPLEX, reason=" ")
    extend(desk, at(desk, number), Complexity.VERY_COMPLEX, reason="王总批准，已电话告知")
    assert at(desk, number).due_on == date(2027, 1, 18)
    answer(desk, number)
    with pytest.raises(ComplaintRefused, match="已答复"):
        extend(desk, at(desk, number), Complexity.SIMPLE, reason="更正")


def test_who_was_slower_is_told_and_overwrites_nothing(desk: Desk, number: int) -> None:
    seen = at(desk, number)
    change(desk, seen, {"remedy": "停岗"})
    with pytest.raises(ComplaintRefused, match="刚被别人改过"):
        change(desk, seen, {"remedy": "警告"})
    assert at(desk, number).remedy == "停岗"
    assert len(history(desk, number)) == 2


def test_what_is_as_it_was_is_no_change(desk: Desk, number: int) -> None:
    assert not change(desk, at(desk, number), {"complainant": " 孙鹏 ", "cause": ""})
    assert len(history(desk, number)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("category", "nonsense"), ("cause", "whim"), ("outcome", "maybe"), ("text", "x"), ("status", "closed")],
)
def test_closed_lists_and_fixed_fields_are_held(desk: Desk, number: int, field: str, value: str) -> None:
    with pytest.raises(ComplaintRefused):
        change(desk, at(desk, number), {field: value})


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "fax"},
        {"text": "  "},
        {"category": "x"},
        {"received_at": datetime(2026, 11, 19, 9, 30)},
        {"received_at": datetime(2062, 11, 19, tzinfo=UTC)},
        {"received_at": datetime(2027, 11, 19, tzinfo=UTC)},
    ],
)
def test_an_intake_that_can_not_be_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    with pytest.raises(ComplaintRefused):
        register(desk, replace(THREAT, **wrong))
    assert listing(desk, EVERY_COMPLAINT) == []


def test_the_same_complaint_is_taken_in_once(desk: Desk, number: int) -> None:
    moved = replace(THREAT, received_at=THREAT.received_at.astimezone(UTC), agent_id="A02")
    assert take_in(desk, [moved, replace(THREAT, text="另一件"), THREAT])[0::2] == [None, None]
    assert len(listing(desk, EVERY_COMPLAINT)) == 2


# calls


def test_calls_of_the_debtor_before_the_complaint_are_suggested(desk: Desk, number: int) -> None:
    (call,) = figures.suggest(desk, at(desk, number))
    assert (call.call_id, call.why) == ("c-threat", ("debtor_id",))
    assert call.flagged_as("threat")
    assert [flag.category for flag in call.flags] == ["threat", "recording_notice", "abuse"]  # no customer's signal


def test_a_collector_alone_suggests_a_week_of_calls(desk: Desk) -> None:
    number = register(desk, replace(THREAT, debtor_id=None, agent_id="A02")) or 0
    assert [call.call_id for call in figures.suggest(desk, at(desk, number))] == ["c-threat"]
    late = replace(THREAT, debtor_id=None, agent_id="A02", received_at=datetime(2026, 11, 26, tzinfo=UTC))
    old = register(replace(desk, day=date(2026, 11, 26)), late)
    assert figures.suggest(desk, at(desk, old or 0)) == []


def test_no_call_after_the_complaint_is_suggested(desk: Desk) -> None:
    number = register(desk, replace(THREAT, received_at=datetime(2026, 11, 16, 9, tzinfo=BEIJING))) or 0
    assert figures.suggest(desk, at(desk, number)) == []


def test_linking_fills_in_what_was_not_known(desk: Desk, number: int) -> None:
    assert link(desk, number, "c-threat")
    assert not link(desk, number, "c-threat")
    assert (at(desk, number).agent_id, at(desk, number).team) == ("A02", "二组")
    assert [call.call_id for call in figures.linked(desk, number)] == ["c-threat"]
    assert figures.suggest(desk, at(desk, number)) == []
    assert unlink(desk, number, "c-threat")
    assert not unlink(desk, number, "c-threat")
    assert [step.what for step in history(desk, number)] == ["registered", "linked", "unlinked"]


def test_the_team_comes_with_the_collector_that_a_linked_call_tells(desk: Desk) -> None:
    number = register(desk, replace(THREAT, debtor_id="D0000", agent_id=None)) or 0
    before = at(desk, number)
    assert link(desk, number, "c-threat")
    assert (before.team, at(desk, number).team, at(desk, number).agent_id) == ("一组", "二组", "A02")
    assert at(desk, number).debtor_id == "D0000"


def test_a_call_that_is_not_there_is_not_linked(desk: Desk, number: int) -> None:
    with pytest.raises(ComplaintRefused, match="没有编号为"):
        link(desk, number, "c-nowhere")
    assert figures.linked(desk, number) == []
    assert len(history(desk, number)) == 1


def test_a_complaint_outlives_its_call(desk: Desk, number: int) -> None:
    link(desk, number, "c-threat")
    desk.store.forget(["c-threat"])
    (call,) = figures.linked(desk, number)
    assert (call.call_id, call.started_at, call.flags) == ("c-threat", None, ())


def test_todays_rules_judge_the_stored_words_and_save_nothing(desk: Desk) -> None:
    from rules.engine import Judge
    from rules.load import load_rules

    before = [row["id"] for row in desk.store.all("select id from findings")]
    flags = figures.judged_today(desk, "c-threat", Judge(load_rules("cn-collection")))
    assert flags is not None
    assert "threat" in {flag.category for flag in flags}
    assert "complaint_intent" not in {flag.category for flag in flags}
    assert [row["id"] for row in desk.store.all("select id from findings")] == before
    assert figures.judged_today(desk, "c-nowhere", Judge(load_rules("cn-collection"))) is None


# many complaints


def test_repeats_are_the_debtors_or_where_no_debtor_is_known_the_names(desk: Desk, number: int) -> None:
    def more(text: str, **values: Any) -> int:
        return register(desk, replace(THREAT, text=text, **values)) or 0

    same_debtor = more("又来了", complainant="家属")
    same_name = more("没说是谁", debtor_id=None, complainant="孙 鹏")
    namesake = more("另一个孙鹏", debtor_id="D9")
    nameless = more("匿名", debtor_id=None, complainant="匿名")
    assert {found.id for found in related(desk, number)} == {same_debtor, same_name}
    assert {found.id for found in related(desk, namesake)} == {same_name}
    assert related(desk, nameless) == []
    assert {found.id: found.repeats for found in listing(desk, EVERY_COMPLAINT)}[number] == 2


def test_names_are_compared_without_spaces_and_the_nameless_not_at_all() -> None:
    assert person_key(" 孙　鹏 ") == person_key("孙鹏") == "孙鹏"
    assert [person_key(name) for name in (None, "", "匿名", "张")] == [None] * 4


def test_the_list_begins_with_what_is_due_first(desk: Desk) -> None:
    def intake(day: int, text: str) -> int:
        return register(desk, replace(THREAT, received_at=datetime(2026, 11, day, 9, tzinfo=BEIJING), text=text)) or 0

    third, first, second = intake(18, "c"), intake(2, "a"), intake(9, "b")
    answer(desk, first)
    assert [found.id for found in listing(desk, EVERY_COMPLAINT)] == [second, third, first]
    assert [found.id for found in listing(desk, EVERY_COMPLAINT, limit=1)] == [second]
    assert [found.id for found in listing(desk, Asked(statuses=("answered",)))] == [first]
    assert [found.id for found in listing(desk, Asked(words="b"))] == [second]


@pytest.mark.parametrize(("within", "expected"), [(0, [-3]), (4, [-3, 4]), (30, [-3, 4, 14])])
def test_due_ones_for_reminders_come_latest_first_and_without_words(
    desk: Desk, within: int, expected: list[int]
) -> None:
    for day, text in ((19, "c"), (2, "a"), (9, "b")):
        register(desk, replace(THREAT, received_at=datetime(2026, 11, day, 9, tzinfo=BEIJING), text=text))
    found = figures.due(desk, within=within)
    assert [one.days_left for one in found] == expected
    assert {f for one in found for f in one.__slots__} == {"id", "channel", "due_on", "days_left"}


def test_tables_count_what_was_founded_late_and_caught(desk: Desk) -> None:
    first = register(desk, THREAT) or 0
    link(desk, first, "c-threat")
    answer(replace(desk, day=date(2026, 12, 30)), first)
    second = register(desk, replace(THREAT, text="又一件", received_at=THREAT.received_at + timedelta(hours=1))) or 0
    link(desk, second, "c-good")
    change(desk, at(desk, second), {"outcome": "rejected"})
    (line,) = figures.table(replace(desk, day=date(2026, 12, 30)), EVERY_COMPLAINT)
    assert (line.complaints, line.open, line.overdue, line.late, line.repeats) == (2, 1, 1, 1, 1)
    assert (line.upheld, line.partial, line.decided, line.linked, line.flagged) == (1, 0, 2, 2, 1)
    assert (line.founded.hits, line.founded.of, line.caught.hits, line.caught.of) == (1, 2, 1, 1)
    assert [one.key for one in figures.table(desk, EVERY_COMPLAINT, by="agent_id")] == ["A01", "A02"]
    assert figures.table(desk, Asked(since=date(2027, 1, 1))) == []


# rights


@pytest.mark.parametrize("role", [Role.TRAINER, Role.COLLECTOR])
def test_complaints_are_not_for_trainers_and_collectors(desk: Desk, number: int, role: Role) -> None:
    other = replace(desk, actor=Actor(name="x", role=role, agent_id="A02"))
    old = at(desk, number)
    steps: list[Callable[[], object]] = [
        lambda: register(other, replace(THREAT, text="x")),
        lambda: take_in(other, []),
        lambda: read(other, number),
        lambda: listing(other, EVERY_COMPLAINT),
        lambda: history(other, number),
        lambda: related(other, number),
        lambda: change(other, old, {"remedy": "x"}),
        lambda: move(other, old, Status.INVESTIGATING),
        lambda: extend(other, old, Complexity.COMPLEX, reason="x"),
        lambda: link(other, number, "c-good"),
        lambda: unlink(other, number, "c-good"),
        lambda: figures.linked(other, number),
        lambda: figures.suggest(other, old),
        lambda: figures.judged_today(other, "c-good", None),  # type: ignore[arg-type]
        lambda: figures.table(other, EVERY_COMPLAINT),
    ]
    for step in steps:
        with pytest.raises(Refused):
            step()
    assert len(history(desk, number)) == 1


@pytest.fixture(autouse=True)
def closed(batch: Store) -> Iterator[None]:
    """No step may leave a transaction open behind it."""
    yield
    assert not batch.sql.in_transaction
