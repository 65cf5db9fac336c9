"""What people at the demo's agency made of its calls: verdicts, complaints, coaching.

    build_demo(path)
    follow_up(path)

Calls are chosen by what the rules found, so that complaints fit them; days are counted back from the demo's last one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from audit.access import Actor, Role
from audit.coaching import NewClip, Task, add_clip, assign, make_playlist
from audit.complaint_clock import BEIJING, Complexity, Status
from audit.complaint_record import Intake
from audit.complaints import Desk, change, extend, link, move, read, register
from audit.review import Choice, Policy, judge
from audit.store import Filter, Store
from audit.store.queue import EVERYTHING, Asker, Item, State, judged_items, next_open
from audit.store.verdicts import Kind
from tests.demo import LAST_DAY

OFFICER = Actor(name="吴敏", role=Role.OFFICER)
REVIEWER = Actor(name="郑洁", role=Role.REVIEWER)
TRAINER = Actor(name="林涛", role=Role.TRAINER)
_WORDS = {
    "threat": ("12378", "催收员拿我家里人说事，话里话外都是威胁，我现在不敢接电话。"),
    "abuse": ("hotline", "电话里骂人，说得很难听，我要求道歉。"),
    "privacy_leak": ("12345", "把我欠款的事告诉了我的同事，单位里都知道了。"),
    "third_party_pressure": ("12378", "打电话给我家里人，让他们替我还。"),
    "impersonation": ("12378", "自称是办案的，说材料已经递上去了，我不知道他到底是什么单位。"),
    "private_payment": ("hotline", "让我转到个人账户，说这样还得快，我转了以后一直没有销账。"),
    "harassment": ("app", "一天打了很多次，挂了又打，影响我上班。"),
    "false_consequence": ("media", "说不还就要坐牢，孩子也不能上学，已经把录音发到网上。"),
    "obstruct_complaint": ("12345", "我说要投诉，他说投诉也没有用。"),
    "unlawful_fee": ("court", "多要了一笔上门费，合同里没有。"),
    "quiet_hours": ("12345", "晚上十一点还打电话来。"),
}
_NAMES = ("孙鹏", "何敏", "赵磊", "郑小军", "马丽", "黄志强", "周建", "吴晓", "许文", "刘芳", "高峰", "林珊")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A complaint of the demo, the call it is about, and how far it has come."""

    intake: Intake
    call_id: str
    steps: int


def follow_up(path: Path, *, today: date = LAST_DAY) -> None:
    """Add verdicts, complaints and coaching to a demo store."""
    with Store.open(path) as store:
        _review(store)
        for told in _told(store, today):
            _handle(store, told, today)
        _coach(store, today)


def _review(store: Store) -> None:
    """Two thirds of the sure findings are confirmed, some dismissed, the rest waits."""
    dice = random.Random(3)
    asker = Asker(name=REVIEWER.name, at="2026-11-21T02:00:00+00:00")
    policy = Policy()
    for item in next_open(store, EVERYTHING, asker, limit=90):
        chosen = dice.random()
        if chosen < 0.75:
            judge(store, item, Choice(kind=Kind.CONFIRM), actor=REVIEWER, policy=policy)
        elif chosen < 0.85:
            judge(store, item, Choice(kind=Kind.DISMISS, reason="misheard"), actor=REVIEWER, policy=policy)


def _told(store: Store, today: date) -> Iterator[_Told]:
    dice = random.Random(5)
    seen: set[str] = set()
    for item in _confirmed(store):
        if item.category not in _WORDS or item.debtor_id in seen or len(seen) == len(_NAMES):
            continue
        name = _NAMES[len(seen)]
        seen.add(item.debtor_id)
        channel, words = _WORDS[item.category]
        day = min(today, date.fromisoformat(item.day) + timedelta(days=dice.randrange(1, 4)))
        at = datetime.combine(day, time(dice.randrange(9, 18), dice.randrange(60)), BEIJING)
        intake = Intake(
            received_at=at, channel=channel, text=words, complainant=name, debtor_id=item.debtor_id,
            agent_id=item.agent_id, category=item.category,
        )  # fmt: skip
        yield _Told(intake=intake, call_id=item.call_id, steps=dice.randrange(4))
        if len(seen) == 1:
            again = replace(intake, received_at=min(at + timedelta(days=2), _noon(today)), channel="media",
                            text="上次反映以后没有人回复，又接到电话。")  # fmt: skip
            yield _Told(intake=again, call_id=item.call_id, steps=0)
    # Older than any of the calls, and still not answered.
    old = Intake(
        received_at=_noon(today - timedelta(days=19)), channel="court", complainant="周先生", debtor_id="D0977",
        category="dispute", text="收到起诉材料，里面的欠款比我在手机上看到的多两千多。",
    )  # fmt: skip
    yield _Told(intake=old, call_id="", steps=1)
    soon = replace(old, received_at=_noon(today - timedelta(days=13)), channel="hotline", complainant="匿名",
                   debtor_id="D0976", category="call_frequency", text="一天接到七个催款电话。")  # fmt: skip
    yield _Told(intake=soon, call_id="", steps=0)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(11, 20), BEIJING)


def _confirmed(store: Store) -> list[Item]:
    return judged_items(store, [State.CONFIRMED], limit=1000)


def _handle(store: Store, told: _Told, today: date) -> None:
    day = min(today, told.intake.received_at.date() + timedelta(days=1))
    desk = Desk(store=store, actor=OFFICER, day=day)
    number = register(desk, told.intake)
    assert number is not None
    if told.call_id and told.steps:
        link(desk, number, told.call_id)
    if told.steps >= 1:
        move(desk, read(desk, number), Status.INVESTIGATING)
    if told.steps == 1 and told.call_id:
        extend(desk, read(desk, number), Complexity.COMPLEX, reason="涉及多通录音，王总批准，已电话告知")
    if told.steps >= 2:
        answer = {"outcome": "upheld", "cause": "conduct", "answer": "已听取录音，属实，已向您道歉并更换人员。"}
        change(desk, read(desk, number), answer | {"remedy": "停岗三天，完成辅导后再上线。"})
        move(desk, read(desk, number), Status.ANSWERED)
    if told.steps == 3:
        move(desk, read(desk, number), Status.CLOSED)


def _coach(store: Store, today: date) -> None:
    confirmed = _confirmed(store)
    threats = [item for item in confirmed if item.category in ("threat", "abuse")]
    number = make_playlist(
        store, actor=TRAINER, title="把话说在分寸里", note="先听反面的，想想可以怎么说，再听正面的。"
    )
    for item in threats[:3]:
        new = NewClip(call_id=item.call_id, finding=item.key, note="拿家人说事，客户从这里开始不再听。")
        add_clip(store, number, new, actor=TRAINER)
    good = next((call for call in store.calls(Filter()) if call.card.score == 100), None)
    if good is not None:
        end = min(good.duration_ms, 20_000)
        new = NewClip(call_id=good.record.call_id, start_ms=0, end_ms=end, note="开场完整：身份、录音、核验。")
        add_clip(store, number, new, actor=TRAINER)
    agents = sorted({item.agent_id for item in threats[:3] if item.agent_id})
    task = Task(agents=tuple(agents), due_on=today + timedelta(days=5), note="周会前听完")
    assign(store, number, task, actor=TRAINER)
    make_playlist(store, actor=TRAINER, title="核验身份", note="")
