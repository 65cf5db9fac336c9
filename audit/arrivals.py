"""Files that arrive in watched folders: each is given out once, when nobody writes it any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.errors import BadPath
from audit.plan import files_in, is_looked_at
from audit.remote import address, files_below, mark_of

CALL_LIST = "calls.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A file as it was at a look: a mark that changes with it, and our clock when it first looked so."""

    mark: str
    since: float


@dataclass(slots=True, kw_only=True)
class Arrivals:
    """Watches folders, also at addresses, and all below them; links may lead into the folders `linked`. Whether a file
    rests is told by our own monotonic clock: shares and copying programs set times of change as they like. `away`
    counts folders and names at addresses that could not be looked into last time.
    """

    folders: Sequence[Path]
    suffixes: frozenset[str]
    settle_seconds: float
    linked: tuple[Path, ...] = ()
    away: int = 0
    _seen: dict[Path, _Seen] = field(default_factory=dict)
    _given: dict[Path, str] = field(default_factory=dict)

    def ready(self, now: float) -> list[Path]:
        """Files that have rested for `settle_seconds` and were not given out as they are; `now` is monotonic.

        A call list that is new or has changed brings its whole folder with it.
        """
        at_rest = [path for path, seen in self._look(now) if now - seen.since >= self.settle_seconds]
        fresh = {path for path in at_rest if self._given.get(path) != self._seen[path].mark}
        for path in fresh:
            self._given[path] = self._seen[path].mark
        lists = {path.parent for path in fresh if path.name == CALL_LIST}
        return [p for p in at_rest if p.name != CALL_LIST and (p in fresh or lists & {p.parent, *p.parents})]

    def waiting(self) -> int:
        """How many files are still being written, or have not rested for long enough."""
        return sum(self._given.get(path) != seen.mark for path, seen in self._seen.items())

    def given_there(self, paths: Iterable[Path]) -> dict[Path, str]:
        """Of these and the call lists above them, what was given out at addresses, with its marks: to `remember`."""
        asked = {at for path in paths for at in (path, *(folder / CALL_LIST for folder in path.parents))}
        return {path: self._given[path] for path in asked & self._given.keys() if address(path) is not None}

    def remember(self, given: Mapping[Path, str]) -> None:
        """Files that were given out before this process began: only to know them again, all would be fetched."""
        self._given.update(given)

    def forget(self, paths: Iterable[Path]) -> None:
        """Give these out again."""
        for path in paths:
            self._given.pop(path, None)

    def _look(self, now: float) -> Iterator[tuple[Path, _Seen]]:
        found = {}
        for path, mark in self._files():
            old = self._seen.get(path)
            found[path] = old if old is not None and old.mark == mark else _Seen(mark=mark, since=now)
        self._seen = found
        # What is not listed at an address may only be out of reach just now.
        self._given = {path: mark for path, mark in self._given.items() if path in found or address(path) is not None}
        yield from found.items()

    def _files(self) -> Iterator[tuple[Path, str]]:
        self.away = 0
        for folder in self.folders:
            if address(folder) is None:
                yield from self._here(folder)
                continue
            try:
                yield from self._there(folder)
            except BadPath:
                self.away += 1

    def _here(self, folder: Path) -> Iterator[tuple[Path, str]]:
        """What can't be looked at just now (a share that is away) is looked at again next time."""
        for path in files_in(folder, linked=self.linked):
            if self._wanted(path):
                try:
                    facts = path.stat()
                except OSError:
                    continue
                yield path, f"{facts.st_size} {facts.st_mtime_ns}"

    def _there(self, folder: Path) -> Iterator[tuple[Path, str]]:
        for entry in files_below(folder):
            if entry.problem:
                self.away += 1
            elif is_looked_at(entry.path.relative_to(folder).parts) and self._wanted(entry.path):
                try:
                    yield entry.path, mark_of(entry)
                except BadPath:  # listed, but not for us: its failure says so
                    yield entry.path, ""

    def _wanted(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes or path.name == CALL_LIST
