"""Packs of rules: strict YAML → RuleSet. Everything wrong is said at once, each with file and line."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import RootModel

from rules.model import EFFECTIVE_SECONDS, Condition, ConditionName, Pack, Rule, RuleSet, Terms
from rules.patterns import lists_in, problem_of, spelled_out, unheard_in
from rules.text import normalise_term, normalise_terms
from rules.written import Location, Written, fitted, reread, shown, written

PACKS = Path(__file__).parent / "packs"
LEXICON = Path(__file__).parent / "lexicon"

_YAML = (".yaml", ".yml")


class RuleErrors(Exception):
    """Rules that can't be used; `errors` are sentences `file:line: what is wrong, what is expected`."""

    def __init__(self, errors: Sequence[str]) -> None:
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


@dataclass(slots=True)
class _Draft:
    """A pack as it was read, before it is laid over another.

    `rules` are those that could be read, with the file and the place in it; `unread` what the others, and broken parts
    of the pack, are called: it is there, so nobody is told that it is missing. `lists` are word lists of its own.
    """

    pack: Pack
    source: Written
    rules: dict[str, tuple[Rule, Path, Location]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        return self.source.file.is_relative_to(PACKS)


def _load(home: Path, above: tuple[Path, ...] = ()) -> RuleSet:
    errors: list[str] = []
    manifest = home / "pack.yaml" if home.is_dir() else home
    draft = _pack(manifest, errors)
    for file in _rule_files(home) if home.is_dir() else ():
        if file != manifest:
            _add_file(file, draft, errors)
    if draft is None:
        raise RuleErrors(errors)
    if home.is_dir():
        draft.lists = _own_lists(home / "lexicon", errors)
    base = _base(draft, errors, (*above, home.resolve()))
    if base is None and draft.pack.extends:
        raise RuleErrors(errors)
    errors += _clashes(draft, base)
    ruleset = _layered(draft, base)
    errors += _faults(draft, base, ruleset)
    if errors:
        raise RuleErrors(errors)
    return ruleset


def _rule_files(home: Path) -> list[Path]:
    """All YAML files of a folder but the word lists."""
    files = (file for file in home.rglob("*.y*ml") if file.suffix in _YAML)
    return sorted(file for file in files if not file.is_relative_to(home / "lexicon"))


def _pack(manifest: Path, errors: list[str]) -> _Draft | None:
    """What can be read of a pack's own file, and of the rules in it; None where not even its name can."""
    source = written(manifest, errors)
    if source is None:
        return None
    value = dict(source.value) if isinstance(source.value, dict) else source.value
    rules = value.pop("rules", []) if isinstance(value, dict) else []
    if not isinstance(rules, list):
        value["rules"], rules = rules, []  # the model says what is wrong with it
    pack, wrong = fitted(source, value, Pack, errors)
    unread: set[str] = set()
    if pack is None and isinstance(value, dict):
        pack, unread = _what_fits(source, value, wrong), _named_in(value)
    if pack is None:
        return None
    draft = _Draft(pack, source, unread=unread)
    for n, rule in enumerate(rules):
        _add(draft, rule, source, ("rules", n), errors)
    return draft


def _what_fits(source: Written, value: Mapping[str, Any], wrong: Iterable[Location]) -> Pack | None:
    """A pack without what is wrong in it: its rules can be looked at all the same."""
    broken = {location[0] for location in wrong}
    kept = {key: part for key, part in value.items() if key not in broken}
    return fitted(source, {"name": "unread", "title": "?", "version": "?"} | kept, Pack, [])[0]


def _named_in(value: Mapping[str, Any]) -> set[str]:
    named = (part for key in ("parameters", "conditions") if isinstance(part := value.get(key), dict))
    return {name for part in named for name in part}


def _add_file(file: Path, draft: _Draft | None, errors: list[str]) -> None:
    source = written(file, errors)
    if source is None:
        if draft:
            draft.unread.add(file.stem)
        return
    rule = _add(draft, source.value, source, (), errors)
    if rule and rule.id != file.stem:
        errors.append(source.fault(("id",), f"规则编号 {rule.id} 与文件名 {file.stem} 不同，两者要一致"))


def _add(draft: _Draft | None, value: Any, source: Written, at: Location, errors: list[str]) -> Rule | None:
    """A rule, added to those of the pack where it can be read and has an id of its own."""
    rule, _ = fitted(source, value, Rule, errors, at=at)
    if draft is None:
        return rule
    if rule is None:
        called = value.get("id") if isinstance(value, dict) else None
        draft.unread |= {source.file.stem, *([called] if isinstance(called, str) else ())}
    elif rule.id in draft.rules:
        _, other, there = draft.rules[rule.id]
        taken = reread(other).place((*there, "id"))
        errors.append(source.fault((*at, "id"), f"规则编号 {rule.id} 重复，已在 {taken} 定义"))
    else:
        draft.rules[rule.id] = rule, source.file, at
    return rule


def _base(draft: _Draft, errors: list[str], above: tuple[Path, ...]) -> RuleSet | None:
    """The pack under this one, if any; None, too, where it can't be used."""
    if draft.pack.extends is None:
        return None
    try:
        home = _find(draft.pack.extends)
        if home.resolve() in above:
            errors.append(draft.source.fault(("extends",), "绕了一圈又叠在自己上面"))
            return None
        return _load_ours(home.name) if home.parent == PACKS else _load(home, above)
    except RuleErrors as error:
        errors += [draft.source.fault(("extends",), said) for said in error.errors]
        return None


def _clashes(draft: _Draft, base: RuleSet | None) -> Iterator[str]:
    """What a pack changes that is not there, and what it defines that the pack under it has already."""
    pack, fault = draft.pack, draft.source.fault
    theirs = {rule.id for rule in base.rules} if base else set()
    places: list[tuple[Location, str]] = [(("disable", n), rule_id) for n, rule_id in enumerate(pack.disable)]
    for location, rule_id in (*places, *((("severity", rule_id), rule_id) for rule_id in pack.severity)):
        if rule_id not in theirs | draft.rules.keys() | draft.unread:
            yield fault(location, f"没有编号为 {rule_id} 的规则，无法停用或改级别")
    for rule_id, (_, file, at) in draft.rules.items():
        if rule_id in theirs and rule_id not in pack.disable:
            instead = f"要用自己的代替它，就把 {rule_id} 写进规则包的 disable"
            yield reread(file).fault((*at, "id"), f"{pack.extends} 已有规则 {rule_id}：请换一个编号；{instead}")
    for name in pack.conditions if base else ():
        if base and name in base.conditions:
            yield fault(("conditions", name), f"{pack.extends} 已有共用条件 {name}，它的规则要用：请换一个名字")


def _layered(draft: _Draft, base: RuleSet | None) -> RuleSet:
    """The pack over the one it extends: parameters and severities replaced, rules added or disabled."""
    pack = draft.pack
    kept = {rule.id: rule for rule in base.rules if rule.id not in pack.disable} if base else {}
    sources = dict(base.sources) if base else {}
    kept |= {id_: rule for id_, (rule, _, _) in draft.rules.items() if id_ not in pack.disable or id_ in sources}
    sources |= {rule_id: str(file) for rule_id, (_, file, _) in draft.rules.items()}
    rules = [rule.model_copy(update={"severity": pack.severity.get(rule.id, rule.severity)}) for rule in kept.values()]
    ruleset = RuleSet(
        name=pack.name, version=pack.version, rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        parameters=(dict(base.parameters) if base else {}) | {n: p.value for n, p in pack.parameters.items()},
        conditions=(dict(base.conditions) if base else {}) | pack.conditions,
        lexicon=dict(base.lexicon if base else load_lexicon()) | draft.lists, digest="", sources=sources,
        extends=pack.extends,
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


class _Lists(RootModel[dict[ConditionName, Terms]]):
    """A file of word lists: list name → words."""


@functools.lru_cache(maxsize=1)
def load_lexicon() -> Mapping[str, tuple[str, ...]]:
    """All word lists of rules/lexicon: list name → words."""
    errors: list[str] = []
    lists = {name: words for name, words, _ in _lists(LEXICON, errors)}
    if errors:
        raise RuleErrors(errors)
    return lists


def _lists(folder: Path, errors: list[str]) -> Iterator[tuple[str, tuple[str, ...], Written]]:
    """The word lists of a folder, each with its file."""
    known: set[str] = set()
    for file in sorted(file for file in folder.glob("*.y*ml") if file.suffix in _YAML):
        source = written(file, errors)
        if source is None:
            continue
        found, _ = fitted(source, source.value, _Lists, errors)
        for name, words in found.root.items() if found else ():
            if name in known:
                errors.append(source.fault((name,), f"词表 {name} 重复"))
            known.add(name)
            yield name, words, source


def _own_lists(folder: Path, errors: list[str]) -> dict[str, tuple[str, ...]]:
    """The word lists of a pack of somebody's own: not called as ours are, and with words that can be heard."""
    lists: dict[str, tuple[str, ...]] = {}
    for name, words, source in _lists(folder, errors):
        if name in load_lexicon():
            errors.append(source.fault((name,), f"自带的词表里已有 {name}，请换一个名字"))
        errors += [
            source.fault((name, n), _SILENT.format(words[n]))
            for n, heard in enumerate(normalise_terms(words))
            if not heard
        ]
        lists[name] = words
    return lists


def walk(*conditions: Condition) -> Iterator[Condition]:
    """These conditions and all that are nested in them."""
    pending = list(conditions)
    while pending:
        condition = pending.pop()
        yield condition
        pending += [*(condition.all or ()), *(condition.any or ()), *(condition.none or ())]
        pending += condition.answered_by.any if condition.answered_by else ()


def _located(conditions: Sequence[Condition], at: Location) -> Iterator[tuple[Location, Condition]]:
    """These conditions and all that are nested in them, each with its place."""
    for n, condition in enumerate(conditions):
        yield from _located_in(condition, (*at, n))


def _located_in(condition: Condition, at: Location) -> Iterator[tuple[Location, Condition]]:
    yield at, condition
    yield from _located(condition.all or (), (*at, "all"))
    yield from _located(condition.any or (), (*at, "any"))
    yield from _located(condition.none or (), (*at, "none"))
    if condition.answered_by:
        yield from _located(condition.answered_by.any, (*at, "answered_by", "any"))


_PARTS = ("when", "unless", "applies_when", "applies_unless")


def located(rule: Rule) -> list[tuple[Location, Condition]]:
    """All conditions of a rule, nested ones too, each with its place."""
    return [found for part in _PARTS for found in _located(getattr(rule, part), (part,))]


def conditions_of(rule: Rule) -> list[Condition]:
    """All conditions of a rule, nested ones too."""
    return list(walk(*rule.when, *rule.unless, *rule.applies_when, *rule.applies_unless))


def _named(condition: Condition) -> Iterator[tuple[str, str]]:
    """(key, name) of the conditions that anchors and `hit` of this one ask for."""
    for key in ("before", "after", "around"):
        if anchor := getattr(condition, key):
            yield key, anchor.condition
    if condition.hit:
        yield "hit", condition.hit


def names_in(conditions: Iterable[Condition]) -> list[str]:
    """Names that anchors and `hit` ask for."""
    return [name for condition in conditions for _, name in _named(condition)]


def unknown_names(rule: Rule, shared: Mapping[str, Condition]) -> list[str]:
    """Names that a rule asks for and neither it nor the pack defines."""
    conditions = conditions_of(rule)
    known = {condition.name for condition in conditions} | set(shared)
    return [name for name in names_in(conditions) if name not in known]


def _reached(conditions: Iterable[Condition], named: Mapping[str, Condition]) -> set[str]:
    """The named conditions that these name, and those that they name in turn."""
    reached, pending = set[str](), names_in(conditions)
    while pending:
        name = pending.pop()
        if name in named and name not in reached:
            reached.add(name)
            pending += names_in(walk(named[name]))
    return reached


def signals_of(rule: Rule, shared: Mapping[str, Condition]) -> set[str]:
    """The categories whose signals a rule asks for, itself or by conditions of the pack that it names."""
    own = conditions_of(rule)
    asked = [*own, *walk(*(shared[name] for name in _reached(own, shared)))]
    return {category for condition in asked for category in condition.signal or ()}


_Fault = tuple[Location, str]
_CIRCLE = "绕了一圈又指回自己，请拆开"
_SILENT = "“{}”永远不会命中：匹配的文本里没有语气词（嗯、呃）、逗号和空格；请删去，或写出别的字"


def _faults(draft: _Draft, base: RuleSet | None, ruleset: RuleSet) -> Iterator[str]:
    """What rules and shared conditions of a pack name and nobody defines, and what in them could never work."""
    for rule, file, at in draft.rules.values():
        for location, what in _rule_faults(rule, ruleset, draft.unread, ours=draft.is_ours):
            yield reread(file).fault((*at, *location), what)
    for name, shared in draft.pack.conditions.items():
        at = ("conditions", name)
        for location, what in _shared_faults(name, shared, ruleset, draft.unread, ours=draft.is_ours):
            yield draft.source.fault((*at, *location), what)
    for location, what in _parameter_faults(draft, base, ruleset):
        yield draft.source.fault(location, what)


def faults_of(rule: Rule, ruleset: RuleSet) -> list[str]:
    """What would be refused of a rule if it were added to this set, as `where: what is wrong`."""
    return [f"{shown(location)}: {what}" for location, what in _rule_faults(rule, ruleset, (), ours=False)]


def _rule_faults(rule: Rule, ruleset: RuleSet, unread: Collection[str], *, ours: bool) -> Iterator[_Fault]:
    conditions = located(rule)
    own = {condition.name: condition for _, condition in conditions if condition.name}
    known = {*own, *ruleset.conditions, *unread}
    for location, condition in conditions:
        for key, name in _named(condition):
            if name not in known:
                yield (*location, key), f"锚点或 hit 所指的条件 {name} 没有定义（给某个条件写 name: {name}）"
        if condition.name and condition.name in _reached(walk(condition), own):
            yield (*location, "name"), _CIRCLE
    yield from _condition_faults(conditions, ruleset, unread, ours=ours)
    if rule.kind == "signal" and signals_of(rule, ruleset.conditions):
        yield ("kind",), "signal 类规则不能再用 signal 算子（会绕圈）"


def _shared_faults(
    called: str, shared: Condition, ruleset: RuleSet, unread: Collection[str], *, ours: bool
) -> Iterator[_Fault]:
    conditions = list(_located_in(shared, ()))
    for location, condition in conditions:
        for key, name in _named(condition):
            if name not in ruleset.conditions and name not in unread:
                yield (*location, key), f"锚点或 hit 所指的条件 {name} 没有定义；共用条件只能指别的共用条件"
    if called in _reached(walk(shared), ruleset.conditions):
        yield (), _CIRCLE
    yield from _condition_faults(conditions, ruleset, unread, ours=ours)


def _condition_faults(
    conditions: Iterable[tuple[Location, Condition]], ruleset: RuleSet, unread: Collection[str], *, ours: bool
) -> Iterator[_Fault]:
    """Lists and parameters that there are not and, in packs that are not ours, words that can't be found."""
    for location, condition in conditions:
        for key, term in (*_terms(condition), *((("pattern",), name) for name in lists_in(condition.pattern or ""))):
            if term.startswith("@") and term[1:] not in ruleset.lexicon:
                yield (*location, *key), f"没有名为 {term} 的词表"
        for key, name, _ in _parameters(condition):
            if name not in ruleset.parameters and name not in unread:
                yield (*location, *key), f"没有名为 {name} 的参数"
        for key, what in () if ours else _unheard(condition, ruleset):
            yield (*location, *key), what


def _terms(condition: Condition) -> Iterator[tuple[Location, str]]:
    for n, term in enumerate(condition.phrase or ()):
        yield ("phrase", n), term
    for group, terms in enumerate(condition.near or ()):
        for n, term in enumerate(terms):
            yield ("near", group, n), term


_Form = tuple[str, str]
_CLOCK: _Form = (r"([01][0-9]|2[0-3]):[0-5][0-9]", "钟点，如 \"21:00\"")
_NUMBER: _Form = (r"-?[0-9]{1,9}(\.[0-9]{1,9})?", "数字")
_SECONDS: _Form = (r"[0-9]{1,6}(\.[0-9]+)?", "数字")
_WHOLE: _Form = (r"[0-9]{1,6}", "整数")


def _parameters(condition: Condition) -> Iterator[tuple[Location, str, _Form]]:
    """The parameters of the pack that a condition asks for: where, which, and what they must look like."""
    if condition.hour:
        for key, bound in (("from", condition.hour.start), ("to", condition.hour.end)):
            if bound[0] == "$":
                yield ("hour", key), bound[1:], _CLOCK
    if condition.measure:
        for key, limit in (("at_least", condition.measure.at_least), ("below", condition.measure.below)):
            if isinstance(limit, str) and limit[0] == "$":
                yield ("measure", key), limit[1:], _NUMBER
    for name in condition.count.parameters if condition.count else ():
        yield ("count",), name, _SECONDS if name == EFFECTIVE_SECONDS else _WHOLE


def _parameter_faults(draft: _Draft, base: RuleSet | None, ruleset: RuleSet) -> Iterator[_Fault]:
    """Parameters of a pack that can't be read as what they are used for, and those that nothing uses."""
    if not draft.pack.parameters:
        return
    conditions = [*walk(*ruleset.conditions.values()), *(c for rule in ruleset.rules for c in conditions_of(rule))]
    used = {(name, form) for condition in conditions for _, name, form in _parameters(condition)}
    for name, parameter in draft.pack.parameters.items():
        forms = sorted(form for called, form in used if called == name)
        for form, what in forms:
            if not re.fullmatch(form, parameter.value):
                yield ("parameters", name, "value"), f"参数 {name} 应是{what}，这里是 {parameter.value}"
        if base and not forms and name not in base.parameters and not draft.unread:
            known = "、".join(sorted(base.parameters))
            yield ("parameters", name), f"没有规则用到参数 {name}；名字写错了吗？{draft.pack.extends} 的参数有 {known}"


def _unheard(condition: Condition, ruleset: RuleSet) -> Iterator[_Fault]:
    """Words and patterns that no text matches, whatever is said, or that are refused."""
    terms = list(_terms(condition))
    for (key, term), heard in zip(terms, normalise_terms([term for _, term in terms]), strict=True):
        if not heard:
            yield key, _SILENT.format(term)
    sentences = condition.similar.sentences if condition.similar else ()
    for n, heard in enumerate(normalise_terms(sentences)):
        if len(heard) < 2:
            yield ("similar", "sentences", n), f"“{sentences[n]}”太短，比不出相似：至少写两个字"
    for n, token in enumerate(condition.tokens or ()):
        for word in _words(token.get("TEXT", ())):
            if (heard := normalise_term(word)) != word:
                yield ("tokens", n), f"“{word}”永远不会出现：匹配的文本里它是“{heard}”"
    pattern = _spelled(condition, ruleset)
    if pattern and (problem := problem_of(pattern, by_sound=condition.by_sound) or unheard_in(pattern)):
        yield ("pattern",), problem


def _words(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else [word for words in text.values() for word in words] if text else []


def _spelled(condition: Condition, ruleset: RuleSet) -> str | None:
    """The pattern of a condition with the words of its lists; None without one, or where a list is missing."""
    pattern = condition.pattern
    if pattern is None or any(name[1:] not in ruleset.lexicon for name in lists_in(pattern)):
        return None
    return spelled_out(pattern, ruleset.words)


def refused_patterns(ruleset: RuleSet) -> Iterator[tuple[str, Location, str]]:
    """Patterns that can't be used, ours included: (rule or shared condition, where in it, why)."""
    rules = ((rule.id, located(rule)) for rule in ruleset.rules)
    shared = ((name, list(_located_in(condition, ()))) for name, condition in ruleset.conditions.items())
    for called, conditions in (*rules, *shared):
        for location, condition in conditions:
            pattern = _spelled(condition, ruleset)
            if pattern and (problem := problem_of(pattern, by_sound=condition.by_sound)):
                yield called, (*location, "pattern"), problem


def place_of(ruleset: RuleSet, called: str, location: Location) -> str:
    """`file:line` of a place in a rule, which is read anew: a rule set keeps no lines. Else what the rule is called."""
    file = ruleset.sources.get(called)
    if file is None:
        return called
    source = reread(Path(file))
    inline = source.value.get("rules", ())  # a file that was loaded before: its shape is known
    within = next((("rules", n) for n, rule in enumerate(inline) if rule.get("id") == called), ())
    return source.place((*within, *location))
