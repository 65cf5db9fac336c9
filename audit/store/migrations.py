"""How the store came to look as it does, step by step. Steps that have been released are never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils.migrations import Migrations

if TYPE_CHECKING:
    from sqlite_utils.db import Database

migrations = Migrations("callaudit")

_CONTACT = {
    "started_at": str,
    "agent_id": str,
    "agent_name": str,
    "team": str,
    "case_id": str,
    "debtor_id": str,
    "callee_relation": str,
    "direction": str,
    "answered": int,
    "product": str,
    "days_overdue": int,
    "extra": str,
}


@migrations()
def m001_calls_and_transcripts(db: Database) -> None:
    """Recordings by the hash of their bytes; calls and attempts as the calling system listed them.

    A transcript keeps its turns inside, as JSON that any tool can read: a call is always read whole, and 1 M
    rows are opened and backed up more easily than 30 M. Word times, three times as large, are packed.
    """
    db.create_table(
        "recordings",
        {"id": str, "path": str, "bytes": int, "duration_ms": int, "added_at": str},
        pk="id",
        not_null={"path", "bytes", "added_at"},
        strict=True,
    )
    calls = db.create_table(
        "calls",
        {"call_id": str, "recording": str, "path": str, "duration_ms": int, "agent_channel": int, **_CONTACT},
        pk="call_id",
        not_null={"path"},
        foreign_keys=[("recording", "recordings", "id")],
        strict=True,
    )
    for columns in (
        ["recording"],
        ["path"],
        ["started_at"],
        ["agent_id", "started_at"],
        ["team", "started_at"],
    ):
        calls.create_index(columns)
    db.create_table("attempts", {"call_id": str, **_CONTACT}, pk="call_id", strict=True)
    db.create_table(
        "transcripts",
        {
            "recording": str,
            "settings": str,
            "language": str,
            "duration_ms": int,
            "role_confidence": float,
            "notes": str,
            "engine": str,
            "engine_version": str,
            "model": str,
            "model_sha256": str,
            "options": str,
            "turns": str,
            "words": bytes,
        },
        pk="recording",
        not_null={"settings", "engine", "turns"},
        foreign_keys=[("recording", "recordings", "id")],
        strict=True,
    )


@migrations()
def m002_judgements(db: Database) -> None:
    """What the rules said, under which run. `key` outlives a re-audit: people's verdicts hang on it."""
    db.create_table(
        "runs",
        {
            "id": int,
            "kind": str,
            "started_at": str,
            "finished_at": str,
            "status": str,
            "tool_version": str,
            "ruleset": str,
            "ruleset_version": str,
            "ruleset_digest": str,
            "engine": str,
            "engine_version": str,
            "model": str,
            "model_sha256": str,
            "options": str,
            "calls_done": int,
            "calls_failed": int,
        },
        pk="id",
        not_null={"kind", "started_at", "status", "tool_version", "ruleset_digest"},
        strict=True,
    )
    db.create_table(
        "scorecards",
        {"call_id": str, "run": int, "settings": str, "score": int, "card": str, "promise": str},
        pk="call_id",
        not_null={"run", "settings", "score", "card"},
        foreign_keys=[("call_id", "calls", "call_id"), ("run", "runs", "id")],
        strict=True,
    )
    _findings_and_outcomes(db)


def _findings_and_outcomes(db: Database) -> None:
    findings = db.create_table(
        "findings",
        {
            "id": int,
            "call_id": str,
            "recording": str,
            "key": str,
            "rule_id": str,
            "rule_version": int,
            "category": str,
            "severity": str,
            "result": str,
            "turn": int,
            "start": int,
            "end": int,
            "start_ms": int,
            "end_ms": int,
            "quote": str,
            "heard_as": str,
            "confidence": float,
            "because": str,
        },
        pk="id",
        not_null={"call_id", "recording", "key", "rule_id", "category", "severity", "result", "because"},
        foreign_keys=[("call_id", "calls", "call_id"), ("recording", "recordings", "id")],
        strict=True,
    )
    findings.create_index(["call_id"])
    findings.create_index(["key"])
    findings.create_index(["rule_id", "result"])
    # A row per rule and call is the largest table: keyed by what it is asked for, without a second tree.
    db.execute(
        "create table outcomes (call_id text not null references calls(call_id), rule_id text not null,"
        " result text not null, primary key (call_id, rule_id)) strict, without rowid"
    )


