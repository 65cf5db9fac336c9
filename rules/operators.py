"""The operators of the rule format: one small class each, from what YAML says to hits in a call.

Every operator about words names `probes`, strings of which some must occur; the engine looks for all strings of all
rules at once and asks an operator only about turns that hold its own.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import time
from functools import cached_property
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from rules.amounts import may_name_sum
from rules.call import CALL, Call, Hit
from rules.dates import may_name_day
from rules.entities import LONGEST_READ
from rules.lookout import Span
from rules.measures import measure
from rules.model import Condition
from rules.patterns import spelled_out
from rules.prefilter import Expression, Probe, expression, probes, rarest_first, widest
from rules.sound import spellings, syllables
from rules.text import HARD, QUESTION, TURN_END, normalise_terms
from transcribe.model import Role

_AROUND = 160  # at most; as far as an expression reaches and its look-aheads, of _AHEAD, see
_AHEAD = 40
_MOST_TRIGGERS = 40  # per turn and operator: a hostile turn stays cheap, and the rule is unsure if it found nothing
_LONG_TERM = 5  # syllables from which one may be wrong
_LONGEST_COMPARED = 2000  # characters of a turn that are compared with a sentence
_SOUND_ALONE = 3  # syllables from which a term may match by sound without a second component
_STOPS = f"[^{HARD}{QUESTION}{TURN_END}]"

Expand = Callable[[Sequence[str]], tuple[str, ...]]


class Operator(ABC):
    """What a condition does, without its modifiers."""

    probes: tuple[Probe, ...] = ()  # one must succeed in a turn; empty: words alone don't tell where it may hold
    by_turn = True  # whether it is asked turn by turn; the others are asked once, about the call
    exact = False  # whether it surely has a hit in a turn in which one of its probes succeeds
    certain = True  # whether its hits never carry a doubt
    reach = _AROUND  # characters before and after one of its words that it must read in a long turn

    @abstractmethod
    def hits(self, call: Call, turn: int) -> Iterable[Hit]:
        """Hits in this turn; of what is about the call as a whole, all hits."""

    @cached_property
    def triggers(self) -> tuple[frozenset[str], frozenset[str]]:
        """Strings of normalised text, and of syllables: where none of them stands there is no hit."""
        spoken = (string for probe in self.probes if not probe.by_sound for string in probe.needs[0])
        sounds = (string for probe in self.probes if probe.by_sound for string in probe.needs[0])
        return frozenset(spoken), frozenset(sounds)

    def places(self, call: Call, turn: int) -> list[Span]:
        """Where its triggers stand in a turn: as spoken, then as they sound, each by their ends."""
        spoken, sounds = self.triggers
        return call.spoken_places.of(turn, spoken) + call.heard_places.of(turn, sounds)


class Phrase(Operator):
    """Any of these terms, as spoken or, from three syllables on, as it sounds."""

    def __init__(self, terms: Sequence[str], *, by_sound: bool) -> None:
        normal = normalise_terms(terms)
        self._literal = frozenset(normal)
        self._sounds: dict[str, str] = {}
        self._halves: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
        for term in dict.fromkeys(normal) if by_sound else ():
            if len(term) >= _SOUND_ALONE:
                self._add_sounds(term)
        sounds = frozenset((*self._sounds, *self._halves))
        self.probes = (Probe(strings=self._literal), *([Probe(strings=sounds, by_sound=True)] if sounds else []))
        self.exact = self.certain = not sounds

    def _add_sounds(self, term: str) -> None:
        for spelling in spellings(term):
            self._sounds[spelling] = term
            if len(spelling) >= _LONG_TERM:  # one edit leaves one half untouched
                middle = len(spelling) // 2
                self._halves[spelling[:middle]].append((spelling, 0, term))
                self._halves[spelling[middle:]].append((spelling, middle, term))

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        places = self.places(call, turn)
        if len(places) > _MOST_TRIGGERS and call.is_long(turn):
            call.cut_short.add(self)
            places = places[:_MOST_TRIGGERS]
        for start, end in places:
            words = call.normal.text[start:end]
            if words in self._literal:
                yield Hit(turn=turn, start=start, end=end, because=f"说了“{words}”")
            elif term := self._sounds.get(call.sounds[start:end]):
                yield sound_hit(call, turn, start, end, term)
            else:
                yield from self._nearly(call, turn, start, end)

    def _nearly(self, call: Call, turn: int, start: int, end: int) -> Iterator[Hit]:
        """Long terms of which one half is here and the whole is one edit away."""
        floor, ceiling = call.normal.turns[turn], call.normal.ends[turn]
        for spelling, offset, term in self._halves.get(call.sounds[start:end], ()):
            for length in (len(spelling), len(spelling) - 1, len(spelling) + 1):
                low = start if offset == 0 else end - length
                high = low + length
                if floor <= low and high <= ceiling and one_edit(call.sounds[low:high], spelling):
                    if call.normal.text[low:high] != term:
                        yield sound_hit(call, turn, low, high, term)
                    break


def one_edit(heard: str, spelling: str) -> bool:
    """Whether two strings of syllables are at most one insertion, deletion or substitution apart."""
    return Levenshtein.distance(heard, spelling, score_cutoff=1) <= 1


def sound_hit(call: Call, turn: int, start: int, end: int, term: str) -> Hit:
    """A hit by sound, doubtful where little was heard literally or what was heard is an ordinary word."""
    words = call.normal.text[start:end]
    doubts = sound_doubts(call, turn, start, end, term)
    alike = "相同" if call.sounds[start:end] in spellings(term) else "相近"
    because = f"“{words}”与“{term}”读音{alike}"
    return Hit(turn=turn, start=start, end=end, because=because, heard=((start, end, term),), doubts=doubts)


def sound_doubts(call: Call, turn: int, start: int, end: int, term: str) -> tuple[str, ...]:
    """Why a match by sound is no certainty."""
    words = call.normal.text[start:end]
    doubts = []
    if sum(char in words for char in term) * 2 < len(term):
        doubts.append(f"仅凭读音判断“{words}”是“{term}”")
    return (*doubts, *_ordinary(call, turn, _changed(words, term, start)))


def _changed(words: str, term: str, start: int) -> list[Span]:
    """Places of the characters that are not the standard term's."""
    return [(start + n, start + n + 1) for n, char in enumerate(words) if char not in term]


