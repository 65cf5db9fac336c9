"""Recordings at addresses: s3://bucket/key, sftp://host/path, http(s)://host/path, through fsspec.

An address travels as a Path, which makes one slash of two; `spelled` puts the second back. Who may read is settled by
what the libraries themselves look at (AWS_… variables, SSH keys and known_hosts): an address that
carries a password or a signature is refused, since addresses are kept and shown.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from audit.calls import CallList, CallRecord
from audit.errors import AuditError, BadConfig, BadPath
from transcribe.errors import BadTranscript, TranscribeError, UnreadableAudio

_WEB = ("http", "https")
SCHEMES = ("s3", "sftp", *_WEB)
_SECRET = re.compile(r"[?#]|//[^/]*@")
_AHEAD = 8
"""Recordings that are fetched for their sums while earlier ones are at work: a bucket answers in tens of ms."""
_PIECE = 1 << 20
_KEEPALIVE_S = 30  # after which a host that is gone is noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a recording is known by: SHA-256 and number of its bytes; `problem` where it can't be read. `copy` is what
    was fetched of an address and kept.
    """

    sha256: str = ""
    bytes: int = 0
    problem: str = ""
    copy: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file at an address; `problem` where it, or the folder of this name, can't be used; `mark` changes with the file
    (size, and ETag or time), and is empty where a listing does not tell.
    """

    path: Path
    problem: str = ""
    mark: str = ""


def address(path: Path) -> str | None:
    """The address that a path stands for, None for a file of this machine."""
    scheme, colon, rest = str(path).partition(":/")
    return f"{scheme}://{rest.lstrip('/')}" if colon and scheme in SCHEMES else None


def spelled(path: Path) -> str:
    """The path or address as people write it."""
    return address(path) or str(path)


def plain(path: Path) -> Path:
    """file:///share/a.wav → /share/a.wav; every other path as it is."""
    scheme, colon, rest = str(path).partition(":/")
    return Path("/", rest) if colon and scheme == "file" else path


def refuse_secret(path: Path) -> None:
    """`BadPath` for an address that holds a password or a signature; it is not repeated in the message."""
    found = address(path)
    if found is not None and _SECRET.search(found):
        raise BadPath("录音地址里不能有用户名、密码、? 或 #：地址会存进数据库；请用环境变量、SSH 密钥等方式授权")


def is_file(path: Path, suffixes: frozenset[str]) -> bool:
    """Whether an address names a recording, not a folder: by its suffix, since a web server does not tell."""
    return path.suffix.lower() in suffixes


def files_below(path: Path) -> Iterator[Entry]:
    """Files below the folder at an address, folder by folder in order of names; `BadPath` where it can't be entered."""
    with _told(path, BadPath):
        system, root = _open(path)
        folders = deque([(root, _entries(system, root))])
    seen = {root}
    while folders:
        here, entries = folders.popleft()
        for name, is_folder, mark in entries:
            found = _as_path(path, name)
            if not name.startswith(f"{root.rstrip('/')}/") or name in seen:
                continue  # a link of a web page to somewhere else
            if is_folder and not _unusable(found, name):
                seen.add(name)
                try:
                    with _told(found, BadPath):
                        folders.append((name, _entries(system, name)))
                except BadPath as error:
                    yield Entry(path=found, problem=str(error))
            elif name != here:
                yield Entry(path=found, problem=_unusable(found, name), mark=mark)


def mark_of(entry: Entry) -> str:
    """Its mark, asked for where the listing told none: web pages don't. `BadPath` where it is gone."""
    if entry.mark:
        return entry.mark
    with _told(entry.path, BadPath):
        system, name = _open(entry.path)
        return _mark(system.info(name))


def identify(paths: Iterable[Path], *, keep: Path | None = None) -> Iterator[Identity]:
    """SHA-256 and size of each recording, in order; of what lies at addresses some are fetched ahead, into the folder
    `keep` where it is given.
    """
    pool = ThreadPoolExecutor(_AHEAD)
    waiting: deque[Future[Identity]] = deque()
    try:
        for path in paths:
            if address(path) is None:
                yield from _all(waiting)
                yield _identity(path, None)
                continue
            waiting.append(pool.submit(_identity, path, keep))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        yield from _all(waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def fetched(path: Path) -> Iterator[Path]:
    """The recording as a file of this machine: itself, or for the time being a private copy of what lies at the
    address. What goes wrong inside is told of the address.
    """
    if address(path) is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="callaudit-", ignore_cleanup_errors=True) as folder:  # its owner's alone
        copy = Path(folder, f"recording{path.suffix.lower()}")
        with copy.open("xb") as file:
            for piece in _pieces(path):
                file.write(piece)
        with told_of(path, copy):
            yield copy


@contextmanager
def told_of(path: Path, copy: Path) -> Iterator[None]:
    """What goes wrong with a copy is told of the original."""
    try:
        yield
    except UnreadableAudio as error:
        raise UnreadableAudio(spelled(path), error.reason) from None
    except BadTranscript as error:
        raise BadTranscript(str(error).replace(str(copy), spelled(path))) from None


def read_list_at(path: Path, read: Any) -> CallList | None:
    """The call list at an address by `read`, its recordings beside it there; None where there is none."""
    with _told(path, BadPath):
        system, name = _open(path)
        if not system.exists(name):
            return None
    with tempfile.TemporaryDirectory(prefix="callaudit-") as folder:
        copy = Path(folder, path.name)
        with _told(path, BadPath):
            copy.write_bytes(b"".join(_pieces(path)))
        found: CallList = read(copy)
    return CallList(
        file=path,
        records=tuple(_moved(record, copy.parent, path.parent) for record in found.records),
        bad=tuple(
            replace(row, reason=row.reason.replace(str(copy), spelled(path)), path=_beside(row.path, copy, path))
            for row in found.bad
        ),
    )


