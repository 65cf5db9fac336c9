"""report.xlsx: the facts of the page as tables to filter and count. Text stays text: no cell is a formula."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import xlsxwriter

from audit.figures import Figures, Issue, JudgedCall, Line, Rate, ReportData, Review, Share, Tally, figures
from audit.report_words import Lang, Words, beijing
from rules.model import Finding, Severity

if TYPE_CHECKING:
    from audit.complaint_record import Complaint
    from audit.promises import PromiseRow
    from audit.store.conduct import KeptConduct

Kind = Literal["text", "long", "number", "decimal", "percent", "moment", "clock"]
Cell = str | int | float | datetime | None

# Excel refuses longer texts, and XlsxWriter leaves the cell empty.
_LONGEST_TEXT = 32_767
# Excel ends at 1,048,576 rows, and XlsxWriter drops what comes after without a word.
ROWS_PER_SHEET = 1_000_000
_DAY_MS = 86_400_000
_FORMATS: Mapping[Kind, str] = {
    "number": "0",
    "decimal": "0.00",
    "percent": "0.0%",
    "moment": "yyyy-mm-dd hh:mm",
    "clock": "[mm]:ss",
}
# The file's own date when nothing was audited; a wall clock would make every file another one.
_NO_DATE = datetime(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Column:
    """Heading, width in characters, and what the cells are. `clock` cells hold ms, `percent` cells 0 to 1."""

    title: str
    width: int
    kind: Kind = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table of the workbook."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def workbook(data: ReportData, *, lang: Lang) -> bytes:
    """The whole workbook. The same data gives the same bytes."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        words = Words(lang)
        book.set_properties({"title": words["title"], "created": _naive(data.audited_at) or _NO_DATE})
        write = _writer(book)
        for sheet in sheets(data, words):
            for part in parts(sheet):
                write(book.add_worksheet(part.name), part)
    return file.getvalue()


def sheets(data: ReportData, words: Words) -> tuple[Sheet, ...]:
    """Summary, findings, collectors (or teams, or rules), calls, conduct, promises, complaints, failures."""
    counted = figures(data)
    return (
        _summary(data, counted, words),
        _findings(data, words),
        _rules(counted, words) if data.by == "rule" else _people(data, counted, words),
        _calls(data, words),
        *_conduct(data, words),
        *_promises(data, words),
        *_complaints(data, words),
        _failures(data, words),
    )


def parts(sheet: Sheet, *, limit: int = ROWS_PER_SHEET) -> Iterator[Sheet]:
    """The sheet, continued on further ones (概览 2, …) where Excel has no more rows."""
    yield replace(sheet, rows=sheet.rows[:limit])
    for number, start in enumerate(range(limit, len(sheet.rows), limit), 2):
        yield replace(sheet, name=f"{sheet.name} {number}", rows=sheet.rows[start : start + limit])


def _summary(data: ReportData, counted: Figures, w: Words) -> Sheet:
    """One flat table: values that are no counts stand as text."""
    rows = [*_about(data, w), *_totals(counted, w), *_tallies(counted, w), *_counts(counted, w)]
    return Sheet(
        name=w["summary"],
        columns=(
            Column(w["group"], 16),
            Column(w["item"], 24),
            Column(w["value"], 44, "number"),
            Column(w["calls_with"], 14, "number"),
            Column(w["unsure"], 10, "number"),
            Column(w["confirmed"], 10, "number"),
            Column(w["dismissed"], 10, "number"),
        ),
        rows=tuple(rows),
    )


def _about(data: ReportData, w: Words) -> Iterator[tuple[Cell, ...]]:
    since, until = data.period
    period = f"{since or '…'}{w['to']}{until or '…'}" if since or until else w["whole_period"]
    yield _row(w["title"], w["period"], period)
    for chosen in data.selection:
        yield _row(w["title"], w["selection"], chosen)
    yield _row(w["title"], w["privacy"], w["masked" if data.masked else "unmasked"])
    yield _row(w["title"], w["store"], data.store)
    for p in data.provenance:
        yield _row(w["title"], w["ruleset"], f"{p.ruleset} {p.ruleset_version}")
        yield _row(w["title"], w["ruleset_digest"], p.digest)
        yield _row(w["title"], w["engine"], " ".join(filter(None, (p.engine, p.engine_version, p.model))))
        yield _row(w["title"], w["tool"], f"callaudit {p.tool_version}")


