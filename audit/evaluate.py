"""How good the rules are: precision, recall and false alarms on labelled calls, as text and as recognised sound.

One item is a turn and a category. Found: any finding, violation or unsure, since both reach a person. Right: of what
is called a violation, the share that people labelled so; unsure accuses nobody and is counted apart.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.figures import Share, wilson
from rules.engine import Judge
from rules.model import CATEGORIES, CallFacts, Finding, Group, Result, Severity
from rules.promises import Firmness, find_promise
from rules.second_opinion import SecondOpinion
from rules.verdict import judged
from transcribe.model import Role, Transcript, Turn

_SLACK_MS = 1_500  # a recogniser may cut a turn where the label does not
_JUDGED = (Group.CONDUCT, Group.SIGNAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A call with what people say of it. `labels` are (turn, category), `quotes` the guilty words of each; `times` are
    given where it was heard; an excerpt is not `whole`, `everyday` talk has nothing to do with a debt.
    """

    call_id: str
    turns: tuple[Turn, ...]
    facts: CallFacts
    labels: frozenset[tuple[int, str]]
    duties: Mapping[str, Result]
    promise: Mapping[str, Any] | None
    quotes: Mapping[tuple[int, str], Sequence[str]] = field(default_factory=dict)
    times: tuple[tuple[int, int], ...] = ()  # of the labelled turns, in the recording
    whole: bool = False
    everyday: bool = False


@dataclass(slots=True)
class Counts:
    """Turns of a category (or findings of a rule): as people labelled them against what the machine said."""

    violations: int = 0  # labelled, and called so
    unsure: int = 0  # labelled, and put before a person
    missed: int = 0
    false: int = 0  # called a violation, not labelled
    doubted: int = 0  # put before a person, not labelled

    @property
    def precision(self) -> Share:
        return wilson(self.violations, self.violations + self.false)

    @property
    def recall(self) -> Share:
        found = self.violations + self.unsure
        return wilson(found, found + self.missed)

    @property
    def f1(self) -> float | None:
        precision, recall = self.precision.share, self.recall.share
        if precision is None or recall is None or precision + recall == 0:
            return None
        return 2 * precision * recall / (precision + recall)


