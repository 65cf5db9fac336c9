"""Transcripts that someone else's recogniser made: a call of `check`, SRT with speakers, a CSV of turns."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from transcribe.errors import BadTranscript
from transcribe.model import EngineInfo, Role, Transcript, Turn

_ROLES: dict[str, Role] = {
    **{role.value: role for role in Role},
    **dict.fromkeys(("坐席", "座席", "客服", "催收员", "催收", "催收人员"), Role.AGENT),
    **dict.fromkeys(("客户", "用户", "债务人", "借款人", "被叫", "client"), Role.CUSTOMER),
    **dict.fromkeys(("其他", "第三方"), Role.OTHER),
    **dict.fromkeys(("未知", ""), Role.UNKNOWN),
}
_ALLOWED = "agent/坐席、customer/客户、other/其他、unknown/未知"

_COLUMNS = {
    "role": ("role", "speaker", "角色", "说话人"),
    "text": ("text", "文本", "内容"),
    "start": ("start", "start_ms", "开始", "开始时间"),
    "end": ("end", "end_ms", "结束", "结束时间"),
}
_CUE = re.compile(r"(\d+:\d+:\d+[,.]\d+)\s*-->\s*(\d+:\d+:\d+[,.]\d+)")
_SPEAKER = re.compile(r"^\s*[\[【(（]?([^\s:：\[\]【】()（）]{1,10})[\]】)）]?\s*[:：]\s*")
LONGEST_MS = 1_000_000_000
"""Eleven days: a time beyond it is no time in a call."""
# Nobody speaks one character in ten seconds: numbers that would mean so are milliseconds.
_SLOWEST = 0.1


def parse_role(value: str, *, where: str) -> Role:
    """The role that a name stands for, English or Chinese; raises `BadTranscript` with the allowed names."""
    role = _ROLES.get(value.strip().lower())
    if role is None:
        raise BadTranscript(f"{where}：不认识的角色“{value.strip()}”；可用：{_ALLOWED}")
    return role


def parse_call(data: Mapping[str, Any], *, where: str, content: bytes) -> Transcript:
    """A call in the form that `check` reads; its times are 0 where any is missing: half of them would change the order
    of what was said.
    """
    turns = data.get("turns")
    if not isinstance(turns, list):
        raise BadTranscript(f"{where}：缺少 turns（每轮有 role 和 text）")
    parsed = [_call_turn(turn, f"{where} 第 {i} 轮") for i, turn in enumerate(turns, start=1)]
    if any(turn.get("end_ms") is None for turn in turns):
        parsed = [replace(turn, start_ms=0, end_ms=0) for turn in parsed]
    return _transcript(parsed, content=content, form="json")


def parse_srt(content: bytes, *, where: str) -> Transcript:
    """Subtitles whose text starts with a speaker (坐席: 客户: agent:); without any speaker the roles are unknown."""
    cues = list(_cues(_decoded(content, where), where))
    named = [_SPEAKER.match(text) for _, _, _, text in cues]
    turns = []
    for (line, start, end, text), match in zip(cues, named, strict=True):
        known = match is not None and match[1].lower() in _ROLES
        # A colon inside speech is no speaker, but where every line names one, an unknown one is an error.
        named_here = match if match is not None and (known or all(named)) else None
        role = parse_role(named_here[1], where=f"{where} 第 {line} 行") if named_here else Role.UNKNOWN
        turns.append(_turn(role, text[named_here.end() :] if named_here else text, start, end))
    return _transcript(turns, content=content, form="srt")


def parse_csv(content: bytes, *, where: str) -> Transcript:
    """Turns as rows: role or speaker, text, start, end in s, ms or hh:mm:ss; UTF-8 (BOM or not) or GBK."""
    text = _decoded(content, where)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = _header(reader.fieldnames or (), where)
        rows = [(reader.line_num, row) for row in reader if any(row.values())]
    except csv.Error as error:
        raise BadTranscript(f"{where} 第 {reader.line_num + 1} 行：不是正确的 CSV（{error}）；请检查引号") from None
    starts = [_number(row[names["start"]], f"{where} 第 {line} 行") for line, row in rows]
    ends = [_number(row[names["end"]], f"{where} 第 {line} 行") for line, row in rows]
    texts = [(row[names["text"]] or "").strip() for _, row in rows]
    scale = 1 if names["start"].endswith("_ms") else _scale(texts, starts, ends)
    turns = [
        _turn(parse_role(row[names["role"]] or "", where=f"{where} 第 {line} 行"), said, *_times(span, scale))
        for (line, row), said, span in zip(rows, texts, zip(starts, ends, strict=True), strict=True)
    ]
    return _transcript(turns, content=content, form="csv")


def _call_turn(data: Any, where: str) -> Turn:
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise BadTranscript(f"{where}：应是对象，有 role 和 text")
    try:
        start = int(data.get("start_ms") or 0)
        end = int(data.get("end_ms") or start)
    except (TypeError, ValueError, OverflowError):
        start = end = -1
    if not (0 <= start < LONGEST_MS and end < LONGEST_MS):
        raise BadTranscript(f"{where}：start_ms、end_ms 应是整数毫秒")
    return _turn(parse_role(str(data.get("role", "")), where=where), data["text"], start, end)


def _turn(role: Role, text: str, start_ms: int, end_ms: int) -> Turn:
    end_ms = max(start_ms, end_ms)
    return Turn(index=0, role=role, channel=None, start_ms=start_ms, end_ms=end_ms, text=text)


def _transcript(turns: Sequence[Turn], *, content: bytes, form: str) -> Transcript:
    from transcribe.turns import number

    ordered = sorted(turns, key=lambda turn: turn.start_ms)
    known = sum(turn.role is not Role.UNKNOWN for turn in turns)
    return Transcript(
        recording=hashlib.sha256(content).hexdigest(),
        duration_ms=max((turn.end_ms for turn in turns), default=0),
        turns=number(ordered),
        engine=EngineInfo(name="transcript", version="1", model=form, model_sha256=None),
        role_confidence=known / len(turns) if turns else 0.0,
        notes=() if turns else ("转写里没有内容",),
    )


def _decoded(content: bytes, where: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTranscript(f"{where}：既不是 UTF-8 也不是 GBK；请另存为 UTF-8")


def _cues(text: str, where: str) -> list[tuple[int, int, int, str]]:
    """(line of the text, start ms, end ms, text) of every subtitle."""
    lines = text.splitlines()
    heads = [(i, match) for i, line in enumerate(lines) if (match := _CUE.search(line))]
    if not heads:
        raise BadTranscript(f"{where}：没有找到 00:00:01,000 --> 00:00:02,000 形式的时间，不是 SRT")
    cues = []
    for at, match in heads:
        said: list[str] = []
        for line in lines[at + 1 :]:
            if not line.strip():
                break
            said.append(line.strip())
        start, end = (round(_number(value, where) * 1000) for value in match.groups())
        cues.append((at + 2, start, end, " ".join(said)))
    return cues


def _header(fields: Sequence[str], where: str) -> dict[str, str]:
    """Our name of each column → the file's."""
    given = {field.strip().lower(): field for field in fields if field}
    found = {
        ours: next((given[name] for name in names if name in given), None) for ours, names in _COLUMNS.items()
    }
    missing = [" 或 ".join(_COLUMNS[ours][:2]) for ours, name in found.items() if name is None]
    if missing:
        raise BadTranscript(f"{where} 第 1 行：缺少列 {'、'.join(missing)}；应有 role、text、start、end")
    return {ours: name for ours, name in found.items() if name is not None}


def _number(value: str | None, where: str) -> float:
    """A plain number as it stands, or hh:mm:ss(.mmm) in seconds."""
    try:
        total = 0.0
        for part in (value or "").strip().replace(",", ".").split(":"):
            total = total * 60 + float(part)
    except ValueError:
        raise BadTranscript(f"{where}：时间“{value}”看不懂；可用秒、毫秒或 时:分:秒") from None
    if not 0 <= total < LONGEST_MS:
        raise BadTranscript(f"{where}：时间“{value}”不合理；可用秒、毫秒或 时:分:秒")
    return total


def _scale(texts: Sequence[str], starts: Sequence[float], ends: Sequence[float]) -> int:
    """1 where the numbers must be milliseconds, 1000 where they are seconds."""
    spoken = sum(max(0.0, end - start) for start, end in zip(starts, ends, strict=True))
    return 1 if spoken and sum(map(len, texts)) / spoken < _SLOWEST else 1000


def _times(span: tuple[float, float], scale: int) -> tuple[int, int]:
    return round(span[0] * scale), round(span[1] * scale)
