"""Packs of rules: strict YAML → RuleSet. Everything wrong is said at once, each with file and line."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from rules.model import EFFECTIVE_SECONDS, Condition, Pack, Rule, RuleSet
from rules.patterns import lists_in, problem_of, spelled_out

PACKS = Path(__file__).parent / "packs"
LEXICON = Path(__file__).parent / "lexicon"

_DEEPEST = 100
_HARMLESS = 4_000
"""Characters: a level takes one, and so many levels fit on any stack. Most of our files are shorter."""
_MOST_VALUES = 200_000
"""In one file; the largest of ours has a hundredth of it."""

ModelT = TypeVar("ModelT", bound=BaseModel)
Location = tuple[str | int, ...]


class RuleErrors(Exception):
    """Rules that can't be used; `errors` are sentences `file:line: what is wrong, what is expected`."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


def load_rules(pack: str | Path = "cn-collection") -> RuleSet:
    """The rules of a pack: the name of one of ours, a folder with pack.yaml, or one YAML file.

    Raises RuleErrors with all errors at once. Patterns of ours are not looked through each time, which takes four times
    as long as reading them: `rules lint` does.
    """
    home = _find(pack)
    if home.parent == PACKS:  # a folder of somebody else may change while we run
        return _load_ours(str(pack))
    return _load(home)


@functools.lru_cache(maxsize=4)
def _load_ours(name: str) -> RuleSet:
    return _load(PACKS / name)


def _find(pack: str | Path) -> Path:
    ours = PACKS / str(pack)
    if (ours / "pack.yaml").is_file():
        return ours
    home = Path(pack)
    if home.is_file() or (home / "pack.yaml").is_file():
        return home
    names = "、".join(sorted(path.parent.name for path in PACKS.glob("*/pack.yaml")))
    choices = f"自带规则包的名字（{names}），或含 pack.yaml 的文件夹，或一个 YAML 文件"
    raise RuleErrors([f"{pack}: 找不到规则包。请写{choices}"])


def _load(home: Path) -> RuleSet:
    errors: list[str] = []
    manifest = home / "pack.yaml" if home.is_dir() else home
    pack = _read(manifest, Pack, errors)
    rules = {rule.id: (rule, str(manifest)) for rule in pack.rules} if pack else {}
    for file in sorted(home.rglob("*.yaml")) if home.is_dir() else []:
        if file != manifest and (rule := _read(file, Rule, errors)):
            errors += _misplaced(rule, file, rules)
            rules[rule.id] = (rule, str(file))
    if pack is None or errors:
        raise RuleErrors(errors)
    ruleset = _layered(pack, rules, manifest)
    if errors := list(_dangling(ruleset, manifest)):
        raise RuleErrors(errors)
    return ruleset


def _misplaced(rule: Rule, file: Path, others: Mapping[str, tuple[Rule, str]]) -> list[str]:
    errors = []
    if rule.id != file.stem:
        errors.append(f"{file}:1: 规则编号 {rule.id} 与文件名 {file.stem} 不同，两者要一致")
    if rule.id in others:
        errors.append(f"{file}:1: 规则编号 {rule.id} 重复，已在 {others[rule.id][1]} 中定义")
    return errors


