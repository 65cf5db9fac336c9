"""Rows of accounts, sessions and wrong guesses. What they mean is audit/users.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.store.calls import Store
from audit.store.connection import now


def user_row(store: Store, name: str) -> dict[str, Any] | None:
    """One account."""
    return store.one("select * from users where name = ?", [name])


def user_row_by_email(store: Store, email: str) -> dict[str, Any] | None:
    """The account that an identity provider's address belongs to."""
    return store.one("select * from users where email = ?", [email])


def user_rows(store: Store) -> list[dict[str, Any]]:
    """All accounts by name, each with the time it was last seen."""
    seen = "(select max(seen_at) from sessions where user = users.name)"
    return list(store.all(f"select *, {seen} as seen_at from users order by name"))


def any_user(store: Store) -> bool:
    """Whether there is any account, disabled ones too."""
    return store.one("select 1 as found from users limit 1") is not None


def add_user_row(store: Store, row: Mapping[str, Any]) -> None:
    """A new account; its times are set here."""
    with store.writing():
        store.insert("users", {**row, "disabled": 0, "created_at": now(), "changed_at": now()})


def change_user_row(store: Store, name: str, changes: Mapping[str, Any]) -> None:
    """Set columns of an account."""
    given = {**changes, "changed_at": now()}
    with store.writing():
        assignments = ", ".join(f"{column} = ?" for column in given)
        store.sql.execute(f"update users set {assignments} where name = ?", [*given.values(), name])


# sessions


def add_session(store: Store, *, token_sha256: str, user: str, at: str) -> None:
    """Note that somebody signed in."""
    with store.writing():
        store.insert("sessions", {"token_sha256": token_sha256, "user": user, "started_at": at, "seen_at": at})


def session_row(store: Store, token_sha256: str) -> dict[str, Any] | None:
    """A session with the account it belongs to."""
    return store.one(
        "select sessions.started_at, sessions.seen_at, users.* from sessions join users on users.name = sessions.user"
        " where token_sha256 = ?",
        [token_sha256],
    )


def touch_session(store: Store, token_sha256: str, *, at: str) -> None:
    """Note that somebody is still there."""
    with store.writing():
        store.sql.execute("update sessions set seen_at = ? where token_sha256 = ?", [at, token_sha256])


def end_session(store: Store, token_sha256: str) -> None:
    """Forget one session."""
    with store.writing():
        store.sql.execute("delete from sessions where token_sha256 = ?", [token_sha256])


def end_sessions_of(store: Store, user: str) -> None:
    """Forget every session of an account."""
    with store.writing():
        store.sql.execute("delete from sessions where user = ?", [user])


def end_old_sessions(store: Store, *, started_before: str, seen_before: str) -> None:
    """Forget sessions that timed out."""
    with store.writing():
        store.sql.execute("delete from sessions where started_at < ? or seen_at < ?", [started_before, seen_before])


# wrong guesses


def guesses(store: Store, name_sha256: str) -> dict[str, Any] | None:
    """How often a name was guessed at: failures, last_at, locked_until."""
    return store.one("select * from sign_in_failures where name_sha256 = ?", [name_sha256])


def keep_guesses(store: Store, name_sha256: str, *, failures: int, at: str, locked_until: str | None) -> None:
    """Note a guess."""
    row = {"name_sha256": name_sha256, "failures": failures, "last_at": at, "locked_until": locked_until}
    with store.writing():
        store.upsert("sign_in_failures", "name_sha256", row)


def forget_guesses(store: Store, name_sha256: str) -> None:
    """A right password ends the count."""
    with store.writing():
        store.sql.execute("delete from sign_in_failures where name_sha256 = ?", [name_sha256])


def forget_old_guesses(store: Store, *, before: str) -> None:
    """Guesses that no longer count, so that made-up names don't fill the table."""
    with store.writing():
        store.sql.execute(
            "delete from sign_in_failures where last_at < ? and coalesce(locked_until, '') < ?", [before, before]
        )
