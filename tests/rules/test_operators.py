"""Each operator and modifier, on dialogues small enough to see why."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from rules.engine import Judge
from rules.examples import turns_of
from rules.model import CallFacts, Result, Rule
from tests.rules.conftest import FACTS, rule_of, ruleset_of


def test_phrase(quotes: Any) -> None:
    assert quotes([{"phrase": ["收拾你", "弄死你"]}], "agent: 看我怎么收拾你", "customer: 我弄死你") == ["收拾你"]


def test_phrase_by_sound_needs_three_syllables(quotes: Any) -> None:
    when = [{"phrase": ["通讯录", "同事"], "by_sound": True}]
    assert quotes(when, "agent: 你的通讯路", "agent: 同时") == ["通讯路"]


def test_a_long_phrase_may_have_one_wrong_syllable(quotes: Any) -> None:
    when = [{"phrase": ["信不信我找人弄你"], "by_sound": True}]
    assert quotes(when, "agent: 信不信他找谁弄你") == []
    assert quotes(when, "agent: 信不信我找谁弄你") == ["信不信我找谁弄你"]
    assert quotes(when, "agent: 信不信我找个人弄你") == ["信不信我找个人弄你"]
    assert quotes(when, "agent: 信不信我早人龙你") == ["信不信我早人龙你"]


@pytest.mark.parametrize(("said", "how"), [("撑不下去了", "读音相近"), ("活不下曲了", "读音相同")])
def test_what_is_one_syllable_off_is_not_said_to_sound_the_same(judge: Any, said: str, how: str) -> None:
    (finding,) = judge(rule_of(when=[{"phrase": ["活不下去了"], "by_sound": True}]), f"agent: 我{said}").findings
    assert f"“{said}”与“活不下去了”{how}" in finding.because


def test_near_in_order_and_not(quotes: Any) -> None:
    ordered = [{"near": [["爆"], ["通讯录"]], "within": 3}]
    assert quotes(ordered, "agent: 爆你的通讯录", "agent: 通讯录给你爆了", "agent: 爆一遍所有人的通讯录") == [
        "爆你的通讯录"
    ]
    either = [{"near": [["爆"], ["通讯录"]], "within": 3, "ordered": False}]
    assert quotes(either, "agent: 通讯录给你爆了") == ["通讯录给你爆"]


def test_near_does_not_cross_a_sentence(quotes: Any) -> None:
    assert quotes([{"near": [["爆"], ["通讯录"]], "within": 5}], "agent: 要爆。通讯录") == []


def test_near_by_sound_needs_one_literal_group(judge: Any) -> None:
    rule = rule_of(when=[{"near": [["爆"], ["通讯录"]], "within": 3, "by_sound": True}])
    (finding,) = judge(rule, "agent: 爆你通讯路").findings
    assert (finding.heard_as, finding.result) == ("通讯录", Result.FAIL)
    assert judge(rule, "agent: 抱你通训路").findings == ()


def test_an_ordinary_word_in_place_makes_a_sound_match_unsure(judge: Any) -> None:
    rule = rule_of(when=[{"near": [["告诉"], ["同事"]], "within": 3, "by_sound": True}])
    (finding,) = judge(rule, "agent: 我告诉你同时").findings
    assert finding.result is Result.UNSURE
    assert "常用词" in finding.because


def test_pattern_by_sound(judge: Any) -> None:
    rule = rule_of(when=[{"pattern": "给你.{0,3}单位打电话", "by_sound": True}])
    (finding,) = judge(rule, "agent: 我给你的丹位打电话").findings
    assert (finding.quote, finding.heard_as) == ("给你的丹位打电话", "给你的单位打电话")


def test_a_pattern_may_stand_at_the_edge_of_any_turn(quotes: Any) -> None:
    lines = ("agent: 您好", "agent: 喂您好", "agent: 您好喂")
    assert quotes([{"pattern": "^您好"}], *lines) == ["您好", "您好"]
    assert quotes([{"pattern": "您好$"}], *lines) == ["您好", "您好"]


def test_tokens(quotes: Any) -> None:
    when = [{"tokens": [{"TEXT": {"IN": ["起诉", "告"]}}, {"TEXT": "你们", "OP": "?"}, {"TEXT": "银行"}]}]
    assert quotes(when, "agent: 起诉银行", "agent: 起诉你们银行") == ["起诉银行", "起诉你们银行"]


def test_entity(quotes: Any) -> None:
    assert quotes([{"entity": ["money"]}], "agent: 您欠三千五百块", "agent: 请问是王三吗") == ["三千五百块"]


def test_similar(quotes: Any) -> None:
    when = [{"similar": {"sentences": ["后面就不是我跟你谈了"], "score": 0.75}}]
    assert quotes(when, "agent: 那后面就不是我来跟你谈了") != []
    assert quotes(when, "agent: 后面我再给您打电话") == []


def test_repeated(quotes: Any) -> None:
    when = [{"repeated": {"times": 3, "turns": 5, "chars": 4}}]
    assert quotes(when, "agent: 什么时候还", "agent: 什么时候还。", "agent: 什么时候还？") == ["什么时候还"]
    assert quotes(when, "agent: 什么时候还", "customer: 什么时候还", "agent: 什么时候还") == []


def test_measure(quotes: Any, judge: Any) -> None:
    rule = rule_of(when=[{"measure": {"name": "agent_turns", "at_least": "2"}}])
    assert judge(rule, "agent: 好", "customer: 好").outcomes == {"tried": Result.PASS}
    assert judge(rule, "agent: 好", "agent: 好").outcomes == {"tried": Result.FAIL}


def test_hour_may_pass_midnight(judge: Any) -> None:
    rule = rule_of(kind="limit", category="quiet_hours", when=[{"hour": {"from": "22:00", "to": "08:00"}}])
    for clock, result in (
        ("22:00", Result.FAIL),
        ("07:59", Result.FAIL),
        ("08:00", Result.PASS),
        ("21:59", Result.PASS),
    ):
        facts = CallFacts(started_at=datetime.fromisoformat(f"2026-11-19T{clock}:00+08:00"))
        assert judge(rule, "agent: 喂", facts=facts).outcomes["tried"] is result
        assert judge(rule, "agent: 喂", facts=replace(facts, inbound=True)).outcomes["tried"] is Result.PASS


@pytest.mark.parametrize(("recorded", "result"), [("contact", Result.FAIL), ("self", Result.PASS), (None, Result.PASS)])
def test_relation_of_the_record(judge: Any, recorded: str | None, result: Result) -> None:
    rule = rule_of(when=[{"all": [{"phrase": ["欠款"]}, {"relation": ["contact", "unrelated"]}]}])
    assert judge(rule, "agent: 有笔欠款", facts=CallFacts(callee_relation=recorded)).outcomes["tried"] is result


def test_relation_from_what_is_said(judge: Any) -> None:
    rule = rule_of(when=[{"all": [{"phrase": ["欠款"]}, {"relation": ["contact", "unrelated"]}]}])
    assert judge(rule, "customer: 我是他姐姐", "agent: 他有笔欠款").outcomes["tried"] is Result.FAIL
    assert (
        judge(rule, "agent: 请问是张先生本人吗", "customer: 对是我", "agent: 您有笔欠款").outcomes["tried"]
        is Result.PASS
    )


def test_first_and_last(quotes: Any) -> None:
    lines = ("agent: 您好", "customer: 喂", "agent: 您好啊", "agent: 再见您好")
    assert quotes([{"phrase": ["您好"], "first": {"turns": 1}}], *lines) == ["您好"]
    assert quotes([{"phrase": ["您好"], "last": {"turns": 1}}], *lines) == ["您好"]
    assert len(quotes([{"phrase": ["您好"]}], *lines)) == 3
    late = ("agent: " + "说" * 300, "agent: 您好")
    assert quotes([{"phrase": ["您好"], "first": {"seconds": 60}}], *late) == []


def test_before_after_around(quotes: Any) -> None:
    named = {"phrase": ["核实"], "name": "verified"}
    lines = ("agent: 欠款一", "agent: 核实身份", "agent: 欠款二", "agent: 好", "agent: 欠款三")
    before = [{"phrase": ["欠款一", "欠款二"], "before": {"condition": "verified", "hit": "first"}}]
    assert quotes(before, *lines, unless=[{**named, "scope": "clause"}]) == ["欠款一"]
    after = [{"phrase": ["欠款二", "欠款三"], "after": {"condition": "verified", "turns": ["1", "2"]}}]
    assert quotes(after, *lines, unless=[{**named, "scope": "clause"}]) == ["欠款二"]
    around = [{"phrase": ["欠款一", "欠款三"], "around": {"condition": "verified", "turns": ["-1", "1"]}}]
    assert quotes(around, *lines, unless=[{**named, "scope": "clause"}]) == ["欠款一"]


def test_answered_by(quotes: Any) -> None:
    when = [
        {
            "phrase": ["投诉"],
            "role": "customer",
            "answered_by": {"role": "agent", "turns": "1", "any": [{"phrase": ["随便"]}]},
        }
    ]
    assert quotes(when, "customer: 我要投诉", "agent: 随便你") == ["投诉"]
    assert quotes(when, "customer: 我要投诉", "agent: 好的", "agent: 随便") == []


def test_signal_is_what_another_rule_surely_finds() -> None:
    poor = {"when": [{"phrase": ["失业"]}], "unless": [{"phrase": ["朋友"]}], "kind": "signal", "role": "customer"}
    hardship = rule_of(id="poor", category="hardship", **poor)
    duty = rule_of(
        id="offers",
        category="offer_plan",
        kind="require",
        applies_when=[{"signal": ["hardship"]}],
        when=[{"phrase": ["延期"]}],
    )

    def outcome(signal: Rule, customer: str) -> Result:
        turns = turns_of((f"customer: {customer}", "agent: 还钱"))
        return Judge(ruleset_of(duty, signal)).judge(turns, FACTS).outcomes["offers"]

    assert outcome(hardship, "我失业了") is Result.FAIL
    assert outcome(hardship, "我有工作") is Result.NOT_APPLICABLE
    assert outcome(hardship, "朋友失业了") is Result.NOT_APPLICABLE
    assert outcome(hardship.model_copy(update={"status": "draft"}), "我失业了") is Result.NOT_APPLICABLE


def test_all_any_none_and_scopes(quotes: Any) -> None:
    parts = [{"phrase": ["不还"]}, {"phrase": ["上门"]}, {"none": [{"phrase": ["同意"]}]}]
    assert quotes([{"all": parts}], "agent: 不还我就上门啊", "agent: 不还，同意的话上门") == ["不还我就上门"]
    assert quotes([{"all": parts}], f"agent: 不还{'我说过的话都算数' * 5}上门") == ["不还"]  # too far apart
    assert quotes([{"all": parts[:2]}], "agent: 不还", "agent: 上门") == []
    assert quotes([{"all": parts[:2], "scope": "call"}], "agent: 不还", "agent: 上门") == ["不还"]
    assert quotes([{"all": parts[:2], "scope": "clause"}], "agent: 不还，就上门") == []
    assert quotes([{"any": parts[:2]}], "agent: 上门") == ["上门"]


def test_an_all_of_nothing_but_none_holds_where_nothing_was_said(judge: Any) -> None:
    rule = rule_of(
        when=[{"all": [{"none": [{"phrase": ["录音"]}]}, {"none": [{"phrase": ["工号"]}]}], "scope": "call"}]
    )
    assert judge(rule, "agent: 您好").outcomes["tried"] is Result.FAIL
    assert judge(rule, "agent: 本次通话录音").outcomes["tried"] is Result.PASS


def test_at_least(quotes: Any) -> None:
    assert quotes([{"phrase": ["快点"], "at_least": "2"}], "agent: 快点") == []
    assert quotes([{"phrase": ["快点"], "at_least": "2"}], "agent: 快点", "agent: 快点") == ["快点", "快点"]


def test_unless_reaches_its_sentence_only(quotes: Any) -> None:
    when, unless = [{"phrase": ["上门"]}], [{"phrase": ["预约"]}]
    assert quotes(when, "agent: 预约上门", unless=unless) == []
    assert quotes(when, "agent: 预约好了。明天上门", unless=unless) == ["上门"]
    assert quotes(when, "agent: 预约好了。明天上门", unless=[{"phrase": ["预约"], "scope": "turn"}]) == []


def test_an_unknown_role_is_unsure(judge: Any) -> None:
    (finding,) = judge(rule_of(when=[{"phrase": ["收拾你"]}]), "unknown: 收拾你").findings
    assert (finding.result, "角色" in finding.because) == (Result.UNSURE, True)


def test_a_rule_that_needs_case_data_is_unsure(judge: Any) -> None:
    (finding,) = judge(rule_of(when=[{"phrase": ["立案"]}], needs_case_data="true"), "agent: 已经立案").findings
    assert finding.result is Result.UNSURE


def test_a_draft_accuses_nobody(judge: Any) -> None:
    (finding,) = judge(rule_of(when=[{"phrase": ["收拾你"]}], status="draft"), "agent: 收拾你").findings
    assert (finding.result, "草稿" in finding.because) == (Result.UNSURE, True)


def test_a_duty(judge: Any) -> None:
    rule = rule_of(kind="require", category="greeting", when=[{"phrase": ["您好"], "first": {"turns": 1}}],
                   applies_when=[{"measure": {"name": "turns", "at_least": "2"}}])  # fmt: skip
    assert judge(rule, "agent: 您好", "customer: 喂").outcomes["tried"] is Result.PASS
    assert judge(rule, "agent: 喂").outcomes["tried"] is Result.NOT_APPLICABLE
    judgement = judge(rule, "customer: 喂", "agent: 还钱")
    assert judgement.outcomes["tried"] is Result.FAIL
    assert [(f.turn, f.start, f.end) for f in judgement.findings] == [(1, 0, 0)]


@pytest.mark.parametrize(
    ("turns", "result"),
    [
        (["agent: ……", "agent: 还钱", "customer: 不还"], Result.UNSURE),  # perhaps that was the greeting
        (["unknown: ……", "agent: 还钱", "customer: 不还"], Result.UNSURE),
        (["customer: ……", "agent: 还钱", "customer: 不还"], Result.FAIL),
        (["agent: 喂", "agent: 还钱", "agent: ……"], Result.FAIL),  # too late for a greeting
    ],
)
def test_a_duty_that_may_lie_in_speech_nobody_understood(judge: Any, turns: list[str], result: Result) -> None:
    rule = rule_of(kind="require", category="greeting",
                   when=[{"any": [{"phrase": ["您好"], "first": {"turns": 2}}]}])  # fmt: skip
    (finding,) = judge(rule, *turns).findings
    assert (finding.result, "没有听清" in finding.because) == (result, result is Result.UNSURE)


def test_parameters_of_the_pack() -> None:
    rule = rule_of(kind="limit", category="quiet_hours", when=[{"hour": {"from": "$late", "to": "08:00"}}])
    judge = Judge(ruleset_of(rule, parameters={"late": "21:00"}))
    facts = CallFacts(started_at=datetime.fromisoformat("2026-11-19T21:30:00+08:00"))
    assert judge.judge(turns_of(["agent: 喂"]), facts).outcomes["tried"] is Result.FAIL


def test_lexicon_lists(quotes: Any) -> None:
    assert quotes([{"near": [["告诉"], ["@family"]], "within": 2}], "agent: 告诉你爸妈") == ["告诉你爸妈"]


def test_lexicon_lists_in_patterns(quotes: Any) -> None:
    assert quotes([{"pattern": "给(?@family)打.{0,2}电话"}], "agent: 我给丈母娘打个电话", "agent: 我给银行打电话") == ["给丈母娘打个电话"]


@pytest.mark.parametrize(
    "turn",
    [
        "爆" * 100_000,
        "通讯录" * 33_000,
        "你爆通讯录给同事" * 12_000,
        "爆你的通讯录" * 16_000,
        "嗯，" * 50_000,
        "1" * 100_000,
    ],
)
def test_a_hostile_turn_is_cheap(turn: str) -> None:
    import time

    rule = rule_of(when=[
        {"near": [["爆"], ["通讯录"]], "within": 6, "by_sound": True}, {"pattern": "你.{0,8}爆.{0,8}给.{0,8}同事"}, {"phrase": ["爆你的通讯录"], "by_sound": True},
        {"entity": ["money"]}, {"similar": {"sentences": ["我要爆你的通讯录"]}},
    ])  # fmt: skip
    judge = Judge(ruleset_of(rule))
    judge.judge(turns_of(["agent: 爆你的同事通训路"]), CallFacts())
    spent = []
    for _ in range(3):  # the best of three: a busy machine makes one of them dearer
        start = time.process_time()
        judge.judge(turns_of([f"agent: {turn}"]), CallFacts())
        spent.append(time.process_time() - start)
    assert min(spent) < 0.25


@pytest.mark.parametrize("kind", ["forbid", "require"])
def test_a_rule_is_unsure_where_a_turn_has_more_places_than_are_read(judge: Any, kind: str) -> None:
    near = rule_of(kind=kind, when=[{"near": [["爆"], ["通讯录"]], "within": 2}])
    phrase = rule_of(kind=kind, when=[{"phrase": ["爆你通讯录"], "by_sound": True}])
    nothing = Result.PASS if kind == "forbid" else Result.FAIL
    for rule, place in ((near, "通讯录"), (phrase, "爆你通")):  # half of a long phrase is a place to look at
        few, many = (f"agent: 爆{('天地玄黄' * 60 + place) * times}" for times in (30, 50))
        assert judge(rule, few).outcomes["tried"] is nothing
        assert judge(rule, many).outcomes["tried"] is Result.UNSURE


@pytest.mark.parametrize(
    ("when", "characters"),
    [
        ({"phrase": ["爆你通讯录"]}, 10_001),
        ({"similar": {"sentences": ["我要爆你的通讯录"]}}, 2_001),
        ({"entity": ["money"]}, 5_001),
    ],
)
def test_a_rule_is_unsure_about_the_unread_end_of_a_turn(judge: Any, when: Any, characters: int) -> None:
    words = "我要你的天" if "similar" in when else "天"
    rule = rule_of(when=[when])
    whole, cut = (f"agent: {words}{'天' * (size - len(words) - 1)}万" for size in (characters - 1, characters))
    assert judge(rule, whole).outcomes["tried"] is Result.PASS
    assert judge(rule, cut).outcomes["tried"] is Result.UNSURE
    assert judge(rule, cut.replace("agent", "customer")).outcomes["tried"] is Result.PASS


def test_emoji_do_not_move_what_is_found(quotes: Any) -> None:
    long = "agent: " + "天地玄黄😀" * 100 + "爆你通讯录😀"
    assert quotes([{"near": [["爆"], ["通讯录"]], "within": 2}], long) == ["爆你通讯录"]
    assert quotes([{"phrase": ["通讯录😀"]}], long, "agent: 通讯录😡") == ["通讯录😀"]
