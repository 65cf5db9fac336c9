"""Rules across calls: how often a number was tried, a debtor spoken to; third parties; calls after a refusal.

The judging is a pure function over call records and what each call was judged to hold. Limits are parameters of the
pack; a day is a day of the debtor's own time zone, as each record's offset says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from audit.calls import CallRecord
from audit.store.conduct import KeptConduct, replace_all
from rules.model import Result, RuleSet, Severity

if TYPE_CHECKING:
    from audit.store import Store, StoredCall

ATTEMPTS, CALLS, THIRD_PARTY, REFUSED = (
    "too-many-attempts",
    "too-many-calls-a-day",
    "third-party-before-debtor-unreachable",
    "calls-after-refusal",
)
_DEBTOR = frozenset({"self", "guarantor", "co_obligor", "spouse_joint_debt"})  # may be asked to pay (CN-05, CN-12)
_THIRD = frozenset({"contact", "unrelated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One call or attempt. `number` is the dialled number, None where the list holds none.

    `refused`: the person on the line asked not to be called again (signal stop_contact).
    """

    record: CallRecord
    number: str | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductFinding:
    """What several calls break together. `calls` are the ids that show it, in order of time; never empty."""

    rule_id: str
    category: str
    severity: Severity
    result: Result  # unsure where the records leave open what the rule asks
    day: date
    subject: str  # the number or the debtor
    calls: tuple[str, ...]
    because: str


def keep_conduct(store: Store, ruleset: RuleSet) -> tuple[tuple[ConductFinding, ...], int, int]:
    """Judge all that the store has and keep it in place of what was kept; how many are new, how many gone."""
    findings = judge_conduct(contacts_of(store.calls(), store.attempts()), ruleset)
    titles = {rule.id: (rule.title, rule.title_en) for rule in ruleset.rules}
    new, gone = replace_all(store, (_kept(finding, *titles[finding.rule_id]) for finding in findings))
    return findings, new, gone


def _kept(finding: ConductFinding, title: str, title_en: str) -> KeptConduct:
    """Its key names rule, day, subject and the calls that show it: with one call more it is another finding."""
    told = "\0".join((finding.rule_id, finding.day.isoformat(), finding.subject, *finding.calls))
    return KeptConduct(
        key=sha256(told.encode()).hexdigest(), rule_id=finding.rule_id, title=title, title_en=title_en,
        category=finding.category, severity=finding.severity, result=finding.result, day=finding.day,
        subject=finding.subject, calls=finding.calls, because=finding.because,
    )  # fmt: skip


_NUMBER_COLUMNS = ("number", "phone", "callee_number", "号码", "被叫号码", "电话")


def contacts_of(calls: Iterable[StoredCall], attempts: Iterable[CallRecord]) -> Iterator[Contact]:
    """Contacts as a store holds them; who refused is taken from the signal stop_contact."""
    for call in calls:
        refused = any(finding.category == "stop_contact" for finding in call.judgement.findings)
        heard = call.record if call.record.duration_ms else replace(call.record, duration_ms=call.duration_ms)
        yield Contact(record=heard, number=_number(call.record), refused=refused)
    for attempt in attempts:
        answered = False if attempt.answered is None else attempt.answered
        yield Contact(record=replace(attempt, answered=answered), number=_number(attempt))


def _number(record: CallRecord) -> str | None:
    """The dialled number, from a column of the call list that callaudit has no other use for."""
    return next((record.extra[name] for name in _NUMBER_COLUMNS if record.extra.get(name)), None)


_Timed = tuple[datetime, Contact]


def judge_conduct(contacts: Iterable[Contact], ruleset: RuleSet) -> tuple[ConductFinding, ...]:
    """Findings in order of day, rule and subject. Contacts without a time are left out: no day, no count."""
    timed = [(c.record.started_at, c) for c in contacts if c.record.started_at is not None]
    timed.sort(key=lambda item: (item[0].timestamp(), item[1].record.call_id))
    outbound = [item for item in timed if item[1].record.direction not in ("inbound", "in", "呼入")]
    found = [
        *_attempts(outbound, int(ruleset.parameters["unanswered_per_number_per_day"])),
        *_calls(outbound, ruleset.parameters),
        *_third_parties(outbound, int(ruleset.parameters["third_party_after_attempts"])),
        *_after_refusal(outbound),
    ]
    rules = {rule.id: rule for rule in ruleset.rules}
    findings = [
        _finding(seen, rules[seen.rule_id].category, rules[seen.rule_id].severity)
        for seen in found
        if seen.rule_id in rules
    ]
    return tuple(sorted(findings, key=lambda finding: (finding.day, finding.rule_id, finding.subject)))


@dataclass(frozen=True, slots=True)
class _Seen:
    rule_id: str
    subject: str
    contacts: Sequence[_Timed]
    because: str
    certain: bool = True


def _finding(seen: _Seen, category: str, severity: Severity) -> ConductFinding:
    ids = tuple(contact.record.call_id for _, contact in seen.contacts)
    shown = "、".join(f"{contact.record.call_id}（{at:%m-%d %H:%M}）" for at, contact in seen.contacts)
    return ConductFinding(
        rule_id=seen.rule_id, category=category, severity=severity,
        result=Result.FAIL if seen.certain else Result.UNSURE,
        day=seen.contacts[-1][0].date(), subject=seen.subject, calls=ids, because=f"{seen.because}：{shown}",
    )  # fmt: skip


