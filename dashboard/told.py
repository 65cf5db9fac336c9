"""What went wrong, in the reader's language. audit/ says it in one Chinese sentence; the page words it in English.

A sentence that dashboard/words/errors.py doesn't know is shown as it is: better Chinese than nothing.
"""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

from audit.access import Role
from audit.complaint_clock import Status
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS
from dashboard.words import lang
from dashboard.words.errors import WORDS

_VALUES = (
    {role.label: role.value for role in Role}
    | {status.label: status.value for status in Status}
    | {f"{key}（{name}）": key for key, (name, _) in CATEGORIES_OF_COMPLAINTS.items()}
    | {"结论": "Outcome", "答复内容": "Answer to the complainant", "原因": "Root cause", "整改措施": "Remedy"}
    | {"通话清单": "list of calls", "案件清单": "list of cases", "投诉清单": "list of complaints"}
)


def told(error: Exception | str) -> str:
    """The sentence of an exception, or of a row that was left out, as this reader reads it."""
    said = str(error)
    return said if lang() == "zh" else in_english(said)


def in_english(said: str) -> str:
    """A sentence of audit/ in English; itself where it is unknown."""
    for pattern, english in _sentences():
        if found := pattern.fullmatch(said):
            return english.format(**{name: _value(text) for name, text in found.groupdict().items()})
    return said


def _value(text: str) -> str:
    """What fills a blank: names as they are, our own labels and sentences in English."""
    said = in_english(text)
    return said if said != text else ", ".join(_VALUES.get(part, part) for part in text.split("、"))


@cache
def _sentences() -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(chinese), english) for chinese, english in WORDS.values()]


def _pattern(chinese: str) -> re.Pattern[str]:
    parts = (re.escape(text) + (f"(?P<{name}>.*?)" if name else "") for text, name, _, _ in Formatter().parse(chinese))
    return re.compile("".join(parts), re.DOTALL)
