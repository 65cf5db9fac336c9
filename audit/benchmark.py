"""`callaudit benchmark rules`: the page that says how good the rules are, from the labelled calls of the repository."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from audit.added import added
from audit.added import table as added_table
from audit.errors import AuditError
from audit.evaluate import Labelled, as_heard, evaluate, read_corpus, rule_table, tables, weighing_table
from rules.engine import Judge
from rules.second_opinion import SecondOpinion
from transcribe.model import Transcript

HALVES = {"open": "the half that rule writers look at", "set_aside": "the half that they never see"}

HearFile = Callable[[Path], Transcript]

_PREFACE = """\
# How good the rules are

Made by `make quality` from the labelled calls in [tests/corpus](../tests/corpus/README.md). The **set-aside** half
counts: it was written before the rules, by somebody else, and nobody looks at it while writing rules. On the open half
rules are tuned, so its figures flatter.

Found means put before a person, as a violation or as unsure. Precision is of what is called a violation; unsure accuses
nobody and is counted apart. Intervals are Wilson's, 95%. Calls are judged as `callaudit audit` does, by the rules
and the [second opinion](second-opinion.md), which learned from the open half; what it changes, and the tables of single
rules, which are without it, stand below."""


def quality_page(corpus: Path, judge: Judge, *, hear: HearFile | None) -> Iterator[str]:
    """The whole page, line by line; `hear` turns the corpus's recordings into transcripts, None leaves them out."""
    ruleset = judge.ruleset
    yield _PREFACE
    yield ""
    yield f"Rules: {ruleset.name} {ruleset.version}, {len(ruleset.rules)} of them, digest `{ruleset.digest[:12]}`."
    second = SecondOpinion(ruleset)
    halves = {half: _read(corpus / half) for half in HALVES}
    weighed = {half: evaluate(calls, judge, second) for half, calls in halves.items()}
    alone = {half: evaluate(calls, judge) for half, calls in halves.items()}
    for half, what in HALVES.items():
        yield from ("", f"## Text, {half.replace('_', '-')}: {what}", "")
        yield from tables(weighed[half])
    yield from ("", "## What the second opinion changes, on text", "")
    yield from weighing_table({half: (alone[half], weighed[half]) for half in HALVES})
    yield ""
    yield from added_table({half: added(calls, judge, second) for half, calls in halves.items()})
    if hear is not None:
        yield from _sound(corpus / "sound", halves, judge, second, hear)
    for half in HALVES:
        yield from ("", f"## Rules on text, {half.replace('_', '-')}", "")
        yield from rule_table(alone[half])


def _read(folder: Path) -> list[Labelled]:
    calls = read_corpus(folder)
    if not calls:
        raise AuditError(f"{folder} 里没有标注过的通话（*.jsonl）；请在代码仓库的根目录运行，或用 --corpus 指定")
    return calls


def _sound(
    folder: Path, halves: dict[str, list[Labelled]], judge: Judge, second: SecondOpinion, hear: HearFile
) -> Iterator[str]:
    """The calls that were spoken: judged as recognised, beside the same calls judged as text."""
    index: Sequence[dict[str, Any]] = json.loads((folder / "index.json").read_text("utf-8"))
    for half, calls in halves.items():
        by_id = {call.call_id: call for call in calls}
        spoken = [entry for entry in index if entry["half"] == half]
        texts = [by_id[entry["call_id"]] for entry in spoken]
        heard = [
            as_heard(call, hear(folder / entry["file"]), [(t["start_ms"], t["end_ms"]) for t in entry["turns"]])
            for call, entry in zip(texts, spoken, strict=True)
        ]
        for title, judged in (("as text", texts), ("as heard by the default model on an 8 kHz line", heard)):
            yield from ("", f"## Sound, {half.replace('_', '-')}: {len(spoken)} recordings, {title}", "")
            yield from tables(evaluate(judged, judge, second))
