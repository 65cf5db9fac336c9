"""Which regular expressions a rule may hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.patterns import problem_of, unheard_in
from rules.prefilter import required


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"\b爆", "没有词边界"), (r"爆\w{1,2}", "没有词边界"), (r"爆[\W]", "没有词边界"), ("你.*吗", "上限"), ("你.+吗", "上限"),
        ("爆(", "写错了"), ("(a{0,40}){0,40}(b{0,40}){0,40}c", "太多"), (".{0,3}", "固定的字"), ("(爆|.)", "固定的字"),
        ("爆, ?录", "永远不会出现"), ("(?:a|a){1,40}爆", "太多"), ("(?:a{1,3}){1,20}爆", "太多"), ("(?:a?b?){1,30}爆", "太多"),
        ("(?:ab|a|b){1,20}爆", "太多"), ("爆{99999999999}", "用不了"), ("(?<!我|我们)爆", "一样长"), ("(" * 3000 + "爆" + ")" * 3000, "用不了"),
    ],
)  # fmt: skip
def test_refused_with_a_reason(pattern: str, said: str) -> None:
    assert said in str(problem_of(pattern))


@pytest.mark.parametrize("pattern", ["(?:爆|轰炸).{0,4}通讯录", "你[的家]{1,3}人", "还(?=钱)", "(?<!不)爆你", "a{2,4}", "(?:我们|我司|[^我。]){0,12}爆"])
def test_accepted(pattern: str) -> None:
    assert problem_of(pattern) is None


@pytest.mark.parametrize("pattern", ["爆(", "爆[", "*爆", "爆**", "爆{3,1}", "[爆-录]", r"爆\q", "(?爆", "(?P<爆", "爆[[a]", "爆\\"])
def test_what_re_says_in_english_is_said_in_chinese(pattern: str) -> None:
    said = str(problem_of(pattern))
    assert "正则表达式" in said
    assert not re.search("[a-z]{3}", said)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("下载APP", "“下载APP”永远不会出现：匹配的文本里它是“下载app”"), ("(?:爆|通訊錄)", "它是“通讯录”"), ("打一二三七八", "它是“打12378”"),
        ("你(?:我我|他)爆", "它是“我”"), ("爆嗯", "它是“爆”"), ("嗯.{0,2}爆", "“嗯”永远不会出现：匹配的文本里没有逗号、空格和“嗯”"), (r"爆\.", "它是“爆。”"),
        ("[AB]爆", "“A”永远不会出现：匹配的文本里它是“a”"), ("爆(?<!嗯)", "“嗯”永远不会出现"),
    ],
)  # fmt: skip
def test_what_matched_text_never_holds_is_told_with_what_to_write(pattern: str, said: str) -> None:
    assert said in str(unheard_in(pattern))


@pytest.mark.parametrize("pattern", ["下载app", "[Aa]pp", "打12378", "[一二三]{1,3}百", "唔(?:好|要)", r"(?<=\n)爆", "[^A]爆", "爆。", "你是\n我", "二三十"])
def test_what_may_be_heard(pattern: str) -> None:
    assert unheard_in(pattern) is None


def test_by_sound_characters_are_in_no_order() -> None:
    assert "范围" in str(problem_of("[一-龥]爆你通讯录", by_sound=True))
    assert problem_of("[0-9]爆你通讯录", by_sound=True) is None


def test_by_sound_one_fixed_syllable_is_too_little() -> None:
    assert "按读音" in str(problem_of("爆.{0,3}你", by_sound=True))
    assert problem_of("爆.{0,3}通讯录", by_sound=True) is None


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("(?:爆|轰炸).{0,4}通讯录", {"通讯录"}), ("(?:给|跟)你", {"给你", "跟你"}), ("[你您]家", {"你家", "您家"}), ("[你您].?", {"你", "您"}), ("a|bc", {"a", "bc"}),
        ("x?爆你", {"爆你", "x爆你"}), ("(?!不)爆", {"爆"}),
    ],
)  # fmt: skip
def test_what_must_occur(pattern: str, literals: set[str]) -> None:
    assert required(pattern) == literals


@given(st.text(st.sampled_from("爆你家人通讯录给跟单位"), max_size=30))
def test_no_match_without_a_required_literal(text: str) -> None:
    for pattern in ("(?:给|跟)你(?:家|单位)", "(?:爆|轰炸).{0,4}通讯录", "[你家]{1,2}人"):
        if re.search(pattern, text):
            assert any(literal in text for literal in required(pattern))
