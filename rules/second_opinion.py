"""A second opinion beside the rules: a small model that puts turns before people, where no rule is sure or where it
disagrees with one.

It never makes a violation. A score for each category says how suspicious a turn of the agent is, and of what; the
highest must pass a threshold. A long turn is looked at as a whole and in stretches, of which the most suspicious
counts: guilty words drown among many others. A violation that rules on trial found in words that the model takes to
be innocent or something else is left to people, and what such a rule found in words that it takes to be plainly
innocent is dropped, a mere doubt sooner than a violation. In a call that does not sound as if it were about a debt
(rules/everyday.py) violations and signals are doubted, and doubts and hints need a clearer suspicion. A score for
self-harm looks at the customer's turns.
Features are the character n-grams of the normalised turn and, lighter, of the turns before and after it: people
answer what is said to them. So each hint can name the words that weighed most. Where these leave it open, a net over
what the words mean (rules/meaning.py) is asked too.
docs/second-opinion.md has the figures; benchmarks/second_opinion.py trains.
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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.everyday import EVERYDAY, is_everyday
from rules.load import PACKS, walk
from rules.lookout import Span
from rules.meaning import Meaning, Vectors
from rules.model import CATEGORIES, Finding, Group, Judgement, Result, RuleSet, Severity
from rules.text import TURN_END, NormalText, normal_text
from rules.tokens import Tokenizer
from transcribe.model import Role, Turn

PREFIX = "second-opinion-"
MODEL = Path(__file__).with_name("second_opinion.npz")
SUSPICIOUS = "suspicious"  # the head that says whether a turn of the agent is suspicious of anything
SELF_HARM = "self_harm"
CONDUCT = tuple(name for name, (group, *_) in CATEGORIES.items() if group is Group.CONDUCT)
_SIGNALS = tuple(name for name, (group, *_) in CATEGORIES.items() if group is Group.SIGNAL)
_OF_DEBTS = frozenset((*CONDUCT, *_SIGNALS)) - {SELF_HARM, "wrong_person"}
"""Categories of which nothing is sure where nobody talks about a debt."""
HEADS = (SUSPICIOUS, *CONDUCT, SELF_HARM)
GATES = {
    Role.AGENT: tuple(map(HEADS.index, CONDUCT)),
    Role.CUSTOMER: (HEADS.index(SELF_HARM),),
}
"""Whose turns are looked at, and the heads of which the highest is asked."""
_CONDUCT_HEADS = [*GATES[Role.AGENT]]

_ASKED_FROM = -1.0  # score by n-grams from which the net is asked: most talk is plainly innocent
_MEANT = 0.28  # what the net counts: two fifths of the suspicion, which is seven tenths of a category's score
_LONGEST_GRAM = 4
_LONGEST_NEAR = 2  # of the turns around
_NEAR = TURN_END  # stands before an n-gram of the turns around: no turn has a line feed inside
_NEAR_LENGTH = 0.4  # what the turns around count beside the turn itself; alike from 0.3 to 0.5 in cross-validation
_CHARACTERS = 1_000  # of a turn that are looked at; nobody says more in one breath
_STRETCH, _STEP = 20, 10  # characters of a stretch, and to the next
_WHOLE = 25  # characters up to which a turn is looked at as a whole alone
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
_LEVELS = 127  # of the whole numbers of one byte in which vectors are stored
_ROUNDING = 1e-3  # by which sums in another order may differ; a hundred times what they do

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A linear model over n-grams: `weights` is (heads, n-grams), `biases` and `thresholds` (heads,); and a net.

    `index` gives each n-gram its column, `idf` its rarity; `digest` names exactly this model and the table of
    rules/everyday.py. The categories of conduct share one threshold, that of SUSPICIOUS is out of reach.
    """

    index: Mapping[str, int]
    idf: Floats
    weights: Floats
    biases: Floats
    thresholds: Floats
    meaning: Meaning
    digest: str

    def scores(self, columns: NDArray[np.intp], values: Floats) -> Floats:
        """What each of HEADS says of a text with these features."""
        return self.weights[:, columns] @ values + self.biases


def leaves_open(scores: Floats) -> NDArray[np.bool_]:
    """Whether n-grams (…, heads) say neither guilty nor innocent of an agent's words, so that the net is asked."""
    return np.asarray(scores[..., _CONDUCT_HEADS].max(axis=-1) >= _ASKED_FROM)


def with_meaning(scores: Floats, suspicion: Floats | float) -> Floats:
    """Scores of an agent's words by n-grams (…, heads) with what the net says (…) weighed in."""
    weighed = scores.copy()
    more = _MEANT * (suspicion - scores[..., HEADS.index(SUSPICIOUS)])
    weighed[..., _CONDUCT_HEADS] += np.asarray(more, np.float32)[..., np.newaxis]
    return weighed