def _layered(pack: Pack, rules: Mapping[str, tuple[Rule, str]], manifest: Path) -> RuleSet:
    """The pack over the one it extends: parameters and severities replaced, rules added or disabled."""
    base = load_rules(pack.extends) if pack.extends else None
    merged = {rule.id: rule for rule in base.rules} if base else {}
    sources = dict(base.sources) if base else {}
    unknown = [rule_id for rule_id in (*pack.disable, *pack.severity) if rule_id not in {*merged, *rules}]
    unknown_parameters = [name for name in pack.parameters if base and name not in base.parameters]
    if unknown or unknown_parameters:
        raise RuleErrors(
            [f"{manifest}:1: 没有编号为 {rule_id} 的规则，无法停用或改级别" for rule_id in unknown]
            + [f"{manifest}:1: 没有名为 {name} 的参数" for name in unknown_parameters]
        )
    merged |= {rule_id: rule for rule_id, (rule, _) in rules.items()}
    sources |= {rule_id: source for rule_id, (_, source) in rules.items()}
    kept = [
        rule.model_copy(update={"severity": pack.severity.get(rule.id, rule.severity)})
        for rule in merged.values()
        if rule.id not in pack.disable
    ]
    parameters = (dict(base.parameters) if base else {}) | {n: p.value for n, p in pack.parameters.items()}
    ruleset = RuleSet(
        name=pack.name, version=pack.version, rules=tuple(sorted(kept, key=lambda rule: rule.id)),
        parameters=parameters, conditions=(dict(base.conditions) if base else {}) | pack.conditions,
        lexicon=load_lexicon(), digest="", sources=sources,
    )  # fmt: skip
    return replace(ruleset, digest=_digest(ruleset))


def _digest(ruleset: RuleSet) -> str:
    content = {
        "rules": [rule.model_dump(mode="json", exclude={"examples"}) for rule in ruleset.rules],
        "parameters": dict(ruleset.parameters),
        "conditions": {name: shared.model_dump(mode="json") for name, shared in ruleset.conditions.items()},
        "lexicon": dict(ruleset.lexicon),
    }
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@functools.lru_cache(maxsize=1)
def load_lexicon() -> Mapping[str, tuple[str, ...]]:
    """All word lists of rules/lexicon: list name → words."""
    lists: dict[str, tuple[str, ...]] = {}
    errors: list[str] = []
    for file in sorted(LEXICON.glob("*.yaml")):
        for name, words in (_parse(file, errors).value or {}).items():
            if name in lists:
                errors.append(f"{file}:1: 词表 {name} 重复")
            lists[name] = tuple(words)
    if errors:
        raise RuleErrors(errors)
    return lists


def walk(*conditions: Condition) -> Iterator[Condition]:
    """These conditions and all that are nested in them."""
    pending = list(conditions)
    while pending:
        condition = pending.pop()
        yield condition
        pending += [*(condition.all or ()), *(condition.any or ()), *(condition.none or ())]
        pending += condition.answered_by.any if condition.answered_by else ()


def conditions_of(rule: Rule) -> list[Condition]:
    """All conditions of a rule, nested ones too."""
    return list(walk(*rule.when, *rule.unless, *rule.applies_when, *rule.applies_unless))


def names_in(conditions: Iterable[Condition]) -> list[str]:
    """Names that anchors and `hit` ask for."""
    named = []
    for condition in conditions:
        named += [anchor.condition for anchor, _ in condition.anchors]
        named += [condition.hit] if condition.hit else []
    return named


def unknown_names(rule: Rule, shared: Mapping[str, Condition]) -> list[str]:
    """Names that a rule asks for and neither it nor the pack defines."""
    conditions = conditions_of(rule)
    known = {condition.name for condition in conditions} | set(shared)
    return [name for name in names_in(conditions) if name not in known]


def _reached(conditions: Iterable[Condition], shared: Mapping[str, Condition]) -> set[str]:
    """The shared conditions that these name, and those that they name in turn."""
    reached, pending = set[str](), names_in(conditions)
    while pending:
        name = pending.pop()
        if name in shared and name not in reached:
            reached.add(name)
            pending += names_in(walk(shared[name]))
    return reached


def signals_of(rule: Rule, shared: Mapping[str, Condition]) -> set[str]:
    """The categories whose signals a rule asks for, itself or by conditions of the pack that it names."""
    own = conditions_of(rule)
    asked = [*own, *walk(*(shared[name] for name in _reached(own, shared)))]
    return {category for condition in asked for category in condition.signal or ()}


