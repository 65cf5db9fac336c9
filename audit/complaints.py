"""Complaints: taken in, moved on, linked to calls, answered in time; every change kept with what stood there before.

The ledger gets ids, field names and a hash of each change, never a complainant's words: those can be deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from audit import ledger
from audit.access import Action, Actor, require
from audit.complaint_clock import BEIJING, NEXT, STANDARD, Complexity, Status, Terms, beijing_day, due_on, is_reopening
from audit.complaint_record import Change, Complaint, Intake, change_of, complaint_of, person_key, plain
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CAUSES, CHANNELS, Outcome
from audit.errors import AuditError
from audit.store import Store
from audit.store import complaints as rows
from audit.store.complaints import Asked
from audit.store.connection import now, packed

FARTHEST_AHEAD = timedelta(days=1)
"""A complaint dated later is refused: the clocks of two machines, or their zones, differ by less."""
_LAST_NUMBER = 2**63 - 1  # of a row in SQLite, which takes no larger one even to look for it
_EDITABLE = ("complainant", "debtor_id", "case_id", "agent_id", "category", "outcome", "cause", "remedy", "answer")
_CLOSED_LISTS = {"category": CATEGORIES_OF_COMPLAINTS, "cause": CAUSES, "outcome": {o.value: () for o in Outcome}}


def today() -> date:
    """The day in Beijing."""
    return datetime.now(BEIJING).date()


class ComplaintRefused(AuditError):
    """A step that the complaint doesn't allow as it stands; the sentence says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who works on complaints: at which store, under which periods, on which day in Beijing."""

    store: Store
    actor: Actor
    terms: Terms = STANDARD
    day: date = field(default_factory=today)


def register(desk: Desk, intake: Intake) -> int | None:
    """Take in a complaint; returns its number, or None where the very same one is known already."""
    require(desk.actor, Action.EDIT_COMPLAINTS)
    refuse_intake(intake, day=desk.day)
    with desk.store.writing():
        number = rows.add_complaint(desk.store, _new_row(desk, intake))
        if number is not None:
            after = {name: value for name, value in plain(intake).items() if value}
            _note(desk, number, {"what": "registered", "after": after})
        return number


def take_in(desk: Desk, intakes: Iterable[Intake]) -> list[int | None]:
    """Take in a list in one transaction; a number for each, None for those known already."""
    require(desk.actor, Action.IMPORT)
    with desk.store.writing():
        return [register(desk, intake) for intake in intakes]


def read(desk: Desk, number: int) -> Complaint:
    """One complaint; `ComplaintRefused` where there is none of that number."""
    require(desk.actor, Action.SEE_COMPLAINTS)
    row = rows.complaint(desk.store, number) if 0 < number <= _LAST_NUMBER else None
    if row is None:
        raise ComplaintRefused(f"没有编号为 {number} 的投诉；请核对编号")
    return complaint_of(row)


def listing(desk: Desk, asked: Asked, *, limit: int = -1) -> list[Complaint]:
    """Complaints of a kind: unanswered ones by their last day, then the others, newest first."""
    require(desk.actor, Action.SEE_COMPLAINTS)
    return [complaint_of(row) for row in rows.find_complaints(desk.store, asked, limit=limit)]


def history(desk: Desk, number: int) -> list[Change]:
    """Everything that was done to a complaint, oldest first."""
    require(desk.actor, Action.SEE_COMPLAINTS)
    return [change_of(row) for row in rows.complaint_changes(desk.store, number)]


def related(desk: Desk, number: int) -> list[Complaint]:
    """Other complaints of the same debtor or, where a debtor is not known, under the same name."""
    require(desk.actor, Action.SEE_COMPLAINTS)
    return [complaint_of(row) for row in rows.related_complaints(desk.store, number)]


def change(desk: Desk, old: Complaint, values: Mapping[str, str | None], *, reason: str = "") -> bool:
    """Set fields (those of `_EDITABLE`); False where all is as it was. `old` is what the person read."""
    require(desk.actor, Action.EDIT_COMPLAINTS)
    wanted = {name: (value or "").strip() or None for name, value in values.items()}
    _refuse_values(wanted)
    new = {name: value for name, value in wanted.items() if value != getattr(old, name)}
    if not new:
        return False
    _refuse_emptied(old, new)
    with desk.store.writing():
        more = _place(desk, {**_ids(old), **new}) if new.keys() & {"agent_id", "debtor_id"} else {}
        if "complainant" in new:
            more["complainant_key"] = person_key(new["complainant"])
        _update(desk, old, {**new, **more})
        before = {name: getattr(old, name) for name in new}
        _note(desk, old.id, {"what": "changed", "before": before, "after": new, "reason": reason})
        return True