def grams(text: str, longest: int = _LONGEST_GRAM) -> Iterator[str]:
    """The character n-grams of normalised words, one to `longest` characters long."""
    text = text[:_CHARACTERS]
    for size in range(1, longest + 1):
        for at in range(len(text) - size + 1):
            yield text[at : at + size]


def near_grams(near: Sequence[str]) -> Iterator[str]:
    """The n-grams of the turns around, marked as such."""
    return (_NEAR + gram for text in near for gram in grams(text, _LONGEST_NEAR))


def around(normal: NormalText, turn: int) -> list[str]:
    """The words of the turn before and the turn after one, as far as there are any."""
    return [normal.turn_text(n) for n in (turn - 1, turn + 1) if 0 <= n < len(normal.turns)]


def stretches(text: str) -> list[Span]:
    """The stretches of a normalised turn that are looked at: the whole of it, and parts that overlap by half."""
    size = min(len(text), _CHARACTERS)
    if size <= _WHOLE:
        return [(0, size)]
    starts = [*range(0, size - _STRETCH, _STEP), size - _STRETCH]
    return [(0, size), *((start, start + _STRETCH) for start in starts)]


def features(
    text: str, near: Sequence[str], index: Mapping[str, int], idf: Floats, *, strange: bool = True
) -> tuple[NDArray[np.intp], Floats]:
    """Columns and values of a normalised turn between the turns `near` it: sublinear counts by rarity.

    The turn as a whole has length one, n-grams that the model never met included if `strange`: what it does not know it
    does not suspect. This halved the hints on strangers' everyday talk (4 to 2 of 61 turns). The turns around have
    length _NEAR_LENGTH. A turn without a known word has no features, whatever is said around it.
    """
    counts = Counter(grams(text))
    columns, values = _known(counts, index, idf)
    if len(columns) == 0:
        return columns, values
    columns_near, values_near = _known(Counter(near_grams(near)), index, idf)
    unknown = float(idf.max()) ** 2 * (len(counts) - len(columns)) if strange else 0.0
    values /= np.float32(math.sqrt(float(values @ values) + unknown))
    values_near *= np.float32(_NEAR_LENGTH / (math.sqrt(float(values_near @ values_near)) or 1.0))
    return np.concatenate([columns, columns_near]), np.concatenate([values, values_near])


def _known(counts: Mapping[str, int], index: Mapping[str, int], idf: Floats) -> tuple[NDArray[np.intp], Floats]:
    known = {index[gram]: count for gram, count in counts.items() if gram in index}
    columns = np.fromiter(known.keys(), dtype=np.intp, count=len(known))
    return columns, (1 + np.log(np.fromiter(known.values(), dtype=np.float32, count=len(known)))) * idf[columns]


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
            **_stored_meaning(model.meaning),
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
            meaning=_read_meaning(arrays),
            digest=hashlib.sha256(stored + EVERYDAY.read_bytes()).hexdigest(),
        )


def _stored_meaning(meaning: Meaning) -> dict[str, Any]:
    """Vectors in whole steps of one byte, the net in halves."""
    tables = {"words": meaning.words, "pairs": meaning.grams}
    steps = {name: np.abs(vectors.rows).max(axis=0) / _LEVELS for name, vectors in tables.items()}
    return {
        **{name: np.array(list(vectors.index)) for name, vectors in tables.items()},
        **{f"{name}_rarity": vectors.rarity for name, vectors in tables.items()},
        **{f"{name}_rows": np.rint(v.rows / steps[name]).astype(np.int8) for name, v in tables.items()},
        **{f"{name}_steps": step.astype(np.float32) for name, step in steps.items()},
        "hidden": meaning.hidden.astype(np.float16),
        "hidden_bias": meaning.hidden_bias,
        "out": meaning.out,
        "out_bias": np.array(meaning.bias, np.float32),
    }


def _read_meaning(arrays: Mapping[str, NDArray[Any]]) -> Meaning:
    words, pairs = (
        Vectors(
            index={str(token): row for row, token in enumerate(arrays[name])},
            rows=arrays[f"{name}_rows"] * arrays[f"{name}_steps"],
            rarity=arrays[f"{name}_rarity"],
        )
        for name in ("words", "pairs")
    )
    return Meaning(
        words=words,
        grams=pairs,
        hidden=arrays["hidden"].astype(np.float32),
        hidden_bias=arrays["hidden_bias"],
        out=arrays["out"],
        bias=float(arrays["out_bias"]),
    )