def _moved(record: CallRecord, here: Path, there: Path) -> CallRecord:
    return record if record.path is None else replace(record, path=there / record.path.relative_to(here))


def _beside(path: Path | None, copy: Path, original: Path) -> Path | None:
    return None if path is None else original.parent / path.relative_to(copy.parent)


def _identity(path: Path, keep: Path | None) -> Identity:
    from transcribe.audio import fingerprint

    try:
        if address(path) is None:
            return Identity(sha256=fingerprint(path), bytes=os.stat(path).st_size)
        digest, size = hashlib.sha256(), 0
        copy = None if keep is None else Path(tempfile.mkdtemp(dir=keep), f"recording{path.suffix.lower()}")
        with nullcontext() if copy is None else copy.open("xb") as file:
            for piece in _pieces(path):
                digest.update(piece)
                size += len(piece)
                if file is not None:
                    file.write(piece)
        return Identity(sha256=digest.hexdigest(), bytes=size, copy=copy)
    except (TranscribeError, OSError) as error:
        return Identity(problem=str(error))


def _all(waiting: deque[Future[Identity]]) -> Iterator[Identity]:
    while waiting:
        yield waiting.popleft().result()


def _pieces(path: Path) -> Iterator[bytes]:
    with _told(path, UnreadableAudio):
        system, name = _open(path)
        with system.open(name, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def _open(path: Path) -> tuple[Any, str]:
    """The file system of an address, and the name that it knows the file by."""
    try:
        from fsspec.core import url_to_fs

        found = spelled(path)
        scheme, _, rest = found.partition("://")
        options = {"use_listings_cache": False}
        if scheme == "sftp":
            _know_hosts()
            options = {}  # it keeps no listings, and would hand the word to SSH
        if scheme in _WEB:
            found = f"{scheme}://{quote(rest, safe='/:[]')}"
        system, name = url_to_fs(found, **options)
        if scheme == "sftp":
            system.stay_connected()
    except ImportError:
        raise BadConfig("读取地址上的录音需要 fsspec 等；请运行 pip install 'callaudit[remote]'") from None
    return system, str(name)


@cache
def _know_hosts() -> None:
    """fsspec would take any host for the one that was meant."""
    import paramiko
    from fsspec import register_implementation
    from fsspec.implementations.sftp import SFTPFileSystem

    class KnownHosts(SFTPFileSystem):  # type: ignore[misc]
        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            self.client.connect(self.host, **self.ssh_kwargs)
            self.client.get_transport().set_keepalive(_KEEPALIVE_S)
            self.ftp = self.client.open_sftp()

        def stay_connected(self) -> None:
            """fsspec keeps one connection for good; the host may have ended it since."""
            if not self.client.get_transport().is_active():
                self.client.close()
                self._connect()

    register_implementation("sftp", KnownHosts, clobber=True)


def _entries(system: Any, folder: str) -> list[tuple[str, bool, str]]:
    """(name, whether it is a folder, mark), in order of names."""
    listed = system.ls(folder, detail=True)
    # In a bucket the folder named a/ holds a//b, and the object named a/ stands for the folder a.
    listed = [one for one in listed if not ("ETag" in one and str(one["name"]).endswith("/"))]
    found = ((str(one["name"]), one["type"] == "directory", _mark(one)) for one in listed)
    return sorted((name.rstrip("/") if name.startswith(_WEB) else name, *rest) for name, *rest in found)


def _mark(facts: Mapping[str, Any]) -> str:
    """Empty where neither size nor time is told."""
    told = [facts.get(name) for name in ("size", "ETag", "LastModified", "mtime", "Last-Modified")]
    return " ".join(str(fact) for fact in told if fact is not None)


def _as_path(asked: Path, name: str) -> Path:
    """The Path of what a file system calls by `name`."""
    scheme, _, rest = spelled(asked).partition("://")
    if scheme in _WEB:
        return Path(unquote(name))
    return Path(f"{scheme}://{rest.partition('/')[0]}{name}" if scheme == "sftp" else f"{scheme}://{name}")


def _unusable(path: Path, name: str) -> str:
    """A key such as a//b or a/./b would be another one as a path."""
    if not spelled(path).endswith(unquote(name).lstrip("/")) or _SECRET.search(spelled(path)):
        return f"{spelled(path)}：名字里有空的、. 或 .. 的一段，或有 ?、#、@；请改名"
    return ""


@contextmanager
def _told(path: Path, kind: type[BadPath] | type[UnreadableAudio]) -> Iterator[None]:
    """What a file system says, as one sentence without its words, which may hold keys and signatures."""
    try:
        yield
    except (AuditError, TranscribeError):
        raise
    except Exception as error:  # each library has its own kinds
        reason = _reason(error)
        found = spelled(path)
        raise (BadPath(f"{found}：{reason}") if kind is BadPath else UnreadableAudio(found, reason)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "没有这个文件或文件夹；请检查地址"
    if isinstance(error, PermissionError):
        return "没有读取权限；请检查访问密钥或账号"
    return f"读取失败（{type(error).__name__}）；请检查网络、地址和访问权限"