def _alternatives(terms: Sequence[str]) -> str:
    return "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))


class Near(Operator):
    """Groups of terms close to each other; by sound, at least one group must be heard literally."""

    def __init__(self, groups: Sequence[Sequence[str]], *, within: int, ordered: bool, by_sound: bool) -> None:
        self._groups = [tuple(dict.fromkeys(normalise_terms(group))) for group in groups]
        self._gap = f"{_STOPS}{{0,{within}}}?"
        self._literal = [frozenset(group) for group in self._groups]
        self._standard: list[dict[str, str]] = []
        choices = self._groups
        if by_sound:
            self._standard = [{s: term for term in group for s in spellings(term)} for group in self._groups]
            choices = [tuple(standard) for standard in self._standard]
        self._by_sound = by_sound
        self.exact = self.certain = not by_sound
        longest = sum(max(map(len, group)) for group in self._groups) + within * len(self._groups)
        self.reach = min(_AROUND, longest + _AHEAD)
        self._expressions = [(order, self._expression(choices, order)) for order in self._orders(ordered=ordered)]
        strings, *also = rarest_first([frozenset(group) for group in choices])
        self.probes = tuple(
            Probe(strings=strings, expression=tried, by_sound=by_sound, also=tuple(also))
            for _, tried in self._expressions
        )

    def _orders(self, *, ordered: bool) -> list[tuple[int, ...]]:
        forward = tuple(range(len(self._groups)))
        return [forward] if ordered else [forward, forward[::-1]]

    def _expression(self, choices: Sequence[Sequence[str]], order: tuple[int, ...]) -> Expression:
        return expression(self._gap.join(f"({_alternatives(choices[n])})" for n in order))

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        searched = call.sounds if self._by_sound else call.normal.text
        for low, high in windows(call, turn, self):
            for order, tried in self._expressions:
                for match in tried.finditer(searched, low, high):
                    if hit := self._hit(call, turn, order, match):
                        yield hit

    def _hit(self, call: Call, turn: int, order: tuple[int, ...], match: re.Match[str]) -> Hit | None:
        spans = [match.span(n + 1) for n in range(len(order))]
        words = [call.normal.text[start:end] for start, end in spans]
        literal = [word in self._literal[n] for n, word in zip(order, words, strict=True)]
        if not any(literal):
            return None
        heard = [
            (start, end, self._standard[n][match.string[start:end]])
            for n, (start, end), exact in zip(order, spans, literal, strict=True)
            if not exact
        ]
        changed = [place for s, e, term in heard for place in _changed(call.normal.text[s:e], term, s)]
        shown = "与".join(f"“{word}”" for word in words)
        misheard = "；".join(f"“{call.normal.text[s:e]}”与“{term}”读音相同" for s, e, term in heard)
        because = f"{shown}相连" + (f"({misheard})" if heard else "")
        return Hit(
            turn=turn, start=match.start(), end=match.end(), because=because,
            heard=tuple(heard), doubts=_ordinary(call, turn, changed),
        )  # fmt: skip


