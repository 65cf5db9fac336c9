"""Small rule sets, written in a test and judged at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from rules.engine import Judge
from rules.examples import turns_of
from rules.load import load_lexicon
from rules.model import CallFacts, Judgement, Rule, RuleSet

FACTS = CallFacts(started_at=datetime.fromisoformat("2026-11-19T15:00:00+08:00"))


def rule_of(**written: Any) -> Rule:
    """A rule with what the test doesn't care about filled in."""
    kept = {
        "id": "tried", "title": "试", "title_en": "Tried", "category": "threat", "kind": "forbid", "severity": "high",
        "status": "test", "since": "0.1.0", "why": "试", "guards": [],
        "examples": {"violations": [{"turns": ["agent: 甲"]}], "clean": [{"turns": ["agent: 乙"]}]},
    }  # fmt: skip
    return Rule.model_validate(kept | written)


def ruleset_of(*rules: Rule, parameters: dict[str, str] | None = None) -> RuleSet:
    """Rules as a set, with the real lexicon."""
    return RuleSet(
        name="tried", version="0", rules=rules, parameters=parameters or {}, conditions={},
        lexicon=load_lexicon(), digest="0",
    )


@pytest.fixture
def judge() -> Callable[..., Judgement]:
    """`judge(rule, "agent: …", "customer: …", facts=…)`."""

    def judged(rule: Rule, *lines: str, facts: CallFacts = FACTS) -> Judgement:
        return Judge(ruleset_of(rule)).judge(turns_of(lines), facts)

    return judged


@pytest.fixture
def quotes(judge: Callable[..., Judgement]) -> Callable[..., list[str]]:
    """The quoted words of what fires."""

    def quoted(when: Any, *lines: str, facts: CallFacts = FACTS, **rule: Any) -> list[str]:
        return [finding.quote for finding in judge(rule_of(when=when, **rule), *lines, facts=facts).findings]

    return quoted
