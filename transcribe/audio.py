"""Recordings: opened once to examine, once to decode; memory stays flat whatever the length.

Telephone formats decode through PyAV: wav (PCM, A-law, mu-law), mp3, m4a, amr, ogg/opus, flac, 8 to 48 kHz.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcribe.errors import UnreadableAudio

SAMPLE_RATE = 16_000
"""Hz of every block that leaves this module: what Whisper and Silero expect."""

PER_MS = SAMPLE_RATE // 1000
"""Samples in a millisecond."""

SHORTEST_MS = 500
LONGEST_HOURS = 4.0

# A playlist renamed .wav must not make FFmpeg open what it points to: only containers of sound.
_CONTAINERS = "wav,w64,mp3,mov,mp4,m4a,3gp,3g2,mj2,amr,amrnb,amrwb,ogg,flac,aac,matroska,webm,aiff,au,caf,asf"

# Below -60 dBFS nobody can be heard on a telephone line; 8-bit A-law idles near -72 dBFS.
_SILENT_RMS = 10 ** (-60 / 20)
# Two talkers leak into each other at -15 dB or less (correlation under 0.5 after echo); copies of one signal,
# even after separate lossy coding, stay above 0.98.
_SAME_SIGNAL = 0.98
_GUESSED = ("amr", "amrnb", "amrwb", "aac")
# Samples of one size: PCM, float, A-law, mu-law, and their extensible form.
_PLAIN_WAV = (1, 3, 6, 7, 0xFFFE)
# Who writes to a pipe can't know the size and puts about the largest number.
_WAV_UNKNOWN = 0x7FFF_0000
# Less than half of what the header promises is not the call any more.
_KEEP_SHARE = 0.5

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What examining a file told: `sources` are the channels worth hearing, `notes` what a reviewer must know."""

    path: Path
    sha256: str
    duration_ms: int
    channels: int
    sample_rate: int
    sources: tuple[int, ...]
    fake_stereo: bool
    notes: tuple[str, ...]

    @property
    def two_voices(self) -> bool:
        """True where each channel carries a speaker of its own."""
        return self.channels == 2 and not self.fake_stereo


@dataclass(slots=True)
class _Levels:
    """Running sums over a decoded recording: energy and cross energy, and the RMS of the loudest block."""

    energy: NDArray[np.float64]
    loudest: NDArray[np.float64]
    cross: float = 0.0
    samples: int = 0

    def add(self, block: Samples) -> None:
        wide = block.astype(np.float64)
        energy = np.einsum("cn,cn->c", wide, wide)
        self.energy += energy
        self.loudest = np.maximum(self.loudest, np.sqrt(energy / block.shape[1]))
        if len(wide) == 2:
            self.cross += float(wide[0] @ wide[1])
        self.samples += block.shape[1]

    def correlation(self) -> float:
        """Normalised correlation of the two channels, blind to gain and polarity."""
        scale = float(np.sqrt(self.energy[0] * self.energy[1]))
        return abs(self.cross) / scale if scale else 0.0


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes, the id of the recording. Raises `UnreadableAudio`."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableAudio(path, _why_not_opened(error)) from None


def examine(path: Path, *, longest_hours: float = LONGEST_HOURS) -> Recording:
    """Decode the whole file once, keep only sums; raises `UnreadableAudio` with what to do about it."""
    sha256 = fingerprint(path)
    if path.stat().st_size == 0:
        raise UnreadableAudio(path, "文件是空的（0 字节）；请从录音系统重新导出")
    with _Source(path) as source:
        levels = _measure(source, longest_hours=longest_hours)
        return _judge(source, levels, sha256=sha256)


def blocks(recording: Recording, *, seconds: float = 30.0) -> Iterator[Samples]:
    """Yield float32 blocks of shape (sources, n) at 16 kHz, n at most `seconds`; one row per source."""
    wanted = int(seconds * SAMPLE_RATE)
    with _Source(recording.path) as source:
        for block in _regroup(source.resampled(), wanted):
            yield block[list(recording.sources)]