@migrations()
def m003_failures(db: Database) -> None:
    """What could not be judged, one row a file, until a later run succeeds."""
    db.create_table(
        "failures",
        {"path": str, "call_id": str, "reason": str, "run": int, "failed_at": str, "tries": int},
        pk="path",
        not_null={"reason", "run", "failed_at", "tries"},
        foreign_keys=[("run", "runs", "id")],
        strict=True,
    )


@migrations()
def m004_rules(db: Database) -> None:
    """Rules as they read when they judged: a report cites the clause of that day, not of today's pack."""
    db.create_table(
        "rules",
        {
            "digest": str,
            "rule_id": str,
            "version": int,
            "title": str,
            "title_en": str,
            "category": str,
            "kind": str,
            "severity": str,
            "citations": str,
        },
        pk=("digest", "rule_id"),
        not_null={"title", "title_en", "category", "kind", "severity", "citations"},
        strict=True,
    )


@migrations()
def m005_people_and_ledger(db: Database) -> None:
    """Accounts, who is signed in, wrong guesses, and the ledger of what people did."""
    db.create_table(
        "users",
        {
            "name": str,
            "role": str,
            "agent_id": str,
            "password": str,
            "email": str,
            "disabled": int,
            "created_at": str,
            "changed_at": str,
        },
        pk="name",
        not_null={"role", "disabled", "created_at", "changed_at"},
        strict=True,
    )
    db.execute("create unique index users_email on users(email) where email is not null")
    sessions = db.create_table(
        "sessions",
        {"token_sha256": str, "user": str, "started_at": str, "seen_at": str},
        pk="token_sha256",
        not_null={"user", "started_at", "seen_at"},
        foreign_keys=[("user", "users", "name")],
        strict=True,
    )
    sessions.create_index(["user"])
    # By the hash of the name that was tried: people type passwords into the wrong field.
    db.create_table(
        "sign_in_failures",
        {"name_sha256": str, "failures": int, "last_at": str, "locked_until": str},
        pk="name_sha256",
        not_null={"failures", "last_at"},
        strict=True,
    )
    _ledger(db)


def _ledger(db: Database) -> None:
    db.execute(
        "create table ledger (seq integer primary key autoincrement, at text not null, actor text not null,"
        " role text not null, kind text not null, subject text not null, data text not null,"
        " previous text not null, hash text not null) strict"
    )
    db.execute("create index ledger_kind on ledger(kind, seq)")
    db.execute("create index ledger_subject on ledger(subject, seq)")
    for change in ("update", "delete"):
        db.execute(
            f"create trigger ledger_no_{change} before {change} on ledger"
            " begin select raise(abort, 'the ledger is append-only'); end"
        )
    # "insert or replace" deletes without asking the delete trigger, unless recursive triggers are on.
    db.execute(
        "create trigger ledger_in_order before insert on ledger"
        " when new.seq is not (select coalesce(max(seq), 0) + 1 from ledger)"
        " begin select raise(abort, 'the ledger is append-only'); end"
    )


