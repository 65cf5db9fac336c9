"""Learn rules/everyday.npz: which characters speak for talk that has nothing to do with a debt. Seconds.

    make everyday

From the calls of the corpus's open half that are marked as everyday talk, and those with any label.
"""

from __future__ import annotations

from pathlib import Path

from audit.evaluate import read_corpus
from benchmarks.log_odds import Recipe, learn
from rules.everyday import EVERYDAY
from rules.text import NormalText
from transcribe.log_odds import pieces

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "open"


def main() -> None:
    """Count, learn, write."""
    calls = [call for call in read_corpus(CORPUS) if call.everyday or call.labels]
    texts = [pieces(NormalText([turn.text for turn in call.turns]).text) for call in calls]
    learn(texts, [call.everyday for call in calls], EVERYDAY, Recipe(rarest=8, kept=8_000, strength=0.3))


if __name__ == "__main__":
    main()
