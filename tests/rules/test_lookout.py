"""What is looked for first loses nothing: asking every condition about every turn finds the same."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.call import Call
from rules.engine import Judge
from rules.load import conditions_of, load_rules
from rules.lookout import Lookout, Places
from rules.model import CallFacts, Finding, Speaker
from rules.patterns import spelled_out
from rules.prefilter import probes
from rules.text import normalise_term
from transcribe.model import Role, Turn

OPEN = Path(__file__).parents[1] / "corpus" / "open"


class Tireless(Judge):
    """Asks every condition about every turn of its speaker."""

    _probes_decide = False

    def _met(self, call: Call) -> dict[int, int]:
        for turn in range(len(call.turns)):
            low, end = call.normal.turns[turn], call.normal.ends[turn]
            stretches = [(0, at, last) for last in range(low, end + 1) for at in range(max(low, last - 20), last)]
            call.spoken_places.note(turn, stretches)
            call.heard_places.note(turn, stretches)
        return {
            turn: sum(node.probes for node in self._nodes if call.speaks(turn, node.speaker))
            for turn in range(len(call.turns))
        }


@cache
def judges() -> tuple[Judge, Judge]:
    return Judge(load_rules()), Tireless(load_rules())


@cache
def spoken() -> tuple[str, ...]:
    calls = [json.loads(line) for file in sorted(OPEN.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    examples = [e for rule in load_rules().rules for e in (*rule.examples.violations, *rule.examples.clean)]
    said = [turn["text"] for call in calls for turn in call["turns"]]
    return (*said, *(line.partition(": ")[2] for example in examples for line in example.turns))


def turns_of(said: Sequence[tuple[Role, str]]) -> list[Turn]:
    return [
        Turn(index=n, role=role, channel=None, start_ms=0, end_ms=0, text=text) for n, (role, text) in enumerate(said)
    ]


def findings_of(judge: Judge, turns: list[Turn]) -> tuple[Finding, ...]:
    return judge.judge(turns, CallFacts()).findings


@st.composite
def a_call(draw: st.DrawFn) -> list[tuple[Role, str]]:
    """Halves of what people say, put together anew."""
    texts = st.sampled_from(spoken())
    half = st.builds(lambda text, at: text[: at % (len(text) + 1)], texts, st.integers(0, 60))
    turn = st.tuples(st.sampled_from(Role), st.builds(lambda a, b: a + b, half, st.one_of(texts, half)))
    return draw(st.lists(turn, min_size=1, max_size=8))


@settings(max_examples=60, deadline=None)
@given(a_call())
def test_nothing_is_lost_by_looking_for_words_first(said: list[tuple[Role, str]]) -> None:
    quick, tireless = judges()
    turns = turns_of(said)
    assert findings_of(quick, turns) == findings_of(tireless, turns)


@cache
def few() -> Judge:
    """Every fifth rule of those that speak only where their words stand."""
    pack = load_rules()
    return Judge(replace(pack, rules=[rule for rule in pack.rules if rule.kind == "forbid"][::5]))


@settings(max_examples=60, deadline=None)
@given(st.lists(a_call(), min_size=1, max_size=6))
def test_a_glance_at_many_calls_says_what_judging_each_says(calls: list[list[tuple[Role, str]]]) -> None:
    judge = few()
    for said, glance in zip(calls, judge.at_a_glance(calls), strict=True):
        assert glance is None or glance == judge.judge(turns_of(said), CallFacts())


def test_a_glance_tells_of_plain_calls_and_leaves_the_others() -> None:
    plain, threat = [(Role.AGENT, "今天天气好")], [(Role.AGENT, "不还钱就打断你的腿")]
    endless = [(Role.AGENT, "好" * 20_000)]
    calls = [plain, threat, [], endless]
    pack = load_rules()
    judge = Judge(replace(pack, rules=[rule for rule in pack.rules if rule.category == "threat"]))
    assert [glance is None for glance in judge.at_a_glance(calls)] == [False, True, True, True]
    assert Judge(pack).at_a_glance(calls) == [None] * 4  # some duty always has something to say


@pytest.mark.parametrize(
    "pattern",
    ["(?:我|俺)?[^。？]{0,3}(?:上门|去你家)了?", "还(?!款)钱|不还", "(a|b)c\\1", "(?<=不)还", "x{2,3}(?:y)?|[甲乙]丙"],
)
@settings(max_examples=80)
@given(st.text(alphabet="我俺上门去你家了还款钱不abcxy甲乙丙。", max_size=12))
def test_probes_succeed_exactly_where_the_pattern_matches(pattern: str, text: str) -> None:
    assert _probed(pattern, text) is (re.search(pattern, text) is not None)


def test_probes_of_the_pack_agree_with_its_patterns() -> None:
    pack = load_rules()
    patterns = {spelled_out(c.pattern, pack.words) for rule in pack.rules for c in conditions_of(rule) if c.pattern}
    texts = [normalise_term(text) for text in spoken()[::71]]
    wrong = [(p, t) for p in patterns for t in texts if _probed(p, t) is not (re.search(p, t) is not None)]
    assert wrong == []


def _probed(pattern: str, text: str) -> bool:
    found = [probe for probe in probes(pattern) if all(any(string in text for string in need) for need in probe.needs)]
    return any(probe.expression is None or probe.expression.search(text) is not None for probe in found)


def test_needs_are_met_in_the_turns_of_their_speaker() -> None:
    debt, money, none = frozenset({"还钱", "欠"}), frozenset({"钱"}), frozenset({"没", "冇"})
    sought: list[tuple[Sequence[frozenset[str]], Speaker]] = [
        ((debt,), "agent"), ((debt, money), "customer"), ((debt,), "any"), ((money,), "agent"),
        ((money, none), "customer"), ((debt, money, none), "any"),
    ]  # fmt: skip
    text, ends = "\n您好\n还钱\n没钱\n欠钱没\n", [3, 6, 9, 13]

    def met(roles: list[Role]) -> list[tuple[int, set[int]]]:
        found = Lookout(dict(enumerate(sought)), size=len(sought)).met(text, ends, roles)
        return [(turn, {n for n in range(len(sought)) if met >> n & 1}) for turn, met, _ in found]

    assert met([Role.AGENT, Role.AGENT, Role.CUSTOMER, Role.OTHER]) == [(1, {0, 2, 3}), (2, {4}), (3, {2, 5})]
    assert met([Role.UNKNOWN] * 4) == [(1, {0, 1, 2, 3}), (2, {3, 4}), (3, {0, 1, 2, 3, 4, 5})]


def test_places_of_strings_may_overlap() -> None:
    lookout = Lookout({0: ([frozenset({"还钱", "钱"})], "any"), 1: ([frozenset({"快还"})], "any")}, size=2)
    text = "\n快还钱\n钱\n"
    places = Places(text)
    for turn, _, found in lookout.met(text, [4, 6], [Role.AGENT, Role.CUSTOMER]):
        places.note(turn, found)
    assert places.of(0, frozenset({"钱", "还钱"})) == [(2, 4), (3, 4)]
    assert places.of(0, frozenset({"钱", "快还"})) == [(1, 3), (3, 4)]
    assert places.of(1, frozenset({"还钱", "钱"})) == [(5, 6)]
    assert places.of(2, frozenset({"钱"})) == []
