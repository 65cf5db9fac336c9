"""How the store came to look as it does, step by step. Steps that have been released are never edited."""

from __future__ import annotations

from collections.abc import Sequence
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
        {"id": int, "title": str, "note": str, "archived": int, "made_at": str, "made_by": str},
        pk="id",
        not_null={"title", "note", "archived", "made_at", "made_by"},
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


@migrations()
def m006_review(db: Database) -> None:
    """The queue of findings that people judge, what they said, and appeals.

    `items` has a row per key of a finding: what a page lists and orders by, copied from call and finding, so that
    the next one is found by an index alone. Unknown team, product, collector, debtor or time is an empty text.
    """
    # key, not call: two files of the same bytes are judged by people once.
    db.execute(
        "create table items (key text primary key, recording text not null references recordings(id),"
        " call_id text not null, rule_id text not null, category text not null, severity text not null,"
        " rank integer not null, result text not null, confidence real not null, words text not null,"
        " at text not null, day text not null, hour integer not null, team text not null, product text not null,"
        " agent_id text not null, debtor_id text not null, state text not null, machine text not null,"
        " judged_by text not null default '[]', stamp integer not null default 0) strict"
    )
    db.execute("create index items_recording on items(recording)")
    _open_items(db)
    db.execute("create index items_judged on items(state, at) where state not in ('waiting', 'second')")
    db.execute("create index items_judged_agent on items(agent_id, at) where state not in ('waiting', 'second')")
    _human_tables(db)
    _fill_items(db)


def _open_items(db: Database) -> None:
    """The order of work, over all and within one collector or rule, with what other filters ask beside it."""
    still_open = "where state in ('waiting', 'second')"
    order = "rank desc, confidence desc, at, key"
    db.execute(
        f"create index items_order on items({order}, day, team, product, rule_id, category, result, state) {still_open}"
    )
    db.execute(f"create index items_agent on items(agent_id, {order}) {still_open}")
    db.execute(f"create index items_rule on items(rule_id, {order}, day, team, product, result, state) {still_open}")
    db.execute(f"create index items_words on items(words, rule_id) {still_open} and words <> ''")


def _human_tables(db: Database) -> None:
    db.execute(
        "create table verdicts (id integer primary key, key text not null, recording text not null,"
        " call_id text not null, by text not null, at text not null, kind text not null, before text not null,"
        " after text not null, reason text, comment text, undoes integer unique references verdicts(id),"
        " finding text) strict"
    )
    db.execute("create index verdicts_key on verdicts(key, id)")
    db.execute("create index verdicts_recording on verdicts(recording, id)")
    db.execute("create index verdicts_by on verdicts(by, at)")
    db.execute(
        "create table comments (id integer primary key, key text not null, call_id text not null,"
        " by text not null, at text not null, text text not null) strict"
    )
    db.execute("create index comments_key on comments(key, id)")
    db.execute(
        "create table appeals (id integer primary key, key text not null unique, call_id text not null,"
        " agent_id text not null, by text not null, at text not null, text text not null, before text not null,"
        " decision text, decided_by text, decided_at text, answer text) strict"
    )
    db.execute("create index appeals_agent on appeals(agent_id, id)")
    db.execute("create index appeals_open on appeals(id) where decision is null")
    db.execute("create table claims (key text primary key, by text not null, until text not null) strict")


def _fill_items(db: Database) -> None:
    from audit.store.keys import plain_words

    db.conn.create_function("plain_words", 1, plain_words, deterministic=True)
    db.execute(
        "insert into items (key, recording, call_id, rule_id, category, severity, rank, result, confidence, words,"
        " at, day, hour, team, product, agent_id, debtor_id, state, machine)"
        " select key, f.recording, f.call_id, rule_id, category, severity,"
        " case severity when 'critical' then 4 when 'high' then 3 when 'medium' then 2 when 'low' then 1 else 0 end,"
        " result, coalesce(confidence, 1.0), plain_words(coalesce(quote, '')), coalesce(started_at, ''),"
        " coalesce(substr(started_at, 1, 10), ''), coalesce(cast(substr(started_at, 12, 2) as integer), -1),"
        " coalesce(team, ''), coalesce(product, ''), coalesce(agent_id, ''), coalesce(debtor_id, ''),"
        " 'waiting', 'present' from findings f join calls using (call_id)"
        " where category not in ('complaint_intent', 'hardship', 'dispute', 'stop_contact', 'wrong_person',"
        " 'promise_to_pay', 'refuse', 'request_plan') order by f.id on conflict do nothing"
    )


