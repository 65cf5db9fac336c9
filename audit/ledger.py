"""The ledger: who did what and when, each entry hashed over the one before it.

`record` is called within the transaction of the change itself, so that there is no change without its entry and
no entry without its change. `data` holds ids, results and reasons, never names, numbers or words of debtors: an
entry can't be taken out again when a person's data must be deleted.

What the chain shows and what it can't: an entry changed, left out or put in breaks it. Who may write the file can
still cut entries off its end, or compute the whole chain anew; only an anchor kept elsewhere (`head`, printed by
`callaudit ledger verify`) shows that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from audit.access import Actor
from audit.store import Store
from audit.store.ledger import append_entry, entries, highest_number, last_entry, newest_entries

GENESIS = "0" * 64
"""What the first entry has in place of a previous hash."""


class Kind(StrEnum):
    """What happened. Closed."""

    VERDICT = "verdict"
    UNDO = "undo"
    COMMENT = "comment"
    APPEAL = "appeal"
    APPEAL_DECISION = "appeal_decision"
    COMPLAINT = "complaint"
    COACHING = "coaching"
    SAMPLE = "sample"
    UNMASK = "unmask"
    EXPORT = "export"
    IMPORT = "import"
    UPLOAD = "upload"
    RETRY = "retry"
    RULES = "rules"
    DELETE = "delete"
    HOLD = "hold"
    RESTORE = "restore"
    USER = "user"
    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_OUT = "sign_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as it stands; `at` is ISO time in UTC, hashes are lower-case hex of SHA-256."""

    seq: int
    at: str
    actor: str
    role: str
    kind: str
    subject: str
    data: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry's number and hash: kept outside the store, it shows a ledger that was cut short or rewritten."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The first entry that does not fit, and why."""

    seq: int
    why: str


def record(store: Store, *, actor: Actor, kind: Kind, subject: str, data: Mapping[str, Any] | None = None) -> Head:
    """Append one entry about `subject` (an id: of a call, finding, complaint, user); returns the new head."""
    with store.writing():
        last = head(store)
        fields = {
            "seq": last.seq + 1,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "actor": actor.name,
            "role": actor.role.value,
            "kind": kind.value,
            "subject": subject,
            "data": dict(data or {}),
            "previous": last.hash,
        }
        new = Head(seq=last.seq + 1, hash=digest(fields))
        append_entry(store, {**fields, "data": canonical(fields["data"]), "hash": new.hash})
        return new


def head(store: Store) -> Head:
    """Number and hash of the last entry; 0 and `GENESIS` where there is none."""
    row = last_entry(store)
    return Head(seq=0, hash=GENESIS) if row is None else Head(seq=row["seq"], hash=row["hash"])


def recent(store: Store, *, kind: Kind | None = None, subject: str | None = None, limit: int = 100) -> list[Entry]:
    """The newest entries first. Who may see them is asked by the caller (`Action.SEE_LEDGER`)."""
    return [_entry(row) for row in newest_entries(store, kind=kind, subject=subject, limit=limit)]


def verify(store: Store, *, anchor: Head | None = None) -> Broken | None:
    """The first broken entry, or None where the whole chain holds and reaches the anchor (a head kept elsewhere)."""
    return _first_broken(entries(store), anchor) or _cut_short(head(store), highest_number(store), anchor)


def digest(fields: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of everything in an entry but its own hash, `data` as an object."""
    return sha256(canonical({k: v for k, v in fields.items() if k != "hash"}).encode()).hexdigest()


def canonical(value: object) -> str:
    """JSON with sorted keys, no spaces and no escapes but those that JSON demands: one text for one value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _first_broken(rows: Iterable[Mapping[str, Any]], anchor: Head | None) -> Broken | None:
    last = Head(seq=0, hash=GENESIS)
    for row in rows:
        if (why := _misfit(row, last)) is not None:
            return Broken(seq=last.seq + 1, why=why)
        last = Head(seq=row["seq"], hash=row["hash"])
        if anchor is not None and last.seq == anchor.seq and last != anchor:
            return Broken(seq=last.seq, why=f"哈希与留存的 {anchor} 不同：这一条或它之前的账目被整体重写")
    return None


def _misfit(row: Mapping[str, Any], last: Head) -> str | None:
    if row["seq"] != last.seq + 1:
        return f"缺少第 {last.seq + 1} 条，下一条是第 {row['seq']} 条"
    if row["previous"] != last.hash:
        return "所记的上一条哈希与上一条不符"
    try:
        fields = {**row, "data": json.loads(row["data"])}
    except ValueError:
        return "内容不是 JSON"
    return None if digest(fields) == row["hash"] else "内容与哈希不符，被改动过"


def _cut_short(last: Head, highest: int, anchor: Head | None) -> Broken | None:
    if highest > last.seq:
        return Broken(seq=last.seq + 1, why=f"末尾被删：编号曾到第 {highest} 条，现在只有 {last.seq} 条")
    if anchor is not None and anchor.seq > last.seq:
        return Broken(seq=last.seq + 1, why=f"末尾被删：留存的凭据是第 {anchor.seq} 条，现在只有 {last.seq} 条")
    return None


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(**{**row, "data": json.loads(row["data"])})
