"""A second opinion beside the rules: a small linear model that puts turns before people where no rule spoke.

It never makes a violation. One score says whether a turn of the agent is suspicious at all; only above its threshold do
the categories' own scores say of what. A score for self-harm looks at the customer's turns. Features are the character
n-grams of the normalised turn, so that each hint can name the words that weighed most. docs/second-opinion.md has the
figures; benchmarks/second_opinion.py trains.
"""

from __future__ import annotations

import functools
import hashlib
import io
import math
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rules.model import CATEGORIES, Finding, Group, Judgement, Result, RuleSet, Severity
from rules.text import NormalText, normal_text
from transcribe.model import Role, Turn

PREFIX = "second-opinion-"
MODEL = Path(__file__).with_name("second_opinion.npz")
SUSPICIOUS = "suspicious"  # the head that says whether a turn of the agent deserves a look
SELF_HARM = "self_harm"
CONDUCT = tuple(name for name, (group, *_) in CATEGORIES.items() if group is Group.CONDUCT)
HEADS = (SUSPICIOUS, *CONDUCT, SELF_HARM)

_LONGEST_GRAM = 4
_CHARACTERS = 1_000  # of a turn that are looked at; nobody says more in one breath
_WORDS_SHOWN = 4
_MOST_CONFIDENCE = 0.5  # a hint is never as sure as a rule
_MARKS = "。？"
_GATES = {Role.AGENT: SUSPICIOUS, Role.CUSTOMER: SELF_HARM}  # whose turns are looked at, and the score that is asked
_ROUNDING = 1e-3  # by which sums in another order may differ; a hundred times what they do

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A linear model over n-grams: `weights` is (heads, n-grams), `biases` and `thresholds` (heads,).

    `index` gives each n-gram its column, `idf` its rarity; `digest` names exactly this model. Only the thresholds of
    SUSPICIOUS and SELF_HARM are asked.
    """

    index: Mapping[str, int]
    idf: Floats
    weights: Floats
    biases: Floats
    thresholds: Floats
    digest: str


def grams(text: str) -> Iterator[str]:
    """The character n-grams of a normalised turn, one to four characters long."""
    text = text[:_CHARACTERS]
    for size in range(1, _LONGEST_GRAM + 1):
        for at in range(len(text) - size + 1):
            yield text[at : at + size]


def features(text: str, index: Mapping[str, int], idf: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Columns and values of a normalised turn: sublinear counts by rarity; empty if all is unknown.

    The turn as a whole has length one, n-grams that the model never met included: what it does not know it does not
    suspect. This halved the hints on strangers' everyday talk (4 to 2 of 61 turns).
    """
    counts = Counter(grams(text))
    known = {index[gram]: count for gram, count in counts.items() if gram in index}
    columns = np.fromiter(known.keys(), dtype=np.intp, count=len(known))
    values = (1 + np.log(np.fromiter(known.values(), dtype=np.float32, count=len(known)))) * idf[columns]
    unknown = float(idf.max()) ** 2 * (len(counts) - len(known))
    return columns, values / np.float32(math.sqrt(float(values @ values) + unknown) or 1.0)


