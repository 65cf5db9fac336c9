"""Whatever the recogniser writes: spans hold, nothing raises, nothing takes long."""

from __future__ import annotations

import time
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.entities import find_entities
from rules.promises import find_promise

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1)) | st.none()
SPOKEN = st.text(
    alphabet="零一二两三四五六七八九十百千万亿几多来半块元毛角分钱点号日月年周底初前后天今明下这个星期内之幺洞拐勾嗯"
    "，。、 0123456789.,-Xx叉kw%还付路街栋室区市县小工号欠先三到尾本金最低发工资过",
    max_size=60,
)


@given(text=st.text(max_size=80) | SPOKEN, day=DAYS)
def test_spans_hold_and_do_not_overlap(text: str, day: date | None) -> None:
    entities = find_entities(text, call_date=day)
    for entity in entities:
        assert 0 <= entity.start < entity.end <= len(text)
        assert text[entity.start : entity.end] == entity.text
        assert 0 < entity.confidence <= 1
    assert all(left.end <= right.start for left, right in pairwise(entities))


@given(turns=st.lists(st.tuples(st.sampled_from(["agent", "customer", "unknown", "?"]), SPOKEN), max_size=5), day=DAYS)
def test_a_promise_stands_where_it_says(turns: list[tuple[str, str]], day: date | None) -> None:
    promise = find_promise(turns, call_date=day)
    if promise is not None:
        assert turns[promise.turn][1][promise.start : promise.end] == promise.text
        assert turns[promise.turn][0] != "agent"


HOSTILE = ["1", "一", "嗯", "1嗯", "1，", "三千", "十", "号", "张路", "一 ", "三个八", "111,", "工号一", "十五号",
           "二零二六年", "一点",
           "下个", "东区1号", "本金一", "一万", "还", "还一千，", "能不能", "a@a.", "微信a"]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_turn_costs_no_more_than_its_length(piece: str) -> None:
    """Ten times the text may take ten times as long, not a hundred; 100,000 characters stay affordable."""
    short, long = (piece * (length // len(piece)) for length in (10_000, 100_000))
    assert _seconds(long) < 20 * _seconds(short) + 0.5


def _seconds(text: str) -> float:
    began = time.process_time()
    find_entities(text, call_date=date(2026, 11, 21))
    find_promise([("customer", text)], call_date=date(2026, 11, 21))
    return time.process_time() - began
