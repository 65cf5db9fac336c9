"""A second opinion beside the rules: a small model that puts turns before people, where no rule is sure or where it
disagrees with one.

It never makes a violation. A score for each category (rules/suspicion.py) says how suspicious a turn of the agent is,
and of what; the highest must pass a threshold. A long turn is looked at as a whole and in stretches, of which the most
suspicious counts: guilty words drown among many others. A violation that rules on trial found in words that the model
takes to be innocent or something else is left to people, and what such a rule found in words that it takes to be
plainly innocent is dropped, a mere doubt sooner than a violation. In a call that does not sound as if it were about a
debt (rules/everyday.py) violations and signals are doubted, and doubts and hints need a clearer suspicion. A score for
self-harm looks at the customer's turns; what else customers signal is looked at by rules/signals.py, and a duty that
only a doubtful signal calls for is in doubt too. Each hint names the words that weighed most.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.everyday import is_everyday
from rules.grams import Floats, grams
from rules.load import PACKS, walk
from rules.lookout import Span
from rules.model import CATEGORIES, SELF_HARM, Finding, Judgement, Result, RuleSet, Severity
from rules.sieve import Sieve
from rules.signals import SIGNALS, plain_signal, sounds_like, telling_words
from rules.suspicion import (
    CONDUCT,
    CONDUCT_HEADS,
    GATES,
    HEADS,
    LONGEST_GRAM,
    NEAR,
    STEP,
    Model,
    around,
    features,
    leaves_open,
    near_grams,
    read_model,
    stretches,
    with_meaning,
)
from rules.text import TURN_END, NormalText, normal_text
from rules.tokens import Tokenizer
from transcribe.model import Role, Turn

PREFIX = "second-opinion-"

_HINTED = (*CONDUCT, SELF_HARM, *SIGNALS)
_OF_DEBTS = frozenset((*CONDUCT, *SIGNALS)) - {"wrong_person"}
"""Categories of which nothing is sure where nobody talks about a debt."""
_WORDS_SHOWN = 4
_AROUND = 20  # characters on either side of a rule's hit that are weighed with it
_FEWEST = 6  # characters from which the model may disagree with a rule
# The highest score of any category below which a violation of a rule on trial is doubted, as written, and misheard as
# words may be; and below which what the rule found is dropped, by what it made of it. (Of a company's own rules the
# model knows nothing: they are never dropped.)
_DOUBTED_BELOW, _DOUBTED_BELOW_AS_HEARD = 1.5, -1.5
_DROPPED_BELOW = {Result.UNSURE: -1.5, Result.FAIL: -4.0}
_LOWER_AS_HEARD = 1.0
_ABOVE_EVERYDAY = 1.5  # by which a score must pass the threshold in talk that does not sound as if about a debt
_CLEARLY = 0.15  # by which another category's score must be higher
_MOST_CONFIDENCE = 0.5  # a hint is never as sure as a rule
_MARKS = "。？"


def title(rule_id: str, *, lang: str = "zh") -> str | None:
    """What a report calls a hint of ours; None where the id is not one of them."""
    category = rule_id.removeprefix(PREFIX).replace("-", "_")
    if not rule_id.startswith(PREFIX) or category not in _HINTED:
        return None
    _, chinese, english = CATEGORIES[category]
    return f"模型提示：{chinese}" if lang == "zh" else f"Model's hint: {english.lower()}"


class SecondOpinion:
    """Weighs what the rules said of a call; severities of hints are those that the rule set gives the category."""

    def __init__(self, ruleset: RuleSet, *, model: Model | None = None) -> None:
        self.model = model or read_model()
        self._sieve = Sieve(self.model)
        self._tokenizer = Tokenizer(ruleset.lexicon)
        self._severities = {category: _usual_severity(ruleset, category) for category in _HINTED}
        self._ours = frozenset(id_ for id_, file in ruleset.sources.items() if Path(file).is_relative_to(PACKS))
        self._of_callees = frozenset(rule.id for rule in ruleset.rules if any(c.relation for c in walk(*rule.when)))
        self._called_for = {
            rule.id: frozenset(name for condition in walk(*rule.applies_when) for name in condition.signal or ())
            for rule in ruleset.rules
        }
        self._on_trial = frozenset(rule.id for rule in ruleset.rules if rule.status in ("draft", "test"))

    def weigh(self, judgement: Judgement, turns: Sequence[Turn]) -> Judgement:
        """The judgement with doubtful violations and signals `unsure`, without what is plainly innocent, and with a
        hint for each suspicious turn in which no rule is sure of anything or says the same.
        """
        normal = normal_text(tuple([turn.text for turn in turns]))
        opinions = (self._weighed(finding, turns[finding.turn], normal) for finding in judgement.findings)
        weighed = [finding for finding in opinions if finding is not None]
        hints = [*self._hints(weighed, turns, normal), *self._signal_hints(weighed, turns, normal)]
        if any(finding.category in _OF_DEBTS for finding in (*weighed, *hints)) and is_everyday(normal):
            weighed = [left for finding in weighed if (left := self._in_everyday_talk(finding, normal)) is not None]
            hints = [hint for hint in hints if self._hints_in_everyday_talk(hint, normal)]
        weighed = self._with_duties_called_for(weighed, _sure(judgement.findings))
        if not hints and weighed == list(judgement.findings):
            return judgement
        certain = {finding.rule_id for finding in weighed if finding.result is Result.FAIL}
        doubted = {finding.rule_id for finding in (*weighed, *hints)} - certain
        dropped = {finding.rule_id for finding in judgement.findings} - certain - doubted
        return Judgement(
            findings=tuple(sorted((*weighed, *hints), key=lambda f: (f.turn, f.start, f.rule_id))),
            outcomes={
                **judgement.outcomes,
                **dict.fromkeys(sorted(doubted), Result.UNSURE),
                **dict.fromkeys(sorted(dropped), Result.PASS),
            },
        )

    def _weighed(self, finding: Finding, turn: Turn, normal: NormalText) -> Finding | None:
        """A finding as the model leaves it: as it is, a violation in doubt, or None in plainly innocent words."""
        if finding.category in SIGNALS and finding.rule_id in self._on_trial:
            likely = finding.result is not Result.FAIL or sounds_like(finding.category, normal.turn_text(finding.turn))
            return finding if likely else finding.doubted((f"模型觉得听起来不像{CATEGORIES[finding.category][1]}",))
        scores = self._scores_around(finding, turn, normal)
        if scores is None:
            return finding
        heard = turn.confidence < 1
        if self._may_drop(finding) and float(scores[CONDUCT_HEADS].max()) < (
            _DROPPED_BELOW[finding.result] - heard * _LOWER_AS_HEARD
        ):
            return None
        return finding.doubted(_disagreement(scores, finding, heard=heard))

    def _in_everyday_talk(self, finding: Finding, normal: NormalText) -> Finding | None:
        """What is left of a finding in a call that does not sound as if it were about a debt."""
        if finding.rule_id not in self._on_trial or finding.category not in _OF_DEBTS:
            return finding
        if finding.result is Result.FAIL:
            return finding.doubted(("整通电话不像在谈欠款",))
        suspect = finding.category not in CONDUCT or self._suspects(finding.turn, normal)
        return finding if suspect or not self._may_drop(finding) else None

    def _hints_in_everyday_talk(self, hint: Finding, normal: NormalText) -> bool:
        """Whether a hint stays in a call that does not sound as if it were about a debt."""
        return hint.category not in _OF_DEBTS or (hint.category in CONDUCT and self._suspects(hint.turn, normal))

    def _with_duties_called_for(self, findings: Sequence[Finding], before: frozenset[str]) -> list[Finding]:
        """The findings; a missed duty is in doubt where all signals that called for it, sure `before`, are in doubt."""
        doubtful = before - _sure(findings)
        return [
            finding.doubted(("客户是否这样说过，模型存疑",))
            if finding.result is Result.FAIL
            and (called := self._called_for.get(finding.rule_id, frozenset()) & before)
            and called <= doubtful
            else finding
            for finding in findings
        ]

    def _suspects(self, n: int, normal: NormalText) -> bool:
        """Whether the model suspects turn `n` of something even in everyday talk."""
        text, near = normal.turn_text(n), around(normal, n)
        looks = (self._look(text, part, near, Role.AGENT).scores - self.model.thresholds for part in stretches(text))
        return any(float(above[CONDUCT_HEADS].max()) >= _ABOVE_EVERYDAY for above in looks)

    def _may_drop(self, finding: Finding) -> bool:
        """Whether words can show that a finding is nothing: a doubt about who listens they can't settle."""
        doubts_callee = finding.result is Result.UNSURE and finding.rule_id in self._of_callees
        return finding.rule_id in self._ours and not doubts_callee

    def _scores_around(self, finding: Finding, turn: Turn, normal: NormalText) -> Floats | None:
        """What the model says of the words in which a rule on trial found misconduct; None where it has no say."""
        if finding.rule_id not in self._on_trial or finding.category not in CONDUCT or finding.start == finding.end:
            return None
        spoken = turn.text[max(0, finding.start - _AROUND) : finding.end + _AROUND]
        text = NormalText([spoken]).turn_text(0)
        columns, values = features(text, around(normal, finding.turn), self.model.index, self.model.idf, strange=False)
        return None if len(text) < _FEWEST or len(columns) == 0 else self.model.scores(columns, values)

    def _hints(self, findings: Sequence[Finding], turns: Sequence[Turn], normal: NormalText) -> Iterator[Finding]:
        found = {(finding.turn, finding.category) for finding in findings}
        certain = {(finding.turn, finding.category) for finding in findings if finding.result is Result.FAIL}
        roles = [turn.role for turn in turns]
        silent = {role: [HEADS[head] for head in heads] for role, heads in GATES.items()}
        open_turns = [
            n for n, role in enumerate(roles)
            if role in silent and not any((n, category) in certain for category in silent[role])
        ]  # fmt: skip
        caught = self._sieve.caught(normal, open_turns, roles) if open_turns else {}
        for n, parts in caught.items():
            hint = self._hint(turns[n], n, normal, parts)
            if hint is not None and (n, hint.category) not in found:
                yield hint

    def _signal_hints(
        self, findings: Sequence[Finding], turns: Sequence[Turn], normal: NormalText
    ) -> Iterator[Finding]:
        """A hint for each turn of a customer that plainly sounds like a signal, where no rule found one."""
        found = {finding.turn for finding in findings if finding.category in SIGNALS}
        for n, turn in enumerate(turns):
            plain = plain_signal(normal.turn_text(n)) if turn.role is Role.CUSTOMER and n not in found else None
            if plain is None:
                continue
            category, odds = plain
            because = _because([category], telling_words(category, normal.turn_text(n)), ())
            yield self._finding(_Hint(category, odds, because), turn, n, (0, len(turn.text)))

    def _finding(self, hint: _Hint, turn: Turn, n: int, span: Span) -> Finding:
        start, end = span
        return Finding(
            rule_id=PREFIX + hint.category.replace("_", "-"), rule_version=1, category=hint.category,
            severity=self._severities[hint.category], result=Result.UNSURE, turn=n, start=start, end=end,
            start_ms=turn.start_ms, end_ms=turn.end_ms, quote=turn.text[start:end], heard_as=None,
            confidence=round(_MOST_CONFIDENCE / (1 + math.exp(-hint.score)), 2), because=hint.because,
        )  # fmt: skip

    def _hint(self, turn: Turn, n: int, normal: NormalText, parts: Sequence[Span]) -> Finding | None:
        """What the most suspicious of some stretches of turn `n` gives; None below the threshold."""
        heads, near = list(GATES[turn.role]), around(normal, n)
        looks = [self._look(normal.turn_text(n), part, near, turn.role) for part in parts]
        look = max(looks, key=lambda look: float(look.scores[heads].max()))
        scores, (first, *others) = look.scores, sorted(heads, key=lambda head: -look.scores[head])[:2]
        if len(look.columns) == 0 or scores[first] <= self.model.thresholds[first]:
            return None
        shares = self.model.weights[first, look.columns] * look.values
        weighed = dict(zip(look.columns.tolist(), shares.tolist(), strict=True))
        words = _heaviest(normal.turn_text(n)[slice(*look.part)], near, self.model.index, weighed)
        because = _because([HEADS[head] for head in (first, *others)], *words)
        hint = _Hint(HEADS[first], float(scores[first]), because)
        return self._finding(hint, turn, n, _shown(normal, n, look.part))

    def _look(self, text: str, part: Span, near: Sequence[str], role: Role) -> _Look:
        said = text[slice(*part)]
        columns, values = features(said, near, self.model.index, self.model.idf)
        scores = self.model.scores(columns, values)
        if role is Role.AGENT and leaves_open(scores):
            scores = with_meaning(scores, self.model.meaning.of(said, self._tokenizer.words(said), near))
        return _Look(part, columns, values, scores)


