"""The rules' bench: how a dialogue may be typed, and what is told about it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from audit.access import LOCAL, Actor, Refused, Role
from audit.bench import LONGEST, read_dialogue, try_dialogue
from audit.check import BadLine
from rules.engine import Judge
from rules.load import load_rules
from rules.model import CallFacts, Result
from rules.second_opinion import SecondOpinion

THREAT = "坐席：再不还钱我们就爆你通讯录\n客户：你们这样是违法的"


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(load_rules())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("坐席：您好\n客户：你好", [("agent", "您好"), ("customer", "你好")]),
        ("agent: hello\n Customer : hi", [("agent", "hello"), ("customer", "hi")]),
        ("催收员:您好\n\n债务人：嗯", [("agent", "您好"), ("customer", "嗯")]),
        ("坐席：您好，\n这里是客服", [("agent", "您好，这里是客服")]),
        ('[{"role": "agent", "text": "您好"}]', [("agent", "您好")]),
        ('{"turns": [\n {"role": "customer", "text": "喂"}\n]}', [("customer", "喂")]),
    ],
)
def test_a_dialogue_may_be_lines_or_json(typed: str, said: list[tuple[str, str]]) -> None:
    turns, _ = read_dialogue(typed)
    assert [(turn.role.value, turn.text) for turn in turns] == said
    assert [turn.index for turn in turns] == list(range(len(said)))


def test_json_brings_its_facts() -> None:
    call = {"turns": [{"role": "agent", "text": "您好"}], "callee_relation": "contact"}
    _, facts = read_dialogue(json.dumps(call, indent=2))
    assert facts.callee_relation == "contact"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "还没有文字"),
        ("您好", "第 1 行没有写是谁说的"),
        ('{"turns": [', "不是正确的 JSON"),
        ('{"turns": [{"role": "boss", "text": "x"}]}', "role“boss”不认识"),
        ("坐席：" + "啊" * LONGEST, "文字太长"),
    ],
)
def test_what_is_wrong_is_said(typed: str, told: str) -> None:
    with pytest.raises(BadLine, match=told):
        read_dialogue(typed)


def test_rules_that_fire_come_first_with_their_reasons(judge: Judge) -> None:
    turns, facts = read_dialogue(THREAT)
    tried = try_dialogue(turns, facts, judge=judge, second=None, actor=LOCAL)
    assert tried.traces[0].fired
    assert tried.card.vetoed
    assert any("通讯录" in trace.why for trace in tried.traces if trace.fired)


def test_a_near_miss_says_what_kept_the_rule_silent(judge: Judge) -> None:
    turns, facts = read_dialogue("坐席：您放心，我们不会爆您的通讯录")
    silent = [t for t in try_dialogue(turns, facts, judge=judge, second=None, actor=LOCAL).traces if not t.fired]
    assert any("否定" in trace.why for trace in silent)


def test_hints_of_the_second_opinion_are_told_as_unsure(judge: Judge) -> None:
    turns, _ = read_dialogue("坐席：你等着瞧，让你家里人也过不安生")
    silent = Judge(replace(judge.ruleset, rules=()))
    tried = try_dialogue(turns, CallFacts(), judge=silent, second=SecondOpinion(judge.ruleset), actor=LOCAL)
    hints = [trace for trace in tried.traces if trace.title.startswith("模型提示")]
    assert [(hint.fired, hint.result) for hint in hints] == [(True, Result.UNSURE)]


def test_a_collector_may_not_try_rules(judge: Judge) -> None:
    turns, facts = read_dialogue(THREAT)
    collector = Actor(name="王敏", role=Role.COLLECTOR, agent_id="A01")
    with pytest.raises(Refused):
        try_dialogue(turns, facts, judge=judge, second=None, actor=collector)