def move(desk: Desk, old: Complaint, to: Status, *, reason: str = "") -> None:
    """Move a complaint on. `ComplaintRefused` where the step isn't allowed or something is still missing.

    Reopening asks for a reason and starts a new period on that day.
    """
    require(desk.actor, Action.EDIT_COMPLAINTS)
    if to not in NEXT[old.status]:
        raise ComplaintRefused(f"投诉 {old.id} 是“{old.status.label}”，不能直接变为“{to.label}”")
    _refuse_unready(old, to, reason)
    values = _moved(desk, old, to)
    with desk.store.writing():
        _update(desk, old, values)
        before = {name: _json(getattr(old, name)) for name in values}
        _note(desk, old.id, {"what": "moved", "before": before, "after": values, "reason": reason})


def extend(desk: Desk, old: Complaint, to: Complexity, *, reason: str) -> None:
    """Set the complexity, and with it the last day; the reason says who approved and that the complainant knows."""
    require(desk.actor, Action.EDIT_COMPLAINTS)
    if not old.status.running:
        raise ComplaintRefused(f"投诉 {old.id} 已答复，期限不再变动；如需继续，请先重新受理")
    if not reason.strip():
        raise ComplaintRefused("改变期限要写明理由：谁批准、是否已告知投诉人")
    values = {"complexity": to.value, "due_on": due_on(old.clock_from, to, desk.terms).isoformat()}
    with desk.store.writing():
        _update(desk, old, values)
        before = {"complexity": old.complexity.value, "due_on": old.due_on.isoformat()}
        _note(desk, old.id, {"what": "extended", "before": before, "after": values, "reason": reason})


def link(desk: Desk, number: int, call_id: str) -> bool:
    """Link a call; what the complaint doesn't know (collector, debtor, case) is filled in from its record.

    False where it was linked already; `ComplaintRefused` where there is no such call.
    """
    require(desk.actor, Action.EDIT_COMPLAINTS)
    with desk.store.writing():
        old = read(desk, number)
        if not rows.link_call(desk.store, number, call_id, by=desk.actor.name):
            return False
        call = next(row for row in rows.linked_calls(desk.store, number) if row["call_id"] == call_id)
        if call["recording"] is None:
            raise ComplaintRefused(f"没有编号为 {call_id} 的通话；请核对通话编号")
        filled = _filled(old, call)
        if filled:
            _update(desk, old, filled)
        _note(desk, number, {"what": "linked", "after": {"call_id": call_id, **filled}})
        return True


def unlink(desk: Desk, number: int, call_id: str) -> bool:
    """Take a link away; False where there was none."""
    require(desk.actor, Action.EDIT_COMPLAINTS)
    with desk.store.writing():
        gone = rows.unlink_call(desk.store, number, call_id)
        if gone:
            _note(desk, number, {"what": "unlinked", "before": {"call_id": call_id}})
        return gone


def refuse_intake(intake: Intake, *, day: date) -> None:
    """Raise `ComplaintRefused` where a complaint can't be taken in as it is."""
    if intake.received_at.tzinfo is None:
        raise ComplaintRefused("收到时间要有时区")
    if beijing_day(intake.received_at) > day + FARTHEST_AHEAD:  # a mistyped year would hide it from every due list
        raise ComplaintRefused(f"收到时间 {intake.received_at:%Y-%m-%d} 在将来；请核对日期")
    if intake.channel not in CHANNELS:
        raise ComplaintRefused(f"没有渠道 {intake.channel}；可选：{'、'.join(CHANNELS)}")
    if not intake.text.strip():
        raise ComplaintRefused("投诉内容是空的；请写下投诉人说了什么")
    _refuse_values({"category": intake.category})