_DAY_OF_CALL = (
    "coalesce(substr(started_at, 1, 10), '') as day, coalesce(cast(substr(started_at, 12, 2) as integer), -1) as hour,"
    " coalesce(team, '') as team, coalesce(product, '') as product, coalesce(agent_id, '') as agent_id"
)


@migrations()
def m007_tallies(db: Database) -> None:
    """Counts by day, so that no page reads a million calls; audit/store/tallies.py says what each one counts."""
    call_counts = ("calls", "ms", "score", "duties_done", "duties_due", "calls_confirmed", "calls_machine",
                   "calls_critical_waiting")  # fmt: skip
    rule_counts = ("fails", "unsure", "confirmed", "partial", "dismissed", "missed", "waiting", "waiting_unsure",
                   "calls", "violations")  # fmt: skip
    # Keyed in the order in which they are summed up: SQLite adds without sorting then. With collectors there are
    # six times as many rows, so sums over all of them have a table without.
    rule = ("rule_id", "category", "severity", "day", "team", "product")
    collector = ("agent_id", "severity", "rule_id", "category", "day", "team", "product")
    _tally_table(db, "call_days", ("day", "hour", "team", "product", "agent_id"), call_counts)
    db.execute("create index call_days_agent on call_days(agent_id, day)")
    _tally_table(db, "rule_days", rule, rule_counts)
    _tally_table(db, "collector_days", collector, rule_counts)
    _fill_call_days(db)
    _fill_rule_days(db, "rule_days", rule)
    _fill_rule_days(db, "collector_days", collector)


def _tally_table(db: Database, name: str, keys: tuple[str, ...], counts: tuple[str, ...]) -> None:
    columns = [f"{key} {'integer' if key == 'hour' else 'text'} not null" for key in keys]
    columns += [f"{count} integer not null default 0" for count in counts]
    db.execute(f"create table {name} ({', '.join(columns)}, primary key ({', '.join(keys)})) strict, without rowid")


def _fill_call_days(db: Database) -> None:
    """Nobody has judged anything yet, so every item waits."""
    due = "(select count(*) from json_each(card, '$.duties') where value ->> 'result' in"
    db.execute(
        "insert into call_days (day, hour, team, product, agent_id, calls, ms, score, duties_done, duties_due,"
        " calls_machine, calls_critical_waiting)"
        f" select {_DAY_OF_CALL}, count(*), sum(coalesce(recordings.duration_ms, 0)), sum(score),"
        f" sum({due} ('pass'))), sum({due} ('pass', 'fail'))), sum(coalesce(failed, 0)), sum(coalesce(critical, 0))"
        " from scorecards join calls using (call_id) join recordings on recordings.id = calls.recording"
        " left join (select call_id, max(result = 'fail' and category <> 'self_harm') as failed,"
        " max(severity = 'critical') as critical from items group by call_id) using (call_id)"
        " group by day, hour, team, product, agent_id"
    )


def _fill_rule_days(db: Database, name: str, keys: tuple[str, ...]) -> None:
    by = ", ".join(keys)
    db.execute(
        f"insert into {name} ({by}, fails, unsure, waiting, waiting_unsure, calls)"
        f" select {by}, sum(result = 'fail'), sum(result = 'unsure'), count(*), sum(result = 'unsure'),"
        f" count(distinct call_id) from items group by {by}"
    )


