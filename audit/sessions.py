"""Signing in and out, and whose session a token is.

Session tokens are kept as SHA-256 (they are random already). Names that don't exist take as long and lock as soon
as those that do, so that nobody learns from the answer which names there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.access import Actor, Role
from audit.errors import AuditError
from audit.ledger import Kind, recent, record
from audit.passwords import is_right
from audit.store import Store
from audit.store import users as rows
from audit.users import clean_name, digest

TOUCH_EVERY = timedelta(seconds=30)
_UNKNOWN_NAMES_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a session ends (nothing done for `idle`; `longest` in any case), and when guessing is stopped."""

    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)
    failures: int = 5
    locked_for: timedelta = timedelta(minutes=15)


class SignInFailed(AuditError):
    """Wrong name or password, or a disabled account; the message does not tell which."""


class Locked(SignInFailed):
    """Too many guesses at this name, whether it exists or not."""


def sign_in(store: Store, *, name: str, password: str, policy: Policy, now: datetime) -> str:
    """A new session's token; `SignInFailed`. The guess is counted before it is checked: many at once gain nothing."""
    name = clean_name(name)
    _count_guess(store, name, policy=policy, now=now)
    row = rows.user_row(store, name)
    right = is_right(password, None if row is None else row["password"])
    if row is None or not right or row["disabled"]:
        _note_failure(store, row, now=now)
        raise SignInFailed("账号或密码不对，或账号已停用")
    with store.writing():
        if rows.user_row(store, name) != row:  # disabled, or given another password, while this one was hashed
            raise SignInFailed("账号刚刚被修改；请重新登录")
        rows.forget_guesses(store, digest(name))
        return _start(store, row, how="password", policy=policy, now=now)


def sign_in_by_email(store: Store, *, email: str, policy: Policy, now: datetime) -> str:
    """A new session's token for somebody whose address an identity provider vouches for; `SignInFailed`."""
    row = rows.user_row_by_email(store, email.strip().casefold())
    if row is None or row["disabled"]:
        _note_failure(store, row, now=now)
        raise SignInFailed("单点登录的邮箱没有对应的账号，或账号已停用；请找管理员用 callaudit users add --email 添加")
    with store.writing():
        return _start(store, row, how="oidc", policy=policy, now=now)


def who(store: Store, token: str | None, *, policy: Policy, now: datetime) -> Actor | None:
    """Whose session this is, with the role of this moment; None where it ended, timed out or never was."""
    row = rows.session_row(store, digest(token)) if token else None
    if row is None or row["disabled"]:
        return None
    started, seen = datetime.fromisoformat(row["started_at"]), datetime.fromisoformat(row["seen_at"])
    if now - started > policy.longest or now - seen > policy.idle:
        return None
    return _actor(row)


def touch(store: Store, token: str, *, now: datetime) -> None:
    """Somebody is there: the idle time starts anew. Written at most every `TOUCH_EVERY`."""
    row = rows.session_row(store, digest(token))
    if row is not None and now - datetime.fromisoformat(row["seen_at"]) >= TOUCH_EVERY:
        rows.touch_session(store, digest(token), at=_text(now))


def sign_out(store: Store, token: str) -> None:
    """End a session; one that has ended is no error."""
    with store.writing():
        row = rows.session_row(store, digest(token))
        if row is not None:
            rows.end_session(store, digest(token))
            record(store, actor=_actor(row), kind=Kind.SIGN_OUT, subject=row["name"])


def _start(store: Store, row: Mapping[str, Any], *, how: str, policy: Policy, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    rows.end_old_sessions(store, started_before=_text(now - policy.longest), seen_before=_text(now - policy.idle))
    rows.add_session(store, token_sha256=digest(token), user=row["name"], at=_text(now))
    record(store, actor=_actor(row), kind=Kind.SIGN_IN, subject=row["name"], data={"how": how})
    return token


def _count_guess(store: Store, name: str, *, policy: Policy, now: datetime) -> None:
    """One more guess at this name; `Locked` while it is locked. Old guesses don't count."""
    key = digest(name)
    with store.writing():
        rows.forget_old_guesses(store, before=_text(now - policy.locked_for))
        found = rows.guesses(store, key) or {"failures": 0, "locked_until": None}
        locked_until = found["locked_until"]
        if locked_until is not None and _text(now) < locked_until:
            minutes = policy.locked_for // timedelta(minutes=1)
            raise Locked(f"尝试次数过多；请在 {minutes} 分钟后再试，或找管理员解锁")
        failures = (0 if locked_until is not None else found["failures"]) + 1
        locks = _text(now + policy.locked_for) if failures >= policy.failures else None
        rows.keep_guesses(store, key, failures=failures, at=_text(now), locked_until=locks)


def _note_failure(store: Store, row: Mapping[str, Any] | None, *, now: datetime) -> None:
    """Into the ledger. Made-up names are noted without the name, once a minute: nobody fills the ledger with them."""
    if row is not None:
        record(store, actor=_actor(row), kind=Kind.SIGN_IN_FAILED, subject=row["name"])
        return
    nobody = Actor(name="?", role=Role.COLLECTOR)
    with store.writing():
        last = recent(store, kind=Kind.SIGN_IN_FAILED, subject=nobody.name, limit=1)
        if not last or now - datetime.fromisoformat(last[0].at) >= _UNKNOWN_NAMES_EVERY:
            record(store, actor=nobody, kind=Kind.SIGN_IN_FAILED, subject=nobody.name)


def _actor(row: Mapping[str, Any]) -> Actor:
    return Actor(name=row["name"], role=Role(row["role"]), agent_id=row["agent_id"])


def _text(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="microseconds")
