"""Coaching: playlists of good and bad moments, set as tasks to collectors, and what came of it.

A bad clip is a confirmed finding and is shown only as long as it counts: overturned on appeal, it disappears from
what collectors see. Collectors see their own tasks alone, and in them no other collector's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from audit import ledger
from audit.access import Action, Actor, Refused, Role, may, require
from audit.clips import window
from audit.coaching_effect import Effect, effect, side, spans
from audit.coaching_record import Assignment, Clip, Kind, Playlist, assignment_of, clip_of, playlist_of
from audit.complaint_clock import beijing_day
from audit.errors import AuditError
from audit.store import Filter, Store
from audit.store import coaching as rows
from audit.store.connection import now
from audit.store.queue import COUNTED, Item, item, judged_items

LONGEST_CLIP_MS = 180_000


class CoachingRefused(AuditError):
    """A step that can't be taken; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClip:
    """What to clip: a confirmed finding by its key, or a stretch of a call that shows something done well."""

    call_id: str
    finding: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Who is to hear a playlist, and by which day."""

    agents: tuple[str, ...]
    due_on: date
    note: str = ""


def make_playlist(store: Store, *, actor: Actor, title: str, note: str = "") -> int:
    """A new playlist; returns its number."""
    _require_maker(actor)
    if not title.strip():
        raise CoachingRefused("播放列表要有标题，例如“核验身份的好例子”")
    with store.writing():
        number = rows.add_playlist(store, title=title.strip(), note=note.strip(), by=actor.name)
        _note(store, actor, f"playlist:{number}", {"what": "made"})
        return number


def change_playlist(store: Store, new: Playlist, *, actor: Actor) -> None:
    """Keep a playlist's title, note and whether it is put away, as `new` has them."""
    require(actor, Action.ASSIGN_COACHING)
    if not new.title.strip():
        raise CoachingRefused("播放列表要有标题")
    with store.writing():
        values = {"title": new.title.strip(), "note": new.note.strip(), "archived": int(new.archived)}
        rows.update_playlist(store, new.id, values)
        _note(store, actor, f"playlist:{new.id}", {"what": "changed", "archived": new.archived})


def playlists(store: Store, *, actor: Actor) -> list[Playlist]:
    """All playlists, newest first; none for a collector, who sees tasks."""
    require(actor, Action.SEE_COACHING)
    return [] if actor.only_own is not None else [playlist_of(row) for row in rows.playlists(store)]


def add_clip(store: Store, playlist: int, new: NewClip, *, actor: Actor) -> int:
    """Add a clip at the end of a playlist; returns its number.

    With a finding's key the clip is a bad example: the finding must be confirmed and the stretch is its own with some
    seconds around. Without one it is a good example and must say from where to where (ms).
    """
    _require_maker(actor)
    if not rows.playlists(store, number=playlist):
        raise CoachingRefused(f"没有编号为 {playlist} 的播放列表；请先新建一个")
    call = store.call(new.call_id)
    if call is None:
        raise CoachingRefused(f"没有编号为 {new.call_id} 的通话；请核对通话编号")
    about = _about_finding(store, new) if new.finding else {"kind": Kind.GOOD.value}
    start, end = _stretch(store, new, call.duration_ms)
    row = {
        **about,
        "playlist": playlist,
        "call_id": new.call_id,
        "recording": call.recording,
        "agent_id": call.record.agent_id,
        "start_ms": start,
        "end_ms": end,
        "note": new.note.strip(),
        "added_by": actor.name,
    }
    with store.writing():
        number = rows.add_clip_row(store, row)
        what = {"what": "clip added", "clip": number, "call": new.call_id, "finding": new.finding}
        _note(store, actor, f"playlist:{playlist}", {**what, "start_ms": start, "end_ms": end})
        return number


def clips(store: Store, playlist: int, *, actor: Actor) -> list[Clip]:
    """A playlist's clips in order. A collector sees those of their tasks that stand, without others' names."""
    require(actor, Action.SEE_COACHING)
    found = [clip_of(row, actor) for row in rows.clips_of(store, playlist)]
    if actor.only_own is None:
        return found
    if not rows.assignments(store, agent_id=actor.only_own, playlist=playlist):
        raise Refused(f"{actor.name}（{actor.role.label}）只能查看自己的辅导任务")
    return [clip for clip in found if clip.stands]