def _totals(counted: Figures, w: Words) -> Iterator[tuple[Cell, ...]]:
    group = w["summary"]
    yield _row(group, w["calls"], counted.calls)
    yield _row(group, w["hours"], f"{counted.ms / 3_600_000:.2f}")
    yield _row(group, w["violations"], counted.violations, counted.with_violation.hits, counted.unsure)
    yield _row(group, w["share"], _share(counted.with_violation, w))
    yield _row(group, w["confirmed"], counted.confirmed.events, counted.with_confirmed.hits)
    yield _row(group, w["confirmed_share"], _share(counted.with_confirmed, w))
    yield _row(group, w["confirmed_per_100"], _rate(counted.confirmed, w))
    yield _row(group, w["dismissed"], counted.dismissed)
    yield _row(group, w["not_reviewed"], counted.open)
    yield _row(group, w["duties"], _share(counted.duties, w))
    yield _row(group, w["failures"], counted.failures)


def _share(share: Share, w: Words) -> str:
    if share.share is None or share.low is None or share.high is None:
        return w["no_sample"]
    low, high = f"{share.low:.1%}", f"{share.high:.1%}"
    return f"{share.share:.1%} ({share.hits}/{share.of}, {w['interval']} {low}–{high})"


def _rate(rate: Rate, w: Words) -> str:
    if rate.per_100 is None or rate.low is None or rate.high is None:
        return w["no_sample"]
    return f"{rate.per_100:.1f} ({rate.events}/{rate.of}, {w['interval']} {rate.low:.1f}–{rate.high:.1f})"


def _tallies(counted: Figures, w: Words) -> Iterator[tuple[Cell, ...]]:
    for severity, tally in counted.by_severity.items():
        yield _tally(w["severity"], w.of("severity", severity.value), tally)
    for category, tally in counted.by_category.items():
        yield _tally(w["category"], w.of("category", category), tally)


def _tally(group: str, item: str, tally: Tally) -> tuple[Cell, ...]:
    return group, item, tally.violations, tally.calls, tally.unsure, tally.confirmed, tally.dismissed


def _counts(counted: Figures, w: Words) -> Iterator[tuple[Cell, ...]]:
    for verdict, calls in counted.verdicts.items():
        yield _row(w["verdicts"], w.of("verdict", verdict.value), calls)
    for category, calls in counted.signals.items():
        yield _row(w["signals"], w.of("category", category), calls)


def _row(group: str, item: str, value: Cell, calls: Cell = None, unsure: Cell = None) -> tuple[Cell, ...]:
    return group, item, value, calls, unsure, None, None


def _findings(data: ReportData, w: Words) -> Sheet:
    columns = (
        Column(w["call_id"], 16), Column(w["started_at"], 17, "moment"), Column(w["name"], 10),
        Column(w["agent_id"], 10), Column(w["team"], 10), Column(w["category"], 14), Column(w["severity"], 10),
        Column(w["outcome"], 10), Column(w["human"], 14), Column(w["rule_title"], 30, "long"),
        Column(w["as_heard"], 40, "long"),
        Column(w["heard_as"], 14), Column(w["because"], 44, "long"), Column(w["time"], 8, "clock"),
        Column(w["turn"], 7, "number"), Column(w["confidence"], 9, "percent"), Column(w["rule"], 28),
        Column(w["rule_version"], 7, "number"), Column(w["clause"], 44, "long"), Column(w["recording"], 24),
        Column("SHA-256", 24), Column(w["reviewed_by"], 12),
        Column(w["at_beijing"].format(what=w["reviewed_at"]), 22, "moment"), Column(w["finding_key"], 20),
    )  # fmt: skip
    rows = (
        _finding_row(call, issue, at, w)
        for call in data.calls
        for issue in call.issues
        for at in range(max(1, len(issue.places)))
    )
    return Sheet(name=w["findings"], columns=columns, rows=tuple(rows))


