"""Whether a call sounds as if the agent had done a duty: a second look at duties that are done in more words than rules
can list.

A table of log odds for each (duty_tables/, learned by benchmarks/duties.py from the corpus's open half), over what is
said, by whom and how early, in the part of a call where the duty is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from rules.grams import CHARACTERS
from rules.text import NormalText
from transcribe.log_odds import LogOdds, pieces, read_log_odds
from transcribe.model import Role

DUTIES = ("identify_self", "verify_identity", "complaint_channel", "offer_plan", "courteous_closing")
TABLES = Path(__file__).with_name("duty_tables")

_OPENING, _CLOSING = 6, 4  # turns
_ALIKE_FROM = 3  # turns from which on it does not matter how early something is said
# Log odds above which, on files that were held out, lie 39 of 53 openings wrongly called missed and 18 of 195 rightly
# so, and of the other three duties 17 of 23 and 9 of 167.
_DONE_ABOVE = -0.5


def duty_pieces(duty: str, normal: NormalText, roles: Sequence[Role]) -> set[str]:
    """The pieces of the turns in which a duty is done, each marked with its speaker, and in openings with its place."""
    turns = range(len(roles))
    if duty in ("identify_self", "verify_identity"):
        marked = [(f"{roles[n].value[0]}{min(n, _ALIKE_FROM)}", n) for n in turns[:_OPENING]]
    elif duty == "courteous_closing":
        marked = [(roles[n].value[0], n) for n in turns[-_CLOSING:]]
    else:
        marked = [("a", n) for n in turns if roles[n] is Role.AGENT]
    return {mark + piece for mark, n in marked for piece in pieces(normal.turn_text(n)[:CHARACTERS])}


def sounds_done(duty: str, normal: NormalText, roles: Sequence[Role]) -> bool:
    """Whether a call sounds as if a duty had been done."""
    return _table(duty).of_pieces(duty_pieces(duty, normal, roles)) > _DONE_ABOVE


@cache
def _table(duty: str) -> LogOdds:
    return read_log_odds(TABLES / f"{duty}.npz")
