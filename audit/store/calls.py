"""Call records, what was heard in them, what the rules said, and the runs that did it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from audit.calls import CallRecord
from audit.errors import escaped
from audit.remote import spelled
from audit.score import Scorecard
from audit.store import queue, tallies
from audit.store.connection import Connection, marks, now, packed, told
from audit.store.filters import EVERY_CALL, Filter, where
from audit.store.keys import finding_keys
from audit.store.promises import replace_promise
from rules.model import Finding, Judgement, Reference, Result, Rule, RuleSet, Severity
from transcribe.model import EngineInfo, Role, Transcript, Turn, Word

_RESULTS = {result.value: result for result in Result}
_SEVERITIES = {severity.value: severity for severity in Severity}
_ROLES = {role.value: role for role in Role}
_OF_RECORD = tuple(f.name for f in fields(CallRecord))
_OF_FINDING = tuple(f.name for f in fields(Finding))
_ONLY_CALLS = {"path", "duration_ms", "agent_channel"}  # columns that an attempt lacks
_CALLS = (
    "select calls.*, recordings.duration_ms as heard_ms, run, score, card, promise from scorecards"
    " join calls using (call_id) join recordings on recordings.id = calls.recording"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedCall:
    """All that one call yielded. `settings` names everything that the judgement rests on, `hearing` the part
    of it that the transcript rests on; equal digests mean that nothing needs doing again.

    `promise` is what `callaudit check` prints: amount in yuan, ISO date, text, firmness, repeated_back, turn.
    """

    record: CallRecord
    transcript: Transcript
    judgement: Judgement
    card: Scorecard
    promise: Mapping[str, Any] | None
    settings: str
    hearing: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class StoredCall:
    """A judged call as the store has it; its words are fetched with `Store.transcript(call.recording)`."""

    record: CallRecord
    recording: str
    duration_ms: int
    run: int
    judgement: Judgement
    stored_card: str
    promise: Mapping[str, Any] | None

    @cached_property
    def card(self) -> Scorecard:
        """The scorecard; read when it is asked for, since a re-audit asks for few of a million."""
        return Scorecard.from_dict(json.loads(self.stored_card))


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that could not be judged, and the sentence that says why; `tries` counts the runs that tried.

    A row of a call list that can't be used stands there too, as `calls.csv:12`.
    """

    path: Path
    call_id: str | None
    reason: str
    failed_at: datetime
    tries: int
    run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run works with; kept in `runs` so that a result can be made again."""

    tool_version: str
    ruleset: str
    ruleset_version: str
    ruleset_digest: str
    engine: str
    model: str | None
    options: Mapping[str, str]

    @property
    def second_opinion(self) -> str | None:
        """Digest of the model that is asked beside the rules; None where none is."""
        return self.options.get("second_opinion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One go over many calls. `status`: running, finished, interrupted. A killed run stays `running`."""

    id: int
    kind: str
    started_at: datetime
    finished_at: datetime | None
    status: str
    settings: Settings
    engine_version: str | None
    model_sha256: str | None
    calls_done: int
    calls_failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCard:
    """A rule as it read when a call was judged by it."""

    id: str
    version: int
    title: str
    title_en: str
    category: str
    kind: str
    severity: Severity
    references: tuple[Reference, ...]


