"""Worker processes: each loads the recogniser and the rules once, then does one call at a time.

A process that dies takes its own call with it and no other; the pool starts another in its place. One that works on a
call for too long or takes too much memory is ended, so that it can't cost the batch.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from audit.errors import AuditError
from audit.hearing import Hearing, open_ears, told_of_bug
from audit.pipeline import Hear, Job, judge_call
from audit.remote import told_of
from audit.store import AuditedCall
from audit.timing import Spent
from rules.model import RuleSet
from transcribe.errors import EngineMissing, TranscribeError, WeightsMissing
from transcribe.model import Transcript
from transcribe.pipeline import Timings

_DIED = "处理它的进程两次意外退出（内存不足或被系统终止）；请减少 --workers，或单独重试这个文件"
_TOO_LONG = "两次处理都超过 {minutes:g} 分钟，已停止；请检查文件，或调大 call_minutes"
_TOO_MUCH = "两次处理内存都超过 {gigabytes:.1f} GB，已停止；请检查文件，减少 --workers，或调大 worker_gigabytes"

_MEMORY_SHARE = 0.8  # of the machine, for all workers together: the rest is the system's
_SPAWN = multiprocessing.get_context("spawn")  # forked CUDA, CTranslate2 and SQLite handles don't work


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker needs to start: how to hear, what to judge by, whether a second opinion is asked."""

    hearing: Hearing
    ruleset: RuleSet
    second_opinion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may cost: seconds from start to end, bytes of memory of the process that does it; 0 bytes: its
    share of the machine's memory.
    """

    seconds: float
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of a job: the call and what it took, or the reason why not; `died` when its process did not
    survive it.
    """

    job: Job
    call: AuditedCall | None = None
    spent: Spent | None = None
    reason: str = ""
    died: bool = False


class CannotStart(AuditError):
    """No worker can do any call: no weights, no recogniser."""


class Workers(Protocol):
    """Where jobs are done: `submit` while `idle`, then `replies`; `kill` in the end."""

    @property
    def idle(self) -> bool: ...

    @property
    def busy(self) -> bool: ...

    def submit(self, job: Job) -> None: ...

    def replies(self, *, timeout: float) -> Iterator[Reply]: ...

    def kill(self) -> None: ...


class Pool:
    """`size` processes of this machine."""

    def __init__(self, setup: Setup, *, size: int, limits: Limits) -> None:
        self._setup = setup
        self._limits = replace(limits, bytes=limits.bytes or memory_share(size))
        self._size = size
        self._workers: list[_Worker] = []  # started when there is work: a batch that is all done starts none
        self._stillborn: list[Reply] = []  # jobs for which no process lived long enough to take them

    @property
    def idle(self) -> bool:
        return len(self._workers) < self._size or any(worker.job is None for worker in self._workers)

    @property
    def busy(self) -> bool:
        return bool(self._stillborn) or any(worker.job is not None for worker in self._workers)

    def submit(self, job: Job) -> None:
        """Hand a job to an idle process."""
        worker = next((worker for worker in self._workers if worker.job is None), None)
        if worker is None:
            worker = _Worker(self._setup)
            self._workers.append(worker)
        if not worker.take(job) and not self._replace(worker).take(job):  # died while it waited, or started
            self._stillborn.append(Reply(job=job, died=True, reason=_DIED))

    def replies(self, *, timeout: float) -> Iterator[Reply]:
        """Jobs that ended within `timeout` seconds; `CannotStart` where no job can."""
        while self._stillborn:
            yield self._stillborn.pop()
        ready = wait([worker.pipe for worker in self._workers if worker.job is not None], timeout)
        for worker in list(self._workers):
            excess = None if worker.pipe in ready else worker.excess(self._limits)
            if worker.pipe not in ready and excess is None:
                continue
            reply = worker.reply() if excess is None else worker.give_up(excess)
            if reply.died:
                self._replace(worker)
            yield reply

    def kill(self) -> None:
        """End all processes at once, whatever they do."""
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()

    def _replace(self, worker: _Worker) -> _Worker:
        worker.process.kill()
        worker.process.join()
        fresh = _Worker(self._setup)
        self._workers[self._workers.index(worker)] = fresh
        return fresh


