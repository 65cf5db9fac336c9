"""Recordings that people hand in through the browser: kept in the inbox under safe names, listed for the worker."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from pathlib import Path
from unicodedata import category, normalize

from audit.access import Action, Actor, require
from audit.calls import CallList, read_calls
from audit.errors import AuditError, os_reason
from audit.ledger import Kind, record
from audit.plan import SOUND
from audit.store import Store
from audit.store import operations as rows

LONGEST_NAME = 120
"""In bytes of UTF-8; file systems stop at 255, and ours gets a suffix."""
CALL_LIST = "calls.csv"
_SPARE_BYTES = 1 << 30
"""Left free on the disk, for the store."""


class BadUpload(AuditError):
    """A file that is not taken in; says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as the browser sent it: the name is whatever somebody made it."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Where uploads go, and how large one may be. `utc_offset` is meant by times in a call list without one."""

    folder: Path
    largest_bytes: int
    utc_offset: tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an upload: `queued` by name; `known` names recordings that are judged already, with the call."""

    queued: tuple[str, ...]
    known: dict[str, str]


def take_in(store: Store, uploads: Sequence[Upload], *, inbox: Inbox, actor: Actor) -> Taken:
    """Keep recordings, with a call list among them where there is one, and list them for the worker.

    All or nothing: `BadUpload` (or `BadCalls`) names the first file that can't be taken, and none is kept.
    """
    require(actor, Action.OPERATE)
    names = _names(uploads, inbox)
    known = {name: call for name, u in names.items() if (call := _known(store, u)) and name != CALL_LIST}
    wanted = {name: u for name, u in names.items() if name not in known}
    if not wanted.keys() - {CALL_LIST}:
        return Taken(queued=(), known=known)
    folder = _new_folder(inbox, sum(len(u.content) for u in wanted.values()))
    try:
        for name, upload in wanted.items():
            _write(folder / name, upload.content)
        if CALL_LIST in wanted:
            _read_list(folder / CALL_LIST, inbox)
        queued = _queue(store, folder, wanted, actor)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Taken(queued=queued, known=known)


def safe_name(name: str) -> str:
    """A file name that stays where it is put: no folders, no control characters, not hidden, not too long.

    >>> safe_name("../../etc/通话 1.WAV")
    '通话 1.WAV'
    """
    name = normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(c for c in name if category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    name = re.sub(r'[<>:"|?*]', "_", name).strip(" .~$")
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem.strip(" ."):
        raise BadUpload(f"{name or '没有名字的文件'}：文件名要有后缀，例如 通话.wav")
    return f"{_cut(stem.strip(' .'), LONGEST_NAME)}.{suffix[:8]}"


def _names(uploads: Sequence[Upload], inbox: Inbox) -> dict[str, Upload]:
    """Safe name → upload, each name once; `BadUpload` for what is too large, empty or neither sound nor list."""
    found: dict[str, Upload] = {}
    for upload in uploads:
        name = safe_name(upload.name)
        if name.lower().endswith(".csv"):
            name = CALL_LIST
        elif Path(name).suffix.lower() not in SOUND:
            raise BadUpload(f"{name}：不是录音；支持 {'、'.join(sorted(SOUND))}，和一个通话清单 calls.csv")
        if name in found:
            raise BadUpload(f"{name}：有两个文件同名；请分两次上传")
        if not 0 < len(upload.content) <= inbox.largest_bytes:
            limit = f"{inbox.largest_bytes >> 20} MB"
            raise BadUpload(f"{name}：{'是空文件' if not upload.content else f'超过 {limit}'}")
        found[name] = upload
    return found


def _known(store: Store, upload: Upload) -> str | None:
    return rows.call_of_recording(store, sha256(upload.content).hexdigest())


def _new_folder(inbox: Inbox, needed: int) -> Path:
    """A folder of its own for each upload, so that no name meets another; for its owner only."""
    folder = inbox.folder.absolute() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, mode=0o700)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise BadUpload(
            f"{inbox.folder}：不能存放上传的录音（{os_reason(error)}）；请检查 inbox 配置和写权限"
        ) from error
    if free - needed < _SPARE_BYTES:
        folder.rmdir()
        raise BadUpload(f"磁盘只剩 {free / 1e9:.1f} GB，放不下；请先腾出空间")
    return folder


def _write(path: Path, content: bytes) -> None:
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise BadUpload(f"{path.name}：没有存下来（{os_reason(error)}）；请重试") from error


def _read_list(path: Path, inbox: Inbox) -> CallList:
    found = read_calls(path, utc_offset=inbox.utc_offset)
    if found.bad:
        row = found.bad[0]
        why = row.reason.removeprefix(f"{path} ")  # where it lies on the server is nobody's business
        raise BadUpload(f"{CALL_LIST} {why}；共 {len(found.bad)} 行有误，改好后再上传")
    return found


def _queue(store: Store, folder: Path, wanted: dict[str, Upload], actor: Actor) -> tuple[str, ...]:
    names = tuple(name for name in wanted if name != CALL_LIST)
    with store.writing():
        for name in names:
            rows.ask_for(store, folder / name, kind="upload", name=name, by=actor.name)
        data = {"recordings": len(names), "call_list": CALL_LIST in wanted, "folder": folder.name}
        record(store, actor=actor, kind=Kind.UPLOAD, subject=folder.name, data=data)
    return names


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore")