@dataclass(slots=True, kw_only=True)
class WholeCalls:
    """Whole calls, with misconduct in them or without: put before a person because of any misconduct, of them by a
    violation; of the guilty ones, with a category that people name too.
    """

    guilty: int = 0
    guilty_shown: int = 0
    guilty_named: int = 0
    guilty_accused: int = 0
    clean: int = 0
    clean_shown: int = 0
    clean_accused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All figures of one set of labelled calls."""

    calls: int
    turns: int
    clean_turns: int
    categories: Mapping[str, Counts]
    rules: Mapping[str, Counts]
    duties: Mapping[str, Counter[str]]
    promises: Counter[str]
    whole: WholeCalls
    false_alarms: frozenset[tuple[str, int]]  # clean turns with a violation of medium or above: call and turn
    false_signals: frozenset[tuple[str, int]]  # the same of customers' signals
    never_fired: tuple[str, ...]

    @property
    def conduct(self) -> Counts:
        """All misconduct together."""
        every = [counts for name, counts in self.categories.items() if CATEGORIES[name][0] is Group.CONDUCT]
        return Counts(**{each.name: sum(getattr(counts, each.name) for counts in every) for each in fields(Counts)})

    @property
    def false_alarm_rate(self) -> float:
        """Clean turns with a violation of medium or above, in 1,000."""
        return 1000 * len(self.false_alarms) / max(1, self.clean_turns)


def read_corpus(path: Path) -> list[Labelled]:
    """All calls of a file of JSON lines, or of all such files of a folder (tests/corpus/README.md)."""
    files = [path] if path.is_file() else sorted(path.glob("*.jsonl"))
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return [_labelled(json.loads(line)) for line in lines]


def _labelled(written: Mapping[str, Any]) -> Labelled:
    turns = tuple(
        Turn(index=n, role=Role(turn["role"]), channel=None, start_ms=0, end_ms=0, text=turn["text"])
        for n, turn in enumerate(written["turns"])
    )
    quotes: dict[tuple[int, str], list[str]] = {}
    for label in written["labels"]:
        quotes.setdefault((label["turn"], label["category"]), []).append(label["quote"])
    started = written.get("started_at")
    return Labelled(
        call_id=written["call_id"],
        turns=turns,
        facts=CallFacts(
            call_id=written["call_id"],
            started_at=datetime.fromisoformat(started) if started else None,
            callee_relation=written.get("callee_relation"),
        ),
        labels=frozenset(quotes),
        quotes=quotes,
        duties={name: Result(result) for name, result in written.get("duties", {}).items()},
        promise=written.get("promise"),
        whole=written["complete"],
        everyday=written.get("everyday", False),
    )


def as_heard(call: Labelled, transcript: Transcript, times: Sequence[tuple[int, int]]) -> Labelled:
    """The same call as a recogniser heard it; labels stay with the times of the turns as spoken."""
    return replace(call, turns=transcript.turns, times=tuple(times))


@dataclass(slots=True)
class _Tally:
    categories: dict[str, Counts] = field(default_factory=dict)
    rules: dict[str, Counts] = field(default_factory=dict)
    duties: dict[str, Counter[str]] = field(default_factory=dict)
    promises: Counter[str] = field(default_factory=Counter)
    whole: WholeCalls = field(default_factory=WholeCalls)
    false_alarms: dict[Group, set[tuple[str, int]]] = field(default_factory=lambda: {group: set() for group in _JUDGED})
    fired: set[str] = field(default_factory=set)


def evaluate(calls: Sequence[Labelled], judge: Judge, second: SecondOpinion | None = None) -> Evaluation:
    """Judge every call, by the rules alone or with the second opinion, and compare with its labels."""
    tally = _Tally(categories={name: Counts() for name, (group, *_) in CATEGORIES.items() if group in _JUDGED})
    for call in calls:
        judgement = judged(call.turns, call.facts, judge=judge, second=second)
        tally.fired.update(finding.rule_id for finding in judgement.findings)
        spoken = [finding for finding in judgement.findings if finding.category in tally.categories]
        _count_categories(call, spoken, tally)
        _count_rules(call, spoken, tally)
        _count_duties(call, judge, judgement.outcomes, tally)
        _count_promise(call, tally)
        if call.whole:
            _count_whole(call, spoken, tally.whole)
    return Evaluation(
        calls=len(calls),
        turns=sum(map(_length, calls)),
        clean_turns=sum(_length(call) - len({turn for turn, _ in call.labels}) for call in calls),
        categories=tally.categories,
        rules=tally.rules,
        duties=tally.duties,
        promises=tally.promises,
        whole=tally.whole,
        false_alarms=frozenset(tally.false_alarms[Group.CONDUCT]),
        false_signals=frozenset(tally.false_alarms[Group.SIGNAL]),
        never_fired=tuple(rule.id for rule in judge.ruleset.rules if rule.id not in tally.fired),
    )


def _length(call: Labelled) -> int:
    return len(call.times or call.turns)


def _places(call: Labelled, finding: Finding) -> set[int]:
    """The labelled turns that a finding is about: its own, or those that its time touches."""
    if not call.times:
        return {finding.turn}
    low, high = finding.start_ms - _SLACK_MS, finding.end_ms + _SLACK_MS
    return {n for n, (start, end) in enumerate(call.times) if start < high and low < end}


def _count_categories(call: Labelled, findings: Sequence[Finding], tally: _Tally) -> None:
    found: dict[tuple[int, str], bool] = {}
    wrong: dict[tuple[int, str], bool] = {}
    for finding in findings:
        certain = finding.result is Result.FAIL
        places = {(turn, finding.category) for turn in _places(call, finding)}
        right = places & call.labels
        for place in right or {(finding.turn, finding.category)}:
            target = found if right else wrong
            target[place] = target.get(place, False) or certain
        clean = not any((turn, name) in call.labels for turn, _ in places for name in CATEGORIES)
        if certain and clean and finding.severity.rank >= Severity.MEDIUM.rank:
            tally.false_alarms[CATEGORIES[finding.category][0]].add((call.call_id, finding.turn))
    for turn, category in call.labels:
        counts = tally.categories[category]
        match found.get((turn, category)):
            case True:
                counts.violations += 1
            case False:
                counts.unsure += 1
            case None:
                counts.missed += 1
    for (_, category), certain in wrong.items():
        if certain:
            tally.categories[category].false += 1
        else:
            tally.categories[category].doubted += 1


def _count_rules(call: Labelled, findings: Iterable[Finding], tally: _Tally) -> None:
    for finding in findings:
        counts = tally.rules.setdefault(finding.rule_id, Counts())
        right = any((turn, finding.category) in call.labels for turn in _places(call, finding))
        if finding.result is Result.FAIL:
            counts.violations += right
            counts.false += not right
        else:
            counts.unsure += right
            counts.doubted += not right


def _count_whole(call: Labelled, findings: Sequence[Finding], counts: WholeCalls) -> None:
    labelled = {name for _, name in call.labels if CATEGORIES[name][0] is Group.CONDUCT}
    seen = [finding for finding in findings if CATEGORIES[finding.category][0] is Group.CONDUCT]
    accused = any(finding.result is Result.FAIL for finding in seen)
    if labelled:
        counts.guilty += 1
        counts.guilty_shown += bool(seen)
        counts.guilty_named += not labelled.isdisjoint(finding.category for finding in seen)
        counts.guilty_accused += accused
    else:
        counts.clean += 1
        counts.clean_shown += bool(seen)
        counts.clean_accused += accused


def _count_duties(call: Labelled, judge: Judge, outcomes: Mapping[str, Result], tally: _Tally) -> None:
    """Each duty of a whole call: what people say → what the machine says; the worst of a category's rules counts."""
    order = (Result.FAIL, Result.UNSURE, Result.PASS, Result.NOT_APPLICABLE)
    for category, expected in call.duties.items():
        said = [outcomes[rule.id] for rule in judge.ruleset.rules if rule.category == category and rule.id in outcomes]
        worst = min(said, key=order.index, default=Result.NOT_APPLICABLE)
        tally.duties.setdefault(category, Counter())[f"{expected.value}→{worst.value}"] += 1


