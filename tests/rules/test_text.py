"""Normalised text and the way back to the words as spoken."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.text import NormalText, normalise_term

SPOKEN = st.text(
    st.sampled_from("我你就要爆通讯录錄幺二三78嗯呃那个，。？ !\n哈哈Ａa\u3000\ud800额度"), max_size=40
) | st.text(max_size=40)


@pytest.mark.parametrize(
    ("spoken", "normal"),
    [
        ("我們就爆你的通訊錄", "我们就爆你的通讯录"),
        ("爆你，嗯，通讯 录", "爆你通讯录"),
        ("唔，唔好再打嚟", "唔好再打嚟"),  # Cantonese: 唔 is "not"
        ("我我我要投诉", "我要投诉"),
        ("打幺二三七八", "打12378"),
        ("打１２３７８", "打12378"),
        ("三百二十五块", "三百二十五块"),
        ("我，那个，没钱", "我没钱"),
        ("那个人说的", "那个人说的"),
        ("额度给你恢复", "额度给你恢复"),
        ("你还不还?", "你还不还？"),
        ("好的!再见", "好的。再见"),
        ("ＡＰＰ", "app"),
    ],
)
def test_what_is_matched(spoken: str, normal: str) -> None:
    assert normalise_term(spoken) == normal


@given(st.lists(SPOKEN, max_size=5))
@example(["\n", "", "嗯"])
def test_every_turn_stays_a_turn(turns: list[str]) -> None:
    normal = NormalText(turns)
    assert len(normal.turns) == len(turns)
    assert normal.text.count("\n") == len(turns) + 1


@given(st.lists(SPOKEN, min_size=1, max_size=4), st.data())
def test_spans_lead_back_to_the_words_as_spoken(turns: list[str], data: st.DataObject) -> None:
    normal = NormalText(turns)
    turn = data.draw(st.integers(0, len(turns) - 1))
    low, high = normal.turns[turn], normal.ends[turn]
    if low == high:
        return
    start = data.draw(st.integers(low, high - 1))
    end = data.draw(st.integers(start + 1, high))
    back, first, last = normal.span_as_spoken(start, end)
    assert back == turn
    assert 0 <= first < last <= len(turns[turn])
    places = [normal.span_as_spoken(at, at + 1)[1:] for at in range(start, end)]
    assert (first, last) == (places[0][0], places[-1][1])
    assert all(before[1] <= after[0] for before, after in pairwise(places))


@given(SPOKEN)
def test_a_character_maps_to_its_own_place(spoken: str) -> None:
    normal = NormalText(["前" + spoken + "标"])
    place = normal.text.rindex("标")
    assert normal.span_as_spoken(place, place + 1) == (0, len(spoken) + 1, len(spoken) + 2)


def test_a_clause_ends_at_a_pause_and_a_sentence_does_not() -> None:
    normal = NormalText(["你好，我们不会，爆通讯录。再见"])
    start = normal.text.index("爆")
    low, high = normal.clause(start, start + 1)
    assert normal.text[low:high] == "爆通讯录"
    low, high = normal.sentence(start, start + 1)
    assert normal.text[low:high] == "你好我们不会爆通讯录"
