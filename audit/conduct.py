"""Rules across calls: how often a number was tried, a debtor spoken to; third parties; calls after a refusal.

The judging is a pure function over contacts. Limits are parameters of the pack; a day is a day of the debtor's own time
zone, as each record's offset says. What a rule finds of a subject (number, debtor, callee) rests on the contacts with
that subject alone: so after a batch only those are judged of whom it brought something new, and the findings are those
of a judgement of everything.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

from audit.store import conduct as rows
from audit.store.conduct import Contact, KeptConduct
from rules.model import Result, Rule, RuleSet

if TYPE_CHECKING:
    from audit.store import Store

ATTEMPTS, CALLS, THIRD_PARTY, REFUSED = (
    "too-many-attempts",
    "too-many-calls-a-day",
    "third-party-before-debtor-unreachable",
    "calls-after-refusal",
)
AT_ONCE = 2_000
"""Subjects judged in one transaction: others who write wait so long."""
_DEBTOR = frozenset({"self", "guarantor", "co_obligor", "spouse_joint_debt"})  # may be asked to pay (CN-05, CN-12)
_THIRD = frozenset({"contact", "unrelated"})
_INBOUND = frozenset({"inbound", "in", "呼入"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How many findings the store now keeps, how many of them are new, how many of before are gone."""

    findings: int
    new: int
    gone: int


def judge_everything(store: Store, ruleset: RuleSet) -> Judged:
    """Judge all that the store has; `StoreError`. Killed on the way, `judge_what_is_new` goes on there."""
    rows.begin_anew(store, _basis(ruleset))
    return _judge_due(store, ruleset)


def judge_what_is_new(store: Store, ruleset: RuleSet) -> Judged | None:
    """Judge those of whom anything has changed since they were judged, everything where rules or limits have; None
    where nothing has, or the pack holds no such rule. `StoreError`.
    """
    if not any(rule.id in _JUDGES for rule in ruleset.rules):
        return None
    if rows.basis(store) != _basis(ruleset):
        return judge_everything(store, ruleset)
    return _judge_due(store, ruleset) if rows.due(store, limit=1) else None


def _judge_due(store: Store, ruleset: RuleSet) -> Judged:
    new = gone = 0
    while True:
        with store.writing():
            subjects = rows.due(store, limit=AT_ONCE)
            if not subjects:
                return Judged(findings=rows.end(store), new=new, gone=gone)
            judged, whose = judge_conduct(rows.contacts(store, subjects), ruleset), set(subjects)
            # Of others who share a call with them not every contact was read.
            came, went = rows.replace_of(store, subjects, [found for found in judged if found.subject in whose])
            new, gone = new + came, gone + went


def _basis(ruleset: RuleSet) -> str:
    """What a judgement rests on beside the contacts."""
    rules = [
        (rule.id, rule.title, rule.title_en, rule.category, rule.severity)
        for rule in ruleset.rules
        if rule.id in _JUDGES
    ]
    return sha256(json.dumps([rules, dict(ruleset.parameters)], sort_keys=True).encode()).hexdigest()


def judge_conduct(contacts: Iterable[Contact], ruleset: RuleSet) -> tuple[KeptConduct, ...]:
    """Findings in order of day, rule and subject."""
    outbound = [contact for contact in contacts if contact.direction not in _INBOUND]
    outbound.sort(key=lambda contact: (contact.at.timestamp(), contact.call_id))
    findings = [
        _finding(seen, rule)
        for rule in ruleset.rules
        if rule.id in _JUDGES
        for seen in _JUDGES[rule.id](outbound, ruleset.parameters)
    ]
    return tuple(sorted(findings, key=lambda finding: (finding.day, finding.rule_id, finding.subject)))


@dataclass(frozen=True, slots=True)
class _Seen:
    subject: str
    contacts: Sequence[Contact]
    because: str
    certain: bool = True


def _finding(seen: _Seen, rule: Rule) -> KeptConduct:
    """Its key names rule, day, subject and the calls that show it: with one call more it is another finding."""
    ids, day = tuple(contact.call_id for contact in seen.contacts), seen.contacts[-1].at.date()
    told = "\0".join((rule.id, day.isoformat(), seen.subject, *ids))
    shown = "、".join(f"{contact.call_id}（{contact.at:%m-%d %H:%M}）" for contact in seen.contacts)
    return KeptConduct(
        key=sha256(told.encode()).hexdigest(), rule_id=rule.id, title=rule.title, title_en=rule.title_en,
        category=rule.category, severity=rule.severity, result=Result.FAIL if seen.certain else Result.UNSURE,
        day=day, subject=seen.subject, calls=ids, because=f"{seen.because}：{shown}",
    )  # fmt: skip