def windows(call: Call, turn: int, operator: Operator) -> Iterator[Span]:
    """The stretches of normalised text in which an operator's expression is searched."""
    low, end = call.normal.turns[turn], call.normal.ends[turn]
    if not call.is_long(turn):
        yield low, end
        return
    opened, first, high = 0, low, -1
    for start, _ in sorted(operator.places(call, turn)):
        if start - operator.reach > high:
            if high >= 0:
                yield first, high
            if opened == _MOST_TRIGGERS:
                call.cut_short.add(operator)
                return
            opened, first = opened + 1, max(low, start - operator.reach)
        high = min(end, start + operator.reach)
    if high >= 0:
        yield first, high


class Pattern(Operator):
    """A bounded regular expression (rules/patterns.py) over normalised text; by sound, over syllables too.

    `^` and `$` are the beginning and the end of a turn.

    One syllable stands where one character stood, so the expression of syllables is the expression itself with
    its characters exchanged.
    """

    def __init__(self, pattern: str, *, by_sound: bool) -> None:
        sounds = syllables(pattern) if by_sound else ""
        self._expression = expression(pattern)
        self._by_sound = expression(sounds) if by_sound else None
        self._chars = dict.fromkeys(char for char in pattern if "\u3400" <= char <= "\u9fff")
        self._standard = dict(zip(syllables("".join(self._chars)), self._chars, strict=True)) if by_sound else {}
        self.probes = probes(pattern) + (probes(sounds, by_sound=True) if by_sound else ())
        self.exact, self.certain = True, not by_sound
        self.reach = min(_AROUND, widest(pattern) + _AHEAD)

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        text = call.normal.text
        for low, high in windows(call, turn, self):
            literal = [match.span() for match in self._expression.finditer(text, low, high)]
            for start, end in literal:
                if end > start:
                    yield Hit(turn=turn, start=start, end=end, because=f"说了“{text[start:end]}”")
            if self._by_sound:
                for match in self._by_sound.finditer(call.sounds, low, high):
                    if not any(start < match.end() and match.start() < end for start, end in literal):
                        yield self._sound_hit(call, turn, *match.span())

    def _sound_hit(self, call: Call, turn: int, start: int, end: int) -> Hit:
        words = call.normal.text[start:end]
        sounds = call.sounds[start:end]
        standard = "".join(map(self._standard_char, words, sounds))
        heard = tuple((start + n, start + n + 1) for n, char in enumerate(words) if char != standard[n])
        kept = sum(char in self._chars for char in words)
        doubts = [f"仅凭读音判断“{words}”是“{standard}”"] if len(heard) > kept else []
        doubts += _ordinary(call, turn, heard)
        return Hit(
            turn=turn, start=start, end=end, because=f"“{words}”与“{standard}”读音相同",
            heard=((start, end, standard),), doubts=tuple(dict.fromkeys(doubts)),
        )  # fmt: skip

    def _standard_char(self, char: str, sound: str) -> str:
        return char if char in self._chars else self._standard.get(sound, char)


