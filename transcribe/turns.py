"""Speech of all channels → ordered turns: pauses joined, endless ones split, overlap kept as two turns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from transcribe.engine import Utterance
from transcribe.model import UNHEARD, Role, Turn, Word

# Two stretches of one speaker this close are one turn; a longer pause is an offer to speak.
_JOIN_MS = 900
_BREATH_MS = 600
# A turn longer than this is shown, judged and clipped in parts.
_LONGEST_MS = 25_000
SENTENCE_ENDS = "。？！?!；"
_ENDS = "，。？！、,.?!；;…"


def make_turns(utterances: Iterable[Utterance], *, role_of: Callable[[Utterance], Role]) -> tuple[Turn, ...]:
    """Order by start, join what one speaker says without a break, number from 0.

    Overlapping speech of two channels stays two turns; a turn is never joined across the other's words.
    """
    parts = (part for whole in utterances for part in split(whole))
    turns: list[Turn] = []
    for utterance in sorted(parts, key=lambda u: (u.start_ms, u.end_ms, u.channel)):
        turn = _as_turn(utterance, role_of(utterance))
        if turns and _same_breath(turns[-1], turn):
            turns[-1] = _joined(turns[-1], turn)
        else:
            turns.append(turn)
    return number([_finished(turn) for turn in turns])


def _finished(turn: Turn) -> Turn:
    """Without the comma that the recogniser sets before the next stretch of speech, which is another's."""
    text = turn.text.rstrip("， ")
    if text == turn.text:
        return turn
    words = [word._replace(text=text[word.start : word.end], end=min(word.end, len(text))) for word in turn.words]
    return replace(turn, text=text, words=tuple(word for word in words if word.text))


def number(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The same turns with `index` 0, 1, 2 …"""
    return tuple(replace(turn, index=i) for i, turn in enumerate(turns))


def split(utterance: Utterance) -> list[Utterance]:
    """Cut an utterance over 25 s at its longest pauses between words, until every part is shorter."""
    if utterance.end_ms - utterance.start_ms <= _LONGEST_MS or len(utterance.words) < 2:
        return [utterance]
    gaps = [b.start_ms - a.end_ms for a, b in itertools.pairwise(utterance.words)]
    middle = len(gaps) // 2
    cut = 1 + max(range(len(gaps)), key=lambda i: (gaps[i], -abs(i - middle)))
    left, right = _part(utterance, 0, cut), _part(utterance, cut, len(utterance.words))
    return [*split(left), *split(right)]


def clauses(utterance: Utterance) -> list[Utterance]:
    """Cut after punctuation: where two voices share a channel, the recogniser's marks show where one stops."""
    ends = [i + 1 for i, word in enumerate(utterance.words[:-1]) if word.text.endswith(tuple(_ENDS))]
    if not ends:
        return [utterance]
    bounds = [0, *ends, len(utterance.words)]
    return [_part(utterance, first, last) for first, last in itertools.pairwise(bounds)]


def _part(utterance: Utterance, first: int, last: int) -> Utterance:
    words = utterance.words[first:last]
    at = words[0].start
    end = utterance.words[last].start if last < len(utterance.words) else len(utterance.text)
    return replace(
        utterance,
        text=utterance.text[at:end],
        words=tuple(_shifted(word, -at) for word in words),
        start_ms=words[0].start_ms if first else utterance.start_ms,
        end_ms=words[-1].end_ms if last < len(utterance.words) else utterance.end_ms,
    )


def _as_turn(utterance: Utterance, role: Role) -> Turn:
    return Turn(
        index=0,
        role=role,
        channel=utterance.channel,
        start_ms=utterance.start_ms,
        end_ms=utterance.end_ms,
        text=utterance.text,
        words=utterance.words,
        confidence=utterance.confidence,
    )


def _same_breath(one: Turn, other: Turn) -> bool:
    if UNHEARD in (one.text, other.text):
        return False  # what was not understood must not pass for part of what was
    # Two stretches by nobody knows whom may be two people's.
    longest_pause = 0 if one.role is Role.UNKNOWN else _JOIN_MS
    return (
        (one.role, one.channel) == (other.role, other.channel)
        and other.start_ms - one.end_ms <= longest_pause
        and other.end_ms - one.start_ms <= _LONGEST_MS
    )


def _joined(one: Turn, other: Turn) -> Turn:
    # A pause that was heard may be written as a comma; a breath inside a word (月 底) must not cut the word.
    apart = other.start_ms - one.end_ms > _BREATH_MS and not one.text.endswith(tuple(_ENDS))
    text = one.text + "，" if apart else one.text
    shift = len(text)
    return replace(
        one,
        end_ms=max(one.end_ms, other.end_ms),
        text=text + other.text,
        words=(*one.words, *(_shifted(w, shift) for w in other.words)),
        confidence=_mean_confidence(one, other),
    )


def _shifted(word: Word, by: int) -> Word:
    return word._replace(start=word.start + by, end=word.end + by)


def _mean_confidence(one: Turn, other: Turn) -> float:
    """Mean weighted by characters, so that a short hum does not outweigh a sentence."""
    weights = max(len(one.text), 1), max(len(other.text), 1)
    total = one.confidence * weights[0] + other.confidence * weights[1]
    return round(total / sum(weights), 4)
