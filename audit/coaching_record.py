"""What coaching is made of: playlists, clips and tasks, as the pages see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from audit.access import Actor


class Kind(StrEnum):
    """What a clip shows."""

    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A list of clips under a title; counts of clips and of assignments that were not withdrawn."""

    id: int
    title: str
    note: str
    archived: bool
    made_by: str
    good: int
    bad: int
    assigned: int
    acknowledged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A stretch of a call. `stands`: the finding still counts and the call is still there.

    `agent_id` and `agent_name` are None for a collector who looks at someone else's clip.
    """

    id: int
    playlist: int
    position: int
    kind: Kind
    call_id: str
    recording: str
    path: Path | None
    duration_ms: int | None
    started_at: datetime | None
    agent_id: str | None
    agent_name: str | None
    finding: str | None
    rule_id: str | None
    category: str | None
    severity: str | None
    because: str | None
    start_ms: int
    end_ms: int
    note: str
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A playlist that a collector is to hear. `acknowledged_by` is their own agent_id, or who recorded a paper."""

    id: int
    playlist: int
    title: str
    clips: int
    agent_id: str
    agent_name: str | None
    due_on: date
    note: str
    assigned_at: datetime
    assigned_by: str
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    reply: str | None

    def overdue(self, today: date) -> bool:
        """Whether its day has passed without acknowledgement."""
        return self.acknowledged_at is None and today > self.due_on


def playlist_of(row: Mapping[str, Any]) -> Playlist:
    """A playlist from its row in the store."""
    values = {f.name: row[f.name] for f in fields(Playlist)}
    return Playlist(**values | {"archived": bool(row["archived"])})


def clip_of(row: Mapping[str, Any], actor: Actor) -> Clip:
    """A clip from its row in the store, as this person may see it."""
    values = {f.name: row[f.name] for f in fields(Clip)}
    if actor.only_own is not None and row["agent_id"] != actor.only_own:
        values |= {"agent_id": None, "agent_name": None}
    return Clip(
        **values
        | {
            "kind": Kind(row["kind"]),
            "path": None if row["path"] is None else Path(row["path"]),
            "started_at": _moment(row["started_at"]),
            "stands": bool(row["stands"]),
        }
    )


def assignment_of(row: Mapping[str, Any]) -> Assignment:
    """A task from its row in the store."""
    values = {f.name: row[f.name] for f in fields(Assignment)}
    return Assignment(
        **values
        | {
            "due_on": date.fromisoformat(row["due_on"]),
            "assigned_at": datetime.fromisoformat(row["assigned_at"]),
            "acknowledged_at": _moment(row["acknowledged_at"]),
        }
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
