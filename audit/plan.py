"""What a batch is to do: find the recordings, give each its call record, and name the settings by digests."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from itertools import chain
from pathlib import Path

from audit import remote
from audit.calls import BadRow, CallList, CallRecord, default_record, is_inbound
from audit.errors import BadPath, escaped, os_reason
from audit.links import Reach, told
from audit.store import Settings

SOUND = frozenset({".wav", ".mp3", ".m4a", ".amr", ".ogg", ".opus", ".flac", ".aac", ".3gp", ".au", ".wma", ".webm"})
TEXT = frozenset({".json", ".srt", ".csv"})
"""Suffixes looked for in folders: with a recogniser, and with the `transcript` engine."""

_CACHES = frozenset({"__pycache__", "@eadir", "$recycle.bin", "system volume information", "node_modules"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that will not be audited, and why: a folder without permission, a row that can't be used."""

    path: Path
    reason: str
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Calls to audit, each with the path of its recording; attempts; what is refused beforehand; ids of calls
    in the store whose recording now belongs to another id; the `scope` that was looked through; recordings `fresh` to
    the store that stand in no list either, and how many lists there are.
    """

    records: tuple[CallRecord, ...]
    attempts: tuple[CallRecord, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    replaced: tuple[str, ...] = ()
    scope: tuple[Path, ...] = ()
    fresh: frozenset[Path] = frozenset()
    lists: int = 0

    @property
    def unlisted(self) -> int:
        """Recordings whose record is guessed from the file name although lists were given."""
        return len(self.fresh) if self.lists else 0

    def covers(self, failed: Path) -> bool:
        """Whether a failure of an earlier run would have come up again in this one."""
        return any(failed.is_relative_to(place) or str(failed).startswith(f"{place}:") for place in self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What counts as a recording in a folder, and the folders that links may lead into beside those named."""

    suffixes: frozenset[str]
    linked: tuple[Path, ...] = ()


@dataclass(slots=True)
class _Search:
    """Files found so far (in order, each once), what could not be entered, and the folders that links led into."""

    files: dict[Path, None] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    entered: set[Path] = field(default_factory=set)

    def refuse(self, error: OSError) -> None:
        folder = Path(error.filename)
        reason = f"{folder}：进不了这个文件夹（{os_reason(error)}）；请给运行本程序的用户授权"
        self.refusals.append(Refusal(path=folder, reason=reason))

    def lets(self, path: Path, reach: Reach) -> bool:
        """Whether a file or folder may be read; a link that leads out is refused in words."""
        real = reach.leaves(path)
        if real is not None:
            self.refusals.append(Refusal(path=path, reason=told(path, real)))
        return real is None

    def enters(self, link: Path) -> bool:
        """Whether a folder is new: no walk comes by it, so that a circle of links is walked once."""
        real = Path(os.path.realpath(link))
        new = not any(real.is_relative_to(folder) for folder in self.entered)
        self.entered.add(real)
        return new


def make_plan(
    paths: Sequence[Path],
    *,
    wanted: Wanted,
    lists: Sequence[CallList],
    known: Mapping[Path, Sequence[CallRecord]],
    utc_offset: tzinfo,
) -> Plan:
    """Find recordings under `paths` and give each its record: from a call list, else from the store (`known`),
    else from its file name. `BadPath` where a path isn't there.
    """
    refuse_missing(paths)
    search = _find(paths, wanted, skip={_absolute(calls.file) for calls in lists})
    listed = [record for calls in lists for record in calls.records]
    refused_links = {refusal.path for refusal in search.refusals}
    sought = [record for record in listed if record.path is not None and record.path not in refused_links]
    named, missing = _match(sought, search.files, _folders(paths))
    unnamed = set(search.files) - set(named)
    refused = [_refused_row(calls.file, row, unnamed) for calls in lists for row in calls.bad]
    bad = {refusal.path for refusal in refused}
    rest = [path for path in search.files if path not in named and path not in bad]
    stored = {path: known[path] for path in rest if path in known}
    taken = {record.call_id for records in (*named.values(), *known.values()) for record in records}
    fresh = list(_unlisted([path for path in rest if path not in stored], taken, utc_offset))
    return Plan(
        records=(*chain(*named.values()), *chain(*stored.values()), *fresh),
        attempts=tuple(record for record in listed if record.path is None),
        refusals=(*search.refusals, *refused, *missing),
        replaced=_replaced(named, known),
        scope=(*map(_absolute, paths), *(_absolute(calls.file) for calls in lists)),
        fresh=frozenset(record.path for record in fresh if record.path is not None),
        lists=len(lists),
    )


