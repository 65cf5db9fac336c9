"""Learn rules/duty_tables: how calls sound in which the agent does a duty. Seconds.

    make duties

From the whole calls of the corpus's open half in which people say whether the duty was done.
"""

from __future__ import annotations

from pathlib import Path

from audit.evaluate import read_corpus
from benchmarks.log_odds import Recipe, learn
from rules.duties import DUTIES, TABLES, duty_pieces
from rules.model import Result
from rules.text import NormalText

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "open"
RECIPE = Recipe(rarest=6, kept=6_000, strength=0.05)


def main() -> None:
    """Count, learn, write."""
    calls = [call for call in read_corpus(CORPUS) if call.whole]
    normal = [NormalText([turn.text for turn in call.turns]) for call in calls]
    TABLES.mkdir(exist_ok=True)
    for duty in DUTIES:
        judged = [n for n, call in enumerate(calls) if call.duties.get(duty) in (Result.PASS, Result.FAIL)]
        found = [duty_pieces(duty, normal[n], [turn.role for turn in calls[n].turns]) for n in judged]
        done = [calls[n].duties[duty] is Result.PASS for n in judged]
        learn(found, done, TABLES / f"{duty}.npz", RECIPE)


if __name__ == "__main__":
    main()
