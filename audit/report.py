"""What was found, as a file that can be handed on: report.html to read and hear, report.xlsx to count with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from audit.errors import BadPath
from audit.figures import By, Issue, JudgedCall, Provenance, ReportData, flagged
from audit.report_words import Lang
from audit.store import EVERY_CALL, Filter, RuleCard, Run, Store, StoredCall
from rules.model import Finding, Result
from rules.second_opinion import title
from transcribe.model import Turn

SUFFIXES = (".html", ".xlsx")


def write_report(
    store: Store, path: Path, *, by: By = "collector", which: Filter = EVERY_CALL, lang: Lang = "zh"
) -> None:
    """Write the calls that `which` asks for as .html or .xlsx, whichever `path` ends in, with a table `by`.

    The same store gives the same bytes. Raises `BadPath` for any other ending or a path that can't be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadPath(f"{path}：报告只能写成 .html 或 .xlsx；请改文件名的后缀")
    data = read_report(store, by=by, which=which, dialogues=suffix == ".html")
    made = _html(data, lang) if suffix == ".html" else _xlsx(data, lang)
    try:
        path.write_bytes(made)
    except OSError as error:
        raise BadPath(f"{path}：报告写不进去（{error.strerror}）；请检查文件夹和写权限") from error


def read_report(
    store: Store, *, by: By = "collector", which: Filter = EVERY_CALL, dialogues: bool = True
) -> ReportData:
    """Everything a report says; turns are read only for `dialogues` and the calls that a page shows in full."""
    runs, notes = store.runs(), store.hearing_notes()
    rules = {digest: store.rules(digest) for digest in _digests(runs.values())}
    stored = list(store.calls(which))
    calls = tuple(_judged(call, rules[runs[call.run].settings.ruleset_digest], notes) for call in stored)
    used = [runs[run] for run in sorted({call.run for call in stored})]
    return ReportData(
        store=store.path.name,
        since=which.since,
        until=which.until,
        by=by,
        provenance=tuple(dict.fromkeys(_provenance(run) for run in used)),
        calls=calls,
        failures=tuple(store.failures()),
        dialogues=dict(_dialogues(store, calls)) if dialogues else {},
        audited_at=max((run.finished_at or run.started_at for run in used), default=None),
    )


def issues(call: StoredCall, rules: Mapping[str, RuleCard]) -> tuple[Issue, ...]:
    """What came out fail or unsure, violations first, then unsure, then signals; gravest first in each."""
    open_rules = {rule: result for rule, result in call.judgement.outcomes.items() if result in _OPEN}
    places: dict[str, list[Finding]] = {}
    for finding in call.judgement.findings:
        places.setdefault(finding.rule_id, []).append(finding)
    found = [_issue(rule, result, places.get(rule, ()), rules) for rule, result in open_rules.items()]
    return tuple(sorted((issue for issue in found if issue is not None), key=_order))


_OPEN = (Result.FAIL, Result.UNSURE)


def _issue(rule_id: str, result: Result, places: Iterable[Finding], rules: Mapping[str, RuleCard]) -> Issue | None:
    """None where a rule of which nothing is known found nothing either: a store of before rules were kept."""
    shown = tuple(sorted(places, key=lambda f: (f.start_ms, f.turn, f.start)))
    rule = rules.get(rule_id) or next(map(_from_finding, shown), None)
    if rule is None:
        return None
    return Issue(rule=rule, severity=shown[0].severity if shown else rule.severity, result=result, places=shown)


def _from_finding(finding: Finding) -> RuleCard:
    return RuleCard(
        id=finding.rule_id, version=finding.rule_version,
        title=title(finding.rule_id) or finding.rule_id, title_en=title(finding.rule_id, lang="en") or finding.rule_id,
        category=finding.category, kind="", severity=finding.severity, references=(),
    )  # fmt: skip


def _order(issue: Issue) -> tuple[bool, bool, int, int, str]:
    first = issue.places[0].start_ms if issue.places else 0
    return not issue.is_violation, not issue.is_unsure, -issue.severity.rank, first, issue.rule.id


def _judged(
    call: StoredCall, rules: Mapping[str, RuleCard], notes: Mapping[str, tuple[tuple[str, ...], float]]
) -> JudgedCall:
    remarks, sure = notes[call.recording]
    return JudgedCall(
        record=call.record,
        recording=call.recording,
        duration_ms=call.duration_ms,
        notes=remarks,
        role_confidence=sure,
        card=call.card,
        issues=issues(call, rules),
    )


def _digests(runs: Iterable[Run]) -> set[str]:
    return {run.settings.ruleset_digest for run in runs}


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


def _html(data: ReportData, lang: Lang) -> bytes:
    from audit.report_html import render

    return render(data, lang=lang).encode()


def _xlsx(data: ReportData, lang: Lang) -> bytes:
    from audit.report_xlsx import workbook

    return workbook(data, lang=lang)
