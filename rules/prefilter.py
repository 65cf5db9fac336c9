"""What must occur for a regular expression to match: sets of strings of each of which one is in every match.

The engine looks for these strings, of all rules, in one pass, and tries an expression where each of its sets has one
in the turn: 80 of 320 tries remain in a call (measured). The rarer the strings are in speech, the fewer expressions are
tried in vain; so neighbouring parts are multiplied out ([你您]家 → 你家, 您家) and frequent characters weigh more.
Each alternative of an expression is looked for by itself: most are never tried, and the one that is tried is short.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from re import _compiler as compiler  # type: ignore[attr-defined]
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_MOST_STRINGS = 64
_MOST_NEEDS = 3  # sets of strings that are looked for, for one expression
_COMMON = 0.1  # a further set that is expected more often, per place, tells too little

# The most frequent characters of collection calls, by rank; the frequency of rank r is near 1 / (r + 12).
_FREQUENT = (
    "我您是的你不了一个那好这就有还上们天说给人没打他下号要十先话来在三么千行跟得到二四五去能六里百吧月以也子公八再可对"
    "期点请吗看钱啊都会谢过电司信问工事后多录系两着七生证老小儿九今什出家别记把万手零明费金意同回头边诉分转哪前音款嘛机时"
)
_SHARE = {char: 1 / (rank + 12) for rank, char in enumerate(_FREQUENT)}
_RARE = 0.001


class Expression:
    """A regular expression, made ready when it is first tried: few of a pack's are, and each takes a millisecond."""

    def __init__(self, compiled: Callable[[], re.Pattern[str]]) -> None:
        self._compiled = compiled

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str]:
        return self._compiled()

    @functools.cached_property
    def search(self) -> Callable[[str, int, int], re.Match[str] | None]:
        """As `re.Pattern.search`."""
        return self._pattern.search

    @functools.cached_property
    def finditer(self) -> Callable[[str, int, int], Iterator[re.Match[str]]]:
        """As `re.Pattern.finditer`."""
        return self._pattern.finditer


@functools.cache
def expression(pattern: str) -> Expression:
    """An expression in which `^` and `$` are the beginning and the end of a turn."""
    return Expression(functools.partial(re.compile, pattern, re.MULTILINE))


@functools.lru_cache(maxsize=8)  # what is asked of a pattern is asked at once
def parsed_pattern(pattern: str) -> Any:
    """A pattern as `re` reads it. Raises what `re` raises."""
    return parser.parse(pattern, re.MULTILINE)


@functools.cache
def required(pattern: str) -> frozenset[str]:
    """Strings of which at least one occurs in every match; empty where there are none."""
    best = _best(_candidates(parsed_pattern(pattern)))
    return best or frozenset()


@functools.cache
def widest(pattern: str) -> int:
    """How many characters a match of a bounded expression has at most."""
    return int(parsed_pattern(pattern).getwidth()[1])