class _Hint(NamedTuple):
    """Of what a turn is suspected, how surely (log odds), and why."""

    category: str
    score: float
    because: str


class _Look(NamedTuple):
    """A stretch of a turn, its features, and what each of HEADS says of it."""

    part: Span
    columns: NDArray[np.intp]
    values: Floats
    scores: Floats


def _sure(findings: Sequence[Finding]) -> frozenset[str]:
    """The categories of which something is surely found."""
    return frozenset(finding.category for finding in findings if finding.result is Result.FAIL)


def _shown(normal: NormalText, n: int, part: Span) -> Span:
    """What a hint marks, in characters of turn `n` as spoken: its stretch, up to the nearest pauses close by."""
    start, end = (normal.turns[n] + place for place in part)
    low, high = normal.clause(start, end)
    _, first, last = normal.span_as_spoken(max(low, start - STEP), min(high, end + STEP))
    return first, last


def _disagreement(scores: Floats, finding: Finding, *, heard: bool) -> tuple[str, ...]:
    """Why the model doubts a violation: it takes the words, those that it knows, for something else."""
    if finding.result is not Result.FAIL:
        return ()
    likeliest = max(GATES[Role.AGENT], key=lambda head: scores[head])
    if scores[likeliest] < (_DOUBTED_BELOW_AS_HEARD if heard else _DOUBTED_BELOW):
        return ("模型看不出问题",)
    if scores[likeliest] - scores[HEADS.index(finding.category)] < _CLEARLY:
        return ()
    return (f"模型觉得更像{CATEGORIES[HEADS[likeliest]][1]}",)