def _dangling(ruleset: RuleSet, manifest: Path) -> Iterator[str]:
    """What rules and shared conditions name and nobody defines, and patterns that are refused."""
    for rule in ruleset.rules:
        where = f"{ruleset.sources[rule.id]}:1: 规则 {rule.id}"
        for name in unknown_names(rule, ruleset.conditions):
            yield f"{where}: 锚点或 hit 所指的条件 {name} 没有定义（给某个条件写 name: {name}）"
        yield from _unusable(conditions_of(rule), ruleset, where)
        if not _is_ours(ruleset.sources[rule.id]):
            yield from _refused(conditions_of(rule), ruleset, where)
        if rule.kind == "signal" and signals_of(rule, ruleset.conditions):
            yield f"{where}: signal 类规则不能再用 signal 算子（会绕圈）"
    for name, shared in ruleset.conditions.items():
        inner, where = list(walk(shared)), f"{manifest}:1: 共用条件 {name}"
        yield from _unusable(inner, ruleset, where)
        if not _is_ours(manifest):
            yield from _refused(inner, ruleset, where)
        for missing in names_in(inner):
            if missing not in ruleset.conditions:
                yield f"{where}: 锚点或 hit 所指的条件 {missing} 没有定义；共用条件只能指别的共用条件"
        if name in _reached(inner, ruleset.conditions):
            yield f"{where}: 绕了一圈又指回自己，请拆开"
    yield from _no_numbers(ruleset, manifest)


def _no_numbers(ruleset: RuleSet, manifest: Path) -> Iterator[str]:
    """Parameters that are counted with and can't be."""
    counted = {name for rule in ruleset.rules if rule.count for name in rule.count.parameters}
    for name in sorted(counted & set(ruleset.parameters)):
        value, part = ruleset.parameters[name], r"(\.[0-9]+)?" if name == EFFECTIVE_SECONDS else ""
        if not re.fullmatch(rf"[0-9]{{1,6}}{part}", value):
            yield f"{manifest}:1: 参数 {name} 应是{'数字' if part else '整数'}，这里是 {value}"


def _unusable(conditions: Iterable[Condition], ruleset: RuleSet, where: str) -> Iterator[str]:
    for condition in conditions:
        near = (term for group in condition.near or () for term in group)
        for term in (*(condition.phrase or ()), *near, *lists_in(condition.pattern or "")):
            if term.startswith("@") and term[1:] not in ruleset.lexicon:
                yield f"{where}: 没有名为 {term} 的词表"
        for name in _parameters(condition) - set(ruleset.parameters):
            yield f"{where}: 没有名为 {name} 的参数"


def refused_patterns(ruleset: RuleSet) -> Iterator[str]:
    """Patterns that can't be used, ours included, each as `where: pattern why`."""
    for rule in ruleset.rules:
        yield from _refused(conditions_of(rule), ruleset, rule.id)
    for name, shared in ruleset.conditions.items():
        yield from _refused(walk(shared), ruleset, name)


def _refused(conditions: Iterable[Condition], ruleset: RuleSet, where: str) -> Iterator[str]:
    for condition in conditions:
        pattern = condition.pattern
        if pattern is None or any(name[1:] not in ruleset.lexicon for name in lists_in(pattern)):
            continue
        if problem := problem_of(spelled_out(pattern, ruleset.words), by_sound=condition.by_sound):
            yield f"{where}: pattern {pattern!r} {problem}"


def _is_ours(file: str | Path) -> bool:
    return Path(file).is_relative_to(PACKS)


def _parameters(condition: Condition) -> set[str]:
    dumped = json.dumps(condition.model_dump(mode="json", include={"measure", "hour"}))
    counted = condition.count.parameters if condition.count else ()
    return {*counted, *(part.split('"')[0] for part in dumped.split('"$')[1:])}


@dataclass(frozen=True, slots=True)
class _Parsed:
    value: Any
    lines: Mapping[Location, int]


