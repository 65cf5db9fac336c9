"""Whether a call is about a debt at all: how much its words speak for everyday talk.

People who quarrel, joke or buy things use the words of threats, insults and payments too, and the second opinion
learned from collection calls. A table (everyday.npz), learned by benchmarks/everyday.py from the corpus's open half.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from rules.text import NormalText
from transcribe.log_odds import read_log_odds

EVERYDAY = Path(__file__).with_name("everyday.npz")

# Log odds above which, on files that were held out, stand 43 % of everyday talk, 17 of 22,107 guilty excerpts and none
# of 1,913 guilty calls.
_PLAINLY = 3.0
_FEW, _PER_TURN = 4, 0.5  # of a long call more is asked for each further turn: a sum over more words strays further


def is_everyday(call: NormalText) -> bool:
    """Whether a whole call sounds like talk that has nothing to do with a debt."""
    return _odds(call) > 0


def is_plainly_everyday(call: NormalText) -> bool:
    """Whether it sounds so much like it that what rules only suspect is nothing."""
    return _odds(call) > _PLAINLY


@lru_cache(maxsize=1)  # promises and the second opinion ask of the same call
def _odds(call: NormalText) -> float:
    return read_log_odds(EVERYDAY).of(call.text) - _PER_TURN * max(0, len(call.turns) - _FEW)
