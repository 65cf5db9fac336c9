"""Homophones of a recogniser put right, from counts; nothing else about a text changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.homophones import Homophones, count, read_counts, with_readings, write_counts
from transcribe.model import UNHEARD, Role, Turn


@pytest.fixture(scope="module")
def homophones() -> Homophones:
    return Homophones(read_counts())


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("您的带款已经预期了", "您的贷款已经逾期了"),
        ("您于7已经三十天了", "您逾期已经三十天了"),
        ("我请我们经历来跟您讲", "我请我们经理来跟您讲"),
        ("这个月的换款，嗯，您看什么时候", "这个月的还款，嗯，您看什么时候"),
    ],
)
def test_what_fits_its_neighbours_takes_the_place_of_what_sounds_alike(
    homophones: Homophones, heard: str, said: str
) -> None:
    assert homophones.put_right(heard) == said


@pytest.mark.parametrize("said", ["您好，请问是张先生吗？", "我下周五发了工资就还两千", "喂？", "", "OK 好的 12345"])
def test_what_fits_already_stays(homophones: Homophones, said: str) -> None:
    assert homophones.put_right(said) == said


@given(st.text(st.sampled_from("您的带款于7。？，嗯\n x𠮷還\ud800通讯路"), max_size=60))
def test_any_text_keeps_its_length_and_its_marks(homophones: Homophones, text: str) -> None:
    read = homophones.put_right(text)
    assert len(read) == len(text)
    assert all(was == now for was, now in zip(text, read, strict=True) if was in "。？，嗯\n x")


def test_counts_come_back_from_their_file_and_give_the_same_bytes(tmp_path: Path) -> None:
    counts = count(["还款日", "还款", "您好"])
    write_counts(counts, tmp_path / "a.npz")
    write_counts(read_counts(tmp_path / "a.npz"), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_only_recognised_words_are_read_again() -> None:
    said = ("您的带款已经预期了", "您好", UNHEARD)
    turns = [
        Turn(index=n, role=Role.AGENT, channel=0, start_ms=0, end_ms=9, text=text, confidence=confidence)
        for n, (text, confidence) in enumerate([(said[0], 1.0), *((text, 0.5) for text in said)])
    ]
    assert [turn.reading for turn in with_readings(turns)] == [None, "您的贷款已经逾期了", None, None]
