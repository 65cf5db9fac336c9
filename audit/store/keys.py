"""Names for findings that outlive a re-audit: people's verdicts hang on them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from unicodedata import normalize

from rules.model import Finding


def plain_words(quote: str) -> str:
    """The words alone: punctuation, spaces, width and case don't count."""
    return "".join(c for c in normalize("NFKC", quote).casefold() if c.isalnum())


def finding_keys(recording: str, findings: Sequence[Finding]) -> list[str]:
    """A key for each finding that stays the same over re-audits: recording, rule, turn and the words flagged.

    The second time the same words are flagged in a turn by the same rule is another finding.
    """
    seen: dict[tuple[object, ...], int] = {}
    keys = []
    for finding in findings:
        place = (recording, finding.rule_id, finding.turn, plain_words(finding.quote))
        seen[place] = seen.get(place, 0) + 1
        text = json.dumps([*place, seen[place]], ensure_ascii=False, separators=(",", ":"))
        keys.append(sha256(text.encode()).hexdigest()[:32])
    return keys