@migrations()
def m010_cases_and_promises(db: Database) -> None:
    """Cases, what was paid for them, and what was promised in calls. Money is whole fen.

    `paid_fen` and `cured_on` are worked out at every import, for pages that add up all cases. `day` is when a promise
    falls due, or was made where it names no day. Moments of payments and promises are all written in +08:00: text
    that sorts as time does.
    """
    cases = db.create_table(
        "cases",
        {
            "case_id": str,
            "debtor_id": str,
            "agent_id": str,
            "product": str,
            "stage": str,
            "days_overdue": int,
            "overdue_fen": int,
            "principal_fen": int,
            "satisfaction": float,
            "assigned_on": str,
            "closed_on": str,
            "extra": str,
            "paid_fen": int,
            "cured_on": str,
        },
        pk="case_id",
        not_null={"extra", "paid_fen"},
        defaults={"extra": "{}", "paid_fen": 0},
        strict=True,
    )
    cases.create_index(["debtor_id"])
    cases.create_index(["agent_id"])
    payments = db.create_table(
        "payments",
        {"key": str, "case_id": str, "paid_at": str, "fen": int},
        pk="key",
        not_null={"case_id", "paid_at", "fen"},
        foreign_keys=[("case_id", "cases", "case_id")],
        strict=True,
    )
    payments.create_index(["case_id", "paid_at", "fen"])
    db.execute("create table payments_known (id integer primary key check (id = 1), until text not null) strict")
    _promises(db)


def _promises(db: Database) -> None:
    promises = db.create_table(
        "promises",
        {
            "call_id": str,
            "case_id": str,
            "debtor_id": str,
            "agent_id": str,
            "team": str,
            "product": str,
            "days_overdue": int,
            "made_at": str,
            "day": str,
            "due": str,
            "amount_fen": int,
            "firmness": str,
            "repeated_back": int,
            "turn": int,
            "text": str,
        },
        pk="call_id",
        not_null={"firmness", "repeated_back", "turn", "text"},
        foreign_keys=[("call_id", "calls", "call_id")],
        strict=True,
    )
    for columns in (["day"], ["case_id"], ["debtor_id"], ["agent_id", "day"]):
        promises.create_index(columns)
    # By stage of overdue and by case, pages ask for all calls at once.
    db.table("calls").create_index(["case_id", "started_at"], if_not_exists=True)
    db.table("calls").create_index(["days_overdue", "started_at", "team", "agent_id", "product", "recording"])
    db.execute(
        "insert into promises select call_id, case_id, debtor_id, agent_id, team, product, days_overdue,"
        " strftime('%Y-%m-%dT%H:%M:%S+08:00', started_at, '+8 hours') as made_at,"
        " coalesce(json_extract(promise, '$.date'), strftime('%Y-%m-%d', started_at, '+8 hours')),"
        " json_extract(promise, '$.date'), cast(round(json_extract(promise, '$.amount') * 100) as int),"
        " json_extract(promise, '$.firmness'), json_extract(promise, '$.repeated_back'),"
        " json_extract(promise, '$.turn'), json_extract(promise, '$.text')"
        " from scorecards join calls using (call_id) where promise is not null"
    )


@migrations()
def m011_operations(db: Database) -> None:
    """How far a run is and when it last gave a sign of life; recordings that people handed in or want tried again."""
    db.create_table(
        "run_signs",
        {
            "run": int,
            "at": str,
            "total": int,
            "done": int,
            "skipped": int,
            "failed": int,
            "heard_ms": int,
            "bytes": int,
            "total_bytes": int,
        },
        pk="run",
        not_null={"at", "total", "done", "skipped", "failed", "heard_ms", "bytes", "total_bytes"},
        foreign_keys=[("run", "runs", "id")],
        strict=True,
    )
    work = db.create_table(
        "work",
        {"path": str, "kind": str, "name": str, "by": str, "at": str, "tries": int},
        pk="path",
        not_null={"kind", "name", "by", "at", "tries"},
        strict=True,
    )
    work.create_index(["at"])
    db.table("calls").create_index(["product", "started_at"])


@migrations()
def m012_holds(db: Database) -> None:
    """What must not be deleted although its time is over."""
    db.create_table(
        "holds",
        {
            "id": int,
            "kind": str,
            "value": str,
            "reason": str,
            "by": str,
            "at": str,
            "released_at": str,
            "released_by": str,
        },
        pk="id",
        not_null={"kind", "value", "reason", "by", "at"},
        strict=True,
    )


