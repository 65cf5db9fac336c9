"""复核: what people say of what the machine found, and what follows from it.

An item waits until a reviewer confirms, dismisses or corrects it; where the policy wants two reviewers, until two
different ones agree. Every step is an entry that stays, an undo too, and stands in the ledger. Only what people
confirmed counts against a collector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from audit import ledger
from audit.access import Action, Actor, Role, require
from audit.complaint_clock import BEIJING
from audit.errors import AuditError
from audit.store import RuleCard, Store, StoredCall, finding_keys, queue, tallies, verdicts
from audit.store.connection import now
from audit.store.queue import Asker, Item, Machine, State, Wanted
from audit.store.verdicts import Comment, Entry, Kind, Verdict
from rules.hints import title as title_of_hint
from rules.model import FOUND, Finding, Result, Severity

CLAIM = timedelta(minutes=10)
"""How long an item that somebody looks at is not offered to others first."""
AT_ONCE = 200
"""Most equal items that one go judges: others must be able to write in between."""
ADDED = "added-"
"""Before the category, the rule of a violation that people added without naming a rule."""

# reason → (Chinese, English), in the order of the number keys
REASONS: Mapping[Kind, Mapping[str, tuple[str, str]]] = {
    Kind.DISMISS: {
        "misheard": ("识别有误，没有这样说", "Misheard: not said"),
        "context": ("结合上下文不构成违规", "No violation in context"),
        "quoted": ("转述、引用或告知规定", "Quoted, or a rule explained"),
        "wrong_speaker": ("说话人认错，不是坐席说的", "Wrong speaker"),
        "allowed": ("制度允许或有依据", "Allowed, or well founded"),
        "done": ("义务已履行，机器没听出", "Duty was done"),
        "other": ("其他（请写明）", "Other (say what)"),
    },
    Kind.PARTIAL: {
        "milder": ("违规成立，情节较轻", "A violation, but milder"),
        "other_rule": ("违规成立，应归另一规则", "A violation of another rule"),
        "other_words": ("违规成立，命中的话不准", "A violation, but other words"),
        "shared": ("对方先挑起或误导", "Provoked or misled"),
        "other": ("其他（请写明）", "Other (say what)"),
    },
}
_AGAINST = (Kind.CONFIRM, Kind.PARTIAL, Kind.ADD)
_VOTES = (*_AGAINST, Kind.DISMISS)


class Conflict(AuditError):
    """Somebody else was faster, or it is not this person's turn; nothing was changed."""