_Subject = Callable[[Contact], str | None]
_Parameters = Mapping[str, str]


def _number(contact: Contact) -> str | None:
    return contact.number


def _debtor(contact: Contact) -> str | None:
    return contact.debtor


def _by_day(contacts: Iterable[Contact], subject: _Subject) -> Mapping[tuple[str, date], list[Contact]]:
    """Contacts of each number or debtor and day; those without one are left out."""
    groups: dict[tuple[str, date], list[Contact]] = defaultdict(list)
    for contact in contacts:
        if name := subject(contact):
            groups[name, contact.at.date()].append(contact)
    return groups


def _attempts(contacts: Sequence[Contact], parameters: _Parameters) -> Iterator[_Seen]:
    """CN-11: unanswered attempts on one number in a day; where no number is known, the debtor's is unsure."""
    limit = int(parameters["unanswered_per_number_per_day"])
    unanswered = [contact for contact in contacts if not contact.answered]
    for (number, _), day in _by_day(unanswered, _number).items():
        if len(day) > limit:
            yield _Seen(number, day, f"同一号码当天未接通拨打 {len(day)} 次，上限 {limit} 次")
    unnumbered = [contact for contact in unanswered if contact.number is None]
    for (debtor, _), day in _by_day(unnumbered, _debtor).items():
        if len(day) > limit:
            because = f"同一债务人当天未接通拨打 {len(day)} 次，上限 {limit} 次，清单没有号码，不知是否同一号码"
            yield _Seen(debtor, day, because, certain=False)


def _calls(contacts: Sequence[Contact], parameters: _Parameters) -> Iterator[_Seen]:
    """CN-02, CN-03: effective calls with one debtor in a day, all agencies together."""
    limit, shortest = int(parameters["effective_per_debtor_per_day"]), float(parameters["effective_call_seconds"])
    spoken = [contact for contact in contacts if contact.relation not in _THIRD and _effective(contact, shortest)]
    for (debtor, _), day in _by_day(spoken, _debtor).items():
        if len(day) > limit:
            sure = sum(contact.relation in _DEBTOR for contact in day) > limit
            yield _Seen(debtor, day, f"当天有效通话 {len(day)} 次，上限 {limit} 次", certain=sure)


def _effective(contact: Contact, shortest: float) -> bool:
    return contact.answered and (contact.duration_ms is None or contact.duration_ms >= shortest * 1000)


def _third_parties(contacts: Sequence[Contact], parameters: _Parameters) -> Iterator[_Seen]:
    """CN-06, CN-12, CN-13: a contact may be called only from the day after so many vain attempts on the debtor."""
    needed = int(parameters["third_party_after_attempts"])
    groups: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        if contact.debtor:
            groups[contact.debtor].append(contact)
    for debtor, calls in groups.items():
        certain = any(contact.relation in _DEBTOR for contact in calls)  # else attempts may lie outside the list
        for contact, tried in _with_vain_attempts(calls):
            if tried < needed:
                because = f"联系第三人之前（不含当天）连续联系不上本人 {tried} 次，不足 {needed} 次"
                yield _Seen(debtor, [contact], because, certain=certain)


def _with_vain_attempts(calls: Sequence[Contact]) -> Iterator[tuple[Contact, int]]:
    """Calls to third parties, each with the unanswered attempts on the debtor before its day, since they last
    answered; unknown callees count as the debtor.
    """
    tried, before, day = 0, 0, None
    for contact in sorted(calls, key=lambda contact: contact.at.date()):
        if contact.at.date() != day:
            day, before = contact.at.date(), tried
        if contact.relation in _THIRD:
            yield contact, before
        else:
            tried = 0 if contact.answered else tried + 1


def _after_refusal(contacts: Sequence[Contact], _: _Parameters) -> Iterator[_Seen]:
    """CN-06, CN-12: a third party who said no is not called again; the debtor may be, so only third parties count."""
    refused: dict[str, Contact] = {}
    for contact in contacts:
        person = contact.person
        if person is None or contact.relation not in _THIRD:
            continue
        if person in refused:
            yield _Seen(person, [refused[person], contact], "对方要求不再联系以后又拨打")
        if contact.refused:
            refused.setdefault(person, contact)


_JUDGES: Mapping[str, Callable[[Sequence[Contact], _Parameters], Iterator[_Seen]]] = {
    ATTEMPTS: _attempts,
    CALLS: _calls,
    THIRD_PARTY: _third_parties,
    REFUSED: _after_refusal,
}
RULES = tuple(_JUDGES)
"""Rules that are judged here, by id."""
