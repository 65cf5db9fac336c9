"""Count which characters follow one another in the corpus's open half (rules/homophones.npz).

    make homophones

Calls of which the corpus has recordings are left out, so that what `callaudit benchmark rules --sound` says of the
open recordings flatters no more than it must; so are the files whose writers put slips of recognition in on purpose.
The same corpus gives the same bytes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from audit.evaluate import read_corpus
from rules.homophones import MODEL, count, write_counts
from rules.text import HARD, QUESTION, NormalText

CORPUS = Path(__file__).parent.parent / "tests" / "corpus"
MISHEARD = re.compile(r"g1[1-9]-|g2\d-")


def main() -> None:
    spoken = {entry["call_id"] for entry in json.loads((CORPUS / "sound" / "index.json").read_text("utf-8"))}
    files = [file for file in sorted((CORPUS / "open").glob("*.jsonl")) if not MISHEARD.match(file.name)]
    calls = [call for file in files for call in read_corpus(file) if call.call_id not in spoken]
    turns = [NormalText([turn.text]).turn_text(0) for call in calls for turn in call.turns]
    counts = count(sentence for turn in turns for sentence in re.split(f"[{HARD}{QUESTION}]", turn))
    write_counts(counts, MODEL)
    size = MODEL.stat().st_size / 1024
    print(f"{len(turns)} turns, {len(counts.triples[0])} triples of characters, {size:.0f} KiB → {MODEL}")


if __name__ == "__main__":
    main()