class BadVerdict(AuditError):
    """A verdict that can't be taken as it is: a reason or words are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`two_reviewers`: from this severity on two must agree, None never. `appeal_days`: time for an appeal."""

    two_reviewers: Severity | None = None
    appeal_days: int = 7

    def needed(self, severity: Severity) -> int:
        """How many reviewers must agree."""
        return 2 if self.two_reviewers is not None and severity.rank >= self.two_reviewers.rank else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A verdict on a finding: `kind` CONFIRM, PARTIAL or DISMISS, `reason` a key of REASONS for the last two.

    `comment` is free text; for the reason "other" it must not be empty.
    """

    kind: Kind
    reason: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A violation that the machine missed: words of a turn, [start, end) in characters, and a rule or a category.

    `severity` counts where no rule is named.
    """

    turn: int
    start: int
    end: int
    category: str
    rule_id: str | None = None
    severity: Severity = Severity.HIGH
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An item to judge next; `held_by` names who looks at it already, where nothing else is left."""

    item: Item
    held_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What stands about one item beside its call (audit.dossier); `finding` is as it was said, not masked.

    `equal` counts waiting items with the same words.
    """

    item: Item
    finding: Finding
    history: tuple[Verdict, ...]
    comments: tuple[Comment, ...]
    equal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Open items under a filter, and how many the reviewer has judged today (Beijing time)."""

    waiting: int
    today: int


# looking


def next_item(
    store: Store, wanted: Wanted = queue.EVERYTHING, *, actor: Actor, put_off: Sequence[str] = ()
) -> Offer | None:
    """The next item of the queue, now held for this reviewer; None where nothing (more) waits."""
    require(actor, Action.JUDGE)
    if not tallies.waiting(store, wanted):
        return None
    for _ in range(5):  # each time somebody else took it between the look and the claim
        found = queue.next_open(store, wanted, Asker(name=actor.name, at=now(), put_off=tuple(put_off)))
        if not found:
            return None
        holder = hold(store, found[0].key, actor=actor)
        if holder is None:
            break
    return Offer(item=found[0], held_by=holder)


def hold(store: Store, key: str, *, actor: Actor) -> str | None:
    """Note that this reviewer looks at an item; returns who else does, then that one keeps it."""
    require(actor, Action.JUDGE)
    until = (datetime.now(UTC) + CLAIM).isoformat(timespec="seconds")
    return queue.claim(store, key, by=actor.name, at=now(), until=until)


def case(store: Store, key: str, *, actor: Actor) -> Case | None:
    """One item with its history; None where the key is not in the queue."""
    require(actor, Action.SEE_QUEUE)
    item = queue.item(store, key)
    if item is None:
        return None
    return Case(
        item=item,
        finding=finding_of(store, item),
        history=tuple(verdicts.history(store, key)),
        comments=tuple(verdicts.comments(store, key)),
        equal=len(queue.equal_items(store, item, limit=AT_ONCE)) if item.state is State.WAITING else 0,
    )


def progress(store: Store, wanted: Wanted = queue.EVERYTHING, *, actor: Actor) -> Progress:
    """How much waits, and what this reviewer has done today."""
    require(actor, Action.SEE_QUEUE)
    midnight = datetime.now(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    today = verdicts.judged_since(store, actor.name, midnight.isoformat(timespec="seconds"))
    return Progress(waiting=tallies.waiting(store, wanted), today=today)


def recent(store: Store, *, actor: Actor, limit: int = 20) -> list[Verdict]:
    """What this reviewer judged last and has not taken back, newest first."""
    require(actor, Action.JUDGE)
    return verdicts.standing_of_reviewer(store, actor.name, limit=limit)


def finding_of(store: Store, item: Item) -> Finding:
    """What was found: as the machine has it today, else as it was when somebody judged it last."""
    found = store.finding(item.key)
    if found is not None:
        return found
    kept = [entry.finding for entry in verdicts.history(store, item.key) if entry.finding is not None]
    return _from_values(kept[-1])


def rule_cards(store: Store, call: StoredCall | None) -> Mapping[str, RuleCard]:
    """The rules by which a call was judged, by id; without a call, those of the newest run."""
    run = store.last_run() if call is None else store.run(call.run)
    return {} if run is None else store.rules(run.settings.ruleset_digest)


def rule_titles(store: Store, *, lang: str = "zh") -> dict[str, str]:
    """Rules of which anything was ever found: id → title with how many wait; what waits most comes first."""
    cards = rule_cards(store, None)
    lines: dict[str, int] = {}
    for line in tallies.by_rule(store):
        lines[str(line.key[0])] = lines.get(str(line.key[0]), 0) + line.waiting
    by_count = sorted(lines.items(), key=lambda pair: (-pair[1], pair[0]))
    return {rule: f"{title(rule, cards.get(rule), lang=lang)}（{n}）" for rule, n in by_count}


def title(rule_id: str, card: RuleCard | None, *, lang: str = "zh") -> str:
    """What people call the rule of an item: of the rule set, a model's hint, or added by people."""
    if card is not None:
        return card.title if lang == "zh" else card.title_en
    if rule_id.startswith(ADDED):
        chinese, english = FOUND[rule_id.removeprefix(ADDED).replace("-", "_")]
        return f"人工补充：{chinese}" if lang == "zh" else f"Added: {english.lower()}"
    return title_of_hint(rule_id, lang=lang) or rule_id


# judging


def judge(store: Store, shown: Item, choice: Choice, *, actor: Actor, policy: Policy) -> Item:
    """Give a verdict on an item as it was shown; returns the item as it stands now.

    `Conflict` where it has been judged since, or this reviewer has judged it already; `BadVerdict` where the
    reason is missing. Nothing is changed then.
    """
    require(actor, Action.JUDGE)
    _refuse_incomplete(choice)
    with store.writing():
        item = _standing_item(store, shown.key)
        _refuse_late(store, item, seen=shown.stamp, actor=actor)
        entry = _entry(item, choice, finding_of(store, item), actor=actor)
        return _vote(store, item, entry, actor=actor, policy=policy)


def judge_equal(store: Store, like: Item, choice: Choice, *, actor: Actor, policy: Policy) -> list[Item]:
    """Give the same verdict on waiting items with the same words under the same rule, at most AT_ONCE."""
    require(actor, Action.JUDGE)
    _refuse_incomplete(choice)
    with store.writing():
        equal = queue.equal_items(store, like, limit=AT_ONCE)
        entries = [_entry(item, choice, finding_of(store, item), actor=actor) for item in equal]
        pairs = zip(equal, entries, strict=True)
        return [_vote(store, item, entry, actor=actor, policy=policy) for item, entry in pairs]


