"""The net over what words mean: what it makes of any text, and when it is asked."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.load import load_rules
from rules.meaning import features, gram_values
from rules.model import SELF_HARM, Judgement, RuleSet
from rules.second_opinion import SecondOpinion
from rules.suspicion import CONDUCT, HEADS, Model, leaves_open, read_model, with_meaning
from rules.tokens import Tokenizer
from transcribe.model import Role, Turn

MODEL = read_model()
MEANING = MODEL.meaning


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    return load_rules()


@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=2))
def test_it_says_something_finite_of_any_text(text: str, near: list[str]) -> None:
    meant = MEANING.of(text, list(text), near)
    assert meant.shape == (1 + len(CONDUCT),)
    assert np.isfinite(meant).all()


def test_words_that_it_does_not_know_count_nothing() -> None:
    known = features("不还就等着", ["不还", "就", "等", "着"], [], MEANING.words, MEANING.grams)
    strange = features("☃☂", ["☃", "☂"], ["☄"], MEANING.words, MEANING.grams)
    assert known.any()
    assert not strange.any()
    assert known.shape == strange.shape == (len(MEANING.hidden),)


def test_ngrams_of_a_text_have_length_one_together() -> None:
    _, values = gram_values(["你等着", "我这就过来"], MEANING.grams.index, MEANING.grams.rarity)
    assert float(values @ values) == pytest.approx(1, abs=1e-5)


def test_what_is_said_around_counts() -> None:
    said, words = "那就看你自己了", ["那", "就", "看", "你", "自己", "了"]
    after_menace, after_thanks = (MEANING.of(said, words, [near]) for near in ("你敢动我家里人试试", "好的谢谢您"))
    assert (after_menace != after_thanks).all()


def test_it_moves_categories_of_conduct_and_nothing_else() -> None:
    scores = np.zeros(len(HEADS), np.float32)
    suspicious = np.array([5.0, *[0.0] * len(CONDUCT)], np.float32)
    moved = {head for head, score in zip(HEADS, with_meaning(scores, suspicious), strict=True) if score}
    assert moved == set(CONDUCT)


def test_the_kind_that_it_sees_lowers_the_others_alone() -> None:
    scores, kinds = np.zeros(len(HEADS), np.float32), np.full(len(CONDUCT), -3.0)
    kinds[CONDUCT.index("abuse")] = 2.0
    weighed = dict(zip(HEADS, with_meaning(scores, np.array([0.0, *kinds], np.float32)), strict=True))
    assert weighed["abuse"] == weighed[SELF_HARM] == 0
    assert all(weighed[name] < 0 for name in CONDUCT if name != "abuse")


@pytest.mark.parametrize(("score", "asked"), [(-3.0, False), (0.0, True)])
def test_it_is_asked_where_ngrams_leave_it_open(ruleset: RuleSet, score: float, asked: bool) -> None:
    text = "你家里老人身体还好吧"
    conduct = [HEADS.index(name) for name in CONDUCT]
    biases = np.full_like(MODEL.biases, score)
    plain = dataclasses.replace(MODEL, weights=np.zeros_like(MODEL.weights), biases=biases)
    assert bool(leaves_open(biases)) is asked
    certain = dataclasses.replace(MEANING, bias=np.full_like(MEANING.bias, 100))
    assert found(ruleset, dataclasses.replace(plain, meaning=certain, thresholds=threshold(5, conduct)), text) is asked


def threshold(level: float, heads: list[int]) -> np.ndarray:
    thresholds = np.full_like(MODEL.thresholds, np.inf)
    thresholds[heads] = level
    return thresholds


def found(ruleset: RuleSet, model: Model, text: str) -> bool:
    said = [Turn(index=0, role=Role.AGENT, channel=None, start_ms=0, end_ms=900, text=text)]
    nothing = Judgement(findings=(), outcomes={})
    return bool(SecondOpinion(ruleset, model=model).weigh(nothing, said).findings)


def test_words_of_a_text_are_all_of_it(ruleset: RuleSet) -> None:
    assert "".join(Tokenizer(ruleset.lexicon).words("您的通讯录我们都有")) == "您的通讯录我们都有"
