"""What was found and what people made of it, as a file that can be handed on: report.html to read and hear,
report.xlsx to count with. Personal data is masked unless asked for, and every report stands in the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from audit import ledger
from audit.access import LOCAL, Action, Actor, may, require
from audit.errors import BadPath, os_reason
from audit.figures import By, Issue, JudgedCall, Provenance, ReportData, Review, flagged
from audit.report_words import Lang, Words
from audit.store import EVERY_CALL, Filter, RuleCard, Run, Store, StoredCall, finding_keys
from audit.store.queue import COUNTED, Machine, State
from audit.unmask import unmask_export
from rules.hints import title
from rules.model import Finding, Result
from transcribe.model import Turn

if TYPE_CHECKING:
    from audit.complaint_record import Complaint
    from audit.promises import PromiseRow
    from audit.store.conduct import KeptConduct

SUFFIXES = (".html", ".xlsx")

Notify = Callable[[int, int], None]
"""Told how many of how many calls are done; a page with sound goes over them a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which report: the calls, the table `by`, findings of one `category` only, words of which language.

    `grace_days` is how late a promised payment may come (audit/promises.py). Where `unmasked`, `reason` says why.
    """

    which: Filter = EVERY_CALL
    by: By = "collector"
    category: str | None = None
    lang: Lang = "zh"
    unmasked: bool = False
    reason: str = ""
    grace_days: int = 3


PLAIN = Asked()


def write_report(
    store: Store, path: Path, asked: Asked = PLAIN, *, actor: Actor = LOCAL, notify: Notify | None = None
) -> None:
    """Write a report as .html or .xlsx, whichever `path` ends in, readable by its owner alone.

    Raises `BadPath` for any other ending or a path that can't be written, `Refused`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadPath(f"{path}：报告只能写成 .html 或 .xlsx；请改文件名的后缀")
    try:
        with _replacing(path) as file:
            file.write(make_report(store, path.suffix.lower(), asked, actor=actor, notify=notify))
    except OSError as error:
        raise BadPath(f"{path}：报告写不进去（{os_reason(error)}）；请检查文件夹、空间和写权限") from error


def make_report(
    store: Store, suffix: str, asked: Asked = PLAIN, *, actor: Actor, notify: Notify | None = None
) -> bytes:
    """A report as the bytes of a file (`suffix` one of `SUFFIXES`); it stands in the ledger before anybody gets it.

    The same store, question and rights give the same bytes. Raises `Refused`, `NoReason` for an unmasked one.
    """
    require(actor, Action.EXPORT)
    if asked.unmasked:
        unmask_export(store, "report", asked.reason, actor=actor)
    data = read_report(store, asked, actor=actor, dialogues=suffix == ".html", notify=notify)
    made = _html(data, asked.lang, notify) if suffix == ".html" else _xlsx(data, asked.lang)
    _note(store, suffix, asked, data, actor)
    return made


def read_report(
    store: Store,
    asked: Asked = PLAIN,
    *,
    actor: Actor = LOCAL,
    dialogues: bool = True,
    notify: Notify | None = None,
) -> ReportData:
    """Everything a report says; turns are read only for `dialogues` and the calls that a page shows in full."""
    which = asked.which
    calls, used = _calls(store, asked, list(store.calls(which)), store.hearing_notes(), actor)
    data = ReportData(
        store=store.path.name,
        since=which.since,
        until=which.until,
        by=asked.by,
        provenance=tuple(dict.fromkeys(_provenance(run) for run in used)),
        calls=tuple(calls),
        failures=tuple(store.failures()),
        dialogues=dict(_dialogues(store, calls)) if dialogues else {},
        audited_at=max((run.finished_at or run.started_at for run in used), default=None),
        selection=_selection(asked),
        promises=_promises(store, asked, actor),
        complaints=_complaints(store, asked, actor),
        conduct=_conduct(store, asked, actor),
    )
    if asked.unmasked:
        return data
    from audit.report_masks import masked

    return masked(data, store, notify=notify)


def call_report(store: Store, call_id: str, *, actor: Actor, lang: Lang = "zh") -> bytes:
    """The evidence of one call as an HTML page, masked; it stands in the ledger. `Refused`, `BadPath`."""
    from audit.report_masks import masked

    require(actor, Action.EXPORT)
    call = store.call(call_id)
    if call is None:
        raise BadPath(f"没有通话 {call_id}；请核对编号")
    transcript = store.transcript(call.recording)
    heard = ((), 1.0) if transcript is None else (transcript.notes, transcript.role_confidence)
    day = None if call.record.started_at is None else call.record.started_at.date()
    asked = Asked(which=Filter(since=day, until=day, agent_id=call.record.agent_id), lang=lang)
    calls, used = _calls(store, asked, [call], {call.recording: heard}, actor)
    data = ReportData(
        store=store.path.name,
        since=day,
        until=day,
        by=asked.by,
        provenance=tuple(dict.fromkeys(_provenance(run) for run in used)),
        calls=tuple(calls),
        failures=(),
        dialogues={} if transcript is None else {call.recording: transcript.turns},
        audited_at=max((run.finished_at or run.started_at for run in used), default=None),
        selection=(call_id,),
    )
    made = _html(masked(data, store), lang, None)
    ledger.record(
        store, actor=actor, kind=ledger.Kind.EXPORT, subject=call_id, data={"form": "html", "unmasked": False}
    )
    return made


