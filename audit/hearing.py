"""From an engine's name to ears: what a worker hears with, loaded when the first call needs it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit.calls import CallRecord
from audit.pipeline import Hear
from audit.remote import address, fetched, spelled
from transcribe.model import Transcript

if TYPE_CHECKING:
    from transcribe.engine import Engine
    from transcribe.pipeline import Timings


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How recordings become transcripts. `model` is a folder or a name; `threads` is per worker.

    `agent_channel` holds where the call record is silent. With the engine `transcript`, files are read, not heard.
    """

    engine: str
    model: str
    threads: int = 0
    agent_channel: int | None = None
    hotwords: tuple[str, ...] = ()


def weights_digest(hearing: Hearing) -> str | None:
    """SHA-256 of the weights, found but not loaded; the name where a hub alone knows them; None where a
    transcript is read. Raises `WeightsMissing`.
    """
    from transcribe.weights import file_sha256, find_weights

    if hearing.engine == "transcript":
        return None
    if hearing.engine == "openai-whisper":
        checkpoint = Path(hearing.model)
        return file_sha256(checkpoint) if checkpoint.is_file() else hearing.model
    return find_weights(hearing.model).sha256


def open_ears(hearing: Hearing, *, timings: Timings | None = None) -> Hear:
    """A function from call to transcript; the engine is loaded once, by the first call. `timings` grow call by call."""
    from transcribe.pipeline import Timings

    if hearing.engine == "transcript":
        return _read
    loaded: list[Engine] = []
    timings = timings or Timings()

    def hear(record: CallRecord) -> Transcript:
        from rules.homophones import with_readings
        from transcribe.pipeline import transcribe

        if not loaded:
            with timings.measure("load"):
                loaded.append(load_engine(hearing))
        channel = hearing.agent_channel if record.agent_channel is None else record.agent_channel
        with ExitStack() as stack:
            path = _path(record)
            if address(path) is not None:
                with timings.measure("fetch"):
                    path = stack.enter_context(fetched(path))
            heard = transcribe(
                path, engine=loaded[0], agent_channel=channel, hotwords=hearing.hotwords, timings=timings
            )
        with timings.measure("read"):
            return replace(heard, turns=with_readings(heard.turns))

    return hear


def load_engine(hearing: Hearing) -> Engine:
    """The recogniser with its weights, ready to hear; `WeightsMissing` or `EngineMissing`."""
    if hearing.engine == "openai-whisper":
        from transcribe.openai_whisper import OpenaiWhisper

        return OpenaiWhisper(hearing.model)
    from transcribe.faster_whisper import FasterWhisper

    return FasterWhisper(hearing.model, threads=hearing.threads)


def _read(record: CallRecord) -> Transcript:
    """A transcript made elsewhere; its recording is the file at hand, for there is no other."""
    from rules.homophones import with_readings
    from transcribe.audio import fingerprint
    from transcribe.files import read_transcript

    with fetched(_path(record)) as path:
        transcript = read_transcript(path)
        return replace(transcript, recording=fingerprint(path), turns=with_readings(transcript.turns))


def told_of_bug(record: CallRecord, error: Exception) -> str:
    """Why a recording could not be done for no fault of its own; what a bug report needs is in it."""
    name = "" if record.path is None else spelled(record.path)
    return f"{name}：程序内部错误（{type(error).__name__}: {error}）；请把这条信息报告给开发者"


def _path(record: CallRecord) -> Path:
    if record.path is None:
        raise ValueError("an attempt has no sound to hear")
    return record.path
