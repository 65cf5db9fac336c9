"""The agent is found by the channel map and by what is said; where neither is enough, the role stays unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.audio import Recording
from transcribe.engine import Utterance, spread_words
from transcribe.manner import SPEAKERS, manner
from transcribe.model import Role
from transcribe.roles import assign_roles, score, smooth
from transcribe.voices import Voice

CALL = (
    (0, "您好，我是云杉消费金融的，工号零三二七，本次通话会录音，请问是周先生本人吗？"),
    (1, "是我，你说。"),
    (0, "您的消费贷款逾期了十二天，应还金额是三千五百元，您看什么时候还款呢？"),
    (1, "我现在真的没钱，工资还没发，能不能晚几天？"),
    (0, "好的，我帮您登记一下，感谢您的接听，祝您生活愉快，再见。"),
    (1, "行，知道了。"),
)


def recording(*, channels=2, fake=False):
    return Recording(
        path=Path("call.wav"), sha256="0" * 64, duration_ms=60_000, channels=channels, sample_rate=8000,
        sources=tuple(range(channels)), fake_stereo=fake, notes=(),
    )  # fmt: skip


def spoken(lines, *, swap=False, mono=False):
    at, utterances = 0, []
    for channel, text in lines:
        end = at + 200 * len(text)
        utterances.append(
            Utterance(
                text=text,
                start_ms=at,
                end_ms=end,
                words=spread_words(text, start_ms=at, end_ms=end),
                channel=0 if mono else channel ^ swap,
            )
        )
        at = end + 800
    return utterances


def roles(result):
    return [turn.role for turn in result.turns]


ALTERNATING = [Role.AGENT, Role.CUSTOMER] * 3


@pytest.mark.parametrize("swap", [False, True])
def test_words_find_the_agents_channel_without_a_map(swap):
    result = assign_roles(recording(), spoken(CALL, swap=swap))
    assert roles(result) == ALTERNATING
    assert result.confidence > 0.97
    assert result.notes == ()


def test_a_map_that_agrees_is_kept():
    result = assign_roles(recording(), spoken(CALL), agent_channel=0)
    assert (roles(result), result.notes) == (ALTERNATING, ())


def test_a_map_against_strong_words_is_overruled_and_said():
    result = assign_roles(recording(), spoken(CALL, swap=True), agent_channel=0)
    assert roles(result) == ALTERNATING
    assert result.notes == ("声道疑似接反：通话记录说坐席在左声道，但话术在右声道，已按话术判定",)


def test_a_map_stands_against_weak_words():
    result = assign_roles(recording(), spoken([(0, "喂"), (1, "您找谁")]), agent_channel=0)
    assert roles(result) == [Role.AGENT, Role.CUSTOMER]
    assert result.notes == ()


def test_no_map_and_no_evidence_is_unknown_and_said():
    result = assign_roles(recording(), spoken([(0, "天气不错"), (1, "确实")]))
    assert set(roles(result)) == {Role.UNKNOWN}
    assert result.confidence == pytest.approx(0.5, abs=0.05)
    assert result.notes == ("分不清哪个声道是坐席，角色未定；可在通话记录里填写 agent_channel",)


@pytest.mark.parametrize("kind", [recording(channels=1), recording(fake=True)])
def test_one_channel_gets_roles_by_turn(kind):
    result = assign_roles(kind, spoken(CALL, mono=True))
    assert roles(result) == ALTERNATING
    assert result.notes == ("单声道：角色按话术推断，推断不出的为未知",)


def test_two_voices_in_one_utterance_are_cut_at_the_question():
    said = spoken([(0, "请问是周先生本人吗？我现在真的没钱，别再给我打电话了。")], mono=True)
    assert [(t.role, t.text) for t in assign_roles(recording(channels=1), said).turns] == [
        (Role.AGENT, "请问是周先生本人吗？"),
        (Role.CUSTOMER, "我现在真的没钱，别再给我打电话了。"),
    ]


def test_a_mono_turn_without_evidence_stays_unknown():
    result = assign_roles(recording(channels=1), spoken([(0, "天气不错")], mono=True))
    assert roles(result) == [Role.UNKNOWN]
    assert result.confidence < 0.8


VAGUE = ((0, "那这个事儿"), (1, "哎呀这个"), (0, "先这么说"), (1, "再看"))


def sounding(lines, *, voices):
    """One channel; `voices` names for each line who sounds."""
    sounds = [Voice(sound=(30.0 * who,) + (0.0,) * 8, frames=80) for who in voices]
    return [replace(u, voice=v) for u, v in zip(spoken(lines, mono=True), sounds, strict=True)]


def test_a_voice_that_words_made_known_tells_the_role_of_vague_turns():
    lines = CALL + VAGUE
    known = assign_roles(recording(channels=1), sounding(lines, voices=[channel for channel, _ in lines]))
    assert roles(known) == [Role.AGENT, Role.CUSTOMER] * 5
    words_alone = assign_roles(recording(channels=1), spoken(lines, mono=True))
    assert Role.UNKNOWN in roles(words_alone)


def test_voices_that_words_contradict_say_nothing():
    mixed = [0, 0, 1, 1, 0, 1]
    alone = assign_roles(recording(channels=1), spoken(CALL, mono=True))
    assert roles(assign_roles(recording(channels=1), sounding(CALL, voices=mixed))) == roles(alone) == ALTERNATING


def test_silence_has_no_turns_and_a_note():
    assert assign_roles(recording(), []).notes == ("没有识别到语音",)


@pytest.mark.parametrize(
    "text",
    [
        "我这边是恒信金融的，工号三零五",
        "请问是李女士本人吗",
        "本次通話會錄音",  # traditional, as Whisper writes in the middle of a call
        "本次通话会路音",  # as Whisper base hears it
        "您的贷款已经逾期三十天",
        "你家里人知道你欠钱吗",
        "麻烦您今天下午五点之前处理一下",
    ],
)
def test_agents_talk(text):
    assert score(text) > 0


@pytest.mark.parametrize(
    "text",
    ["你哪里啊", "你打错了", "我上周就已经还了", "我现在没钱", "能不能分期", "我要投诉你们", "我想想办法", "三八二六。", "别再给我打了"],
)
def test_customers_talk(text):
    assert score(text) < 0


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=12), st.data())
def test_smoothing_is_symmetric_in_the_two_roles(scores, data):
    rates = st.lists(st.floats(0.01, 0.99), min_size=len(scores) - 1, max_size=len(scores) - 1)
    changes = data.draw(rates)
    mirrored = smooth([-s for s in scores], changes=changes)
    assert mirrored == pytest.approx([-s for s in smooth(scores, changes=changes)], abs=1e-6)


def test_the_manner_of_speaking_finds_the_agent_where_no_phrase_does():
    said = [
        (0, "上回讲好的月底，这都过了三天"), (1, "厂里压着没给呢，我也急"),
        (0, "那这回定个日子吧，不要再往后拖了"), (1, "等我问问家里再回你行不"),
    ]  # fmt: skip
    assert roles(assign_roles(recording(), spoken(said))) == [Role.AGENT, Role.CUSTOMER] * 2
    swapped = [(1 - channel, text) for channel, text in said]
    assert roles(assign_roles(recording(), spoken(swapped))) == [Role.AGENT, Role.CUSTOMER] * 2


def test_on_one_channel_the_manner_of_speaking_tells_where_phrases_say_too_little():
    said = "厂里压着，我有啥法子"
    assert score(said) == 0
    assert roles(assign_roles(recording(channels=1), spoken([(0, said)], mono=True))) == [Role.CUSTOMER]


def test_the_table_of_manners_is_small_and_holds_plain_arrays():
    assert SPEAKERS.stat().st_size < 50_000
    with np.load(SPEAKERS, allow_pickle=False) as stored:
        assert set(stored.files) == {"pieces", "weights", "bias"}
    assert manner("麻烦您核对一下") > 0 > manner("我真没钱了别打了")
