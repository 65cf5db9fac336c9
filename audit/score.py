"""From the outcomes of one call's rules to one number, a verdict and the duties ticked off.

A rule counts once per call however often it was broken: the places are evidence, not further violations. Where several
rules of a category of conduct found fault with the same turns, the gravest costs its points and the others cost none:
one sentence is one breach. What is unsure never costs a point; it makes the call one for people to look at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rules.model import CATEGORIES, Finding, Group, Judgement, Result, Rule, RuleSet, Severity

FULL_SCORE = 100
# 合格线. With the points below one high or three medium violations fail a call.
PASS_MARK = 80
# A critical rule is 一票否决: one violation takes everything.
POINTS: Mapping[Severity, int] = {
    Severity.CRITICAL: FULL_SCORE,
    Severity.HIGH: 25,
    Severity.MEDIUM: 10,
    Severity.LOW: 5,
    Severity.INFO: 0,
}


class Verdict(StrEnum):
    """What the call is called in the end; REVIEW means nothing is proven but something is unsure, NOT_SCORED that no
    rule had anything to judge: nobody was heard to speak.
    """

    PASS = "pass"
    FAIL = "fail"
    REVIEW = "review"
    NOT_SCORED = "not_scored"

    @property
    def label(self) -> str:
        """As 质检 people say it."""
        return {"pass": "合格", "fail": "不合格", "review": "待复核", "not_scored": "未评分"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """One broken rule and the points it costs, none where a graver one of its category has been counted for the same
    turns; `places` is how many findings show it.
    """

    rule_id: str
    category: str
    severity: Severity
    points: int
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One duty of the agent and how it came out in this call."""

    rule_id: str
    category: str
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """A call in figures: `score` 0 to 100, None where it is not scored; `violations` and `unsure` count rules by
    severity, worst first.
    """

    score: int | None
    verdict: Verdict
    deductions: tuple[Deduction, ...]
    duties: tuple[Duty, ...]
    violations: Mapping[Severity, int]
    unsure: Mapping[Severity, int]

    @property
    def vetoed(self) -> bool:
        """Whether a critical rule was broken (一票否决)."""
        return self.violations[Severity.CRITICAL] > 0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the same card gives the same bytes. `from_dict` is the way back."""
        return {
            "score": self.score,
            "verdict": self.verdict.value,
            "deductions": [
                {
                    "rule": d.rule_id,
                    "category": d.category,
                    "severity": d.severity.value,
                    "points": d.points,
                    "places": d.places,
                }
                for d in self.deductions
            ],
            "duties": [{"rule": d.rule_id, "category": d.category, "result": d.result.value} for d in self.duties],
            "violations": {severity.value: count for severity, count in self.violations.items()},
            "unsure": {severity.value: count for severity, count in self.unsure.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scorecard:
        """The card that `as_dict` wrote; KeyError or ValueError where it did not."""
        return cls(
            score=values["score"],
            verdict=Verdict(values["verdict"]),
            deductions=tuple(
                Deduction(
                    rule_id=d["rule"],
                    category=d["category"],
                    severity=Severity(d["severity"]),
                    points=d["points"],
                    places=d["places"],
                )
                for d in values["deductions"]
            ),
            duties=tuple(
                Duty(rule_id=d["rule"], category=d["category"], result=Result(d["result"])) for d in values["duties"]
            ),
            violations={Severity(name): count for name, count in values["violations"].items()},
            unsure={Severity(name): count for name, count in values["unsure"].items()},
        )


_Named = Rule | Finding
"""What scoring needs to know of a rule, its category and severity."""
_DUTIES = {category: place for place, (category, (group, *_)) in enumerate(CATEGORIES.items()) if group is Group.DUTY}


def is_violation(finding: Finding) -> bool:
    """Whether a finding shows a proven breach; a customer's signal is no breach of anyone."""
    return finding.result is Result.FAIL and not is_signal(finding.category)


def is_signal(category: str) -> bool:
    """Whether the category is something the customer says about himself."""
    return CATEGORIES[category][0] is Group.SIGNAL


