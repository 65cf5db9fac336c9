"""The one-method protocol that every recogniser fulfils, and the fake that ships beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from transcribe.audio import PER_MS, Samples
from transcribe.model import EngineInfo, Word
from transcribe.voices import Voice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Speech:
    """A stretch of one channel in which somebody speaks: float32 at 16 kHz, shape (n,).

    `voiced` are the spans between breaths, in ms of the recording: an utterance each, since in a breath the other
    one may speak; empty means all of it.
    """

    samples: Samples
    start_ms: int
    voiced: tuple[tuple[int, int], ...] = ()
    channel: int = 0

    @property
    def end_ms(self) -> int:
        return self.start_ms + len(self.samples) // PER_MS

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The voiced spans, at least one."""
        return self.voiced or ((self.start_ms, self.end_ms),)

    def sound(self, start_ms: int, end_ms: int) -> Samples:
        """The samples between two times of the recording."""
        return self.samples[(start_ms - self.start_ms) * PER_MS : (end_ms - self.start_ms) * PER_MS]

    def holds(self, heard: Utterance) -> bool:
        """True where an utterance begins in this speech."""
        return heard.channel == self.channel and self.start_ms <= heard.start_ms < self.end_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What was heard without a breath: text, words with spans in that text, times of the recording, in ms.

    `voice` is how it sounds, where two people may share the channel.
    """

    text: str
    start_ms: int
    end_ms: int
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    channel: int = 0
    voice: Voice | None = None


class Engine(Protocol):
    """A recogniser. `info` is its provenance; `recognise` is all it does."""

    @property
    def info(self) -> EngineInfo: ...

    def recognise(self, speech: Sequence[Speech], *, hotwords: Sequence[str] = ()) -> list[Utterance]:
        """Return the utterances of each speech in the order given; silence and refused text give none."""
        ...


@dataclass(slots=True)
class Scripted:
    """A recogniser that hears what a test tells it: per channel, the texts of that channel's speech in turn."""

    heard: dict[int, list[str]]
    confidence: float = 1.0
    info: EngineInfo = field(
        default=EngineInfo(name="scripted", version="1", model="script", model_sha256=None)
    )
    hotwords: tuple[str, ...] = ()

    def recognise(self, speech: Sequence[Speech], *, hotwords: Sequence[str] = ()) -> list[Utterance]:
        """Take the next text of the channel for each speech; an empty text, or none left, is nothing heard."""
        self.hotwords = tuple(hotwords)
        texts = [(one, self.heard[one.channel].pop(0)) for one in speech if self.heard.get(one.channel)]
        return [self._utter(one, text) for one, text in texts if text]

    def _utter(self, speech: Speech, text: str) -> Utterance:
        start, end = speech.spans[0][0], speech.spans[-1][1]
        return Utterance(
            text=text,
            start_ms=start,
            end_ms=end,
            words=spread_words(text, start_ms=start, end_ms=end, confidence=self.confidence),
            confidence=self.confidence,
            channel=speech.channel,
        )


def spread_words(text: str, *, start_ms: int, end_ms: int, confidence: float = 1.0) -> tuple[Word, ...]:
    """One word per character, spread evenly over the time: for texts that came without word times."""
    step = (end_ms - start_ms) / max(len(text), 1)
    return tuple(
        Word(
            text=char,
            start=i,
            end=i + 1,
            start_ms=start_ms + round(i * step),
            end_ms=start_ms + round((i + 1) * step),
            confidence=confidence,
        )
        for i, char in enumerate(text)
    )