def _calls(
    store: Store,
    asked: Asked,
    stored: Sequence[StoredCall],
    notes: Mapping[str, tuple[tuple[str, ...], float]],
    actor: Actor,
) -> tuple[list[JudgedCall], list[Run]]:
    """The calls with what was asked of their findings, and the runs that judged them."""
    runs = store.runs()
    rules = {digest: store.rules(digest) for digest in {run.settings.ruleset_digest for run in runs.values()}}
    reviews = _Reviews.read(store, asked.which)
    calls: list[JudgedCall] = []
    for call in stored:
        found = issues(call, rules[runs[call.run].settings.ruleset_digest], reviews)
        wanted = tuple(issue for issue in found if _is_wanted(issue, asked, actor))
        calls.append(_judged(call, wanted, notes))
    return calls, [runs[run] for run in sorted({call.run for call in stored})]


def issues(call: StoredCall, rules: Mapping[str, RuleCard], reviews: _Reviews | None = None) -> tuple[Issue, ...]:
    """What came out fail or unsure, and what people added: violations first, then unsure, then signals, gravest first.

    Without `reviews` nobody has judged anything.
    """
    human = reviews or _Reviews(by_key={}, missed={})
    open_rules = {rule: result for rule, result in call.judgement.outcomes.items() if result in _OPEN}
    keys = finding_keys(call.recording, call.judgement.findings)
    places: dict[str, list[tuple[Finding, str]]] = {}
    for finding, key in zip(call.judgement.findings, keys, strict=True):
        places.setdefault(finding.rule_id, []).append((finding, key))
    found = [_issue(rule, result, places.get(rule, ()), rules, human) for rule, result in open_rules.items()]
    added = [_added(finding, review) for finding, review in human.missed.get(call.record.call_id, ())]
    return tuple(sorted([*(issue for issue in found if issue is not None), *added], key=_order))


