"""Which of many strings stand where in a call: one Aho–Corasick automaton, one pass.

Measured on the pack's 40,000 strings: ahocorasick_rs takes half the time of pyahocorasick, which looks through the
thousand children of its root for every character that begins nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick

from rules.model import Speaker, role_matches
from transcribe.model import Role

_PIECE = 10_000  # characters that are searched at once
_TWO_UNITS = re.compile("[\U00010000-\U0010ffff]")

Needs = Sequence[frozenset[str]]  # of each of these sets one string must stand in a turn


class Lookout:
    """What is sought, each by its needs, in the turns of a speaker."""

    def __init__(self, sought: Sequence[tuple[Needs, Speaker]]) -> None:
        places: dict[str, list[_Place]] = defaultdict(list)
        for number, (needs, _) in enumerate(sought):
            for layer, strings in enumerate(needs):
                for string in strings:
                    places[string].append((layer, number))
        self._automaton = AhoCorasick(list(places), store_patterns=False)
        self._ears = {role: _Ear(sought, places, role) for role in Role}

    def met(self, text: str, ends: Sequence[int], roles: Sequence[Role]) -> Iterator[tuple[int, list[int]]]:
        """(turn, numbers of all whose needs are met there), in order; turn n of `text` ends at `ends[n]`."""
        turn, end, ear, met = -1, -1, self._ears[Role.UNKNOWN], 0
        masks = ear.masks
        for string, _, last in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if last > end:
                if met and (numbers := ear.numbers(met)):
                    yield turn, numbers
                while last > end:
                    turn += 1
                    end = ends[turn]
                ear, met = self._ears[roles[turn]], 0
                masks = ear.masks
            met |= masks[string]
        if met and (numbers := ear.numbers(met)):
            yield turn, numbers


_Place = tuple[int, int]  # a layer (the first, second … of somebody's needs) and a number


class _Ear:
    """What is sought in the turns of one role, as bits: one for each need, all first needs before all second ones.

    Bits, because a frequent character is a need of a hundred: one `|` notes them all.
    """

    def __init__(self, sought: Sequence[tuple[Needs, Speaker]], places: Mapping[str, list[_Place]], role: Role) -> None:
        self._heard = [number for number, (_, speaker) in enumerate(sought) if role_matches(speaker, role)]
        self._layers = max((len(needs) for needs, _ in sought), default=0)
        self._size = len(self._heard)
        bits = {number: bit for bit, number in enumerate(self._heard)}
        known: dict[tuple[_Place, ...], int] = {}
        self.masks = [self._mask(tuple(found), bits, known) for found in places.values()]
        self._needless = 0
        for number, bit in bits.items():
            for layer in range(len(sought[number][0]), self._layers):
                self._needless |= 1 << layer * self._size + bit

    def _mask(self, places: tuple[_Place, ...], bits: Mapping[int, int], known: dict[tuple[_Place, ...], int]) -> int:
        if places not in known:
            known[places] = 0
            for layer, number in places:
                if number in bits:
                    known[places] |= 1 << layer * self._size + bits[number]
        return known[places]

    def numbers(self, met: int) -> list[int]:
        """Those of whom every need is met."""
        met |= self._needless
        whole = met
        for layer in range(1, self._layers):
            whole &= met >> layer * self._size
        whole &= (1 << self._size) - 1
        numbers = []
        while whole:
            bit = whole.bit_length() - 1
            numbers.append(self._heard[bit])
            whole ^= 1 << bit
        return numbers


class Places:
    """Where any of a few strings stand.

    Looked for in UTF-16, where a place in bytes tells the place in characters: ten times as fast as in the text itself.
    A string with an emoji is found where another emoji stands, too: operators look again at what stands in a place.
    """

    def __init__(self, strings: Sequence[str]) -> None:
        self._automaton = BytesAhoCorasick([_units(string) for string in strings])
        self._overlap = max(map(len, strings), default=1) - 1

    def spans(self, text: str, low: int, high: int) -> Iterator[tuple[int, int]]:
        """Spans in `text` between `low` and `high`, by their ends; they may overlap. Who stops early pays for less."""
        for begin in range(low, high, _PIECE):
            first = max(low, begin - self._overlap)
            for start, end in self._found(text[first : min(begin + _PIECE, high)]):
                if first + end > begin:
                    yield first + start, first + end

    def _found(self, text: str) -> list[tuple[int, int]]:
        found = self._automaton.find_matches_as_indexes(_units(text), overlapping=True)
        return [(start // 2, end // 2) for _, start, end in found if start % 2 == 0]


def _units(text: str) -> bytes:
    """UTF-16 with one unit a character; emoji and the rarest characters, which take two, all become the same one."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units if len(units) == 2 * len(text) else _TWO_UNITS.sub("\ufffd", text).encode("utf-16-le", "surrogatepass")
