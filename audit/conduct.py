"""Rules across calls, those that `count`: how often a number was tried, a debtor spoken to; third parties; refusals.

The judging is a pure function over contacts, by what the rule's count says; a day is a day of the debtor's own time
zone, as each record's offset says. What a rule finds of a subject (number, debtor, callee) rests on the contacts with
that subject alone: so after a batch only those are judged of whom it brought something new, and the findings are those
of a judgement of everything.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from audit.calls import is_inbound
from audit.store import conduct as rows
from audit.store.conduct import Contact, KeptConduct
from rules.model import COUNTED, COUNTED_BY, EFFECTIVE_SECONDS, THIRD_PARTY_ATTEMPTS, Count, Result, Rule, RuleSet

if TYPE_CHECKING:
    from audit.store import Store

AT_ONCE = 2_000
"""Subjects judged in one transaction: others who write wait so long."""
_DEBTOR = frozenset({"self", "guarantor", "co_obligor", "spouse_joint_debt"})  # may be asked to pay (CN-05, CN-12)
_THIRD = frozenset({"contact", "unrelated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How many findings the store now keeps, how many of them are new, how many of before are gone."""

    findings: int
    new: int
    gone: int


def across_calls(ruleset: RuleSet) -> tuple[Rule, ...]:
    """The rules of a set that are judged here: those in use that count."""
    return tuple(rule for rule in ruleset.rules if rule.count and rule.status != "deprecated")


def judge_everything(store: Store, ruleset: RuleSet) -> Judged:
    """Judge all that the store has; `StoreError`. Killed on the way, `judge_what_is_new` goes on there."""
    rows.begin_anew(store, _basis(ruleset))
    return _judge_due(store, ruleset)


def judge_what_is_new(store: Store, ruleset: RuleSet) -> Judged | None:
    """Judge those of whom anything has changed since they were judged, everything where rules or limits have; None
    where nothing has, or the pack holds no such rule. `StoreError`.
    """
    if not across_calls(ruleset):
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
    rules = [rule.model_dump(mode="json", exclude={"examples"}) for rule in across_calls(ruleset)]
    return sha256(json.dumps([rules, dict(ruleset.parameters)], sort_keys=True).encode()).hexdigest()


