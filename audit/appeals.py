"""申诉: a collector speaks against a confirmed finding of their own; another reviewer decides, and that is final."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit import ledger
from audit.access import Action, Actor, require, require_own
from audit.errors import AuditError
from audit.redact import Redaction
from audit.review import Policy, finding_of, rule_cards
from audit.store import Filter, RuleCard, Store, queue, tallies, verdicts
from audit.store import appeals as kept
from audit.store.appeals import Appeal, Decision
from audit.store.queue import Item, State
from audit.store.verdicts import Entry, Kind, Verdict
from rules.model import Finding

_STATES = (State.CONFIRMED, State.PARTIAL)


class CannotAppeal(AuditError):
    """Too late, not confirmed, appealed before, or decided by who judged; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appealed:
    """One appeal with what it is about; `item` and `finding` None where the finding is no longer there.

    `finding` is masked.
    """

    appeal: Appeal
    item: Item | None
    finding: Finding | None
    rule: RuleCard | None
    history: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFinding:
    """A confirmed finding as its collector sees it, masked; `until` ends the time for an appeal, None when over."""

    item: Item
    finding: Finding
    rule: RuleCard | None
    until: datetime | None
    appeal: Appeal | None


def own_findings(store: Store, *, actor: Actor, policy: Policy) -> list[OwnFinding]:
    """The collector's own confirmed findings, newest calls first, with what may still be appealed."""
    require(actor, Action.APPEAL)
    which = Filter(agent_id=actor.agent_id or "")
    items = queue.judged_items(store, queue.COUNTED, which)
    own = [*items, *_overturned(store, actor.agent_id or "")]
    return [_own(store, item, policy) for item in own if item.category != queue.FOLLOWED_UP]


def file_appeal(store: Store, key: str, text: str, *, actor: Actor, policy: Policy) -> Appeal:
    """Appeal against a confirmed finding of one's own; `CannotAppeal` says why not."""
    if not text.strip():
        raise CannotAppeal("申诉理由是空的；请写明为什么不认可")
    with store.writing():
        item = queue.item(store, key)
        require_own(actor, Action.APPEAL, None if item is None else item.agent_id)
        if item is None:
            raise CannotAppeal("没有这一条；请刷新页面")
        _refuse_filing(store, item, policy)
        number = kept.add_appeal(store, item, by=actor.name, text=text.strip())
        _move(store, item, State.APPEALED, kind=Kind.APPEAL, by=actor.name)
        return _note(store, item, _appeal(store, number), actor=actor, kind=ledger.Kind.APPEAL)


def decide_appeal(store: Store, number: int, decision: Decision, answer: str, *, actor: Actor) -> Appeal:
    """Decide an appeal for good, with an answer; `CannotAppeal` for whoever judged the finding before."""
    require(actor, Action.DECIDE_APPEAL)
    if not answer.strip():
        raise CannotAppeal("请写明处理意见；催收员会看到")
    with store.writing():
        appeal = _appeal(store, number)
        item = queue.item(store, appeal.key)
        if appeal.decision is not None or item is None:
            raise CannotAppeal(f"这项申诉已由 {appeal.decided_by} 处理，是最终结果")
        if actor.name in {*item.judged_by, appeal.by}:
            raise CannotAppeal("这一条是您判的；申诉须由另一位复核人处理")
        kept.decide(store, number, decision=decision, by=actor.name, answer=answer.strip())
        overturned = decision is Decision.OVERTURNED
        kind = Kind.OVERTURN if overturned else Kind.UPHOLD
        _move(store, item, State.DISMISSED if overturned else appeal.before, kind=kind, by=actor.name)
        return _note(store, item, _appeal(store, number), actor=actor, kind=ledger.Kind.APPEAL_DECISION)


def to_decide(store: Store, *, actor: Actor) -> list[Appealed]:
    """Appeals that wait, oldest first."""
    require(actor, Action.DECIDE_APPEAL)
    return [_appealed(store, appeal) for appeal in kept.open_appeals(store)]


