"""Which of many strings stand where in a call: one Aho–Corasick automaton, one pass.

Measured on the pack's 40,000 strings: ahocorasick_rs takes half the time of pyahocorasick, which looks through the
thousand children of its root for every character that begins nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

from ahocorasick_rs import AhoCorasick

from rules.model import Speaker, role_matches
from transcribe.model import Role

Needs = Sequence[frozenset[str]]  # of each of these sets one string must stand in a turn
Match = tuple[int, int, int]  # (number of a string, start, end)
Span = tuple[int, int]
Met = tuple[int, int, list[Match]]  # a turn, bits of all whose needs are met there, the strings that stand in it
_Place = tuple[int, int]  # a layer (the first, second … of somebody's needs) and a number


class Lookout:
    """What is sought, each by its needs, in the turns of a speaker.

    Sets of what is sought, and of needs that are met, are bits of an int: a frequent character is a need of a hundred,
    and one `|` notes them all.
    """

    def __init__(self, sought: Mapping[int, tuple[Needs, Speaker]], *, size: int) -> None:
        """`sought` by numbers below `size`."""
        places: dict[str, list[_Place]] = defaultdict(list)
        for number, (needs, _) in sought.items():
            for layer, strings in enumerate(needs):
                for string in strings:
                    places[string].append((layer, number))
        self.seeks = bool(places)
        self._automaton = AhoCorasick(list(places), store_patterns=False)
        self._layers = [layer * size for layer in range(max((len(needs) for needs, _ in sought.values()), default=0))]
        self._all = (1 << size) - 1
        self._needless = 0
        for number, (needs, _) in sought.items():
            for layer in self._layers[len(needs) :]:
                self._needless |= 1 << layer + number
        self._masks = {role: self._masks_of(places, sought, role) for role in Role}

    def _masks_of(
        self, places: Mapping[str, list[_Place]], sought: Mapping[int, tuple[Needs, Speaker]], role: Role
    ) -> list[int]:
        """For each string the needs that it meets in a turn of this role."""
        known: dict[tuple[_Place, ...], int] = {}
        for found in map(tuple, places.values()):
            if found not in known:
                heard = [(layer, number) for layer, number in found if role_matches(sought[number][1], role)]
                known[found] = sum(1 << self._layers[layer] + number for layer, number in heard)
        return [known[tuple(found)] for found in places.values()]

    def met(self, text: str, ends: Sequence[int], roles: Sequence[Role]) -> Iterator[Met]:
        """The turns in which some string stands, in order; turn n of `text` ends at `ends[n]`."""
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        if not found:
            return
        turn, end, first, met = -1, -1, 0, 0
        masks = self._masks[Role.UNKNOWN]
        for at, (string, _, last) in enumerate(found):
            if last > end:
                if at:
                    yield turn, self._whole(met), found[first:at]
                while last > end:
                    turn += 1
                    end = ends[turn]
                first, met, masks = at, 0, self._masks[roles[turn]]
            met |= masks[string]
        yield turn, self._whole(met), found[first:]

    def _whole(self, met: int) -> int:
        """Those of whom every need is met."""
        met |= self._needless
        whole = self._all
        for layer in self._layers:
            whole &= met >> layer
        return whole


class Places:
    """Where in a text each of the strings stands that were found, turn by turn."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[int, list[Match]] = {}
        self._by_string: dict[int, dict[str, list[Span]]] = {}

    def note(self, turn: int, found: list[Match]) -> None:
        """Keep what was found in a turn."""
        self._found[turn] = found

    def of(self, turn: int, strings: frozenset[str]) -> list[Span]:
        """Spans of these strings in a turn, by their ends; they may overlap."""
        by_string = self._by_string.get(turn)
        if by_string is None:
            self._by_string[turn] = by_string = self._sorted(turn)
        few = strings if len(strings) < len(by_string) else by_string
        spans = [span for string in few if string in by_string and string in strings for span in by_string[string]]
        return sorted(spans, key=_by_end) if len(spans) > 1 else spans

    def _sorted(self, turn: int) -> dict[str, list[Span]]:
        by_string: dict[str, list[Span]] = defaultdict(list)
        for _, start, end in self._found.get(turn, ()):
            by_string[self._text[start:end]].append((start, end))
        return by_string


_by_end = itemgetter(1, 0)