def title(rule_id: str, *, lang: str = "zh") -> str | None:
    """What a report calls a hint of ours; None where the id is not one of them."""
    category = rule_id.removeprefix(PREFIX).replace("-", "_")
    if not rule_id.startswith(PREFIX) or category not in HEADS:
        return None
    _, chinese, english = CATEGORIES[category]
    return f"模型提示：{chinese}" if lang == "zh" else f"Model's hint: {english.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """N-grams as numbers in rising order, with their rarity and (n-grams, heads) weights."""

    keys: NDArray[np.int64]
    idf: NDArray[np.float64]
    weights: NDArray[np.float64]


class _Sieve:
    """Most words can be seen to be harmless without their exact score: here a bound of it, for all stretches at once.

    The bound forgets the n-grams that the model never met, which only lower a score that is above the bias. One stretch
    in ten is left for the exact score, which takes a hundred times as long.
    """

    def __init__(self, model: Model) -> None:
        chars = sorted({char for gram in model.index for char in gram.removeprefix(_NEAR)})
        self._bits = len(chars).bit_length()
        self._ids = np.zeros(sys.maxunicode + 1, dtype=np.int64)
        self._ids[[ord(char) for char in chars]] = np.arange(1, len(chars) + 1)
        self._asked = {role: np.isin(np.arange(len(HEADS)), heads) for role, heads in GATES.items()}
        asked_from = np.where(np.isin(np.arange(len(HEADS)), _CONDUCT_HEADS), _ASKED_FROM, np.inf)
        self._floors = np.minimum(model.thresholds, asked_from) - model.biases - _ROUNDING
        self._own = self._table(model, [gram for gram in model.index if not gram.startswith(_NEAR)])
        self._near = self._table(model, [gram for gram in model.index if gram.startswith(_NEAR)])

    def _table(self, model: Model, listed: Sequence[str]) -> _Table:
        keys = np.array([self._key(gram.removeprefix(_NEAR)) for gram in listed], dtype=np.int64)
        columns = np.array([model.index[gram] for gram in listed], dtype=np.intp)
        order = np.argsort(keys)
        columns = columns[order]
        weights = model.weights.T[columns].astype(np.float64)
        return _Table(keys=keys[order], idf=model.idf[columns].astype(np.float64), weights=weights)

    def _key(self, gram: str) -> int:
        key = 0
        for char in gram:
            key = key << self._bits | int(self._ids[ord(char)])
        return key

    def caught(self, normal: NormalText, turns: Sequence[int], roles: Sequence[Role]) -> dict[int, list[Span]]:
        """Of each of `turns` the stretches of which a score that its role is asked for may be above the threshold."""
        said = [normal.turn_text(turn) for turn in turns]
        parts = [(n, part) for n, text in enumerate(said) for part in stretches(text)]
        near = [TURN_END.join([text[:_CHARACTERS] for text in around(normal, turn)]) for turn in turns]
        bounds = np.maximum(self._weighed(self._own, [said[n][slice(*part)] for n, part in parts], _LONGEST_GRAM), 0)
        of_turn = [n for n, _ in parts]
        bounds += _NEAR_LENGTH * self._weighed(self._near, near, _LONGEST_NEAR)[of_turn]
        asked = np.stack([self._asked[roles[turn]] for turn in turns])[of_turn]
        caught: dict[int, list[Span]] = {}
        for at in np.flatnonzero((asked & (bounds > self._floors)).any(axis=1)).tolist():
            n, part = parts[at]
            caught.setdefault(turns[n], []).append(part)
        return caught

    def _weighed(self, table: _Table, texts: Sequence[str], longest: int) -> NDArray[np.float64]:
        """(texts, heads): what the known n-grams of each text weigh, when they have length one together."""
        columns, places, counts = self._known(table, texts, longest)
        values = (1 + np.log(counts)) * table.idf[columns]
        weighed = table.weights[columns] * values[:, np.newaxis]
        sums = [np.bincount(places, of_head, len(texts)) for of_head in weighed.T]
        lengths = np.sqrt(np.bincount(places, values * values, len(texts)))
        return np.stack(sums, axis=1) / np.maximum(lengths, 1)[:, np.newaxis]

    def _known(
        self, table: _Table, texts: Sequence[str], longest: int
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.intp]]:
        """(column, place in `texts`, count) of every n-gram of each text that the model has met."""
        text = TURN_END.join([*texts, ""])
        ids = self._ids[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)]
        places = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
        keys, met, pairs = ids, ids > 0, []
        for size in range(1, longest + 1):
            at = np.flatnonzero(met)
            pairs.append(keys[at] * len(texts) + places[at])
            keys, met = keys[:-1] << self._bits | ids[size:], met[:-1] & (ids[size:] > 0)
        found, counts = np.unique(np.concatenate(pairs), return_counts=True)
        sought, place = np.divmod(found, len(texts))  # in rising order, in which a search is twice as fast
        columns = np.minimum(np.searchsorted(table.keys, sought), len(table.keys) - 1)
        known = table.keys[columns] == sought
        return columns[known], place[known], counts[known]


class SecondOpinion:
    """Weighs what the rules said of a call; severities of hints are those that the rule set gives the category."""

    def __init__(self, ruleset: RuleSet, *, model: Model | None = None) -> None:
        self.model = model or read_model()
        self._sieve = _Sieve(self.model)
        self._tokenizer = Tokenizer(ruleset.lexicon)
        self._severities = {category: _usual_severity(ruleset, category) for category in (*CONDUCT, SELF_HARM)}
        self._ours = frozenset(id_ for id_, file in ruleset.sources.items() if Path(file).is_relative_to(PACKS))
        self._of_callees = frozenset(rule.id for rule in ruleset.rules if any(c.relation for c in walk(*rule.when)))
        self._on_trial = frozenset(rule.id for rule in ruleset.rules if rule.status in ("draft", "test"))

    def weigh(self, judgement: Judgement, turns: Sequence[Turn]) -> Judgement:
        """The judgement with doubtful violations `unsure`, without what is plainly innocent, and with a hint for each
        suspicious turn in which no rule is sure of anything or says the same.
        """
        normal = normal_text(tuple([turn.text for turn in turns]))
        opinions = (self._weighed(finding, turns[finding.turn], normal) for finding in judgement.findings)
        weighed = [finding for finding in opinions if finding is not None]
        hints = list(self._hints(weighed, turns, normal))
        if any(finding.category in _OF_DEBTS for finding in (*weighed, *hints)) and is_everyday(normal):
            weighed = [left for finding in weighed if (left := self._in_everyday_talk(finding, normal)) is not None]
            hints = [hint for hint in hints if hint.category == SELF_HARM or self._suspects(hint.turn, normal)]
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
        scores = self._scores_around(finding, turn, normal)
        if scores is None:
            return finding
        heard = turn.confidence < 1
        if self._may_drop(finding) and float(scores[_CONDUCT_HEADS].max()) < (
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

    def _suspects(self, n: int, normal: NormalText) -> bool:
        """Whether the model suspects turn `n` of something even in everyday talk."""
        text, near = normal.turn_text(n), around(normal, n)
        looks = (self._look(text, part, near, Role.AGENT).scores - self.model.thresholds for part in stretches(text))
        return any(float(above[_CONDUCT_HEADS].max()) >= _ABOVE_EVERYDAY for above in looks)

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
        text, category = normal.turn_text(n)[slice(*look.part)], HEADS[first]
        start, end = _shown(normal, n, look.part)
        return Finding(
            rule_id=PREFIX + category.replace("_", "-"), rule_version=1, category=category,
            severity=self._severities[category], result=Result.UNSURE, turn=n, start=start, end=end,
            start_ms=turn.start_ms, end_ms=turn.end_ms, quote=turn.text[start:end], heard_as=None,
            confidence=round(_MOST_CONFIDENCE / (1 + math.exp(-scores[first])), 2),
            because=_because(
                [HEADS[head] for head in (first, *others)], *_heaviest(text, near, self.model.index, weighed)
            ),
        )  # fmt: skip

    def _look(self, text: str, part: Span, near: Sequence[str], role: Role) -> _Look:
        said = text[slice(*part)]
        columns, values = features(said, near, self.model.index, self.model.idf)
        scores = self.model.scores(columns, values)
        if role is Role.AGENT and leaves_open(scores):
            scores = with_meaning(scores, self.model.meaning.suspicion(said, self._tokenizer.words(said), near))
        return _Look(part, columns, values, scores)


class _Look(NamedTuple):
    """A stretch of a turn, its features, and what each of HEADS says of it."""

    part: Span
    columns: NDArray[np.intp]
    values: Floats
    scores: Floats


def _shown(normal: NormalText, n: int, part: Span) -> Span:
    """What a hint marks, in characters of turn `n` as spoken: its stretch, up to the nearest pauses close by."""
    start, end = (normal.turns[n] + place for place in part)
    low, high = normal.clause(start, end)
    _, first, last = normal.span_as_spoken(max(low, start - _STEP), min(high, end + _STEP))
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
    places = {**dict.fromkeys(grams(text), 0), **dict.fromkeys(near_grams(near), len(text) + 1)}
    known = {gram for gram in places if weighed.get(index.get(gram, -1), 0) > 0 and not set(_MARKS) & {*gram}}
    shown: list[tuple[int, str]] = []
    for gram in sorted(known, key=lambda gram: (-weighed[index[gram]], gram)):
        word = gram.removeprefix(_NEAR)
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
