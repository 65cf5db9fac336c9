"""How fast and how right recognition is, beside openai-whisper and plain faster-whisper with the same weights.

    python benchmarks/transcribe.py                 speed, error rate and memory; about 25 minutes on two cores
    python benchmarks/transcribe.py --only speed    or: memory (13 minutes of processor time), hotwords (4 minutes)
    python benchmarks/transcribe.py --minutes 3 --slow-share 0.3

Prints ratios, since absolute times drift on shared machines: every group of calls goes through all recognisers in
turn, each in a fresh process, start-up included; processor time stands beside wall time. openai-whisper runs on a
share of the groups (--slow-share, 0 for none) and is compared on those alone. Calls are made from samples/:
telephone stereo, 8 kHz A-law, joined in varied order.

Hot words are measured on each recording by itself, those of the corpus's open half as well, with and without: errors,
and how many of the words were found where somebody says them, and made up where nobody does.

Error rate: characters wrong, missing or added, over characters of the reference. Both sides are put into simplified
characters without punctuation, digits are read out (1520 元 → 一千五百二十元); fillers count like any other word.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
SAMPLES, CORPUS = ROOT / "samples", ROOT / "tests" / "corpus"
GROUP_MINUTES = 2.5
OURS, BARE, PLAIN, OPENAI = "callaudit", "callaudit, no hot words", "faster-whisper", "openai-whisper"
MEMORY_GOAL_MB = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A stereo call, and what was said on each channel."""

    path: Path
    minutes: float
    texts: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one recogniser made of one group, in a process of its own."""

    seconds: float
    cpu_seconds: float
    texts: list[list[str]]
    peak_mb: float


def main() -> None:
    """Make the calls, run what is asked for, print one table each."""
    given = _arguments()
    if given.child:
        _child(given.child, given.files)
        return
    with tempfile.TemporaryDirectory() as folder:
        if given.only in (None, "speed"):
            groups = list(_groups(Path(folder), given.minutes))
            _compare(groups, Path(folder), slow_share=given.slow_share)
        if given.only in (None, "memory"):
            _memory(Path(folder), repeats=given.repeats)
        if given.only in (None, "hotwords"):
            _hotwords()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="length of all calls together")
    parser.add_argument("--slow-share", type=float, default=0.3, help="share of the groups for openai-whisper")
    parser.add_argument("--repeats", type=int, default=100, help="calls of one process in the memory test")
    parser.add_argument("--only", choices=("speed", "memory", "hotwords"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


# ---- calls


def _groups(folder: Path, minutes: float) -> Iterator[list[Call]]:
    """Groups of about 2.5 minutes, together at least `minutes`: single samples, and two joined into one call."""
    pool = _stereo_samples()
    order = random.Random(2)
    total, group, queue = 0.0, list[Call](), list[dict[str, Any]]()
    while total < minutes:
        queue = queue or order.sample(pool, len(pool))
        picked = [queue.pop() for _ in range(min(len(queue), order.choice((1, 1, 2))))]
        call = _join(picked, folder / f"call-{total:05.2f}.wav")
        total += call.minutes
        group.append(call)
        if sum(c.minutes for c in group) >= GROUP_MINUTES or total >= minutes:
            yield group
            group = []


def _stereo_samples() -> list[dict[str, Any]]:
    texts = json.loads((SAMPLES / "texts.json").read_text(encoding="utf-8"))
    return [call for call in texts if call["layout"] == "stereo"]


def _join(picked: Sequence[dict[str, Any]], path: Path) -> Call:
    from transcribe.audio import blocks, examine

    sound = [np.concatenate(list(blocks(examine(SAMPLES / p["file"]))), axis=1)[:, ::2] for p in picked]
    joined = np.concatenate(sound, axis=1)
    _write(path, joined)
    return Call(path=path, minutes=joined.shape[1] / 8000 / 60, texts=_texts([t for p in picked for t in p["turns"]]))


def _texts(turns: Sequence[dict[str, Any]]) -> tuple[str, str]:
    """What the agent says, on channel 0, and the customer, on channel 1."""
    agent, customer = ("".join(t["text"] for t in turns if (t["role"] != "agent") == c) for c in (False, True))
    return agent, customer


def _write(path: Path, samples: NDArray[np.float32]) -> None:
    """Samples (2, n) at 8 kHz as A-law."""
    import av

    whole = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_alaw", rate=8000)
        stream.layout = "stereo"
        for at in range(0, whole.shape[1], 1 << 16):
            part = np.ascontiguousarray(whole[:, at : at + (1 << 16)].T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="stereo")
            frame.rate = 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


# ---- recognisers, each in a process of its own


def _run(system: str, calls: Sequence[Call], checkpoint: Path) -> Run:
    command = [sys.executable, __file__, "--child", f"{system}|{checkpoint}", *(str(c.path) for c in calls)]
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    seconds = time.perf_counter() - start
    said = json.loads(done.stdout.splitlines()[-1])
    return Run(seconds=seconds, **said)


def _child(job: str, files: Sequence[Path]) -> None:
    system, _, rest = job.partition("|")
    if system == "memory":
        _child_memory(files, repeats=int(rest))
        return
    hear = {OURS: _ours, BARE: _bare, PLAIN: _plain, OPENAI: lambda: _openai(rest)}[system]()
    texts = [hear(path) for path in files]
    print(json.dumps({"texts": texts, "peak_mb": _peak_mb(), "cpu_seconds": time.process_time()}))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


Hear = Callable[[Path], list[str]]


def _ours() -> Hear:
    from rules.load import load_lexicon

    return _with_hotwords(load_lexicon()["hotwords"])


def _bare() -> Hear:
    return _with_hotwords(())


def _with_hotwords(words: tuple[str, ...]) -> Hear:
    from transcribe.faster_whisper import FasterWhisper
    from transcribe.pipeline import transcribe

    engine = FasterWhisper()

    def hear(path: Path) -> list[str]:
        turns = transcribe(path, engine=engine, agent_channel=0, hotwords=words).turns
        return ["".join(turn.text for turn in turns if turn.channel == channel) for channel in (0, 1)]

    return hear


def _plain() -> Hear:
    from faster_whisper import WhisperModel, decode_audio

    from transcribe.weights import find_weights

    model = WhisperModel(str(find_weights("base").folder), device="cpu", compute_type="int8")

    def hear(path: Path) -> list[str]:
        return [
            "".join(s.text for s in model.transcribe(one, language="zh", beam_size=5, vad_filter=True)[0])
            for one in decode_audio(str(path), split_stereo=True)
        ]

    return hear


def _openai(checkpoint: str) -> Hear:
    import whisper
    from faster_whisper import decode_audio

    model = whisper.load_model(checkpoint)

    def hear(path: Path) -> list[str]:
        return [
            model.transcribe(one, language="zh", beam_size=5, best_of=5, fp16=False)["text"]
            for one in decode_audio(str(path), split_stereo=True)
        ]

    return hear


# ---- comparison


def _compare(groups: Sequence[list[Call]], folder: Path, *, slow_share: float) -> None:
    checkpoint = folder / "base.pt"
    _convert(checkpoint)
    slow = round(len(groups) * slow_share)
    runs: dict[str, list[Run]] = {OURS: [], BARE: [], PLAIN: [], OPENAI: []}
    for i, group in enumerate(groups):
        for system, done in runs.items():
            if system != OPENAI or i < slow:
                done.append(_run(system, group, checkpoint))
                _note(f"group {i + 1}/{len(groups)} {system}: {done[-1].seconds:.1f} s")
    minutes = sum(call.minutes for group in groups for call in group)
    print(f"\n{minutes:.1f} minutes of stereo calls, {len(groups)} groups; openai-whisper on {slow} of them\n")
    print(f"{'recogniser':26}{'wall s':>8}{'ours is':>9}{'cpu s':>8}{'ours is':>9}{'CER':>7}{'ours':>7}{'peak MB':>9}")
    for system, done in ((name, done) for name, done in runs.items() if done):
        print(_row(system, done, runs[OURS][: len(done)], groups))


def _row(system: str, done: Sequence[Run], ours: Sequence[Run], groups: Sequence[list[Call]]) -> str:
    theirs, mine = (sum(run.seconds for run in which) for which in (done, ours))
    cpu = sum(run.cpu_seconds for run in done)
    rates = [_error_rate(which, groups) for which in (done, ours)]
    faster = (theirs / mine, cpu / sum(run.cpu_seconds for run in ours))
    peak = max(run.peak_mb for run in done)
    times = f"{theirs:8.1f}{faster[0]:7.1f} x{cpu:8.1f}{faster[1]:7.1f} x"
    return f"{system:26}{times}{rates[0]:7.3f}{rates[1]:7.3f}{peak:9.0f}"


def _error_rate(runs: Sequence[Run], groups: Sequence[list[Call]]) -> float:
    """Over the groups that were run: all errors over all characters."""
    pairs = [
        (call, heard)
        for run, group in zip(runs, groups, strict=False)
        for call, heard in zip(group, run.texts, strict=True)
    ]
    return sum(_wrong(call, heard) for call, heard in pairs) / sum(_said(call) for call, _ in pairs)


def _wrong(call: Call, heard: Sequence[str]) -> int:
    """Characters wrong, missing or added, on both channels."""
    return sum(distance(normalise(right), normalise(text)) for right, text in zip(call.texts, heard, strict=True))


def _said(call: Call) -> int:
    return sum(len(normalise(text)) for text in call.texts)


def _convert(checkpoint: Path) -> None:
    from transcribe.weights import find_weights

    script = ROOT / "tests" / "transcribe" / "convert_weights.py"
    subprocess.run([sys.executable, script, find_weights("base").folder, checkpoint], check=True)


def normalise(text: str) -> str:
    """Simplified, digits read out, letters and characters only."""
    import cn2an
    import opencc

    def read_out(match: re.Match[str]) -> str:
        digits = match[0]
        if len(digits) > 4 or digits.startswith("0"):
            return "".join("零一二三四五六七八九"[int(d)] for d in digits)
        return str(cn2an.an2cn(digits))

    simplified = opencc.OpenCC("t2s").convert(text)
    return re.sub(r"[^\u4e00-\u9fffa-z]", "", re.sub(r"\d+", read_out, simplified.lower()))


def distance(one: str, other: str) -> int:
    """Levenshtein distance in characters."""
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, start=1):
        left, corner = i, row[0]
        row[0] = i
        for j, theirs in enumerate(other, start=1):
            left = min(left + 1, row[j] + 1, corner + (char != theirs))
            corner, row[j] = row[j], left
    return row[-1]


# ---- hot words


def _hotwords() -> None:
    """Errors of each recording with and without hot words, then words found and words made up."""
    from rules.load import load_lexicon

    words, systems = load_lexicon()["hotwords"], {OURS: _ours(), BARE: _bare()}
    calls = list(_recordings())
    heard = {name: [hear(call.path) for call in calls] for name, hear in systems.items()}
    print(f"\n{'recording':14}{'characters':>11}" + "".join(f"{name:>25}" for name in systems))
    for i, call in enumerate(calls):
        print(f"{call.path.name:14}{_said(call):11}" + "".join(f"{_wrong(call, heard[n][i]):25}" for n in systems))
    for name in systems:
        counts = [_counts(call, texts, words) for call, texts in zip(calls, heard[name], strict=True)]
        said, found, made_up = (sum(column) for column in zip(*counts, strict=True))
        print(f"{name}: {found} of {said} hot words found, {made_up} made up")


def _recordings() -> Iterator[Call]:
    """The stereo samples and the recordings of the corpus's open half, as they are."""
    for sample in _stereo_samples():
        yield _recorded(SAMPLES, sample, sample["turns"])
    lines = [line for file in (CORPUS / "open").glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    turns = {call["call_id"]: call["turns"] for call in map(json.loads, lines)}
    for call in json.loads((CORPUS / "sound" / "index.json").read_text("utf-8")):
        if call["half"] == "open":
            yield _recorded(CORPUS / "sound", call, turns[call["call_id"]])


def _recorded(folder: Path, call: dict[str, Any], turns: Sequence[dict[str, Any]]) -> Call:
    return Call(path=folder / call["file"], minutes=call["duration_ms"] / 60_000, texts=_texts(turns))


def _counts(call: Call, heard: Sequence[str], words: Sequence[str]) -> tuple[int, int, int]:
    """How often the words were said, were found, and came up without having been said."""
    pairs = [
        (normalise(right).count(word), normalise(text).count(word))
        for right, text in zip(call.texts, heard, strict=True)
        for word in words
    ]
    return sum(a for a, _ in pairs), sum(min(a, b) for a, b in pairs), sum(max(0, b - a) for a, b in pairs)


# ---- memory


def _memory(folder: Path, *, repeats: int) -> None:
    """Peak memory after 1 and after `repeats` calls of one process, and of a 1-minute and a 60-minute call."""
    minute = next(c for c in _stereo_samples() if c["file"])
    one = _join([minute], folder / "one.wav")
    long = folder / "sixty.wav"
    _repeat(one.path, long, times=round(60 / one.minutes))
    print(f"\npeak memory of a worker, MB (goal: under {MEMORY_GOAL_MB}, flat)")
    first, last = _peaks([one.path], repeats=repeats)
    print(f"after 1 call {first:.0f}, after {repeats} calls {last:.0f} (x {last / first:.2f})", flush=True)
    (whole,) = _peaks([long], repeats=1)
    print(f"call of 1 minute {first:.0f}, of 60 minutes {whole:.0f} (x {whole / first:.2f})")


def _repeat(path: Path, out: Path, *, times: int) -> None:
    from transcribe.audio import blocks, examine

    sound = np.concatenate(list(blocks(examine(path))), axis=1)[:, ::2]
    _write(out, np.tile(sound, times))


def _peaks(files: Sequence[Path], *, repeats: int) -> list[float]:
    command = [sys.executable, __file__, "--child", f"memory|{repeats}", *map(str, files)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return list(json.loads(done.stdout.splitlines()[-1]))


def _child_memory(files: Sequence[Path], *, repeats: int) -> None:
    """Print peak memory after the first call and, where there are more, after the last."""
    hear = _ours()
    hear(files[0])
    peaks = [_peak_mb()]
    for _ in range(repeats - 1):
        hear(files[0])
    print(json.dumps(peaks if repeats == 1 else [*peaks, _peak_mb()]))


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # this script's own name would hide the package of that name
    main()
