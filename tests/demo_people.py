"""What people did in the demo store's month: reviews, an appeal, complaints, cases with payments, coaching.

All through the functions that the pages call; only the moments are set back afterwards, for a month can't be waited for.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from pathlib import Path

from audit import appeals, coaching, complaints, review
from audit.access import Actor, Role
from audit.cases import import_cases, read_cases
from audit.complaint_clock import Complexity, Status
from audit.complaint_record import Intake
from audit.complaints import Desk
from audit.config import CHINA
from audit.review import Choice, Policy
from audit.store import Store, queue
from audit.store.appeals import Decision
from audit.store.queue import Item, State
from audit.store.verdicts import Kind

OFFICER = Actor(name="吴敏", role=Role.OFFICER)
REVIEWERS = (Actor(name="周倩", role=Role.REVIEWER), Actor(name="孙磊", role=Role.REVIEWER))
_POLICY = Policy()


def live_through(store: Store, *, last_day: date) -> None:
    """Everything that people did up to the last day."""
    dice = random.Random(5)
    judged = _review(store, dice, last_day)
    _coach(store, judged, last_day)
    _appeal(store, judged)
    _date_back(store)
    _pay(store, dice, last_day)
    _complain(store, last_day)


def _items(store: Store) -> list[Item]:
    keys = [row["key"] for row in store.all("select key from items order by at, key")]
    return [item for key in keys if (item := queue.item(store, key)) is not None]


def _review(store: Store, dice: random.Random, last_day: date) -> list[Item]:
    """What is a week old has mostly been judged, what is grave sooner."""
    judged = []
    unheard = _grave_with_sound(store)
    for item in _items(store):
        if item.key in unheard:  # left at the head of the queue: what a reviewer opens first has its sound
            continue
        age = (last_day - date.fromisoformat(item.day)).days
        if dice.random() < (0.85 if age > 7 else 0.35 if item.rank >= 3 and age > 1 else 0.05):
            judged.append(review.judge(store, item, _choice(item, dice), actor=dice.choice(REVIEWERS), policy=_POLICY))
    return [item for item in judged if item.counts]


def _grave_with_sound(store: Store) -> set[str]:
    rows = store.all(
        "select key from items join calls using (call_id) where rank >= 4 and"
        " (path like '%/s__.%' or path like '%/o-____.opus')"
    )
    return {row["key"] for row in rows}


def _choice(item: Item, dice: random.Random) -> Choice:
    right = 0.86 if item.result == "fail" else 0.4
    at = dice.random()
    if at < right:
        return Choice(kind=Kind.CONFIRM)
    if at < right + 0.04:
        return Choice(kind=Kind.PARTIAL, reason="milder")
    return Choice(kind=Kind.DISMISS, reason=dice.choice(("context", "misheard", "quoted")))


def _appeal(store: Store, judged: list[Item]) -> None:
    """Two collectors appealed; one case is decided."""
    pairs = {item.agent_id: item for item in judged if item.rank >= 3}
    for number, (agent, item) in enumerate(list(pairs.items())[:2]):
        collector = Actor(name=f"催收员{agent}", role=Role.COLLECTOR, agent_id=agent)
        text = ("客户先说要躲起来，我只是提醒后果，没有威胁的意思。", "这句话是在念合同条款，前后文可以听到。")[number]
        appeal = appeals.file_appeal(store, item.key, text, actor=collector, policy=_POLICY)
        if number:
            other = next(actor for actor in REVIEWERS if actor.name not in item.judged_by)
            answer = "回听前后三十秒，确为逐字宣读合同，撤销原判定。"
            appeals.decide_appeal(store, appeal.id, Decision.OVERTURNED, answer, actor=other)


def _date_back(store: Store) -> None:
    """Verdicts were given in the two days after their calls."""
    with store.writing():
        store.sql.execute(
            "update verdicts set at = strftime('%Y-%m-%dT%H:%M:%S+00:00', (select at from items where items.key ="
            " verdicts.key), '+' || (18 + id % 30) || ' hours') where kind in ('confirm', 'partial', 'dismiss')"
        )


def _pay(store: Store, dice: random.Random, last_day: date) -> None:
    """A list of cases with what was paid: more than half of what was promised came."""
    rows = store.all(
        "select calls.case_id, calls.debtor_id, calls.agent_id, calls.product, max(calls.days_overdue) as days,"
        " min(date(started_at)) as first, max(promises.due) as due, max(promises.amount_fen) as fen"
        " from calls left join promises using (call_id) group by calls.case_id order by calls.case_id"
    )
    lines = ["case_id,debtor_id,agent_id,product,days_overdue,overdue_amount,principal,assigned_at,closed_at,"
             "satisfaction,paid_at,paid_amount"]  # fmt: skip
    for row in rows:
        owed = dice.randrange(800, 30_000)
        promised = min(owed, (row["fen"] or 0) / 100) or owed / 3
        paid = dice.random() < (0.62 if row["due"] else 0.18)
        day = date.fromisoformat(row["due"] or row["first"]) + timedelta(days=dice.randrange(-2, 3))
        paid = paid and day <= last_day
        whole = paid and dice.random() < 0.4
        amount = owed if whole else promised
        lines.append(
            f"{row['case_id']},{row['debtor_id']},{row['agent_id']},{row['product']},{row['days']},{owed:.2f},"
            f"{owed * 2:.2f},{row['first']},{day if whole else ''},{dice.randrange(55, 100) if dice.random() < 0.3 else ''},"
            f"{day if paid else ''},{f'{amount:.2f}' if paid else ''}"
        )
    found = read_cases(Path("cases.csv"), utc_offset=CHINA, uploaded="\n".join(lines).encode())
    assert not found.bad, found.bad[:3]
    import_cases(store, [found], actor=OFFICER, paid_until=last_day)


_COMPLAINTS = (
    (27, "12378", "threat", "催收员说知道我孩子在哪上学，让我“路上小心”，我和家人都很害怕。", "upheld", "conduct"),
    (24, "hotline", "call_frequency", "一天打了九个电话，上班时间也打，影响工作。", "partial", "dialling"),
    (21, "app", "dispute", "逾期金额和手机上显示的不一样，多了三百多元，不知道是什么费用。", "rejected", "unfounded"),
    (19, "12345", "privacy_leak", "给我单位同事打电话说我欠钱不还，现在全公司都知道了。", "upheld", "privacy"),
    (16, "hotline", "service", "态度很差，话没说完就挂电话。", "upheld", "script"),
    (14, "hotline", "third_party_contact", "我不是借款人，只是以前的邻居，已经说过三次了还在打。", None, None),
    (17, "12378", "unlawful_fee", "说要交五百元“减免手续费”才能办分期，合同里没有这一条。", None, None),
    (9, "media", "abuse", "骂我“老赖”“不要脸”，我录了音，准备发到网上。", None, None),
    (6, "app", "credit_record", "已经还清两个月了，征信上还显示逾期。", None, None),
    (4, "12345", "harassment", "晚上十点多还打电话，换了好几个号码。", None, None),
    (2, "hotline", "induce_borrowing", "让我去别的平台借钱先还上，说他可以教我怎么操作。", None, None),
)


def _complain(store: Store, last_day: date) -> None:
    """Eleven complaints, each linked to a call of the time before it; five of them are answered."""
    calls = list(
        store.all("select call_id, debtor_id, agent_id, date(started_at) as day from calls order by started_at")
    )
    for number, (days, channel, category, text, outcome, cause) in enumerate(_COMPLAINTS):
        received = last_day - timedelta(days=days)
        earlier = [call for call in calls if call["day"] <= received.isoformat()] or calls[:1]
        call = earlier[-1 - number] if len(earlier) > number else earlier[-1]
        intake = Intake(
            received_at=datetime.combine(received, time(9 + number % 8, 7 * number % 60), CHINA),
            channel=channel,
            text=text,
            complainant=f"{'周孙李赵钱吴郑王冯陈褚'[number]}{'先生' if number % 2 else '女士'}",
            debtor_id=call["debtor_id"],
            category=category,
        )
        desk = Desk(store=store, actor=OFFICER, day=received)
        complaint = complaints.register(desk, intake)
        assert complaint is not None
        if number % 3 != 1:
            complaints.link(desk, complaint, call["call_id"])
        if outcome is not None and cause is not None:
            _answer(
                Desk(store=store, actor=OFFICER, day=received + timedelta(days=8 + number)), complaint, outcome, cause
            )
        elif number % 2:
            complaints.move(desk, complaints.read(desk, complaint), Status.INVESTIGATING)
            if number == 7:
                open_ = complaints.read(desk, complaint)
                complaints.extend(desk, open_, Complexity.COMPLEX, reason="负责人同意，已电话告知投诉人。")


def _answer(desk: Desk, number: int, outcome: str, cause: str) -> None:
    complaints.move(desk, complaints.read(desk, number), Status.INVESTIGATING)
    said = {
        "outcome": outcome,
        "cause": cause,
        "answer": "已核查通话录音并与您电话沟通，对给您带来的困扰表示歉意，处理结果已书面告知。",
        "remedy": "当事人停岗学习，重新考核后上岗；同组晨会通报。",
    }
    complaints.change(desk, complaints.read(desk, number), said)
    complaints.move(desk, complaints.read(desk, number), Status.ANSWERED)
    complaints.move(desk, complaints.read(desk, number), Status.CLOSED)


def _coach(store: Store, judged: list[Item], last_day: date) -> None:
    """Two playlists: words that must not be said, and how it is done well; three collectors have them to hear."""
    grave = [item for item in judged if item.rank >= 3 and item.state is State.CONFIRMED][:4]
    bad = coaching.make_playlist(store, actor=OFFICER, title="不能说的话：威胁与泄露", note="先听，再想想该怎么说。")
    for item in grave:
        coaching.add_clip(store, bad, coaching.NewClip(call_id=item.call_id, finding=item.key), actor=OFFICER)
    good = coaching.make_playlist(store, actor=OFFICER, title="好例子：核验身份与复述承诺")
    spoken = store.all(
        "select call_id from calls where path like '%/s01.wav' or path like '%/s12.m4a' order by call_id"
    )
    for row in list(spoken):
        clip = coaching.NewClip(
            call_id=row["call_id"], start_ms=500, end_ms=18_000, note="开场、录音告知、核验一气呵成"
        )
        coaching.add_clip(store, good, clip, actor=OFFICER)
    due = max(last_day, date.today()) + timedelta(days=5)
    agents = tuple(dict.fromkeys(item.agent_id for item in grave))[:3]
    tasks = coaching.assign(
        store, bad, coaching.Task(agents=agents, due_on=due, note="听完写一句体会。"), actor=OFFICER
    )
    coaching.assign(store, good, coaching.Task(agents=agents[:1], due_on=due), actor=OFFICER)
    first = Actor(name=f"催收员{agents[0]}", role=Role.COLLECTOR, agent_id=agents[0])
    coaching.acknowledge(store, tasks[0], actor=first, reply="明白了，以后只说事实和途径。")
