"""Learn transcribe/speakers.npz: which characters speak for the agent and which for the customer. Seconds.

    make speakers

From the turns of the corpus's open half.
"""

from __future__ import annotations

from pathlib import Path

from audit.evaluate import read_corpus
from benchmarks.log_odds import Recipe, learn
from transcribe.log_odds import pieces
from transcribe.manner import SPEAKERS
from transcribe.model import Role

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "open"


def main() -> None:
    """Count, learn, write."""
    turns = [
        turn
        for call in read_corpus(CORPUS)
        if not call.everyday
        for turn in call.turns
        if turn.role in (Role.AGENT, Role.CUSTOMER)
    ]
    agents = [turn.role is Role.AGENT for turn in turns]
    learn([pieces(turn.text) for turn in turns], agents, SPEAKERS, Recipe(rarest=20, kept=3_000, strength=0.05))


if __name__ == "__main__":
    main()