def _refuse_values(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if name not in _EDITABLE:
            raise ComplaintRefused(f"投诉没有可以修改的字段 {name}")
        if value is not None and name in _CLOSED_LISTS and value not in _CLOSED_LISTS[name]:
            raise ComplaintRefused(f"{name} 不能是 {value}；可选：{'、'.join(_CLOSED_LISTS[name])}")


def _refuse_emptied(old: Complaint, new: Mapping[str, str | None]) -> None:
    """What an answered complaint rests on may be corrected, not taken away."""
    answered: tuple[str, ...] = () if old.status.running else ("outcome", "answer")
    needed = (*answered, "cause") if old.status is Status.CLOSED else answered
    if any(name in new and not new[name] for name in needed):
        raise ComplaintRefused("已答复的投诉必须保留结论和答复内容，已办结的还要保留原因；如需撤回，请先重新受理")


def _refuse_unready(old: Complaint, to: Status, reason: str) -> None:
    missing = []
    if to is Status.ANSWERED:
        missing = [label for label, value in (("结论", old.outcome), ("答复内容", old.answer)) if not value]
    if to is Status.CLOSED:
        founded = old.outcome is not None and old.outcome.founded
        missing = [
            label for label, value in (("原因", old.cause), ("整改措施", old.remedy or not founded)) if not value
        ]
    if missing:
        raise ComplaintRefused(f"变为“{to.label}”之前请先填写并保存：{'、'.join(missing)}；填了还没保存的不算")
    if is_reopening(old.status, to) and not reason.strip():
        raise ComplaintRefused("重新受理要写明理由")


def _moved(desk: Desk, old: Complaint, to: Status) -> dict[str, Any]:
    values: dict[str, Any] = {"status": to.value}
    if to is Status.ANSWERED:
        values |= {"answered_on": desk.day.isoformat(), "late": int(old.late or desk.day > old.due_on)}
    elif to is Status.CLOSED:
        values |= {"closed_on": desk.day.isoformat()}
    elif is_reopening(old.status, to):
        due = due_on(desk.day, old.complexity, desk.terms).isoformat()
        values |= {"clock_from": desk.day.isoformat(), "due_on": due, "answered_on": None, "closed_on": None}
    return values


def _new_row(desk: Desk, intake: Intake) -> dict[str, Any]:
    day = beijing_day(intake.received_at)
    return {
        **plain(intake),
        **_place(desk, _ids(intake)),
        "digest": intake.digest,
        "received_on": day.isoformat(),
        "complainant_key": person_key(intake.complainant),
        "status": Status.RECEIVED.value,
        "complexity": Complexity.SIMPLE.value,
        "clock_from": day.isoformat(),
        "due_on": due_on(day, Complexity.SIMPLE, desk.terms).isoformat(),
        "late": 0,
        "revision": 0,
        "created_at": now(),
        "created_by": desk.actor.name,
    }


def _filled(old: Complaint, call: Mapping[str, Any]) -> dict[str, Any]:
    """What a linked call tells that was not known; the team comes with the collector, the product with the debtor."""
    ids = {name: call[name] for name in ("agent_id", "debtor_id", "case_id") if call[name] and not getattr(old, name)}
    whose = {"team": "agent_id", "product": "debtor_id"}
    place = {name: call[name] for name, of in whose.items() if call[name] and (of in ids or not getattr(old, name))}
    return ids | place


def _ids(known: Intake | Complaint) -> dict[str, str | None]:
    return {"agent_id": known.agent_id, "debtor_id": known.debtor_id}


def _place(desk: Desk, ids: Mapping[str, str | None]) -> dict[str, str | None]:
    """The collector's team and the debtor's product, so that complaints can be counted like calls."""
    agent, debtor = ids["agent_id"], ids["debtor_id"]
    by_agent = rows.newest_call_of(desk.store, "agent_id", agent) if agent else {}
    by_debtor = rows.newest_call_of(desk.store, "debtor_id", debtor) if debtor else {}
    return {"team": (by_agent or by_debtor).get("team"), "product": (by_debtor or by_agent).get("product")}


def _update(desk: Desk, old: Complaint, values: Mapping[str, Any]) -> None:
    if not rows.update_complaint(desk.store, old.id, values, revision=old.revision):
        raise ComplaintRefused(f"投诉 {old.id} 刚被别人改过，您填写的内容还没有保存；请看过现在的内容再保存")


def _note(desk: Desk, number: int, change: Mapping[str, Any]) -> None:
    """A change (what, before, after, reason) into the complaint's history, and its trace into the ledger."""
    who = {"actor": desk.actor.name, "role": desk.actor.role.value}
    entry = {**who, "before": {}, "after": {}, "reason": "", **change}
    trace = {
        "what": entry["what"],
        "change": rows.add_complaint_change(desk.store, number, entry),
        "fields": sorted({*entry["before"], *entry["after"]}),
        "sha256": sha256(packed(entry).encode()).hexdigest(),
    }
    ledger.record(desk.store, actor=desk.actor, kind=ledger.Kind.COMPLAINT, subject=str(number), data=trace)


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else int(value) if isinstance(value, bool) else value
