"""A first version of a rule from a few answers; its author goes on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml
from pydantic import TypeAdapter, ValidationError

from rules.model import CATEGORIES, Group, Pack, Rule, RuleId
from rules.page import SEVERITIES

_KINDS = {Group.CONDUCT: "forbid", Group.DUTY: "require", Group.SIGNAL: "signal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the author is asked; `choices`, a rule's name of each → the Chinese one, empty for free text."""

    name: str
    text: str
    choices: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None

    def answer(self, given: str) -> str | None:
        """What the rule says for what was typed; None where that is none of the choices, or nothing."""
        if not self.choices:
            return given or None
        names = {label: name for name, label in self.choices.items()} | {name: name for name in self.choices}
        return names.get(given)


_DRAFTED = {name: zh for name, (group, zh, _) in CATEGORIES.items() if group in _KINDS}

QUESTIONS = (
    Question(name="title", text="规则名称（说清禁止或要求什么）"),
    Question(name="title_en", text="英文名称"),
    Question(name="category", text="类别", choices=_DRAFTED),
    Question(name="severity", text="级别", choices=SEVERITIES, default="中"),
    Question(name="why", text="为什么（一句话）"),
    Question(name="instrument", text="依据的文件（没有就写公司制度）", default="公司制度"),
    Question(name="phrases", text="关键的说法，用空格分开"),
    Question(name="violation", text="一句违规的原话（必备类：一句没有做到的话）"),
    Question(name="clean", text="一句只差一步、但不违规的话"),
    Question(name="clean_why", text="它为什么不算"),
)


def is_rule_id(text: str) -> bool:
    """Whether a rule may have this id."""
    try:
        TypeAdapter(RuleId).validate_python(text)
    except ValidationError:
        return False
    return True


def pack_of_ones_own(title: str) -> str:
    """The pack.yaml of a new pack layered over ours."""
    written = {"name": "own-rules", "title": title, "version": "0.1.0", "extends": "cn-collection"}
    Pack.model_validate(written)
    return yaml.safe_dump(written, allow_unicode=True, sort_keys=False)


def draft(rule_id: str, answers: Mapping[str, str]) -> Rule:
    """A draft rule; raises pydantic's ValidationError where an answer can't stand in a rule."""
    group = CATEGORIES[answers["category"]][0]
    speaker = "customer" if group is Group.SIGNAL else "agent"
    policy = answers["instrument"] == "公司制度"
    written = {
        "id": rule_id,
        "title": answers["title"],
        "title_en": answers["title_en"],
        "category": answers["category"],
        "kind": _KINDS[group],
        "role": speaker,
        "severity": answers["severity"],
        "status": "draft",
        "since": "0.1.0",
        "references": [
            {
                "instrument": answers["instrument"],
                "authority": "company_policy" if policy else "regulation",
                "confidence": "high" if policy else "low",
            }
        ],
        "why": answers["why"],
        "when": [{"phrase": answers["phrases"].split()}],
        "examples": {
            "violations": [{"turns": [f"{speaker}: {answers['violation']}"]}],
            "clean": [{"turns": [f"{speaker}: {answers['clean']}"], "why": answers["clean_why"]}],
        },
    }
    return Rule.model_validate(written)


def as_yaml(rule: Rule) -> str:
    """A rule as it stands in its file."""
    written = rule.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return yaml.safe_dump(written, allow_unicode=True, sort_keys=False, width=120)
