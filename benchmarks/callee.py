"""Learn rules/callee.npz: how calls sound that somebody else than a debtor answers. Seconds.

    make callee

From the corpus's open half: whole calls by whether the debt could be stated, excerpts by the call record and by who
says that he is not the one asked for.
"""

from __future__ import annotations

from pathlib import Path

from audit.evaluate import Labelled, read_corpus
from benchmarks.log_odds import Recipe, learn
from rules.callee import CALLEE, call_pieces
from rules.model import Result
from rules.text import NormalText

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "open"
RECIPE = Recipe(rarest=6, kept=8_000, strength=0.2)


def main() -> None:
    """Count, learn, write."""
    told = [(call, answered) for call in read_corpus(CORPUS) if (answered := somebody_else(call)) is not None]
    texts = [
        call_pieces(NormalText([turn.text for turn in call.turns]), [turn.role for turn in call.turns])
        for call, _ in told
    ]
    learn(texts, [answered for _, answered in told], CALLEE, RECIPE)


def somebody_else(call: Labelled) -> bool | None:
    """Whether somebody else than a debtor or a guarantor is on the line; None where nobody says."""
    if call.whole:
        return _BY_DUTY.get(call.duties.get("state_debt"))
    if any(category == "wrong_person" for _, category in call.labels):
        return True
    return _BY_RECORD.get(call.facts.callee_relation)


_BY_DUTY = {Result.NOT_APPLICABLE: True, Result.PASS: False, Result.FAIL: False}
_BY_RECORD = {
    "contact": True, "unrelated": True,
    "self": False, "guarantor": False, "co_obligor": False, "spouse_joint_debt": False,
}  # fmt: skip


if __name__ == "__main__":
    main()
