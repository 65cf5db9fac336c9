"""Utterances become ordered turns: breaths joined, long ones split, overlap kept, spans valid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transcribe.engine import Utterance, spread_words
from transcribe.model import Role
from transcribe.turns import clauses, make_turns


def said(text, start_ms, end_ms, *, channel=0, confidence=1.0):
    words = spread_words(text, start_ms=start_ms, end_ms=end_ms, confidence=confidence)
    return Utterance(
        text=text, start_ms=start_ms, end_ms=end_ms, words=words, channel=channel, confidence=confidence
    )


def by_channel(utterance):
    return Role.AGENT if utterance.channel == 0 else Role.CUSTOMER


def turns_of(*utterances, role_of=by_channel):
    return make_turns(utterances, role_of=role_of)


def test_one_speaker_with_a_breath_is_one_turn_without_a_comma():
    (turn,) = turns_of(said("剩下的月", 0, 900), said("底吧", 1200, 1800))
    assert (turn.text, turn.start_ms, turn.end_ms) == ("剩下的月底吧", 0, 1800)


def test_a_pause_becomes_a_comma_and_a_long_one_a_new_turn():
    assert [t.text for t in turns_of(said("您好", 0, 500), said("请问", 1300, 1800))] == ["您好，请问"]
    assert [t.text for t in turns_of(said("您好", 0, 500), said("请问", 1500, 1800))] == ["您好", "请问"]


def test_no_second_mark_after_punctuation():
    assert turns_of(said("您好,", 0, 500), said("请问", 1300, 1800))[0].text == "您好,请问"


def test_a_turn_does_not_end_in_a_comma():
    (turn,) = turns_of(said("您好，请问，", 0, 1800))
    assert (turn.text, turn.end_ms) == ("您好，请问", 1800)
    assert all(turn.text[word.start : word.end] == word.text for word in turn.words)
    assert "".join(word.text for word in turn.words) == turn.text


def test_the_other_one_in_between_keeps_turns_apart():
    turns = turns_of(said("您好", 0, 500), said("嗯", 550, 700, channel=1), said("请问", 800, 1200))
    assert [(t.index, t.role, t.text) for t in turns] == [
        (0, Role.AGENT, "您好"),
        (1, Role.CUSTOMER, "嗯"),
        (2, Role.AGENT, "请问"),
    ]


def test_overlapping_speech_keeps_both():
    turns = turns_of(said("你必须今天还", 0, 3000), said("我没有钱", 1000, 2500, channel=1))
    assert [(t.channel, t.start_ms, t.end_ms) for t in turns] == [(0, 0, 3000), (1, 1000, 2500)]


def test_unknown_speakers_are_not_joined_over_a_pause():
    turns = turns_of(said("好的", 0, 500), said("谢谢", 800, 1200), role_of=lambda _: Role.UNKNOWN)
    assert [t.text for t in turns] == ["好的", "谢谢"]


def test_a_minute_without_a_pause_is_split_and_nothing_is_lost():
    text = "一二三四五六七八九十" * 30
    turns = turns_of(said(text, 0, 60_000))
    assert "".join(t.text for t in turns) == text
    assert all(t.end_ms - t.start_ms <= 25_000 for t in turns)


def test_confidence_is_weighted_by_characters():
    (turn,) = turns_of(said("一二三四五六七八", 0, 900, confidence=0.9), said("嗯嗯", 1000, 1100, confidence=0.4))
    assert turn.confidence == 0.8


def test_clauses_end_after_punctuation():
    parts = clauses(said("好的,请问是本人吗?是我。", 0, 2600))
    assert [p.text for p in parts] == ["好的,", "请问是本人吗?", "是我。"]
    assert [(p.start_ms, p.end_ms) for p in parts] == [(0, 600), (600, 2000), (2000, 2600)]


def test_clauses_without_words_or_marks_stay_whole():
    whole = Utterance(text="好的，请问", start_ms=0, end_ms=100)
    assert clauses(whole) == [whole]


spoken = st.builds(
    lambda text, start, length, channel: said(text, start, start + length, channel=channel),
    st.text("你好还钱，。 abc", min_size=1, max_size=30),
    st.integers(0, 100_000),
    st.integers(100, 60_000),
    st.integers(0, 1),
)


def without_commas(words):
    return sorted(filter(None, (word.text.strip("， ") for word in words)))


@given(st.lists(spoken, max_size=12))
def test_any_speech_gives_ordered_turns_with_valid_spans_and_every_word(utterances):
    turns = make_turns(utterances, role_of=by_channel)
    assert [t.index for t in turns] == list(range(len(turns)))
    assert [t.start_ms for t in turns] == sorted(t.start_ms for t in turns)
    assert all(t.text[w.start : w.end] == w.text for t in turns for w in t.words)
    assert without_commas(w for t in turns for w in t.words) == without_commas(w for u in utterances for w in u.words)
    assert all(t.start_ms <= t.end_ms for t in turns)