class _Worker:
    """One process, the pipe to it, and the job that it has."""

    def __init__(self, setup: Setup) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        self.process: BaseProcess = _SPAWN.Process(target=_work, args=(theirs,), daemon=True)
        with _deaf_to_interrupts():
            self.process.start()
        theirs.close()
        # Not as an argument of the process: its start would wait for ever for one that is killed before it reads.
        with contextlib.suppress(OSError):
            self.pipe.send(setup)
        self.job: Job | None = None
        self._since = 0.0

    def take(self, job: Job) -> bool:
        """Send the job; False where nobody is there to take it."""
        try:
            self.pipe.send(job)
        except OSError:
            return False
        self.job, self._since = job, time.monotonic()
        return True

    def excess(self, limits: Limits) -> str | None:
        """Which limit the job has broken, as a reason; None while it may go on."""
        if self.job is None:
            return None
        if time.monotonic() - self._since > limits.seconds:
            return _TOO_LONG.format(minutes=limits.seconds / 60)
        if _memory(self.process.pid) > limits.bytes:
            return _TOO_MUCH.format(gigabytes=limits.bytes / 1e9)
        return None

    def give_up(self, reason: str) -> Reply:
        """Say of the job that its process is ended for `reason`."""
        job, self.job = self.job, None
        assert job is not None
        return Reply(job=job, died=True, reason=reason)

    def reply(self) -> Reply:
        job, self.job = self.job, None
        assert job is not None
        try:
            answer, spent = self.pipe.recv()
        except (EOFError, OSError):
            return Reply(job=job, died=True, reason=_DIED)
        if isinstance(answer, CannotStart):
            raise answer
        if isinstance(answer, AuditedCall):
            return Reply(job=job, call=answer, spent=spent)
        return Reply(job=job, reason=answer)


def memory_share(workers: int) -> int:
    """Bytes that each of so many workers may take of this machine's memory."""
    import psutil

    return int(_MEMORY_SHARE * psutil.virtual_memory().total / workers)


def _memory(pid: int | None) -> int:
    """Bytes that a process holds; 0 where it is gone, which its pipe will tell."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """A ctrl-C reaches every process of the terminal; what is in flight must end in peace. A child is born with
    the dispositions of its parent, so there is no moment in which it would die of one.
    """
    old: Any = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)


def _work(pipe: Connection) -> None:
    """The life of a worker. It ends when the parent closes the pipe or is gone."""
    from rules.engine import Judge

    try:
        setup: Setup = pipe.recv()
    except (EOFError, OSError):
        return
    timings = Timings()
    with timings.measure("load"):
        judge, second = Judge(setup.ruleset), _second_opinion(setup)
    hear = open_ears(setup.hearing, timings=timings)
    mind = _Mind(hear=hear, judge=judge, ruleset=setup.ruleset, second=second, timings=timings)
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pipe.send((mind.do(job), mind.spent()))
        except BrokenPipeError:
            return
        except MemoryError:
            os._exit(1)  # what is left of this process can't be trusted; the parent tries once more in a fresh one


def _second_opinion(setup: Setup) -> Any:
    if not setup.second_opinion:
        return None
    from rules.second_opinion import SecondOpinion

    return SecondOpinion(setup.ruleset)


@dataclass(slots=True, kw_only=True)
class _Mind:
    """What a worker hears and judges with, and what that took since the last job."""

    hear: Hear
    judge: Any
    ruleset: RuleSet
    second: Any
    timings: Timings
    _until: float = 0.0

    def do(self, job: Job) -> AuditedCall | str | CannotStart:
        try:
            transcript = job.transcript or self._heard(job)
            with self.timings.measure("rules"):
                return judge_call(job, transcript, judge=self.judge, ruleset=self.ruleset, second=self.second)
        except (WeightsMissing, EngineMissing) as error:
            return CannotStart(str(error))
        except TranscribeError as error:
            return str(error)
        except MemoryError:
            raise
        except Exception as error:
            return told_of_bug(job.record, error)  # one call must not cost the others, whatever is wrong with it

    def _heard(self, job: Job) -> Transcript:
        if job.copy is None or job.record.path is None:
            return self.hear(job.record)
        with told_of(job.record.path, job.copy):
            return self.hear(replace(job.record, path=job.copy))

    def spent(self) -> Spent:
        """By stage, and of the whole process since it was last asked."""
        clocks, self.timings.clocks = self.timings.clocks, {}
        before, self._until = self._until, time.process_time()
        return Spent(clocks=clocks, cpu_s=self._until - before)
