"""Numbers of a call that rules may bound: turns, duration, silences, overlap, pace, loudness, shares.

Times are int ms, and real: where a transcript has none, nothing is measured. Nor is loudness where no sound was heard:
`Turn.level_db` comes from transcription alone. An example of a rule, which has no sound, states the number itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from transcribe.model import Role

if TYPE_CHECKING:
    from rules.call import Call

_WHOLE = -1
_MIN_CHARS = 12  # shorter turns say nothing about pace
# Nor about loudness: a quarter of a second of an even voice may be 10.7 dB above the rest, a second 4.9 (measured,
# docs/transcribing.md). Of fewer turns no usual level can be told.
_LOUD_MS, _LOUD_CHARS, _LOUD_TURNS = 1000, 4, 5


def measure(call: Call, name: str) -> Iterator[tuple[float, int]]:
    """Values of a measure, each with the turn it is about (−1: the whole call). Nothing where it can't be known."""
    if name in call.facts.measures:
        yield call.facts.measures[name], _WHOLE
    elif name in _COUNTS:
        yield _COUNTS[name](call), _WHOLE
    elif name in _TIMED and any(turn.end_ms for turn in call.turns):
        yield from _TIMED[name](call)
    elif name in ("duration_s", "recorded_s") and call.facts.duration_ms:
        yield call.facts.duration_ms / 1000, _WHOLE


def _spoken(call: Call, role: Role) -> int:
    return sum(turn.end_ms - turn.start_ms for turn in call.turns if turn.role is role)


_COUNTS: dict[str, Callable[[Call], float]] = {
    "turns": lambda call: float(len(call.turns)),
    "agent_turns": lambda call: float(call.roles.count(Role.AGENT)),
    "customer_turns": lambda call: float(call.roles.count(Role.CUSTOMER)),
}


def _silences(call: Call) -> Iterator[tuple[float, int]]:
    heard = 0
    for turn in sorted(call.turns, key=lambda turn: turn.start_ms):
        yield float(max(0, turn.start_ms - heard)), turn.index
        heard = max(heard, turn.end_ms)


def _replies(call: Call) -> Iterator[tuple[float, int]]:
    """How long the agent lets the customer wait for a reply."""
    for before, turn in zip(call.turns, call.turns[1:], strict=False):
        if before.role is Role.CUSTOMER and turn.role is Role.AGENT:
            yield float(max(0, turn.start_ms - before.end_ms)), turn.index


def _overlaps(call: Call) -> Iterator[tuple[float, int]]:
    """How long the agent speaks into a customer's turn that began earlier."""
    for before, turn in zip(call.turns, call.turns[1:], strict=False):
        if before.role is Role.CUSTOMER and turn.role is Role.AGENT:
            yield float(max(0, min(before.end_ms, turn.end_ms) - turn.start_ms)), turn.index


def _pace(call: Call) -> Iterator[tuple[float, int]]:
    """Characters a minute, punctuation aside, of each agent's turn that is long enough."""
    for turn in call.turns:
        spoken = sum(map(str.isalnum, turn.text))
        if turn.role is Role.AGENT and spoken >= _MIN_CHARS and turn.end_ms > turn.start_ms:
            yield 60_000 * spoken / (turn.end_ms - turn.start_ms), turn.index


def _loudness(call: Call) -> Iterator[tuple[float, int]]:
    """How many dB each agent's turn that is long enough lies above the median of the agent's others."""
    levels = [
        (turn.level_db, turn.index)
        for turn in call.turns
        if turn.level_db is not None and turn.role is Role.AGENT and turn.end_ms - turn.start_ms >= _LOUD_MS
        and sum(map(str.isalnum, turn.text)) >= _LOUD_CHARS
    ]  # fmt: skip
    if len(levels) >= _LOUD_TURNS:
        ordered = sorted(level for level, _ in levels)
        for level, turn in levels:
            yield round(level - _median_of_others(ordered, level), 1), turn


def _median_of_others(ordered: Sequence[float], one: float) -> float:
    """The median of sorted numbers without one of them."""
    at, others = bisect_left(ordered, one), len(ordered) - 1
    low, high = (n + (n >= at) for n in ((others - 1) // 2, others // 2))
    return (ordered[low] + ordered[high]) / 2


def _agent_share(call: Call) -> Iterator[tuple[float, int]]:
    agent, customer = _spoken(call, Role.AGENT), _spoken(call, Role.CUSTOMER)
    if agent + customer:
        yield agent / (agent + customer), _WHOLE


def _duration(call: Call) -> Iterator[tuple[float, int]]:
    yield call.duration_ms / 1000, _WHOLE


def _hangup(call: Call) -> Iterator[tuple[float, int]]:
    """From the customer's last words to the end of the call, where nobody answered them."""
    last = max(call.turns, key=lambda turn: turn.end_ms)
    if last.role is Role.CUSTOMER and call.facts.duration_ms and call.facts.duration_ms >= last.end_ms:
        yield float(call.facts.duration_ms - last.end_ms), last.index


_TIMED: dict[str, Callable[[Call], Iterator[tuple[float, int]]]] = {
    "silence_ms": _silences,
    "reply_ms": _replies,
    "overlap_ms": _overlaps,
    "chars_per_minute": _pace,
    "loudness_db": _loudness,
    "agent_share": _agent_share,
    "hangup_ms": _hangup,
    "duration_s": _duration,
}
