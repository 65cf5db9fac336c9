"""Voice for which no words came: heard once more by itself, and what stays without words is said, not hidden.

Whisper now and then skips a sentence inside a window full of speech, above all a short answer on a poor line.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from transcribe.engine import Engine, Speech, Utterance
from transcribe.model import UNHEARD

# The voice detector takes a word of three characters for half a second; below that are breaths and knocks.
_LEAST_MS = 500
# Characters a second; nobody speaks more slowly, so the rest of such a span was passed over.
_SLOWEST = 1.0
# Alone, a breath or a knock comes out as words too, at 0.1 to 0.2; answers that were said at 0.35 and more.
_LEAST_CONFIDENT = 0.3
# Surroundings that a stretch keeps, as far as no other words stand in them.
_PAD_MS = 400


def hear_all(engine: Engine, speech: Sequence[Speech], *, hotwords: Sequence[str] = ()) -> list[Utterance]:
    """What the engine hears of the speech; voice that it passed over is heard again, alone, or becomes `UNHEARD`.

    The second hearing goes without hot words: in short answers they are what makes loops.
    """
    heard = engine.recognise(speech, hotwords=hotwords)
    return [u for one in speech for u in _complete(one, [u for u in heard if one.holds(u)], engine)]


def _complete(speech: Speech, heard: list[Utterance], engine: Engine) -> list[Utterance]:
    """The utterances of one speech, with what a second hearing adds, and a mark for each voice without words."""
    for missing in list(_passed_over(speech, heard, slowest=_SLOWEST)):
        first = [u for u in heard if missing.holds(u) and u.end_ms <= missing.end_ms]
        second = [u for u in engine.recognise([missing]) if u.confidence >= _LEAST_CONFIDENT]
        if _characters(second) > _characters(first):
            heard = [*(u for u in heard if u not in first), *second]
    return [*heard, *(_mark(missing) for missing in _passed_over(speech, heard, slowest=0.0))]


def _passed_over(speech: Speech, heard: Sequence[Utterance], *, slowest: float) -> Iterator[Speech]:
    """Runs of voiced spans with at most `slowest` characters a second, together half a second and more."""
    spans = speech.spans
    for passed_over, group in itertools.groupby(range(len(spans)), key=lambda i: _rate(spans[i], heard) <= slowest):
        run = list(group)
        if passed_over and sum(spans[i][1] - spans[i][0] for i in run) >= _LEAST_MS:
            yield _cut(speech, run[0], run[-1])


def _rate(span: tuple[int, int], heard: Iterable[Utterance]) -> float:
    start, end = span
    return _characters(u for u in heard if u.start_ms < end and start < u.end_ms) * 1000 / (end - start)


def _characters(heard: Iterable[Utterance]) -> int:
    return sum(len(u.text) for u in heard)


def _cut(speech: Speech, first: int, last: int) -> Speech:
    """The part of a speech that holds these voiced spans, with the silence around them."""
    spans = speech.spans
    before = spans[first - 1][1] if first else speech.start_ms
    after = spans[last + 1][0] if last + 1 < len(spans) else speech.end_ms
    start, end = max(before, spans[first][0] - _PAD_MS), min(after, spans[last][1] + _PAD_MS)
    return replace(speech, samples=speech.sound(start, end), start_ms=start, voiced=spans[first : last + 1])


def _mark(part: Speech) -> Utterance:
    start, end = part.spans[0][0], part.spans[-1][1]
    return Utterance(text=UNHEARD, start_ms=start, end_ms=end, confidence=0.0, channel=part.channel)