def keepable(plan: Plan) -> Plan:
    """The plan without recordings whose names no store can keep, since they are not UTF-8: those are refused."""
    refused = [_refused_name(record) for record in plan.records]
    records = tuple(record for record, refusal in zip(plan.records, refused, strict=True) if refusal is None)
    return replace(plan, records=records, refusals=(*plan.refusals, *filter(None, refused)))


def _refused_name(record: CallRecord) -> Refusal | None:
    assert record.path is not None
    name = str(record.path)
    if escaped(name) == name:
        return None
    reason = f"{name}：文件名或文件夹名不是 UTF-8，数据库存不了；请把它改成 UTF-8 的名字，再审计一次"
    return Refusal(path=record.path, reason=reason, call_id=record.call_id)


def _refused_row(file: Path, row: BadRow, unnamed: set[Path]) -> Refusal:
    """A bad row stands for its recording, which is not judged by half a record; else for its line."""
    path = row.path if row.path is not None and row.path in unnamed else Path(f"{_absolute(file)}:{row.line}")
    return Refusal(path=path, reason=row.reason)


def files_in(folder: Path, *, linked: tuple[Path, ...]) -> Iterator[Path]:
    """All files below a folder among which a batch looks for recordings; what can't be entered is left out."""
    return _walk(folder, _Search(entered={Path(os.path.realpath(folder))}), Reach.of(folder, linked))


def is_looked_at(below: Iterable[str]) -> bool:
    """Whether a batch looks at a file by the parts of its path below the folder: none hidden, none a cache."""
    return all(_shown(part) and part.lower() not in _CACHES for part in below)


def refuse_missing(paths: Sequence[Path]) -> None:
    """`BadPath` for what is not there, before anything is begun."""
    for path in paths:
        remote.refuse_secret(path)
        if remote.address(path) is None and not os.path.lexists(path):
            raise BadPath(f"{path}：没有这个文件或文件夹；请检查路径")


def _replaced(
    named: Mapping[Path, Sequence[CallRecord]], known: Mapping[Path, Sequence[CallRecord]]
) -> tuple[str, ...]:
    """Ids that the store made up from file names, or that an older list gave, for calls that now have another."""
    listed = {record.call_id for records in named.values() for record in records}
    return tuple(old.call_id for path in named for old in known.get(path, ()) if old.call_id not in listed)


def _find(paths: Sequence[Path], wanted: Wanted, *, skip: set[Path]) -> _Search:
    search = _Search(entered={Path(os.path.realpath(path)) for path in paths if path.is_dir()})
    for path in map(_absolute, paths):
        if remote.address(path) is not None:
            _find_there(path, wanted, search, skip)
            continue
        reach = Reach.of(path, wanted.linked)
        if path.is_dir():
            for file in _walk(path, search, reach):
                ours = file.suffix.lower() in wanted.suffixes and file not in skip and not _special(file)
                if ours and search.lets(file, reach):
                    search.files[file] = None
        elif not path.is_file():  # a pipe or a device would never end
            search.refusals.append(Refusal(path=path, reason=f"{path}：不是普通文件；请给录音文件或文件夹"))
        elif search.lets(path, reach):
            search.files[path] = None
    return search