def _finding_row(call: JudgedCall, issue: Issue, at: int, w: Words) -> tuple[Cell, ...]:
    rule, record = issue.rule, call.record
    finding = issue.places[at] if issue.places else None
    review = issue.reviews[at] if at < len(issue.reviews) else None
    # A rule that is broken may have places beside the proven one that are still unsure.
    outcome = "signal" if issue.is_signal else (finding.result if finding else issue.result).value
    title = rule.title if w.lang == "zh" else rule.title_en
    return (
        record.call_id, _naive(record.started_at), record.agent_name, record.agent_id, record.team,
        w.of("category", rule.category), w.of("severity", issue.severity.value),
        w.of("machine", outcome) if issue.machine else w["added_by_people"], _human(issue, review, w),
        title, *_place(finding), rule.id, rule.version, _clauses(issue, w), record.path.name if record.path else None,
        call.recording, *_by_whom(review),
    )  # fmt: skip


def _human(issue: Issue, review: Review | None, w: Words) -> str | None:
    """Nobody judges what customers say of themselves."""
    return None if issue.is_signal or review is None else w.of("state", review.state.value)


def _by_whom(review: Review | None) -> tuple[Cell, ...]:
    """Reviewer, when, key."""
    if review is None:
        return (None,) * 3
    return review.by, _naive(beijing(review.at)) if review.at else None, review.key


def _place(f: Finding | None) -> tuple[Cell, ...]:
    """Quote, heard as, because, time, turn counted from 1, confidence; empty where nothing shows the rule."""
    if f is None:
        return (None,) * 6
    return f.quote, f.heard_as, f.because, f.start_ms, f.turn + 1, f.confidence


def _clauses(issue: Issue, w: Words) -> str:
    return "\n".join(
        f"{r.instrument}{' ' + r.clause if r.clause else ''}"
        + w["clause_kind"].format(authority=w.of("authority", r.authority), sure=w.of("sure", r.confidence))
        for r in issue.rule.references
    )


def _people(data: ReportData, counted: Figures, w: Words) -> Sheet:
    severities = tuple(Column(w.of("severity", s.value), 9, "number") for s in Severity)
    columns = (
        Column(w["team" if data.by == "team" else "name"], 12), Column(w["agent_id"], 12), Column(w["team"], 12),
        Column(w["calls"], 8, "number"), Column(w["hours"], 12, "decimal"), Column(w["violations"], 9, "number"),
        Column(w["per_100"], 12, "decimal"), *severities, Column(w["calls_with"], 10, "number"),
        Column(w["unsure"], 9, "number"), *_human_columns(w), Column(w["duties"], 15, "percent"),
        Column(w["mean_score"], 9, "decimal"),
    )  # fmt: skip
    rows = tuple(_person_row(line, w) for line in counted.lines)
    return Sheet(name=w["by_" + data.by], columns=columns, rows=rows)


def _person_row(line: Line, w: Words) -> tuple[Cell, ...]:
    return (
        line.name or w["unknown_agent"], line.key, line.team, line.calls, line.ms / 3_600_000, line.violations,
        line.per_100, *line.by_severity.values(), line.calls_with, line.unsure, *_human_cells(line),
        line.duties.share, line.score,
    )  # fmt: skip


def _human_columns(w: Words) -> tuple[Column, ...]:
    return (
        Column(w["confirmed"], 10, "number"), Column(w["confirmed_per_100"], 12, "decimal"),
        Column(f"{w['confirmed_per_100']} {w['interval']}", 16), Column(w["dismissed"], 10, "number"),
    )  # fmt: skip


def _human_cells(line: Line) -> tuple[Cell, ...]:
    found = line.confirmed
    limits = None if found.low is None or found.high is None else f"{found.low:.1f}–{found.high:.1f}"
    return found.events, found.per_100, limits, line.dismissed


def _rules(counted: Figures, w: Words) -> Sheet:
    columns = (
        Column(w["rule_title"], 34, "long"), Column(w["rule"], 28), Column(w["category"], 14),
        Column(w["severity"], 10), Column(w["calls"], 8, "number"), Column(w["violations"], 9, "number"),
        Column(w["per_100"], 12, "decimal"), Column(w["unsure"], 9, "number"), *_human_columns(w),
    )  # fmt: skip
    return Sheet(name=w["by_rule"], columns=columns, rows=tuple(_rule_row(line, w) for line in counted.lines))


