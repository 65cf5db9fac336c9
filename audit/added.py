"""What the second opinion adds to the rules on labelled calls: misses found, and what that costs people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.evaluate import Labelled, percent
from audit.figures import wilson
from rules.engine import Judge
from rules.hints import PREFIX
from rules.model import SELF_HARM
from rules.second_opinion import SecondOpinion
from rules.suspicion import CONDUCT

_LOOKED_FOR = frozenset((*CONDUCT, SELF_HARM))


@dataclass(slots=True, kw_only=True)
class Added:
    """Turns. `missed`: guilty of conduct, or a self-harm signal, and no rule of that kind fired; `found`: of them by
    the model, `named` with the right category. `extra`: items on turns of clean calls; `beside`: on innocent turns
    of the other calls. A call is clean without any conduct or self-harm label.
    """

    clean_calls: int = 0
    missed: int = 0
    found: int = 0
    named: int = 0
    missed_self_harm: int = 0
    found_self_harm: int = 0
    extra: int = 0
    beside: int = 0

    @property
    def extra_in_100(self) -> float:
        """Extra items in 100 clean calls."""
        return 100 * self.extra / max(1, self.clean_calls)


def added(calls: Sequence[Labelled], judge: Judge, second: SecondOpinion) -> Added:
    """Judge every call with and without the second opinion."""
    result = Added()
    for call in calls:
        labels = {(turn, category) for turn, category in call.labels if category in _LOOKED_FOR}
        judgement = judge.judge(call.turns, call.facts)
        ruled = {(finding.turn, finding.category == SELF_HARM) for finding in judgement.findings if _looked(finding)}
        weighed = second.weigh(judgement, call.turns).findings
        hints = [finding for finding in weighed if finding.rule_id.startswith(PREFIX) and _looked(finding)]
        result.clean_calls += not labels
        _count_found(labels, ruled, {hint.turn: hint.category for hint in hints}, result)
        wrong = len({hint.turn for hint in hints} - {turn for turn, _ in labels})
        if labels:
            result.beside += wrong
        else:
            result.extra += wrong
    return result


def _looked(finding: object) -> bool:
    return getattr(finding, "category", None) in _LOOKED_FOR


def _count_found(
    labels: set[tuple[int, str]], ruled: set[tuple[int, bool]], hints: dict[int, str], result: Added
) -> None:
    for turn in {turn for turn, _ in labels}:
        self_harm = (turn, SELF_HARM) in labels
        if (turn, self_harm) in ruled:
            continue
        result.missed += not self_harm
        result.missed_self_harm += self_harm
        result.found += turn in hints and not self_harm
        result.found_self_harm += turn in hints and self_harm
        result.named += (turn, hints.get(turn)) in labels and not self_harm


def table(halves: dict[str, Added]) -> Iterator[str]:
    """The figures of each half as lines of Markdown."""
    yield "| half | turns that rules missed | of them found (95%) | category right | self-harm missed | found |" + _COST
    yield "|---|---|---|---|---|---|---|---|---|"
    for half, a in halves.items():
        share = percent(wilson(a.found, a.missed))
        yield (
            f"| {half} | {a.missed} | {a.found}: {share} | {a.named} | {a.missed_self_harm} | {a.found_self_harm} "
            f"| {a.clean_calls} | {a.extra}: {a.extra_in_100:.1f} in 100 | {a.beside} |"
        )


_COST = " clean calls | extra items | innocent turns of guilty calls |"
