"""A report as it may leave the house: names shortened, numbers and addresses covered, in words and in sound."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit import conduct_list
from audit.figures import Issue, JudgedCall, ReportData
from audit.redact import Redaction, find_private, initial, mask, masked_record

if TYPE_CHECKING:
    from audit.complaint_record import Complaint
    from audit.promises import PromiseRow
    from audit.report import Notify
    from audit.store import Failure, Store
    from transcribe.model import Turn

# 20261118 or 20261118-0931 in a file's name is when the call was, where no further digits follow.
_DAY = re.compile(r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[-_T]?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?")


def masked(data: ReportData, store: Store, *, notify: Notify | None = None) -> ReportData:
    """The same report with personal data covered. Calls without findings show no words, so theirs are not read."""
    calls: list[JudgedCall] = []
    dialogues: dict[str, tuple[Turn, ...]] = {}
    for number, call in enumerate(data.calls, 1):
        transcript = store.transcript(call.recording) if call.issues else None
        if transcript is None:
            record = replace(masked_record(call.record), path=_path(call.record.path))
            calls.append(replace(call, record=record, notes=_texts(call.notes)))
        else:
            redaction = Redaction.of(transcript.turns, record=call.record)
            calls.append(_call(call, redaction))
            if call.recording in data.dialogues:
                dialogues[call.recording] = tuple(redaction.turn(turn) for turn in data.dialogues[call.recording])
        if notify is not None:
            notify(number, len(data.calls))
    return replace(
        data,
        calls=tuple(calls),
        dialogues=dialogues,
        failures=tuple(map(masked_failure, data.failures)),
        promises=None if data.promises is None else tuple(map(_promise, data.promises)),
        complaints=None if data.complaints is None else tuple(map(_complaint, data.complaints)),
        conduct=None if data.conduct is None else tuple(map(conduct_list.masked, data.conduct)),
        masked=True,
    )


def _call(call: JudgedCall, redaction: Redaction) -> JudgedCall:
    return replace(
        call,
        record=replace(redaction.record(call.record), path=_path(call.record.path)),
        notes=tuple(redaction.text(note) for note in call.notes),
        issues=tuple(_issue(issue, redaction) for issue in call.issues),
        beeps=redaction.beeps,
    )


def _issue(issue: Issue, redaction: Redaction) -> Issue:
    return replace(issue, places=tuple(redaction.finding(place) for place in issue.places))


def masked_failure(failure: Failure) -> Failure:
    """A failure without private numbers, that still names its recording."""
    return replace(failure, path=Path(_kept_days(str(failure.path))), reason=_kept_days(failure.reason))


def _path(path: Path | None) -> Path | None:
    return None if path is None else path.with_name(_kept_days(path.name))


def _kept_days(text: str) -> str:
    """What names recordings, without private numbers: a recording whose day is covered is one that nobody finds."""
    return mask(text, [span for span in find_private(text) if not _DAY.fullmatch(text[span.start : span.end])])


def _promise(row: PromiseRow) -> PromiseRow:
    return replace(row, text=_text(row.text))


def _complaint(row: Complaint) -> Complaint:
    return replace(
        row,
        complainant=initial(row.complainant),
        text=_text(row.text),
        remedy=row.remedy and _text(row.remedy),
        answer=row.answer and _text(row.answer),
    )


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(_text, texts))


def _text(text: str) -> str:
    return mask(text, find_private(text))