def judge_conduct(contacts: Iterable[Contact], ruleset: RuleSet) -> tuple[KeptConduct, ...]:
    """Findings in order of day, rule and subject."""
    outbound = [contact for contact in contacts if not is_inbound(contact.direction)]
    outbound.sort(key=lambda contact: (contact.at.timestamp(), contact.call_id))
    findings = [
        _finding(seen, rule)
        for rule in across_calls(ruleset)
        if rule.count
        for seen in _JUDGES.get(rule.count.what, _too_many)(outbound, rule.count, ruleset.parameters)
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
    doubts = ["规则还是草稿"] * (rule.status == "draft") + ["需与案件资料核对"] * rule.needs_case_data
    because, certain = "，".join((seen.because, *doubts)), seen.certain and not doubts
    return KeptConduct(
        key=sha256(told.encode()).hexdigest(), rule_id=rule.id, title=rule.title, title_en=rule.title_en,
        category=rule.category, severity=rule.severity, result=Result.FAIL if certain else Result.UNSURE,
        day=day, subject=seen.subject, calls=ids, because=f"{because}：{shown}",
    )  # fmt: skip


_Subject = Callable[[Contact], str | None]
_Parameters = Mapping[str, str]


def _number(contact: Contact) -> str | None:
    return contact.number


def _debtor(contact: Contact) -> str | None:
    return contact.debtor


def _of_each(contacts: Iterable[Contact], subject: _Subject) -> Mapping[str, list[Contact]]:
    """Contacts of each number or debtor; those without one are left out."""
    groups: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        if name := subject(contact):
            groups[name].append(contact)
    return groups


def _too_many(contacts: Sequence[Contact], count: Count, parameters: _Parameters) -> Iterator[_Seen]:
    """CN-02, CN-03, CN-11, and a company's own: more contacts of a kind than the limit, all agencies together."""
    counted = [contact for contact in contacts if _KINDS[count.what](contact, parameters)]
    limit = count.limit(parameters)
    yield from _with_debtors(counted, count, limit) if count.per == "debtor" else _on_numbers(counted, count, limit)


def _on_numbers(contacts: Sequence[Contact], count: Count, limit: int) -> Iterator[_Seen]:
    """Where no number is known, the debtor's contacts are counted, and that is unsure."""
    for number, theirs in _of_each(contacts, _number).items():
        for run in _runs(theirs, count.window, limit):
            yield _Seen(number, run, _told(count, "number", len(run), limit))
    unnumbered = [contact for contact in contacts if contact.number is None]
    for debtor, theirs in _of_each(unnumbered, _debtor).items():
        for run in _runs(theirs, count.window, limit):
            because = f"{_told(count, 'debtor', len(run), limit)}，清单没有号码，不知是否同一号码"
            yield _Seen(debtor, run, because, certain=False)


def _with_debtors(contacts: Sequence[Contact], count: Count, limit: int) -> Iterator[_Seen]:
    """Third parties are left out; sure are runs in which contacts that surely were with the debtor exceed the limit."""
    for debtor, all_theirs in _of_each(contacts, _debtor).items():
        theirs = [contact for contact in all_theirs if contact.relation not in _THIRD]
        sure = list(_runs(theirs, count.window, limit, _surely_debtor))
        named = {contact for run in sure for contact in run}
        others = [contact for contact in theirs if contact not in named]
        for runs, certain in ((sure, True), (_runs(others, count.window, limit), False)):
            for run in runs:
                yield _Seen(debtor, run, _told(count, "debtor", len(run), limit), certain=certain)


def _surely_debtor(contact: Contact) -> bool:
    return contact.relation in _DEBTOR


def _effective(contact: Contact, parameters: _Parameters) -> bool:
    shortest = float(parameters[EFFECTIVE_SECONDS])
    return contact.answered and (contact.duration_ms is None or contact.duration_ms >= shortest * 1000)


_KINDS: Mapping[str, Callable[[Contact, _Parameters], bool]] = {
    "attempts": lambda contact, _: True,
    "unanswered": lambda contact, _: not contact.answered,
    "effective": _effective,
}


def _runs(
    contacts: Sequence[Contact],
    window: int | Literal["day"],
    limit: int,
    weighs: Callable[[Contact], bool] = lambda _: True,
) -> Iterator[Sequence[Contact]]:
    """Runs of contacts, given in order of time, of which more than the limit weigh. A calendar day with all its
    contacts is a run. Of hours, a run begins with the first contact from which on too many stand within so many hours,
    the last moment excluded, and has all that do; the next run begins after it. So no contact stands in two runs, and
    of those that stand in none, no window has too many.
    """
    if window == "day":
        days: dict[date, list[Contact]] = defaultdict(list)
        for contact in contacts:
            days[contact.at.date()].append(contact)
        yield from (day for day in days.values() if sum(map(weighs, day)) > limit)
        return
    times = [contact.at.timestamp() for contact in contacts]
    weight, first = [0, *accumulate(map(weighs, contacts))], 0
    while first < len(contacts):
        end = bisect_left(times, times[first] + 3600 * window)
        if weight[end] - weight[first] > limit:
            yield contacts[first:end]
            first = end
        else:
            first += 1


def _told(count: Count, per: str, times: int, limit: int) -> str:
    day = count.window == "day"
    whom = "" if day and (count.what, count.per) == ("effective", "debtor") else COUNTED_BY[per]
    window = "当天" if day else f" {count.window} 小时内"
    return f"{whom}{window}{COUNTED[count.what]} {times} 次，上限 {limit} 次"


def _third_parties(contacts: Sequence[Contact], _: Count, parameters: _Parameters) -> Iterator[_Seen]:
    """CN-06, CN-12, CN-13: a contact may be called only from the day after so many vain attempts on the debtor."""
    needed = int(parameters[THIRD_PARTY_ATTEMPTS])
    for debtor, calls in _of_each(contacts, _debtor).items():
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


def _after_refusal(contacts: Sequence[Contact], _: Count, __: _Parameters) -> Iterator[_Seen]:
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


_JUDGES: Mapping[str, Callable[[Sequence[Contact], Count, _Parameters], Iterator[_Seen]]] = {
    "third_party_too_early": _third_parties,
    "third_party_after_refusal": _after_refusal,
}
"""What every single contact breaks; all else is `_too_many`."""
