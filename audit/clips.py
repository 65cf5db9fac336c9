"""Evidence clips: the seconds around a finding, cut from the recording and compressed for a report.

Ogg/Opus at 16 kHz mono, both sides mixed; about 2 kB a second. The same recording gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from audit.errors import BadConfig
from audit.remote import fetched, spelled
from audit.sound import Samples, Window, at, beeped, write_opus
from transcribe.audio import SAMPLE_RATE, Recording, blocks, examine, fingerprint

PADDING_MS = 3_000
# Long silences and whole-call findings are shown by their beginning; nobody listens longer in a report.
LONGEST_MS = 24_000
CLIPS_PER_CALL = 6
BITS_PER_SECOND = 14_000


class ClipUnavailable(Exception):
    """The evidence can't be played; the message says why, in Chinese."""


def window(start_ms: int, end_ms: int, *, duration_ms: int) -> Window:
    """A finding's time with `PADDING_MS` on both sides, inside the recording, at most `LONGEST_MS` long."""
    start = max(0, start_ms - PADDING_MS)
    end = min(duration_ms, max(end_ms, start_ms) + PADDING_MS, start + LONGEST_MS)
    return Window(start, max(end, start))


def merge(windows: Sequence[Window], *, limit: int = CLIPS_PER_CALL) -> tuple[Window, ...]:
    """At most `limit` clips that cover the windows, first come first; overlapping ones share a clip.

    Windows that would make a clip longer than `LONGEST_MS` stay apart. Returned in order of time.
    """
    clips: list[Window] = []
    for wanted in windows:
        if any(_covers(clip, wanted) for clip in clips):
            continue
        near = next((clip for clip in clips if _joinable(clip, wanted)), None)
        if near is not None:
            clips[clips.index(near)] = _union(near, wanted)
        elif len(clips) < limit:
            clips.append(wanted)
    return tuple(sorted(clips))


def clip_for(wanted: Window, clips: Iterable[Window]) -> Window | None:
    """The clip that holds the whole window, or None where the limit left it out."""
    return next((clip for clip in clips if _covers(clip, wanted)), None)


def cut(
    path: Path | None, sha256: str, windows: Sequence[Window], *, beeps: Sequence[Window] = ()
) -> Mapping[Window, bytes]:
    """Ogg/Opus bytes of each window, decoded in one pass; a tone covers `beeps` (times in the recording).

    Raises `ClipUnavailable` where the recording is gone, no longer the same bytes, or unreadable.
    """
    with opened(path, sha256) as recording:
        heard = _collect(recording, windows, beeps)
    return {window: encode(samples) for window, samples in heard.items()}


def encode(samples: Samples) -> bytes:
    """Mono float32 at 16 kHz, shape (n,), as Ogg/Opus."""
    file = io.BytesIO()
    step = SAMPLE_RATE // 25  # 40 ms, the encoder's own frame
    whole = np.pad(samples, (0, -len(samples) % step))
    options = {"application": "voip", "frame_duration": "40"}
    write_opus([whole[None, :]], file, channels=1, bit_rate=BITS_PER_SECOND, options=options)
    return file.getvalue()


@contextmanager
def opened(path: Path | None, sha256: str) -> Iterator[Recording]:
    """The recording that was audited, for the time being fetched where it lies at an address; `ClipUnavailable`."""
    from transcribe.errors import UnreadableAudio

    if path is None:
        raise ClipUnavailable("没有保存录音路径")
    try:
        with fetched(path) as file:
            yield open_recording(file, sha256)
    except UnreadableAudio as error:
        raise ClipUnavailable(f"录音在 {spelled(path)}，现在取不到：{error.reason}") from None
    except BadConfig as error:
        raise ClipUnavailable(f"录音在 {spelled(path)}：{error}") from None


def open_recording(path: Path, sha256: str) -> Recording:
    """The recording that was audited; `ClipUnavailable` where it is gone, another, unreadable or silent."""
    from transcribe.errors import UnreadableAudio

    try:
        if fingerprint(path) != sha256:
            raise ClipUnavailable("录音文件与审计时的不一致（SHA-256 不同）")
        recording = examine(path)
    except UnreadableAudio as error:
        raise ClipUnavailable(error.reason) from None
    if not recording.sources:
        raise ClipUnavailable("整段录音没有声音")
    return recording


def _collect(recording: Recording, windows: Sequence[Window], beeps: Sequence[Window]) -> dict[Window, Samples]:
    """The mixed samples of every window; stops reading after the last one."""
    parts: dict[Window, list[Samples]] = {window: [] for window in windows}
    last = max((at(window.end_ms) for window in windows), default=0)
    position = 0
    for block in beeped(blocks(recording), beeps):
        mixed = block.mean(axis=0)
        for wanted, pieces in parts.items():
            piece = mixed[max(0, at(wanted.start_ms) - position) : max(0, at(wanted.end_ms) - position)]
            pieces.append(piece)
        position += len(mixed)
        if position >= last:
            break
    return {wanted: np.concatenate([np.zeros(0, np.float32), *pieces]) for wanted, pieces in parts.items()}


def _covers(clip: Window, wanted: Window) -> bool:
    return clip.start_ms <= wanted.start_ms and wanted.end_ms <= clip.end_ms


def _union(one: Window, other: Window) -> Window:
    return Window(min(one.start_ms, other.start_ms), max(one.end_ms, other.end_ms))


def _joinable(clip: Window, wanted: Window) -> bool:
    overlap = clip.start_ms < wanted.end_ms and wanted.start_ms < clip.end_ms
    joined = _union(clip, wanted)
    return overlap and joined.end_ms - joined.start_ms <= LONGEST_MS
