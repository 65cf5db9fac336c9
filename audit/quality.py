"""How a call went, in numbers: shares of talk, silences, overlaps, pace. Taken from the times of its turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rules.call import Call
from rules.measures import measure
from rules.model import CallFacts
from rules.tokens import Tokenizer
from transcribe.model import Turn

LONG_SILENCE_MS = 5_000
"""From here on a pause is dead air to whoever waits."""

CLEAR_OVERLAP_MS = 800
"""Shorter ones are how people take turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """None where the transcript has no times, or a side says too little. Shares 0 to 1, paces in characters a minute.

    `overlaps` and `silences` count those from CLEAR_OVERLAP_MS and LONG_SILENCE_MS on; the longest is of all.
    """

    agent_share: float | None
    overlaps: int | None
    longest_overlap_ms: int | None
    silences: int | None
    longest_silence_ms: int | None
    slowest_reply_ms: int | None
    agent_pace: float | None
    fastest_pace: float | None


def measures(turns: Sequence[Turn], *, duration_ms: int) -> Measures:
    """Measured as the rules measure it (rules/measures.py)."""
    call = Call(turns, CallFacts(duration_ms=duration_ms), Tokenizer({}))

    def values(name: str) -> list[float]:
        return [value for value, _ in measure(call, name)]

    overlaps, silences, paces = values("overlap_ms"), values("silence_ms"), values("chars_per_minute")
    return Measures(
        agent_share=next(iter(values("agent_share")), None),
        overlaps=_count(overlaps, CLEAR_OVERLAP_MS),
        longest_overlap_ms=_longest(overlaps),
        silences=_count(silences, LONG_SILENCE_MS),
        longest_silence_ms=_longest(silences),
        slowest_reply_ms=_longest(values("reply_ms")),
        agent_pace=median(paces) if paces else None,
        fastest_pace=max(paces, default=None),
    )


def _count(values: Sequence[float], least: int) -> int | None:
    return sum(value >= least for value in values) if values else None


def _longest(values: Sequence[float]) -> int | None:
    return round(max(values)) if values else None
