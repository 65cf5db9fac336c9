"""Neutral words of the trade for the recogniser. Threats and insults are never among them: recognisers print hot
words into silence (FunASR issue 3718), and an invented threat would accuse somebody."""

from __future__ import annotations

from rules.model import RuleSet


def hotwords(ruleset: RuleSet) -> tuple[str, ...]:
    """The lexicon's hot words, in its order."""
    return ruleset.lexicon.get("hotwords", ())
