"""The evidence of one call as one file, for somebody who does not trust us: everything that the findings rest on,
each part named with its hash in a manifest, and the stretch of the ledger that says who did what with it.

docs/verify_evidence.py checks such a file with nothing but Python's standard library.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import date, datetime
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from audit.access import Actor
from audit.errors import AuditError, BadPath, os_reason
from audit.remote import fetched, spelled
from audit.store import Store, StoredCall, finding_keys
from audit.store.ledger import entries
from audit.store.verdicts import of_call
from audit.unmask import unmask_export
from rules.model import Finding
from transcribe.audio import fingerprint
from transcribe.errors import UnreadableAudio
from transcribe.files import to_dict

FORMAT = 1
LONGEST_STRETCH = 200_000
"""Ledger entries in one package; beyond it only those about the call are in it, and the manifest says so."""

_EPOCH = (1980, 1, 1, 0, 0, 0)  # of a zip: the same evidence gives the same bytes


class NoEvidence(AuditError):
    """A call that is not in the store, or whose transcript is not."""


def evidence(store: Store, call_id: str, *, reason: str, actor: Actor, sound: bool = False) -> bytes:
    """The package of a call as bytes of a zip; with the recording itself where `sound` is asked for.

    It holds personal data unmasked, so the right to take it out is asked for and the reason goes into the ledger,
    whose entry is the last of the package. `NoEvidence`, `Refused`, `NoReason`, `BadPath`.
    """
    call, transcript = store.call(call_id), None
    if call is not None:
        transcript = store.transcript(call.recording)
    if call is None or transcript is None:
        raise NoEvidence(f"没有已判定的通话 {call_id}；请用 callaudit report 查看通话编号")
    recording = _recording(call, sound=sound)
    with store.writing():
        unmask_export(store, call_id, reason, actor=actor)
        run = store.runs()[call.run]
        parts = {
            "call.json": {**asdict(call.record), "recording": call.recording, "duration_ms": call.duration_ms},
            "transcript.json": to_dict(transcript),
            "findings.json": _findings(call),
            "outcomes.json": call.judgement.outcomes,
            "scorecard.json": call.card.as_dict(),
            "verdicts.json": [asdict(said) for said in of_call(store, call.recording)],
            "run.json": asdict(run),
            "rules.json": [asdict(rule) for rule in store.rules(run.settings.ruleset_digest).values()],
            "ledger.json": _stretch(store, call),
        }
    return _zip({name: _json(part) for name, part in parts.items()} | recording, call, run.settings.ruleset_digest)


@contextmanager
def new_package(to: Path) -> Iterator[IO[bytes]]:
    """A new file for a package, readable by its owner alone; `BadPath` where one stands there already.

    Open it before `evidence` is asked for: where the file can't be made, nothing is taken out, and the ledger says
    nothing of it. It is gone again where it could not be written to the end.
    """
    try:
        handle = os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
        except BaseException:
            to.unlink()
            raise
    except OSError as error:
        raise BadPath(f"{to}：证据包写不进去（{os_reason(error)}）；请换一个文件名或检查权限") from error


def _recording(call: StoredCall, *, sound: bool) -> dict[str, bytes]:
    if not sound:
        return {}
    path = call.record.path
    assert path is not None
    try:
        with fetched(path) as file:
            found, sound_bytes = fingerprint(file), file.read_bytes()
    except UnreadableAudio as error:
        raise BadPath(str(error)) from error
    if found != call.recording:
        raise BadPath(f"{spelled(path)}：录音与审计时的不是同一个文件（SHA-256 不同）；请找回原来的录音")
    return {f"recording{path.suffix}": sound_bytes}


def _findings(call: StoredCall) -> list[dict[str, Any]]:
    found = call.judgement.findings
    return [
        {"key": key, **{f.name: getattr(finding, f.name) for f in fields(Finding)}}
        for key, finding in zip(finding_keys(call.recording, found), found, strict=True)
    ]


def _stretch(store: Store, call: StoredCall) -> dict[str, Any]:
    """Entries from the first about the call to the newest, unbroken; or only those about it where that is too long."""
    about: list[dict[str, Any]] = []
    since: list[dict[str, Any]] = []
    for row in _rows(entries(store)):
        if _concerns(row, call):
            about.append(row)
        if about and len(since) <= LONGEST_STRETCH:
            since.append(row)
    whole = len(since) <= LONGEST_STRETCH
    shown = since if whole else about
    return {"unbroken": whole, "about_this_call": [row["seq"] for row in about], "entries": shown}


def _rows(rows: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    return ({**row, "data": json.loads(row["data"])} for row in rows)


def _concerns(row: Mapping[str, Any], call: StoredCall) -> bool:
    ids = (call.record.call_id, call.recording)
    return row["subject"] in ids or row["data"].get("call") in ids


def _zip(parts: Mapping[str, bytes], call: StoredCall, rules_digest: str) -> bytes:
    manifest = {
        "format": FORMAT,
        "call_id": call.record.call_id,
        "recording_sha256": call.recording,
        "rules_sha256": rules_digest,
        "files": {name: sha256(content).hexdigest() for name, content in sorted(parts.items())},
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in (("manifest.json", _json(manifest)), *sorted(parts.items())):
            package.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return value.name
    return str(value)
