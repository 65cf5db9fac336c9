"""Learn rules/signal_tables: which characters speak for each signal of a customer. A minute.

    make signals

From all turns of the corpus's open half that the agent does not say.
"""

from __future__ import annotations

from pathlib import Path

from audit.evaluate import read_corpus
from benchmarks.log_odds import Recipe, learn
from rules.signals import SIGNALS, TABLES
from rules.text import NormalText
from transcribe.log_odds import pieces
from transcribe.model import Role

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "open"
RECIPE = Recipe(rarest=4, kept=6_000, strength=0.05)


def main() -> None:
    """Count, learn, write."""
    texts: list[set[str]] = []
    labels: list[set[str]] = []
    for call in read_corpus(CORPUS):
        normal = NormalText([turn.text for turn in call.turns])
        spoken = [turn.index for turn in call.turns if turn.role is not Role.AGENT]
        texts += [pieces(normal.turn_text(n)) for n in spoken]
        labels += [{category for turn, category in call.labels if turn == n} for n in spoken]
    TABLES.mkdir(exist_ok=True)
    for category in SIGNALS:
        learn(texts, [category in labelled for labelled in labels], TABLES / f"{category}.npz", RECIPE)


if __name__ == "__main__":
    main()