def decided(store: Store, *, actor: Actor, limit: int = 100) -> list[Appealed]:
    """Appeals that are over, newest first."""
    require(actor, Action.DECIDE_APPEAL)
    return [_appealed(store, appeal) for appeal in kept.decided_appeals(store, limit=limit)]


def may_decide(item: Item | None, *, actor: Actor) -> bool:
    """Whether this person is another than those who judged."""
    return item is not None and actor.name not in item.judged_by


def deadline(confirmed_at: str, policy: Policy) -> datetime:
    """The last moment for an appeal against a finding confirmed at that time (ISO, UTC)."""
    return datetime.fromisoformat(confirmed_at) + timedelta(days=policy.appeal_days)


def _own(store: Store, item: Item, policy: Policy) -> OwnFinding:
    appeal = kept.appeal_against(store, item.key)
    until = None if appeal or item.state not in _STATES else deadline(_confirmed_at(store, item), policy)
    still = until if until is not None and until >= datetime.now(UTC) else None
    finding, rule = _said(store, item)
    return OwnFinding(item=item, finding=finding, rule=rule, until=still, appeal=appeal)


def _said(store: Store, item: Item) -> tuple[Finding, RuleCard | None]:
    """The finding without personal data, and the rule as it read when the call was judged."""
    finding, call, transcript = finding_of(store, item), store.call(item.call_id), store.transcript(item.recording)
    if call is not None and transcript is not None:
        finding = Redaction.of(transcript.turns, record=call.record).finding(finding)
    return finding, rule_cards(store, call).get(item.rule_id)


def _overturned(store: Store, agent_id: str) -> list[Item]:
    """What appeals took back: the collector sees that too."""
    won = [appeal for appeal in kept.appeals_of(store, agent_id) if appeal.decision is Decision.OVERTURNED]
    return [item for item in (queue.item(store, appeal.key) for appeal in won) if item is not None]


def _refuse_filing(store: Store, item: Item, policy: Policy) -> None:
    if kept.appeal_against(store, item.key) is not None:
        raise CannotAppeal("这一条已经申诉过；申诉只有一次，结果是最终的")
    if item.state not in _STATES or not item.counts:
        raise CannotAppeal("只有已确认的违规可以申诉")
    if deadline(_confirmed_at(store, item), policy) < datetime.now(UTC):
        raise CannotAppeal(f"已超过确认后 {policy.appeal_days} 天的申诉期")


def _confirmed_at(store: Store, item: Item) -> str:
    """When the verdict that stands was given."""
    return verdicts.history(store, item.key)[-1].at


def _move(store: Store, item: Item, state: State, *, kind: Kind, by: str) -> None:
    number = verdicts.add_verdict(store, Entry(
        key=item.key, recording=item.recording, call_id=item.call_id, by=by, kind=kind, before=item.state, after=state,
    ))  # fmt: skip
    with tallies.kept(store, item.call_id):
        queue.set_state(store, item.key, state=state, judged_by=item.judged_by, stamp=number)


def _note(store: Store, item: Item, appeal: Appeal, *, actor: Actor, kind: ledger.Kind) -> Appeal:
    data = {"appeal": appeal.id, "call": item.call_id, "rule": item.rule_id, "decision": appeal.decision}
    ledger.record(store, actor=actor, kind=kind, subject=item.key, data=data)
    return appeal


def _appeal(store: Store, number: int) -> Appeal:
    appeal = kept.appeal(store, number)
    if appeal is None:
        raise CannotAppeal(f"没有第 {number} 号申诉；请刷新页面")
    return appeal


def _appealed(store: Store, appeal: Appeal) -> Appealed:
    item = queue.item(store, appeal.key)
    finding, rule = (None, None) if item is None else _said(store, item)
    return Appealed(
        appeal=appeal,
        item=item,
        finding=finding,
        rule=rule,
        history=tuple(verdicts.history(store, appeal.key)),
    )
