"""One call with everything that is known of it, masked unless its unmasking stands in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.access import Action, Actor, may, require, require_own
from audit.calls import CallRecord
from audit.choices import choices
from audit.listening import Listening, Sound
from audit.quality import Measures, measures
from audit.redact import Redaction
from audit.review import finding_of, rule_cards
from audit.score import Scorecard, is_signal
from audit.sound import Window
from audit.store import EVERY_CALL, Filter, RuleCard, Store, StoredCall, finding_keys
from audit.store.call_lists import CallsWanted, calls_of_debtor, complaints_about, find_calls, item_counts
from audit.store.queue import COUNTED, Item, items_of_call
from audit.unmask import Unmasking
from rules.model import Finding
from transcribe.model import Turn

MOST_CALLS = 200
"""Rows of a list: who needs more filters further."""
_MOST_OTHERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something found in a call. `item` is its place in the review; None for what is not reviewed (signals)."""

    key: str
    finding: Finding
    rule: RuleCard | None
    item: Item | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """A call in a list. `items` counts findings by state of review, of those that the reader may see."""

    call_id: str
    started_at: datetime | None
    agent_id: str | None
    agent_name: str | None
    team: str | None
    product: str | None
    debtor_id: str | None
    duration_ms: int
    score: int | None
    items: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintLine:
    """A complaint beside a call: linked to it, or of the same debtor."""

    id: int
    received_at: datetime
    channel: str
    category: str | None
    status: str
    outcome: str | None
    linked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A call as a page shows it. What is `masked` holds no personal data, nor does the sound with `beeps`.

    `card` is None for those who see confirmed findings only. `notes` are what reviewers must know of the recording.
    `file` is where the recording really lies, never shown; `private` how much in it is personal data.
    """

    record: CallRecord
    recording: str
    file: Path | None
    duration_ms: int
    notes: tuple[str, ...]
    role_confidence: float
    turns: tuple[Turn, ...]
    found: tuple[Found, ...]
    card: Scorecard | None
    rules: Mapping[str, RuleCard]
    measures: Measures
    promise: Mapping[str, Any] | None
    others: tuple[CallLine, ...]
    complaints: tuple[ComplaintLine, ...]
    masked: bool
    private: int
    beeps: tuple[Window, ...]


def read_dossier(store: Store, call_id: str, *, actor: Actor, unmasking: Unmasking | None = None) -> Dossier | None:
    """Everything about one judged call; None where there is none. `Refused` where it is not for this person."""
    require(actor, Action.SEE_CALL)
    call = store.call(call_id)
    if call is None:
        return None
    require_own(actor, Action.SEE_CALL, call.record.agent_id)
    transcript = store.transcript(call.recording)
    turns = () if transcript is None else transcript.turns
    redaction = Redaction.of(turns, record=call.record)
    masked = unmasking is None or not unmasking.holds(call_id, actor)
    rules = rule_cards(store, call)
    dossier = Dossier(
        record=call.record,
        recording=call.recording,
        file=call.record.path,
        duration_ms=call.duration_ms,
        notes=() if transcript is None else transcript.notes,
        role_confidence=1.0 if transcript is None else transcript.role_confidence,
        turns=turns,
        found=tuple(_found(store, call, rules, actor)),
        card=None if actor.only_confirmed else call.card,
        rules=rules,
        measures=measures(turns, duration_ms=call.duration_ms),
        promise=call.promise,
        others=_others(store, call, actor),
        complaints=_complaints(store, call, actor),
        masked=masked,
        private=sum(map(len, redaction.spans.values())),
        beeps=redaction.beeps if masked else (),
    )
    return _masked(dossier, redaction) if masked else dossier


def hear(listening: Listening, dossier: Dossier, *, actor: Actor) -> Sound:
    """The call's sound, beeped where it is masked; `ClipUnavailable` where there is none. Slow the first time."""
    require_own(actor, Action.LISTEN, dossier.record.agent_id)
    return listening.sound(dossier.file, dossier.recording, beeps=dossier.beeps)


def is_ready(listening: Listening, dossier: Dossier) -> bool:
    """Whether `hear` will take no time."""
    return listening.ready(dossier.file, dossier.recording, beeps=dossier.beeps) is not None


