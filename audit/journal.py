"""Events of an unattended program as lines of JSON on stderr, for a log collector; never a name, number or word.

    {"at": "2026-11-22T02:00:00+00:00", "event": "batch", "done": 120, "failed": 1, "seconds": 310.2}
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime


def note(event: str, **facts: str | float | None) -> None:
    """Write one event; `facts` are counts and times. No file names: call systems make them of telephone numbers."""
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **facts}
    sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stderr.flush()