def _by_day(contacts: Iterable[_Timed], subject: str) -> Mapping[tuple[str, date], list[_Timed]]:
    """Contacts of each number or debtor and day; those without one are left out."""
    groups: dict[tuple[str, date], list[_Timed]] = defaultdict(list)
    for at, contact in contacts:
        name = contact.number if subject == "number" else debtor_of(contact.record)
        if name is not None:
            groups[name, at.date()].append((at, contact))
    return groups


def debtor_of(record: CallRecord) -> str | None:
    """Whom the calls are about: the debtor where the list names one, else the case."""
    return record.debtor_id or record.case_id


def _attempts(contacts: Sequence[_Timed], limit: int) -> Iterator[_Seen]:
    """CN-11: unanswered attempts on one number in a day; where no number is known, the debtor's is unsure."""
    unanswered = [item for item in contacts if item[1].record.answered is False]
    for (number, _), day in _by_day(unanswered, "number").items():
        if len(day) > limit:
            yield _Seen(ATTEMPTS, number, day, f"同一号码当天未接通拨打 {len(day)} 次，上限 {limit} 次")
    unnumbered = [item for item in unanswered if item[1].number is None]
    for (debtor, _), day in _by_day(unnumbered, "debtor").items():
        if len(day) > limit:
            because = f"同一债务人当天未接通拨打 {len(day)} 次，上限 {limit} 次，清单没有号码，不知是否同一号码"
            yield _Seen(ATTEMPTS, debtor, day, because, certain=False)


def _calls(contacts: Sequence[_Timed], parameters: Mapping[str, str]) -> Iterator[_Seen]:
    """CN-02, CN-03: effective calls with one debtor in a day, all agencies together."""
    limit, shortest = int(parameters["effective_per_debtor_per_day"]), float(parameters["effective_call_seconds"])
    spoken = [item for item in contacts if _effective(item[1].record, shortest)]
    to_debtor = [item for item in spoken if item[1].record.callee_relation not in _THIRD]
    for (debtor, _), day in _by_day(to_debtor, "debtor").items():
        if len(day) > limit:
            sure = sum(contact.record.callee_relation in _DEBTOR for _, contact in day) > limit
            yield _Seen(CALLS, debtor, day, f"当天有效通话 {len(day)} 次，上限 {limit} 次", certain=sure)


def _effective(record: CallRecord, shortest: float) -> bool:
    if not _answered(record):
        return False
    return record.duration_ms is None or record.duration_ms >= shortest * 1000


def _answered(record: CallRecord) -> bool:
    return record.path is not None if record.answered is None else record.answered


def _third_parties(contacts: Sequence[_Timed], attempts: int) -> Iterator[_Seen]:
    """CN-06, CN-12, CN-13: a contact may be called only from the day after so many vain attempts on the debtor."""
    for debtor, calls in _of_debtors(contacts).items():
        for at, contact in calls:
            if contact.record.callee_relation not in _THIRD:
                continue
            tried = _vain_attempts([item for item in calls if item[0].date() < at.date()])
            if tried < attempts:
                because = f"联系第三人之前（不含当天）连续联系不上本人 {tried} 次，不足 {attempts} 次"
                yield _Seen(THIRD_PARTY, debtor, [(at, contact)], because, certain=_knows_debtor(calls))


def _of_debtors(contacts: Sequence[_Timed]) -> Mapping[str, list[_Timed]]:
    groups: dict[str, list[_Timed]] = defaultdict(list)
    for item in contacts:
        if debtor := debtor_of(item[1].record):
            groups[debtor].append(item)
    return groups


def _vain_attempts(calls: Sequence[_Timed]) -> int:
    """Unanswered attempts on the debtor since they last answered; unknown callees count as the debtor."""
    tried = 0
    for _, contact in calls:
        if contact.record.callee_relation not in _THIRD:
            tried = 0 if _answered(contact.record) else tried + 1
    return tried


def _knows_debtor(calls: Sequence[_Timed]) -> bool:
    """Whether the list holds calls to the debtor at all; else attempts may lie outside it."""
    return any(contact.record.callee_relation in _DEBTOR for _, contact in calls)


def _after_refusal(contacts: Sequence[_Timed]) -> Iterator[_Seen]:
    """CN-06, CN-12: a third party who said no is not called again; the debtor may be, so only third parties count."""
    refused: dict[str, _Timed] = {}
    for at, contact in contacts:
        person = _person(contact)
        if person is None or contact.record.callee_relation not in _THIRD:
            continue
        if person in refused:
            yield _Seen(REFUSED, person, [refused[person], (at, contact)], "对方要求不再联系以后又拨打")
        if contact.refused:
            refused.setdefault(person, (at, contact))


def _person(contact: Contact) -> str | None:
    """The person called: the number, else a callee that the list names; a debtor's contacts may be several people."""
    return contact.number or contact.record.extra.get("callee_id")