def _find_there(path: Path, wanted: Wanted, search: _Search, skip: set[Path]) -> None:
    """The same at an address."""
    if remote.is_file(path, wanted.suffixes):
        search.files[path] = None
        return
    for entry in remote.files_below(path):
        if not is_looked_at(entry.path.relative_to(path).parts):
            continue
        if entry.problem:
            search.refusals.append(Refusal(path=entry.path, reason=entry.problem))
        elif entry.path.suffix.lower() in wanted.suffixes and entry.path not in skip:
            search.files[entry.path] = None


def _walk(folder: Path, search: _Search, reach: Reach) -> Iterator[Path]:
    """Files below, sorted; hidden ones, caches and half-written ones of other programs left out."""
    for place, folders, files in os.walk(folder, onerror=search.refuse):
        folders[:] = sorted(name for name in folders if _shown(name) and name.lower() not in _CACHES)
        yield from (Path(place, name) for name in sorted(files) if _shown(name))
        for link in (path for name in folders if (path := Path(place, name)).is_symlink()):
            if search.lets(link, reach) and search.enters(link):
                yield from _walk(link, search, reach)


def _special(file: Path) -> bool:
    """Pipes, sockets, devices; a link that leads nowhere is a file whose reading fails, and is told."""
    return file.exists() and not file.is_file()


def _shown(name: str) -> bool:
    return not name.startswith((".", "~$"))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path)) if remote.address(path) is None else path


def _folders(paths: Sequence[Path]) -> list[Path]:
    return [_absolute(path) for path in paths if path.is_dir() or remote.address(path) is not None]


def _match(
    records: Sequence[CallRecord], files: Mapping[Path, None], folders: Sequence[Path]
) -> tuple[dict[Path, list[CallRecord]], list[Refusal]]:
    """Records by file: by path, else by a file name or stem that only one file has. What is listed below an
    audited folder and found nowhere is refused: no call may be lost because its recording is.
    """
    by_name = _unique(files, lambda path: path.name) | _unique(files, lambda path: path.stem)
    found: dict[Path, list[CallRecord]] = {}
    missing = []
    for record in records:
        assert record.path is not None
        path = record.path if record.path in files else by_name.get(record.path.name)
        if path is not None:
            found.setdefault(path, []).append(replace(record, path=path))
        elif any(record.path.is_relative_to(folder) for folder in folders) and not os.path.exists(record.path):
            what = f"通话清单里有 {record.call_id}，但找不到录音；请补上文件或改正 recording 列"
            reason = f"{remote.spelled(record.path)}：{what}"
            missing.append(Refusal(path=record.path, reason=reason, call_id=record.call_id))
    return found, missing


def _unique(files: Iterable[Path], name: Callable[[Path], str]) -> dict[str, Path]:
    found: dict[str, list[Path]] = {}
    for file in files:
        found.setdefault(name(file), []).append(file)
    return {key: same[0] for key, same in found.items() if len(same) == 1}


def _unlisted(paths: Iterable[Path], taken: set[str], utc_offset: tzinfo) -> Iterator[CallRecord]:
    """Records from file names; a name that another call has gets a suffix that depends on the path alone."""
    for path in paths:
        call_id = path.stem
        if call_id in taken:
            call_id += "~" + hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
        taken.add(call_id)
        yield default_record(path, call_id=call_id, utc_offset=utc_offset)


def hearing_digest(*, engine: str, model_sha256: str | None, hotwords: Sequence[str], agent_channel: int | None) -> str:
    """Names everything that a transcript rests on, beside the recording."""
    return _digest([engine, model_sha256, list(hotwords), agent_channel])


def settings_digest(hearing: str, settings: Settings, record: CallRecord) -> str:
    """Names all that a judgement rests on: what was heard, the rules, the second opinion, our version, the facts."""
    at = None if record.started_at is None else record.started_at.isoformat()
    facts = [record.call_id, at, record.duration_ms, record.callee_relation]
    facts += ["inbound"] * is_inbound(record.direction)
    return _digest([hearing, settings.ruleset_digest, settings.second_opinion, settings.tool_version, facts])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()
