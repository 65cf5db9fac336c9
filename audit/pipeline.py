"""One call, the whole line: recording → transcript → judgement → promise → scorecard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.calls import CallRecord, is_inbound
from audit.score import scorecard
from audit.store import AuditedCall
from rules.model import CallFacts, RuleSet
from transcribe.model import Transcript

if TYPE_CHECKING:
    from rules.engine import Judge
    from rules.promises import Promise
    from rules.second_opinion import SecondOpinion

Hear = Callable[[CallRecord], Transcript]
"""Turns a call's recording into its transcript; the only step that reads a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One call to do. `transcript` is given where the recording was heard before under the same settings, `copy` where
    it was fetched from its address.
    """

    record: CallRecord
    recording: str
    bytes: int
    hearing: str
    settings: str
    transcript: Transcript | None = None
    copy: Path | None = None


def judge_call(
    job: Job, transcript: Transcript, *, judge: Judge, ruleset: RuleSet, second: SecondOpinion | None = None
) -> AuditedCall:
    """What the rules say of a call that was heard."""
    from rules.promises import find_promise
    from rules.verdict import judged

    judgement = judged(transcript.turns, facts_of(job.record, transcript), judge=judge, second=second)
    called_on = job.record.started_at.date() if job.record.started_at else None
    promise = find_promise(transcript.turns, call_date=called_on)
    return AuditedCall(
        record=job.record,
        transcript=transcript,
        judgement=judgement,
        card=scorecard(judgement, ruleset),
        promise=None if promise is None else plain_promise(promise),
        settings=job.settings,
        hearing=job.hearing,
        bytes=job.bytes,
    )


def facts_of(record: CallRecord, transcript: Transcript) -> CallFacts:
    """What rules may ask of the call record; how long the call was is taken from the sound."""
    return CallFacts(
        call_id=record.call_id,
        started_at=record.started_at,
        duration_ms=transcript.duration_ms,
        callee_relation=record.callee_relation,
        inbound=is_inbound(record.direction),
    )


def plain_promise(promise: Promise) -> dict[str, Any]:
    """A promise as JSON can say it: amount in yuan, ISO date, text, firmness, repeated_back, turn."""
    return {
        "amount": None if promise.amount is None else _number(promise.amount),
        "date": promise.date,
        "text": promise.text,
        "firmness": promise.firmness.value,
        "repeated_back": promise.repeated_back,
        "turn": promise.turn,
    }


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
