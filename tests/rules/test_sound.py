"""Syllables with dialects merged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.sound import merge_dialects, spellings, syllables


@pytest.mark.parametrize(
    ("meant", "heard"),
    [
        ("通讯录", "通讯路"), ("逾期", "预期"), ("逾期", "于七"), ("征信", "真心"), ("起诉", "气数"), ("投诉", "头肃"),
        ("违法", "为法"), ("工号", "公号"), ("同事", "同时"), ("还款", "孩款"), ("还款", "环款"), ("银行", "银航"),
        ("律师函", "绿师寒"), ("身份证号", "身份正好"), ("你", "里"), ("飞", "灰"), ("征", "增"), ("名", "民"), ("帮", "班"),
        ("拉黑", "拿黑"), ("曝光", "爆光"), ("恐吓", "恐赫"),
    ],
)  # fmt: skip
def test_sounds_alike(meant: str, heard: str) -> None:
    assert syllables(heard) in spellings(meant)


@pytest.mark.parametrize(
    ("one", "other"), [("投诉", "投资"), ("孩子", "房子"), ("还款", "存款"), ("律师", "老师"), ("立案", "立刻")]
)
def test_sounds_different(one: str, other: str) -> None:
    assert syllables(other) not in spellings(one)


@pytest.mark.parametrize(
    ("syllable", "merged"), [("zhang", "zan"), ("nong", "long"), ("feng", "hun"), ("xing", "xin"), ("fei", "hui")]
)
def test_dialects(syllable: str, merged: str) -> None:
    assert merge_dialects(syllable) == merged


@given(st.text(max_size=30))
def test_one_syllable_for_one_character(text: str) -> None:
    assert len(syllables(text)) == len(text)