def _usual_severity(ruleset: RuleSet, category: str) -> Severity:
    """The commonest severity among a category's rules, the graver of two; medium where it has none."""
    counts = Counter(rule.severity for rule in ruleset.rules if rule.category == category)
    return max(counts, key=lambda severity: (counts[severity], severity.rank), default=Severity.MEDIUM)


def _heaviest(
    text: str, near: Sequence[str], index: Mapping[str, int], weighed: Mapping[int, float]
) -> tuple[list[str], list[str]]:
    """The n-grams of two characters or more that weighed most, none inside another: the turn's own, and from around."""
    said = TURN_END.join([text, *near])
    places = {**dict.fromkeys(grams(text, LONGEST_GRAM), 0), **dict.fromkeys(near_grams(near), len(text) + 1)}
    known = {gram for gram in places if weighed.get(index.get(gram, -1), 0) > 0 and not set(_MARKS) & {*gram}}
    shown: list[tuple[int, str]] = []
    for gram in sorted(known, key=lambda gram: (-weighed[index[gram]], gram)):
        word = gram.removeprefix(NEAR)
        at = said.index(word, places[gram])
        if len(word) > 1 and all(at + len(word) <= other or other + len(seen) <= at for other, seen in shown):
            shown.append((at, word))
        if len(shown) == _WORDS_SHOWN:
            break
    own, around_it = ([word for at, word in sorted(shown) if (at < len(text)) is own] for own in (True, False))
    return own, around_it


def _because(categories: Sequence[str], words: Sequence[str], words_near: Sequence[str]) -> str:
    first, *others = (CATEGORIES[category][1] for category in categories)
    also = f"，也像{others[0]}" if others else ""
    listed = _quoted(words) or "没有特别突出的"
    beside = f"；前后句里：{_quoted(words_near)}" if words_near else ""
    return f"模型提示：可能是{first}{also}；规则没有判定，请人工判断。最主要的字词：{listed}{beside}"


def _quoted(words: Sequence[str]) -> str:
    return "、".join(f"“{word}”" for word in words)
