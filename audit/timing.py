"""Where the time of a batch went and what an hour of sound costs: `callaudit audit --profile`.

Processor seconds, since a machine that does other work too makes a clock's seconds mean little; they count all threads.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from transcribe.pipeline import Clock

STAGES = ("load", "fetch", "decode", "voice", "recognise", "read", "rules", "store")
"""Engine, weights and rules read; recording fetched from its address; sound decoded; speech found; words heard;
homophones put right; judged; kept.
"""
OTHER = "other"
"""Planning, hashing, handing over, starting: what no stage accounts for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one job took in its worker, by stage; `cpu_s` is all that the process took since its last job."""

    clocks: Mapping[str, Clock]
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """Seconds of a stage: of the processor over all calls, its share of everything; by the clock, over all calls, and
    of a call the median and the 95th percentile.
    """

    stage: str
    cpu_s: float
    share: float
    wall_s: float = 0.0
    median_s: float = 0.0
    most_s: float = 0.0


@dataclass(slots=True)
class Profile:
    """Adds up what the calls of a batch took; 50 bytes a call."""

    heard_ms: int = 0
    _stages_s: dict[str, float] = field(default_factory=dict)
    _calls_s: dict[str, array[float]] = field(default_factory=dict)
    _workers_s: float = 0.0
    _begun_s: float = field(default_factory=time.process_time)

    def add(self, spent: Spent, *, stored: Clock, heard_ms: int) -> None:
        """Count one call that is done; `stored` is what its way into the store took here."""
        self.heard_ms += heard_ms
        self._workers_s += spent.cpu_s
        for stage, clock in {**spent.clocks, "store": stored}.items():
            self._stages_s[stage] = self._stages_s.get(stage, 0.0) + clock.cpu_s
            self._calls_s.setdefault(stage, array("f")).append(clock.wall_s)

    def total_s(self) -> float:
        """Processor seconds of this process since the profile began, and of the workers."""
        return time.process_time() - self._begun_s + self._workers_s

    def figures(self) -> list[StageFigures]:
        """A row for each stage that was gone through, and one for the rest."""
        total = max(self.total_s(), 1e-9)
        rows = [self._figures(stage, total) for stage in STAGES if stage in self._stages_s]
        rest = max(0.0, total - sum(row.cpu_s for row in rows))
        return [*rows, StageFigures(stage=OTHER, cpu_s=rest, share=rest / total)]

    def overhead(self) -> float:
        """Share of everything but recognition."""
        return 1 - self._stages_s.get("recognise", 0.0) / max(self.total_s(), 1e-9)

    def core_seconds_per_hour(self) -> float | None:
        """Processor seconds that an hour of sound takes; None where no sound was heard."""
        return self.total_s() / (self.heard_ms / 3_600_000) if self.heard_ms else None

    def _figures(self, stage: str, total: float) -> StageFigures:
        calls, cpu = sorted(self._calls_s[stage]), self._stages_s[stage]
        median, most = (calls[int(len(calls) * at)] for at in (0.5, 0.95))
        return StageFigures(stage=stage, cpu_s=cpu, share=cpu / total, wall_s=sum(calls), median_s=median, most_s=most)
