"""Negation, reported speech, warnings and questions around a hit; both ways."""

from typing import Any

import pytest

from rules.model import Guard

ALL = [guard.value for guard in Guard]
WHEN = [{"near": [["爆", "公布"], ["通讯录"]], "within": 4}, {"phrase": ["联系你家人", "联系您家人", "坐牢", "转到个人账户", "上门抓人"]}]


@pytest.mark.parametrize(
    "said",
    [
        "您放心，我们不会爆您的通讯录",
        "我们绝对不会去爆你的通讯录的",
        "公司规定严禁爆客户通讯录",
        "您这个不会坐牢的",
        "我们没有说要联系您家人",
        "爆通讯录这种事我们不会做的",
        "爆通讯录是不允许的",
        "您刚才说有人要爆您通讯录",
        "您上次投诉说我们有个同事扬言要爆你通讯录",
        "是不是担心我们联系您家人",
        "如果有人让您转到个人账户，那是骗子，不要相信",
        "谨防有人让您转到个人账户",
        "有没有人说过要上门抓人？",
        "我们从来不公布客户通讯录",
        "不存在联系您家人的情况",
        "您这个跟坐牢挨不着边",
        "欠款和坐牢是两码事",
        "我复述一下您反映的，有个号说不接就爆你通讯录，对吧",
        "没有法院的判决，谁也不能上门抓人",
        "只要您本人电话打得通，我们不联系您家人",
    ],
)
def test_the_opposite_is_said(quotes: Any, said: str) -> None:
    assert quotes(WHEN, f"agent: {said}", guards=ALL) == []


@pytest.mark.parametrize(
    "said",
    [
        "你再不还就爆你通讯录",
        "不还钱我就爆你通讯录",
        "你不会想让我爆你通讯录吧",
        "我们不得不联系你家人",
        "我不是跟你开玩笑，爆你通讯录",
        "你不接电话，我只能联系你家人",
        "没钱就等着坐牢",
        "你说我要不要爆你通讯录",
        "我们领导说了，今天不还就爆你通讯录",
        "别怪我没提醒你，爆你通讯录",
        "不是我要联系你家人，是你逼我联系你家人",
        "你信不信我爆你通讯录？",
        "我不管你有没有钱，明天就爆你通讯录",
        "你以为我不敢爆你通讯录？",
        "没有钱就等着坐牢",
        "你投诉我也照样爆你通讯录",
        "你看我能不能爆你通讯录",
        "我敢不敢联系你家人你试试",
        "想让我们不联系你家人，今天就把钱还上",
    ],
)
def test_it_is_meant(quotes: Any, said: str) -> None:
    assert quotes(WHEN, f"agent: {said}", guards=ALL) != []


@pytest.mark.parametrize("said", ["我们不会一直打您电话", "我们从来没打爆过谁的电话", "我们不会因为您没还就一直打"])
def test_negation_reaches_into_the_first_word_of_a_hit(quotes: Any, said: str) -> None:
    assert quotes([{"pattern": "会?一直打|打爆"}], f"agent: {said}", guards=ALL) == []


def test_negation_does_not_reach_past_a_turn_of_thought(quotes: Any) -> None:
    assert quotes(WHEN, "agent: 我们不会骂您但是会爆您通讯录", guards=ALL) != []


def test_whoever_you_are_is_no_question(quotes: Any) -> None:
    assert quotes(WHEN, "agent: 我管你是谁，照样爆你通讯录", guards=ALL) != []
    assert quotes(WHEN, "agent: 是谁跟您说要爆您通讯录的？", guards=ALL) == []


def test_nobody_was_sent(quotes: Any) -> None:
    assert quotes([{"pattern": "派人上门"}], "agent: 我们没有派人上门", guards=ALL) == []


def test_a_rhetorical_question_excuses_nothing(quotes: Any) -> None:
    assert quotes(WHEN, "agent: 谁让你欠钱的，爆你通讯录都是轻的", guards=ALL) != []
