"""Files that arrive in watched folders: each is given out once, when nobody writes it any more."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CALL_LIST = "calls.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A file as it was at a look: its size, its own time of change, and our clock when it first looked so."""

    bytes: int
    changed_ns: int
    since: float


@dataclass(slots=True, kw_only=True)
class Arrivals:
    """Watches folders and all below them. Whether a file rests is told by our own monotonic clock: shares and
    copying programs set times of change as they like.
    """

    folders: Sequence[Path]
    suffixes: frozenset[str]
    settle_seconds: float
    _seen: dict[Path, _Seen] = field(default_factory=dict)
    _given: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def ready(self, now: float) -> list[Path]:
        """Files that have rested for `settle_seconds` and were not given out as they are; `now` is monotonic.

        A call list that is new or has changed brings its whole folder with it.
        """
        at_rest = [path for path, seen in self._look(now) if now - seen.since >= self.settle_seconds]
        fresh = [path for path in at_rest if self._given.get(path) != self._state(path)]
        for path in fresh:
            self._given[path] = self._state(path)
        lists = {path.parent for path in fresh if path.name == CALL_LIST}
        return [p for p in at_rest if p.name != CALL_LIST and (p in set(fresh) or lists & {p.parent, *p.parents})]

    def waiting(self) -> int:
        """How many files are still being written, or have not rested for long enough."""
        return sum(self._given.get(path) != self._state(path) for path in self._seen)

    def _state(self, path: Path) -> tuple[int, int]:
        seen = self._seen[path]
        return seen.bytes, seen.changed_ns

    def _look(self, now: float) -> Iterator[tuple[Path, _Seen]]:
        found = {}
        for path, bytes_, changed in self._files():
            old = self._seen.get(path)
            same = old is not None and (old.bytes, old.changed_ns) == (bytes_, changed)
            found[path] = old if old is not None and same else _Seen(bytes=bytes_, changed_ns=changed, since=now)
        self._seen = found
        self._given = {path: state for path, state in self._given.items() if path in found}
        yield from found.items()

    def _files(self) -> Iterator[tuple[Path, int, int]]:
        """What can't be looked at just now (a share that is away) is looked at again next time."""
        for folder in self.folders:
            for place, below, names in os.walk(folder):
                below[:] = sorted(name for name in below if not name.startswith("."))
                for name in sorted(names):
                    path = Path(place, name)
                    if (path.suffix.lower() in self.suffixes and not name.startswith((".", "~$"))) or name == CALL_LIST:
                        try:
                            facts = path.stat()
                        except OSError:
                            continue
                        yield path, facts.st_size, facts.st_mtime_ns