def note_clip(store: Store, number: int, note: str, *, actor: Actor) -> None:
    """Say what to listen for."""
    _require_maker(actor)
    clip = _clip_row(store, number)
    with store.writing():
        rows.update_clip(store, number, {"note": note.strip()})
        _note(store, actor, f"playlist:{clip['playlist']}", {"what": "clip noted", "clip": number})


def drop_clip(store: Store, number: int, *, actor: Actor) -> None:
    """Take a clip out of its playlist."""
    require(actor, Action.ASSIGN_COACHING)
    clip = _clip_row(store, number)
    with store.writing():
        rows.delete_clip(store, number)
        _note(store, actor, f"playlist:{clip['playlist']}", {"what": "clip dropped", "clip": number})


def shift_clip(store: Store, number: int, *, by: int, actor: Actor) -> None:
    """Move a clip up (-1) or down (1) in its playlist; at the end it stays."""
    require(actor, Action.ASSIGN_COACHING)
    with store.writing():
        order = [row["id"] for row in rows.clips_of(store, _clip_row(store, number)["playlist"])]
        old = order.index(number)
        order.insert(max(0, min(len(order) - 1, old + by)), order.pop(old))
        for position, clip in enumerate(order, 1):
            rows.update_clip(store, clip, {"position": position})


def assign(store: Store, playlist: int, task: Task, *, actor: Actor) -> list[int]:
    """Set a playlist to collectors; returns the assignments' numbers. All of them or none."""
    require(actor, Action.ASSIGN_COACHING)
    with store.writing():
        _refuse_assignment(store, playlist, task.agents)
        return [_assign(store, playlist, agent_id, task, actor) for agent_id in task.agents]


def assignments(
    store: Store, *, actor: Actor, agent_id: str | None = None, playlist: int | None = None
) -> list[Assignment]:
    """Tasks: open ones by their day, then acknowledged ones. A collector sees their own alone."""
    require(actor, Action.SEE_COACHING)
    own = agent_id if actor.only_own is None else actor.only_own
    return [assignment_of(row) for row in rows.assignments(store, agent_id=own, playlist=playlist)]


def acknowledge(store: Store, number: int, *, actor: Actor, reply: str = "") -> None:
    """A collector says that they have heard it. Who is no collector records a signature given on paper."""
    require(actor, Action.ACKNOWLEDGE_COACHING)
    task = _assignment_row(store, number)
    if actor.only_own is not None and task["agent_id"] != actor.only_own:
        raise Refused(f"{actor.name}（{actor.role.label}）只能确认自己的辅导任务")
    on_paper = actor.role is not Role.COLLECTOR
    by = actor.name if on_paper else task["agent_id"]
    values = {"acknowledged_at": now(), "acknowledged_by": by, "reply": reply.strip() or None}
    heard = [
        [row["id"], row["recording"], row["start_ms"], row["end_ms"]] for row in rows.clips_of(store, task["playlist"])
    ]
    with store.writing():
        if not rows.update_assignment(store, number, values):
            raise CoachingRefused("这个任务已经确认过或已撤回；请刷新页面")
        what = {"what": "acknowledged", "agent": task["agent_id"], "on_paper": on_paper, "clips": heard}
        _note(store, actor, f"assignment:{number}", what)


def withdraw(store: Store, number: int, *, actor: Actor) -> None:
    """Take back a task that was not acknowledged yet."""
    require(actor, Action.ASSIGN_COACHING)
    with store.writing():
        if not rows.update_assignment(store, number, {"withdrawn_at": now()}):
            raise CoachingRefused("这个任务已经确认过或已撤回；请刷新页面")
        _note(store, actor, f"assignment:{number}", {"what": "withdrawn"})


def effect_of(
    store: Store, task: Assignment, *, actor: Actor, today: date, coached_rules: bool = False
) -> Effect | None:
    """A collector's confirmed violations before and after a task was acknowledged; None before a day has passed.

    `coached_rules` counts only the rules that the playlist's bad clips show.
    """
    require(actor, Action.SEE_COACHING)
    if actor.only_own is not None and task.agent_id != actor.only_own:
        raise Refused(f"{actor.name}（{actor.role.label}）只能查看自己的辅导任务")
    periods = None if task.acknowledged_at is None else spans(beijing_day(task.acknowledged_at), today=today)
    if periods is None:
        return None
    wanted = {row["rule_id"] for row in rows.clips_of(store, task.playlist) if row["rule_id"]}
    rules = sorted(wanted) if coached_rules else None
    before, after = (
        side(span, **rows.conduct_between(store, task.agent_id, since=span.since, until=span.until, rules=rules))
        for span in periods
    )
    return effect(before, after)


