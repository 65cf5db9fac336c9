"""Transcripts go to JSON and SRT and come back; foreign ones are read or refused with file, line and remedy."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.errors import BadTranscript
from transcribe.files import from_dict, read_transcript, to_dict, write_json, write_srt
from transcribe.model import LEVELS_DB, EngineInfo, Role, Transcript, Turn, Word
from transcribe.turns import number

ENGINE = EngineInfo(name="scripted", version="1", model="m", model_sha256=None, options=(("beam", "2"),))


def turn(index, role, text, times, *, words=()):
    start, end = times
    return Turn(
        index=index, role=role, channel=0, start_ms=start, end_ms=end, text=text, words=words, confidence=0.9
    )


def transcript(*turns, notes=()):
    return Transcript(recording="ab" * 32, duration_ms=5000, turns=turns, engine=ENGINE, notes=notes)


def refused(path, content, *, encoding="utf-8"):
    path.write_text(content, encoding=encoding)
    with pytest.raises(BadTranscript) as caught:
        read_transcript(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


times = st.integers(0, 10_000_000)
words = st.builds(
    Word, text=st.text(max_size=3), start=times, end=times, start_ms=times, end_ms=times, confidence=st.floats(0, 1)
)
turns = st.builds(
    Turn,
    index=st.just(0),
    role=st.sampled_from(Role),
    channel=st.none() | st.integers(0, 1),
    start_ms=times,
    end_ms=times,
    text=st.text(max_size=20),
    words=st.lists(words, max_size=3).map(tuple),
    confidence=st.floats(0, 1),
    level_db=st.none() | st.floats(*LEVELS_DB),
)
transcripts = st.builds(
    Transcript,
    recording=st.text("0123456789abcdef", min_size=64, max_size=64),
    duration_ms=times,
    turns=st.lists(turns, max_size=4).map(number),
    engine=st.just(ENGINE),
    role_confidence=st.floats(0, 1),
    notes=st.lists(st.text(max_size=9), max_size=2).map(tuple),
)


@given(transcripts)
def test_any_transcript_survives_json(given_transcript):
    assert from_dict(json.loads(json.dumps(to_dict(given_transcript)))) == given_transcript


def test_json_file_has_the_agreed_keys(tmp_path):
    path = tmp_path / "一通 电话.json"
    word = Word(text="您", start=0, end=1, start_ms=0, end_ms=200, confidence=0.5)
    write_json(transcript(turn(0, Role.AGENT, "您好", (0, 900), words=(word,)), notes=("假立体声",)), path)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert list(data) == [
        "version", "recording", "duration_ms", "language", "engine", "role_confidence", "notes", "turns",
    ]
    assert list(data["turns"][0]) == [
        "index", "role", "channel", "start_ms", "end_ms", "text", "words", "confidence",
    ]
    assert read_transcript(path).turns[0].words == (word,)


def test_srt_goes_out_and_comes_back(tmp_path):
    path = tmp_path / "call.srt"
    write_srt(transcript(turn(0, Role.AGENT, "您好", (600, 1900)), turn(1, Role.CUSTOMER, "嗯：对", (2000, 3_723_004))), path)
    assert path.read_text(encoding="utf-8").splitlines()[:3] == ["1", "00:00:00,600 --> 00:00:01,900", "agent: 您好"]
    again = read_transcript(path)
    assert [(t.role, t.text, t.start_ms, t.end_ms) for t in again.turns] == [
        (Role.AGENT, "您好", 600, 1900),
        (Role.CUSTOMER, "嗯：对", 2000, 3_723_004),
    ]
    assert again.engine.name == "transcript"


@pytest.mark.parametrize("prefix", ["坐席：", "坐席: ", "[客服] ：", "agent:", "【催收员】："])
def test_srt_speakers_in_many_spellings(tmp_path, prefix):
    path = tmp_path / "call.srt"
    path.write_text(f"1\r\n00:00:01,000 --> 00:00:02,500\r\n{prefix}您好\r\n请问\r\n", encoding="utf-8-sig")
    (only,) = read_transcript(path).turns
    assert (only.role, only.text, only.start_ms, only.end_ms) == (Role.AGENT, "您好 请问", 1000, 2500)


def test_srt_without_speakers_keeps_colons_and_stays_unknown(tmp_path):
    path = tmp_path / "call.srt"
    cue = "00:00:01,000 --> 00:00:02,000\n"
    path.write_text(f"1\n{cue}他说：还钱\n\n2\n{cue}好的\n", encoding="utf-8")
    assert [(t.role, t.text) for t in read_transcript(path).turns] == [
        (Role.UNKNOWN, "他说：还钱"),
        (Role.UNKNOWN, "好的"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
@pytest.mark.parametrize(
    "table",
    [
        "role,text,start,end\n坐席,您好,0.6,1.9\n客户,嗯,2,2.5\n",
        "speaker,text,start_ms,end_ms\nagent,您好,600,1900\ncustomer,嗯,2000,2500\n",
        "role,text,start,end\nagent,您好,600,1900\ncustomer,嗯,2000,2500\n",
        "角色;文本;开始时间;结束时间\n座席;您好;00:00:00.6;00:00:01.9\n客户;嗯;00:00:02;00:00:02.500\n",
        "text\tEnd\tStart\trole\n您好\t1.9\t0.6\tAGENT\n\n嗯\t2.5\t2\tCustomer\n",
    ],
)
def test_csv_in_any_usual_form(tmp_path, encoding, table):
    path = tmp_path / "turns.csv"
    path.write_text(table, encoding=encoding)
    assert [(t.index, t.role, t.text, t.start_ms, t.end_ms) for t in read_transcript(path).turns] == [
        (0, Role.AGENT, "您好", 600, 1900),
        (1, Role.CUSTOMER, "嗯", 2000, 2500),
    ]


def test_a_call_in_the_form_of_check(tmp_path):
    path = tmp_path / "call.json"
    path.write_text('{"call_id": "c1", "turns": [{"role": "agent", "text": "您好"}]}', encoding="utf-8")
    (only,) = read_transcript(path).turns
    assert (only.role, only.text, only.start_ms) == (Role.AGENT, "您好", 0)


def test_half_of_the_times_do_not_change_the_order_of_what_was_said(tmp_path):
    turns = [{"role": "agent", "text": text} for text in "一二三四"]
    turns[0] |= {"start_ms": 1000, "end_ms": 2000}
    turns[2] |= {"start_ms": 3000, "end_ms": 4000}
    (tmp_path / "a.json").write_text(json.dumps({"turns": turns}), "utf-8")
    read = read_transcript(tmp_path / "a.json")
    assert [turn.text for turn in read.turns] == [*"一二三四"]
    assert not any(turn.end_ms for turn in read.turns)


CUE = "1\n00:00:01,000 --> 00:00:02,000\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", "role,text,start,end\nagent,好,0,1\n机器人,好,1,2\n", " 第 3 行：不认识的角色“机器人”；可用：agent/坐席"),
        ("t.csv", "role,text,start\nagent,好,0\n", " 第 1 行：缺少列 end 或 end_ms"),
        ("t.csv", "role,text,start,end\nagent,好,明天,1\n", " 第 2 行：时间“明天”看不懂"),
        ("t.csv", "role,text,start,end\nagent,好,-1,1\n", " 第 2 行：时间“-1”不合理"),
        ("t.csv", "", " 第 1 行：缺少列 role 或 speaker"),
        ("t.srt", f"{CUE}机器人：您好\n", " 第 3 行：不认识的角色“机器人”；可用：agent/坐席"),
        ("t.srt", "只有文字\n", "：没有找到"),
        ("t.json", "{", "：不是 JSON"),
        ("t.json", "[]", "：最外层应是一个对象"),
        ("t.json", "{}", "：缺少 turns"),
        ("t.json", '{"turns": [{"role": "boss", "text": "好"}]}', " 第 1 轮：不认识的角色“boss”"),
        ("t.json", '{"turns": [{"role": "agent"}]}', " 第 1 轮：应是对象，有 role 和 text"),
        ("t.json", '{"turns": [{"role": "agent", "text": "好", "start_ms": "x"}]}', " 第 1 轮：start_ms、end_ms"),
        ("t.json", '{"version": 9}', "：版本是 9，本程序只认 1"),
        ("t.json", '{"version": 1, "recording": "x"}', "：缺少 turns"),
        ("t.txt", "您好", "：不是转写文件；支持 .json、.srt、.csv"),
    ],
)
def test_refused_with_place_and_remedy(tmp_path, name, content, said):
    assert refused(tmp_path / name, content).startswith(said)


def test_our_own_json_with_a_role_nobody_knows(tmp_path):
    data = to_dict(transcript(turn(0, Role.AGENT, "好", (0, 1))))
    data["turns"][0]["role"] = "boss"
    said = refused(tmp_path / "t.json", json.dumps(data))
    assert said == " 第 1 轮：不认识的角色“boss”；可用：agent、customer、other、unknown"


@pytest.mark.parametrize("level", ["loud", True, float("nan"), 21, -121])
def test_a_level_that_no_sound_has(tmp_path, level):
    data = to_dict(transcript(turn(0, Role.AGENT, "好", (0, 1))))
    data["turns"][0]["level_db"] = level
    said = refused(tmp_path / "t.json", json.dumps(data))
    assert said.startswith(" 第 1 轮：格式不对（level_db 应是 -120 到 20 的数，不知道就不写）")


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe\x00\xff\xff")
    with pytest.raises(BadTranscript, match="既不是 UTF-8 也不是 GBK"):
        read_transcript(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(BadTranscript, match="读取失败"):
        read_transcript(tmp_path / "none.srt")
