"""One call as operators see it: normalised text, sounds, who speaks when; worked out once, when first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import NamedTuple

from rules.callee import RelationFound, relation_of
from rules.entities import Entity, find_entities
from rules.lookout import Places, Span
from rules.model import CallFacts, Speaker, Window, role_matches
from rules.sound import syllables
from rules.text import normal_text
from rules.tokens import CommonWord, Tokenizer
from transcribe.model import UNHEARD, Role, Turn

CALL = -1  # turn of a hit that concerns the call as a whole
LONGEST_TURN = 10_000  # characters that are read of a turn, forty minutes of speech: a bound on hostile ones
_WHOLE_TURN = 400  # characters up to which a turn is searched whole; longer ones around their triggers
_MS_PER_CHAR = 220  # 270 characters a minute: where a transcript has no times, positions stand for them


class Hit(NamedTuple):
    """Where a condition holds: a span of normalised text in one turn, or the call as a whole (turn −1, no span).

    `heard` are components matched by sound: (start, end, standard word). `doubts` make the finding unsure. `stretch`
    goes from the first to the last word that counts, where a condition has several parts.
    """

    turn: int
    start: int
    end: int
    because: str
    heard: tuple[tuple[int, int, str], ...] = ()
    doubts: tuple[str, ...] = ()
    stretch: Span | None = None

    @property
    def shown(self) -> Span:
        """What a finding marks."""
        return self.stretch or (self.start, self.end)


class Call:
    """The turns and facts of the call under judgement."""

    def __init__(self, turns: Sequence[Turn], facts: CallFacts, tokenizer: Tokenizer) -> None:
        self.turns = turns
        self.facts = facts
        self.tokenizer = tokenizer
        self.roles = [turn.role for turn in turns]
        self.normal = normal_text(tuple([turn.text[:LONGEST_TURN] for turn in turns]))
        self.spoken_places = Places(self.normal.text)
        """Where the words stand that rules look for."""
        self._entities: dict[int, tuple[Entity, ...]] = {}
        self.cut_short: set[object] = set()
        """Operators that have left places of a turn unread, since there were more than anybody says."""
        self._common_words: dict[Span, list[CommonWord]] = {}

    @cached_property
    def sounds(self) -> str:
        """The normalised text as syllables, position for position."""
        return syllables(self.normal.text)

    @cached_property
    def heard_places(self) -> Places:
        """Where the syllables stand that rules look for."""
        return Places(self.sounds)

    @cached_property
    def cut_turns(self) -> list[int]:
        """The turns whose end was left unread."""
        return [n for n, turn in enumerate(self.turns) if len(turn.text) > LONGEST_TURN]

    def is_long(self, turn: int) -> bool:
        """Whether a turn is too long to be searched whole."""
        return self.normal.ends[turn] - self.normal.turns[turn] > _WHOLE_TURN

    @cached_property
    def unheard(self) -> list[int]:
        """The turns in which somebody speaks but no words were made out."""
        return [n for n, turn in enumerate(self.turns) if turn.text == UNHEARD]

    @cached_property
    def date(self) -> date | None:
        return self.facts.started_at.date() if self.facts.started_at else None

    @cached_property
    def times(self) -> list[tuple[int, int]]:
        """(start_ms, end_ms) of each turn; estimated from the number of characters where none are known.

        Only windows (`first: {seconds: 60}`) may use the estimate; measures never do.
        """
        if any(turn.end_ms for turn in self.turns):
            return [(turn.start_ms, turn.end_ms) for turn in self.turns]
        times, now = [], 0
        for turn in self.turns:
            times.append((now, now := now + _MS_PER_CHAR * len(turn.text)))
        return times

    @cached_property
    def duration_ms(self) -> int:
        """From the call record, else the end of the last turn."""
        return self.facts.duration_ms or max((end for _, end in self.times), default=0)

    def speaks(self, turn: int, speaker: Speaker) -> bool:
        """Whether a turn is, or may be, one of a speaker's."""
        return role_matches(speaker, self.roles[turn])

    @cached_property
    def _ranks(self) -> dict[str, list[int]]:
        """Turn numbers of each speaker, in order."""
        ranks: dict[str, list[int]] = {"any": list(range(len(self.turns)))}
        for role in Role:
            ranks[role.value] = [n for n, who in enumerate(self.roles) if who in (role, Role.UNKNOWN)]
        return ranks

    @cached_property
    def _turns_of(self) -> dict[str, frozenset[int]]:
        return {speaker: frozenset(turns) for speaker, turns in self._ranks.items()}

    def turns_of(self, speaker: Speaker) -> frozenset[int]:
        """Turn numbers of a speaker; those of an unknown one are everybody's."""
        return self._turns_of[speaker]

    @cached_property
    def relation(self) -> RelationFound:
        """Who is on the line."""
        return relation_of(self)

    def entities(self, turn: int) -> tuple[Entity, ...]:
        """Amounts, dates, numbers in one turn; spans in normalised text."""
        if turn not in self._entities:
            self._entities[turn] = find_entities(self.normal.turn_text(turn), call_date=self.date)
        return self._entities[turn]

    def common_words(self, low: int, high: int) -> list[CommonWord]:
        """The ordinary words in a stretch of the normalised text, each at its place in that text."""
        known = self._common_words.get((low, high))
        if known is None:
            words = self.tokenizer.common_words(self.normal.text[low:high])
            known = [CommonWord(low + word.start, low + word.end, word.text) for word in words]
            self._common_words[low, high] = known
        return known

    def in_first(self, turn: int, window: Window, speaker: Speaker) -> bool:
        """Whether a turn begins within the first turns of a speaker, or the first seconds of the call."""
        if window.turns is not None and turn not in self._ranks[speaker][: window.turns]:
            return False
        return window.seconds is None or self.times[turn][0] < window.seconds * 1000

    def in_last(self, turn: int, window: Window, speaker: Speaker) -> bool:
        """Whether a turn ends within the last turns of a speaker, or the last seconds of the call."""
        if window.turns is not None and turn not in self._ranks[speaker][-window.turns :]:
            return False
        end = max((end for _, end in self.times), default=0)
        return window.seconds is None or self.times[turn][1] > end - window.seconds * 1000

    def next_turns(self, turn: int, speaker: Speaker, number: int) -> list[int]:
        """The next turns of a speaker after a turn."""
        return [n for n in self._ranks[speaker] if n > turn][:number]

    def time_of(self, turn: int, start: int, end: int) -> tuple[int, int]:
        """(start_ms, end_ms) of characters [start, end) of a turn as spoken: by words, else in proportion."""
        words = [word for word in self.turns[turn].words if word.start < end and word.end > start]
        if words:
            return words[0].start_ms, words[-1].end_ms
        first, last = self.times[turn]
        length = max(1, len(self.turns[turn].text))
        return first + (last - first) * start // length, first + (last - first) * end // length