class _Source:
    """An open file and its first audio stream. Frames that don't decode are counted, not fatal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken = 0

    def __enter__(self) -> _Source:
        import av

        try:
            self.container = av.open(
                str(self.path), metadata_errors="ignore", options={"format_whitelist": _CONTAINERS}
            )
        except (av.FFmpegError, OSError) as error:
            raise UnreadableAudio(self.path, _why_not_decoded(error)) from None
        if not self.container.streams.audio:
            self.container.close()
            raise UnreadableAudio(self.path, "文件里没有音频流；请确认导出的是录音而不是视频或文档")
        self.stream = self.container.streams.audio[0]
        self._refuse_channels()
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def _refuse_channels(self) -> None:
        count = self.stream.codec_context.channels
        if count not in (1, 2):
            self.container.close()
            raise UnreadableAudio(
                self.path, f"有 {count} 个声道，只支持单声道或双声道；请先导出坐席和客户两个声道"
            )

    @property
    def channels(self) -> int:
        return int(self.stream.codec_context.channels)

    def promised_ms(self) -> int:
        """Duration that the container announces; 0 where it announces none or FFmpeg only guesses it by bit rate."""
        if (of_wav := _promised_by_wav(self.path)) is not None:
            return of_wav
        if self.container.format.name in _GUESSED or (self.container.format.name == "mp3" and not self._counted()):
            return 0
        if self.stream.duration and self.stream.time_base:
            return int(self.stream.duration * self.stream.time_base * 1000)
        return int((self.container.duration or 0) / 1000)

    def _counted(self) -> bool:
        """True where an mp3 starts with the encoder's own count of frames."""
        with self.path.open("rb") as file:
            head = file.read(1 << 16)
        return any(tag in head for tag in (b"Xing", b"Info", b"VBRI"))

    def frames(self) -> Iterator[Any]:
        import av

        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
                yield from packet.decode()
            except StopIteration:
                return
            except av.InvalidDataError:
                self.broken += 1
            except av.EOFError:
                return

    def raw(self) -> Iterator[Samples]:
        """Blocks at the file's own rate, shape (channels, n)."""
        return self._converted(self.stream.codec_context.sample_rate)

    def resampled(self) -> Iterator[Samples]:
        return self._converted(SAMPLE_RATE)

    def _converted(self, rate: int) -> Iterator[Samples]:
        from av.audio.resampler import AudioResampler

        layout = "mono" if self.channels == 1 else "stereo"
        resampler = AudioResampler(format="fltp", layout=layout, rate=rate)
        for frame in chain(self._seconds(), [None]):
            for out in resampler.resample(frame):
                yield out.to_ndarray().astype(np.float32, copy=False)

    def _seconds(self) -> Iterator[Any]:
        """Frames of a second: codecs make them of a fiftieth, and each costs a dozen calls."""
        from av import AudioFifo

        fifo = AudioFifo()
        for frame in self.frames():
            frame.pts = None  # streams with gaps in their clock are still one call
            try:
                fifo.write(frame)
            except ValueError:  # damage that reads as another rate or layout
                self.broken += 1
            if fifo.samples >= self.stream.codec_context.sample_rate:
                yield fifo.read()
        if fifo.samples:
            yield fifo.read()