def list_calls(
    store: Store, which: Filter = EVERY_CALL, *, actor: Actor, text: str = "", with_findings: bool = False
) -> list[CallLine]:
    """Judged calls, newest first, at most MOST_CALLS; a collector's are always their own.

    `text` is a call's id or its beginning, a debtor, a case, a collector's number or name.
    """
    require(actor, Action.SEE_CALL)
    if actor.only_own is not None:
        which = replace(which, agent_id=actor.only_own, team=None, product=None)
    asked = text.strip()
    agents = choices(store, actor=actor).agents if asked else {}
    wanted = CallsWanted(
        calls=which,
        text=asked,
        agents=tuple(agent for agent, name in agents.items() if asked in (agent, name)),
        states=_states(actor) if with_findings else (),
    )
    return _lines(store, find_calls(store, wanted, limit=MOST_CALLS), actor)


def _states(actor: Actor) -> tuple[str, ...]:
    """States of review that count as a finding for this reader; what was dismissed is none."""
    open_ = () if actor.only_confirmed else ("waiting", "second")
    return (*(state.value for state in COUNTED), *open_)


def _found(store: Store, call: StoredCall, rules: Mapping[str, RuleCard], actor: Actor) -> Iterator[Found]:
    """Items first, gravest first; then the customer's signals, in order of time."""
    items = items_of_call(store, call.record.call_id)
    for item in items:
        if not actor.only_confirmed or item.state in COUNTED:
            yield Found(key=item.key, finding=finding_of(store, item), rule=rules.get(item.rule_id), item=item)
    if actor.only_confirmed:
        return
    listed = {item.key for item in items}
    keys = finding_keys(call.recording, call.judgement.findings)
    for key, finding in sorted(zip(keys, call.judgement.findings, strict=True), key=lambda pair: pair[1].start_ms):
        if key not in listed and is_signal(finding.category):
            yield Found(key=key, finding=finding, rule=rules.get(finding.rule_id), item=None)


def _others(store: Store, call: StoredCall, actor: Actor) -> tuple[CallLine, ...]:
    if not call.record.debtor_id:
        return ()
    rows = calls_of_debtor(store, call.record.debtor_id, limit=_MOST_OTHERS)
    own = [row for row in rows if actor.only_own is None or row["agent_id"] == actor.only_own]
    return tuple(line for line in _lines(store, own, actor) if line.call_id != call.record.call_id)


def _lines(store: Store, rows: Sequence[Mapping[str, Any]], actor: Actor) -> list[CallLine]:
    counts = item_counts(store, [row["recording"] for row in rows])
    seen = _states(actor) if actor.only_confirmed else (*_states(actor), "dismissed")
    return [
        CallLine(
            call_id=row["call_id"],
            started_at=None if row["started_at"] is None else datetime.fromisoformat(row["started_at"]),
            agent_id=row["agent_id"],
            agent_name=row["agent_name"],
            team=row["team"],
            product=row["product"],
            debtor_id=row["debtor_id"],
            duration_ms=row["duration_ms"] or 0,
            score=None if actor.only_confirmed else row["score"],
            items={
                state: n for state, n in counts.get((row["recording"], row["call_id"]), {}).items() if state in seen
            },
        )
        for row in rows
    ]


def _complaints(store: Store, call: StoredCall, actor: Actor) -> tuple[ComplaintLine, ...]:
    if not may(actor, Action.SEE_COMPLAINTS):
        return ()
    rows = complaints_about(store, call.record.call_id, call.record.debtor_id)
    return tuple(
        ComplaintLine(
            **{**row, "received_at": datetime.fromisoformat(row["received_at"]), "linked": bool(row["linked"])}
        )
        for row in rows
    )


def _masked(dossier: Dossier, redaction: Redaction) -> Dossier:
    promise = dossier.promise
    return replace(
        dossier,
        # Who called stands in every list of officers; what is said of them in the words stays covered.
        record=replace(redaction.record(dossier.record), agent_name=dossier.record.agent_name),
        turns=tuple(map(redaction.turn, dossier.turns)),
        found=tuple(replace(one, finding=redaction.finding(one.finding)) for one in dossier.found),
        promise=None if promise is None else {**promise, "text": redaction.text(promise.get("text") or "")},
    )