@migrations()
def m013_alerts(db: Database) -> None:
    """What people were alerted to, so that nobody is told twice and what could not be sent is sent later."""
    alerts = db.create_table(
        "alerts",
        {"key": str, "kind": str, "made_at": str, "sent_at": str, "tries": int},
        pk="key",
        not_null={"kind", "made_at", "tries"},
        strict=True,
    )
    alerts.create_index(["sent_at", "kind"])


@migrations()
def m014_calls_without_hours_or_collectors(db: Database) -> None:
    """Counts of call_days summed up twice: with collectors and hours it has nearly a row a call (726,000 of a million).

    hour_days leaves collectors out, agent_days hours: 94,000 and 135,000 rows, and no page sums up more.
    """
    counts = ("calls", "ms", "score", "duties_done", "duties_due", "calls_confirmed", "calls_machine",
              "calls_critical_waiting")  # fmt: skip
    sums = ", ".join(f"sum({count})" for count in counts)
    for name, keys in (
        ("hour_days", ("day", "hour", "team", "product")),
        ("agent_days", ("agent_id", "team", "day", "product")),
    ):
        _tally_table(db, name, keys, counts)
        by = ", ".join(keys)
        db.execute(f"insert into {name} ({by}, {', '.join(counts)}) select {by}, {sums} from call_days group by {by}")


@migrations()
def m015_samples(db: Database) -> None:
    """Plans by which calls are sampled, the samples drawn, who heard what, and corrected words.

    `strata` keeps how many there were of each kind when the sample was drawn: an estimate needs it. A corrected turn
    stands beside what was heard and never takes its place.
    """
    db.create_table(
        "sample_plans",
        {
            "id": int,
            "name": str,
            "pool": str,
            "stratum": str,
            "per_stratum": int,
            "reviewers": str,
            "blind": int,
            "made_at": str,
            "made_by": str,
        },
        pk="id",
        not_null={"name", "pool", "stratum", "per_stratum", "reviewers", "blind", "made_at", "made_by"},
        strict=True,
    )
    samples = db.create_table(
        "samples",
        {"id": int, "plan": int, "since": str, "until": str, "strata": str, "drawn_at": str, "drawn_by": str},
        pk="id",
        not_null={"plan", "since", "until", "strata", "drawn_at", "drawn_by"},
        foreign_keys=[("plan", "sample_plans", "id")],
        strict=True,
    )
    samples.create_index(["plan", "since", "until"], unique=True)
    _sample_items(db)
    corrections = db.create_table(
        "corrections",
        {"id": int, "recording": str, "call_id": str, "turn": int, "heard": str, "text": str, "by": str, "at": str},
        pk="id",
        not_null={"recording", "call_id", "turn", "heard", "text", "by", "at"},
        strict=True,
    )
    corrections.create_index(["recording", "turn"])
    corrections.create_index(["call_id"])


def _sample_items(db: Database) -> None:
    """`key` is empty where a whole call is heard, `reviewer` where anybody may; ids outlive a deleted call."""
    items = db.create_table(
        "sample_items",
        {
            "id": int,
            "sample": int,
            "position": int,
            "stratum": str,
            "call_id": str,
            "recording": str,
            "key": str,
            "reviewer": str,
            "done_by": str,
            "done_at": str,
            "said": str,
            "edits": int,
            "characters": int,
        },
        pk="id",
        not_null={"sample", "position", "stratum", "call_id", "recording", "key", "reviewer"},
        foreign_keys=[("sample", "samples", "id")],
        strict=True,
    )
    items.create_index(["sample", "call_id", "key", "reviewer"], unique=True)
    items.create_index(["sample", "position"])


