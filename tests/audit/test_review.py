"""Reviewers judge what the machine found; nothing they say is lost, and nobody overwrites another unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from audit import ledger, review
from audit.access import Action, Actor, Refused, Role, may
from audit.review import REASONS, BadVerdict, Choice, Conflict, Missed, Policy, settle
from audit.store import AuditedCall, Filter, Store, queue, verdicts
from audit.store.queue import Item, Machine, State, Wanted
from audit.store.verdicts import Kind
from rules.model import Result, Severity
from tests.audit.conftest import AGENT, FAIL, SETTINGS, UNSURE, Said, audited

WU = Actor(name="吴", role=Role.REVIEWER)
ZHENG = Actor(name="郑", role=Role.REVIEWER)
WANG = Actor(name="王", role=Role.REVIEWER)
ZHOU = Actor(name="周", role=Role.OFFICER)
ONE, TWO = Policy(), Policy(two_reviewers=Severity.CRITICAL)
CONFIRM = Choice(kind=Kind.CONFIRM)
PARTIAL = Choice(kind=Kind.PARTIAL, reason="milder")
DISMISS = Choice(kind=Kind.DISMISS, reason="context")


@pytest.fixture
def store(stored: Callable[..., Store], threat_call: Said, good_call: Said) -> Store:
    return stored(threat_call, good_call)


def first(store: Store, actor: Actor = WU, wanted: Wanted = queue.EVERYTHING) -> Item:
    offer = review.next_item(store, wanted, actor=actor)
    assert offer is not None
    return offer.item


def state(store: Store, item: Item) -> State:
    found = queue.item(store, item.key)
    assert found is not None
    return found.state


# order and filters


def test_gravest_first_then_surest(store: Store) -> None:
    seen = []
    while (offer := review.next_item(store, actor=WU)) is not None:
        seen.append((offer.item.rule_id, offer.item.confidence))
        review.judge(store, offer.item, CONFIRM, actor=WU, policy=ONE)
    assert seen == [("menace-family", 1.0), ("insult", 0.8), ("no-recording-notice", 1.0)]


def test_what_customers_say_is_nobodys_violation_and_not_in_the_queue(store: Store) -> None:
    assert [row["rule_id"] for row in store.all("select rule_id from items where category = 'complaint_intent'")] == []


@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        (Wanted(rule_id="insult"), "insult"),
        (Wanted(category="recording_notice"), "no-recording-notice"),
        (Wanted(severity=Severity.HIGH), "insult"),
        (Wanted(result=Result.UNSURE), "insult"),
        (Wanted(calls=Filter(agent_id="A02"), result=Result.FAIL), "menace-family"),
        (Wanted(calls=Filter(team="一组")), None),
        (Wanted(calls=Filter(product="信用卡")), None),
    ],
)
def test_the_queue_can_be_filtered(store: Store, wanted: Wanted, rule: str | None) -> None:
    offer = review.next_item(store, wanted, actor=WU)
    assert (None if offer is None else offer.item.rule_id) == rule
    assert review.progress(store, wanted, actor=WU).waiting == (0 if rule is None else 1 + (wanted.calls != Filter()))


def test_what_one_looks_at_is_not_offered_to_another_first(store: Store) -> None:
    mine, theirs = first(store, WU), first(store, ZHENG)
    assert mine.key != theirs.key
    assert first(store, WU).key == mine.key


def test_when_all_is_held_it_is_offered_with_the_holders_name(store: Store) -> None:
    held = first(store, WU, Wanted(rule_id="insult"))
    offer = review.next_item(store, Wanted(rule_id="insult"), actor=ZHENG)
    assert offer is not None
    assert (offer.item.key, offer.held_by) == (held.key, "吴")


def test_a_claim_ends(store: Store) -> None:
    held = first(store, WU, Wanted(rule_id="insult"))
    with store.writing():
        store.sql.execute("update claims set until = '2026-01-01T00:00:00+00:00'")
    offer = review.next_item(store, Wanted(rule_id="insult"), actor=ZHENG)
    assert offer is not None
    assert (offer.item.key, offer.held_by) == (held.key, None)


def test_what_was_put_off_is_left_out(store: Store) -> None:
    grave = first(store)
    offer = review.next_item(store, actor=WU, put_off=[grave.key])
    assert offer is not None
    assert offer.item.rule_id == "insult"


# verdicts


def test_both_verdicts_are_kept_with_who_when_before_and_after(store: Store) -> None:
    item = first(store)
    after = review.judge(store, item, replace(PARTIAL, comment=" 客户先骂人 "), actor=WU, policy=ONE)
    (entry,) = verdicts.history(store, item.key)
    assert (after.state, after.result) == (State.PARTIAL, Result.FAIL)
    assert (entry.by, entry.kind, entry.before, entry.after) == ("吴", Kind.PARTIAL, State.WAITING, State.PARTIAL)
    assert (entry.reason, entry.comment) == ("milder", "客户先骂人")
    assert entry.finding is not None
    assert (entry.finding["result"], entry.finding["quote"]) == ("fail", "你女儿是在实验小学三年级吧，路上小心一点")


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        (Choice(kind=Kind.DISMISS), "请选一个理由"),
        (Choice(kind=Kind.DISMISS, reason="milder"), "请选一个理由"),
        (Choice(kind=Kind.DISMISS, reason="other", comment="  "), "写明"),
        (Choice(kind=Kind.CONFIRM, reason="context"), "不需要理由"),
        (Choice(kind=Kind.OVERTURN), "不能这样判定"),
    ],
)
def test_a_verdict_without_its_reason_is_refused(store: Store, choice: Choice, why: str) -> None:
    item = first(store)
    with pytest.raises(BadVerdict, match=why):
        review.judge(store, item, choice, actor=WU, policy=ONE)
    assert state(store, item) is State.WAITING


def test_every_reason_is_accepted(store: Store) -> None:
    item = first(store)
    for kind, reasons in REASONS.items():
        for reason in reasons:
            said = Choice(kind=kind, reason=reason, comment="说明")
            after = review.judge(store, item, said, actor=WU, policy=ONE)
            back = review.undo(store, after.stamp, actor=WU, policy=ONE)
            assert back is not None
            item = back


def test_the_second_of_two_on_one_item_is_told_and_nothing_is_lost(store: Store) -> None:
    seen_by_both = first(store)
    review.judge(store, seen_by_both, CONFIRM, actor=WU, policy=ONE)
    with pytest.raises(Conflict, match="吴 刚刚处理过"):
        review.judge(store, seen_by_both, DISMISS, actor=ZHENG, policy=ONE)
    assert state(store, seen_by_both) is State.CONFIRMED
    assert len(verdicts.history(store, seen_by_both.key)) == 1


def test_equal_words_under_the_same_rule_are_judged_alike(stored: Callable[..., Store]) -> None:
    insults = [
        Said(call_id=f"c{n}", turns=[(AGENT, f"第{n}次了，{words}。")], found=[("insult", 0, words, UNSURE)])
        for n, words in enumerate(["老赖", "老 赖", "老赖！", "赖皮"])
    ]
    store = stored(*insults)
    item = first(store)
    found = review.case(store, item.key, actor=WU)
    assert found is not None
    assert found.equal == 2
    review.judge(store, item, DISMISS, actor=WU, policy=ONE)
    assert len(review.judge_equal(store, item, DISMISS, actor=WU, policy=ONE)) == 2
    assert review.progress(store, actor=WU) == review.Progress(waiting=1, today=3)


def test_a_finding_without_words_has_no_equals(stored: Callable[..., Store]) -> None:
    silent = [Said(call_id=f"c{n}", turns=[(AGENT, f"喂{n}")], found=[("no-greeting", 0, "", FAIL)]) for n in range(3)]
    store = stored(*silent)
    assert review.judge_equal(store, first(store), CONFIRM, actor=WU, policy=ONE) == []


# undo


def test_an_undo_is_an_entry_and_brings_the_item_back(store: Store) -> None:
    item = first(store)
    judged = review.judge(store, item, DISMISS, actor=WU, policy=ONE)
    back = review.undo(store, judged.stamp, actor=WU, policy=ONE)
    assert back is not None
    assert back.state is State.WAITING
    assert [(e.kind, e.undoes) for e in verdicts.history(store, item.key)] == [
        (Kind.DISMISS, None),
        (Kind.UNDO, judged.stamp),
    ]
    assert review.progress(store, actor=WU).today == 0
    with pytest.raises(Conflict, match="已经撤销过"):
        review.undo(store, judged.stamp, actor=WU, policy=ONE)


def test_only_oneself_or_an_officer_takes_a_verdict_back(store: Store) -> None:
    judged = review.judge(store, first(store), CONFIRM, actor=WU, policy=ONE)
    with pytest.raises(Conflict, match="只有本人或合规负责人"):
        review.undo(store, judged.stamp, actor=ZHENG, policy=ONE)
    assert review.undo(store, judged.stamp, actor=ZHOU, policy=ONE) is not None


def test_recent_shows_what_can_still_be_taken_back(store: Store) -> None:
    one = review.judge(store, first(store), CONFIRM, actor=WU, policy=ONE)
    two = review.judge(store, first(store), CONFIRM, actor=WU, policy=ONE)
    review.undo(store, two.stamp, actor=WU, policy=ONE)
    assert [entry.id for entry in review.recent(store, actor=WU)] == [one.stamp]
    review.undo(store, one.stamp, actor=ZHOU, policy=ONE)
    assert review.recent(store, actor=WU) == []


# two reviewers


@pytest.mark.parametrize(
    ("votes", "needed", "after"),
    [
        ([], 1, State.WAITING),
        ([Kind.CONFIRM], 1, State.CONFIRMED),
        ([Kind.DISMISS], 1, State.DISMISSED),
        ([Kind.ADD], 2, State.SECOND),
        ([Kind.CONFIRM, Kind.PARTIAL], 2, State.PARTIAL),
        ([Kind.PARTIAL, Kind.CONFIRM], 2, State.CONFIRMED),
        ([Kind.CONFIRM, Kind.DISMISS], 2, State.SECOND),
        ([Kind.CONFIRM, Kind.DISMISS, Kind.DISMISS], 2, State.DISMISSED),
        ([Kind.DISMISS, Kind.ADD, Kind.CONFIRM], 2, State.CONFIRMED),
    ],
)
def test_decided_once_enough_agree(votes: list[Kind], needed: int, after: State) -> None:
    assert settle(votes, needed=needed) is after


def test_a_critical_finding_needs_two_different_reviewers(store: Store) -> None:
    item = first(store)
    once = review.judge(store, item, CONFIRM, actor=WU, policy=TWO)
    assert (once.state, once.counts) == (State.SECOND, False)
    with pytest.raises(Conflict, match="另一位复核人"):
        review.judge(store, once, CONFIRM, actor=WU, policy=TWO)
    assert first(store, WU).key != item.key
    assert first(store, ZHENG).key == item.key
    twice = review.judge(store, once, CONFIRM, actor=ZHENG, policy=TWO)
    assert (twice.state, twice.counts, twice.judged_by) == (State.CONFIRMED, True, ("吴", "郑"))


def test_where_two_disagree_a_third_decides(store: Store) -> None:
    item = review.judge(store, first(store), CONFIRM, actor=WU, policy=TWO)
    item = review.judge(store, item, DISMISS, actor=ZHENG, policy=TWO)
    assert item.state is State.SECOND
    assert review.judge(store, item, DISMISS, actor=WANG, policy=TWO).state is State.DISMISSED


def test_less_grave_ones_need_one(store: Store) -> None:
    insult = first(store, WU, Wanted(rule_id="insult"))
    assert review.judge(store, insult, CONFIRM, actor=WU, policy=TWO).state is State.CONFIRMED


# what the machine missed


def test_a_missed_violation_is_added_with_its_words(store: Store) -> None:
    missed = Missed(turn=2, start=21, end=26, category="abuse", rule_id="insult", comment="语气很重")
    item = review.add_violation(store, "c-threat", missed, actor=WU, policy=ONE)
    found = review.case(store, item.key, actor=WU)
    assert found is not None
    assert (item.machine, item.state, item.rule_id, item.severity) == (
        Machine.ADDED,
        State.CONFIRMED,
        "insult",
        Severity.HIGH,
    )
    assert found.finding.quote == "你个老赖。"
    assert review.title(item.rule_id, review.rule_cards(store, store.call("c-threat"))["insult"]) == "辱骂债务人"


def test_without_a_rule_it_stands_under_its_category(store: Store) -> None:
    missed = Missed(turn=0, start=0, end=2, category="unlawful_fee", severity=Severity.MEDIUM)
    item = review.add_violation(store, "c-good", missed, actor=WU, policy=ONE)
    assert (item.rule_id, item.rank) == ("added-unlawful-fee", 2)
    assert review.title(item.rule_id, None) == "人工补充：违规收费"


@pytest.mark.parametrize(
    ("missed", "why"),
    [
        (Missed(turn=9, start=0, end=2, category="threat"), "没有选中的话"),
        (Missed(turn=0, start=2, end=2, category="threat"), "没有选中的话"),
        (Missed(turn=0, start=0, end=99, category="threat"), "没有选中的话"),
        (Missed(turn=0, start=0, end=2, category="threat", rule_id="none"), "没有规则"),
        (Missed(turn=0, start=0, end=2, category="hardship"), "不是违规"),
    ],
)
def test_what_can_not_be_added(store: Store, missed: Missed, why: str) -> None:
    with pytest.raises(BadVerdict, match=why):
        review.add_violation(store, "c-good", missed, actor=WU, policy=ONE)
    assert verdicts.standing_of_reviewer(store, "吴", limit=9) == []


def test_what_the_machine_found_can_not_be_added_again(store: Store) -> None:
    text = "你女儿是在实验小学三年级吧，路上小心一点"
    missed = Missed(turn=2, start=0, end=len(text), category="threat", rule_id="menace-family")
    with pytest.raises(BadVerdict, match="已按这条规则列入"):
        review.add_violation(store, "c-threat", missed, actor=WU, policy=ONE)


def test_an_added_one_taken_back_leaves_the_queue_but_not_the_history(store: Store) -> None:
    item = review.add_violation(
        store, "c-good", Missed(turn=0, start=0, end=2, category="threat"), actor=WU, policy=ONE
    )
    assert review.undo(store, item.stamp, actor=WU, policy=ONE) is None
    assert queue.item(store, item.key) is None
    assert [entry.kind for entry in verdicts.history(store, item.key)] == [Kind.ADD, Kind.UNDO]


# a new judgement of the call


def again(store: Store, said: Said) -> None:
    call = store.call(said.call_id)
    assert call is not None
    assert call.record.path is not None
    new: AuditedCall = audited(said, call.record.path, 0)
    store.save_judgement(replace(new, record=call.record), run=store.start_run("reaudit", SETTINGS))


def test_verdicts_outlive_a_re_audit(store: Store, threat_call: Said) -> None:
    judged = review.judge(store, first(store), CONFIRM, actor=WU, policy=ONE)
    again(store, threat_call)
    assert queue.item(store, judged.key) == judged


def test_what_is_found_no_longer_goes_unless_somebody_judged_it(store: Store, threat_call: Said) -> None:
    judged = review.judge(store, first(store), CONFIRM, actor=WU, policy=ONE)
    again(store, replace(threat_call, found=[]))
    found = review.case(store, judged.key, actor=WU)
    assert found is not None
    assert (found.item.machine, found.item.state) == (Machine.GONE, State.CONFIRMED)
    assert queue.items_of_call(store, "c-threat") == [found.item]
    assert found.finding.quote == "你女儿是在实验小学三年级吧，路上小心一点"
    assert review.progress(store, actor=WU).waiting == 0
    again(store, threat_call)
    assert queue.item(store, judged.key) == judged


def test_a_gone_one_taken_back_leaves_the_queue(store: Store, threat_call: Said) -> None:
    judged = review.judge(store, first(store), CONFIRM, actor=WU, policy=ONE)
    again(store, replace(threat_call, found=[]))
    assert review.undo(store, judged.stamp, actor=WU, policy=ONE) is None


# rights and the ledger


@pytest.mark.parametrize("role", Role)
def test_only_who_may_judge_judges(store: Store, role: Role) -> None:
    actor, item = Actor(name="某", role=role, agent_id="A02"), first(store)
    if may(actor, Action.JUDGE):
        assert review.judge(store, item, CONFIRM, actor=actor, policy=ONE).state is State.CONFIRMED
        return
    for refused in (
        lambda: review.next_item(store, actor=actor),
        lambda: review.judge(store, item, CONFIRM, actor=actor, policy=ONE),
        lambda: review.judge_equal(store, item, CONFIRM, actor=actor, policy=ONE),
        lambda: review.undo(store, 1, actor=actor, policy=ONE),
        lambda: review.comment(store, item.key, "话", actor=actor),
        lambda: review.case(store, item.key, actor=actor),
    ):
        with pytest.raises(Refused):
            refused()


def test_every_step_stands_in_the_ledger_without_the_words(store: Store) -> None:
    item = first(store)
    judged = review.judge(store, item, replace(DISMISS, comment="张三说的"), actor=WU, policy=ONE)
    review.comment(store, item.key, "打电话给 13800000000", actor=WU)
    review.undo(store, judged.stamp, actor=WU, policy=ONE)
    entries = list(reversed(ledger.recent(store, subject=item.key)))
    assert [entry.kind for entry in entries] == ["verdict", "comment", "undo"]
    assert entries[0].data["reason"] == "context"
    assert ledger.verify(store) is None
    assert not any("张三" in str(entry.data) or "138" in str(entry.data) for entry in entries)


def test_remarks_stand_beside_the_item(store: Store) -> None:
    item = first(store)
    review.comment(store, item.key, " 请培训 ", actor=WU)
    found = review.case(store, item.key, actor=ZHENG)
    assert found is not None
    assert [(remark.by, remark.text) for remark in found.comments] == [("吴", "请培训")]
    with pytest.raises(BadVerdict, match="空的"):
        review.comment(store, item.key, " ", actor=WU)
