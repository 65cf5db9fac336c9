"""Personal data in what was said: found as spans of the words as spoken, masked in text, covered by a tone in sound.

    redaction = Redaction.of(transcript.turns, record=call.record)
    redaction.turn(turn)            # the same turn, *** where somebody's name or number was
    redaction.beeps                 # when to cover the sound

Masks keep the length of the text, so that every span into it stays true.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from audit.calls import CallRecord
from audit.private_names import find_names
from audit.private_numbers import find_numbers, goes_on, reads_on
from audit.private_places import find_places
from audit.sound import Window
from rules.model import Finding
from transcribe.model import Turn, Word

MASK = "*"
_NAME_COLUMNS = re.compile(r"name|姓名|名字|联系人|债务人|借款人|客户$|称呼", re.IGNORECASE)
_HAN_NAME = re.compile(r"[一-鿿·]{2,8}")
# Word times are right to about a tenth of a second; a syllable more is covered rather than one less.
_MARGIN_MS = 120
_LOOSE_MARGIN_MS = 500
# A number goes on in the same person's next turn although others hum or repeat in between.
_TURNS_BETWEEN = 2
_SHORT_TURN = 16


class Kind(StrEnum):
    """What is private about a span."""

    NAME = "name"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    BANK_CARD = "bank_card"
    ADDRESS = "address"
    WECHAT = "wechat"
    QQ = "qq"
    EMAIL = "email"
    NUMBER = "number"  # digits that lead to somebody, whatever they are


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Private:
    """Half-open span of personal data in characters of a text as spoken."""

    start: int
    end: int
    kind: Kind


def find_private(text: str, *, names: Iterable[str] = (), asked: str = "") -> tuple[Private, ...]:
    """What of a text is personal data, in order and without overlap.

    `names` are known from the call record; `asked` is the turn of somebody else just before (您贵姓, 身份证后四位).
    """
    found = [Private(start=s, end=e, kind=Kind(kind)) for kind, s, e in find_numbers(text, asked=asked)]
    found += [Private(start=s, end=e, kind=Kind.ADDRESS) for s, e in find_places(text, asked=asked)]
    found += [Private(start=s, end=e, kind=Kind.NAME) for s, e in find_names(text, known=names, asked=asked)]
    return merged(found)


def private_spans(turns: Sequence[Turn], *, names: Iterable[str] = ()) -> dict[int, tuple[Private, ...]]:
    """Personal data of a call by position in `turns`, also numbers that are read out over several turns."""
    known = tuple(names)
    found: dict[int, list[Private]] = {at: [] for at in range(len(turns))}
    for at, turn in enumerate(turns):
        asked = turns[at - 1].text if at and turns[at - 1].role is not turn.role else ""
        found[at] += find_private(turn.text, names=known, asked=asked)
    for chain in _chains(turns):
        for at, span in (*_over_turns(turns, chain), *_repeated(turns, chain)):
            found[at].append(span)
    return {at: merged(spans) for at, spans in found.items() if spans}


def mask(text: str, spans: Iterable[Private]) -> str:
    """`text` with each character of the spans as `MASK`; as long as before."""
    chars = list(text)
    for span in spans:
        chars[span.start : span.end] = MASK * (span.end - span.start)
    return "".join(chars)


def merged(spans: Iterable[Private]) -> tuple[Private, ...]:
    """In order, overlapping ones as one; the kind is that of the longest."""
    kept: list[Private] = []
    for span in sorted(spans):
        if span.start >= span.end:
            continue
        if kept and span.start < kept[-1].end:
            last = kept[-1]
            longest = max((last, span), key=lambda one: one.end - one.start)
            kept[-1] = Private(start=last.start, end=max(last.end, span.end), kind=longest.kind)
        else:
            kept.append(span)
    return tuple(kept)


def initial(name: str | None) -> str | None:
    """A name in a table: the family name stays, as is usual (王**); what is no Chinese name keeps one character."""
    return name and name[0] + MASK * (len(name) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What of one call is personal data. `spans` by turn index; `names` those of the call record."""

    spans: Mapping[int, tuple[Private, ...]]
    names: tuple[str, ...]
    beeps: tuple[Window, ...]
    _secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, turns: Sequence[Turn], *, record: CallRecord) -> Redaction:
        """Look through a call's turns once; everything else here is by what that found."""
        names = names_of(record)
        by_place = private_spans(turns, names=names)
        secrets = {turns[at].text[span.start : span.end] for at, spans in by_place.items() for span in spans}
        return cls(
            spans={turns[at].index: spans for at, spans in by_place.items()},
            names=names,
            beeps=_joined(_window(turns[at], span) for at, spans in by_place.items() for span in spans),
            _secrets=tuple(sorted((s for s in secrets if len(s) > 1), key=lambda s: (-len(s), s))),
        )

    def turn(self, turn: Turn) -> Turn:
        """The turn with its words, and their likely reading, masked."""
        spans = self.spans.get(turn.index, ())
        if not spans and turn.reading is None:
            return turn
        text = mask(turn.text, spans)
        words = tuple(_masked_word(word, text) for word in turn.words)
        reading = turn.reading and self.text(mask(turn.reading, spans))
        return replace(turn, text=text, words=words, reading=reading)

    def finding(self, finding: Finding) -> Finding:
        """The finding with quote, its likely reading and reason masked."""
        size = len(finding.quote)
        within = [
            _clipped(replace(s, start=s.start - finding.start, end=s.end - finding.start), size)
            for s in self.spans.get(finding.turn, ())
        ]
        heard_as = finding.heard_as
        if heard_as is not None:
            heard_as = self.text(mask(heard_as, within) if len(heard_as) == size else heard_as)
        return replace(
            finding, quote=mask(finding.quote, within), heard_as=heard_as, because=self.text(finding.because)
        )

    def text(self, text: str) -> str:
        """Any text about the call (a reason, a promise, a note): its secrets, and what looks like personal data."""
        for secret in self._secrets:
            text = text.replace(secret, MASK * len(secret))
        return mask(text, find_private(text, names=self.names))

    def record(self, record: CallRecord) -> CallRecord:
        """The call record with names shortened, and further columns and the file's name masked."""
        return masked_record(record)


