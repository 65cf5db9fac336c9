"""Learn rules/opening_tables: how calls open in which the agent says who calls and verifies who listens. Seconds.

    make openings

From the whole calls of the corpus's open half in which people say whether the duty was done.
"""

from __future__ import annotations

from pathlib import Path

from audit.evaluate import read_corpus
from benchmarks.log_odds import Recipe, learn
from rules.model import Result
from rules.openings import DUTIES, TABLES, opening_pieces
from rules.text import NormalText

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "open"
RECIPE = Recipe(rarest=6, kept=6_000, strength=0.05)


def main() -> None:
    """Count, learn, write."""
    calls = [call for call in read_corpus(CORPUS) if call.whole]
    openings = [
        opening_pieces(NormalText([turn.text for turn in call.turns]), [turn.role for turn in call.turns])
        for call in calls
    ]
    TABLES.mkdir(exist_ok=True)
    for duty in DUTIES:
        judged = [(n, call.duties[duty]) for n, call in enumerate(calls) if call.duties.get(duty) in _DONE_OR_NOT]
        done = [result is Result.PASS for _, result in judged]
        learn([openings[n] for n, _ in judged], done, TABLES / f"{duty}.npz", RECIPE)


_DONE_OR_NOT = (Result.PASS, Result.FAIL)


if __name__ == "__main__":
    main()