def add_violation(store: Store, call_id: str, missed: Missed, *, actor: Actor, policy: Policy) -> Item:
    """Add a violation that the machine missed; it counts like one that was confirmed by this reviewer."""
    require(actor, Action.JUDGE)
    with store.writing():
        call = store.call(call_id)
        if call is None:
            raise BadVerdict(f"没有通话 {call_id}；请从通话页重新打开")
        finding = _missed(store, call, missed)
        key = finding_keys(call.recording, [finding])[0]
        if queue.item(store, key) is not None:
            raise BadVerdict("这几个字已按这条规则列入复核；请直接在那一条上判定")
        with tallies.kept(store, call_id):
            queue.add_item(store, call.record, call.recording, key, finding)
        item = _standing_item(store, key)
        entry = _entry(item, Choice(kind=Kind.ADD, comment=missed.comment), finding, actor=actor)
        return _vote(store, item, entry, actor=actor, policy=policy)


def undo(store: Store, entry: int, *, actor: Actor, policy: Policy) -> Item | None:
    """Take back a verdict of one's own (an officer: anybody's); returns the item, None where it left the queue.

    `Conflict` where it was taken back before, or an appeal has been filed since.
    """
    require(actor, Action.JUDGE)
    with store.writing():
        verdict = verdicts.entry(store, entry)
        if verdict is None or verdict.kind not in _VOTES:
            raise Conflict("没有这一条判定；请刷新页面")
        if verdict.by != actor.name and actor.role not in (Role.ADMIN, Role.OFFICER):
            raise Conflict(f"这一条是 {verdict.by} 判的；只有本人或合规负责人可以撤销")
        item = queue.item(store, verdict.key)
        if item is None or verdict not in verdicts.standing(verdicts.history(store, verdict.key)):
            raise Conflict("这一条判定已经撤销过")
        if _appealed(store, verdict.key):
            raise Conflict("催收员已就这一条提出申诉；请在申诉页处理")
        return _take_back(store, item, verdict, actor=actor, policy=policy)


def comment(store: Store, key: str, text: str, *, actor: Actor) -> None:
    """Keep a remark on an item."""
    require(actor, Action.JUDGE)
    if not text.strip():
        raise BadVerdict("备注是空的；请写上内容")
    with store.writing():
        item = _standing_item(store, key)
        number = verdicts.add_comment(store, key=key, call_id=item.call_id, by=actor.name, text=text.strip())
        ledger.record(store, actor=actor, kind=ledger.Kind.COMMENT, subject=key, data={"comment": number})


def settle(votes: Sequence[Kind], *, needed: int) -> State:
    """Where the votes of different reviewers leave an item: decided once `needed` of them agree."""
    against = [vote for vote in votes if vote in _AGAINST]
    if votes and len(against) >= needed:
        return State.PARTIAL if against[-1] is Kind.PARTIAL else State.CONFIRMED
    if votes.count(Kind.DISMISS) >= needed:
        return State.DISMISSED
    return State.SECOND if votes else State.WAITING


# below: one step each, within the caller's transaction


def _entry(item: Item, choice: Choice, finding: Finding, *, actor: Actor) -> Entry:
    return Entry(
        key=item.key,
        recording=item.recording,
        call_id=item.call_id,
        by=actor.name,
        kind=choice.kind,
        before=None if choice.kind is Kind.ADD else item.state,
        after=None,
        reason=choice.reason,
        comment=choice.comment.strip() or None,
        finding=_values(finding),
    )


def _vote(store: Store, item: Item, entry: Entry, *, actor: Actor, policy: Policy) -> Item:
    votes = [earlier.kind for earlier in _votes(store, item.key)]
    after = settle([*votes, entry.kind], needed=policy.needed(item.severity))
    number = _keep(store, item, actor=actor, entry=replace(entry, after=after))
    _set(store, item, after, judged_by=[*item.judged_by, actor.name], stamp=number)
    return _standing_item(store, item.key)


def _take_back(store: Store, item: Item, verdict: Verdict, *, actor: Actor, policy: Policy) -> Item | None:
    left = [entry for entry in _votes(store, item.key) if entry.id != verdict.id]
    leaves = not left and item.machine is not Machine.PRESENT
    after = settle([entry.kind for entry in left], needed=policy.needed(item.severity))
    number = _keep(store, item, actor=actor, entry=Entry(
        key=item.key, recording=item.recording, call_id=item.call_id, by=actor.name, kind=Kind.UNDO,
        before=item.state, after=None if leaves else after, undoes=verdict.id,
    ))  # fmt: skip
    if not leaves:
        _set(store, item, after, judged_by=[entry.by for entry in left], stamp=number)
        return _standing_item(store, item.key)
    with tallies.kept(store, item.call_id):
        queue.remove_item(store, item.key)
    return None