def candidates(store: Store, which: Filter, *, actor: Actor, limit: int = 50) -> list[Item]:
    """Confirmed findings that could become bad examples, newest calls first."""
    _require_maker(actor)
    return [found for found in judged_items(store, COUNTED, which, limit=limit) if found.counts]


def _require_maker(actor: Actor) -> None:
    """Reviewers hear what is worth hearing; they may clip it, though not assign it."""
    if not may(actor, Action.JUDGE):
        require(actor, Action.ASSIGN_COACHING)


def _about_finding(store: Store, new: NewClip) -> dict[str, Any]:
    found = item(store, new.finding or "")
    if found is None or found.call_id != new.call_id:
        raise CoachingRefused(f"通话 {new.call_id} 里没有这处问题；请从复核或通话页面重新选择")
    if not found.counts:
        raise CoachingRefused("只有复核确认过的问题才能作为反面例子；请先在复核页确认")
    return {"kind": Kind.BAD.value, "finding": found.key, "rule_id": found.rule_id}


def _stretch(store: Store, new: NewClip, duration_ms: int) -> tuple[int, int]:
    """From where to where, inside the call."""
    start, end = new.start_ms, new.end_ms
    if start is None or end is None:
        found = rows.place_of_finding(store, new.finding) if new.finding else None
        if found is None:
            raise CoachingRefused("请写明片段从第几秒到第几秒")
        around = window(found["start_ms"], found["end_ms"], duration_ms=duration_ms)
        start, end = around.start_ms, around.end_ms
    if not 0 <= start < end <= duration_ms:
        raise CoachingRefused(f"片段要在通话之内（0 到 {duration_ms / 1000:.1f} 秒），并且开始早于结束")
    if end - start > LONGEST_CLIP_MS:
        raise CoachingRefused(f"片段最长 {LONGEST_CLIP_MS // 1000} 秒；请截取更短的一段，没有人会听完更长的")
    return start, end


def _refuse_assignment(store: Store, playlist: int, agents: Sequence[str]) -> None:
    clips_there = [row for row in rows.clips_of(store, playlist) if row["stands"]]
    if not clips_there:
        raise CoachingRefused("播放列表里还没有可用的片段；请先添加片段再布置")
    if not agents:
        raise CoachingRefused("请选择至少一名催收员")
    unknown = [agent for agent in agents if not rows.knows_agent(store, agent)]
    if unknown:
        raise CoachingRefused(f"没有催收员 {'、'.join(unknown)} 的通话；请核对工号")
    open_ones = {
        row["agent_id"] for row in rows.assignments(store, playlist=playlist) if row["acknowledged_at"] is None
    }
    if again := sorted(open_ones & set(agents)):
        raise CoachingRefused(f"{'、'.join(again)} 已有这个播放列表的任务，还没有确认；不必再布置")


def _assign(store: Store, playlist: int, agent_id: str, task: Task, actor: Actor) -> int:
    due = task.due_on.isoformat()
    row = {"playlist": playlist, "agent_id": agent_id, "due_on": due, "note": task.note.strip()}
    number = rows.add_assignment(store, {**row, "assigned_by": actor.name})
    what = {"what": "assigned", "playlist": playlist, "agent": agent_id, "due_on": due}
    _note(store, actor, f"assignment:{number}", what)
    return number


def _clip_row(store: Store, number: int) -> dict[str, Any]:
    row = rows.clip_row(store, number)
    if row is None:
        raise CoachingRefused("这个片段已不在播放列表里；请刷新页面")
    return row


def _assignment_row(store: Store, number: int) -> dict[str, Any]:
    row = rows.assignment_row(store, number)
    if row is None:
        raise CoachingRefused(f"没有编号为 {number} 的辅导任务；请刷新页面")
    return row


def _note(store: Store, actor: Actor, subject: str, data: Mapping[str, Any]) -> None:
    ledger.record(store, actor=actor, kind=ledger.Kind.COACHING, subject=subject, data=data)