def _ordinary(call: Call, turn: int, places: Sequence[Span]) -> tuple[str, ...]:
    """Doubts about places taken by sound that ordinary words cover: perhaps they were meant literally."""
    if not places:
        return ()
    low, high = call.normal.turns[turn], call.normal.ends[turn]
    if call.is_long(turn):
        low = max(low, min(places)[0] - _AROUND)
        high = min(high, max(places)[1] + _AROUND)
    words = [
        word.text
        for word in call.common_words(low, high)
        if any(word.start < end and start < word.end for start, end in places)
    ]
    return tuple(f"“{word}”本身是常用词" for word in dict.fromkeys(words))


class Tokens(Operator):
    """A spaCy Matcher pattern over the words of a turn."""

    def __init__(self, pattern: Sequence[Mapping[str, Any]]) -> None:
        self._pattern = [{key: _number(value) for key, value in token.items()} for token in pattern]
        texts = [token.get("TEXT") for token in pattern if "OP" not in token]
        words = next((t["IN"] for t in texts if isinstance(t, Mapping) and "IN" in t), None)
        literal = next((t for t in texts if isinstance(t, str)), None)
        strings = frozenset(normalise_terms([literal] if literal else list(words or ())))
        self.probes = (Probe(strings=strings),) if strings else ()
        self._matcher: Any = None

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        for low, high in windows(call, turn, self):
            doc = call.tokenizer.doc(call.normal.text[low:high])
            for _, first, last in self._matches(doc):
                span = doc[first:last]
                start, end = low + span.start_char, low + span.end_char
                yield Hit(turn=turn, start=start, end=end, because=f"词语搭配“{span.text}”")

    def _matches(self, doc: Any) -> Any:
        if self._matcher is None:
            from spacy.matcher import Matcher

            self._matcher = Matcher(doc.vocab)
            self._matcher.add("tokens", [self._pattern], greedy="LONGEST")
        return self._matcher(doc)


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


_MAY_NAME = {"money": may_name_sum, "date": may_name_day}


