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
