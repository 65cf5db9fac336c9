"""What the judgement by each rule of a set rests on, as a digest: where it is the same, so is the judgement."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

from rules.load import signals_of
from rules.model import Rule, RuleSet


def rule_digests(ruleset: RuleSet) -> dict[str, str]:
    """Rule id → digest of the rule, of those whose signals it asks for, and of what all rules of a pack share."""
    shared = {
        "parameters": dict(ruleset.parameters),
        "conditions": {name: condition.model_dump(mode="json") for name, condition in ruleset.conditions.items()},
        "lexicon": dict(ruleset.lexicon),
    }
    common = _digest(shared)
    contents = {rule.id: _digest(rule.model_dump(mode="json", exclude={"examples"})) for rule in ruleset.rules}
    return {
        rule.id: _digest([common, contents[rule.id], *(contents[other.id] for other in with_signals([rule], ruleset))])
        for rule in ruleset.rules
    }


def with_signals(rules: Collection[Rule], ruleset: RuleSet) -> tuple[Rule, ...]:
    """Rules together with those of the set whose signals they ask for, in the order of the set."""
    ids = {rule.id for rule in rules}
    asked = {category for rule in rules for category in signals_of(rule, ruleset.conditions)}
    return tuple(rule for rule in ruleset.rules if rule.id in ids or (rule.kind == "signal" and rule.category in asked))


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