@migrations()
def m016_calls_by_stage(db: Database) -> None:
    """Calls and confirmed violations by stage of overdue; for one collector an index of their calls is enough."""
    _tally_table(db, "stage_days", ("stage", "day", "team", "product"), ("calls", "violations"))
    place = (
        f"coalesce({_STAGE_OF_CALL}, '') as stage, coalesce(substr(started_at, 1, 10), '') as day,"
        " coalesce(calls.team, '') as team, coalesce(calls.product, '') as product"
    )
    db.execute(
        f"insert into stage_days (stage, day, team, product, calls) select {place}, count(*)"
        " from scorecards join calls using (call_id) group by 1, 2, 3, 4"
    )
    db.execute(
        f"insert into stage_days (stage, day, team, product, violations) select {place}, count(*) from ("
        " select distinct call_id, recording, rule_id, category, severity from items"
        " where state in ('confirmed', 'partial', 'appealed') and category not in ('complaint_intent', 'hardship',"
        " 'self_harm', 'dispute', 'stop_contact', 'wrong_person', 'promise_to_pay'))"
        " join calls using (call_id, recording) join scorecards using (call_id) group by 1, 2, 3, 4"
        " on conflict (stage, day, team, product) do update set violations = excluded.violations"
    )
    db.execute("drop index if exists idx_calls_days_overdue_started_at_team_agent_id_product_recording")
    db.table("calls").create_index(
        ["agent_id", "started_at", "days_overdue", "team", "product", "recording"], if_not_exists=True
    )


_STAGE_OF_CALL = (
    "case when days_overdue is null then null when days_overdue <= 0 then 'M0'"
    " when days_overdue > 180 then 'M7+' else 'M' || ((days_overdue + 29) / 30) end"
)


@migrations()
def m017_settled_promises(db: Database) -> None:
    """What a promise needs to be judged without its case and payments; audit/store/promises.py says what is what."""
    for column in ("stage text", "target_fen integer", "known integer not null default 0", "kept_after integer",
                   "paid_after integer"):  # fmt: skip
        db.execute(f"alter table promises add column {column}")
    db.execute(
        "update promises set (stage, target_fen, known) ="
        f" (select coalesce(c.stage, {_STAGE_OF_CALL.replace('days_overdue', 'promises.days_overdue')}),"
        " coalesce(promises.amount_fen, c.overdue_fen), c.case_id is not null and promises.made_at is not null"
        " from (select 1) left join cases c on c.case_id = promises.case_id)"
    )
    db.execute(
        "update promises set kept_after = iif(target_fen > 0,"
        " (select cast(julianday(substr(min(paid_at), 1, 10)) - julianday(promises.due) as integer) from"
        "  (select paid_at, sum(fen) over (order by paid_at, key rows unbounded preceding) as so_far from payments"
        "   where payments.case_id = promises.case_id and paid_at >= promises.made_at)"
        "  where so_far >= promises.target_fen), null),"
        " paid_after = (select cast(julianday(substr(min(paid_at), 1, 10)) - julianday(promises.due) as integer)"
        "  from payments where payments.case_id = promises.case_id and paid_at >= promises.made_at and fen > 0)"
        " where known and due is not null"
    )
    db.execute(
        "create index promises_judged on promises(agent_id, stage, known, target_fen, due, kept_after, paid_after, day,"
        " team, product, firmness) where firmness <> 'asked'"
    )
    db.execute("create index promises_due on promises(due, made_at, call_id) where firmness <> 'asked'")
    # Cases are added up by collector and stage, in this order without sorting.
    db.execute(
        "create index cases_figures on cases(agent_id, stage, assigned_on, closed_on, product, overdue_fen, paid_fen,"
        " satisfaction, case_id)"
    )
    db.execute("create index cases_cured on cases(cured_on) where cured_on is not null")
    db.execute("create index payments_paid on payments(paid_at, case_id, fen)")


@migrations()
def m018_violations_by_collector(db: Database) -> None:
    """Confirmed violations are a fifth of collector_days: by collector they are read from here."""
    db.execute(
        "create index collector_violations on collector_days(agent_id, severity, category, day, team, product,"
        " violations) where violations > 0"
    )


@migrations()
def m019_waiting_by_collector(db: Database) -> None:
    """Open findings by collector without rules: 135,000 rows instead of 764,000. Cured cases by collector and stage."""
    db.execute("alter table agent_days add column waiting integer not null default 0")
    db.execute(
        "update agent_days set waiting = w.n from (select agent_id, team, day, product, sum(waiting) as n"
        " from collector_days where waiting > 0 and category <> 'self_harm' group by 1, 2, 3, 4) w"
        " where w.agent_id = agent_days.agent_id and w.team = agent_days.team and w.day = agent_days.day"
        " and w.product = agent_days.product"
    )
    db.execute("drop index if exists cases_cured")
    db.execute(
        "create index if not exists cases_cured_by on cases(agent_id, stage, cured_on, assigned_on, closed_on, product,"
        " case_id) where cured_on is not null"
    )