def write_model(model: Model, path: Path) -> None:
    """Store a model as plain arrays; the same model gives the same bytes."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            grams=np.array(list(model.index)),
            idf=model.idf,
            heads=np.array(HEADS),
            weights=model.weights.astype(np.float16),
            biases=model.biases,
            thresholds=model.thresholds,
        )


@functools.cache
def read_model(path: Path = MODEL) -> Model:
    """The model of a file; ValueError where it was made for other categories. Nothing in it is ever executed."""
    stored = path.read_bytes()
    with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
        if tuple(arrays["heads"]) != HEADS:
            raise ValueError(f"{path}：第二意见模型的类别与当前版本不一致；请运行 make second-opinion 重新训练")
        return Model(
            index={str(gram): column for column, gram in enumerate(arrays["grams"])},
            idf=arrays["idf"],
            weights=arrays["weights"].astype(np.float32),
            biases=arrays["biases"],
            thresholds=arrays["thresholds"],
            digest=hashlib.sha256(stored).hexdigest(),
        )


def title(rule_id: str, *, lang: str = "zh") -> str | None:
    """What a report calls a hint of ours; None where the id is not one of them."""
    category = rule_id.removeprefix(PREFIX).replace("-", "_")
    if not rule_id.startswith(PREFIX) or category not in HEADS:
        return None
    _, chinese, english = CATEGORIES[category]
    return f"模型提示：{chinese}" if lang == "zh" else f"Model's hint: {english.lower()}"


class _Sieve:
    """Most turns can be seen to be harmless without their exact score: here a bound of it, for all turns at once.

    The bound forgets the n-grams that the model never met, which only lower a score that is above the bias. One turn in
    ten is left for the exact score, which takes a hundred times as long.
    """

    def __init__(self, model: Model) -> None:
        chars = sorted({char for gram in model.index for char in gram})
        self._bits = len(chars).bit_length()
        self._ids = np.zeros(sys.maxunicode + 1, dtype=np.int64)
        self._ids[[ord(char) for char in chars]] = np.arange(1, len(chars) + 1)
        keys = np.array([self._key(gram) for gram in model.index], dtype=np.int64)
        order = np.argsort(keys)
        self._keys, self._idf = keys[order], model.idf[order].astype(np.float64)
        self._gates = {role: number for number, role in enumerate(_GATES)}
        rows = [HEADS.index(gate) for gate in _GATES.values()]
        self._weights = model.weights[rows][:, order].astype(np.float64)
        self._biases, self._thresholds = model.biases[rows], model.thresholds[rows]

    def _key(self, gram: str) -> int:
        key = 0
        for char in gram:
            key = key << self._bits | int(self._ids[ord(char)])
        return key

    def caught(self, normal: NormalText, turns: Sequence[int], roles: Sequence[Role]) -> list[int]:
        """Those of `turns` whose score may be above the threshold of their role's gate."""
        gates = np.array([self._gates[roles[turn]] for turn in turns], dtype=np.intp)
        columns, places, counts = self._known([normal.turn_text(turn)[:_CHARACTERS] for turn in turns])
        values = (1 + np.log(counts)) * self._idf[columns]
        weighed = np.bincount(places, self._weights[gates[places], columns] * values, len(turns))
        lengths = np.sqrt(np.bincount(places, values * values, len(turns)))
        bounds = np.maximum(weighed, 0) / np.maximum(lengths, 1) + self._biases[gates]
        return [turns[n] for n in np.flatnonzero(bounds > self._thresholds[gates] - _ROUNDING).tolist()]

    def _known(self, texts: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.intp]]:
        """(column, place in `texts`, count) of every n-gram of each text that the model has met."""
        text = "\n".join([*texts, ""])
        ids = self._ids[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)]
        places = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
        keys, met, pairs = ids, ids > 0, []
        for size in range(1, _LONGEST_GRAM + 1):
            at = np.flatnonzero(met)
            pairs.append(keys[at] * len(texts) + places[at])
            keys, met = keys[:-1] << self._bits | ids[size:], met[:-1] & (ids[size:] > 0)
        found, counts = np.unique(np.concatenate(pairs), return_counts=True)
        sought, place = np.divmod(found, len(texts))  # in rising order, in which a search is twice as fast
        columns = np.minimum(np.searchsorted(self._keys, sought), len(self._keys) - 1)
        known = self._keys[columns] == sought
        return columns[known], place[known], counts[known]


