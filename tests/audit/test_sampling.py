"""Samples: the same every time, even over the days, fair; heard by whom they should; and what follows from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from audit import appeals, ledger, review, sampling
from audit.access import Action, Actor, Refused, Role, may
from audit.cli import cli
from audit.review import Choice, Missed, Policy
from audit.sampling import BadSample, choose
from audit.sampling_figures import Floor, Quality, quality
from audit.store import Store, queue, retention, samples
from audit.store.appeals import Decision
from audit.store.queue import Item
from audit.store.samples import STRATA, Candidate, Correction, NewPlan, Period, Pool, Sample, Stratum
from audit.store.verdicts import Kind
from tests.audit.conftest import AGENT, CUSTOMER, FAIL, PASS, RULESET, SETTINGS, Said, audited

WU = Actor(name="吴", role=Role.REVIEWER)
ZHENG = Actor(name="郑", role=Role.REVIEWER)
WANG = Actor(name="王", role=Role.REVIEWER)
NOVEMBER = Period(since=date(2026, 11, 1), until=date(2026, 11, 30))
OCTOBER = NOVEMBER.before
ONE = Policy()
AGENTS = (("A01", "王敏", "一组"), ("A02", "李强", "一组"), ("B01", "陈静", "二组"))


def said(number: int, *, insults: bool) -> Said:
    """A call in which a debtor is called names, or one in which nothing was found."""
    words = "你个老赖，赶紧还钱。" if insults else "您好，请问什么时候方便处理？"
    return Said(
        call_id=f"n{number:03d}",
        turns=[(AGENT, "您好，本次通话会录音。"), (CUSTOMER, "嗯，你说。"), (AGENT, words)],
        found=[("insult", 2, "老赖", FAIL)] if insults else [],
        outcomes=[("no-greeting", PASS)],
        agent=AGENTS[number % 3],
    )


def build(folder: Path, *, calls: int, insults: int, days: Period = NOVEMBER) -> Store:
    """Calls spread over the days, the first `insults` of them with a finding."""
    store = Store.open(folder / "audit.db")
    store.save_rules(RULESET)
    run = store.start_run("audit", SETTINGS)
    span = (days.until - days.since).days + 1
    for number in range(calls):
        path = folder / f"{days.since}-{number}.wav"
        path.write_bytes(str(path).encode())
        spoken = said(number, insults=number < insults)
        call = audited(replace(spoken, call_id=f"{days.since:%m}-{spoken.call_id}"), path, number % 10)
        at = datetime.fromisoformat(f"{days.since + timedelta(days=number * 7 % span)}T10:00:00+08:00")
        store.save(replace(call, record=replace(call.record, started_at=at)), run=run)
    return store


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    build(folder, calls=120, insults=30).close()
    return folder / "audit.db"


@pytest.fixture
def store(built: Path, tmp_path: Path) -> Iterator[Store]:
    """90 calls in which nothing was found, 30 in which something was."""
    (tmp_path / "audit.db").write_bytes(built.read_bytes())
    with Store.open(tmp_path / "audit.db") as store:
        yield store


def drawn(store: Store, *, count: int = 10, **given: object) -> Sample:
    plan = NewPlan(**{"name": "月度抽检", "pool": Pool.UNFLAGGED, "per_stratum": count, **given})  # type: ignore[arg-type]
    made = sampling.make_plan(store, plan, actor=WU)
    return sampling.draw(store, made.id, NOVEMBER, actor=WU)


def figures(store: Store, **floor: float) -> Quality:
    return quality(store, NOVEMBER, floor=Floor(**floor), actor=WU)  # type: ignore[arg-type]


def heard(store: Store, sample: Sample, *, actor: Actor = WU) -> list[str]:
    """Everything that is left for this reviewer, heard to its end with nothing missed."""
    calls = []
    while (task := sampling.next_task(store, sample.id, actor=actor)) is not None:
        sampling.finish(store, task.item.id, actor=actor)
        calls.append(task.item.call_id)
    return calls


def judged(store: Store, *, confirm: int, dismiss: int, actor: Actor = WU) -> list[Item]:
    """The next items of the queue, upheld first."""
    done = []
    for number in range(confirm + dismiss):
        offer = review.next_item(store, actor=actor)
        assert offer is not None
        choice = Choice(kind=Kind.CONFIRM) if number < confirm else Choice(kind=Kind.DISMISS, reason="context")
        done.append(review.judge(store, offer.item, choice, actor=actor, policy=ONE))
    return done


def miss(store: Store, call_id: str, *, actor: Actor = WU) -> Item:
    missed = Missed(turn=2, start=0, end=3, category="threat")
    return review.add_violation(store, call_id, missed, actor=actor, policy=ONE)


# drawing


def among(count: int, *, days: int = 30, strata: int = 1) -> list[Candidate]:
    return [
        Candidate(call_id=f"c{n}", recording="r", key="", day=f"2026-11-{1 + n % days:02d}", stratum=f"s{n % strata}")
        for n in range(count)
    ]


def test_the_same_calls_in_any_order_give_the_same_sample() -> None:
    there, back = among(5000, strata=7), list(reversed(among(5000, strata=7)))
    assert choose(there, per_stratum=9, seed="1/a") == choose(back, per_stratum=9, seed="1/a")
    assert choose(there, per_stratum=9, seed="1/a") != choose(there, per_stratum=9, seed="2/a")


@pytest.mark.parametrize("count", [30, 60, 150, 299])
def test_the_days_have_their_share_to_within_one(count: int) -> None:
    by_day = Counter(one.day for one in choose(among(3000), per_stratum=count, seed="x"))
    share = count / 30
    assert len(by_day) == 30
    assert all(abs(n - share) <= 1 for n in by_day.values())


def test_each_stratum_gives_as_many_as_asked_for_or_all_it_has() -> None:
    calls = [*among(900, strata=3), Candidate(call_id="only", recording="r", key="", day="2026-11-05", stratum="small")]
    chosen = choose(calls, per_stratum=20, seed="x")
    assert Counter(one.stratum for one in chosen) == {"s0": 20, "s1": 20, "s2": 20, "small": 1}
    assert len({one.call_id for one in chosen}) == 61


def test_every_call_has_the_same_chance() -> None:
    """2,000 samples of 10 of 100: each call is expected 200 times; 5 standard deviations are 67."""
    times = Counter(one.call_id for seed in range(2000) for one in choose(among(100), per_stratum=10, seed=str(seed)))
    assert len(times) == 100
    assert all(abs(n - 200) < 67 for n in times.values())


def test_the_order_of_hearing_follows_neither_days_nor_strata() -> None:
    chosen = choose(among(3000, strata=2), per_stratum=200, seed="x")
    first = chosen[:200]
    assert 70 < sum(one.stratum == "s0" for one in first) < 130
    assert 70 < sum(one.day <= "2026-11-15" for one in first) < 130


def test_a_plan_draws_once_for_the_same_days(store: Store) -> None:
    sample = drawn(store, count=12)
    assert sampling.draw(store, sample.plan.id, NOVEMBER, actor=ZHENG) == sample
    assert (sample.items, sample.done, sample.strata) == (12, 0, {"": 90})
    first = [entry.subject for entry in ledger.recent(store, kind=ledger.Kind.SAMPLE)]
    assert first == [f"sample-{sample.id}", f"plan-{sample.plan.id}"]


def test_a_sample_of_unflagged_calls_has_no_finding_in_it(store: Store) -> None:
    calls = {one.call_id for one in samples.items(store, drawn(store, count=90).id)}
    assert calls == {f"11-n{n:03d}" for n in range(30, 120)}


@pytest.mark.parametrize(
    ("pool", "stratum"), [(pool, stratum) for pool, all_ in STRATA.items() for stratum in all_], ids=str
)
def test_every_pool_is_drawn_by_every_stratum_it_has(store: Store, pool: Pool, stratum: Stratum) -> None:
    sample = drawn(store, count=4, pool=pool, stratum=stratum)
    expected = {Pool.CALLS: 120, Pool.UNFLAGGED: 90, Pool.FINDINGS: 30}
    assert sum(sample.strata.values()) == expected[pool]
    assert sample.items == 4 * len(sample.strata)
    if stratum is Stratum.COLLECTOR:
        assert set(sample.strata) == {"A01", "A02", "B01"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"per_stratum": 0},
        {"pool": Pool.CALLS, "stratum": Stratum.RULE},
        {"blind": True, "reviewers": ("吴",)},
        {"blind": True, "reviewers": ("吴", "郑"), "pool": Pool.FINDINGS},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(store: Store, wrong: dict[str, object]) -> None:
    plan = NewPlan(**{"name": "x", "pool": Pool.UNFLAGGED, "per_stratum": 5, **wrong})  # type: ignore[arg-type]
    with pytest.raises(BadSample):
        sampling.make_plan(store, plan, actor=WU)
    assert sampling.plans(store, actor=WU) == []


def test_days_without_calls_and_days_turned_round_are_refused(store: Store) -> None:
    plan = sampling.make_plan(store, NewPlan(name="x", pool=Pool.CALLS, per_stratum=5), actor=WU)
    for days in (OCTOBER, Period(since=NOVEMBER.until, until=NOVEMBER.since)):
        with pytest.raises(BadSample):
            sampling.draw(store, plan.id, days, actor=WU)
    with pytest.raises(BadSample):
        sampling.draw(store, 99, NOVEMBER, actor=WU)
    assert sampling.all_samples(store, actor=WU) == []


# hearing


def test_two_reviewers_share_a_sample_without_hearing_a_call_twice(store: Store) -> None:
    sample = drawn(store, count=6)
    first, second = (sampling.next_task(store, sample.id, actor=who) for who in (WU, ZHENG))
    assert first is not None
    assert second is not None
    assert first.item.id != second.item.id
    sampling.finish(store, first.item.id, actor=WU)
    assert len(heard(store, sample, actor=ZHENG)) == 5
    assert sampling.all_samples(store, actor=WU)[0].complete
    with pytest.raises(BadSample, match="吴 已听完"):
        sampling.finish(store, first.item.id, actor=ZHENG)


def test_named_reviewers_get_equal_parts_and_only_their_own(store: Store) -> None:
    sample = drawn(store, count=10, reviewers=("吴", "郑"))
    theirs = next(one for one in samples.items(store, sample.id) if one.reviewer == "郑")
    with pytest.raises(BadSample, match="分给了 郑"):
        sampling.finish(store, theirs.id, actor=WU)
    assert len(heard(store, sample, actor=WU)) == 5
    assert sampling.next_task(store, sample.id, actor=WANG) is None
    assert len(heard(store, sample, actor=ZHENG)) == 5


def test_a_finding_judged_in_the_queue_is_done_in_the_sample(store: Store) -> None:
    sample = drawn(store, count=30, pool=Pool.FINDINGS)
    judged(store, confirm=3, dismiss=1)
    after = sampling.all_samples(store, actor=WU)[0]
    assert (after.items, after.done) == (30, 4)
    assert sampling.next_task(store, sample.id, actor=WU).left == 26  # type: ignore[union-attr]


def test_hearing_can_be_taken_back_by_who_heard(store: Store) -> None:
    sample = drawn(store, count=2)
    task = sampling.next_task(store, sample.id, actor=WU)
    assert task is not None
    sampling.finish(store, task.item.id, actor=WU)
    with pytest.raises(BadSample):
        sampling.reopen(store, task.item.id, actor=ZHENG)
    sampling.reopen(store, task.item.id, actor=WU)
    assert len(heard(store, sample)) == 2


def test_a_call_that_retention_deleted_is_not_waited_for(store: Store) -> None:
    sample = drawn(store, count=3)
    task = sampling.next_task(store, sample.id, actor=WU)
    assert task is not None
    sampling.correct(store, task.item.id, Correction(turn=1, heard="嗯，你说。", text="嗯，您说。"), actor=WU)
    old = [
        one for one in retention.expired(store, before={}, otherwise="2027-01-01") if one.call_id == task.item.call_id
    ]
    retention.erase(store, old)
    after = samples.sample(store, sample.id)
    assert after is not None
    assert (after.items, after.gone, after.done) == (3, 1, 0)
    assert len(heard(store, sample)) == 2
    assert samples.corrections(store, task.item.recording) == {}


@pytest.mark.parametrize("role", [role for role in Role if not may(Actor(name="x", role=role), Action.SAMPLE)])
def test_other_roles_may_do_none_of_it(store: Store, role: Role) -> None:
    sample, who = drawn(store), Actor(name="x", role=role, agent_id="A01")
    number = samples.items(store, sample.id)[0].id
    attempts: list[Callable[[], object]] = [
        lambda: sampling.make_plan(store, NewPlan(name="x", pool=Pool.CALLS, per_stratum=5), actor=who),
        lambda: sampling.plans(store, actor=who),
        lambda: sampling.draw(store, sample.plan.id, NOVEMBER, actor=who),
        lambda: sampling.all_samples(store, actor=who),
        lambda: sampling.next_task(store, sample.id, actor=who),
        lambda: sampling.task(store, number, actor=who),
        lambda: sampling.finish(store, number, actor=who),
        lambda: sampling.reopen(store, number, actor=who),
        lambda: sampling.last_heard(store, sample.id, actor=who),
        lambda: sampling.correct(store, number, Correction(turn=0, heard="", text=""), actor=who),
        lambda: sampling.compare(store, sample.id, actor=who),
        lambda: quality(store, NOVEMBER, floor=Floor(), actor=who),
    ]
    for attempt in attempts:
        with pytest.raises(Refused):
            attempt()


# blind sets


def blind(store: Store) -> Sample:
    return drawn(store, count=10, pool=Pool.CALLS, stratum=Stratum.FLAGGED, reviewers=("吴", "郑"), blind=True)


def hear_blind(store: Store, sample: Sample, actor: Actor, *, deaf_to: int = 0) -> None:
    """Hears every insult, but for some."""
    while (task := sampling.next_task(store, sample.id, actor=actor)) is not None:
        dossier = sampling.hear_task(store, task, actor=actor)
        assert dossier is not None
        assert dossier.found == ()
        assert dossier.card is None
        insult = any("老赖" in turn.text for turn in dossier.turns)
        deaf_to -= insult
        sampling.finish(store, task.item.id, actor=actor, said=frozenset({"abuse"} if insult and deaf_to < 0 else ()))


def test_a_blind_set_shows_nothing_until_all_have_heard_all(store: Store) -> None:
    judged(store, confirm=20, dismiss=0)
    sample = blind(store)
    assert sample.items == 40
    hear_blind(store, sample, WU)
    assert sampling.compare(store, sample.id, actor=WU) is None
    assert figures(store).blind == ()
    hear_blind(store, sample, ZHENG, deaf_to=2)
    found = sampling.compare(store, sample.id, actor=WU)
    assert found is not None
    assert len(found.calls) == 20
    assert sum(call.machine == {"abuse"} for call in found.calls) == 10
    assert [one.category for one in found.agreed] == ["", "abuse"]
    assert found.agreed[0].share == 0.9
    # 10 and 8 of 20 heard an insult, all 8 in common: (0.9 - 0.5) / (1 - 0.5).
    assert found.agreed[0].kappa.value == pytest.approx(0.8)
    assert figures(store).blind == (found,)


def test_what_was_said_of_a_blind_set_is_not_in_the_ledger_and_can_not_be_changed_afterwards(store: Store) -> None:
    sample = blind(store)
    hear_blind(store, sample, WU)
    last = sampling.last_heard(store, sample.id, actor=WU)
    assert last is not None
    assert not any("abuse" in str(entry.data) for entry in ledger.recent(store, kind=ledger.Kind.SAMPLE))
    sampling.reopen(store, last.id, actor=WU)
    hear_blind(store, sample, WU)
    hear_blind(store, sample, ZHENG)
    with pytest.raises(BadSample, match="公开"):
        sampling.reopen(store, last.id, actor=WU)


def test_a_blind_set_wants_an_answer_and_other_samples_want_none(store: Store) -> None:
    for sample, answer in (
        (blind(store), None),
        (blind(store), frozenset({"promise_to_pay"})),
        (drawn(store), frozenset[str]()),
    ):
        task = sampling.next_task(store, sample.id, actor=WU)
        assert task is not None
        with pytest.raises(BadSample):
            sampling.finish(store, task.item.id, actor=WU, said=answer)


# corrected words


def test_what_was_heard_stays_and_the_error_rate_counts_the_newest_correction(store: Store) -> None:
    sample = drawn(store, count=1)
    task = sampling.next_task(store, sample.id, actor=WU)
    assert task is not None
    before = store.transcript(task.item.recording)
    for text in ("嗯，您讲。", " 嗯，您说！"):
        sampling.correct(store, task.item.id, Correction(turn=1, heard="嗯，你说。", text=text), actor=WU)
    sampling.finish(store, task.item.id, actor=WU, text_checked=True)
    assert store.transcript(task.item.recording) == before
    # One character of 9 + 3 + 12; punctuation and spaces do not count.
    (checked,) = samples.checked_texts(store, NOVEMBER.calls)
    assert checked == (1, 24)
    assert figures(store).errors.value == pytest.approx(1 / 24)


def test_a_text_that_nobody_checked_in_full_does_not_count(store: Store) -> None:
    sample = drawn(store, count=1)
    heard(store, sample)
    assert figures(store).errors.value is None


def test_masked_words_are_not_taken_as_heard(store: Store) -> None:
    sample = drawn(store, count=1)
    number = samples.items(store, sample.id)[0].id
    with pytest.raises(BadSample, match="遮盖"):
        sampling.correct(store, number, Correction(turn=1, heard="嗯，**。", text="嗯，你说。"), actor=WU)


# figures


def test_recall_from_a_sample_of_what_nothing_flagged(store: Store) -> None:
    """Truth: 30 insults found, of which people uphold 24 of 30; 6 threats in 90 calls were missed."""
    judged(store, confirm=24, dismiss=6)
    sample = drawn(store, count=90)
    for n in range(40, 46):
        miss(store, f"11-n{n:03d}")
    assert figures(store).recall_of is None
    heard(store, sample)
    found = figures(store)
    assert found.recall_of is not None
    by_category = {one.category: one.recall for one in found.recall}
    assert list(by_category) == ["", "threat", "abuse"]
    assert by_category[""].value == by_category[""].low == by_category[""].high == 24 / 30
    assert by_category["threat"].value == 0
    assert by_category["abuse"].value == 1


def test_recall_from_a_part_covers_the_truth(store: Store) -> None:
    judged(store, confirm=12, dismiss=3)
    for n in range(40, 46):
        miss(store, f"11-n{n:03d}")
    sample = drawn(store, count=15, stratum=Stratum.COLLECTOR)
    heard(store, sample)
    whole = figures(store).recall[0].recall
    assert whole.of == 45
    assert whole.found == pytest.approx(24)
    assert whole.low is not None
    assert whole.high is not None
    assert whole.low <= 24 / 30 <= whole.high


def test_an_addition_taken_back_is_not_missed(store: Store) -> None:
    judged(store, confirm=5, dismiss=0)
    sample = drawn(store, count=90)
    item = miss(store, "11-n050")
    heard(store, sample)
    assert figures(store).recall[0].recall.missed == 1
    review.undo(store, item.stamp, actor=WU, policy=ONE)
    assert figures(store).recall[0].recall.missed == 0


def test_a_rule_below_the_floor_is_put_up_for_revision(store: Store) -> None:
    judged(store, confirm=10, dismiss=14)
    (insult,) = figures(store).rules
    assert insult.rule_id == "insult"
    assert (insult.precision.hits, insult.precision.of) == (10, 24)
    assert insult.precision.high is not None
    assert insult.precision.high < 0.8
    assert insult.revise
    assert not figures(store, reviews=25).rules[0].revise
    assert not figures(store, precision=0.5).rules[0].revise


def test_precision_of_what_was_drawn_at_random_stands_beside(store: Store) -> None:
    sample = drawn(store, count=10, pool=Pool.FINDINGS, stratum=Stratum.RULE)
    judged(store, confirm=20, dismiss=10)
    (insult,) = figures(store).rules
    assert insult.precision.of == 30
    assert insult.sampled.of == sample.items == 10


def test_drift_is_against_as_many_days_before(tmp_path: Path) -> None:
    build(tmp_path, calls=60, insults=3, days=OCTOBER).close()
    with build(tmp_path, calls=60, insults=30) as store:
        assert queue.items_of_call(store, "10-n000") != []
        (insult,) = figures(store).rules
        change = insult.fires_change
        assert change.value == pytest.approx(0.45)
        assert change.low is not None
        assert change.low > 0.25
        assert insult.precision_change.value is None


def test_overturned_findings_are_counted_among_decided_appeals(store: Store) -> None:
    items = judged(store, confirm=3, dismiss=0)
    for number, item in enumerate(items):
        who = Actor(name=item.agent_id, role=Role.COLLECTOR, agent_id=item.agent_id)
        filed = appeals.file_appeal(store, item.key, "不认可", actor=who, policy=ONE)
        if number < 2:
            decision = Decision.OVERTURNED if number else Decision.UPHELD
            appeals.decide_appeal(store, filed.id, decision, "已听录音", actor=ZHENG)
    found = figures(store).overturned
    assert (found.all.hits, found.all.of) == (1, 2)
    assert found.by_rule["insult"].share == 0.5


def test_an_empty_store_has_no_figures(tmp_path: Path) -> None:
    with Store.open(tmp_path / "empty.db") as store:
        found = figures(store)
    assert found.rules == ()
    assert found.recall_of is None
    assert found.errors.value is None
    assert found.overturned.all.of == 0


# the command line


def run(store: Store, *arguments: str) -> tuple[str, str]:
    done = CliRunner().invoke(cli, ["sampling", *arguments, "--db", str(store.path)], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.stdout, done.stderr


def test_the_command_line_plans_draws_and_counts(store: Store) -> None:
    november = ("--from", "2026-11-01", "--to", "2026-11-30")
    assert run(store, "plan", "漏判抽检", "--by", "team", "--count", "5")[0] == "1\n"
    assert "漏判抽检" in run(store, "plan")[0]
    assert "10 条，已完成 0 条" in run(store, "draw", "1", *november)[1]
    judged(store, confirm=4, dismiss=20)
    for one in samples.items(store, 1):
        sampling.finish(store, one.id, actor=WU)
    table, said = run(store, "figures", *november)
    assert "待修订" in table
    assert "任何违规" in table
    assert "待修订的规则 1 条" in said
    found = json.loads(run(store, "figures", *november, "--json")[0])
    assert found["recall_sample"] == 1
    assert found["rules"][0]["precision"]["of"] == 24
    assert found["recall"][0]["value"] == 1.0