@migrations()
def m008_complaints(db: Database) -> None:
    """Complaints, the calls they are about, and every change with what stood there before.

    `digest` makes a second import of the same row do nothing. A linked call's id is no foreign key: the complaint
    outlives a call that retention has deleted.
    """
    complaints = db.create_table(
        "complaints",
        {
            "id": int,
            "digest": str,
            "received_at": str,
            "received_on": str,
            "channel": str,
            "complainant": str,
            "complainant_key": str,
            "debtor_id": str,
            "case_id": str,
            "agent_id": str,
            "team": str,
            "product": str,
            "category": str,
            "text": str,
            "status": str,
            "complexity": str,
            "clock_from": str,
            "due_on": str,
            "answered_on": str,
            "closed_on": str,
            "late": int,
            "outcome": str,
            "cause": str,
            "remedy": str,
            "answer": str,
            "revision": int,
            "created_at": str,
            "created_by": str,
        },
        pk="id",
        not_null={
            *("digest", "received_at", "received_on", "channel", "text", "status", "complexity", "clock_from"),
            *("due_on", "late", "revision", "created_at", "created_by"),
        },
        strict=True,
    )
    complaints.create_index(["digest"], unique=True)
    for columns in (["status", "due_on"], ["received_on"], ["agent_id", "received_on"]):
        complaints.create_index(columns)
    for column in ("debtor_id", "complainant_key"):
        db.execute(f"create index complaints_{column} on complaints({column}) where {column} is not null")
    db.execute(
        "create table complaint_calls (complaint integer not null references complaints(id), call_id text not null,"
        " linked_at text not null, linked_by text not null, primary key (complaint, call_id)) strict, without rowid"
    )
    db.execute("create index complaint_calls_call on complaint_calls(call_id)")
    _complaint_changes(db)
    # Calls are suggested by debtor or case among a million of them.
    for column in ("debtor_id", "case_id"):
        db.execute(
            f"create index if not exists calls_{column} on calls({column}, started_at) where {column} is not null"
        )


def _complaint_changes(db: Database) -> None:
    changes = db.create_table(
        "complaint_changes",
        {
            "id": int,
            "complaint": int,
            "at": str,
            "actor": str,
            "role": str,
            "what": str,
            "before": str,
            "after": str,
            "reason": str,
        },
        pk="id",
        not_null={"complaint", "at", "actor", "role", "what", "before", "after"},
        foreign_keys=[("complaint", "complaints", "id")],
        strict=True,
    )
    changes.create_index(["complaint", "id"])


@migrations()
def m009_coaching(db: Database) -> None:
    """Playlists of clips, who is to hear them by when, and who has."""
    db.create_table(
        "playlists",
        {"id": int, "title": str, "note": str, "revision": int, "archived": int, "made_at": str, "made_by": str},
        pk="id",
        not_null={"title", "note", "revision", "archived", "made_at", "made_by"},
        strict=True,
    )
    clips = db.create_table(
        "clips",
        {
            "id": int,
            "playlist": int,
            "position": int,
            "kind": str,
            "call_id": str,
            "recording": str,
            "agent_id": str,
            "finding": str,
            "rule_id": str,
            "start_ms": int,
            "end_ms": int,
            "note": str,
            "added_at": str,
            "added_by": str,
        },
        pk="id",
        not_null={
            *("playlist", "position", "kind", "call_id", "recording", "start_ms", "end_ms"),
            *("note", "added_at", "added_by"),
        },
        foreign_keys=[("playlist", "playlists", "id")],
        strict=True,
    )
    clips.create_index(["playlist", "position"])
    clips.create_index(["call_id"])
    assignments = db.create_table(
        "assignments",
        {
            "id": int,
            "playlist": int,
            "agent_id": str,
            "due_on": str,
            "note": str,
            "assigned_at": str,
            "assigned_by": str,
            "acknowledged_at": str,
            "acknowledged_by": str,
            "reply": str,
            "withdrawn_at": str,
        },
        pk="id",
        not_null={"playlist", "agent_id", "due_on", "note", "assigned_at", "assigned_by"},
        foreign_keys=[("playlist", "playlists", "id")],
        strict=True,
    )
    assignments.create_index(["agent_id", "assigned_at"])
    assignments.create_index(["playlist"])
    assignments.create_index(["due_on"])