class SecondOpinion:
    """Adds hints to what the rules said of a call; severities are those that the rule set gives the category."""

    def __init__(self, ruleset: RuleSet, *, model: Model | None = None) -> None:
        self.model = model or read_model()
        self._sieve = _Sieve(self.model)
        self._severities = {category: _usual_severity(ruleset, category) for category in (*CONDUCT, SELF_HARM)}

    def add(self, judgement: Judgement, turns: Sequence[Turn]) -> Judgement:
        """The judgement with an `unsure` finding for each suspicious turn on which no rule fired."""
        hints = list(self._hints(judgement, turns))
        if not hints:
            return judgement
        findings = sorted((*judgement.findings, *hints), key=lambda f: (f.turn, f.start, f.rule_id))
        outcomes = {**judgement.outcomes, **{hint.rule_id: Result.UNSURE for hint in hints}}
        return Judgement(findings=tuple(findings), outcomes=outcomes)

    def _hints(self, judgement: Judgement, turns: Sequence[Turn]) -> Iterator[Finding]:
        found = {(finding.turn, finding.category) for finding in judgement.findings}
        normal, roles = normal_text(tuple([turn.text for turn in turns])), [turn.role for turn in turns]
        silent = {Role.AGENT: CONDUCT, Role.CUSTOMER: (SELF_HARM,)}
        open_turns = [
            n for n, role in enumerate(roles)
            if role in silent and not any((n, category) in found for category in silent[role])
        ]  # fmt: skip
        for n in self._sieve.caught(normal, open_turns, roles) if open_turns else ():
            hint = self._hint(n, turns[n], normal.turn_text(n))
            if hint is not None:
                yield hint

    def _hint(self, n: int, turn: Turn, text: str) -> Finding | None:
        model, gate = self.model, HEADS.index(_GATES[turn.role])
        columns, values = features(text, model.index, model.idf)
        score = float(model.weights[gate, columns] @ values + model.biases[gate])
        if len(columns) == 0 or score <= model.thresholds[gate]:
            return None
        heads = self._likeliest(columns, values) if turn.role is Role.AGENT else [gate]
        shares = (model.weights[gate, columns] + model.weights[heads[0], columns]) * values
        weighed = dict(zip(columns.tolist(), shares.tolist(), strict=True))
        category = HEADS[heads[0]]
        return Finding(
            rule_id=PREFIX + category.replace("_", "-"), rule_version=1, category=category,
            severity=self._severities[category], result=Result.UNSURE, turn=n, start=0, end=len(turn.text),
            start_ms=turn.start_ms, end_ms=turn.end_ms, quote=turn.text, heard_as=None,
            confidence=round(_MOST_CONFIDENCE / (1 + math.exp(-score)), 2),
            because=_because([HEADS[head] for head in heads], _heaviest(text, model.index, weighed)),
        )  # fmt: skip

    def _likeliest(self, columns: NDArray[np.intp], values: Floats) -> list[int]:
        """The two conduct categories with the highest scores, best first."""
        first, last = HEADS.index(CONDUCT[0]), HEADS.index(CONDUCT[-1]) + 1
        scores = self.model.weights[first:last, columns] @ values + self.model.biases[first:last]
        return [first + int(head) for head in np.argsort(-scores, kind="stable")[:2]]


def _usual_severity(ruleset: RuleSet, category: str) -> Severity:
    """The commonest severity among a category's rules, the graver of two; medium where it has none."""
    counts = Counter(rule.severity for rule in ruleset.rules if rule.category == category)
    return max(counts, key=lambda severity: (counts[severity], severity.rank), default=Severity.MEDIUM)


def _heaviest(text: str, index: Mapping[str, int], weighed: Mapping[int, float]) -> list[str]:
    """The n-grams of two characters or more that weighed most, none inside another, in the order of the turn."""
    known = {gram for gram in grams(text) if len(gram) > 1 and index.get(gram) in weighed and not set(_MARKS) & {*gram}}
    shown: list[tuple[int, str]] = []
    for gram in sorted(known, key=lambda gram: (-weighed[index[gram]], gram)):
        at = text.index(gram)
        apart = all(at + len(gram) <= other or other + len(word) <= at for other, word in shown)
        if apart and weighed[index[gram]] > 0:
            shown.append((at, gram))
        if len(shown) == _WORDS_SHOWN:
            break
    return [gram for _, gram in sorted(shown)]


def _because(categories: Sequence[str], words: Sequence[str]) -> str:
    first, *others = (CATEGORIES[category][1] for category in categories)
    also = f"，也像{others[0]}" if others else ""
    listed = "、".join(f"“{word}”" for word in words) or "没有特别突出的"
    return f"模型提示：可能是{first}{also}；没有规则命中，请人工判断。最主要的字词：{listed}"
