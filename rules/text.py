"""Words as spoken → the form that rules match, with a map back.

All turns of a call are normalised in one pass, because most of the cost is per call and not per character.
What is matched: NFKC, lower case, simplified characters, no spaces, no commas, no hesitations, no stutter;
digits read out one by one (幺二三七八) as digits. A sentence end stays as 。 or ？, a turn end as a line feed.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

TURN_END = "\n"
SOFT = "，"  # a pause: not matched, but a negation does not reach across it
HARD = "。"
QUESTION = "？"

_SOFT_MARKS = frozenset(",，、;；:：…—–-~·「」『』“”‘’\"'()（）[]【】《》<>　 \t\r/\\|*#_^`\ufeff\u200b")
_HARD_MARKS = frozenset("。.!！｡")
_QUESTION_MARKS = frozenset("?？")

# 嗯 and its like mean nothing wherever they stand; 额, 啊, 那个 do (额度, 是啊, 那个人): they go only between pauses.
# 唔 alone is a hum, before a word it is the Cantonese "not" (唔好打嚟): that one must stay.
_HUM = r"(?:[，嗯呃诶欸]|唔(?=[，。？\n唔嗯]))"
_PAUSES = re.compile(rf"{_HUM}+(?:(?:额|啊|哦|那个|这个|就是说?|怎么说呢){_HUM}+)*")
_STUTTER = re.compile(r"([我你您他她它这那就要会在不是也都好对行哈])\1+")
_SPOKEN_DIGITS = re.compile(r"[零〇幺一二两三四五六七八九洞拐勾0-9]{3,}(?![十百千万亿])")
_DIGIT_OF = {
    ord(char): str(digit)
    for digit, chars in enumerate(("零〇洞", "幺一", "二两", "三", "四", "五", "六", "七拐", "八", "九勾"))
    for char in chars
}


@functools.cache
def _simplify(char: str) -> str:
    return str(_opencc().convert(char))


def simplified(text: str) -> str:
    """`text` in simplified characters, one for one, so that positions stay."""
    made = str(_opencc().convert(text))
    return made if len(made) == len(text) else "".join(_simplify(char)[:1] or char for char in text)


@functools.cache
def _opencc():  # type: ignore[no-untyped-def]
    import opencc

    return opencc.OpenCC("t2s")


def _normal_char(char: str) -> str:
    """One character for one: offsets must survive, so what NFKC would expand keeps its first character."""
    if char == TURN_END:
        return TURN_END
    if char in _SOFT_MARKS or char.isspace() or unicodedata.category(char)[0] == "C":
        return SOFT
    if char in _HARD_MARKS:
        return HARD
    if char in _QUESTION_MARKS:
        return QUESTION
    folded = unicodedata.normalize("NFKC", char).lower()[:1]
    return _simplify(folded) if folded > "\u2e80" else folded or SOFT


class CharTable:
    """One character for one, over whole strings at once; learns each character when it first meets it.

    Ten times as fast as `str.translate`, which pays for a dictionary look-up per character.
    """

    _UNKNOWN = np.uint32(0xFFFFFFFF)

    def __init__(self, char: Callable[[str], str]) -> None:
        self._char = char
        self._codes = np.full(sys.maxunicode + 1, self._UNKNOWN, dtype=np.uint32)

    def apply(self, text: str) -> str:
        """`text` with each character replaced; lone surrogates become U+FFFD."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        new = self._codes[codes]
        unknown = new == self._UNKNOWN
        if unknown.any():
            for code in np.unique(codes[unknown]):
                self._codes[code] = ord(self._char(chr(code)))
            new = self._codes[codes]
        return new.tobytes().decode("utf-32-le", "replace")


_CHARS = CharTable(_normal_char)


def folded(text: str) -> str:
    """`text` in the characters that rules match, one for one: nothing is taken out yet."""
    return _CHARS.apply(text)


