"""One recording through the whole package: decode, voice activity, recognition, turns, roles, levels."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from transcribe.audio import SAMPLE_RATE, Recording, blocks, examine
from transcribe.engine import Engine, Speech, Utterance
from transcribe.loudness import Loudness
from transcribe.model import UNHEARD, Transcript, Turn
from transcribe.roles import assign_roles
from transcribe.speech import Listener
from transcribe.unheard import hear_all
from transcribe.voices import hear_voices

# Speech held before it is recognised: eight full windows, 15 MB, so memory is flat and batches are full.
_HELD_SECONDS = 240
# Places that were not understood, named in the note; the transcript marks all of them.
_LISTED = 5


@dataclass(slots=True)
class Clock:
    """Time spent: by the clock, and of the processor (all threads of this process), in seconds."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@dataclass(slots=True)
class Timings:
    """Where the time went, by stage: `decode`, `voice`, `recognise`, and what the caller adds. A caller who wants it
    passes one in.
    """

    clocks: dict[str, Clock] = field(default_factory=dict)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time inside the block to a stage."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            clock = self.clocks.setdefault(stage, Clock())
            clock.wall_s += time.perf_counter() - wall
            clock.cpu_s += time.process_time() - cpu


def transcribe(
    path: Path | str,
    *,
    engine: Engine,
    agent_channel: int | None = None,
    hotwords: Sequence[str] = (),
    timings: Timings | None = None,
) -> Transcript:
    """Recognise a recording and say who spoke; `agent_channel` is the call record's or the config's claim.

    Raises `UnreadableAudio` for what can't be judged. An hour of silence is a transcript without turns.
    """
    timings = timings or Timings()
    with timings.measure("decode"):
        recording = examine(Path(path))
    loudness = Loudness()
    utterances = list(_hear(recording, engine, hotwords, timings, loudness))
    who = assign_roles(recording, utterances, agent_channel=agent_channel)
    return Transcript(
        recording=recording.sha256,
        duration_ms=recording.duration_ms,
        turns=loudness.with_levels(who.turns),
        engine=engine.info,
        role_confidence=who.confidence,
        notes=(*recording.notes, *who.notes, *_unheard_notes(who.turns)),
    )


def _unheard_notes(turns: Sequence[Turn]) -> list[str]:
    """Where a reviewer must listen, since nobody could read it."""
    starts = [turn.start_ms // 1000 for turn in turns if turn.text == UNHEARD]
    if not starts:
        return []
    listed = "、".join(f"{at // 60}:{at % 60:02}" for at in starts[:_LISTED]) + ("等" if len(starts) > _LISTED else "")
    return [f"有 {len(starts)} 处说话没有听清（显示为“{UNHEARD}”），请听录音：{listed}"]


def _hear(
    recording: Recording, engine: Engine, hotwords: Sequence[str], timings: Timings, loudness: Loudness
) -> Iterator[Utterance]:
    """Utterances of a recording, a few windows at a time; `loudness` notes the speech, which is not kept."""
    held: list[Speech] = []
    for speech in _speech(recording, timings):
        with timings.measure("voice"):
            loudness.note(speech)
        held.append(speech)
        if sum(len(s.samples) for s in held) >= _HELD_SECONDS * SAMPLE_RATE:
            yield from _recognised(recording, held, engine, hotwords, timings)
            held = []
    yield from _recognised(recording, held, engine, hotwords, timings)


def _recognised(
    recording: Recording, held: Sequence[Speech], engine: Engine, hotwords: Sequence[str], timings: Timings
) -> list[Utterance]:
    if not held:
        return []
    ordered = sorted(held, key=lambda s: (s.channel, s.start_ms))
    with timings.measure("recognise"):
        heard = hear_all(engine, ordered, hotwords=hotwords)
        return heard if recording.two_voices else hear_voices(heard, ordered)


def _speech(recording: Recording, timings: Timings) -> Iterator[Speech]:
    """Speech of every source, in the order in which it ends."""
    if not recording.sources:
        return
    listeners = [Listener(channel=channel) for channel in recording.sources]
    decoded = blocks(recording)
    while True:
        with timings.measure("decode"):
            block = next(decoded, None)
        if block is None:
            break
        with timings.measure("voice"):
            found = [s for one, row in zip(listeners, block, strict=True) for s in one.feed(row)]
        yield from found
    with timings.measure("voice"):
        found = [s for one in listeners for s in one.finish()]
    yield from found
