"""Hints of the second opinion: turns that people should look at, where the rules saw nothing or something else.

What agents say is suspected by the model of rules/suspicion.py, the most suspicious stretch of a turn counting for it:
guilty words drown among many others. Who breaks a rule once in a call does so again: of a category that something else
in the call is suspected of, less is enough. What customers say is looked at for self-harm by the same model, for other
signals by rules/signals.py. Each hint names the words that weighed most.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.grams import Floats, grams
from rules.lookout import Span
from rules.model import CATEGORIES, SELF_HARM, Finding, Result, RuleSet, Severity
from rules.sieve import Sieve
from rules.signals import SIGNALS, plain_signal, telling_words
from rules.suspicion import (
    ASKED,
    CONDUCT,
    HEADS,
    LONGEST_GRAM,
    NEAR,
    STEP,
    Model,
    around,
    features,
    leaves_open,
    near_grams,
    with_meaning,
)
from rules.text import TURN_END, NormalText
from rules.tokens import Tokenizer
from transcribe.model import Role, Turn

PREFIX = "second-opinion-"

_HINTED = (*CONDUCT, SELF_HARM, *SIGNALS)
_AGAIN = 1.5  # by which a category's score is raised that something else in the call is suspected of
_WHOEVER = 1.0  # by which a score must pass the threshold where nobody knows who speaks
_MOST_CONFIDENCE = 0.5  # a hint is never as sure as a rule
_WORDS_SHOWN = 4
_MARKS = "。？"


def title(rule_id: str, *, lang: str = "zh") -> str | None:
    """What a report calls a hint of ours; None where the id is not one of them."""
    category = rule_id.removeprefix(PREFIX).replace("-", "_")
    if not rule_id.startswith(PREFIX) or category not in _HINTED:
        return None
    _, chinese, english = CATEGORIES[category]
    return f"模型提示：{chinese}" if lang == "zh" else f"Model's hint: {english.lower()}"


class Look(NamedTuple):
    """A stretch of a turn, its features, and what each of HEADS says of it."""

    part: Span
    columns: NDArray[np.intp]
    values: Floats
    scores: Floats


class Hinter:
    """Finds what to hint at; severities are those that the rule set gives the category."""

    def __init__(self, ruleset: RuleSet, model: Model) -> None:
        self._model = model
        self._sieve = Sieve(model, leeway=_AGAIN)
        self._tokenizer = Tokenizer(ruleset.lexicon)
        self._severities = {category: _usual_severity(ruleset, category) for category in _HINTED}

    def hints(self, findings: Sequence[Finding], turns: Sequence[Turn], normal: NormalText) -> Iterator[Finding]:
        """A hint for each suspicious turn in which no rule is sure of anything or says the same; in the order of the
        call, of misconduct and self-harm first.
        """
        yield from self._suspicious(findings, turns, normal)
        yield from self._signals(findings, turns, normal)

    def look(self, text: str, part: Span, near: Sequence[str], role: Role) -> Look:
        """A stretch of a normalised turn between the turns `near` it."""
        said = text[slice(*part)]
        columns, values = features(said, near, self._model.index, self._model.idf)
        scores = self._model.scores(columns, values)
        if role is not Role.CUSTOMER and leaves_open(scores):
            scores = with_meaning(scores, self._model.meaning.of(said, self._tokenizer.words(said), near))
        return Look(part, columns, values, scores)

    def _suspicious(self, findings: Sequence[Finding], turns: Sequence[Turn], normal: NormalText) -> Iterator[Finding]:
        found = {(finding.turn, finding.category) for finding in findings}
        looks = self._looks(findings, turns, normal)
        first_heads = {self._first_head(of_turn, turns[n].role) for n, of_turn in looks.items()}
        suspected = {finding.category for finding in findings}.union(HEADS[head] for head in first_heads if head)
        raised = np.array([_AGAIN if head in suspected and head in CONDUCT else 0 for head in HEADS], np.float32)
        for n, of_turn in looks.items():
            likelier = [look._replace(scores=look.scores + raised) for look in of_turn]
            first = self._first_head(likelier, turns[n].role)
            if first is not None and (n, HEADS[first]) not in found:
                yield self._hint(turns[n], n, normal, max(likelier, key=lambda look: float(look.scores[first])))

    def _looks(
        self, findings: Sequence[Finding], turns: Sequence[Turn], normal: NormalText
    ) -> dict[int, list[Look]]:
        """The stretches that may be suspicious, by the turns in which no rule is sure of anything."""
        certain = {(finding.turn, finding.category) for finding in findings if finding.result is Result.FAIL}
        roles = [turn.role for turn in turns]
        silent = {role: [HEADS[head] for head in heads] for role, heads in ASKED.items()}
        open_turns = [
            n for n, role in enumerate(roles)
            if role in silent and not any((n, category) in certain for category in silent[role])
        ]  # fmt: skip
        caught = self._sieve.caught(normal, open_turns, roles) if open_turns else {}
        return {
            n: [self.look(normal.turn_text(n), part, around(normal, n), roles[n]) for part in parts]
            for n, parts in caught.items()
        }

    def _first_head(self, looks: Sequence[Look], role: Role) -> int | None:
        """The head that suspects some stretches of a turn most; None below the threshold."""
        heads = list(ASKED[role])
        known = [look.scores[heads] for look in looks if len(look.columns)]
        if not known:
            return None
        above = np.max(known, axis=0) - self._model.thresholds[heads]
        return heads[int(above.argmax())] if above.max() > (_WHOEVER if role is Role.UNKNOWN else 0) else None

    def _hint(self, turn: Turn, n: int, normal: NormalText, look: Look) -> Finding:
        """What a suspicious stretch of turn `n` gives."""
        near = around(normal, n)
        above = look.scores - self._model.thresholds
        first, *others = sorted(ASKED[turn.role], key=lambda head: -above[head])[:2]
        shares = self._model.weights[first, look.columns] * look.values
        weighed = dict(zip(look.columns.tolist(), shares.tolist(), strict=True))
        words = _heaviest(normal.turn_text(n)[slice(*look.part)], near, self._model.index, weighed)
        because = _because([HEADS[head] for head in (first, *others)], *words)
        because += "；说话人角色未识别" if turn.role is Role.UNKNOWN else ""
        hint = _Hint(HEADS[first], float(look.scores[first]), because)
        return self._finding(hint, turn, n, _shown(normal, n, look.part))

    def _signals(self, findings: Sequence[Finding], turns: Sequence[Turn], normal: NormalText) -> Iterator[Finding]:
        """A hint for each turn of a customer that plainly sounds like a signal, where no rule found one."""
        found = {finding.turn for finding in findings if finding.category in SIGNALS}
        for n, turn in enumerate(turns):
            plain = plain_signal(normal.turn_text(n)) if turn.role is Role.CUSTOMER and n not in found else None
            if plain is not None:
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


class _Hint(NamedTuple):
    """Of what a turn is suspected, how surely (log odds), and why."""

    category: str
    score: float
    because: str


def _shown(normal: NormalText, n: int, part: Span) -> Span:
    """What a hint marks, in characters of turn `n` as spoken: its stretch, up to the nearest pauses close by."""
    start, end = (normal.turns[n] + place for place in part)
    low, high = normal.clause(start, end)
    _, first, last = normal.span_as_spoken(max(low, start - STEP), min(high, end + STEP))
    return first, last


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
