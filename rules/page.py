"""A rule as a page for people: what it looks for, why, on which clause, with examples and known misses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rules.model import (
    CATEGORIES,
    COUNTED,
    COUNTED_BY,
    EACH,
    Anchor,
    Condition,
    Count,
    Example,
    Reference,
    Rule,
    RuleSet,
    Window,
)

SEVERITIES = {"critical": "一票否决", "high": "高", "medium": "中", "low": "低", "info": "提示"}
STATUSES = {"draft": "草稿", "test": "试用", "stable": "正式", "deprecated": "停用"}
KINDS = {"forbid": "禁止", "require": "必备", "signal": "信号", "limit": "限度"}
_SPEAKERS = {"agent": "坐席", "customer": "客户", "other": "他人", "any": "任何人"}
_AUTHORITIES = {
    "law": "法律",
    "regulation": "监管规定",
    "national_standard": "推荐性国家标准",
    "self_regulation": "行业自律",
    "company_policy": "公司制度",
}
_CONFIDENCES = {"high": "高", "medium": "中", "low": "低"}
_SCOPES = {"clause": "同一小句内", "turn": "同一轮内", "call": "整通电话内"}


def page(rule: Rule, *, measured: str = "") -> str:
    """One rule as Markdown; `measured` is a sentence about its precision, where somebody measured it."""
    return "\n".join(_lines(rule, measured)) + "\n"


def index(rules: Iterable[Rule]) -> str:
    """All rules as a table, by category."""
    order = list(CATEGORIES)
    lines = ["# 规则", "", "由 `callaudit rules docs` 生成。", ""]
    lines += ["| 类别 | 规则 | 名称 | 级别 | 状态 |", "|---|---|---|---|---|"]
    for rule in sorted(rules, key=lambda rule: (order.index(rule.category), rule.id)):
        label, severity = CATEGORIES[rule.category][1], SEVERITIES[rule.severity]
        lines.append(f"| {label} | [{rule.id}]({rule.id}.md) | {rule.title} | {severity} | {STATUSES[rule.status]} |")
    return "\n".join(lines) + "\n"


def pages(ruleset: RuleSet, measured: Mapping[str, str]) -> dict[str, str]:
    """File name → text of every page and of the index."""
    written = {f"{rule.id}.md": page(rule, measured=measured.get(rule.id, "")) for rule in ruleset.rules}
    return {"README.md": index(ruleset.rules), **written}


def write_pages(written: Mapping[str, str], folder: Path) -> None:
    """Write the pages and take away those of rules that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.md"):
        if file.name not in written:
            file.unlink()
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")


def stale_pages(written: Mapping[str, str], folder: Path) -> list[str]:
    """Names of pages that are missing, superfluous or not as they would be written today."""
    present = {file.name: file.read_text("utf-8") for file in folder.glob("*.md")}
    return sorted(name for name in {*written, *present} if written.get(name) != present.get(name))


def _lines(rule: Rule, measured: str) -> Iterator[str]:
    label = CATEGORIES[rule.category][1]
    yield f"# {rule.title}"
    yield ""
    yield (
        f"`{rule.id}` · {label} · {KINDS[rule.kind]} · 级别{SEVERITIES[rule.severity]} · {STATUSES[rule.status]} · "
        f"第 {rule.version} 版，始于 {rule.since}"
    )
    yield from ("", "## 为什么", "", rule.why)
    if rule.needs_case_data:
        yield from ("", "真伪要与案件资料核对，命中一律待复核。")
    yield from ("", "## 依据", "", *(f"- {reference_line(reference)}" for reference in rule.references))
    if not rule.references:
        yield "- 行业实践，没有条款。"
    yield from ("", "## 查什么", "")
    sections = {
        "适用于": rule.applies_when,
        "不适用于": rule.applies_unless,
        "做到" if rule.kind == "require" else "命中": rule.when,
        "例外": rule.unless,
    }
    for heading, conditions in sections.items():
        if conditions:
            yield from (f"{heading}（满足任一）：", "", *(f"- {line}" for line in map(describe, conditions)), "")
    yield from ("## 违规的例子", "", *map(_example, rule.examples.violations))
    yield from ("", "## 合规的例子", "", *map(_example, rule.examples.clean))
    yield from ("", "## 已知漏检", "", *([_example(missed) for missed in rule.examples.missed] or ["暂无记录。"]))
    if measured:
        yield from ("", "## 实测", "", measured)


