"""Nothing is lost in silence: voice without words is heard again, alone, or marked for people to listen."""

from __future__ import annotations

import numpy as np
import pytest

from transcribe.engine import Scripted, Speech, Utterance
from transcribe.model import UNHEARD, Role
from transcribe.turns import make_turns
from transcribe.unheard import hear_all

SPANS = ((1400, 2400), (2700, 3000), (3300, 5000))


def speech(*spans, channel=0, start_ms=1000, length_ms=5000):
    """A stretch whose samples tell their own time: sample i of it holds i."""
    samples = np.arange(length_ms * 16, dtype=np.float32)
    return Speech(samples=samples, start_ms=start_ms, voiced=spans, channel=channel)


def said(text, span, *, confidence=0.9):
    return Utterance(text=text, start_ms=span[0], end_ms=span[1], confidence=confidence)


class Listening(Scripted):
    """Hears the given utterances first, then what the script says; keeps what it was asked."""

    def __init__(self, first, again=(), *, confidence=1.0):
        super().__init__({0: list(again)}, confidence=confidence)
        self.first, self.asked = first, []

    def recognise(self, speech, *, hotwords=()):
        self.asked.append((list(speech), hotwords))
        return list(self.first) if len(self.asked) == 1 else super().recognise(speech, hotwords=hotwords)


def test_a_stretch_without_words_is_heard_again():
    (heard,) = hear_all(Scripted({0: ["", "我怎么没收到传票"]}), [speech((1400, 3000))])
    assert (heard.text, heard.start_ms, heard.end_ms, heard.confidence) == ("我怎么没收到传票", 1400, 3000, 1.0)


def test_what_stays_without_words_is_marked():
    (heard,) = hear_all(Scripted({}), [speech(*SPANS)])
    assert (heard.text, heard.start_ms, heard.end_ms, heard.confidence) == (UNHEARD, 1400, 5000, 0.0)


def test_only_the_part_that_was_passed_over_is_heard_again_without_hot_words():
    engine = Listening([said("请问是本人吗", SPANS[0])], ["嗯，你说，什么事"])
    heard = hear_all(engine, [speech(*SPANS)], hotwords=("贷款",))
    assert [u.text for u in heard] == ["请问是本人吗", "嗯，你说，什么事"]
    ((part,), hotwords) = engine.asked[1]
    assert (part.spans, hotwords) == (SPANS[1:], ())
    # the silence before it is kept up to the words before, and no more than 0.4 s
    assert part.start_ms == SPANS[0][1]
    assert part.samples[0] == (part.start_ms - 1000) * 16
    assert part.end_ms == SPANS[2][1] + 400


def test_a_long_stretch_with_a_single_character_was_heard_in_part():
    engine = Listening([said("我", SPANS[2])], ["我怎么没收到传票"])
    assert [u.text for u in hear_all(engine, [speech(SPANS[2])])] == ["我怎么没收到传票"]


def test_the_first_hearing_stays_where_the_second_has_no_more_words():
    first = said("我", SPANS[2])
    assert hear_all(Listening([first], ["喂"]), [speech(SPANS[2])]) == [first]


def test_a_guess_is_no_second_hearing():
    (heard,) = hear_all(Listening([], ["s s"], confidence=0.2), [speech(SPANS[0])])
    assert heard.text == UNHEARD


@pytest.mark.parametrize("knock", [(1400, 1700), (1400, 1880)])
def test_breaths_and_knocks_are_let_go(knock):
    engine = Listening([])
    assert hear_all(engine, [speech(knock)]) == []
    assert len(engine.asked) == 1


def test_words_in_every_stretch_cost_no_second_hearing():
    engine = Listening([said("您好", SPANS[0]), said("您贵姓", SPANS[2])])
    assert len(hear_all(engine, [speech(*SPANS)])) == 2
    assert len(engine.asked) == 1


def test_the_other_channels_words_do_not_count():
    words = [said("您好您好", (1400, 3000))]
    heard = hear_all(Listening(words), [speech((1400, 3000)), speech((1400, 3000), channel=1)])
    assert [(u.channel, u.text) for u in heard] == [(0, "您好您好"), (1, UNHEARD)]


def test_a_mark_is_a_turn_of_its_own():
    heard = [said("您好", (0, 900)), said(UNHEARD, (1000, 2000), confidence=0.0), said("请讲", (2100, 3000))]
    turns = make_turns(heard, role_of=lambda _: Role.AGENT)
    assert [(turn.text, turn.confidence) for turn in turns] == [("您好", 0.9), (UNHEARD, 0.0), ("请讲", 0.9)]
