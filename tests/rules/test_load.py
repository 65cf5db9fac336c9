"""Broken packs: every error at once, with file and line; and what a company's own pack may do."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.engine import Judge
from rules.entities import EntityKind
from rules.examples import turns_of
from rules.load import RuleErrors, load_rules
from rules.model import CallFacts, EntityName, Result

GOOD = """\
id: tried
title: 试
title_en: Tried
category: threat
kind: forbid
severity: high
status: test
since: 0.1.0
why: 试
when:
  - phrase: [收拾你]
examples:
  violations: [{turns: ["agent: 收拾你"]}]
  clean: [{turns: ["agent: 收拾屋子"], why: 家务}]
"""
MANIFEST = "name: tried-pack\ntitle: 试\nversion: 1.0.0\n"
OVER_OURS = MANIFEST + "extends: cn-collection\n"


@pytest.fixture
def pack(tmp_path: Path) -> Any:
    """`pack({"threat/tried.yaml": text})` writes a pack and returns its folder."""

    def written(files: dict[str, str], manifest: str = MANIFEST) -> Path:
        for name, text in {"pack.yaml": manifest, **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return written


def errors_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(RuleErrors) as caught:
        load_rules(folder)
    return caught.value.errors


def test_a_good_pack(pack: Any) -> None:
    ruleset = load_rules(pack({"threat/tried.yaml": GOOD}))
    assert [rule.id for rule in ruleset.rules] == ["tried"]
    assert len(ruleset.digest) == 64


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("severity: high", "severty: high", 6, "不认识的键"),
        ("severity: high", "severity: terrible", 6, "只能是"),
        ("category: threat", "category: rude", 4, "只能是"),
        ("  - phrase: [收拾你]", "  - phrase: [收拾你]\n    pattern: 你", 11, "一个条件只写一个算子"),
        ("  - phrase: [收拾你]", "  - phrase: [收拾你]\n    within: 3", 11, "within"),
        ("  - phrase: [收拾你]", "  - phrase: [你, 我]\n  - pattern: '你(.*)吗'", 12, "when.2.pattern: 重复没有上限"),
        ("  - phrase: [收拾你]", "  - pattern: '你('", 11, "写错了：圆括号没有配对（第 2 个字符）"),
        ("  - phrase: [收拾你]", "  - pattern: '\\b你'", 11, "没有词边界"),
        ("  - phrase: [收拾你]", "  - phrase:\n    - 你\n    - '@nobody'", 13, "when.1.phrase.2: 没有名为 @nobody 的词表"),
        ("  - phrase: [收拾你]", "  - pattern: 收拾(?@nobody)", 11, "没有名为 @nobody 的词表"),
        ("  - phrase: [收拾你]", "  - phrase: [你]\n    after: {condition: no_such}", 12, "锚点"),
        ("  - phrase: [收拾你]", "  - measure: {name: duration_s, at_least: $none}", 11, "没有名为 none 的参数"),
        ("title: 试\n", "title: 试\ntitle: 再试\n", 3, "重复的键"),
        ("since: 0.1.0\n", "", 1, "缺少这一项"),
        ("id: tried", "id: other", 1, "与文件名"),
        ("agent: 收拾你", "坐席: 收拾你", 13, "格式不对：每句写成 agent: … 或 customer: …"),
        ("when:", "when: [", 11, "YAML 格式错误：这里缺少内容，或括号没有配对"),
        ("phrase: [收拾你]", "phrase: [@family]", 11, "“@”开头的词要加引号"),
        ("phrase: [收拾你]", "\tphrase: [收拾你]", 11, "制表符"),
        ("why: 试", "why: '试", 9, "引号没有配对"),
        ("why: 试", "why: \x01试", 9, "控制字符"),
        ("why: 试", "why: &a [*a]", 9, "绕成了圈"),
        ("agent: 收拾屋子\"", "agent: 收拾屋子\"], started_at: [昨天", 14, "应是日期和时间"),
        ("when:", "guards: [negation, 口头禅]\nwhen:", 10, "guards.2: 只能是 negation、reported、warning、question 之一"),
        ("  - phrase: [收拾你]", "  - phrase: [你]\n    after: {condition: whole_call, hit: 头}", 12, "只能是 first、last、any 之一；或应是整数"),
    ],
)
def test_a_broken_rule_says_where_and_what(pack: Any, before: str, after: str, line: int, said: str) -> None:
    assert before in GOOD
    errors = errors_of(pack({"threat/tried.yaml": GOOD.replace(before, after)}))
    assert any(f"tried.yaml:{line}: " in error and said in error for error in errors), errors


NEVER = [
    ("phrase: [嗯, 收拾你]", "when.1.phrase.1: “嗯”永远不会命中"),
    ("phrase: ['，']", "when.1.phrase.1: “，”永远不会命中"),
    ("near: [[你], [呃]]\n    within: 3", "when.1.near.2.1: “呃”永远不会命中"),
    ("similar: {sentences: [嗯你]}", "when.1.similar.sentences.1: “嗯你”太短"),
    ("phrase: []", "when.1.phrase: 至少要有 1 项"),
    ("near: [[你], []]\n    within: 3", "when.1.near.2: 至少要有 1 项"),
    ("all: []", "when.1.all: 至少要有 1 项"),
    ("any: []", "when.1.any: 至少要有 1 项"),
    ("none: []", "when.1.none: 至少要有 1 项"),
    ("relation: []", "when.1.relation: 至少要有 1 项"),
    ("signal: []", "when.1.signal: 至少要有 1 项"),
    ("entity: [moneyy]", "when.1.entity.1: 只能是 money、date、"),
    ("tokens: []", "when.1.tokens: 至少要有 1 项"),
    ("tokens: [{FOO: 1}]", "when.1.tokens.1: 不认识 FOO"),
    ("tokens: [{TEXT: {IN: []}}]", "when.1.tokens.1: TEXT 写一个词"),
    ("tokens: [{TEXT: {REGEX: 你}}]", "when.1.tokens.1: TEXT 写一个词"),
    ("tokens: [{TEXT: 你, OP: '**'}]", "when.1.tokens.1: OP 只能是"),
    ("tokens: [{TEXT: 你, LENGTH: 长}]", "when.1.tokens.1: LENGTH 应是字数"),
    ("tokens: [{TEXT: APP}]", "when.1.tokens.1: “APP”永远不会出现：匹配的文本里它是“app”"),
    ("pattern: 下载APP", "when.1.pattern: “下载APP”永远不会出现：匹配的文本里它是“下载app”"),
    ("pattern: '[一-龥]爆你通讯录'\n    by_sound: true", "when.1.pattern: 按读音匹配时"),
    ("measure: {name: turns, at_least: 很多}", "when.1.measure.at_least: 应是数字或 $参数，这里是 很多"),
    ("hour: {from: '２2:00', to: '08:00'}", "when.1.hour.from: 格式不对：写钟点"),
    ("phrase: [你]\n    after: {condition: whole_call, turns: [5, 1]}", "when.1.after.turns: 先写近的、再写远的：[1, 5]"),
    ("phrase: [你]\n    name: a\n    before: {condition: a}", "when.1.name: 绕了一圈又指回自己"),
    ("hit: a\n    name: a", "when.1.name: 绕了一圈又指回自己"),
    ("all: [{name: a, hit: b}, {name: b, any: [{phrase: [你], around: {condition: a}}]}]", "when.1.all.1.name: 绕了一圈"),
    ("name: a\n    all: [{phrase: [你], after: {condition: a}}]", "when.1.name: 绕了一圈又指回自己"),
]


@pytest.mark.parametrize(("condition", "said"), NEVER)
def test_what_could_never_be_judged_is_refused_with_its_line(pack: Any, condition: str, said: str) -> None:
    errors = errors_of(pack({"threat/tried.yaml": GOOD.replace("phrase: [收拾你]", condition)}))
    assert any(re.search(rf"tried\.yaml:1[1-4]: {re.escape(said)}", error) for error in errors), errors
    assert not any(re.search("Input should|Value error|string ", error) for error in errors)


def test_entities_are_called_as_the_reader_of_them_does() -> None:
    assert set(get_args(EntityName)) == {kind.value for kind in EntityKind}


def test_one_wrong_line_of_an_example_is_one_error(pack: Any) -> None:
    (error,) = errors_of(pack({"threat/tried.yaml": GOOD.replace("agent: 收拾你", "坐席：收拾你")}))
    assert "tried.yaml:13: examples.violations.1.turns.1: 格式不对" in error


@pytest.mark.parametrize(
    ("value", "use", "said"),
    [
        ("早上八点", "hour: {from: $mine, to: '08:00'}", "参数 mine 应是钟点"),
        ("8:00", "hour: {from: '20:00', to: $mine}", "参数 mine 应是钟点"),
        ("很多", "measure: {name: turns, at_least: $mine}", "参数 mine 应是数字"),
        ("很多", "measure: {name: turns, below: $mine}", "参数 mine 应是数字"),
    ],
)
def test_a_parameter_must_be_what_it_is_used_as(pack: Any, value: str, use: str, said: str) -> None:
    manifest = MANIFEST + f"parameters: {{mine: {{value: '{value}', basis: 试, confidence: low}}}}\n"
    (error,) = errors_of(pack({"threat/tried.yaml": GOOD.replace("phrase: [收拾你]", use)}, manifest))
    assert f"pack.yaml:4: parameters.mine.value: {said}" in error


def test_a_parameter_of_ours_must_stay_what_our_rules_use_it_as(pack: Any) -> None:
    manifest = OVER_OURS + "parameters: {quiet_end: {value: 早上八点, basis: 试, confidence: low}}\n"
    (error,) = errors_of(pack({}, manifest))
    assert "pack.yaml:5: parameters.quiet_end.value: 参数 quiet_end 应是钟点" in error


def test_a_company_may_have_parameters_and_word_lists_of_its_own(pack: Any) -> None:
    rule = GOOD.replace("phrase: [收拾你]", "phrase: ['@our_threats']\n  - measure: {name: turns, at_least: $our_turns}")
    parameter = "parameters: {our_turns: {value: '90', basis: 试, confidence: low}}\n"
    folder = pack({"threat/tried.yaml": rule, "lexicon/own.yaml": "our_threats: [收拾你, 摆平你]\n"}, OVER_OURS + parameter)
    ruleset = load_rules(folder)
    assert ruleset.parameters["our_turns"] == "90"
    assert ruleset.words(["@our_threats"]) == ("收拾你", "摆平你")
    assert Judge(ruleset).judge(turns_of(["agent: 我们摆平你"]), CallFacts()).outcomes["tried"] is Result.FAIL


def test_parameters_and_word_lists_of_ones_own_that_would_do_nothing(pack: Any) -> None:
    parameter = "parameters: {quiet_strat: {value: '21:00', basis: 试, confidence: low}}\n"
    taken, silent, unused = errors_of(pack({"lexicon/own.yaml": "family: [嗯]\n"}, OVER_OURS + parameter))
    assert "own.yaml:1: family: 自带的词表里已有 family" in taken
    assert "own.yaml:1: family.1: “嗯”永远不会命中" in silent
    assert "pack.yaml:5: parameters.quiet_strat: 没有规则用到参数 quiet_strat" in unused
    assert "quiet_start" in unused


PER_DAY = "{what: attempts, per: debtor, more_than: 2}"
COUNTING = GOOD.replace("phrase: [收拾你]", f"count: {PER_DAY}").replace("kind: forbid", "kind: limit")


@pytest.mark.parametrize(
    "count",
    [
        "{what: attempts, per: debtor, more_than: 2, window: 48}",
        "{what: unanswered, per: number, more_than: 0, window: day}",
        "{what: third_party_after_refusal}",
    ],
)
def test_a_count_of_ones_own(pack: Any, count: str) -> None:
    (rule,) = load_rules(pack({"threat/tried.yaml": COUNTING.replace(PER_DAY, count)})).rules
    assert rule.count is not None


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        (", more_than: 2", "", 11, "要写 per（number 或 debtor）和 more_than"),
        ("per: debtor, ", "", 11, "要写 per（number 或 debtor）和 more_than"),
        ("what: attempts", "what: third_party_too_early", 11, "不写 per、more_than、window"),
        (PER_DAY, "{what: third_party_after_refusal, window: day}", 11, "不写 per、more_than、window"),
        ("what: attempts", "what: visits", 11, "只能是"),
        ("more_than: 2", "more_than: -1", 11, "格式不对"),
        ("more_than: 2", "more_than: $no_such", 11, "没有名为 no_such 的参数"),
        ("more_than: 2", "more_than: 2, window: 0", 11, "不能小于 1"),
        ("more_than: 2", "more_than: 2, window: 99999", 11, "不能大于 8784"),
        ("what: attempts", "what: effective", 11, "没有名为 effective_call_seconds 的参数"),
        (PER_DAY, "{what: third_party_too_early}", 11, "没有名为 third_party_after_attempts 的参数"),
        (f"count: {PER_DAY}", f"all: [{{count: {PER_DAY}}}]", 11, "只能单独写在 when 里"),
        (f"count: {PER_DAY}", f"any: [{{count: {PER_DAY}}}]", 11, "只能单独写在 when 里"),
        (f"count: {PER_DAY}", f"none: [{{all: [{{count: {PER_DAY}}}]}}]", 11, "只能单独写在 when 里"),
        (f"count: {PER_DAY}", f"phrase: [你]\n    answered_by: {{role: any, any: [{{count: {PER_DAY}}}]}}", 11, "单独"),
        ("examples:", f"unless: [{{count: {PER_DAY}}}]\nexamples:", 12, "只能单独写在 when 里"),
        ("when:", f"applies_when: [{{count: {PER_DAY}}}]\nwhen:", 10, "只能单独写在 when 里"),
        ("when:", f"applies_unless: [{{count: {PER_DAY}}}]\nwhen:", 10, "只能单独写在 when 里"),
        (PER_DAY, f"{PER_DAY}\n    first: {{turns: 2}}", 11, "不能加 first"),
        (PER_DAY, f"{PER_DAY}\n  - phrase: [你]", 1, "不能有别的条件"),
        ("examples:", "unless: [{phrase: [你]}]\nexamples:", 1, "不能有别的条件"),
        ("kind: limit", "kind: require", 1, "kind 要写 limit"),
    ],
)
def test_a_count_that_could_not_be_judged_says_where_and_why(
    pack: Any, before: str, after: str, line: int, said: str
) -> None:
    assert before in COUNTING
    errors = errors_of(pack({"threat/tried.yaml": COUNTING.replace(before, after)}))
    assert any(f"tried.yaml:{line}: " in error and said in error for error in errors), errors


def test_counts_are_not_shared_and_their_parameters_are_numbers(pack: Any) -> None:
    manifest = "name: tried-pack\ntitle: 试\nversion: 1.0.0\n"
    shared = manifest + f"conditions:\n  often:\n    count: {PER_DAY}\n"
    assert "pack.yaml:5: conditions: count 由许多通话一起判" in errors_of(pack({"threat/tried.yaml": GOOD}, shared))[0]
    limit = manifest + "parameters: {most: {value: 六, basis: 试, confidence: low}}\n"
    counting = COUNTING.replace("more_than: 2", "more_than: $most")
    assert "pack.yaml:4: parameters.most.value: 参数 most 应是整数，这里是 六" in errors_of(pack({"threat/tried.yaml": counting}, limit))[0]


def test_shared_conditions_that_name_nothing_or_themselves(pack: Any) -> None:
    shared = "conditions: {lost: {hit: nowhere}, one: {any: [{hit: two}]}, two: {hit: one}}\n"
    folder = pack({"threat/tried.yaml": GOOD}, "name: tried-pack\ntitle: 试\nversion: 1.0.0\n" + shared)
    missing, *circles = errors_of(folder)
    assert "pack.yaml:4: conditions.lost.hit: " in missing
    assert "nowhere 没有定义" in missing
    assert ["绕了一圈" in error for error in circles] == [True, True]


def test_signals_that_hang_on_signals_are_an_error(pack: Any) -> None:
    signal = GOOD.replace("kind: forbid", "kind: signal").replace("  - phrase: [收拾你]", "  - hit: poor")
    manifest = "name: tried-pack\ntitle: 试\nversion: 1.0.0\nconditions: {poor: {signal: [hardship]}}\n"
    assert "绕圈" in errors_of(pack({"threat/tried.yaml": signal}, manifest))[0]


def test_all_errors_at_once(pack: Any) -> None:
    broken = GOOD.replace("severity: high", "severity: terrible").replace("status: test", "status: fine")
    errors = errors_of(
        pack({"threat/tried.yaml": broken, "abuse/other.yaml": GOOD.replace("kind: forbid", "kin: forbid")})
    )
    assert len([error for error in errors if "tried.yaml" in error]) == 2
    assert any("other.yaml" in error for error in errors)


@pytest.mark.parametrize("inline", [False, True])
def test_what_is_wrong_in_one_place_hides_nothing_in_another(pack: Any, inline: bool) -> None:
    broken = GOOD.replace("since: 0.1.0", "since:")
    listed = GOOD.replace("id: tried", "id: listed").replace("[收拾你]", "['@nobody']")
    manifest = OVER_OURS + "disable: [nothing-here, tried]\nparameters: {mine: {value: 1}}\n"
    files = {"threat/tried.yaml": broken, "threat/listed.yaml": listed}
    if inline:
        manifest += "rules:\n" + "".join("  - " + rule.strip().replace("\n", "\n    ") + "\n" for rule in (broken, listed))
        files = {}
    errors = errors_of(pack(files, manifest))
    for said in ("since: 不能为空", "没有编号为 nothing-here 的规则", "没有名为 @nobody 的词表", "parameters.mine.basis: 缺少这一项"):
        assert sum(said in error for error in errors) == 1, errors
    assert len(errors) == 5, errors  # a parameter lacks its confidence, too


def test_a_repeated_id(pack: Any) -> None:
    assert "重复" in errors_of(pack({"threat/tried.yaml": GOOD, "abuse/tried.yaml": GOOD}))[0]


def test_an_unknown_pack_names_those_that_there_are() -> None:
    with pytest.raises(RuleErrors, match="cn-collection"):
        load_rules("no-such-pack")


def test_text_stays_text_until_a_model_wants_more(pack: Any) -> None:
    hour = "  - hour: {from: 22:00, to: 08:00}"
    rule = GOOD.replace("  - phrase: [收拾你]", hour).replace("why: 试", "why: on")
    (loaded,) = load_rules(pack({"threat/tried.yaml": rule})).rules
    assert loaded.why == "on"
    assert str(loaded.when[0].hour.start) == "22:00"  # type: ignore[union-attr]


def test_a_rule_of_ours_is_replaced_only_where_it_is_disabled(pack: Any) -> None:
    ours = load_rules()
    taken = ours.rules[0].id
    own = GOOD.replace("id: tried", f"id: {taken}")
    (error,) = errors_of(pack({f"threat/{taken}.yaml": own}, OVER_OURS))
    assert f"{taken}.yaml:1: id: cn-collection 已有规则 {taken}" in error
    instead = load_rules(pack({}, OVER_OURS + f"disable: [{taken}]\n"))
    (rule,) = (rule for rule in instead.rules if rule.id == taken)
    assert (rule.title, len(instead.rules)) == ("试", len(ours.rules))


def test_a_shared_condition_of_ours_is_not_replaced(pack: Any) -> None:
    (error,) = errors_of(pack({}, OVER_OURS + "conditions: {whole_call: {phrase: [你]}}\n"))
    assert "pack.yaml:5: conditions.whole_call: cn-collection 已有共用条件 whole_call" in error


def test_a_pack_may_not_stand_on_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").write_text(MANIFEST + "extends: own\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert "own:4: extends: 绕了一圈" in errors_of(tmp_path / "own")[0]


def test_files_that_end_in_yml_are_read_too(pack: Any) -> None:
    assert [rule.id for rule in load_rules(pack({"threat/tried.yml": GOOD})).rules] == ["tried"]


def test_a_company_layers_its_own_over_ours(tmp_path: Path) -> None:
    ours = load_rules()
    first = ours.rules[0].id
    manifest = (
        f"name: acme\ntitle: 甲公司\nversion: 1.0.0\nextends: cn-collection\nseverity: {{{first}: low}}\nrules:\n"
    )
    manifest += "".join(f"  {'- ' if n == 0 else '  '}{line}\n" for n, line in enumerate(GOOD.splitlines()))
    (tmp_path / "acme.yaml").write_text(manifest, encoding="utf-8")
    mine = load_rules(tmp_path / "acme.yaml")
    by_id = {rule.id: rule for rule in mine.rules}
    assert by_id[first].severity == "low"
    assert "tried" in by_id
    assert mine.digest != ours.digest
    (tmp_path / "off.yaml").write_text(
        f"name: off\ntitle: 关\nversion: 1.0.0\nextends: cn-collection\ndisable: [{first}]\n", "utf-8"
    )
    assert first not in {rule.id for rule in load_rules(tmp_path / "off.yaml").rules}


def test_disabling_what_does_not_exist_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "name: p\ntitle: 关\nversion: 1.0.0\nextends: cn-collection\ndisable: [nothing-here]\n", "utf-8"
    )
    assert "nothing-here" in errors_of(tmp_path / "p.yaml")[0]


YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["id", "title", "when", "unless", "kind", "category", "examples", "severity", "references", "near", "phrase"]
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(KEYS, YAML, max_size=6) | YAML)
def test_whatever_is_written_is_an_error_and_never_a_crash(pack: Any, written: Any) -> None:
    import yaml

    folder = pack({"threat/tried.yaml": yaml.safe_dump(written, allow_unicode=True)})
    assert errors_of(folder)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_error_and_never_a_crash(pack: Any, text: str) -> None:
    assert errors_of(pack({"threat/tried.yaml": text.replace("\ud800", "")}))


def test_a_pack_that_changes_is_read_again(pack: Any) -> None:
    home = pack({"threat/tried.yaml": GOOD})
    before = load_rules(home).digest
    assert load_rules(pack({"threat/tried.yaml": GOOD.replace("收拾你", "收拾他")})).digest != before
