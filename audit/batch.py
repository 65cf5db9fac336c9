"""Many calls: what is done is skipped, what fails is kept with its reason, what is killed goes on where it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from audit.calls import CallRecord
from audit.conduct import Judged, judge_what_is_new
from audit.errors import AuditError
from audit.hearing import Hearing
from audit.lock import at_work
from audit.pipeline import Job
from audit.plan import Plan, Refusal, hearing_digest, settings_digest
from audit.remote import Identity, address, identify, spelled
from audit.store import AuditedCall, Settings, Store
from audit.store.operations import SIGN_SECONDS, SIGNED, broken_off, sign_run
from audit.timing import Profile, Spent
from audit.workers import Limits, Pool, Reply, Setup, Workers
from rules.model import RuleSet
from transcribe.pipeline import Timings

POLL_SECONDS = 0.2


@dataclass(slots=True, kw_only=True)
class Tally:
    """How far a batch is; `heard_ms` is the sound of the calls done in this run, `bytes` of all that is over.

    `conduct` is what several calls break together, None where nothing new was judged; `unjudged` why it could not be.
    """

    total: int
    total_bytes: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    heard_ms: int = 0
    bytes: int = 0
    reasons: list[str] = field(default_factory=list)
    interrupted: bool = False
    conduct: Judged | None = None
    unjudged: str | None = None

    @property
    def over(self) -> int:
        """Calls that need nothing more in this run."""
        return self.done + self.skipped + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What to do, by what, into which store. `model_sha256` are the weights that the plan reckoned with; `on` is where:
    local, ray, or the address of a Ray cluster, which then gives no more than `workers` processors.
    """

    plan: Plan
    store: Store
    hearing: Hearing
    ruleset: RuleSet
    settings: Settings
    model_sha256: str | None
    workers: int
    limits: Limits
    on: str = "local"
    profile: Profile | None = None


class Interrupts:
    """Counts ctrl-C (and SIGTERM) instead of dying of it: the first asks to finish, the second to stop."""

    def __init__(self, on_first: Callable[[], None]) -> None:
        self.count = 0
        self._on_first = on_first
        self._old: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._old[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1:
            self._on_first()


def run_batch(batch: Batch, *, interrupts: Interrupts, notify: Callable[[Tally], None]) -> Tally:
    """Do all calls of the plan that are not done yet; raises `StoreError`, `CannotStart`. `notify` is called
    whenever a call is over.
    """
    with at_work(batch.store.path), _copies(batch.plan) as copies:
        pool = _workers(batch)
        try:
            return _run(batch, pool, copies, interrupts, notify)
        finally:
            pool.kill()


@contextlib.contextmanager
def _copies(plan: Plan) -> Iterator[Path | None]:
    """A folder that is its owner's alone, and goes in the end, for what is fetched from addresses."""
    if not any(record.path is not None and address(record.path) for record in plan.records):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="callaudit-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _run(
    batch: Batch, pool: Workers, copies: Path | None, interrupts: Interrupts, notify: Callable[[Tally], None]
) -> Tally:
    store, plan = batch.store, batch.plan
    store.forget(plan.replaced)
    store.save_rules(batch.ruleset)
    store.add_records([*plan.records, *plan.attempts])
    run = store.start_run("audit", batch.settings)
    doing = _Doing(batch, run=run, interrupts=interrupts, notify=notify, copies=copies)
    tally = doing.tally
    with broken_off(store, run):
        doing.sign()
        for refusal in plan.refusals:
            doing.refuse(refusal)
        _loop(doing, pool, interrupts)
        doing.sign(anyway=True)
    tally.interrupted = tally.over < tally.total
    if not tally.interrupted:
        # Not those of a batch beside this one, nor those that such a one met after this one did.
        old = (f.path for f in store.failures() if f.run < run and f.path not in doing.failed)
        store.resolve(path for path in old if plan.covers(path))
    status = "interrupted" if tally.interrupted else "finished"
    store.finish_run(run, status=status, done=tally.done, failed=tally.failed)
    if not tally.interrupted:
        _judge_across_calls(batch, tally)
    return tally


