"""`callaudit transcribe`: recordings → transcripts as files, without rules and without a store."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from audit.batch import Tally
from audit.calls import CallRecord
from audit.errors import BadPath, os_reason
from audit.hearing import Hearing, open_ears, told_of_bug
from audit.pipeline import Hear
from audit.plan import SOUND, TEXT, Wanted, make_plan
from transcribe.errors import EngineMissing, TranscribeError, WeightsMissing
from transcribe.files import to_dict, write_json, write_srt
from transcribe.model import Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One recording: its transcript, or the reason why there is none."""

    path: Path
    transcript: Transcript | None = None
    reason: str = ""


def transcribe_all(
    paths: Sequence[Path],
    *,
    hearing: Hearing,
    utc_offset: tzinfo,
    linked: tuple[Path, ...],
    notify: Callable[[Tally], None],
) -> Iterator[Heard]:
    """Hear every recording under `paths`, one after the other; one that can't be heard does not stop the rest."""
    suffixes = TEXT if hearing.engine == "transcript" else SOUND
    wanted = Wanted(suffixes=suffixes, linked=linked)
    plan = make_plan(paths, wanted=wanted, lists=(), known={}, utc_offset=utc_offset)
    hear = open_ears(hearing)
    tally = Tally(total=len(plan.records) + len(plan.refusals))
    for refusal in plan.refusals:
        yield _counted(Heard(path=refusal.path, reason=refusal.reason), tally)
    for record in plan.records:
        heard = _counted(_hear_one(hear, record), tally)
        notify(tally)
        yield heard


def _hear_one(hear: Hear, record: CallRecord) -> Heard:
    assert record.path is not None
    try:
        return Heard(path=record.path, transcript=hear(record))
    except (WeightsMissing, EngineMissing):
        raise
    except TranscribeError as error:
        return Heard(path=record.path, reason=str(error))
    except Exception as error:  # whatever is wrong with one, the others go on
        return Heard(path=record.path, reason=told_of_bug(record, error))


def _counted(heard: Heard, tally: Tally) -> Heard:
    if heard.transcript is None:
        tally.failed += 1
    else:
        tally.done += 1
        tally.heard_ms += heard.transcript.duration_ms
    return heard


class Written:
    """Where transcripts go: `<stem>.json` in a folder (and .srt), or lines of JSON on stdout."""

    def __init__(self, folder: Path | None, *, srt: bool) -> None:
        self._folder = folder
        self._srt = srt
        self._names: set[str] = set()
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BadPath(f"{folder}：建不了输出文件夹（{os_reason(error)}）；请检查路径和写权限") from error

    def keep(self, source: Path, transcript: Transcript) -> None:
        """Write one transcript; a second file of the same stem keeps its suffix in the name (a.mp3.json)."""
        if self._folder is None:
            sys.stdout.write(json.dumps(to_dict(transcript), ensure_ascii=False) + "\n")
            return
        name = next(n for n in self._candidates(source) if n not in self._names)
        self._names.add(name)
        try:
            write_json(transcript, self._folder / f"{name}.json")
            if self._srt:
                write_srt(transcript, self._folder / f"{name}.srt")
        except OSError as error:
            raise BadPath(f"{self._folder}：写不进转写（{os_reason(error)}）；请检查空间和写权限") from error

    def _candidates(self, source: Path) -> Iterator[str]:
        yield source.stem
        yield source.name
        for number in range(2, 1_000_000):
            yield f"{source.name}.{number}"