def _count_promise(call: Labelled, tally: _Tally) -> None:
    called_on = call.facts.started_at.date() if call.facts.started_at else None
    promise = find_promise(call.turns, call_date=called_on)
    found = promise is not None and promise.firmness is not Firmness.ASKED
    if call.promise is None:
        tally.promises["invented" if found else "rightly none"] += 1
        return
    tally.promises["found" if found else "missed"] += 1
    if promise is not None and found:
        tally.promises["amount right"] += _same(call.promise.get("amount"), promise.amount)
        tally.promises["date right"] += _same(call.promise.get("date"), promise.date)


def _same(expected: Any, found: Any) -> bool:
    if expected is None or found is None:
        return expected is found
    return str(expected) == str(found) or (not isinstance(expected, str) and float(expected) == float(found))


def tables(evaluation: Evaluation) -> Iterator[str]:
    """The figures as lines of Markdown."""
    yield f"{evaluation.calls} calls, {evaluation.turns} turns, {evaluation.clean_turns} of them clean."
    alarms, rate = len(evaluation.false_alarms), evaluation.false_alarm_rate
    yield f"Clean turns called a violation of medium or above: {alarms}, that is {rate:.2f} per 1,000."
    yield f"Clean turns called a customer's signal of medium or above: {len(evaluation.false_signals)}."
    yield ""
    if evaluation.whole.guilty + evaluation.whole.clean:
        yield from _whole_table(evaluation.whole)
        yield ""
    yield "| category | labelled | precision (95%) | recall (95%) | of it unsure | F1 | false | put before people |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, counts in evaluation.categories.items():
        yield _row(name, counts)
    if evaluation.duties:
        yield ""
        yield "| duty | agrees | right fail / labelled fail | wrong fail | labelled → judged |"
        yield "|---|---|---|---|---|"
        for name, pairs in sorted(evaluation.duties.items()):
            yield _duty_row(name, pairs)
    yield ""
    promises = ", ".join(f"{what} {number}" for what, number in sorted(evaluation.promises.items()))
    yield f"Promises to pay: {promises}."