@migrations()
def m020_flagged_calls(db: Database) -> None:
    """Calls that the machine flags, by category and day: recall asked for every item of a month, in 2.4 s."""
    _tally_table(db, "flagged_days", ("category", "day"), ("flagged", "confirmed", "dismissed", "known"))
    db.execute(
        "with a as materialized (select items.call_id, coalesce(substr(started_at, 1, 10), '') as day, category,"
        " max(machine = 'present') as present,"
        " max(machine = 'present' and state in ('confirmed', 'partial', 'appealed')) as kept,"
        " max(machine = 'present' and state in ('waiting', 'second')) as waits,"
        " max(machine <> 'present' and state in ('confirmed', 'partial', 'appealed')) as added"
        " from items join calls using (call_id, recording) join scorecards using (call_id)"
        " where category <> 'self_harm' group by items.call_id, category),"
        " c as (select day, max(present) as present, max(kept) as kept, max(waits) as waits from a group by call_id),"
        " found as (select '' as category, day, sum(present) as flagged, sum(present and kept) as confirmed,"
        "  sum(present and not kept and not waits) as dismissed, 0 as known from c group by day"
        " union all select category, day, sum(present), sum(present and kept),"
        "  sum(present and not kept and not waits), sum(not present and added and exists (select 1 from items i"
        "  where i.call_id = a.call_id and i.machine = 'present'"
        "  and i.recording = (select recording from calls where calls.call_id = a.call_id)))"
        "  from a group by category, day)"
        " insert into flagged_days select * from found where flagged or confirmed or dismissed or known"
    )


@migrations()
def m021_conduct(db: Database) -> None:
    """What several calls break together, so far only printed."""
    db.execute(
        "create table conduct_findings (key text primary key, rule_id text not null, title text not null,"
        " title_en text not null, category text not null, severity text not null, result text not null,"
        " day text not null, subject text not null, calls text not null, because text not null, found_at text) strict"
    )
    db.execute("create index conduct_day on conduct_findings(day)")


@migrations()
def m022_rule_digests(db: Database) -> None:
    """What a rule's judgement rests on, so that a re-audit asks those that changed; unknown for earlier sets."""
    db.execute("alter table rules add column content text")


@migrations()
def m023_calls_not_scored(db: Database) -> None:
    """A call in which nobody spoke has no score, and is counted apart; those stored so far are found by a re-audit."""
    for table in ("call_days", "hour_days", "agent_days"):
        db.execute(f"alter table {table} add column silent integer not null default 0")
    # Nothing on the disk changes, so that no table is copied: https://sqlite.org/lang_altertable.html, section 7.
    version = db.execute("pragma schema_version").fetchone()[0]
    db.execute("pragma writable_schema = on")
    db.execute(
        """update sqlite_schema set sql = replace(sql, '"score" INTEGER NOT NULL', '"score" INTEGER')"""
        " where name = 'scorecards'"
    )
    db.execute(f"pragma schema_version = {version + 1}")
    db.execute("pragma writable_schema = reset")


@migrations()
def m024_arrived(db: Database) -> None:
    """What `watch` has seen at addresses."""
    db.execute("create table arrived (path text primary key, mark text not null) strict, without rowid")


@migrations()
def m025_contacts(db: Database) -> None:
    """Calls and attempts as rules across calls see them, by whom they are about and who is called; and whose have
    changed since they were judged, whoever wrote.
    """
    db.execute("create table conduct_due (subject text primary key) strict, without rowid")
    db.execute("create table conduct_judged (basis text not null, at text not null) strict")
    db.execute("create index conduct_subject on conduct_findings(subject)")
    for table in ("calls", "attempts"):
        for name, of in (("debtor", _debtor), ("person", _person)):
            db.execute(f"create index {table}_by_{name} on {table}({of()}) where {of()} is not null")
    _contacts_view(db)
    _note_what_changes(db)