def _keep(store: Store, item: Item, *, actor: Actor, entry: Entry) -> int:
    """The entry and its line in the ledger; words and free text stay out of the latter."""
    number = verdicts.add_verdict(store, entry)
    kind = ledger.Kind.UNDO if entry.kind is Kind.UNDO else ledger.Kind.VERDICT
    ledger.record(store, actor=actor, kind=kind, subject=item.key, data={
        "entry": number, "call": item.call_id, "rule": item.rule_id, "verdict": entry.kind.value,
        "before": entry.before, "after": entry.after, "reason": entry.reason, "undoes": entry.undoes,
    })  # fmt: skip
    return number


def _set(store: Store, item: Item, state: State, *, judged_by: Sequence[str], stamp: int) -> None:
    with tallies.kept(store, item.call_id):
        queue.set_state(store, item.key, state=state, judged_by=judged_by, stamp=stamp)


def _votes(store: Store, key: str) -> list[Verdict]:
    return [entry for entry in verdicts.standing(verdicts.history(store, key)) if entry.kind in _VOTES]


def _standing_item(store: Store, key: str) -> Item:
    item = queue.item(store, key)
    if item is None:
        raise Conflict("这一条已不在复核队列里（规则更新后不再命中，或已撤销）；请看下一条")
    return item


def _refuse_late(store: Store, item: Item, *, seen: int, actor: Actor) -> None:
    if item.stamp != seen or item.state not in queue.OPEN:
        last = verdicts.history(store, item.key)[-1]
        raise Conflict(f"{last.by} 刚刚处理过这一条；您的判定没有保存，请看最新状态后再定")
    if actor.name in item.judged_by:
        raise Conflict("这一条您已判过，需要另一位复核人；请看下一条")


def _refuse_incomplete(choice: Choice) -> None:
    if choice.kind not in (Kind.CONFIRM, Kind.PARTIAL, Kind.DISMISS):
        raise BadVerdict(f"不能这样判定：{choice.kind}")
    allowed = REASONS.get(choice.kind, {})
    if allowed and choice.reason not in allowed:
        raise BadVerdict(f"请选一个理由：{'、'.join(chinese for chinese, _ in allowed.values())}")
    if not allowed and choice.reason is not None:
        raise BadVerdict("确认违规不需要理由；要说明请写在备注里")
    if choice.reason == "other" and not choice.comment.strip():
        raise BadVerdict("理由选了“其他”，请在备注里写明")


def _appealed(store: Store, key: str) -> bool:
    from audit.store.appeals import appeal_against

    return appeal_against(store, key) is not None


def _missed(store: Store, call: StoredCall, missed: Missed) -> Finding:
    transcript = store.transcript(call.recording)
    turn = next((t for t in transcript.turns if t.index == missed.turn), None) if transcript else None
    if turn is None or not 0 <= missed.start < missed.end <= len(turn.text):
        raise BadVerdict("没有选中的话；请先选一句，再选其中的字")
    card = rule_cards(store, call).get(missed.rule_id or "")
    if missed.rule_id is not None and card is None:
        raise BadVerdict(f"没有规则 {missed.rule_id}；请从列表里选")
    category = missed.category if card is None else card.category
    if not queue.belongs_here(category):
        raise BadVerdict("客户表达的信号不是违规；请选违规的类别")
    return Finding(
        rule_id=ADDED + category.replace("_", "-") if card is None else card.id,
        rule_version=0 if card is None else card.version, category=category,
        severity=missed.severity if card is None else card.severity, result=Result.FAIL, turn=turn.index,
        start=missed.start, end=missed.end, start_ms=turn.start_ms, end_ms=turn.end_ms,
        quote=turn.text[missed.start : missed.end], heard_as=None, confidence=1.0, because="复核时由人工补充",
    )  # fmt: skip


def _values(finding: Finding) -> dict[str, Any]:
    return {f.name: getattr(finding, f.name) for f in fields(Finding)}


def _from_values(values: Mapping[str, Any]) -> Finding:
    return Finding(**{**values, "severity": Severity(values["severity"]), "result": Result(values["result"])})
