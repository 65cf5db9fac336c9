"""Text that nobody said is refused; what people say is not."""

from __future__ import annotations

import pytest

from transcribe.engine import Utterance
from transcribe.guards import looped, refuse

HOTWORDS = ("贷款", "逾期", "投诉", "还款")


def heard(text, *, seconds=3.0, confidence=0.8):
    return Utterance(text=text, start_ms=0, end_ms=int(seconds * 1000), confidence=confidence)


@pytest.mark.parametrize(
    "text",
    [
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目",
        "字幕由Amara.org社群提供",
        "中文字幕志愿者 李宗盛",
        "谢谢观看",
        "謝謝大家收看",
        "詞曲 李宗盛",
        "优优独播剧场",
    ],
)
def test_phantoms_of_subtitled_video(text):
    assert refuse(heard(text))


@pytest.mark.parametrize("text", ["贷款 逾期", "逾期投诉还款", "还款,还款,还款"])
def test_hot_words_recited_into_silence(text):
    assert refuse(heard(text), hotwords=HOTWORDS)


@pytest.mark.parametrize("text", ["投诉", "我要投诉", "贷款逾期了", "还款还不了"])
def test_hot_words_in_speech_stay(text):
    assert not refuse(heard(text), hotwords=HOTWORDS)


@pytest.mark.parametrize("text", ["\ufffd还钱", "。", " ", "…", "请" * 200, "你涉嫌" + "账片，贷款" * 4 + "明天上门"])
def test_broken_bytes_bare_marks_and_loops(text):
    assert refuse(heard(text))


def test_more_text_than_anybody_speaks():
    assert refuse(heard("您的贷款已经逾期十二天请尽快处理好吗", seconds=0.4))
    assert not refuse(heard("您的贷款已经逾期十二天请尽快处理好吗", seconds=2.5))


def test_a_guess_without_confidence():
    assert refuse(heard("我说四", confidence=0.05))


def test_a_hot_word_that_the_prompt_put_there():
    assert refuse(heard("还款 我是你说", confidence=0.2), hotwords=HOTWORDS)
    assert not refuse(heard("还款 我是你说", confidence=0.2))
    assert not refuse(heard("还款我知道", confidence=0.5), hotwords=HOTWORDS)


@pytest.mark.parametrize("text", ["好好好，行行行", "对对对对对", "不知道，不知道，不知道", "好的好的好的好的好的", "喂喂喂，听得到吗", "订单我看一下", "谢谢您的配合，再见", "你作什么"])
def test_repeats_and_courtesies_stay(text):
    assert not looped(text)
    assert not refuse(heard(text), hotwords=HOTWORDS)