def _judge_across_calls(batch: Batch, tally: Tally) -> None:
    """The calls are kept whatever happens here; what is not judged now is with the next batch."""
    try:
        tally.conduct = judge_what_is_new(batch.store, batch.ruleset)
    except AuditError as error:
        tally.unjudged = str(error)


def _workers(batch: Batch) -> Workers:
    second = batch.settings.second_opinion is not None
    setup = Setup(hearing=batch.hearing, ruleset=batch.ruleset, second_opinion=second)
    if batch.on == "local":
        return Pool(setup, size=batch.workers, limits=batch.limits)
    from audit.cluster import Cluster, Site

    site = Site(address=batch.on, most=batch.workers, model_sha256=batch.model_sha256)
    return Cluster(setup, limits=batch.limits, site=site)


def _loop(doing: _Doing, pool: Workers, interrupts: Interrupts) -> None:
    while interrupts.count < 2:
        while pool.idle and interrupts.count == 0 and (job := doing.next_job()) is not None:
            pool.submit(job)
        if not pool.busy:
            return
        for reply in pool.replies(timeout=POLL_SECONDS):
            doing.settle(reply)
        doing.sign()


class _Doing:
    """The state of a running batch: what waits, what is tried again, what was counted."""

    def __init__(
        self,
        batch: Batch,
        *,
        run: int,
        interrupts: Interrupts,
        notify: Callable[[Tally], None],
        copies: Path | None,
    ) -> None:
        self.batch = batch
        self.store = batch.store
        self.run = run
        plan = batch.plan
        self.tally = Tally(total=len(plan.records) + len(plan.refusals), total_bytes=sum(map(_size, plan.records)))
        self.failed: set[Path] = set()
        self._interrupts = interrupts
        self._notify = notify
        self._done = self.store.done()
        self._heard = self.store.heard()
        self._fresh = self._jobs(plan.records, copies)
        self._again: deque[Job] = deque()
        self._in_flight: set[str] = set()
        self._same_bytes: dict[str, list[Job]] = {}
        self._retried: set[str] = set()
        self._signed = -SIGN_SECONDS

    def next_job(self) -> Job | None:
        """The next call that needs doing. Of two files with the same bytes the second waits for the first."""
        while True:
            job = self._again.popleft() if self._again else next(self._fresh, None)
            if job is None:
                return None
            if job.recording not in self._in_flight:
                self._in_flight.add(job.recording)
                return self._with_transcript(job)
            self._same_bytes.setdefault(job.recording, []).append(job)

    def settle(self, reply: Reply) -> None:
        """Keep what became of a job; who died is tried once more, alone with a fresh process."""
        job = reply.job
        self._in_flight.discard(job.recording)
        if reply.call is not None:
            self._keep(reply.call, reply.spent)
            self._heard[job.recording] = job.hearing
            self.tally.heard_ms += 0 if job.transcript else reply.call.transcript.duration_ms
            _drop_copy(job)
            self._over(job.bytes, done=1)
        elif reply.died and job.record.call_id not in self._retried:
            self._retried.add(job.record.call_id)
            self._again.append(job)  # before those with the same bytes: the first of them owns what is found
        else:
            _drop_copy(job)
            reason = f"{_name(job.record)}：{reply.reason}" if reply.died else reply.reason
            self.fail(job.record, reason, size=job.bytes)
        self._again.extend(self._same_bytes.pop(job.recording, []))

    def _keep(self, call: AuditedCall, spent: Spent | None) -> None:
        timings = Timings()
        with timings.measure("store"):
            self.store.save(call, run=self.run)
        if self.batch.profile is not None and spent is not None:
            heard = call.transcript.duration_ms if "decode" in spent.clocks else 0
            self.batch.profile.add(spent, stored=timings.clocks["store"], heard_ms=heard)

    def sign(self, *, anyway: bool = False) -> None:
        """Say every few seconds how far it is, also while a long call is at work: a killed run is known by silence."""
        if anyway or time.monotonic() - self._signed >= SIGN_SECONDS:
            self._signed = time.monotonic()
            sign_run(self.store, self.run, {name: getattr(self.tally, name) for name in SIGNED})

    def refuse(self, refusal: Refusal) -> None:
        """Keep what the plan refused."""
        self.failed.add(refusal.path)
        self.store.fail(refusal.path, refusal.reason, call_id=refusal.call_id, run=self.run)
        self.tally.reasons.append(refusal.reason)
        self._over(0, failed=1)

    def fail(self, record: CallRecord, reason: str, *, size: int) -> None:
        """Keep why a call could not be done."""
        assert record.path is not None
        self.failed.add(record.path)
        self.store.fail(record.path, reason, call_id=record.call_id, run=self.run)
        self.tally.reasons.append(reason)
        self._over(size, failed=1)

    def _over(self, size: int, *, done: int = 0, skipped: int = 0, failed: int = 0) -> None:
        self.tally.done += done
        self.tally.skipped += skipped
        self.tally.failed += failed
        self.tally.bytes += size
        self._notify(self.tally)
        self.sign()

    def _jobs(self, records: Sequence[CallRecord], copies: Path | None) -> Iterator[Job]:
        """Jobs in the plan's order, each hashed when its turn comes; what is done under these settings is left out."""
        paths = [record.path for record in records if record.path is not None]
        for record, found in zip(records, identify(paths, keep=copies), strict=True):
            if self._interrupts.count:
                return
            if found.problem:
                self.fail(record, found.problem, size=_size(record))
                continue
            job = self._job(self._known_as(record, found.sha256), found)
            if self._is_done(job):
                _drop_copy(job)
                self._over(job.bytes, skipped=1)
            else:
                yield job

    def _known_as(self, record: CallRecord, recording: str) -> CallRecord:
        """The record under which a recording is known whose file was only moved or renamed; else the one given."""
        if record.path not in self.batch.plan.fresh or address(record.path) is not None:
            return record
        for old in self.store.records_of(recording):
            if old.path is not None and old.path.parent.is_dir() and not os.path.lexists(old.path):
                moved = replace(old, path=record.path)
                with self.store.writing():
                    self.store.remove(record.call_id)
                    self.store.add_records([moved])
                return moved
        return record

    def _is_done(self, job: Job) -> bool:
        """At the start, or since then by a batch beside this one."""
        call_id, state = job.record.call_id, (job.recording, job.settings)
        return self._done.get(call_id) == state or self.store.done_call(call_id) == state

    def _job(self, record: CallRecord, found: Identity) -> Job:
        hearing = self.batch.hearing
        digest = hearing_digest(
            engine=hearing.engine,
            model_sha256=self.batch.model_sha256,
            hotwords=hearing.hotwords,
            agent_channel=hearing.agent_channel if record.agent_channel is None else record.agent_channel,
        )
        return Job(
            record=record,
            recording=found.sha256,
            bytes=found.bytes,
            hearing=digest,
            settings=settings_digest(digest, self.batch.settings, record),
            copy=found.copy,
        )

    def _with_transcript(self, job: Job) -> Job:
        if self._heard.get(job.recording) != job.hearing:
            return job
        return replace(job, transcript=self.store.transcript(job.recording))


def _drop_copy(job: Job) -> None:
    """What was fetched for a job that is over goes."""
    if job.copy is not None:
        shutil.rmtree(job.copy.parent, ignore_errors=True)


def _name(record: CallRecord) -> str:
    return "" if record.path is None else spelled(record.path)


def _size(record: CallRecord) -> int:
    with contextlib.suppress(OSError):
        return os.stat(record.path or "").st_size
    return 0
