"""Broken packs: every error at once, with file and line; and what a company's own pack may do."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.load import RuleErrors, load_rules

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


@pytest.fixture
def pack(tmp_path: Path) -> Any:
    """`pack({"threat/tried.yaml": text})` writes a pack and returns its folder."""

    def written(files: dict[str, str], manifest: str = "name: tried-pack\ntitle: 试\nversion: 1.0.0\n") -> Path:
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
        ("  - phrase: [收拾你]", "  - phrase: []\n    within: 3", 11, "within"),
        ("  - phrase: [收拾你]", "  - pattern: '你(.*)吗'", 1, "上限"),
        ("  - phrase: [收拾你]", "  - pattern: '你('", 1, "写错了"),
        ("  - phrase: [收拾你]", "  - pattern: '\\b你'", 1, "没有词边界"),
        ("  - phrase: [收拾你]", "  - phrase: ['@nobody']", 1, "没有名为 @nobody 的词表"),
        ("  - phrase: [收拾你]", "  - pattern: 收拾(?@nobody)", 1, "没有名为 @nobody 的词表"),
        ("  - phrase: [收拾你]", "  - phrase: [你]\n    after: {condition: no_such}", 1, "锚点"),
        ("  - phrase: [收拾你]", "  - measure: {name: duration_s, at_least: $none}", 1, "没有名为 none 的参数"),
        ("title: 试\n", "title: 试\ntitle: 再试\n", 3, "重复的键"),
        ("since: 0.1.0\n", "", 1, "缺少这一项"),
        ("id: tried", "id: other", 1, "与文件名"),
        ("agent: 收拾你", "坐席: 收拾你", 13, "格式不对"),
        ("when:", "when: [", 11, "YAML"),
        ("why: 试", "why: &a [*a]", 9, "绕成了圈"),
    ],
)
def test_a_broken_rule_says_where_and_what(pack: Any, before: str, after: str, line: int, said: str) -> None:
    assert before in GOOD
    errors = errors_of(pack({"threat/tried.yaml": GOOD.replace(before, after)}))
    assert any(f"tried.yaml:{line}: " in error and said in error for error in errors), errors


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
        ("more_than: 2", "more_than: $no_such", 1, "没有名为 no_such 的参数"),
        ("more_than: 2", "more_than: 2, window: 0", 11, "不能小于 1"),
        ("more_than: 2", "more_than: 2, window: 99999", 11, "不能大于 8784"),
        ("what: attempts", "what: effective", 1, "没有名为 effective_call_seconds 的参数"),
        (PER_DAY, "{what: third_party_too_early}", 1, "没有名为 third_party_after_attempts 的参数"),
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
    assert "pack.yaml:1: 参数 most 应是整数，这里是 六" in errors_of(pack({"threat/tried.yaml": counting}, limit))[0]


def test_shared_conditions_that_name_nothing_or_themselves(pack: Any) -> None:
    shared = "conditions: {lost: {hit: nowhere}, one: {any: [{hit: two}]}, two: {hit: one}}\n"
    folder = pack({"threat/tried.yaml": GOOD}, "name: tried-pack\ntitle: 试\nversion: 1.0.0\n" + shared)
    missing, *circles = errors_of(folder)
    assert "pack.yaml:1: 共用条件 lost" in missing
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
