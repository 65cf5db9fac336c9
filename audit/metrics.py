"""Figures for Prometheus, read from the store when they are asked for. The only module that knows its client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from audit.access import LOCAL
from audit.operations import State, runs
from audit.store import Store, tallies
from audit.store.judged import failed_files


class Figures(Collector):
    """What a scrape gets; `open_store` opens the store for reading, `queue` says how many files wait."""

    def __init__(self, open_store: Callable[[], Store], queue: Callable[[], int]) -> None:
        self._open = open_store
        self._queue = queue

    def collect(self) -> Iterator[Metric]:
        """Counts of the whole store, and how the newest run goes."""
        with self._open() as store:
            totals, failed = tallies.totals(store), failed_files(store)
            newest = runs(store, actor=LOCAL, now=datetime.now(UTC), limit=1)
        yield CounterMetricFamily("callaudit_calls", "Calls judged", value=totals.calls)
        yield CounterMetricFamily("callaudit_audio_seconds", "Sound of the calls judged", value=totals.ms / 1000)
        yield GaugeMetricFamily("callaudit_failures", "Recordings that could not be judged", value=failed)
        yield GaugeMetricFamily("callaudit_queue", "Recordings that wait to be audited", value=self._queue())
        yield GaugeMetricFamily("callaudit_review_waiting", "Findings that wait for people", value=totals.waiting)
        for run in newest:
            speed = run.heard_ms / 1000 / run.seconds if run.seconds else 0.0
            yield GaugeMetricFamily("callaudit_speed", "Newest run, times real time", value=round(speed, 2))
            running = float(run.state is State.RUNNING)
            yield GaugeMetricFamily("callaudit_running", "Whether the newest run goes on", value=running)


def serve(figures: Figures, *, host: str, port: int) -> Callable[[], None]:
    """Answer scrapes at http://host:port/metrics in a thread; returns what ends it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(figures)
    server, thread = start_http_server(port, addr=host, registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
