"""A store of every earlier schema, with rows in every table of its time, opens under today's code with all of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from audit import ledger
from audit.access import LOCAL
from audit.errors import StoreError
from audit.store import Store, tallies
from audit.store.migrations import migrations

STEPS = [migration.name for migration in migrations.pending(Database(memory=True))]
KEPT_BY_THE_STORE = {
    "items", "call_days", "hour_days", "agent_days", "rule_days", "collector_days", "stage_days", "flagged_days",
    "promises", "ledger", "stamps",
}  # fmt: skip
"""Counted or copied by migrations themselves: rows of ours would make them wrong."""

GIVEN_UP = {("recordings", "path")}
"""Columns that later schemas don't have: the calls of a recording say where its files lie."""

AT, DAY = "2026-11-19T10:12:05+08:00", "2026-11-19"
VALUES: dict[str, Any] = {
    "turns": '[["agent",0,0,900,"你个老赖",1.0]]', "card": '{"duties":{}}', "promise": None, "options": "{}", "extra": "{}",
    "notes": "[]", "citations": "[]", "severity": "critical", "result": "fail", "category": "abuse", "state": "waiting",
    "score": 60, "duration_ms": 30_000, "call_id": "c1", "recording": "r1", "rule_id": "insult", "key": "k1", "words": None,
    "team": "一组", "product": "信用卡", "agent_id": "A01", "debtor_id": "D1", "case_id": "x1", "quote": "老赖", "days_overdue": 40,
    "before": "{}", "after": "{}", "undoes": None, "strata": "[]",
}  # fmt: skip


def value_of(table: str, column: str, kind: str) -> Any:
    if table == "recordings" and column == "id":
        return "r1"
    if column in VALUES:
        return VALUES[column]
    if column == "at" or column.endswith(("_at", "_until")) or column in ("until", "since"):
        return AT
    if column == "day" or column.endswith("_on"):
        return DAY
    return {"INTEGER": 1, "REAL": 0.5, "BLOB": b""}.get(kind.upper(), f"{table}.{column}")


def fill(raw: sqlite3.Connection, table: str) -> dict[str, Any]:
    """One row, in which everything that points to another table points to the row there."""
    columns = raw.execute(f'pragma table_info("{table}")').fetchall()
    row = {name: value_of(table, name, kind) for _, name, kind, *_ in columns}
    for _, _, other, column, theirs, *_ in raw.execute(f'pragma foreign_key_list("{table}")').fetchall():
        found = raw.execute(f'select "{theirs or "rowid"}" from "{other}" limit 1').fetchone()
        if row[column] is not None and found is not None:
            row[column] = found[0]
    names = ", ".join(f'"{name}"' for name in row)
    raw.execute(f'insert into "{table}" ({names}) values ({", ".join("?" * len(row))})', list(row.values()))
    return row


def tables_of(raw: sqlite3.Connection) -> list[str]:
    found = raw.execute("select name from sqlite_master where type = 'table' order by rowid").fetchall()
    return [name for (name,) in found if not name.startswith(("sqlite_", "_sqlite"))]


def build(path: Path, *, upto: str) -> dict[str, dict[str, Any]]:
    """A store of the schema after one step; each table got its row as soon as there was one."""
    path.touch(mode=0o600)
    raw = sqlite3.connect(path)
    rows: dict[str, dict[str, Any]] = {}
    for after in [*STEPS[1:], None][: STEPS.index(upto) + 1]:
        migrations.apply(Database(raw, execute_plugins=False), stop_before=after)
        for table in tables_of(raw):
            if table not in rows and table not in KEPT_BY_THE_STORE:
                rows[table] = fill(raw, table)
        raw.commit()
    raw.close()
    return rows


@pytest.mark.parametrize("step", STEPS)
def test_a_store_of_every_earlier_schema_opens_with_all_it_had(tmp_path: Path, step: str) -> None:
    path = tmp_path / "old.db"
    rows = build(path, upto=step)
    with Store.open(path) as store:
        for table, row in rows.items():
            had = {column: value for column, value in row.items() if (table, column) not in GIVEN_UP}
            found = list(store.all(f'select * from "{table}"'))
            assert any(had.items() <= kept.items() for kept in found), table
        assert not list(store.all("pragma foreign_key_check"))
        assert store.integrity() == "ok"
        assert tallies.differences(store) == []
        assert tallies.totals(store).calls == int("scorecards" in rows)
        with store.writing():
            ledger.record(store, actor=LOCAL, kind=ledger.Kind.EXPORT, subject="t", data={})
    assert not migrations.pending(Database(str(path), execute_plugins=False))


def test_a_page_that_was_damaged_is_named_by_doctor(batch: Store) -> None:
    from audit.doctor import _look, _store

    path = batch.path
    batch.sql.execute("pragma wal_checkpoint(truncate)")
    batch.close()
    assert _look("store", "数据库", lambda: _store(path)).ok
    whole = path.read_bytes()
    size = int.from_bytes(whole[16:18], "big")
    for page in range(1, len(whole) // size, max(1, len(whole) // size // 12)):
        content = bytearray(whole)
        content[page * size : page * size + 8] = b"\xff" * 8  # what tells how the page is laid out
        path.write_bytes(content)
        try:
            told = _look("store", "数据库", lambda: _store(path))
        except StoreError as error:
            pytest.fail(f"doctor must not stop: {error}")
        assert not told.ok, page
        assert "损坏" in told.detail, told.detail
        assert "备份" in told.detail
