"""Unattended: audits what arrives, sets apart what fails, tries that again at night, until it is told to stop.

All of its memory is in the store and in the folders, so that a restart goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from datetime import time as clock
from pathlib import Path

from audit.arrivals import Arrivals
from audit.errors import BadPath
from audit.quarantine import MOST_TRIES, bring_back, set_apart
from audit.remote import address
from audit.store import Store
from audit.store.arrived import note_arrived

AT_ONCE = 500
"""Recordings of one batch; what arrives meanwhile goes into the next."""

Note = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What to do where. `audit` judges recordings until it is done or interrupted, and returns those that wait for
    their row of a call list to be mended; `note` gets events as a name and facts without personal data; `retry_at` is a
    time of day on this machine's clock, None never.
    """

    arrivals: Arrivals
    quarantine: Path
    audit: Callable[[Sequence[Path]], Set[Path]]
    note: Note
    retry_at: clock | None


def look_once(watch: Watch, store: Store, *, stopped: Callable[[], bool]) -> int:
    """Audit all that is ready now; returns how many recordings that were."""
    _retry(watch, store)
    ready = watch.arrivals.ready(time.monotonic())
    for start in range(0, len(ready), AT_ONCE):
        if stopped():
            return start
        some = ready[start : start + AT_ONCE]
        waiting = watch.audit(some)
        _set_apart(watch, store, set(some) - waiting)
        if not stopped():
            note_arrived(store, watch.arrivals.given_there(some))
    return len(ready)


def keep_looking(watch: Watch, store: Store, *, every: float, stopped: Callable[[], bool]) -> None:
    """Look every so many seconds until stopped."""
    watch.note("watching", folders=len(watch.arrivals.folders))
    away = 0
    while not stopped():
        look_once(watch, store, stopped=stopped)
        if watch.arrivals.away != away:
            away = watch.arrivals.away
            watch.note("out_of_reach", folders=away)
        until = time.monotonic() + every
        while not stopped() and time.monotonic() < until:
            time.sleep(min(0.2, every))
    watch.note("stopped")


def _set_apart(watch: Watch, store: Store, some: set[Path]) -> None:
    """What lies at an address stays there: others' buckets are read, never written. So does what can't be moved."""
    for failure in store.failures():
        if failure.path in some and address(failure.path) is not None:
            watch.note("left_there", tries=failure.tries)
        elif failure.path in some and failure.path.is_file():
            try:
                kept = set_apart(store, failure, watch.quarantine)
            except BadPath:
                watch.note("not_set_apart", tries=failure.tries)
            else:
                watch.note("set_apart", tries=kept.tries)


def _retry(watch: Watch, store: Store) -> None:
    """Once a night: what was last tried before tonight's hour comes back and is found like an arrival."""
    now = datetime.now().astimezone()
    if watch.retry_at is None or now.time() < watch.retry_at:
        return
    tonight = now.replace(hour=watch.retry_at.hour, minute=watch.retry_at.minute, second=0, microsecond=0)
    brought = [*bring_back(store, watch.quarantine, before=tonight), *_failed_there(watch, store, before=tonight)]
    if brought:
        watch.note("trying_again", recordings=len(brought))


def _failed_there(watch: Watch, store: Store, *, before: datetime) -> list[Path]:
    """The same for what lies at addresses: it is given out again from where it is."""
    failed = [f.path for f in store.failures() if f.failed_at < before and f.tries < MOST_TRIES]
    there = [path for path in failed if path in watch.arrivals.given_there([path])]
    watch.arrivals.forget(there)
    return there