class NormalText:
    """The normalised turns of a call, joined by line feeds, and the way back.

    `text` begins with a line feed and each turn ends with one; `turns` are the positions of the turns' first
    characters, `ends` those of the line feeds after them. The map to the words as spoken is worked out turn by turn
    when it is first asked for: most turns have nothing to show.
    """

    __slots__ = ("_cuts", "_plain", "_plain_turns", "ends", "text", "turns")

    def __init__(self, turns: Sequence[str]) -> None:
        spoken = TURN_END + "".join([turn.replace(TURN_END, " ") + TURN_END for turn in turns])
        self._plain = folded(spoken)
        text = _PAUSES.sub("", _STUTTER.sub(r"\1", self._plain))
        self.text = _SPOKEN_DIGITS.sub(_as_digits, text)
        self.turns = _turn_starts(self.text)
        self.ends = [start - 1 for start in self.turns[1:]] + [len(self.text) - 1]
        self._cuts: dict[int, _Cuts] = {}
        self._plain_turns: list[int] = []

    def turn_at(self, position: int) -> int:
        """Index of the turn that holds a position of `text`."""
        return bisect_right(self.turns, position) - 1

    def turn_text(self, turn: int) -> str:
        """The normalised words of one turn."""
        return self.text[self.turns[turn] : self.ends[turn]]

    def span_as_spoken(self, start: int, end: int) -> tuple[int, int, int]:
        """Positions [start, end) of `text` → (turn, start, end) in characters of that turn as spoken."""
        turn = self.turn_at(start)
        base, cuts = self.turns[turn], self._cuts_of(turn)
        return turn, cuts.spoken(start - base), cuts.spoken(end - 1 - base) + 1

    def clause(self, start: int, end: int) -> tuple[int, int]:
        """The clause around [start, end): from the pause or sentence end before it to the next one after it."""
        turn = self.turn_at(start)
        low, high = self.turns[turn], self.ends[turn]
        pauses = self._cuts_of(turn).pauses
        before, after = bisect_right(pauses, start - low) - 1, bisect_left(pauses, end - low)
        first = low + pauses[before] if before >= 0 else low
        last = min(high, low + pauses[after]) if after < len(pauses) else high
        return self.sentence(start, end, low=first, high=last)

    def sentence(self, start: int, end: int, *, low: int | None = None, high: int | None = None) -> tuple[int, int]:
        """The sentence around [start, end), within [low, high) or the turn."""
        turn = self.turn_at(start)
        low = self.turns[turn] if low is None else low
        high = self.ends[turn] if high is None else high
        text = self.text
        first = max(low, text.rfind(HARD, low, start) + 1, text.rfind(QUESTION, low, start) + 1)
        stop = text.find(HARD, end, high)
        last = high if stop < 0 else stop
        stop = text.find(QUESTION, end, last)
        return first, last if stop < 0 else stop

    def _cuts_of(self, turn: int) -> _Cuts:
        if turn not in self._cuts:
            self._plain_turns = self._plain_turns or _turn_starts(self._plain)
            low = self._plain_turns[turn]
            high = self._plain.index(TURN_END, low)
            whole = high - low == self.ends[turn] - self.turns[turn]  # nothing was taken out
            self._cuts[turn] = _NO_CUTS if whole else _cuts(self._plain, low, high + 1)
        return self._cuts[turn]


@functools.lru_cache(maxsize=1)
def normal_text(turns: tuple[str, ...]) -> NormalText:
    """The normalised turns of a call; the last one is kept, since rules and second opinion ask for the same."""
    return NormalText(turns)


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Where characters of a turn were taken out: from `pieces[i]` on, `shifts[i]` are missing; `pauses` stood there.

    All positions are those of the normalised turn.
    """

    pieces: list[int]
    shifts: list[int]
    pauses: list[int]

    def spoken(self, position: int) -> int:
        return position + self.shifts[bisect_right(self.pieces, position) - 1]


_NO_CUTS = _Cuts([0], [0], [])


def _cuts(plain: str, low: int, high: int) -> _Cuts:
    found = [(cut.start(), cut.end(), SOFT in cut.group()) for cut in _PAUSES.finditer(plain, low, high)]
    found += [(cut.start() + 1, cut.end(), False) for cut in _STUTTER.finditer(plain, low, high)]
    cuts = _Cuts([0], [0], [])
    removed = 0
    for start, end, pause in sorted(found):
        removed += end - start
        place = end - removed - low
        cuts.pieces.append(place)
        cuts.shifts.append(removed)
        if pause:
            cuts.pauses.append(place)
    return cuts


def _as_digits(found: re.Match[str]) -> str:
    if found.string[found.start() - 1] in "十百千万亿":
        return found.group()
    return found.group().translate(_DIGIT_OF)


def _turn_starts(text: str) -> list[int]:
    starts, at = [], text.find(TURN_END)
    while at + 1 < len(text):
        starts.append(at + 1)
        at = text.find(TURN_END, at + 1)
    return starts


def normalise_term(term: str) -> str:
    """A term of a rule in the form that it has in normalised text."""
    return normalise_terms([term])[0]


def normalise_terms(terms: Sequence[str]) -> list[str]:
    """Many terms at once, which takes a tenth of the time."""
    return NormalText(terms).text.split(TURN_END)[1:-1]
