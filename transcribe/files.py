"""Transcript ⇄ JSON (versioned), SRT out; `read_transcript` takes what other recognisers wrote as well.

An audit of stored text needs no engine: this module stays light.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transcribe.errors import BadTranscript
from transcribe.foreign import LONGEST_MS, parse_call, parse_csv, parse_srt
from transcribe.model import LEVELS_DB, EngineInfo, Role, Transcript, Turn, Word

VERSION = 1
SUFFIXES = (".json", ".srt", ".csv")


def read_transcript(path: Path) -> Transcript:
    """Read a transcript by suffix: .json (ours, or one call of `check`), .srt, .csv of turns.

    Raises `BadTranscript` naming file, place and allowed values.
    """
    readers = {".json": _read_json, ".srt": _read_srt, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadTranscript(f"{path}：不是转写文件；支持 {'、'.join(SUFFIXES)}")
    return reader(path)


def write_json(transcript: Transcript, path: Path) -> None:
    """Write the versioned JSON form, UTF-8, for the owner alone."""
    _write(path, json.dumps(to_dict(transcript), ensure_ascii=False) + "\n")


def write_srt(transcript: Transcript, path: Path) -> None:
    """Write one subtitle a turn, with the role before the text; `read_transcript` reads it back."""
    cues = (
        f"{turn.index + 1}\n{srt_time(turn.start_ms)} --> {srt_time(turn.end_ms)}\n{turn.role}: {turn.text}\n"
        for turn in transcript.turns
    )
    _write(path, "\n".join(cues))


def _write(path: Path, text: str) -> None:
    """What people said about debts: readable by the owner alone, also where a file stood there before."""
    with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def srt_time(ms: int) -> str:
    """Milliseconds as hh:mm:ss,mmm."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{rest:03d}"


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


def from_dict(data: Mapping[str, Any], *, where: str = "转写") -> Transcript:
    """The transcript that `to_dict` wrote; `where` names its source in a `BadTranscript`."""
    if data.get("version") != VERSION:
        raise BadTranscript(f"{where}：版本是 {data.get('version')!r}，本程序只认 {VERSION}；请用同一版本重新导出")
    try:
        turns = tuple(_turn(turn, f"{where} 第 {i} 轮") for i, turn in enumerate(data["turns"], start=1))
        if [turn.index for turn in turns] != list(range(len(turns))):
            raise ValueError("index 应从 0 起，一轮加一")
        return Transcript(
            recording=str(data["recording"]),
            duration_ms=_whole(data, "duration_ms"),
            turns=turns,
            engine=_engine(data["engine"]),
            language=str(data["language"]),
            role_confidence=_share(data, "role_confidence"),
            notes=tuple(map(str, data["notes"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadTranscript(f"{where}：{_why(error)}；请用 callaudit transcribe --out 重新导出") from None


def _engine_to_dict(engine: EngineInfo) -> dict[str, Any]:
    return {
        "name": engine.name,
        "version": engine.version,
        "model": engine.model,
        "model_sha256": engine.model_sha256,
        "options": dict(engine.options),
    }


def _turn_to_dict(turn: Turn) -> dict[str, Any]:
    row = {
        "index": turn.index,
        "role": turn.role.value,
        "channel": turn.channel,
        "start_ms": turn.start_ms,
        "end_ms": turn.end_ms,
        "text": turn.text,
        "words": [_word_to_dict(word) for word in turn.words],
        "confidence": turn.confidence,
    }
    return row if turn.level_db is None else row | {"level_db": turn.level_db}


def _word_to_dict(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "start": word.start,
        "end": word.end,
        "start_ms": word.start_ms,
        "end_ms": word.end_ms,
        "confidence": word.confidence,
    }


def _engine(data: Mapping[str, Any]) -> EngineInfo:
    return EngineInfo(
        name=str(data["name"]),
        version=str(data["version"]),
        model=str(data["model"]),
        model_sha256=None if data["model_sha256"] is None else str(data["model_sha256"]),
        options=tuple((str(k), str(v)) for k, v in data["options"].items()),
    )


def _turn(data: Mapping[str, Any], where: str) -> Turn:
    role = data.get("role")
    if not isinstance(role, str) or role not in set(Role):
        raise BadTranscript(f"{where}：不认识的角色“{role}”；可用：{'、'.join(Role)}")
    try:
        return Turn(
            index=_whole(data, "index"),
            role=Role(role),
            channel=None if data["channel"] is None else _whole(data, "channel"),
            start_ms=_whole(data, "start_ms"),
            end_ms=_whole(data, "end_ms"),
            text=_words(data, "text"),
            words=tuple(map(_word, data["words"])),
            confidence=_share(data, "confidence"),
            level_db=_level(data),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadTranscript(f"{where}：{_why(error)}；请用 callaudit transcribe --out 重新导出") from None


def _word(data: Mapping[str, Any]) -> Word:
    spans = {name: _whole(data, name) for name in ("start", "end", "start_ms", "end_ms")}
    return Word(text=_words(data, "text"), confidence=_share(data, "confidence"), **spans)


def _whole(data: Mapping[str, Any], name: str) -> int:
    """A place or a time: a whole number, not below 0, no longer than a call can be."""
    value = data[name]
    if type(value) is not int or not 0 <= value < LONGEST_MS:
        raise ValueError(f"{name} 应是 0 到 {LONGEST_MS} 的整数")
    return value


def _share(data: Mapping[str, Any], name: str) -> float:
    value = data[name]
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{name} 应是 0 到 1 的数")
    return float(value)


def _level(data: Mapping[str, Any]) -> float | None:
    value = data.get("level_db")
    if value is None:
        return None
    low, high = LEVELS_DB
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"level_db 应是 {low:g} 到 {high:g} 的数，不知道就不写")
    return float(value)


def _words(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} 应是文字")
    return value


def _why(error: Exception) -> str:
    return f"缺少 {error.args[0]}" if isinstance(error, KeyError) else f"格式不对（{error}）"


def _read_json(path: Path) -> Transcript:
    try:
        data = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise BadTranscript(f"{path}：不是 JSON（{error}）；每个文件一通电话") from None
    if not isinstance(data, dict):
        raise BadTranscript(f"{path}：最外层应是一个对象，里面有 turns")
    if "version" in data:
        return from_dict(data, where=str(path))
    return parse_call(data, where=str(path), content=_bytes(path))


def _read_srt(path: Path) -> Transcript:
    return parse_srt(_bytes(path), where=str(path))


def _read_csv(path: Path) -> Transcript:
    return parse_csv(_bytes(path), where=str(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadTranscript(f"{path}：读取失败（{error.strerror}）；请检查路径和权限") from None
