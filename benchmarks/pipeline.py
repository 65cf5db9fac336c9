"""The whole pipeline on stereo 8 kHz calls against its goals: speed, what is not recognition, memory that stays flat.

    python -m benchmarks.pipeline speed  [--calls 32]      about 3 minutes on two free cores
    python -m benchmarks.pipeline memory [--calls 2000]    about 8 minutes

`speed`: two workers, base int8, calls of a minute made of samples/. By the clock, with and without the seconds in which
workers start and load: a batch of a night has one start. What is not recognition is told as a share of the time that
the workers had, and of the processor. `memory`: as many cuts of 8 seconds, no two alike; the peak of each worker and
of the process that writes, after the first of them and on the way.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from audit.batch import Interrupts, Tally, run_batch
from audit.cli_batch import make_batch
from audit.config import Config
from audit.store import Store
from audit.timing import Profile
from transcribe.audio import blocks, examine

SAMPLES = Path(__file__).parent.parent / "samples"
STEREO = ("s01.wav", "s02.opus", "s03.ogg", "s05.opus", "s06.wav", "s07.mp3", "s09.opus", "s10.opus")
RATE = 8_000
CUT_S = 8
WORKERS = 2
GOAL_TIMES, GOAL_OVERHEAD = 20, 0.10

Sound = NDArray[np.int16]  # (samples, 2)


def main() -> None:
    """One of the two measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "memory"))
    parser.add_argument("--calls", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.what == "speed":
            _speed(Path(folder), given.calls or 32)
        else:
            _memory(Path(folder), given.calls or 2_000)


def _speed(folder: Path, calls: int) -> None:
    for number, sound in enumerate(islice(cycle(_sounds()), calls)):
        _write(folder / f"c{number:04d}.wav", sound, number)
    first: list[float] = []

    def note(_tally: Tally) -> None:
        first.append(time.monotonic())

    begun = time.monotonic()
    tally, profile = _run(folder, note)
    wall, stages = time.monotonic() - begun, {row.stage: row for row in profile.figures()}
    loading = stages["load"].wall_s / WORKERS
    hours = tally.heard_ms / 3_600_000
    print(f"{tally.done} calls, {hours:.2f} hours of sound, {tally.failed} failed, {WORKERS} workers: {wall:.0f} s")
    print(f"first call done after {first[0] - begun:.1f} s; a worker loads for {loading:.1f} s")
    for name, seconds in (("with the start", wall), ("without loading", wall - loading)):
        times = hours * 3600 / seconds
        spent = 1 - stages["recognise"].wall_s / (WORKERS * seconds)
        print(f"{name:16} {times:5.1f} times real time (goal {GOAL_TIMES});"
              f" not recognition {spent:.1%} of the workers' time (goal {GOAL_OVERHEAD:.0%})")  # fmt: skip
    loads = stages["load"].cpu_s
    rest = 1 - stages["recognise"].cpu_s / (profile.total_s() - loads)
    print(f"not recognition, of processor seconds without loading: {rest:.1%}")
    for row in stages.values():
        print(f"    {row.stage:10} {row.cpu_s:7.1f} processor s {row.share:6.1%} {row.wall_s:7.1f} s by the clock")


def _memory(folder: Path, calls: int) -> None:
    for number, cut in enumerate(islice(cycle(_cuts()), calls)):
        _write(folder / f"c{number:04d}.wav", cut, number)
    # The first hundred calls load what is loaded when first needed, such as the dictionary of words.
    asked = {1, 10, 100, *range(calls // 4, calls + 1, max(1, calls // 4))}
    print(f"{'calls':>6} {'writer MB':>10}   each worker, MB (its peak)")

    def note(tally: Tally) -> None:
        if tally.done in asked:
            asked.discard(tally.done)
            me = psutil.Process()
            workers = [child for child in me.children() if _peak_mb(child.pid) > 100]
            held = "  ".join(f"{one.memory_info().rss / 2**20:.0f} ({_peak_mb(one.pid):.0f})" for one in workers)
            print(f"{tally.done:6} {_peak_mb(me.pid):10.0f}   {held}", flush=True)

    tally, _ = _run(folder, note)
    print(f"{tally.done} done, {tally.failed} failed")


def _run(folder: Path, note: Callable[[Tally], None]) -> tuple[Tally, Profile]:
    config = replace(Config(), db=folder / "callaudit.db", workers=WORKERS)
    with Store.open(config.db) as store, Interrupts(lambda: None) as interrupts:
        profile = Profile()
        batch = replace(make_batch([folder], [], store, config), profile=profile)
        tally = run_batch(batch, interrupts=interrupts, notify=note)
    if tally.interrupted:
        sys.exit("interrupted")
    return tally, profile


def _sounds() -> list[Sound]:
    """The samples with a voice on each channel, decoded."""
    found = []
    for name in STEREO:
        sound = np.concatenate(list(blocks(examine(SAMPLES / name))), axis=1)[:, ::2]  # 16 kHz to 8
        found.append((np.clip(sound.T, -1, 1) * 32767).astype(np.int16))
    return found


def _cuts() -> Iterator[Sound]:
    """Stretches of the samples, each begun 0.2 s after another."""
    for sound in _sounds():
        for at in range(0, len(sound) - CUT_S * RATE, RATE // 5):
            yield sound[at : at + CUT_S * RATE]


def _write(path: Path, sound: Sound, number: int) -> None:
    """PCM with a number after the sound: no two files have the same bytes."""
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, len(sound), "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
    with path.open("ab") as file:
        file.write(number.to_bytes(4, "big"))


def _peak_mb(pid: int) -> float:
    """The most that a process ever held, where the system says so, else what it holds."""
    if os.path.exists(f"/proc/{pid}/status"):
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
    return psutil.Process(pid).memory_info().rss / 1e6


if __name__ == "__main__":
    main()