def _rule_row(line: Line, w: Words) -> tuple[Cell, ...]:
    category = line.rule.category if line.rule else None
    severity = line.rule.severity.value if line.rule else None
    name = line.rule.title_en if line.rule and w.lang == "en" else line.name
    return (
        name, line.key, w.of("category", category), w.of("severity", severity), line.calls, line.violations,
        line.per_100, line.unsure, *_human_cells(line),
    )  # fmt: skip


def _calls(data: ReportData, w: Words) -> Sheet:
    columns = (
        Column(w["call_id"], 16), Column(w["started_at"], 17, "moment"), Column(w["duration"], 8, "clock"),
        Column(w["name"], 10), Column(w["agent_id"], 10), Column(w["team"], 10), Column(w["relation"], 14),
        Column(w["debtor_id"], 12), Column(w["case_id"], 14), Column(w["product"], 12),
        Column(w["days_overdue"], 9, "number"), Column(w["direction"], 8), Column(w["score"], 7, "number"),
        Column(w["verdict"], 10), Column(w["violations"], 9, "number"), Column(w["unsure"], 8, "number"),
        Column(w["confirmed"], 10, "number"),
        Column(w["role_confidence"], 12, "percent"), Column(w["notes"], 40, "long"), Column(w["path"], 40),
        Column("SHA-256", 24),
    )  # fmt: skip
    return Sheet(name=w["calls_sheet"], columns=columns, rows=tuple(_call_row(call, w) for call in data.calls))


def _call_row(call: JudgedCall, w: Words) -> tuple[Cell, ...]:
    r = call.record
    return (
        r.call_id, _naive(r.started_at), call.duration_ms, r.agent_name, r.agent_id, r.team,
        w.of("relation", r.callee_relation), r.debtor_id, r.case_id, r.product, r.days_overdue,
        w.of("direction", r.direction), call.card.score, w.of("verdict", call.card.verdict.value),
        len(call.violations), len(call.unsure), len(call.confirmed), call.role_confidence, "\n".join(call.notes),
        str(r.path) if r.path else None, call.recording,
    )  # fmt: skip


def _conduct(data: ReportData, w: Words) -> tuple[Sheet, ...]:
    """What several calls break together; no sheet for those who may not see it, or where nothing is kept."""
    columns = (
        Column(w["day"], 12), Column(w["rule"], 30), Column(w["category"], 14), Column(w["severity"], 8),
        Column(w["outcome"], 10), Column(w["whom"], 18), Column(w["because"], 60, "long"),
        Column(w["calls"], 40, "long"),
    )  # fmt: skip
    rows = tuple(_conduct_row(finding, w) for finding in data.conduct or ())
    return (Sheet(name=w["conduct"], columns=columns, rows=rows),) if rows else ()


def _conduct_row(finding: KeptConduct, w: Words) -> tuple[Cell, ...]:
    return (
        finding.day.isoformat(), finding.title if w.lang == "zh" else finding.title_en,
        w.of("category", finding.category), w.of("severity", finding.severity.value),
        w.of("outcome", finding.result.value), finding.subject, finding.because, "、".join(finding.calls),
    )  # fmt: skip


def _promises(data: ReportData, w: Words) -> tuple[Sheet, ...]:
    """No sheet for those who may not see promises."""
    columns = (
        Column(w["due"], 12), Column(w["standing"], 10), Column(w["promised"], 14, "decimal"),
        Column(w["paid"], 14, "decimal"), Column(w["stage"], 9), Column(w["agent_id"], 10), Column(w["team"], 10),
        Column(w["product"], 12), Column(w["debtor_id"], 12), Column(w["case_id"], 14), Column(w["firmness"], 8),
        Column(w["repeated_back"], 8), Column(w["at_beijing"].format(what=w["made_at"]), 22, "moment"),
        Column(w["words"], 40, "long"), Column(w["call_id"], 16),
    )  # fmt: skip
    if data.promises is None:
        return ()
    rows = tuple(_promise_row(row, w) for row in data.promises)
    return (Sheet(name=w["promises_sheet"], columns=columns, rows=rows),)


