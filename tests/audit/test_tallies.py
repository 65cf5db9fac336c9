"""The counts that pages read are those of the calls and items, whatever was done to the store and in which order."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audit import appeals, doctor, review
from audit.access import Actor, Role
from audit.errors import AuditError
from audit.review import Choice, Missed, Policy
from audit.store import Filter, Store, cases, queue, tallies, verdicts
from audit.store.appeals import Decision
from audit.store.queue import Asker, Machine, State, Wanted
from audit.store.verdicts import Kind
from rules.model import Result, Severity
from tests.audit.conftest import AGENT, FAIL, PASS, SETTINGS, UNSURE, Said, audited, build, tone

OFFICER = Actor(name="周", role=Role.OFFICER)
REVIEWERS = (Actor(name="吴", role=Role.REVIEWER), Actor(name="郑", role=Role.REVIEWER), OFFICER)
COLLECTOR = Actor(name="赵强", role=Role.COLLECTOR, agent_id="A02")
TURNS = [(AGENT, "你女儿路上小心一点，你个老赖，老赖")]
WORDS = ("你女儿路上小心一点", "老赖", "")
FINDINGS = [
    (rule_id, 0, words, result)
    for rule_id, words in (("menace-family", WORDS[0]), ("insult", WORDS[1]), ("no-recording-notice", WORDS[2]))
    for result in (FAIL, UNSURE)
] + [("wants-to-complain", 0, "", FAIL)]
COUNTS = ("call_days", "hour_days", "agent_days", "rule_days", "collector_days", "stage_days", "flagged_days")
AGENTS = (("A01", "王敏", "一组"), ("A02", "赵强", "二组"))


class Everything(RuleBasedStateMachine):
    """Save, audit again, judge, undo, add, appeal, forget, change the call list: at random."""

    folder: Path
    numbers = count()

    @initialize()
    def begin(self) -> None:
        self.store = Store.open(shutil.copy(self.folder / "empty/audit.db", self.folder / f"{next(self.numbers)}.db"))
        self.run = self.store.start_run("audit", SETTINGS)
        self.files = [self.folder / f"{n}.wav" for n in range(3)]

    @rule(
        n=st.integers(0, 2),
        name=st.sampled_from(["a", "b", "c"]),
        found=st.lists(st.sampled_from(FINDINGS), max_size=4),
        agent=st.sampled_from(AGENTS),
    )
    def save(self, n: int, name: str, found: list[tuple[str, int, str, Result]], agent: tuple[str, str, str]) -> None:
        said = Said(call_id=name, turns=TURNS, found=found, outcomes=[("no-greeting", PASS)], agent=agent)
        call = audited(said, self.files[n], n)
        self.store.save(replace(call, record=replace(call.record, product="信用卡" if n else None)), run=self.run)

    @rule(
        name=st.sampled_from(["a", "b", "c"]), agent=st.sampled_from(AGENTS), days=st.sampled_from([None, 0, 31, 400])
    )
    def change_list(self, name: str, agent: tuple[str, str, str], days: int | None) -> None:
        known = self.store.call(name)
        if known is not None:
            changed = replace(known.record, agent_id=agent[0], team=agent[2], started_at=None, days_overdue=days)
            self.store.add_records([changed])

    @rule(name=st.sampled_from(["a", "b", "c"]), days=st.sampled_from([None, 30, 181]))
    def change_stage(self, name: str, days: int | None) -> None:
        known = self.store.call(name)
        if known is not None:
            self.store.add_records([replace(known.record, days_overdue=days)])

    @rule(names=st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True))
    def forget(self, names: list[str]) -> None:
        self.store.forget(names)

    @rule(
        pick=st.integers(0, 20),
        who=st.sampled_from(REVIEWERS),
        two=st.booleans(),
        choice=st.sampled_from(
            [
                Choice(kind=Kind.CONFIRM),
                Choice(kind=Kind.PARTIAL, reason="milder"),
                Choice(kind=Kind.DISMISS, reason="context"),
            ]
        ),
    )
    def judge(self, pick: int, who: Actor, two: bool, choice: Choice) -> None:
        item = self.pick(pick)
        if item is not None:
            self.try_(lambda: review.judge(self.store, item, choice, actor=who, policy=policy(two=two)))

    @rule(pick=st.integers(0, 20), who=st.sampled_from(REVIEWERS), two=st.booleans())
    def undo(self, pick: int, who: Actor, two: bool) -> None:
        self.try_(lambda: review.undo(self.store, pick, actor=who, policy=policy(two=two)))

    @rule(name=st.sampled_from(["a", "b", "c"]), start=st.integers(0, 3), two=st.booleans())
    def add(self, name: str, start: int, two: bool) -> None:
        missed = Missed(turn=0, start=start, end=9, category="threat")
        self.try_(lambda: review.add_violation(self.store, name, missed, actor=OFFICER, policy=policy(two=two)))

    @rule(pick=st.integers(0, 20))
    def appeal(self, pick: int) -> None:
        item = self.pick(pick)
        if item is not None:
            self.try_(lambda: appeals.file_appeal(self.store, item.key, "不是", actor=COLLECTOR, policy=policy()))

    @rule(number=st.integers(1, 3), decision=st.sampled_from(Decision), who=st.sampled_from(REVIEWERS))
    def decide(self, number: int, decision: Decision, who: Actor) -> None:
        self.try_(lambda: appeals.decide_appeal(self.store, number, decision, "已听录音", actor=who))

    @invariant()
    def counts_are_those_of_a_recount(self) -> None:
        assert tallies.differences(self.store) == []

    @invariant()
    def stages_and_collectors_add_up_to_the_same(self) -> None:
        total = tallies.totals(self.store)
        for rows in (tallies.calls_by_stage(self.store), tallies.calls_by_collector(self.store)):
            found = [sum(row[name] for row in rows) for name in ("calls", "violations")]
            assert found == [total.calls, total.violations]

    @invariant()
    def one_collector_counted_call_by_call_is_as_the_counts_have_it(self) -> None:
        for line in tallies.calls_by_collector(self.store):
            rows = cases.calls_by_stage(self.store, Filter(agent_id=line["agent_id"]))
            assert line["agent_id"] == "" or sum(row["calls"] for row in rows) == line["calls"]

    @invariant()
    def the_queue_holds_what_waits(self) -> None:
        asker = Asker(name="nobody", at="2026-11-22T00:00:00+00:00")
        owned = {(row["call_id"], row["recording"]) for row in self.store.all("select call_id, recording from calls")}
        found = queue.next_open(self.store, Wanted(), asker, limit=99)
        waiting = [one for one in found if (one.call_id, one.recording) in owned]
        assert tallies.waiting(self.store) == len(waiting) == tallies.totals(self.store).waiting

    @invariant()
    def no_verdict_is_lost(self) -> None:
        """Every state is what the standing entries say; what nobody judged is what the machine finds today."""
        for row in self.store.all("select key from items"):
            item = queue.item(self.store, row["key"])
            assert item is not None
            standing = verdicts.standing(verdicts.history(self.store, item.key))
            assert (item.state is State.WAITING) == (not standing)
            # what waited for a second reviewer stands alone once the rules ask for one only
            settled = standing and standing[-1].after in (item.state, State.SECOND)
            assert item.state is State.WAITING or settled or item.state in queue.OPEN
            assert item.machine is Machine.PRESENT or standing

    def teardown(self) -> None:
        self.store.close()

    def pick(self, number: int) -> queue.Item | None:
        rows = list(self.store.all("select key from items order by key"))
        return queue.item(self.store, rows[number % len(rows)]["key"]) if rows else None

    def try_(self, what: Callable[[], object]) -> None:
        """What is refused changes nothing, and the invariants hold all the same."""
        before = self.everything()
        try:
            what()
        except AuditError:
            assert self.everything() == before

    def everything(self) -> list[object]:
        tables = ("items", "verdicts", "appeals", "ledger", *COUNTS)
        return [row for table in tables for row in self.store.sql.execute(f"select * from {table}")]


def policy(*, two: bool = False) -> Policy:
    return Policy(two_reviewers=Severity.CRITICAL if two else None)


def test_counts_follow_whatever_is_done(tmp_path: Path) -> None:
    build(tmp_path / "empty", []).close()
    for n in range(3):
        tone(tmp_path / f"{n}.wav", hertz=300 + 50 * n, seconds=0.1)
    machine = type("Machine", (Everything,), {"folder": tmp_path})
    slow = [HealthCheck.too_slow]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=slow)
    )


@pytest.fixture
def two_days(stored: Callable[..., Store], good_call: Said, threat_call: Said) -> Store:
    return stored(good_call, threat_call)


def test_totals_say_what_is_confirmed_and_what_only_the_machine_says(two_days: Store) -> None:
    before = tallies.totals(two_days)
    assert (before.calls, before.calls_machine, before.calls_confirmed, before.waiting) == (2, 1, 0, 3)
    judge_all(two_days, Choice(kind=Kind.CONFIRM))
    after = tallies.totals(two_days)
    assert (after.calls_machine, after.calls_confirmed, after.waiting, after.violations) == (0, 1, 0, 3)


def test_a_filter_counts_its_calls_alone(two_days: Store) -> None:
    assert tallies.totals(two_days, Filter(team="二组")).calls == 1
    assert tallies.totals(two_days, Filter(agent_id="A02")).waiting == 3
    assert tallies.totals(two_days, Filter(since=date(2026, 11, 17))).calls == 1
    assert tallies.totals(two_days, Filter(product="信用卡")) == tallies.Totals()


def test_lines_by_day_hour_collector_and_rule(two_days: Store) -> None:
    assert [(line.key, line.calls) for line in tallies.by_day(two_days)] == [(("2026-11-16",), 1), (("2026-11-17",), 1)]
    assert [line.key for line in tallies.by_hour_weekday(two_days)] == [(1, 10), (2, 10)]
    assert [line.key for line in tallies.by_collector(two_days)] == [("A01", "一组"), ("A02", "二组")]
    assert ("menace-family", "threat", "critical") in [line.key for line in tallies.by_rule(two_days)]
    duties = tallies.by_day(two_days)
    assert [(line.duties_done, line.duties_due) for line in duties] == [(2, 2), (1, 2)]


def test_several_places_of_one_rule_are_one_violation(stored: Callable[..., Store]) -> None:
    said = Said(call_id="c", turns=TURNS, found=[("insult", 0, "老赖", FAIL), ("insult", 0, "你个老赖", FAIL)])
    store = stored(said)
    judge_all(store, Choice(kind=Kind.CONFIRM))
    (line,) = tallies.by_rule(store)
    assert (line.fails, line.confirmed, line.violations, line.calls) == (2, 2, 1, 1)


def test_a_sign_of_self_harm_waits_but_never_counts_against_anyone(stored: Callable[..., Store]) -> None:
    store = stored(Said(call_id="c", turns=TURNS, found=[("insult", 0, "老赖", FAIL)]))
    with tallies.kept(store, "c"), store.writing():
        store.sql.execute("update items set category = 'self_harm', severity = 'critical', rank = 4")
    assert tallies.totals(store).calls_critical_waiting == 1
    judge_all(store, Choice(kind=Kind.CONFIRM))
    found = tallies.totals(store)
    assert (found.calls_confirmed, found.violations, found.calls_machine) == (0, 0, 0)
    assert tallies.differences(store) == []


def test_backlog_tells_how_old_it_is(two_days: Store) -> None:
    found = tallies.backlog(two_days)
    assert (found.waiting, found.oldest, found.median) == (3, date(2026, 11, 17), date(2026, 11, 17))
    assert found.by_severity[Severity.CRITICAL] == 1
    judge_all(two_days, Choice(kind=Kind.DISMISS, reason="context"))
    assert tallies.backlog(two_days).oldest is None


def test_a_damaged_count_is_found_and_mended(two_days: Store) -> None:
    with two_days.writing():
        two_days.sql.execute("update call_days set calls = calls + 1 where team = '一组'")
    assert len(tallies.differences(two_days)) == 1
    assert tallies.quick_check(two_days) == "统计表的通话数是 3，实际是 2"
    assert doctor.recount(two_days.path) == 1
    assert tallies.differences(two_days) == []
    assert tallies.quick_check(two_days) is None


def test_a_store_of_before_gets_its_queue_and_counts(two_days: Store) -> None:
    """Back to the schema of before: then what the migration fills is what the writer had kept."""
    path, kept = two_days.path, rows_of(two_days.path)
    two_days.close()
    raw = sqlite3.connect(path)
    for table in ("items", "verdicts", "comments", "appeals", "claims", *COUNTS):
        raw.execute(f"drop table {table}")
    for step in ("m006%", "m007%", "m014%", "m016%", "m018%", "m019%", "m020%", "m023%"):
        raw.execute("delete from _sqlite_migrations where name like ?", [step])
    raw.commit()
    raw.close()
    with Store.open(path) as store:
        assert tallies.differences(store) == []
    assert rows_of(path) == kept


def rows_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    raw = sqlite3.connect(path)
    tables = ("items", *COUNTS)
    found = {table: sorted(raw.execute(f"select * from {table}"), key=str) for table in tables}
    raw.close()
    return found


def judge_all(store: Store, choice: Choice) -> None:
    while (offer := review.next_item(store, actor=OFFICER)) is not None:
        review.judge(store, offer.item, choice, actor=OFFICER, policy=Policy())