def _read(file: Path, model: type[ModelT], errors: list[str]) -> ModelT | None:
    """One YAML file as a model; what is wrong is appended to `errors`."""
    known = len(errors)
    parsed = _parse(file, errors)
    if len(errors) > known:
        return None
    try:
        return model.model_validate(parsed.value)
    except ValidationError as error:
        errors += [_message(file, parsed.lines, detail) for detail in error.errors()]
        return None


_REASONS = {
    "extra_forbidden": "不认识的键",
    "missing": "缺少这一项",
    "literal_error": "只能是 {expected} 之一",
    "enum": "只能是 {expected} 之一",
    "string_pattern_mismatch": "格式不对，应符合 {pattern}",
    "too_short": "至少要有 {min_length} 项",
    "string_too_short": "不能为空",
    "int_parsing": "应是整数",
    "float_parsing": "应是数字",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "bool_parsing": "应是 true 或 false",
    "tuple_type": "应是一个列表",
    "dict_type": "应是键值对",
    "model_type": "应是键值对",
    "string_type": "应是文字",
}


def _message(file: Path, lines: Mapping[Location, int], detail: Any) -> str:
    location: Location = tuple(detail["loc"])
    line = next((lines[location[:n]] for n in range(len(location), -1, -1) if location[:n] in lines), 1)
    context = detail.get("ctx", {})
    reason = _REASONS.get(detail["type"], str(context.get("error", detail["msg"])))
    shown = ".".join(map(str, location)) or "文件"
    return f"{file}:{line}: {shown}: {reason.format(**{'expected': '', **context})}"


def _parse(file: Path, errors: list[str]) -> _Parsed:
    """YAML as plain dicts, lists and texts (no implicit types), and the line of each place."""
    lines: dict[Location, int] = {}
    try:
        text = file.read_bytes().decode("utf-8-sig")
        if _too_deep(text):
            raise RecursionError
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError:
        errors.append(f"{file}:1: 不是 UTF-8 编码，请另存为 UTF-8")
        return _Parsed(None, lines)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "结构太深或格式不对"
        errors.append(f"{file}:{mark.line + 1 if mark else 1}: YAML 格式错误：{problem}")
        return _Parsed(None, lines)
    if node is None:
        errors.append(f"{file}:1: 文件是空的")
        return _Parsed(None, lines)
    try:
        return _Parsed(_Plain(file, lines, errors).value(node, ()), lines)
    except _TooMuch as error:
        errors.append(str(error))
    except RecursionError:
        errors.append(f"{file}:1: YAML 格式错误：结构太深")
    return _Parsed(None, lines)


class _TooMuch(Exception):
    pass


def _too_deep(text: str) -> bool:
    """Whether composing could overrun the stack: it calls itself for each level, in C, where nothing stops it."""
    if len(text) < _HARMLESS:
        return False
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return True
    return False


@dataclass(slots=True)
class _Plain:
    """YAML nodes as dicts, lists and texts; notes lines and errors on the way."""

    file: Path
    lines: dict[Location, int]
    errors: list[str]
    _above: set[int] = field(default_factory=set)

    def value(self, node: yaml.Node, at: Location) -> Any:
        line = node.start_mark.line + 1
        if len(self.lines) >= _MOST_VALUES:  # a few lines of references to references stand for billions
            raise _TooMuch(f"{self.file}:{line}: 内容太多（超过 {_MOST_VALUES} 项）；请减少引用（&、*）或拆成多个文件")
        self.lines[at] = line
        if id(node) in self._above:
            self.errors.append(f"{self.file}:{line}: 引用（&、*）绕成了圈")
            return None
        self._above.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*at, n)) for n, item in enumerate(node.value)]
            return self._mapping(node, at) if isinstance(node, yaml.MappingNode) else node.value
        finally:
            self._above.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in plain:
                self.errors.append(f"{self.file}:{key.start_mark.line + 1}: 重复的键 {name}")
            plain[name] = self.value(value, (*at, name))
        return plain