class Store(Connection):
    """An open store; the other modules of this package take it as their first argument."""

    # runs

    def start_run(self, kind: str, settings: Settings) -> int:
        """Note that a run begins; returns its id. `kind` is audit or reaudit."""
        row = {
            "kind": kind,
            "started_at": now(),
            "status": "running",
            **{f.name: getattr(settings, f.name) for f in fields(Settings) if f.name != "options"},
            "options": packed(dict(settings.options)),
            "calls_done": 0,
            "calls_failed": 0,
        }
        with self.writing():
            return int(self.insert("runs", row).lastrowid or 0)

    def finish_run(self, run: int, *, status: str, done: int, failed: int) -> None:
        """Note how a run ended."""
        with self.writing():
            self.sql.execute(
                "update runs set finished_at = ?, status = ?, calls_done = ?, calls_failed = ? where id = ?",
                [now(), status, done, failed, run],
            )

    def last_run(self) -> Run | None:
        """The newest run, also one that was killed."""
        row = self.one("select * from runs order by id desc limit 1")
        return None if row is None else _run(row)

    def run(self, number: int) -> Run | None:
        """One run by its id."""
        row = self.one("select * from runs where id = ?", [number])
        return None if row is None else _run(row)

    # call records

    def add_records(self, records: Iterable[CallRecord]) -> None:
        """Keep call records and, where there is no recording, attempts; known ids are updated."""
        with self.writing():
            for record in records:
                if record.path is None:
                    self.upsert("attempts", "call_id", _record_row(record))
                else:
                    self._keep_record(record)
                    # its recording has come after all: no longer an attempt without one
                    self.sql.execute("delete from attempts where call_id = ?", [record.call_id])

    def records(self) -> dict[Path, list[CallRecord]]:
        """Known calls by the path of their recording, judged or not."""
        found: dict[Path, list[CallRecord]] = {}
        for row in self.all("select * from calls order by call_id"):
            found.setdefault(Path(row["path"]), []).append(_record(row))
        return found

    def records_of(self, recording: str) -> list[CallRecord]:
        """Judged calls whose recording has these bytes (SHA-256)."""
        sql = "select calls.* from calls join scorecards using (call_id) where recording = ? order by call_id"
        return [_record(row) for row in self.all(sql, [recording])]

    def attempts(self) -> Iterator[CallRecord]:
        """Call attempts that left no recording, by time."""
        for row in self.all("select * from attempts order by started_at, call_id"):
            yield _record(row | dict.fromkeys(_ONLY_CALLS))

    # judged calls

    def save(self, call: AuditedCall, *, run: int) -> None:
        """Keep one call with everything, in one transaction; what an earlier run said of it is replaced."""
        record, transcript = call.record, call.transcript
        if record.path is None:
            raise ValueError("an attempt has no sound to judge")
        with self.writing(), tallies.kept(self, *self._sharing(record.call_id, transcript)):
            queue.drop(self, record.call_id, but=transcript.recording)
            self.upsert("recordings", "id", {
                "id": transcript.recording, "bytes": call.bytes, "duration_ms": transcript.duration_ms,
                "added_at": now(),
            })  # fmt: skip
            self.upsert("calls", "call_id", {**_record_row(record), "recording": transcript.recording})
            self.upsert("transcripts", "recording", _transcript_row(transcript, call.hearing))
            self._replace_judgement(call, run)
            self.sql.execute("delete from failures where path = ?", [spelled(record.path)])

    def save_judgement(self, call: AuditedCall, *, run: int) -> None:
        """Keep what today's rules say about a call whose transcript is in the store already."""
        with tallies.kept(self, call.record.call_id):
            self._replace_judgement(call, run)

    def forget(self, call_ids: Iterable[str]) -> None:
        """Remove calls whose recording now belongs to a call with another id; what was heard stays."""
        gone = list(call_ids)
        with tallies.kept(self, *gone):
            for call_id in gone:
                self.remove(call_id)

    def remove(self, call_id: str) -> None:
        """Delete a call and what the machine said of it; the caller keeps the tallies."""
        queue.drop(self, call_id)
        for table in ("promises", "findings", "outcomes", "scorecards", "calls"):
            self.sql.execute(f"delete from {table} where call_id = ?", [call_id])

    def fail(self, path: Path, reason: str, *, call_id: str | None, run: int) -> None:
        """Keep the reason why a file could not be judged; a later success removes it."""
        texts = (None if text is None else escaped(text) for text in (spelled(path), call_id, reason))
        with self.writing():
            self.sql.execute(
                "insert into failures (path, call_id, reason, run, failed_at, tries)"
                " values (?, ?, ?, ?, ?, 1)"
                " on conflict (path) do update set reason = excluded.reason, call_id = excluded.call_id,"
                " run = excluded.run, failed_at = excluded.failed_at, tries = tries + 1",
                [*texts, run, now()],
            )
            self.sql.execute("update runs set calls_failed = calls_failed + 1 where id = ?", [run])

    def move_failure(self, path: Path, to: Path) -> None:
        """The file of a failure was moved; so is its row."""
        with self.writing():
            # Only in place of another: a kill may have come between the move of the file and this.
            self.sql.execute("update or replace failures set path = ? where path = ?", [spelled(to), spelled(path)])

    def resolve(self, paths: Iterable[Path]) -> None:
        """Remove failures that a later run has not met again."""
        with self.writing():
            self.sql.executemany("delete from failures where path = ?", [[spelled(path)] for path in paths])

    def failures(self) -> list[Failure]:
        """Files that could not be judged and have not been since, by path."""
        return [
            Failure(
                path=Path(row["path"]),
                call_id=row["call_id"],
                reason=row["reason"],
                failed_at=datetime.fromisoformat(row["failed_at"]),
                tries=row["tries"],
                run=row["run"],
            )
            for row in self.all("select * from failures order by path")
        ]

    def calls(self, which: Filter = EVERY_CALL) -> Iterator[StoredCall]:
        """Judged calls by time, then id; each with its findings in order of time and one outcome per rule."""
        clause, values = where(which, day="substr(started_at, 1, 10)")
        for row in self.all(f"{_CALLS} where {clause} order by started_at, call_id", values):
            yield self._stored(row)

    def call(self, call_id: str) -> StoredCall | None:
        """One judged call."""
        row = self.one(f"{_CALLS} where calls.call_id = ?", [call_id])
        return None if row is None else self._stored(row)

    def some_calls(self, call_ids: Collection[str], *, outcomes_of: Collection[str]) -> dict[str, StoredCall]:
        """Judged calls by id, with the outcomes of these rules alone: they are most of what there is to read."""
        rows = list(self.all(f"{_CALLS} where calls.call_id in ({marks(call_ids)})", [*call_ids]))
        judgements = self._judgements(call_ids, outcomes_of)
        return {row["call_id"]: _stored(row, judgements[row["call_id"]]) for row in rows}

    def transcript(self, recording: str) -> Transcript | None:
        """What was heard in a recording (its SHA-256), if it was heard."""
        row = self.one("select * from transcripts where recording = ?", [recording])
        return None if row is None else _transcript(row)

    def lines(self, recordings: Collection[str]) -> dict[str, list[tuple[Role, str]]]:
        """Who said what in recordings, by their SHA-256: each turn as heard, and once more as it was probably said
        where that is something else. In a fifth of the time of a transcript.
        """
        sql = f"select recording, turns from transcripts where recording in ({marks(recordings)})"
        return {row["recording"]: _lines(orjson.loads(row["turns"])) for row in self.all(sql, [*recordings])}

    def finding(self, key: str) -> Finding | None:
        """A finding that the machine has today, by its key."""
        row = self.one("select * from findings where key = ? limit 1", [key])
        return None if row is None else _finding(row)

    def hearing(self, recording: str) -> str:
        """Digest of the settings under which a recording was heard."""
        row = self.one("select settings from transcripts where recording = ?", [recording])
        return "" if row is None else str(row["settings"])

    def done(self) -> dict[str, tuple[str, str]]:
        """Call id → (recording, settings digest) of every judged call: what a resumed batch may skip."""
        rows = self.all("select call_id, recording, settings from scorecards join calls using (call_id)")
        return {row["call_id"]: (row["recording"], row["settings"]) for row in rows}

    def done_call(self, call_id: str) -> tuple[str, str] | None:
        """The same of one call, as it is now."""
        row = self.one(
            "select recording, settings from scorecards join calls using (call_id) where call_id = ?", [call_id]
        )
        return None if row is None else (row["recording"], row["settings"])

    def heard(self) -> dict[str, str]:
        """Recording → digest of the settings under which its transcript was made."""
        return {r["recording"]: r["settings"] for r in self.all("select recording, settings from transcripts")}

    # what a report needs beside the calls

    def save_rules(self, ruleset: RuleSet) -> None:
        """Keep what a report cites of each rule, by the digest of the set, and the rule's own; a known set stays."""
        from rules.digests import rule_digests

        contents = rule_digests(ruleset)
        rows = [{**_rule_row(rule, ruleset.digest), "content": contents[rule.id]} for rule in ruleset.rules]
        known = "select 1 as known from rules where digest = ? and content is not null limit 1"
        with self.writing():
            if self.one(known, [ruleset.digest]) is None:
                self.sql.execute("delete from rules where digest = ?", [ruleset.digest])  # of before rules had digests
                for row in rows:
                    self.insert("rules", row)

    def rules(self, digest: str) -> dict[str, RuleCard]:
        """Rule id → the rule as it read in the set of that digest; empty where the digest was never kept."""
        rows = self.all("select * from rules where digest = ? order by rule_id", [digest])
        return {row["rule_id"]: _rule_card(row) for row in rows}

    def rule_digests(self, digest: str) -> dict[str, str | None]:
        """Rule id → its own digest (rules.digests) in the set of that digest; None where it is not known."""
        rows = self.all("select rule_id, content from rules where digest = ?", [digest])
        return {row["rule_id"]: row["content"] for row in rows}

    def runs(self) -> dict[int, Run]:
        """Every run by its id, oldest first."""
        return {row["id"]: _run(row) for row in self.all("select * from runs order by id")}

    def hearing_notes(self) -> dict[str, tuple[tuple[str, ...], float]]:
        """Recording → notes for reviewers and role confidence, without reading the words."""
        rows = self.all("select recording, notes, role_confidence from transcripts")
        return {row["recording"]: (tuple(json.loads(row["notes"])), row["role_confidence"]) for row in rows}

    # below: SQL only

    def _sharing(self, call_id: str, transcript: Transcript) -> list[str]:
        """The call, and where its sound has another length than an earlier recogniser said, all with that sound."""
        length = self.one("select duration_ms from recordings where id = ?", [transcript.recording])
        if length is None or length["duration_ms"] == transcript.duration_ms:
            return [call_id]
        same = self.all("select call_id from calls where recording = ?", [transcript.recording])
        return list(dict.fromkeys([call_id, *(row["call_id"] for row in same)]))

    def _keep_record(self, record: CallRecord) -> None:
        """The list may have changed its mind about a judged call: then what hangs on it follows."""
        row = _record_row(record)
        known = self.one("select * from calls where call_id = ?", [record.call_id])
        if known is None or all(known[name] == row[name] for name in (*queue.FROM_CALL, "days_overdue")):
            self.upsert("calls", "call_id", row)
            return
        with tallies.kept(self, record.call_id):
            self.upsert("calls", "call_id", row)
            queue.move(self, record)

    def _replace_judgement(self, call: AuditedCall, run: int) -> None:
        call_id, recording, engine = call.record.call_id, call.transcript.recording, call.transcript.engine
        self.sql.execute(
            "update runs set engine = ?, engine_version = ?, model = ?, model_sha256 = ?,"
            " calls_done = calls_done + 1 where id = ?",
            [engine.name, engine.version, engine.model, engine.model_sha256, run],
        )
        self.upsert("scorecards", "call_id", {
            "call_id": call_id, "run": run, "settings": call.settings, "score": call.card.score,
            "card": packed(call.card.as_dict()),
            "promise": None if call.promise is None else packed(call.promise),
        })  # fmt: skip
        replace_promise(self, call)
        self.sql.execute("delete from findings where call_id = ?", [call_id])
        self.sql.execute("delete from outcomes where call_id = ?", [call_id])
        findings = call.judgement.findings
        found = list(zip(finding_keys(recording, findings), findings, strict=True))
        for key, finding in found:
            self.insert("findings", _finding_row(finding) | {
                "call_id": call_id, "recording": recording, "key": key,
            })  # fmt: skip
        queue.keep(self, call.record, recording, found)
        self.sql.executemany(
            "insert into outcomes (call_id, rule_id, result) values (?, ?, ?)",
            [(call_id, rule, result.value) for rule, result in call.judgement.outcomes.items()],
        )

    def _stored(self, row: Mapping[str, Any]) -> StoredCall:
        return _stored(row, self._judgements([row["call_id"]])[row["call_id"]])

    def _judgements(
        self, call_ids: Collection[str], outcomes_of: Collection[str] | None = None
    ) -> dict[str, Judgement]:
        """What stands of calls, by id: all their findings, and the outcomes of all rules or of these."""
        ids = [*call_ids]
        findings: dict[str, list[Finding]] = {call_id: [] for call_id in ids}
        for row in self.all(f"select * from findings where call_id in ({marks(ids)}) order by id", ids):
            findings[row["call_id"]].append(_finding(row))
        some = "" if outcomes_of is None else f" and rule_id in ({marks(outcomes_of)})"
        sql = f"select call_id, rule_id, result from outcomes where call_id in ({marks(ids)}){some}"
        outcomes: dict[str, dict[str, Result]] = {call_id: {} for call_id in ids}
        with told(self.path):  # 200 rows of a call that is judged anew: a dictionary for each would be felt
            for call_id, rule_id, result in self.sql.execute(sql, [*ids, *(outcomes_of or ())]).fetchall():
                outcomes[call_id][rule_id] = _RESULTS[result]
        return {id_: Judgement(findings=tuple(findings[id_]), outcomes=outcomes[id_]) for id_ in ids}


