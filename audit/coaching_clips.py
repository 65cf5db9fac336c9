"""Clips as they are heard and read in coaching: personal data masked in the words and covered in the sound.

Nobody needs to know whose debt it was to learn from a call, so this is so for every role.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.access import Action, Actor, require
from audit.clips import ClipUnavailable, cut
from audit.coaching import clips
from audit.coaching_record import Clip
from audit.redact import Redaction
from audit.sound import Window
from audit.store import Store
from transcribe.model import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a clip says; `beeps` are the times in the recording at which a tone covers the sound."""

    turns: tuple[Turn, ...]
    because: str
    beeps: tuple[Window, ...]


def hear(store: Store, clip: Clip, *, actor: Actor) -> Heard:
    """The words of a clip, masked; none where they are no longer kept."""
    require(actor, Action.SEE_COACHING)
    call, transcript = store.call(clip.call_id), store.transcript(clip.recording)
    if call is None or transcript is None:
        return Heard(turns=(), because="", beeps=())
    redaction = Redaction.of(transcript.turns, record=call.record)
    inside = [turn for turn in transcript.turns if turn.start_ms < clip.end_ms and turn.end_ms > clip.start_ms]
    return Heard(
        turns=tuple(redaction.turn(turn) for turn in inside),
        because=redaction.text(clip.because or ""),
        beeps=tuple(beep for beep in redaction.beeps if beep.start_ms < clip.end_ms and beep.end_ms > clip.start_ms),
    )


def sound(store: Store, number: int, playlist: int, *, actor: Actor) -> bytes:
    """A clip of a playlist as Ogg/Opus; `ClipUnavailable` where the recording is gone or its words are.

    Without words nobody knows what to cover.
    """
    require(actor, Action.LISTEN)
    clip = next((one for one in clips(store, playlist, actor=actor) if one.id == number), None)
    if clip is None:
        raise ClipUnavailable("片段已不在播放列表里")
    heard = hear(store, clip, actor=actor)
    if not heard.turns:
        raise ClipUnavailable("文字稿已不在库中，无法遮盖个人信息")
    stretch = Window(clip.start_ms, clip.end_ms)
    return cut(clip.path, clip.recording, [stretch], beeps=heard.beeps)[stretch]