def score_of(judgement: Judgement) -> int | None:
    """The score alone, as `scorecard` has it: a tenth of its cost, and all that `check` prints of it."""
    return _left(judgement, _costs(judgement.findings).values())


def scorecard(judgement: Judgement, ruleset: RuleSet) -> Scorecard:
    """The card of one judged call."""
    named = _named_rules(judgement, ruleset)
    failed = _rules_with(Result.FAIL, judgement, named)
    unsure = _rules_with(Result.UNSURE, judgement, named)
    costs = _costs(judgement.findings)
    deductions = tuple(
        _deduction(rule_id, named[rule_id], judgement.findings, points=costs.get(rule_id)) for rule_id in failed
    )
    score = _left(judgement, (d.points for d in deductions))
    return Scorecard(
        score=score,
        verdict=_verdict(score, unsure),
        deductions=deductions,
        duties=_duties(judgement, named),
        violations=_by_severity(named[rule_id].severity for rule_id in failed),
        unsure=_by_severity(named[rule_id].severity for rule_id in unsure),
    )


def _named_rules(judgement: Judgement, ruleset: RuleSet) -> dict[str, _Named]:
    """Rules of the set; a finding's own word on category and severity wins, for it was made by what ran."""
    return {rule.id: rule for rule in ruleset.rules} | {f.rule_id: f for f in judgement.findings}


def _rules_with(result: Result, judgement: Judgement, named: Mapping[str, _Named]) -> list[str]:
    """Ids of the rules with this outcome, signals left out: worst first, then by name."""
    ids = [
        rule_id
        for rule_id, outcome in judgement.outcomes.items()
        if outcome is result and not is_signal(named[rule_id].category)
    ]
    return sorted(ids, key=lambda rule_id: (-named[rule_id].severity.rank, rule_id))


def _costs(findings: Iterable[Finding]) -> dict[str, int]:
    """The points that each broken rule costs."""
    broken: dict[str, list[Finding]] = defaultdict(list)
    for finding in filter(is_violation, findings):
        broken[finding.rule_id].append(finding)
    costs: dict[str, int] = {}
    counted: dict[str, set[int]] = defaultdict(set)  # turns by category
    for rule_id, found in sorted(broken.items(), key=lambda item: (-item[1][-1].severity.rank, item[0])):
        category, turns = found[-1].category, {finding.turn for finding in found}
        told = CATEGORIES[category][0] is Group.CONDUCT and turns <= counted[category]
        costs[rule_id] = 0 if told else POINTS[found[-1].severity]
        counted[category] |= turns
    return costs


def _left(judgement: Judgement, lost: Iterable[int]) -> int | None:
    """What is left of the full score; None where no rule had anything to judge."""
    if set(judgement.outcomes.values()) == {Result.NOT_APPLICABLE}:
        return None
    return max(0, FULL_SCORE - sum(lost))


def _deduction(rule_id: str, rule: _Named, findings: Iterable[Finding], *, points: int | None) -> Deduction:
    places = sum(f.rule_id == rule_id and f.result is Result.FAIL for f in findings)
    return Deduction(
        rule_id=rule_id,
        category=rule.category,
        severity=rule.severity,
        points=POINTS[rule.severity] if points is None else points,
        places=places,
    )


def _duties(judgement: Judgement, named: Mapping[str, _Named]) -> tuple[Duty, ...]:
    duties = [
        Duty(rule_id=rule_id, category=named[rule_id].category, result=result)
        for rule_id, result in judgement.outcomes.items()
        if named[rule_id].category in _DUTIES
    ]
    return tuple(sorted(duties, key=lambda duty: (_DUTIES[duty.category], duty.rule_id)))


def _by_severity(severities: Iterable[Severity]) -> dict[Severity, int]:
    seen = list(severities)
    return {severity: seen.count(severity) for severity in Severity}


def _verdict(score: int | None, unsure: list[str]) -> Verdict:
    if score is None:
        return Verdict.NOT_SCORED
    if score < PASS_MARK:
        return Verdict.FAIL
    return Verdict.REVIEW if unsure else Verdict.PASS