def _stored(row: Mapping[str, Any], judgement: Judgement) -> StoredCall:
    return StoredCall(
        record=_record(row),
        recording=row["recording"],
        duration_ms=row["heard_ms"],
        run=row["run"],
        judgement=judgement,
        stored_card=row["card"],
        promise=None if row["promise"] is None else json.loads(row["promise"]),
    )


def _record_row(record: CallRecord) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(record, name) for name in _OF_RECORD}
    row["started_at"] = None if record.started_at is None else record.started_at.isoformat()
    row["answered"] = None if record.answered is None else int(record.answered)
    row["extra"] = packed(dict(record.extra))
    if record.path is None:
        return {name: value for name, value in row.items() if name not in _ONLY_CALLS}
    return row | {"path": spelled(record.path)}


def _record(row: Mapping[str, Any]) -> CallRecord:
    values = {name: row[name] for name in _OF_RECORD}
    values["path"] = None if row["path"] is None else Path(row["path"])
    values["started_at"] = None if row["started_at"] is None else datetime.fromisoformat(row["started_at"])
    values["answered"] = None if row["answered"] is None else bool(row["answered"])
    values["extra"] = json.loads(row["extra"])
    return CallRecord(**values)


def _transcript_row(transcript: Transcript, hearing: str) -> dict[str, Any]:
    engine = transcript.engine
    return {
        "recording": transcript.recording,
        "settings": hearing,
        "language": transcript.language,
        "duration_ms": transcript.duration_ms,
        "role_confidence": float(transcript.role_confidence),
        "notes": packed(transcript.notes),
        "engine": engine.name,
        "engine_version": engine.version,
        "model": engine.model,
        "model_sha256": engine.model_sha256,
        "options": packed(engine.options),
        "turns": packed([_turn_row(turn) for turn in transcript.turns]),
        "words": zlib.compress(packed([turn.words for turn in transcript.turns]).encode()),
    }