def gate(*patterns: str) -> re.Pattern[str]:
    """A quick look: an expression that matches in every text in which one of the patterns does."""
    strings = frozenset().union(*map(required, patterns))
    return re.compile("|".join(sorted(map(re.escape, _shortest(strings)))))


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Strings of which one must occur, and what then decides: an expression, or nothing where they say it all.

    `also` are further sets of which one string each must occur.
    """

    strings: frozenset[str]
    expression: Expression | None = None
    by_sound: bool = False
    also: tuple[frozenset[str], ...] = ()

    @functools.cached_property
    def needs(self) -> tuple[frozenset[str], ...]:
        """The rarest of its sets, each without strings that hold another of theirs; all strings where they say it all.

        An operator reads from them where it stands.
        """
        if self.expression is None:
            return (self.strings,)
        first, *others = sorted((self.strings, *self.also), key=expected)
        rare = [first, *(other for other in others if expected(other) < _COMMON)]
        return tuple(dict.fromkeys(map(_shortest, rare[:_MOST_NEEDS])))


_REFERS_BACK = re.compile(r"\\[1-9]|\(\?P=|\(\?\(")


@functools.cache
def probes(pattern: str, *, by_sound: bool = False) -> tuple[Probe, ...]:
    """Quick looks at a text, one of which succeeds where, and only where, the pattern matches."""
    if _REFERS_BACK.search(pattern):
        return (Probe(strings=required(pattern), expression=expression(pattern), by_sound=by_sound),)
    certain: frozenset[str] = frozenset()
    tested: list[Probe] = []
    for number, branch in enumerate(_branches(parsed_pattern(pattern))):
        exact = None if _asserts(branch) else _exact_sequence(branch)
        if exact is not None and "" not in exact:
            certain |= exact
            continue
        tried = Expression(functools.partial(_compiled_branch, pattern, number))
        strings, *also = rarest_first(_candidates(branch)) or [frozenset()]
        tested.append(Probe(strings=strings, expression=tried, by_sound=by_sound, also=tuple(also)))
    return (*([Probe(strings=certain, by_sound=by_sound)] if certain else []), *tested)


def _compiled_branch(pattern: str, number: int) -> re.Pattern[str]:
    parsed = parsed_pattern(pattern)
    needed = _needed(_branches(parsed)[number])
    made: re.Pattern[str] = compiler.compile(parser.SubPattern(parsed.state, needed), re.MULTILINE)
    return made


def _branches(parsed: Sequence[Any]) -> list[list[Any]]:
    """The alternatives of a whole expression."""
    items = list(parsed)
    if len(items) == 1 and items[0][0] is op.BRANCH:
        return [branch for inner in items[0][1][1] for branch in _branches(inner)]
    return [items]


def _needed(branch: list[Any]) -> list[Any]:
    """An alternative without what may be missing at its ends: it matches in the same texts, and faster."""
    first, last = 0, len(branch)
    while first < last - 1 and _optional(branch[first]):
        first += 1
    while last > first + 1 and _optional(branch[last - 1]):
        last -= 1
    return branch[first:last]


def _optional(part: Any) -> bool:
    code, argument = part
    return code in (op.MAX_REPEAT, op.MIN_REPEAT) and argument[0] == 0


def _asserts(parsed: Sequence[Any]) -> bool:
    """Whether a part looks around, so that its strings alone do not say that it matches."""
    for code, argument in parsed:
        if code in (op.ASSERT, op.ASSERT_NOT, op.AT):
            return True
        inner = argument[1] if code is op.BRANCH else [argument[-1]] if code in _NESTING else []
        if any(map(_asserts, inner)):
            return True
    return False


_NESTING = (op.SUBPATTERN, op.MAX_REPEAT, op.MIN_REPEAT)


def expected(strings: Iterable[str]) -> float:
    """How often one of the strings is to be expected at a place in speech, roughly."""
    return sum(_frequency(string) for string in strings)


def rarest_first(sets: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """Those of the sets that tell anything; first the one whose strings are together the rarest in speech."""
    return sorted((found for found in sets if found and "" not in found), key=expected)


def _best(sets: Sequence[frozenset[str]]) -> frozenset[str] | None:
    return min((found for found in sets if found and "" not in found), key=expected, default=None)


def _shortest(strings: frozenset[str]) -> frozenset[str]:
    """Without the strings that hold another one: where they occur it does."""
    return frozenset(string for string in strings if not any(part in strings for part in _parts(string)))


def _parts(string: str) -> Iterator[str]:
    size = len(string)
    return (string[at : at + length] for length in range(1, size) for at in range(size - length + 1))


@functools.cache
def _frequency(string: str) -> float:
    """How often a string is to be expected, as if characters were independent."""
    product = 1.0
    for char in string:
        product *= _SHARE.get(char, _SYLLABLES.get(char, _RARE))
    return product


def _syllable_shares() -> dict[str, float]:
    from rules.sound import syllables

    shares: dict[str, float] = {}
    for char, share in _SHARE.items():
        code = syllables(char)
        shares[code] = shares.get(code, 0.005) + share
    return shares


_SYLLABLES = _syllable_shares()


def _candidates(parsed: Sequence[Any]) -> list[frozenset[str]]:
    """Sets of strings, each of which every match must meet."""
    found: list[frozenset[str]] = []
    run: frozenset[str] = frozenset({""})
    for code, argument in parsed:
        exact = _exact(code, argument)
        if exact is not None and len(run) * len(exact) <= _MOST_STRINGS:
            run = frozenset(before + after for before in run for after in exact)
            continue
        found.append(run)
        run = exact if exact is not None else frozenset({""})
        if exact is None:
            found += _inside(code, argument)
    return [*found, run]


def _exact(code: Any, argument: Any) -> frozenset[str] | None:
    """All strings that a part can match, where they are few."""
    if code is op.LITERAL:
        return frozenset({chr(argument)})
    if code is op.IN and all(kind is op.LITERAL for kind, _ in argument):
        return frozenset(chr(char) for _, char in argument)
    if code is op.SUBPATTERN:
        return _exact_sequence(argument[3])
    if code is op.BRANCH:
        branches = [_exact_sequence(branch) for branch in argument[1]]
        exact = frozenset().union(*(b for b in branches if b is not None)) if None not in branches else None
        return exact if exact is not None and len(exact) <= _MOST_STRINGS else None
    if code in (op.MAX_REPEAT, op.MIN_REPEAT) and argument[:2] == (0, 1):
        once = _exact_sequence(argument[2])
        return None if once is None else once | {""}
    if code in (op.ASSERT, op.ASSERT_NOT, op.AT):
        return frozenset({""})
    return None


def _exact_sequence(parsed: Sequence[Any]) -> frozenset[str] | None:
    run: frozenset[str] = frozenset({""})
    for code, argument in parsed:
        exact = _exact(code, argument)
        if exact is None or len(run) * len(exact) > _MOST_STRINGS:
            return None
        run = frozenset(before + after for before in run for after in exact)
    return run


def _inside(code: Any, argument: Any) -> list[frozenset[str]]:
    """What a part that has no few strings must hold all the same."""
    if code is op.SUBPATTERN:
        return _candidates(argument[3])
    if code in (op.MAX_REPEAT, op.MIN_REPEAT) and argument[0] >= 1:
        return _candidates(argument[2])
    if code is op.BRANCH:
        branches = [_best(_candidates(branch)) for branch in argument[1]]
        if all(branches):
            return [frozenset().union(*(branch for branch in branches if branch))]
    return []
