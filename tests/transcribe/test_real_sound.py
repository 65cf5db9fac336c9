"""Real sound, real weights, both engines with the same base weights."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rules.engine import Judge
from rules.load import load_rules
from rules.model import CallFacts
from transcribe.audio import PER_MS, SAMPLE_RATE, blocks, examine
from transcribe.files import from_dict, to_dict
from transcribe.model import Role
from transcribe.pipeline import transcribe
from transcribe.weights import find_weights

pytestmark = [
    pytest.mark.sound,
    # openai-whisper leaves its vocabulary file open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOTWORDS = ("贷款", "逾期", "录音", "身份证号", "投诉", "工号", "本人", "先生")
CORPUS = Path(__file__).parents[1] / "corpus" / "sound"
SAMPLES = Path(__file__).parents[2] / "samples"
SPOKEN = [600, 9490, 9780, 11_900, 12_541, 16_641]
"""Start and end of the opening's three turns, ms."""
LOUDER = (24_133, 30_960)
"""Start and end of the agent's fourth turn in the sample s06, ms."""


@pytest.fixture(scope="module")
def base():
    return find_weights("base")


@pytest.fixture(scope="module")
def faster(base):
    from transcribe.faster_whisper import FasterWhisper

    return FasterWhisper(base)


@pytest.fixture(scope="module")
def openai(base, tmp_path_factory):
    pytest.importorskip("whisper", reason="extra openai-whisper is not installed")
    import torch

    torch.set_num_threads(1)  # on a busy machine more threads wait for each other far longer than they save
    from transcribe.openai_whisper import OpenaiWhisper

    checkpoint = tmp_path_factory.mktemp("weights") / "base.pt"
    script = Path(__file__).with_name("convert_weights.py")
    subprocess.run([sys.executable, str(script), str(base.folder), str(checkpoint)], check=True)
    return OpenaiWhisper(checkpoint, beam=1)


def heard_right(result):
    """The opening's roles, times good to half a second, and words that base hears for sure."""
    assert [turn.role for turn in result.turns] == [Role.AGENT, Role.CUSTOMER, Role.AGENT]
    times = [t for turn in result.turns for t in (turn.start_ms, turn.end_ms)]
    assert times == pytest.approx(SPOKEN, abs=500)
    first, second, third = result.turns
    assert "您好" in first.text or "你好" in first.text
    assert "本人" in first.text
    assert "你说" in second.text or "你說" in second.text
    assert "麻" in third.text
    for turn in result.turns:
        assert 0.2 < turn.confidence <= 1
        assert all(turn.text[word.start : word.end] == word.text for word in turn.words)
        assert all(turn.start_ms <= word.start_ms <= word.end_ms <= turn.end_ms for word in turn.words)
    assert from_dict(to_dict(result)) == result


def test_faster_whisper(faster, base, sounds):
    result = transcribe(sounds.opening, engine=faster, hotwords=HOTWORDS)
    heard_right(result)
    assert (result.engine.name, result.engine.model_sha256) == ("faster-whisper", base.sha256)


def test_the_same_recording_gives_the_same_transcript(faster, sounds):
    assert transcribe(sounds.opening, engine=faster) == transcribe(sounds.opening, engine=faster)


def test_openai_whisper_with_the_same_weights(openai, sounds):
    result = transcribe(sounds.opening, engine=openai)
    heard_right(result)
    assert result.engine.name == "openai-whisper"


def test_no_turn_is_lost_in_silence(faster):
    """On this poor line the window drops the customer's 不讲理: it is heard alone, or marked."""
    call = next(one for one in json.loads((CORPUS / "index.json").read_text()) if one["call_id"] == "o-0158")
    turns = transcribe(CORPUS / call["file"], engine=faster, hotwords=HOTWORDS, agent_channel=0).turns
    for spoken in call["turns"]:
        channel = int(spoken["role"] != "agent")
        assert any(
            t.channel == channel and t.start_ms < spoken["end_ms"] and spoken["start_ms"] < t.end_ms for t in turns
        ), spoken


def raised(engine, sounds, *, by):
    """The spans in which a voice is raised in a sample, if the agent's fourth turn is so many times louder."""
    call = next(one for one in json.loads((SAMPLES / "texts.json").read_text("utf-8")) if one["call_id"] == "s06")
    sound = np.concatenate(list(blocks(examine(SAMPLES / call["file"]))), axis=1) / 5
    start, end = LOUDER
    sound[:, start * PER_MS : end * PER_MS] *= by
    path = sounds.save("louder.wav", *sound, rate=SAMPLE_RATE, codec="mulaw")
    turns = transcribe(path, engine=engine, hotwords=HOTWORDS, agent_channel=0).turns
    judgement = Judge(load_rules()).judge(turns, CallFacts())
    assert judgement.outcomes["raises-voice"] in ("pass", "fail")
    found = [finding.turn for finding in judgement.findings if finding.rule_id == "raises-voice"]
    return [(turns[turn].start_ms, turns[turn].end_ms) for turn in found]


def test_a_turn_that_is_14_decibels_louder_is_raised_voice(faster, sounds):
    (span,) = raised(faster, sounds, by=5)
    assert span == pytest.approx(LOUDER, abs=500)


def test_no_voice_is_raised_in_a_sample_as_it_is(faster, sounds):
    assert raised(faster, sounds, by=1) == []


def test_nothing_is_heard_in_line_noise_and_tones(faster, sounds):
    ringing = sounds.tone(20.0, hertz=450.0)
    path = sounds.save("ringing.wav", ringing, sounds.noise(20.0, level=0.02))
    assert transcribe(path, engine=faster, hotwords=HOTWORDS).turns == ()


@pytest.mark.skipif(importlib.util.find_spec("whisper") is None, reason="extra openai-whisper is not installed")
def test_openai_whisper_without_weights_names_the_ways(tmp_path):
    from transcribe.errors import WeightsMissing
    from transcribe.openai_whisper import OpenaiWhisper

    with pytest.raises(WeightsMissing, match="可以（1）"):
        OpenaiWhisper(tmp_path / "none.pt")
