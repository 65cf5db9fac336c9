"""What a recogniser heard: words, turns, transcripts. All times are int milliseconds from the start."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

UNHEARD = "……"
"""Text of a turn in which somebody speaks but no words were made out; its confidence is 0, people must listen."""


LEVELS_DB = (-120.0, 20.0)
"""What `Turn.level_db` may be: 16 bits end at -98 dBFS, and a lossy codec may go a little above full scale."""


class Role(StrEnum):
    """Who speaks. UNKNOWN is never guessed away: what hangs on it becomes unsure."""

    AGENT = "agent"
    CUSTOMER = "customer"
    OTHER = "other"
    UNKNOWN = "unknown"


class Word(NamedTuple):
    """One recognised word; `start`/`end` are a half-open span in characters of the turn's text.

    A tuple, since a re-audit makes 300 for each call that it reads: a tenth of the time.
    """

    text: str
    start: int
    end: int
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one speaker said without a break, as heard (never rewritten).

    `confidence` is the recogniser's, 0 to 1; `channel` is None where the source has no channels. `reading` is what
    was probably said where homophones were mixed up, one character for one; None where that is what was heard.
    `level_db` is how loud the voice is, RMS in dBFS; None where no sound was heard, as in a transcript made elsewhere.
    """

    index: int
    role: Role
    channel: int | None
    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    reading: str | None = None
    level_db: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Provenance of a transcript: which engine, which weights, with which options."""

    name: str
    version: str
    model: str
    model_sha256: str | None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A whole recording as ordered turns.

    `recording` is the SHA-256 of the file's bytes; `role_confidence` says how sure the agent was found (0 to 1);
    `notes` are facts a reviewer must know (fake stereo, swapped channels, a silent channel), in Chinese.
    """

    recording: str
    duration_ms: int
    turns: tuple[Turn, ...]
    engine: EngineInfo
    language: str = "zh"
    role_confidence: float = 1.0
    notes: tuple[str, ...] = ()
