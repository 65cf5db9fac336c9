"""Learn transcribe/speakers.npz: which characters speak for the agent and which for the customer. Seconds.

    make speakers

From the turns of the corpus's open half: a logistic regression on which pieces stand in a turn. The same corpus gives
the same bytes.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from audit.evaluate import read_corpus
from transcribe.manner import SPEAKERS, pieces
from transcribe.model import Role

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "open"
RAREST = 20  # turns that a piece must occur in
KEPT = 3_000  # pieces, by what they weigh and how often they are said
STRENGTH = 0.05  # inverse of the regularisation


def main() -> None:
    """Count, learn, write."""
    turns = [
        (pieces(turn.text), turn.role is Role.AGENT)
        for call in read_corpus(CORPUS)
        for turn in call.turns
        if turn.role in (Role.AGENT, Role.CUSTOMER)
    ]
    said = Counter(piece for found, _ in turns for piece in found)
    listed = sorted(piece for piece, times in said.items() if times >= RAREST)
    column = {piece: number for number, piece in enumerate(listed)}
    rows = [sorted(column[piece] for piece in found if piece in column) for found, _ in turns]
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    columns = np.concatenate([np.array(row, dtype=np.int32) for row in rows])
    present = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(rows), len(listed)))
    learned = LogisticRegression(C=STRENGTH, solver="liblinear", class_weight="balanced", random_state=0)
    learned.fit(present, [agent for _, agent in turns])
    weights = learned.coef_[0]
    tells = np.abs(weights) * np.sqrt([said[piece] for piece in listed])
    kept = np.sort(np.argsort(-tells, kind="stable")[:KEPT])
    np.savez_compressed(
        SPEAKERS,
        pieces=np.array(listed)[kept],
        weights=weights[kept].astype(np.float16),
        bias=np.float32(learned.intercept_[0]),
    )
    print(f"{len(turns)} turns, {len(kept)} pieces, {SPEAKERS.stat().st_size / 1024:.0f} KiB → {SPEAKERS}")


if __name__ == "__main__":
    main()
