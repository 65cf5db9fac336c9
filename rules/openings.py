"""Whether a call opens as if the agent had said who calls, and asked who is on the line before anything else: a second
look at two duties that are done in more words than rules can list.

A table of log odds for each (opening_tables/, learned by benchmarks/openings.py from the corpus's open half), over what
is said in the first turns, by whom and how early.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from rules.grams import CHARACTERS
from rules.text import NormalText
from transcribe.log_odds import LogOdds, pieces, read_log_odds
from transcribe.model import Role

DUTIES = ("identify_self", "verify_identity")
TABLES = Path(__file__).with_name("opening_tables")

_TURNS = 6
_ALIKE_FROM = 3  # turns from which on it does not matter how early something is said
# Log odds above which, on files that were held out, lie 39 of 53 duties wrongly called missed and 18 of 195 rightly so.
_DONE_ABOVE = -0.5


def opening_pieces(normal: NormalText, roles: Sequence[Role]) -> set[str]:
    """The pieces of the first turns, each marked with its speaker and place."""
    return {
        f"{role.value[0]}{min(n, _ALIKE_FROM)}{piece}"
        for n, role in enumerate(roles[:_TURNS])
        for piece in pieces(normal.turn_text(n)[:CHARACTERS])
    }


def sounds_done(duty: str, normal: NormalText, roles: Sequence[Role]) -> bool:
    """Whether a call opens as if a duty had been done."""
    return _table(duty).of_pieces(opening_pieces(normal, roles)) > _DONE_ABOVE


@cache
def _table(duty: str) -> LogOdds:
    return read_log_odds(TABLES / f"{duty}.npz")
