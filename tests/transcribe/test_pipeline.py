"""One recording through the whole package, with a recogniser that hears what the test says."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from transcribe.engine import Scripted
from transcribe.errors import UnreadableAudio
from transcribe.model import UNHEARD, Role
from transcribe.pipeline import Timings, transcribe

AGENT = ["您好，我是云杉消费金融的，工号零三二七，请问是周先生本人吗？", "为了核实身份，麻烦您说一下身份证后四位"]
CUSTOMER = ["是我，你说"]


def test_stereo_call_becomes_turns_with_roles_and_times(sounds):
    engine = Scripted({0: list(AGENT), 1: list(CUSTOMER)})
    result = transcribe(sounds.opening, engine=engine, hotwords=("贷款",))
    assert [(t.role, t.channel, t.text) for t in result.turns] == [
        (Role.AGENT, 0, AGENT[0]),
        (Role.CUSTOMER, 1, CUSTOMER[0]),
        (Role.AGENT, 0, AGENT[1]),
    ]
    # spoken from 0.60 to 9.49, 9.78 to 11.90 and 12.54 to 16.64 s
    spoken = [600, 9490, 9780, 11_900, 12_541, 16_641]
    assert [t for turn in result.turns for t in (turn.start_ms, turn.end_ms)] == pytest.approx(spoken, abs=300)
    assert result.duration_ms == pytest.approx(17_200, abs=50)
    assert (result.engine.name, result.notes, engine.hotwords) == ("scripted", (), ("贷款",))


def test_speech_that_nobody_could_read_is_a_turn_and_a_note(sounds):
    result = transcribe(sounds.opening, engine=Scripted({0: list(AGENT)}))
    assert [(t.channel, t.text, t.confidence) for t in result.turns if t.text == UNHEARD] == [(1, UNHEARD, 0.0)]
    assert result.notes[-1] == "有 1 处说话没有听清（显示为“……”），请听录音：0:10"


def test_swapped_channels_are_said(sounds):
    engine = Scripted({0: list(AGENT), 1: list(CUSTOMER)})
    result = transcribe(sounds.opening, engine=engine, agent_channel=1)
    assert result.turns[0].role is Role.AGENT
    assert result.notes[0].startswith("声道疑似接反")


def test_fake_stereo_is_heard_once(sounds):
    left = sounds.speech()[0]
    path = sounds.save("fake.wav", left, left, rate=16_000)
    result = transcribe(path, engine=Scripted({0: list(AGENT)}))
    assert [t.text for t in result.turns] == AGENT
    assert result.notes[0].startswith("假立体声")


def test_a_silent_customer_leaves_the_agent(sounds):
    left = sounds.speech()[0]
    path = sounds.save("half.wav", left, 0 * left, rate=16_000)
    result = transcribe(path, engine=Scripted({0: list(AGENT)}))
    assert {t.role for t in result.turns} == {Role.AGENT}
    assert result.notes == ("右声道没有声音",)


def test_an_hour_of_silence_has_no_turns_and_a_note(sounds):
    path = sounds.save("hour.wav", np.zeros(8000 * 3600, dtype=np.float32), codec="alaw")
    result = transcribe(path, engine=Scripted({}))
    assert (result.turns, result.duration_ms, result.notes) == ((), 3_600_000, ("整段录音没有声音",))


def test_memory_does_not_grow_with_the_call(sounds):
    def peak(minutes):
        call = sounds.noise(minutes * 60.0, level=0.02)
        path = sounds.save(f"{minutes}.wav", call, call[::-1], codec="alaw")
        tracemalloc.start()
        transcribe(path, engine=Scripted({}))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(8) < 1.1 * peak(2)


def test_time_is_told_by_stage_to_who_asks(sounds):
    timings = Timings()
    transcribe(sounds.opening, engine=Scripted({0: list(AGENT), 1: list(CUSTOMER)}), timings=timings)
    assert list(timings.clocks) == ["decode", "voice", "recognise"]
    assert all(clock.wall_s > 0 for clock in timings.clocks.values())
    assert timings.clocks["voice"].cpu_s > 0


def test_an_unreadable_recording_raises(tmp_path):
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(UnreadableAudio):
        transcribe(path, engine=Scripted({}))
