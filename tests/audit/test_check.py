"""`callaudit check`: the format of one line in, one line out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.check import Checked, check_lines
from rules.load import load_rules
from rules.model import RuleSet
from tests.conftest import PACK

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    file = tmp_path_factory.mktemp("pack") / "tiny.yaml"
    file.write_text(PACK, "utf-8")
    return load_rules(file)


def check(ruleset: RuleSet, *calls: Any) -> list[Checked]:
    lines = [call if isinstance(call, bytes) else json.dumps(call, ensure_ascii=False).encode() for call in calls]
    return list(check_lines(lines, ruleset))


def test_the_answer_has_the_agreed_form(tiny: RuleSet) -> None:
    turns = [
        {"role": "agent", "text": "再不还就爆你通讯录", "start_ms": 0, "end_ms": 1800},
        {"role": "customer", "text": "下周五还两千"},
    ]
    call = {"call_id": "c1", "agent_id": "A", "started_at": "2026-11-19T10:00:00+08:00", "callee_relation": "self"}
    (checked,) = check(tiny, call | {"turns": turns})
    answer = checked.answer
    assert answer is not None
    assert list(answer) == ["call_id", "findings", "outcomes", "promise", "score"]
    (finding,) = answer["findings"]
    assert list(finding) == [
        "rule", "category", "severity", "outcome", "turn", "start", "end", "quote", "heard_as", "confidence", "because",
    ]  # fmt: skip
    assert (finding["rule"], finding["outcome"], finding["turn"]) == ("threaten-contacts", "fail", 0)
    assert turns[0]["text"][finding["start"] : finding["end"]] == finding["quote"] == "爆你通讯录"  # type: ignore[index]
    assert finding["because"]
    assert answer["outcomes"] == {"threaten-contacts": "fail", "calls-names": "pass"}
    assert answer["promise"] == {"amount": 2000, "date": "2026-11-27", "text": answer["promise"]["text"]}
    assert answer["score"] == 0


def test_all_but_turns_may_be_missing(tiny: RuleSet) -> None:
    (checked,) = check(tiny, {"turns": [{"role": "agent", "text": "您好"}]})
    assert checked.answer is not None
    assert checked.answer["call_id"] is None
    assert (checked.answer["findings"], checked.answer["promise"], checked.answer["score"]) == ([], None, 100)


def test_a_call_without_a_word_has_no_score(tiny: RuleSet) -> None:
    (checked,) = check(tiny, {"turns": []})
    assert checked.answer is not None
    assert (checked.answer["findings"], checked.answer["score"]) == ([], None)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[1]", "JSON"),
        ('{"turns": "您好"}'.encode("gbk"), "另存为 UTF-8"),
        (b"{", "第 2 个字符处.*engine transcript"),
        ({"call_id": "x"}, "缺少 turns"),
        ({"turns": "您好"}, "缺少 turns"),
        ({"turns": [{"role": "agent"}]}, r"turns\[0\] 缺少 text"),
        ({"turns": [{"role": "agent", "text": "a"}, {"role": "boss", "text": "b"}]}, r"turns\[1\].*boss.*customer"),
        ({"turns": [{"role": "agent", "text": "a", "start_ms": "0"}]}, "start_ms"),
        ({"turns": [{"role": "agent", "text": "a", "start_ms": 9, "end_ms": 3}]}, "start_ms"),
        ({"turns": [], "callee_relation": "邻居"}, "邻居.*guarantor"),
        ({"turns": [], "started_at": "昨天"}, "昨天"),
        ({"turns": [], "started_at": "2026-11-19"}, "2026-11-19"),  # midnight would be a call in the quiet hours
        ({"turns": [], "started_at": "0001-01-01T10:00"}, "0001"),
        ({"turns": [], "call_id": {}}, "call_id"),
    ],
)
def test_a_bad_line_is_told_and_the_others_are_judged(tiny: RuleSet, line: Any, told: str) -> None:
    first, bad, last = check(tiny, {"turns": []}, line, {"turns": []})
    assert first.answer is not None
    assert last.answer is not None
    assert (bad.line, bad.answer) == (2, None)
    assert re.search(told, bad.error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["turns", "call_id", "role", "text", "start_ms", "end_ms", "started_at", "callee_relation"])


@given(
    st.dictionaries(keys, json_values)
    | st.fixed_dictionaries({"turns": st.lists(st.dictionaries(keys, json_values), max_size=3)})
    | json_values
)
def test_no_line_whatever_stops_the_run(tiny: RuleSet, value: Any) -> None:
    first, last = check(tiny, json.dumps(value).encode(), {"turns": []})
    assert (first.answer is None) == bool(first.error)
    assert last.answer is not None


def test_the_command_prints_one_line_a_call(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    said = '{"call_id": "一", "turns": [{"role": "agent", "text": "爆你通讯录"}]}\n\nbad\n{"turns": []}\n'
    done = callaudit("check", "-", "--rules", pack, stdin=said)
    assert done.returncode == 3
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["score"] for answer in answers] == [0, None]
    assert "一" in done.stdout
    assert done.stderr.startswith("第 3 行：不是 JSON")


def test_the_table_is_for_people(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    (tmp_path / "c.jsonl").write_text(
        '{"call_id": "k1", "turns": [{"role": "agent", "text": "爆你通讯录"}]}\n', "utf-8"
    )
    done = callaudit("check", "c.jsonl", "--format", "table", "--rules", pack)
    assert done.returncode == 0
    line = next(line for line in done.stdout.splitlines() if "k1" in line)
    assert "threaten-contacts" in line
    assert "一票否决" in line


def test_a_file_that_is_not_there_is_told(callaudit: Run) -> None:
    done = callaudit("check", "none.jsonl")
    assert done.returncode == 2
    assert "none.jsonl" in done.stderr
    assert done.stdout == ""


QUALITY = ("talks-over-customer", "long-silence", "speaks-too-fast", "agent-does-all-the-talking", "hangs-up-on-customer")


@pytest.mark.parametrize("end_ms", [None, 900])
def test_manner_is_judged_only_by_times_that_were_given(end_ms: int | None) -> None:
    """Half of the times are none: what lies between the turns would be invented."""
    first = {"role": "agent", "text": "您好" * 200} | ({} if end_ms is None else {"start_ms": 0, "end_ms": end_ms})
    line = json.dumps({"turns": [first, {"role": "customer", "text": "嗯"}]}).encode()
    outcomes = next(check_lines([line], load_rules())).answer["outcomes"]  # type: ignore[index]
    assert {rule: outcomes[rule] for rule in QUALITY} == dict.fromkeys(QUALITY, "not_applicable")


def test_manner_is_judged_where_all_times_are_known() -> None:
    turns = [
        {"role": "agent", "text": "您稍等", "start_ms": 0, "end_ms": 1000},
        {"role": "agent", "text": "查到了", "start_ms": 20_000, "end_ms": 21_000},
    ]
    checked = next(check_lines([json.dumps({"turns": turns}).encode()], load_rules()))
    assert checked.answer is not None
    assert checked.answer["outcomes"]["long-silence"] == "fail"
