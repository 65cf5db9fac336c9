"""The level of a turn is that of its own voice: not of pauses, of the other channel, or of what lies beside it."""

from __future__ import annotations

import numpy as np
import pytest

from rules.engine import Judge
from rules.load import load_rules
from rules.model import CallFacts
from transcribe.audio import SAMPLE_RATE
from transcribe.engine import Scripted, Speech
from transcribe.loudness import Loudness
from transcribe.model import Role, Turn
from transcribe.pipeline import transcribe

SENTENCE = slice(round(12.3 * SAMPLE_RATE), round(16.9 * SAMPLE_RATE))
"""Where the opening's agent says one sentence, with the silence around it."""
SAID = "为了核实身份，麻烦您说一下身份证后四位"
QUIETER = 0.1
"""So that nothing clips that is 14 dB louder."""


def speech(*levels, channel=0, start_ms=0, voiced=()):
    """Seconds of a tone, one for each amplitude."""
    wave = np.sin(2 * np.pi * 500 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    samples = np.concatenate([level * wave for level in levels]).astype(np.float32)
    return Speech(samples=samples, start_ms=start_ms, voiced=voiced, channel=channel)


def turn(start_ms, end_ms, *, channel=0):
    return Turn(index=0, role=Role.AGENT, channel=channel, start_ms=start_ms, end_ms=end_ms, text="您好")


def levels(turns, *heard):
    loudness = Loudness()
    for one in heard:
        loudness.note(one)
    return [turn.level_db for turn in loudness.with_levels(turns)]


def test_a_full_scale_sine_is_three_decibels_below_full_scale():
    assert levels([turn(0, 1000)], speech(1.0)) == [-3.0]
    assert levels([turn(0, 1000)], speech(0.1)) == [-23.0]


def test_turns_that_share_a_channel_have_each_its_own_level():
    assert levels([turn(0, 992), turn(1024, 2000)], speech(0.1, 0.5)) == [-23.0, -9.0]


def test_pauses_do_not_count():
    whole = speech(0.1, 0.0, 0.1, start_ms=640, voiced=((640, 1600), (2656, 3616)))
    assert levels([turn(640, 3616)], whole) == [-23.0]


def test_the_other_channel_does_not_count():
    both = (speech(0.1), speech(0.9, channel=1), speech(0.2, start_ms=5000))
    assert levels([turn(0, 1000), turn(0, 1000, channel=1), turn(5000, 6000)], *both) == [-23.0, -3.9, -17.0]


@pytest.mark.parametrize("beside", [turn(2000, 3000), turn(0, 1000, channel=1), turn(0, 1000, channel=None)])
def test_where_no_voice_was_found_no_level_is_known(beside):
    assert levels([beside], speech(0.5)) == [None]


def test_digital_silence_is_a_number():
    assert levels([turn(0, 1000)], speech(0.0)) == [-120.0]


@pytest.fixture(scope="module")
def judge():
    return Judge(load_rules())


def call_of(sounds, *louder):
    """The turns of a call in which the agent says one sentence again and again, so many dB louder each time."""
    sentence = QUIETER * np.pad(sounds.speech()[0, SENTENCE], (0, SAMPLE_RATE))
    agent = np.concatenate([10 ** (decibels / 20) * sentence for decibels in louder])
    path = sounds.save("call.wav", agent, np.zeros_like(agent), rate=SAMPLE_RATE, codec="alaw")
    return transcribe(path, engine=Scripted({0: [SAID] * len(louder)}), agent_channel=0).turns


def test_the_turn_that_is_shouted_is_the_one_that_is_found(sounds, judge):
    turns = call_of(sounds, 0, 0, 14, 0, 0)
    first = turns[0].level_db
    assert [turn.level_db - first for turn in turns] == pytest.approx([0, 0, 14, 0, 0], abs=0.5)
    found = [finding for finding in judge.judge(turns, CallFacts()).findings if finding.rule_id == "raises-voice"]
    assert [(finding.turn, finding.quote, finding.result) for finding in found] == [(2, SAID, "fail")]


@pytest.mark.parametrize(("louder", "outcome"), [([0, 0, 6, 0, 0], "pass"), ([0, 0, 14, 0], "not_applicable")])
def test_nobody_is_found_to_shout_who_does_not_or_says_too_little(sounds, judge, louder, outcome):
    assert judge.judge(call_of(sounds, *louder), CallFacts()).outcomes["raises-voice"] == outcome