def names_of(record: CallRecord) -> tuple[str, ...]:
    """The names that a call record knows: of the agent, and in columns of the calling system that hold names."""
    extra = (cell for column, cell in record.extra.items() if _NAME_COLUMNS.search(column))
    found = (name.strip() for name in (record.agent_name or "", *extra))
    return tuple(dict.fromkeys(name for name in found if _HAN_NAME.fullmatch(name)))


def masked_record(record: CallRecord) -> CallRecord:
    """A call record as it may leave the house: who is known by ids alone."""
    extra = {
        column: initial(cell) or "" if _NAME_COLUMNS.search(column) else mask(cell, find_private(cell))
        for column, cell in record.extra.items()
    }
    return replace(record, agent_name=initial(record.agent_name), path=_masked_path(record.path), extra=extra)


def _masked_path(path: Path | None) -> Path | None:
    """Calling systems put the number dialled into the file's name."""
    return None if path is None else path.with_name(mask(path.name, find_private(path.name)))


def _chains(turns: Sequence[Turn]) -> Iterator[list[int]]:
    """Positions of one speaker's turns over which digits may go on."""
    for role in dict.fromkeys(turn.role for turn in turns):
        mine = [at for at, turn in enumerate(turns) if turn.role is role]
        chain: list[int] = mine[:1]
        for before, after in pairwise(mine):
            if _continues(turns, before, after):
                chain.append(after)
                continue
            if len(chain) > 1:
                yield chain
            chain = [after]
        if len(chain) > 1:
            yield chain


def _continues(turns: Sequence[Turn], before: int, after: int) -> bool:
    between = turns[before + 1 : after]
    brief = len(between) <= _TURNS_BETWEEN and all(len(turn.text) <= _SHORT_TURN for turn in between)
    return brief and reads_on(turns[before].text) and goes_on(turns[after].text)


def _over_turns(turns: Sequence[Turn], chain: Sequence[int]) -> Iterator[tuple[int, Private]]:
    """Numbers found in the joined words, cut at the borders of the turns; fillers in between are covered too."""
    starts, joined = [], ""
    for at in chain:
        starts.append(len(joined))
        joined += turns[at].text + "，"
    asked = turns[chain[0] - 1].text if chain[0] else ""
    for kind, start, end in find_numbers(joined, asked=asked):
        for at, base in zip(chain, starts, strict=True):
            first, last = max(start, base), min(end, base + len(turns[at].text))
            if first < last:
                yield at, Private(start=first - base, end=last - base, kind=Kind(kind))


def _repeated(turns: Sequence[Turn], chain: Sequence[int]) -> Iterator[tuple[int, Private]]:
    """Digits that somebody else says in between: they repeat what they hear."""
    for at in set(range(chain[0], chain[-1])).difference(chain):
        for kind, start, end in find_numbers(turns[at].text, asked="号码"):
            yield at, Private(start=start, end=end, kind=Kind(kind))


def _masked_word(word: Word, text: str) -> Word:
    shown = text[word.start : word.end]
    return word._replace(text=shown) if MASK in shown else word


def _clipped(span: Private, length: int) -> Private:
    start = min(max(0, span.start), length)
    return replace(span, start=start, end=max(start, min(span.end, length)))


def _window(turn: Turn, span: Private) -> Window:
    """When the span is spoken: by the words' times, else in proportion to the turn's characters, and more loosely."""
    words = [word for word in turn.words if word.start < span.end and word.end > span.start]
    if words:
        return Window(max(0, words[0].start_ms - _MARGIN_MS), words[-1].end_ms + _MARGIN_MS)
    length, lasting = max(1, len(turn.text)), turn.end_ms - turn.start_ms
    start = turn.start_ms + lasting * span.start // length
    end = turn.start_ms + lasting * span.end // length
    return Window(max(0, start - _LOOSE_MARGIN_MS), end + _LOOSE_MARGIN_MS)


def _joined(windows: Iterable[Window]) -> tuple[Window, ...]:
    kept: list[Window] = []
    for window in sorted(windows):
        if kept and window.start_ms <= kept[-1].end_ms:
            kept[-1] = Window(kept[-1].start_ms, max(kept[-1].end_ms, window.end_ms))
        else:
            kept.append(window)
    return tuple(kept)
