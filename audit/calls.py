"""Call records: who called whom, when, about which case. Read from calls.csv, one row a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as the calling system knows it; everything but the id may be unknown.

    `path` is where the recording lies; None for an attempt that left none. `started_at` has an offset and is
    the debtor's local time; `duration_ms` as the calling system says; `agent_channel` 0 (left) or 1 (right).
    `extra` keeps the columns that callaudit has no use for.
    """

    call_id: str
    path: Path | None = None
    started_at: datetime | None = None
    duration_ms: int | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    team: str | None = None
    case_id: str | None = None
    debtor_id: str | None = None
    callee_relation: str | None = None
    direction: str | None = None
    answered: bool | None = None
    product: str | None = None
    days_overdue: int | None = None
    agent_channel: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
