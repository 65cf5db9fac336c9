"""`callaudit check`: transcripts given as text, one call a line; judged without sound and without a store."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import orjson

from audit.config import CHINA
from audit.csv_lists import moment
from audit.pipeline import plain_promise
from audit.score import score_of
from rules.engine import Judge
from rules.model import RELATIONS, CallFacts, Finding, RuleSet
from rules.promises import Firmness, Promise, find_promise
from rules.verdict import judged
from transcribe.model import Role, Turn

if TYPE_CHECKING:
    from rules.second_opinion import SecondOpinion

_ROLES = {role.value: role for role in Role}


class BadLine(ValueError):
    """A line that is no call; the message says which part is wrong and what is expected."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One input line: the answer as a dictionary in the order of the format, or what is wrong with the line."""

    line: int
    answer: dict[str, Any] | None
    error: str = ""


def check_lines(
    lines: Iterable[bytes], ruleset: RuleSet, *, second_opinion: bool = False, utc_offset: tzinfo = CHINA
) -> Iterator[Checked]:
    """Judge one call a line; empty lines are skipped, bad ones are told and do not stop the others. Times without an
    offset have `utc_offset`.
    """
    judge = Judge(ruleset)
    second = _second_opinion(ruleset) if second_opinion else None
    gc.freeze()  # the rules stay for good: going through them again and again took a tenth of the time
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield Checked(number, _check(line, judge, second, utc_offset))
        except BadLine as error:
            yield Checked(number, None, str(error))


def as_line(answer: Mapping[str, Any]) -> bytes:
    """An answer as one line of JSON, in UTF-8, with its line feed."""
    try:
        return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # half a surrogate pair, which somebody's JSON may escape and UTF-8 can't say
        return json.dumps(answer).encode() + b"\n"


def _second_opinion(ruleset: RuleSet) -> SecondOpinion:
    from rules.second_opinion import SecondOpinion

    return SecondOpinion(ruleset)


def read_call(line: bytes, *, utc_offset: tzinfo = CHINA) -> tuple[list[Turn], CallFacts]:
    """The turns and facts of one call in the format; `BadLine`."""
    call = _object(line)
    return _turns(call), _facts(call, utc_offset)


def _check(line: bytes, judge: Judge, second: SecondOpinion | None, utc_offset: tzinfo) -> dict[str, Any]:
    turns, facts = read_call(line, utc_offset=utc_offset)
    judgement = judged(turns, facts, judge=judge, second=second)
    called_on = facts.started_at.date() if facts.started_at else None
    return {
        "call_id": facts.call_id or None,
        "findings": [_finding(finding) for finding in judgement.findings],
        "outcomes": dict(judgement.outcomes),
        "promise": _promise(find_promise(turns, call_date=called_on)),
        "score": score_of(judgement),
    }


def _object(line: bytes) -> dict[str, Any]:
    try:
        call = orjson.loads(line)
    except orjson.JSONDecodeError:  # json takes a little more, and its messages are known
        call = _lenient(line)
    if not isinstance(call, dict):
        raise BadLine('不是 JSON 对象；每行写一通电话，例如 {"turns": [{"role": "agent", "text": "您好"}]}')
    return call


def _lenient(line: bytes) -> Any:
    try:
        return json.loads(line)
    except UnicodeDecodeError:
        raise BadLine("不是 UTF-8；请另存为 UTF-8（GBK、UTF-16 的不读）") from None
    except (ValueError, RecursionError) as error:
        where = f"，第 {error.colno} 个字符处读不下去" if isinstance(error, json.JSONDecodeError) else ""
        others = "；排成多行的 JSON、CSV 和 SRT 请用 callaudit audit --engine transcript"
        raise BadLine(f"不是 JSON{where}；每行写一通电话的 JSON 对象{others}") from None


def _turns(call: Mapping[str, Any]) -> list[Turn]:
    listed = call.get("turns")
    if not isinstance(listed, list):
        raise BadLine('缺少 turns；应为一列 {"role", "text"}')
    turns = [_turn(i, given) for i, given in enumerate(listed)]
    # All times or none: half of them would make silences out of what is only not known.
    if not any(turn.end_ms for turn in turns) or all(given.get("end_ms") is not None for given in listed):
        return turns
    return [replace(turn, start_ms=0, end_ms=0) for turn in turns]


def _turn(i: int, given: Any) -> Turn:
    if not isinstance(given, dict) or not isinstance(text := given.get("text"), str):
        raise BadLine(f'turns[{i}] 缺少 text；应为 {{"role": …, "text": …}}')
    role = given.get("role", "unknown")
    known = _ROLES.get(role) if isinstance(role, str) else None
    if known is None:
        raise BadLine(f"turns[{i}] 的 role“{role}”不认识；可选：{'、'.join(_ROLES)}")
    start, end = _times(i, given) if "start_ms" in given or "end_ms" in given else (0, 0)
    return Turn(index=i, role=known, channel=None, start_ms=start, end_ms=end, text=text)


def _times(i: int, given: Mapping[str, Any]) -> tuple[int, int]:
    start, end = given.get("start_ms"), given.get("end_ms")
    start = 0 if start is None else start
    end = start if end is None else end
    if type(start) is not int or type(end) is not int or not 0 <= start <= end:
        raise BadLine(f"turns[{i}] 的 start_ms、end_ms 不对；应为毫秒整数，0 ≤ start_ms ≤ end_ms")
    return start, end


def _facts(call: Mapping[str, Any], utc_offset: tzinfo) -> CallFacts:
    call_id = call.get("call_id")
    if isinstance(call_id, float) and call_id.is_integer():  # an integer of more than 64 bits
        raise BadLine("call_id 太长，应写成文字（加引号）")
    if call_id is not None and not isinstance(call_id, str | int):
        raise BadLine("call_id 应为文字")
    relation = call.get("callee_relation")
    if relation is not None and relation not in RELATIONS:
        raise BadLine(f"callee_relation“{relation}”不认识；可选：{'、'.join(RELATIONS)}")
    return CallFacts(
        call_id="" if call_id is None else str(call_id),
        started_at=_time(call.get("started_at"), utc_offset),
        callee_relation=relation,
    )


def _time(given: Any, utc_offset: tzinfo) -> datetime | None:
    if given is None:
        return None
    try:
        return moment(given, utc_offset)
    except (TypeError, ValueError):
        raise BadLine(f"started_at“{given}”不对；例如 2026-11-19T15:10:00+08:00") from None


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule_id,
        "category": finding.category,
        "severity": finding.severity.value,
        "outcome": finding.result.value,
        "turn": finding.turn,
        "start": finding.start,
        "end": finding.end,
        "quote": finding.quote,
        "heard_as": finding.heard_as,
        "confidence": finding.confidence,
        "because": finding.because,
    }


def _promise(promise: Promise | None) -> dict[str, Any] | None:
    """What the customer committed to; a question (能不能…?) is no commitment."""
    if promise is None or promise.firmness is Firmness.ASKED:
        return None
    fields = plain_promise(promise)
    return {name: fields[name] for name in ("amount", "date", "text")}