def weighing_table(halves: Mapping[str, tuple[Evaluation, Evaluation]]) -> Iterator[str]:
    """Misconduct by the rules alone beside the same with the second opinion, as lines of Markdown."""
    yield "| half | judged by | violations right | wrong | precision (95%) | recall (95%) | false alarms per 1,000 |"
    yield "|---|---|---|---|---|---|---|"
    for half, (alone, weighed) in halves.items():
        for by, evaluation in (("rules", alone), ("rules and second opinion", weighed)):
            counts = evaluation.conduct
            yield (
                f"| {half} | {by} | {counts.violations} | {counts.false} | {percent(counts.precision)} "
                f"| {percent(counts.recall)} | {evaluation.false_alarm_rate:.2f} |"
            )


def rule_table(evaluation: Evaluation) -> Iterator[str]:
    """Each rule's findings: right, wrong, and how sure."""
    yield "| rule | violations right | wrong | unsure right | wrong | precision (95%) |"
    yield "|---|---|---|---|---|---|"
    for name, counts in sorted(evaluation.rules.items()):
        shown = percent(counts.precision)
        yield f"| {name} | {counts.violations} | {counts.false} | {counts.unsure} | {counts.doubted} | {shown} |"
    yield ""
    yield "Never fired: " + (", ".join(evaluation.never_fired) or "none") + "."


def _row(name: str, counts: Counts) -> str:
    labelled = counts.violations + counts.unsure + counts.missed
    f1 = "–" if counts.f1 is None else f"{counts.f1:.2f}"
    return (
        f"| {name} | {labelled} | {percent(counts.precision)} | {percent(counts.recall)} | {counts.unsure} | {f1} "
        f"| {counts.false} | {counts.doubted} |"
    )


def _whole_table(counts: WholeCalls) -> Iterator[str]:
    yield "| whole calls | | put before people | with a right category | with a violation |"
    yield "|---|---|---|---|---|"
    guilty = (wilson(n, counts.guilty) for n in (counts.guilty_shown, counts.guilty_named, counts.guilty_accused))
    yield f"| with misconduct | {counts.guilty} | " + " | ".join(map(percent, guilty)) + " |"
    shown, accused = (percent(wilson(n, counts.clean)) for n in (counts.clean_shown, counts.clean_accused))
    yield f"| without | {counts.clean} | {shown} | – | {accused} |"


def _duty_row(name: str, pairs: Counter[str]) -> str:
    same = sum(number for pair, number in pairs.items() if len(set(pair.split("→"))) == 1)
    failed = sum(number for pair, number in pairs.items() if pair.startswith("fail→"))
    wrong = sum(n for pair, n in pairs.items() if pair.endswith("→fail") and not pair.startswith("fail"))
    shown = ", ".join(f"{pair} {number}" for pair, number in sorted(pairs.items()))
    return f"| {name} | {percent(wilson(same, pairs.total()))} | {pairs['fail→fail']} / {failed} | {wrong} | {shown} |"


def percent(share: Share) -> str:
    """0.91 (0.84–0.95)."""
    if share.share is None or share.low is None or share.high is None:
        return "–"
    return f"{share.share:.2f} ({share.low:.2f}–{share.high:.2f})"