def _turn_row(turn: Turn) -> dict[str, Any]:
    names = ("index", "role", "channel", "start_ms", "end_ms", "text", "confidence")
    row = {name: getattr(turn, name) for name in names}
    known = {"reading": turn.reading, "level_db": turn.level_db}
    return row | {name: value for name, value in known.items() if value is not None}


def _lines(turns: Sequence[Mapping[str, Any]]) -> list[tuple[Role, str]]:
    heard = [(_ROLES[turn["role"]], turn["text"]) for turn in turns]
    return heard + [(_ROLES[turn["role"]], turn["reading"]) for turn in turns if "reading" in turn]


def _transcript(row: Mapping[str, Any]) -> Transcript:
    said = orjson.loads(row["turns"])
    heard = orjson.loads(zlib.decompress(row["words"]))
    for values, spoken in zip(said, heard, strict=True):
        values |= {"role": _ROLES[values["role"]], "words": tuple(map(Word._make, spoken))}
    return Transcript(
        recording=row["recording"],
        duration_ms=row["duration_ms"],
        turns=tuple([Turn(**values) for values in said]),
        engine=EngineInfo(
            name=row["engine"],
            version=row["engine_version"],
            model=row["model"],
            model_sha256=row["model_sha256"],
            options=tuple((name, value) for name, value in json.loads(row["options"])),
        ),
        language=row["language"],
        role_confidence=row["role_confidence"],
        notes=tuple(json.loads(row["notes"])),
    )