class EntityOf(Operator):
    """An amount, a date, a number of a kind."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = frozenset(kinds)
        self._may_name = [_MAY_NAME.get(kind, bool) for kind in kinds]

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        base, words = call.normal.turns[turn], call.normal.turn_text(turn)
        if not any(may_name(words) for may_name in self._may_name):
            return
        if len(words) > LONGEST_READ:
            call.cut_short.add(self)
        for entity in call.entities(turn):
            if entity.kind in self._kinds:
                start, end = base + entity.start, base + entity.end
                yield Hit(turn=turn, start=start, end=end, because=f"提到“{entity.text}”（{entity.kind}）")


class Similar(Operator):
    """A stretch that sounds much like one of these sentences."""

    def __init__(self, sentences: Sequence[str], score: float) -> None:
        self._sentences = [(term, syllables(term)) for term in normalise_terms(sentences)]
        self._score = 100 * score
        pairs = frozenset(s[n : n + 2] for _, s in self._sentences for n in range(len(s) - 1))
        self.probes = (Probe(strings=pairs, by_sound=True),)

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        if len(self.places(call, turn)) < 2:
            return
        low, high = call.normal.turns[turn], call.normal.ends[turn]
        if high - low > _LONGEST_COMPARED:
            call.cut_short.add(self)
        for sentence, sounds in self._sentences:
            if high - low < len(sounds) // 2:
                continue
            said = call.sounds[low : min(high, low + _LONGEST_COMPARED)]
            match = fuzz.partial_ratio_alignment(sounds, said, score_cutoff=self._score)
            if match:
                start, end = low + match.dest_start, low + match.dest_end
                yield Hit(turn=turn, start=start, end=end, because=f"与“{sentence}”相似（{match.score:.0f}%）")


class Repeated(Operator):
    """The same speaker says the same thing again and again."""

    by_turn = False

    def __init__(self, *, times: int, turns: int, chars: int) -> None:
        self._times, self._turns, self._chars = times, turns, chars

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        said: dict[tuple[Role, str], list[int]] = defaultdict(list)
        for now, role in enumerate(call.roles):
            for start, end in self._sentences(call, now):
                earlier = said[role, call.normal.text[start:end]]
                earlier.append(now)
                if len([n for n in earlier if now - n <= self._turns]) == self._times:
                    words = call.normal.text[start:end]
                    yield Hit(turn=now, start=start, end=end, because=f"“{words}”重复说了 {self._times} 次")

    def _sentences(self, call: Call, turn: int) -> Iterator[tuple[int, int]]:
        base = call.normal.turns[turn]
        for match in re.finditer(f"{_STOPS}+", call.normal.turn_text(turn)):
            if match.end() - match.start() >= self._chars:
                yield base + match.start(), base + match.end()


class MeasureOf(Operator):
    """A number of the call, from `at_least` up and `below`."""

    by_turn = False

    def __init__(self, name: str, *, at_least: float | None, below: float | None) -> None:
        self._name, self._at_least, self._below = name, at_least, below

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        for value, where in measure(call, self._name):
            if (self._at_least is None or value >= self._at_least) and (self._below is None or value < self._below):
                start = call.normal.turns[where] if where != CALL else 0
                end = call.normal.ends[where] if where != CALL else 0
                yield Hit(turn=where, start=start, end=end, because=f"{self._name} = {value:g}")


class RelationIs(Operator):
    """Who is on the line; from the call record, else from what is said, and then with a doubt."""

    by_turn = False
    certain = False

    def __init__(self, relations: Sequence[str]) -> None:
        self._relations = frozenset(relations)

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        relation = call.relation
        if relation.value in self._relations:
            doubts = (relation.doubt,) if relation.doubt else ()
            yield Hit(turn=CALL, start=0, end=0, because=f"接听人：{relation.because}", doubts=doubts)


class HourIn(Operator):
    """We called within these hours of the debtor's day; the span may pass midnight. Who calls us chose the hour."""

    by_turn = False

    def __init__(self, start: time, end: time) -> None:
        self._start, self._end = start, end

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        if call.facts.started_at is None or call.facts.inbound:
            return
        now = call.facts.started_at.time()
        inside = self._start <= now < self._end if self._start <= self._end else now >= self._start or now < self._end
        if inside:
            yield Hit(turn=CALL, start=0, end=0, because=f"通话于当地时间 {now:%H:%M} 开始")


class CountAcrossCalls(Operator):
    """Judged over many calls by audit/conduct.py; one call alone has no hits."""

    by_turn = False

    def hits(self, call: Call, turn: int) -> Iterator[Hit]:
        return iter(())


def build(condition: Condition, expand: Expand, value: Callable[[Any], str]) -> Operator:
    """The operator of a condition; `expand` resolves `@lists`, `value` resolves `$parameters`."""
    match condition.operator:
        case "phrase":
            return Phrase(expand(condition.phrase or ()), by_sound=condition.by_sound)
        case "near":
            groups = [expand(group) for group in condition.near or ()]
            return Near(groups, within=condition.within or 0, ordered=condition.ordered, by_sound=condition.by_sound)
        case "pattern":
            return Pattern(spelled_out(condition.pattern or "", expand), by_sound=condition.by_sound)
        case "tokens":
            return Tokens(condition.tokens or ())
        case "entity":
            return EntityOf(condition.entity or ())
        case "similar" if condition.similar:
            return Similar(condition.similar.sentences, condition.similar.score)
        case "repeated" if condition.repeated:
            return Repeated(**condition.repeated.model_dump())
        case "measure" if condition.measure:
            bounds = (condition.measure.at_least, condition.measure.below)
            at_least, below = (None if bound is None else float(value(bound)) for bound in bounds)
            return MeasureOf(condition.measure.name, at_least=at_least, below=below)
        case "relation":
            return RelationIs(condition.relation or ())
        case "hour" if condition.hour:
            return HourIn(*(time.fromisoformat(value(bound)) for bound in (condition.hour.start, condition.hour.end)))
    return CountAcrossCalls()
