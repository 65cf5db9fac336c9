"""A report as it may leave the house: names shortened, numbers and addresses covered, in words and in sound."""

from __future__ import annotations

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


def masked(data: ReportData, store: Store, *, notify: Notify | None = None) -> ReportData:
    """The same report with personal data covered. Calls without findings show no words, so theirs are not read."""
    calls: list[JudgedCall] = []
    dialogues: dict[str, tuple[Turn, ...]] = {}
    for number, call in enumerate(data.calls, 1):
        transcript = store.transcript(call.recording) if call.issues else None
        if transcript is None:
            calls.append(replace(call, record=masked_record(call.record), notes=_texts(call.notes)))
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
        failures=tuple(map(_failure, data.failures)),
        promises=None if data.promises is None else tuple(map(_promise, data.promises)),
        complaints=None if data.complaints is None else tuple(map(_complaint, data.complaints)),
        conduct=None if data.conduct is None else tuple(map(conduct_list.masked, data.conduct)),
        masked=True,
    )


def _call(call: JudgedCall, redaction: Redaction) -> JudgedCall:
    return replace(
        call,
        record=redaction.record(call.record),
        notes=tuple(redaction.text(note) for note in call.notes),
        issues=tuple(_issue(issue, redaction) for issue in call.issues),
        beeps=redaction.beeps,
    )


def _issue(issue: Issue, redaction: Redaction) -> Issue:
    return replace(issue, places=tuple(redaction.finding(place) for place in issue.places))


def _failure(failure: Failure) -> Failure:
    return replace(failure, path=Path(_text(str(failure.path))), reason=_text(failure.reason))


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
