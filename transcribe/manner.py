"""Who talks like that: how much words speak for the agent of a collection call.

A table (speakers.npz), learned by benchmarks/speakers.py from the corpus's open half. Phrases that hardly anybody else
says are in roles.py; this tells by everything else, where those were not said or misheard.
"""

from __future__ import annotations

from pathlib import Path

from transcribe.log_odds import read_log_odds

SPEAKERS = Path(__file__).with_name("speakers.npz")


def manner(text: str) -> float:
    """Log odds that words in simplified characters are an agent's."""
    return read_log_odds(SPEAKERS).of(text)