def reference_line(reference: Reference) -> str:
    """Instrument, clause, authority and how sure the reading is."""
    clause = f" {reference.clause}" if reference.clause else ""
    sure = _CONFIDENCES[reference.confidence]
    line = f"{reference.instrument}{clause}（{_AUTHORITIES[reference.authority]}，可信度{sure}）"
    return f"{line} {reference.url}" if reference.url else line


def _example(example: Example) -> str:
    turns = " / ".join(_spoken(turn) for turn in example.turns)
    why = f"——{example.why}" if example.why else ""
    return f"- {turns}{why}"


def _spoken(turn: str) -> str:
    role, text = turn.split(": ", 1)
    return f"{ {**_SPEAKERS, 'unknown': '不明'}[role] }：{text}"


def describe(condition: Condition) -> str:
    """A condition as a Chinese sentence."""
    return _operator(condition) + "".join(_modifiers(condition))


def _operator(condition: Condition) -> str:
    match condition.operator:
        case "phrase":
            return f"说了{_terms(condition.phrase or ())}"
        case "near":
            groups = " … ".join(map(_terms, condition.near or ()))
            order = "依次" if condition.ordered else "不分先后"
            return f"{order}说了 {groups}（间隔不超过 {condition.within} 字）"
        case "pattern":
            return f"符合 `{condition.pattern}`"
        case "entity":
            return f"提到 {'、'.join(condition.entity or ())}"
        case "relation":
            return f"接听人是 {'、'.join(condition.relation or ())}"
        case "hit" | "signal":
            return _pointed_to(condition)
        case "all" | "any" | "none":
            return _combined(condition)
        case "similar" if condition.similar:
            return f"与{_terms(condition.similar.sentences)}相似（{condition.similar.score:.0%}）"
        case "measure" if condition.measure:
            low, high = condition.measure.at_least, condition.measure.below
            bounds = [f"不低于 {low}"] * (low is not None) + [f"低于 {high}"] * (high is not None)
            return f"{condition.measure.name} {'且'.join(bounds)}"
        case "hour" if condition.hour:
            return f"我方拨出的通话始于 {condition.hour.start} 至 {condition.hour.end}"
        case "repeated" if condition.repeated:
            return f"{condition.repeated.turns} 轮内重复 {condition.repeated.times} 次"
        case "count" if condition.count:
            return f"跨通话：{_counted(condition.count)}"
    return f"词语搭配 `{list(condition.tokens or ())}`"


def _counted(count: Count) -> str:
    if count.what in EACH:
        return EACH[count.what]
    window = "一天" if count.window == "day" else f" {count.window} 小时"
    return f"{COUNTED_BY[count.per or 'debtor']}{window}内{COUNTED[count.what]}超过 {count.more_than} 次"


def _pointed_to(condition: Condition) -> str:
    if condition.hit:
        return f"满足条件 {condition.hit}"
    return f"客户有信号：{'、'.join(CATEGORIES[name][1] for name in condition.signal or ())}"


def _combined(condition: Condition) -> str:
    parts = condition.all or condition.any or condition.none or ()
    joined = (" 且 " if condition.all else " 或 ").join(f"（{describe(part)}）" for part in parts)
    if condition.none:
        return f"没有 {joined}"
    scope = _SCOPES[condition.scope or "turn"] if condition.all else ""
    return f"{scope}{joined}"


def _terms(terms: Iterable[str]) -> str:
    return "“" + "/".join(terms) + "”"


def _modifiers(condition: Condition) -> Iterator[str]:
    if condition.by_sound:
        yield "，读音相同也算"
    if condition.role:
        yield f"，由{_SPEAKERS[condition.role]}说"
    for word, window in (("开头", condition.first), ("最后", condition.last)):
        if window:
            yield f"，在{word}{_window(window)}"
    for word, anchor in (("之前", condition.before), ("之后", condition.after), ("前后", condition.around)):
        if anchor:
            yield f"，在{anchor.condition}{word}{_distance(anchor)}"
    if condition.answered_by:
        answers = " 或 ".join(map(describe, condition.answered_by.any))
        yield f"，随后{_SPEAKERS[condition.answered_by.role]} {condition.answered_by.turns} 轮内{answers}"
    if condition.at_least > 1:
        yield f"，至少 {condition.at_least} 次"


def _window(window: Window) -> str:
    parts = ((window.turns, "轮"), (window.seconds, "秒"))
    return "且".join(f" {number} {unit}" for number, unit in parts if number is not None) + "内"


def _distance(anchor: Anchor) -> str:
    return f" {anchor.turns[0]} 至 {anchor.turns[1]} 轮" if anchor.turns else ""