def _finding_row(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in _OF_FINDING} | {
        "severity": finding.severity.value,
        "result": finding.result.value,
        "confidence": float(finding.confidence),
    }


def _finding(row: Mapping[str, Any]) -> Finding:
    values = {name: row[name] for name in _OF_FINDING}
    values |= {"severity": _SEVERITIES[row["severity"]], "result": _RESULTS[row["result"]]}
    return Finding(**values)


def _rule_row(rule: Rule, digest: str) -> dict[str, Any]:
    names = ("version", "title", "title_en", "category", "kind")
    return {
        "digest": digest,
        "rule_id": rule.id,
        **{name: getattr(rule, name) for name in names},
        "severity": rule.severity.value,
        "citations": packed([reference.model_dump(mode="json") for reference in rule.references]),
    }


def _rule_card(row: Mapping[str, Any]) -> RuleCard:
    names = ("version", "title", "title_en", "category", "kind")
    return RuleCard(
        id=row["rule_id"],
        **{name: row[name] for name in names},
        severity=Severity(row["severity"]),
        references=tuple(Reference(**values) for values in json.loads(row["citations"])),
    )


def _run(row: Mapping[str, Any]) -> Run:
    settings = {f.name: row[f.name] for f in fields(Settings)} | {"options": json.loads(row["options"])}
    return Run(
        id=row["id"],
        kind=row["kind"],
        started_at=datetime.fromisoformat(row["started_at"]),
        finished_at=None if row["finished_at"] is None else datetime.fromisoformat(row["finished_at"]),
        status=row["status"],
        settings=Settings(**settings),
        engine_version=row["engine_version"],
        model_sha256=row["model_sha256"],
        calls_done=row["calls_done"],
        calls_failed=row["calls_failed"],
    )
