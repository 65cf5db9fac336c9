"""What goes wrong between a file and its transcript, each error one Chinese sentence: what, where, what to do."""

from __future__ import annotations

from pathlib import Path


class TranscribeError(Exception):
    """Base of everything this package raises for people to read."""


class UnreadableAudio(TranscribeError):
    """A recording that can't be judged; `reason` says what is wrong and what to do."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}：{reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableAudio], tuple[Path | str, str]]:
        return type(self), (self.path, self.reason)  # travels between worker processes


class WeightsMissing(TranscribeError):
    """No usable weights for the engine; the message names every way to get them."""


class EngineMissing(TranscribeError):
    """The recogniser's package is not installed; the message names the extra that brings it."""


class BadTranscript(TranscribeError):
    """A transcript file that can't be read; the message names the file, the line and the allowed values."""
