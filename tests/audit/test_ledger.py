"""The ledger: what is in it stays in it, and whoever changes it behind our back is found out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from audit.access import Actor, Role
from audit.cli import cli
from audit.ledger import GENESIS, Broken, Head, Kind, canonical, digest, head, recent, record, verify
from audit.store import Store

ZHANG = Actor(name="张敏", role=Role.REVIEWER)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "audit.db") as store:
        for number in range(1, 6):
            record(
                store,
                actor=ZHANG,
                kind=Kind.VERDICT,
                subject=f"finding-{number}",
                data={"after": "confirmed", "n": number},
            )
        yield store


def behind_our_back(store: Store, *statements: str) -> None:
    """As somebody does who has the file and knows SQLite."""
    with closing(sqlite3.connect(store.path)) as connection, connection:
        for name in ("ledger_no_update", "ledger_no_delete", "ledger_in_order"):
            connection.execute(f"drop trigger {name}")
        for statement in statements:
            connection.execute(statement)


def test_entries_follow_each_other(store: Store) -> None:
    entries = recent(store)[::-1]
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in entries] == [GENESIS, *(entry.hash for entry in entries[:-1])]
    assert head(store) == Head(seq=5, hash=entries[-1].hash)
    assert verify(store) is None
    assert verify(store, anchor=head(store)) is None


def test_an_empty_ledger_holds(tmp_path: Path) -> None:
    with Store.open(tmp_path / "empty.db") as store:
        assert verify(store) is None
        assert head(store) == Head(seq=0, hash=GENESIS)


def test_a_hash_is_made_of_canonical_json_as_the_docs_say(store: Store) -> None:
    entry = recent(store, limit=1)[0]
    text = (
        f'{{"actor":"张敏","at":"{entry.at}","data":{{"after":"confirmed","n":5}},"kind":"verdict",'
        f'"previous":"{entry.previous}","role":"reviewer","seq":5,"subject":"finding-5"}}'
    )
    fields = {
        name: getattr(entry, name) for name in ("seq", "at", "actor", "role", "kind", "subject", "data", "previous")
    }
    assert canonical(fields) == text
    assert digest(fields) == entry.hash


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "'2020-01-01T00:00:00.000+00:00'"),
        ("actor", "'someone else'"),
        ("role", "'admin'"),
        ("kind", "'undo'"),
        ("subject", "'finding-9'"),
        ("data", """'{"after":"dismissed","n":3}'"""),
        ("data", "'not json'"),
        ("previous", f"'{GENESIS}'"),
        ("hash", f"'{'a' * 64}'"),
    ],
)
def test_a_changed_field_is_found_at_its_entry(store: Store, column: str, value: str) -> None:
    behind_our_back(store, f"update ledger set {column} = {value} where seq = 3")
    broken = verify(store)
    assert broken is not None
    assert broken.seq == 3


def test_an_entry_taken_out_of_the_middle_is_found(store: Store) -> None:
    behind_our_back(store, "delete from ledger where seq = 3")
    assert verify(store) == Broken(seq=3, why="缺少第 3 条，下一条是第 4 条")


def test_closing_the_gap_after_a_deletion_is_found(store: Store) -> None:
    behind_our_back(store, "delete from ledger where seq = 3", "update ledger set seq = seq - 1 where seq > 3")
    broken = verify(store)
    assert broken is not None
    assert broken.seq == 3


def test_an_entry_put_in_at_the_front_is_found(store: Store) -> None:
    behind_our_back(
        store,
        "insert into ledger select 0, at, actor, role, kind, subject, data, previous, hash from ledger where seq = 1",
    )
    broken = verify(store)
    assert broken is not None
    assert broken.seq == 1


def test_entries_cut_off_the_end_are_found_by_the_number_that_sqlite_keeps(store: Store) -> None:
    behind_our_back(store, "delete from ledger where seq > 3")
    broken = verify(store)
    assert broken is not None
    assert broken.seq == 4
    assert "末尾被删" in broken.why


def test_a_careful_cut_is_found_by_the_anchor_alone(store: Store) -> None:
    anchor = head(store)
    behind_our_back(
        store, "delete from ledger where seq > 3", "update sqlite_sequence set seq = 3 where name = 'ledger'"
    )
    assert verify(store) is None  # as the docs admit
    broken = verify(store, anchor=anchor)
    assert broken is not None
    assert broken.seq == 4


def test_a_ledger_written_anew_is_found_by_the_anchor_alone(store: Store, tmp_path: Path) -> None:
    anchor = head(store)
    with Store.open(tmp_path / "forged.db") as forged:
        for number in range(1, 7):
            record(forged, actor=ZHANG, kind=Kind.VERDICT, subject=f"finding-{number}", data={"after": "dismissed"})
        assert verify(forged) is None
        broken = verify(forged, anchor=anchor)
    assert broken is not None
    assert broken.seq == 5


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger set actor = 'x' where seq = 2",
        "delete from ledger where seq = 5",
        "insert or replace into ledger select seq, at, 'x', role, kind, subject, data, previous, hash from ledger where seq = 2",
        "insert into ledger select 9, at, actor, role, kind, subject, data, previous, hash from ledger where seq = 5",
    ],
)
def test_the_store_itself_refuses_to_change_the_ledger(store: Store, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.sql.execute(statement)
    assert verify(store) is None


def test_an_entry_belongs_to_the_change_it_is_about(store: Store) -> None:
    class Trouble(Exception):
        pass

    def change_that_fails() -> None:
        with store.writing():
            record(store, actor=ZHANG, kind=Kind.DELETE, subject="c1")
            raise Trouble

    with pytest.raises(Trouble):
        change_that_fails()
    assert head(store).seq == 5


def test_processes_that_write_at_once_make_one_chain(store: Store) -> None:
    with Store.open(store.path) as other:
        for number in range(20):
            record(store if number % 2 else other, actor=ZHANG, kind=Kind.COMMENT, subject=str(number))
    assert verify(store) is None
    assert head(store).seq == 25


def test_numbers_that_json_does_not_have_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        record(store, actor=ZHANG, kind=Kind.VERDICT, subject="c1", data={"score": float("nan")})


@pytest.fixture
def command(store: Store) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(cli, ["ledger", *arguments, "--db", str(store.path)], standalone_mode=False)
        return done.return_value or 0, done.stdout, done.stderr

    return run


def test_verify_prints_the_anchor_and_takes_it_back(store: Store, command: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = command("verify")
    assert (code, out) == (0, f"{head(store)}\n")
    assert "完好，共 5 条" in err
    assert command("verify", "--anchor", out.strip())[0] == 0


def test_verify_names_the_first_broken_entry_and_exits_3(
    store: Store, command: Callable[..., tuple[int, str, str]]
) -> None:
    behind_our_back(store, "update ledger set actor = 'x' where seq in (2, 4)")
    code, out, err = command("verify")
    assert (code, out) == (3, "")
    assert "第 2 条" in err


def test_show_gives_the_newest_first(command: Callable[..., tuple[int, str, str]]) -> None:
    _, out, _ = command("show", "--last", "2", "--json")
    assert ['"subject": "finding-5"' in line for line in out.splitlines()] == [True, False]
