"""Measures come from real times or from nothing: an estimate must never accuse anybody."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.call import Call
from rules.measures import measure
from rules.model import CallFacts
from rules.tokens import Tokenizer
from transcribe.model import Role, Turn

AGENT, CUSTOMER = Role.AGENT, Role.CUSTOMER


def call_of(*turns: tuple[Role, str, int, int], duration_ms: int | None = None, **measures: float) -> Call:
    spoken = [
        Turn(index=n, role=role, channel=None, start_ms=start, end_ms=end, text=text)
        for n, (role, text, start, end) in enumerate(turns)
    ]
    return Call(spoken, CallFacts(duration_ms=duration_ms, measures=measures), Tokenizer({}))


TIMED = ("silence_ms", "reply_ms", "overlap_ms", "chars_per_minute", "agent_share", "hangup_ms", "duration_s")


@pytest.mark.parametrize("name", [*TIMED, "loudness_db"])
def test_nothing_is_measured_without_times(name: str) -> None:
    untimed = call_of((CUSTOMER, "喂，哪位啊", 0, 0), (AGENT, "您好" * 40, 0, 0), (CUSTOMER, "嗯", 0, 0))
    assert list(measure(untimed, name)) == []


def test_the_record_alone_tells_the_duration() -> None:
    assert list(measure(call_of((AGENT, "您好", 0, 0), duration_ms=61_000), "duration_s")) == [(61.0, -1)]


@pytest.mark.parametrize(("duration_ms", "expected"), [(61_000, [(61.0, -1)]), (None, [])])
def test_how_long_was_recorded_is_known_from_the_record_only(
    duration_ms: int | None, expected: list[tuple[float, int]]
) -> None:
    timed = call_of((AGENT, "您好", 0, 30_000), duration_ms=duration_ms)
    assert list(measure(timed, "recorded_s")) == expected


def test_pace_leaves_punctuation_out_and_short_turns_aside() -> None:
    call = call_of((AGENT, "您好,一二三四五六七八九十。", 0, 2_400), (AGENT, "好的好的。", 3_000, 3_100))
    assert list(measure(call, "chars_per_minute")) == [(300.0, 0)]


@pytest.mark.parametrize(
    ("last", "duration_ms", "expected"),
    [
        (CUSTOMER, 5_300, [(300.0, 1)]),
        (AGENT, 5_300, []),  # the agent answered
        (CUSTOMER, None, []),  # when the line went dead is unknown
        (CUSTOMER, 4_000, []),  # the record contradicts the recording
    ],
)
def test_hang_up_is_measured_from_the_customers_last_words(
    last: Role, duration_ms: int | None, expected: list[tuple[float, int]]
) -> None:
    call = call_of((AGENT, "您好", 0, 1_000), (last, "我想问", 2_000, 5_000), duration_ms=duration_ms)
    assert list(measure(call, "hangup_ms")) == expected


def test_overlap_counts_only_words_into_the_customers() -> None:
    call = call_of((CUSTOMER, "我想说", 0, 5_000), (AGENT, "听我说", 3_000, 6_000), (CUSTOMER, "好", 5_500, 7_000))
    assert list(measure(call, "overlap_ms")) == [(2_000.0, 1)]


def call_at(*levels: float | None, text: str = "您好请问", length_ms: int = 1_000) -> Call:
    """The agent's turns at these levels, each answered loudly on the other channel."""
    spoken = [
        Turn(index=2 * n, role=AGENT, channel=0, start_ms=0, end_ms=length_ms, text=text, level_db=level)
        for n, level in enumerate(levels)
    ]
    answers = [replace(turn, index=turn.index + 1, role=CUSTOMER, channel=1, level_db=-3.0) for turn in spoken]
    turns = [turn for pair in zip(spoken, answers, strict=True) for turn in pair]
    return Call(turns, CallFacts(), Tokenizer({}))


@given(st.lists(st.floats(-60, 0).map(lambda level: round(level, 1)), min_size=5, max_size=12))
def test_loudness_is_what_lies_above_the_median_of_the_agents_other_turns(levels: list[float]) -> None:
    above = [level - statistics.median(levels[:n] + levels[n + 1 :]) for n, level in enumerate(levels)]
    measured = list(measure(call_at(*levels), "loudness_db"))
    assert [turn for _, turn in measured] == [2 * n for n in range(len(levels))]
    assert [value for value, _ in measured] == pytest.approx(above, abs=0.06)
    assert max(value for value, _ in measured) >= 0


@pytest.mark.parametrize(
    "call",
    [
        call_at(-20, -20, -6, -20),  # too few to know how loud the agent is
        call_at(-20, -20, -6, -20, None),  # of one no level is known
        call_at(-20, -20, -6, -20, -20, text="好的，好。"),
        call_at(-20, -20, -6, -20, -20, text="……"),
        call_at(-20, -20, -6, -20, -20, length_ms=999),
    ],
)
def test_loudness_needs_five_turns_that_are_long_enough(call: Call) -> None:
    assert list(measure(call, "loudness_db")) == []


def test_an_example_may_state_what_no_text_shows() -> None:
    assert list(measure(call_of((AGENT, "您好", 0, 0), loudness_db=14), "loudness_db")) == [(14, -1)]
