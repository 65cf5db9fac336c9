"""Transcript ⇄ JSON (versioned), SRT out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transcribe.model import EngineInfo, Role, Transcript, Turn, Word

VERSION = 1


def to_dict(transcript: Transcript) -> dict[str, Any]:
    """The JSON form of a transcript, keys in the order in which they are written."""
    return {
        "version": VERSION,
        "recording": transcript.recording,
        "duration_ms": transcript.duration_ms,
        "language": transcript.language,
        "engine": _engine_to_dict(transcript.engine),
        "role_confidence": transcript.role_confidence,
        "notes": list(transcript.notes),
        "turns": [_turn_to_dict(turn) for turn in transcript.turns],
    }


def _engine_to_dict(engine: EngineInfo) -> dict[str, Any]:
    return {
        "name": engine.name,
        "version": engine.version,
        "model": engine.model,
        "model_sha256": engine.model_sha256,
        "options": dict(engine.options),
    }


def _turn_to_dict(turn: Turn) -> dict[str, Any]:
    return {
        "index": turn.index,
        "role": turn.role.value,
        "channel": turn.channel,
        "start_ms": turn.start_ms,
        "end_ms": turn.end_ms,
        "text": turn.text,
        "words": [_word_to_dict(word) for word in turn.words],
        "confidence": turn.confidence,
    }


def _word_to_dict(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "start": word.start,
        "end": word.end,
        "start_ms": word.start_ms,
        "end_ms": word.end_ms,
        "confidence": word.confidence,
    }


def from_dict(data: dict[str, Any]) -> Transcript:
    """The transcript that `to_dict` wrote."""
    engine = data["engine"]
    return Transcript(
        recording=data["recording"],
        duration_ms=data["duration_ms"],
        turns=tuple(_turn_from_dict(turn) for turn in data["turns"]),
        engine=EngineInfo(
            name=engine["name"],
            version=engine["version"],
            model=engine["model"],
            model_sha256=engine["model_sha256"],
            options=tuple(engine["options"].items()),
        ),
        language=data["language"],
        role_confidence=data["role_confidence"],
        notes=tuple(data["notes"]),
    )


def _turn_from_dict(data: dict[str, Any]) -> Turn:
    words = tuple(Word(**word) for word in data["words"])
    return Turn(**{**data, "role": Role(data["role"]), "words": words})


def write_json(transcript: Transcript, path: Path) -> None:
    """Write the versioned JSON form, UTF-8, one line."""
    path.write_text(json.dumps(to_dict(transcript), ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Transcript:
    """Read what `write_json` wrote."""
    return from_dict(json.loads(path.read_text(encoding="utf-8")))