@migrations()
def m026_sure_refusals(db: Database) -> None:
    """Who only perhaps asked not to be called has not refused: nobody is blamed for calling again."""
    db.execute("drop view contacts")
    _contacts_view(db)
    doubtful = "select call_id from findings where category = 'stop_contact' and result = 'unsure'"
    db.execute(
        f"insert into conduct_due select subject from ({_of_call(f'call_id in ({doubtful})')})"
        " where subject is not null and subject not in (select subject from conduct_due)"
    )


@migrations()
def m027_recordings_have_no_path(db: Database) -> None:
    """Files with the same bytes are one recording: where each lies, its calls say."""
    db.execute("alter table recordings drop column path")


_NUMBERS = ("number", "phone", "callee_number", "号码", "被叫号码", "电话")
"""Columns of a call list that callaudit has no other use for: the number dialled is in the first that has one."""


def _debtor(row: str = "") -> str:
    """Whom a call is about: the debtor where the list names one, else the case. `row`: a prefix of columns."""
    return f"coalesce(nullif({row}debtor_id, ''), nullif({row}case_id, ''))"


def _number(row: str = "") -> str:
    return _extra(row, _NUMBERS)


def _person(row: str = "") -> str:
    """Who is called: the number, else a callee that the list names."""
    return _extra(row, (*_NUMBERS, "callee_id"))


def _extra(row: str, names: Sequence[str]) -> str:
    cells = ", ".join(f"""nullif(json_extract({row}extra, '$."{name}"'), '')""" for name in names)
    return f"iif(json_valid({row}extra), coalesce({cells}), null)"


def _contacts_view(db: Database) -> None:
    plain = "call_id, started_at, agent_id, agent_name, team, product, callee_relation, direction"
    who = f"{_debtor()} as debtor, {_number()} as number, {_person()} as person"
    refused = (
        "callee_relation in ('contact', 'unrelated') and exists (select 1 from findings"
        " where findings.call_id = calls.call_id and category = 'stop_contact' and result = 'fail')"
    )
    db.execute(
        f"create view contacts as select {plain}, {who}, {refused} as refused, coalesce(answered, 1) as answered,"
        " coalesce(nullif(calls.duration_ms, 0), recordings.duration_ms) as duration_ms, 1 as heard"
        " from calls join scorecards using (call_id) join recordings on recordings.id = calls.recording"
        " where started_at is not null"
        f" union all select {plain}, {who}, 0, coalesce(answered, 0), null, 0 from attempts"
        " where started_at is not null"
    )


def _note_what_changes(db: Database) -> None:
    told = ("started_at", "debtor_id", "case_id", "callee_relation", "direction", "answered", "extra")
    calls, attempts = (*told, "duration_ms", "recording"), told
    judged = f"old.recording is not null and {_differs(calls)}"  # else its scorecard tells
    signal, length = "{0}.category = 'stop_contact'", "old.duration_ms is not new.duration_ms"
    _on(db, "update", "calls", _rows("old", "new"), when=judged)
    _on(db, "update", "attempts", _rows("old", "new"), when=_differs(attempts))
    _on(db, "insert", "attempts", _rows("new"))
    _on(db, "delete", "attempts", _rows("old"))
    for change, row in (("insert", "new"), ("delete", "old")):
        _on(db, change, "scorecards", _of_call(f"call_id = {row}.call_id"))
        _on(db, change, "findings", _of_call(f"call_id = {row}.call_id"), when=signal.format(row))
    _on(db, "update", "recordings", _of_call("recording = new.id"), when=length)


def _differs(columns: Sequence[str]) -> str:
    old, new = (", ".join(f"{row}.{name}" for name in columns) for row in ("old", "new"))
    return f"({old}) is not ({new})"


def _rows(*rows: str) -> str:
    return " union ".join(f"select {of(f'{row}.')} as subject" for row in rows for of in (_debtor, _person))


def _of_call(which: str) -> str:
    return " union ".join(f"select {of()} as subject from calls where {which}" for of in (_debtor, _person))


def _on(db: Database, change: str, table: str, subjects: str, *, when: str = "true") -> None:
    db.execute(
        f"create trigger conduct_{table}_{change} after {change} on {table} when {when} begin"
        f" insert into conduct_due select subject from ({subjects}) where subject is not null"
        " and subject not in (select subject from conduct_due); end"
    )
