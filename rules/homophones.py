"""What was probably said where a recogniser wrote homophones: 或款 for 货款.

On an 8 kHz line half of the characters that Whisper base gets wrong sound like the right ones. A trigram model of
collection talk goes through each recognised turn and takes, of all characters that sound alike, those that fit their
neighbours. That guess is a second reading beside the words as heard and never replaces them (rules/verdict.py).
docs/second-opinion.md has the figures; benchmarks/homophones.py counts the characters.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rules.sound import merge_dialects, readings
from rules.text import HARD, QUESTION, SOFT, TURN_END, folded
from transcribe.model import UNHEARD, Turn

MODEL = Path(__file__).with_name("homophones.npz")
EDGE = TURN_END  # stands for the beginning and the end of a sentence
_PASSED_OVER = frozenset(SOFT + "嗯呃诶欸")  # pauses and hums: words go on after them
_COST = 5.0  # log probability that another character must bring; alike from 4 to 6 on the open recordings
_BEAM = 12  # guesses that are followed at once; 6 found less
_SEEN = 3  # times a character must occur to be a guess
_SMOOTH = (20.0, 3.0)  # how many sightings of one and of two characters before make them half of the guess
_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))  # recognisers write 于7 for 逾期
_LONGEST = 1_000  # characters of a turn that are read again

_Context = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """How often characters follow one another: `chars` gives each its number, EDGE first.

    `singles` counts each; `keys` of pairs and triples are their numbers written to the base len(chars), rising.
    """

    chars: str
    singles: NDArray[np.int64]
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]]
    triples: tuple[NDArray[np.int64], NDArray[np.int64]]


def count(sentences: Iterable[str]) -> Counts:
    """The counts of normalised sentences."""
    texts = [EDGE * 2 + sentence + EDGE for sentence in sentences if sentence]
    chars = EDGE + "".join(sorted(set("".join(texts)) - {EDGE}))
    ids = {char: n for n, char in enumerate(chars)}
    rows = [np.array([ids[char] for char in text], dtype=np.int64) for text in texts]
    pairs = np.concatenate([row[:-1] * len(chars) + row[1:] for row in rows])
    triples = np.concatenate([(row[:-2] * len(chars) + row[1:-1]) * len(chars) + row[2:] for row in rows])
    return Counts(
        chars=chars,
        singles=np.bincount(np.concatenate(rows), minlength=len(chars)),
        pairs=np.unique(pairs, return_counts=True),
        triples=np.unique(triples, return_counts=True),
    )


def write_counts(counts: Counts, path: Path) -> None:
    """Store counts as plain arrays, keys as steps from one to the next; the same counts give the same bytes."""
    arrays = {"chars": np.array(counts.chars), "singles": counts.singles.astype(np.uint32)}
    for name, (keys, numbers) in (("pairs", counts.pairs), ("triples", counts.triples)):
        arrays[name] = np.diff(keys, prepend=0)
        arrays[f"{name}_counts"] = np.minimum(numbers, np.iinfo(np.uint16).max).astype(np.uint16)
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_counts(path: Path = MODEL) -> Counts:
    """The counts of a file. Nothing in it is ever executed."""
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
        pairs, triples = (
            (np.cumsum(arrays[name]), arrays[f"{name}_counts"].astype(np.int64)) for name in ("pairs", "triples")
        )
        return Counts(
            chars=str(arrays["chars"]), singles=arrays["singles"].astype(np.int64), pairs=pairs, triples=triples
        )


class Homophones:
    """Finds the characters that were probably said."""

    def __init__(self, counts: Counts) -> None:
        self._ids = {char: n for n, char in enumerate(counts.chars)}
        self._chars = counts.chars
        self._tables = (counts.pairs, counts.triples)
        self._singles = counts.singles.tolist()
        self._all = sum(self._singles) + len(self._singles)
        self._alike: dict[str, list[int]] = {}
        for char, n in self._ids.items():
            if self._singles[n] >= _SEEN and (sound := _sound(char)):
                self._alike.setdefault(sound, []).append(n)
        self._followers = functools.lru_cache(maxsize=20_000)(self._look_up)
        self._weight = functools.lru_cache(maxsize=100_000)(self._log_probability)

    def put_right(self, text: str) -> str:
        """`text` with homophones put right, one character for one; itself where nothing fits better."""
        plain = folded(text[:_LONGEST])
        made, start = list(text), 0
        for at, char in enumerate(plain + EDGE):
            if char in (HARD, QUESTION, TURN_END):
                places = [n for n in range(start, at) if plain[n] not in _PASSED_OVER]
                said = [plain[n] for n in places]
                for n, guess in zip(places, self._likeliest(said), strict=True):
                    if guess != plain[n]:
                        made[n] = guess
                start = at + 1
        return "".join(made)

    def _likeliest(self, said: Sequence[str]) -> str:
        """The characters of a sentence that fit best: a Viterbi search over pairs."""
        paths: dict[tuple[int, int], tuple[float, str]] = {(0, 0): (0.0, "")}
        for at, char in enumerate(said):
            choices = [(self._ids.get(char, -1), char, 0.0)]
            if not self._sure(said, at):
                choices += [(n, self._chars[n], _COST) for n in self._alike.get(_sound(char), ()) if n != choices[0][0]]
            reached: dict[tuple[int, int], tuple[float, str]] = {}
            for (first, second), (score, written) in paths.items():
                for number, guess, cost in choices:
                    total = score + self._weight(first, second, number) - cost
                    if total > reached.get((second, number), _NOWHERE)[0]:
                        reached[second, number] = total, written + guess
            paths = dict(sorted(reached.items(), key=lambda path: path[1], reverse=True)[:_BEAM])
        ended = ((score + self._weight(*pair, 0), written) for pair, (score, written) in paths.items())
        return max(ended)[1]

    def _sure(self, said: Sequence[str], at: int) -> bool:
        """Whether a character was met between just these neighbours: it stays. Saves half of the time."""
        before, char, after = (self._ids.get(said[n], -1) if 0 <= n < len(said) else 0 for n in (at - 1, at, at + 1))
        return after in self._followers((before, char))[0]

    def _log_probability(self, first: int, second: int, number: int) -> float:
        """Of a character after two others, from counts of one, two and three characters."""
        likely = ((self._singles[number] if number >= 0 else 0) + 0.5) / self._all
        for context, smooth in zip(((second,), (first, second)), _SMOOTH, strict=True):
            numbers, total = self._followers(context)
            likely = (likely * smooth + numbers.get(number, 0)) / (total + smooth)
        return math.log(likely)

    def _look_up(self, context: _Context) -> tuple[Mapping[int, int], int]:
        """What follows one or two characters, how often each and all together."""
        keys, numbers = self._tables[len(context) - 1]
        if min(context) < 0:
            return {}, 0
        size = len(self._chars)
        key = functools.reduce(lambda key, number: key * size + number, context)
        low, high = np.searchsorted(keys, (key * size, (key + 1) * size))
        found = dict(zip((keys[low:high] - key * size).tolist(), numbers[low:high].tolist(), strict=True))
        return found, sum(found.values())


_NOWHERE = (-math.inf, "")


@functools.cache
def _sound(char: str) -> str:
    """How a character or digit usually sounds, dialects merged; empty where it is neither."""
    found = readings(_DIGITS.get(char, char))
    return merge_dialects(found[0]) if found else ""


@functools.cache
def _homophones() -> Homophones:
    return Homophones(read_counts())


def with_readings(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns, each that was recognised (confidence below 1) with what was probably said, where that differs."""
    return tuple(map(_with_reading, turns))


def _with_reading(turn: Turn) -> Turn:
    if turn.confidence == 1 or turn.text == UNHEARD:
        return turn
    reading = _homophones().put_right(turn.text)
    return replace(turn, reading=None if reading == turn.text else reading)