_OPEN = (Result.FAIL, Result.UNSURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reviews:
    """What people said: by key of the finding, and by call what the machine does not find (any more)."""

    by_key: Mapping[str, Review]
    missed: Mapping[str, Sequence[tuple[Finding, Review]]]

    @classmethod
    def read(cls, store: Store, which: Filter) -> _Reviews:
        from audit.review import finding_of
        from audit.store.queue import item
        from audit.store.reports import reviewed_items

        by_key: dict[str, Review] = {}
        missed: dict[str, list[tuple[Finding, Review]]] = {}
        for row in reviewed_items(store, which):
            by_key[row["key"]] = review = _review(row)
            if row["machine"] != Machine.PRESENT and row["state"] in COUNTED:
                stands = item(store, row["key"])
                assert stands is not None
                missed.setdefault(row["call_id"], []).append((finding_of(store, stands), review))
        return cls(by_key=by_key, missed=missed)


def _review(row: Mapping[str, Any]) -> Review:
    at = None if row["at"] is None else datetime.fromisoformat(row["at"])
    return Review(key=row["key"], state=State(row["state"]), by=row["by"], at=at)


def _issue(
    rule_id: str,
    result: Result,
    places: Iterable[tuple[Finding, str]],
    rules: Mapping[str, RuleCard],
    human: _Reviews,
) -> Issue | None:
    """None where a rule of which nothing is known found nothing either: a store of before rules were kept."""
    shown = sorted(places, key=lambda place: (place[0].start_ms, place[0].turn, place[0].start))
    rule = rules.get(rule_id) or next((_from_finding(finding) for finding, _ in shown), None)
    if rule is None:
        return None
    return Issue(
        rule=rule,
        severity=shown[0][0].severity if shown else rule.severity,
        result=result,
        places=tuple(finding for finding, _ in shown),
        reviews=tuple(human.by_key.get(key) or Review(key=key, state=State.WAITING) for _, key in shown),
    )


def _added(finding: Finding, review: Review) -> Issue:
    return Issue(
        rule=_from_finding(finding),
        severity=finding.severity,
        result=finding.result,
        places=(finding,),
        reviews=(review,),
        machine=False,
    )


def _from_finding(finding: Finding) -> RuleCard:
    from audit.review import title as title_of

    return RuleCard(
        id=finding.rule_id, version=finding.rule_version,
        title=title(finding.rule_id) or title_of(finding.rule_id, None),
        title_en=title(finding.rule_id, lang="en") or title_of(finding.rule_id, None, lang="en"),
        category=finding.category, kind="", severity=finding.severity, references=(),
    )  # fmt: skip


def _order(issue: Issue) -> tuple[bool, bool, int, int, str]:
    first = issue.places[0].start_ms if issue.places else 0
    sure = issue.is_violation or issue.is_confirmed
    return not sure, not issue.is_unsure, -issue.severity.rank, first, issue.rule.id


def _is_wanted(issue: Issue, asked: Asked, actor: Actor) -> bool:
    if asked.category is not None and issue.rule.category != asked.category:
        return False
    return issue.is_confirmed or not actor.only_confirmed


def _judged(
    call: StoredCall, found: tuple[Issue, ...], notes: Mapping[str, tuple[tuple[str, ...], float]]
) -> JudgedCall:
    remarks, sure = notes[call.recording]
    return JudgedCall(
        record=call.record,
        recording=call.recording,
        duration_ms=call.duration_ms,
        notes=remarks,
        role_confidence=sure,
        card=call.card,
        issues=found,
        sound=call.record.path,
    )


def _provenance(run: Run) -> Provenance:
    settings = run.settings
    return Provenance(
        ruleset=settings.ruleset,
        ruleset_version=settings.ruleset_version,
        digest=settings.ruleset_digest,
        engine=settings.engine,
        engine_version=run.engine_version or "",
        model=settings.model or "",
        tool_version=settings.tool_version,
    )


def _dialogues(store: Store, calls: Iterable[JudgedCall]) -> Iterator[tuple[str, tuple[Turn, ...]]]:
    from audit.report_html import CALLS_SHOWN

    for call in flagged(calls)[:CALLS_SHOWN]:
        transcript = store.transcript(call.recording)
        if transcript is not None:
            yield call.recording, transcript.turns


def _selection(asked: Asked) -> tuple[str, ...]:
    words, which = Words(asked.lang), asked.which
    chosen = {"team": which.team, "agent_id": which.agent_id, "product": which.product}
    found = [f"{words[name]} {value}" for name, value in chosen.items() if value is not None]
    if asked.category is not None:
        found.append(f"{words['category']} {words.of('category', asked.category)}")
    return tuple(found)


def _promises(store: Store, asked: Asked, actor: Actor) -> tuple[PromiseRow, ...] | None:
    from audit.complaints import today
    from audit.promises import Terms, all_promises

    if not may(actor, Action.SEE_PROMISES):
        return None
    terms = Terms(today=today(), grace_days=asked.grace_days)
    return tuple(all_promises(store, asked.which, actor=actor, terms=terms))


def _complaints(store: Store, asked: Asked, actor: Actor) -> tuple[Complaint, ...] | None:
    from audit.complaints import Desk, listing
    from audit.store.complaints import Asked as Wanted

    if not may(actor, Action.SEE_COMPLAINTS):
        return None
    which = asked.which
    wanted = Wanted(
        since=which.since, until=which.until, team=which.team, product=which.product, agent_id=which.agent_id,
        category=asked.category,
    )  # fmt: skip
    return tuple(listing(Desk(store=store, actor=actor), wanted))


def _conduct(store: Store, asked: Asked, actor: Actor) -> tuple[KeptConduct, ...] | None:
    """What several calls break together; of a team, collector or product, what one of its calls or attempts shows."""
    from audit.store.conduct import kept

    if not may(actor, Action.SEE_QUEUE):
        return None
    return tuple(one for one in kept(store, asked.which) if asked.category in (None, one.category))


def _note(store: Store, suffix: str, asked: Asked, data: ReportData, actor: Actor) -> None:
    """What was asked and how much was handed out; no words and no names of debtors."""
    which = asked.which
    chosen = {
        "form": suffix.removeprefix("."), "calls": len(data.calls), "unmasked": asked.unmasked, "by": asked.by,
        "since": which.since and which.since.isoformat(), "until": which.until and which.until.isoformat(),
        "team": which.team, "agent": which.agent_id, "product": which.product, "category": asked.category,
    }  # fmt: skip
    kept = {name: value for name, value in chosen.items() if value is not None}
    ledger.record(store, actor=actor, kind=ledger.Kind.EXPORT, subject="report", data=kept)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone that takes the place of `path` when it is whole: till then, and where it can't be
    written to the end, what lay there stays. `OSError`.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _html(data: ReportData, lang: Lang, notify: Notify | None) -> bytes:
    from audit.report_html import render

    return render(data, lang=lang, notify=notify).encode()


def _xlsx(data: ReportData, lang: Lang) -> bytes:
    from audit.report_xlsx import workbook

    return workbook(data, lang=lang)
