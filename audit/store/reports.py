"""What a report needs of the reviews: every finding that people have spoken of, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit.store.filters import Filter, where

if TYPE_CHECKING:
    from audit.store.connection import Connection


def reviewed_items(store: Connection, which: Filter) -> list[dict[str, Any]]:
    """Items under the filter that are waiting no longer: key, call_id, state, machine, and whose verdict stands when.

    `by` and `at` are of the newest entry about it, null where there is none.
    """
    clause, values = where(which, day="day")
    rows = store.all(
        "select items.key, items.call_id, state, machine, v.by, v.at from items"
        " left join verdicts v on v.id = (select max(id) from verdicts w where w.key = items.key)"
        f" where state <> 'waiting' and {clause} order by items.key",
        values,
    )
    return list(rows)
