"""The same batch on a Ray cluster. A station is a Ray actor beside one worker process of its node: that process holds
the model and obeys the same limits as at home (audit/workers.py). Only this machine writes into the store.

A node that dies takes its calls with it; each is tried once more elsewhere, like the call of a process that died.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audit.errors import BadConfig, os_reason
from audit.hearing import weights_digest
from audit.pipeline import Job
from audit.workers import CannotStart, Limits, Pool, Reply, Setup, memory_share
from transcribe.errors import TranscribeError

LOCAL = "ray"
_LOST = "处理它的节点两次失去联系（断电、断网或内存不足）；请检查集群，再运行同一命令"
_SAME = "每个节点都要装好同一版本的 callaudit 和同样的模型"
_PATIENCE_S = 300
"""How long calls wait for a node before the batch gives up: new machines of a cluster take minutes to come."""
_MOST_FAILED_STARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where to find the cluster (`ray` makes one here, `ray://host:port` joins one), how many calls at once at most,
    and the SHA-256 that the weights of every node must have.
    """

    address: str
    most: int
    model_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hello:
    """What a station says of itself; `problem` where it can't work."""

    version: str
    model_sha256: str | None = None
    problem: str = ""


class Station:
    """Runs as a Ray actor: one worker process under the limits of its node."""

    def __init__(self, setup: Setup, limits: Limits) -> None:
        # A spawned process would run Ray's own main script anew: a second and 80 MB for nothing.
        vars(sys.modules["__main__"]).pop("__file__", None)
        self._setup = setup
        share = limits.bytes or memory_share(os.cpu_count() or 1)
        self._pool = Pool(setup, size=1, limits=replace(limits, bytes=share))

    def hello(self) -> _Hello:
        """Whether this node has what the work needs."""
        ours = version("callaudit")
        try:
            return _Hello(version=ours, model_sha256=weights_digest(self._setup.hearing))
        except TranscribeError as error:
            return _Hello(version=ours, problem=str(error))

    def do(self, job: Job, sound: bytes | None) -> Reply | CannotStart:
        """One call, to its end or to a limit; `sound` is what was fetched of its address."""
        try:
            with _written(job, sound) as here:
                self._pool.submit(here)
                while True:
                    for reply in self._pool.replies(timeout=1.0):
                        return replace(reply, job=job)
        except CannotStart as error:
            return error
        except OSError as error:
            return Reply(job=job, reason=f"{socket.gethostname()}：节点存不下录音（{os_reason(error)}）；请腾出空间")


