"""How well we do in use, from what reviewers said: precision, recall, drift, overturned findings, error rate.

Days are those of the calls. What each figure can and can't tell stands in docs/sampling.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.access import Action, Actor, require
from audit.estimates import Estimate, Flagged, Listened, Recall, difference, error_rate, recall
from audit.figures import Share, wilson
from audit.sampling import Comparison, compare
from audit.score import is_signal
from audit.store import Store, samples, tallies
from audit.store.samples import Period, Pool, Sample
from audit.store.tallies import RuleLine
from rules.model import CATEGORIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Below `precision`, with at least `reviews` and the whole interval below it, a rule is put up for revision."""

    precision: float = 0.8
    reviews: int = 20

    def broken_by(self, found: Share) -> bool:
        """Whether a rule with this precision is put up for revision."""
        return found.of >= self.reviews and found.high is not None and found.high < self.precision


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleQuality:
    """One rule over a period. `precision`: of all findings judged, those upheld; `sampled`: of those drawn at random.

    `fires`: calls in which it fires, of all. The changes are against as many days before.
    """

    rule_id: str
    precision: Share
    sampled: Share
    fires: Share
    precision_change: Estimate
    fires_change: Estimate
    revise: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRecall:
    """Recall of a category; "" is any violation."""

    category: str
    recall: Recall


@dataclass(frozen=True, slots=True, kw_only=True)
class Overturned:
    """Of decided appeals, those in which the finding was taken back: all, and by rule."""

    all: Share
    by_rule: Mapping[str, Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Everything about a period. `recall` is empty and `recall_of` None without a sample of calls with no findings.

    `blind`: complete blind sets of the period. `errors`: character error rate of texts checked in full.
    """

    days: Period
    rules: tuple[RuleQuality, ...]
    recall_of: Sample | None
    recall: tuple[CategoryRecall, ...]
    overturned: Overturned
    blind: tuple[Comparison, ...]
    errors: Estimate
    reviews: Share


def quality(store: Store, days: Period, *, floor: Floor, actor: Actor) -> Quality:
    """Figures over the calls of these days; rules to revise come first, then those judged most."""
    require(actor, Action.SAMPLE)
    rules = _rules(store, days, floor)
    drawn = [one for one in samples.samples(store) if days.since <= one.days.since and one.days.until <= days.until]
    listened = _to_rest_on(drawn)
    blind = (compare(store, one.id, actor=actor) for one in drawn if one.plan.blind)
    return Quality(
        days=days,
        rules=tuple(sorted(rules, key=lambda one: (not one.revise, -one.precision.of, one.rule_id))),
        recall_of=listened,
        recall=() if listened is None else tuple(_recall(store, listened)),
        overturned=_overturned(store, days),
        blind=tuple(one for one in blind if one is not None),
        errors=error_rate(samples.checked_texts(store, days.calls)),
        reviews=_sum(one.precision for one in rules),
    )


def _rules(store: Store, days: Period, floor: Floor) -> list[RuleQuality]:
    now, before = _counts(store, days), _counts(store, days.before)
    sampled = {row["rule_id"]: wilson(row["kept"], row["kept"] + row["dismissed"])
               for row in samples.sampled_verdicts(store, days)}  # fmt: skip
    nothing = wilson(0, 0)
    none_before = (nothing, wilson(0, tallies.totals(store, days.before.calls).calls))
    found = []
    for rule_id, (precision, fires) in now.items():
        precision_before, fires_before = before.get(rule_id, none_before)
        found.append(
            RuleQuality(
                rule_id=rule_id,
                precision=precision,
                sampled=sampled.get(rule_id, nothing),
                fires=fires,
                precision_change=difference(precision, precision_before),
                fires_change=difference(fires, fires_before),
                revise=floor.broken_by(precision),
            )
        )
    return found


def _counts(store: Store, days: Period) -> dict[str, tuple[Share, Share]]:
    """Rule → precision, and calls in which it fires of all."""
    calls = tallies.totals(store, days.calls).calls
    by_rule: dict[str, list[RuleLine]] = {}
    for line in tallies.by_rule(store, days.calls):
        by_rule.setdefault(str(line.key[0]), []).append(line)
    return {rule_id: (_precision(lines), _fires(lines, calls)) for rule_id, lines in by_rule.items()}


def _precision(lines: Iterable[RuleLine]) -> Share:
    lines = list(lines)
    right = sum(line.confirmed + line.partial for line in lines)
    return wilson(right, right + sum(line.dismissed for line in lines))


def _fires(lines: Iterable[RuleLine], calls: int) -> Share:
    """A call counts twice where the rule's category or severity has changed: no more calls than there are."""
    return wilson(min(calls, sum(line.calls for line in lines)), calls)


def _to_rest_on(drawn: Iterable[Sample]) -> Sample | None:
    """The newest complete sample of calls with no findings, else the newest of which anything was heard."""
    usable = [one for one in drawn if one.plan.pool is Pool.UNFLAGGED and not one.plan.blind and one.done]
    return next((one for one in usable if one.complete), usable[0] if usable else None)


def _recall(store: Store, sample: Sample) -> Iterable[CategoryRecall]:
    """Any violation first, then categories of which something was found or missed, in their usual order."""
    flagged = {
        row["category"]: Flagged(
            all=row["flagged"], confirmed=row["confirmed"], dismissed=row["dismissed"], known=row["known"]
        )
        for row in tallies.flagged(store, sample.days.calls)
    }
    heard = samples.heard_in(store, sample.id)
    missed = {(row["stratum"], row["category"]): row["calls"] for row in samples.missed_in(store, sample.id)}
    named = {*flagged, *(category for _, category in missed)}
    nothing = Flagged(all=0, confirmed=0, dismissed=0)
    for category in ("", *(name for name in CATEGORIES if name in named and not is_signal(name))):
        strata = [
            Listened(size=size, heard=heard.get(name, 0), missed=missed.get((name, category), 0))
            for name, size in sample.strata.items()
        ]
        yield CategoryRecall(category=category, recall=recall(flagged.get(category, nothing), strata))


def _overturned(store: Store, days: Period) -> Overturned:
    rows = samples.decided_by_rule(store, days.calls)
    by_rule = {row["rule_id"]: wilson(row["overturned"], row["decided"]) for row in rows}
    return Overturned(all=_sum(by_rule.values()), by_rule=by_rule)


def _sum(shares: Iterable[Share]) -> Share:
    shares = list(shares)
    return wilson(sum(one.hits for one in shares), sum(one.of for one in shares))