def _promised_by_wav(path: Path) -> int | None:
    """Milliseconds that the header of a wav of plain samples announces: FFmpeg tells those of the bytes that are there.
    0 where it announces none, as one that was written while the call went on; None for every other file.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
    bytes_a_second, at = 0, 12
    while head[:4] == b"RIFF" and at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        if name == b"fmt " and at + 20 <= len(head):
            form, _, _, bytes_a_second = struct.unpack_from("<HHII", head, at + 8)
            if form not in _PLAIN_WAV:
                return None
        if name == b"data" and bytes_a_second:
            return size * 1000 // bytes_a_second if size < _WAV_UNKNOWN else 0
        at += 8 + size + size % 2
    return None


def _measure(source: _Source, *, longest_hours: float) -> _Levels:
    levels = _Levels(energy=np.zeros(source.channels), loudest=np.zeros(source.channels))
    limit = longest_hours * 3600 * source.stream.codec_context.sample_rate
    if source.promised_ms() > longest_hours * 3_600_000:
        raise UnreadableAudio(source.path, _too_long(longest_hours))
    for block in _regroup(source.raw(), 1 << 18):
        levels.add(block)
        if levels.samples > limit:
            raise UnreadableAudio(source.path, _too_long(longest_hours))
    return levels


def _judge(source: _Source, levels: _Levels, *, sha256: str) -> Recording:
    rate = int(source.stream.codec_context.sample_rate)
    duration_ms = round(levels.samples * 1000 / rate)
    notes = _cut_notes(source, duration_ms)
    if duration_ms < SHORTEST_MS:
        short = f"只有 {duration_ms / 1000:.1f} 秒，短于 {SHORTEST_MS / 1000} 秒，听不出内容"
        raise UnreadableAudio(source.path, f"{short}；请核对是否导出完整")
    heard = tuple(int(c) for c in np.flatnonzero(levels.loudest > _SILENT_RMS))
    fake = len(heard) == 2 and levels.correlation() >= _SAME_SIGNAL
    if fake:  # the louder copy; a mean would cancel copies of opposite polarity
        heard = (int(np.argmax(levels.energy)),)
    return Recording(
        path=source.path,
        sha256=sha256,
        duration_ms=duration_ms,
        channels=source.channels,
        sample_rate=rate,
        sources=heard,
        fake_stereo=fake,
        notes=(*notes, *_channel_notes(source.channels, heard, fake=fake)),
    )


def _channel_notes(channels: int, heard: tuple[int, ...], *, fake: bool) -> list[str]:
    names = ("左声道", "右声道")
    if not heard:
        return ["整段录音没有声音"]
    if fake:
        return ["假立体声：左右声道是同一信号，按单声道处理"]
    return [f"{names[c]}没有声音" for c in range(channels) if channels == 2 and c not in heard]


def _cut_notes(source: _Source, duration_ms: int) -> list[str]:
    """Keep what decodes of a damaged file if it is most of the call, and say so; else refuse."""
    promised = source.promised_ms()
    missing = promised - duration_ms
    if duration_ms < promised * _KEEP_SHARE and missing > 1000:
        raise UnreadableAudio(
            source.path,
            f"文件不完整：应有 {promised / 1000:.1f} 秒，只能解出 {duration_ms / 1000:.1f} 秒；请重新导出",
        )
    if missing > max(1000, promised * 0.02):
        return [f"文件不完整：应有 {promised / 1000:.1f} 秒，只解出 {duration_ms / 1000:.1f} 秒"]
    return ["文件有损坏的数据，已跳过解不出的部分"] if source.broken else []


def _regroup(parts: Iterator[Samples], wanted: int) -> Iterator[Samples]:
    """Join small decoded frames to blocks of `wanted` samples; the last may be shorter."""
    pending: list[Samples] = []
    size = 0
    for part in parts:
        pending.append(part)
        size += part.shape[1]
        if size >= wanted:
            whole = np.concatenate(pending, axis=1)
            cut = size - size % wanted
            for start in range(0, cut, wanted):
                yield whole[:, start : start + wanted]
            pending, size = [whole[:, cut:]], size - cut
    if size:
        yield np.concatenate(pending, axis=1)


def _why_not_opened(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "没有读取权限；请给运行本程序的用户授权"
    if isinstance(error, FileNotFoundError):
        return "文件不存在；请检查路径"
    if isinstance(error, IsADirectoryError):
        return "这是文件夹，不是录音文件"
    return f"读取失败（{error.strerror}）；请检查磁盘或网络盘"


def _why_not_decoded(error: Exception) -> str:
    if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError):
        return _why_not_opened(error)
    return "不是能识别的录音格式（可能没有传完整，或是改了扩展名的其他文件）；支持 wav、mp3、m4a、amr、ogg/opus、flac"


def _too_long(hours: float) -> str:
    return f"超过 {hours:g} 小时的上限；请先切分，或确认它是一通电话"