@contextmanager
def _written(job: Job, sound: bytes | None) -> Iterator[Job]:
    """The job with its recording as a file of this node, for its owner alone and for the time being."""
    if job.copy is None or sound is None:
        yield job
        return
    with tempfile.TemporaryDirectory(prefix="callaudit-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder, job.copy.name)
        copy.write_bytes(sound)
        yield replace(job, copy=copy)


class Cluster:
    """What `audit.workers.Pool` is on one machine: `submit` while `idle`, then `replies`; `kill` in the end.

    No more calls are handed out than the cluster has processors. What no station can take yet waits here.
    """

    def __init__(self, setup: Setup, *, limits: Limits, site: Site) -> None:
        self._ray = _connect(site.address)
        self._site = site
        cores = int(self._ray.cluster_resources().get("CPU", 0))
        if not cores:
            raise CannotStart(f"{site.address}：集群里没有可用的处理器；请先在节点上运行 ray start --address=…")
        self._size = min(site.most, cores)
        self._station = self._ray.remote(num_cpus=1)(Station)
        self._setup, self._limits = self._ray.put(setup), limits
        self._waiting: deque[Job] = deque()
        self._starting: dict[Any, Any] = {}
        self._free: list[Any] = []
        self._working: dict[Any, tuple[Any, Job]] = {}
        self._failed_starts = 0
        self._stuck_since: float | None = None

    @property
    def idle(self) -> bool:
        return len(self._working) + len(self._waiting) < self._size

    @property
    def busy(self) -> bool:
        return bool(self._working or self._waiting)

    def submit(self, job: Job) -> None:
        """Take a job; it goes to the next free station."""
        self._waiting.append(job)
        self._hand_out()

    def replies(self, *, timeout: float) -> Iterator[Reply]:
        """Jobs that ended within `timeout` seconds; `CannotStart` where no job can."""
        try:
            for ref in self._ended(timeout):
                if ref in self._starting:
                    self._greet(ref)
                else:
                    yield self._reply(ref)
            self._hand_out()
        except ConnectionError as error:
            raise CannotStart(f"{self._site.address}：与集群的连接断了；恢复后再运行同一命令即可继续") from error
        self._lose_patience()

    def kill(self) -> None:
        """End all stations and leave the cluster."""
        for station in [*self._starting.values(), *self._free, *(station for station, _ in self._working.values())]:
            self._ray.kill(station)
        self._ray.shutdown()

    def _hand_out(self) -> None:
        while self._waiting and self._free:
            station, job = self._free.pop(), self._waiting.popleft()
            sound = None if job.copy is None else job.copy.read_bytes()  # no node fetches what this machine has
            self._working[station.do.remote(job, sound)] = (station, job)
        while len(self._starting) < min(len(self._waiting), self._size - len(self._working)):
            station = self._station.remote(self._setup, self._limits)
            self._starting[station.hello.remote()] = station

    def _ended(self, timeout: float) -> Sequence[Any]:
        refs = [*self._working, *self._starting]
        if not self._ray.wait(refs, timeout=timeout)[0]:
            return ()
        ready: Sequence[Any] = self._ray.wait(refs, num_returns=len(refs), timeout=0)[0]
        return ready

    def _greet(self, ref: Any) -> None:
        """A station is there, or its node is gone before it was."""
        station = self._starting.pop(ref)
        try:
            hello: _Hello = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= _MOST_FAILED_STARTS and not self._working:
                told = type(error).__name__
                raise CannotStart(f"{self._site.address}：节点上起不了工作进程（{told}）；{_SAME}") from error
            return
        if hello.problem:
            raise CannotStart(f"集群的节点：{hello.problem}")
        if (hello.version, hello.model_sha256) != (version("callaudit"), self._site.model_sha256):
            raise CannotStart(f"集群的节点装的 callaudit 是 {hello.version}，或模型不同；{_SAME}")
        self._failed_starts = 0
        self._free.append(station)

    def _reply(self, ref: Any) -> Reply:
        station, job = self._working.pop(ref)
        try:
            answer: Reply | CannotStart = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError:
            raise  # a fault in this file, not of the node
        except self._ray.exceptions.RayError:
            self._ray.kill(station)
            return Reply(job=job, died=True, reason=_LOST)
        if isinstance(answer, CannotStart):
            raise answer
        self._free.append(station)
        return answer

    def _lose_patience(self) -> None:
        if self._working or self._free or not self._waiting:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = time.monotonic()
        elif time.monotonic() - self._stuck_since > _PATIENCE_S:
            minutes = _PATIENCE_S // 60
            raise CannotStart(f"{self._site.address}：{minutes} 分钟没有可用的节点；恢复后再运行同一命令即可继续")


def _connect(address: str) -> Any:
    """Ray, started here or joined."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing of a batch leaves the house
    ours = signal.getsignal(signal.SIGTERM)
    try:
        import ray
    except ImportError:
        raise BadConfig("在集群上运行需要 Ray；请运行 pip install 'callaudit[cluster]'") from None
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        with warnings.catch_warnings(action="ignore"):  # of a time-out, which is told below
            if address == LOCAL:
                ray.init(address="local", include_dashboard=False, **quiet)
            else:
                _join(ray, address, quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise CannotStart(f"{address}：连不上集群（{_first_line(error)}）；请检查地址、端口和 Ray 版本") from error
    finally:
        signal.signal(signal.SIGTERM, ours)  # Ray takes it over
    return ray


def _join(ray: Any, address: str, options: Mapping[str, Any]) -> None:
    for again in (True, True, False):
        try:
            ray.init(address, **options)
            return
        except ConnectionError as error:
            # The head makes a process for each who joins, and where it is busy is not always in time.
            if not again or "Initialization failure" not in str(error):
                raise


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