def _promise_row(row: PromiseRow, w: Words) -> tuple[Cell, ...]:
    return (
        None if row.due is None else row.due.isoformat(), w.of("standing", row.standing.value),
        None if row.target_fen is None else row.target_fen / 100, row.paid_fen / 100, row.stage, row.agent_id,
        row.team, row.product, row.debtor_id, row.case_id, w.of("firmness", row.firmness),
        w["yes"] if row.repeated_back else None, _naive(row.made_at), row.text, row.call_id,
    )  # fmt: skip


def _complaints(data: ReportData, w: Words) -> tuple[Sheet, ...]:
    """No sheet for those who may not see complaints."""
    columns = (
        Column(w["complaint_id"], 10, "number"), Column(w["received"], 12), Column(w["channel"], 10),
        Column(w["complainant"], 12), Column(w["debtor_id"], 12), Column(w["case_id"], 14),
        Column(w["agent_id"], 10), Column(w["team"], 10), Column(w["category"], 14), Column(w["status"], 10),
        Column(w["answer_by"], 12), Column(w["answered"], 12), Column(w["late"], 8), Column(w["upheld"], 10),
        Column(w["cause"], 16), Column(w["remedy"], 30, "long"), Column(w["complaint_text"], 50, "long"),
    )  # fmt: skip
    if data.complaints is None:
        return ()
    rows = tuple(_complaint_row(row, w) for row in data.complaints)
    return (Sheet(name=w["complaints_sheet"], columns=columns, rows=rows),)


def _complaint_row(row: Complaint, w: Words) -> tuple[Cell, ...]:
    answered = None if row.answered_on is None else row.answered_on.isoformat()
    decision = w.of("decision", row.outcome.value if row.outcome else None)
    return (
        row.id, row.received_on.isoformat(), w.of("channel", row.channel), row.complainant, row.debtor_id, row.case_id,
        row.agent_id, row.team, w.of("complaint_category", row.category), w.of("status", row.status.value),
        row.due_on.isoformat(), answered, w["yes"] if row.late else None, decision, w.of("cause", row.cause),
        row.remedy, row.text,
    )  # fmt: skip


def _failures(data: ReportData, w: Words) -> Sheet:
    columns = (
        Column(w["path"], 60), Column(w["call_id"], 16), Column(w["reason"], 70, "long"),
        Column(w["at_beijing"].format(what=w["failed_at"]), 22, "moment"), Column(w["tries"], 9, "number"),
    )  # fmt: skip
    rows = tuple((str(f.path), f.call_id, f.reason, _naive(beijing(f.failed_at)), f.tries) for f in data.failures)
    return Sheet(name=w["failures"], columns=columns, rows=rows)


def _naive(moment: datetime | None) -> datetime | None:
    """Excel knows no offsets: the local time as the record has it."""
    return moment and moment.replace(tzinfo=None)


def _writer(book: Any) -> Callable[[Any, Sheet], None]:
    """A function that fills a worksheet; formats belong to the workbook and are made once."""
    top: dict[str, Any] = {"valign": "top"}
    formats = {kind: book.add_format(top | {"num_format": code}) for kind, code in _FORMATS.items()}
    formats |= {"text": book.add_format(top), "long": book.add_format(top | {"text_wrap": True})}
    heading = book.add_format({"bold": True, "bg_color": "#E6EBF1", "bottom": 1, "text_wrap": True, "valign": "top"})

    def write(page: Any, sheet: Sheet) -> None:
        for at, column in enumerate(sheet.columns):
            page.set_column(at, at, column.width)
            page.write_string(0, at, column.title, heading)
        for down, cells in enumerate(sheet.rows, 1):
            for at, (column, cell) in enumerate(zip(sheet.columns, cells, strict=True)):
                _write(page, (down, at), cell, formats[column.kind], column.kind)
        _finish(page, sheet)

    return write


def _write(page: Any, at: tuple[int, int], cell: Cell, style: Any, kind: Kind) -> None:
    """By the value's own type, never by what a text looks like."""
    if isinstance(cell, str):
        page.write_string(*at, cell[:_LONGEST_TEXT], style)
    elif isinstance(cell, date):
        page.write_datetime(*at, cell, style)
    elif cell is not None:
        page.write_number(*at, cell / _DAY_MS if kind == "clock" else cell, style)


def _finish(page: Any, sheet: Sheet) -> None:
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, max(1, len(sheet.rows)), len(sheet.columns) - 1)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
