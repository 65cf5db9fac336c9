"""Accounts: who may sign in, as what. Every change is in the ledger."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from unicodedata import normalize

from audit.access import LOCAL, Action, Actor, Role, require
from audit.errors import AuditError
from audit.ledger import Kind, record
from audit.passwords import hashed
from audit.store import Store
from audit.store import users as rows


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """An account to be made. Without a password only an identity provider lets it in, by `email`.

    `agent_id` is a collector's number in the call records; no other role has one.
    """

    name: str
    role: Role
    password: str | None
    agent_id: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. `seen_at` is None where nobody is signed in."""

    name: str
    role: Role
    agent_id: str | None
    email: str | None
    disabled: bool
    created_at: datetime
    seen_at: datetime | None


class BadUser(AuditError):
    """An account that can't be made or changed so; says why."""


def add_user(store: Store, new: NewUser, *, actor: Actor) -> str:
    """Make an account; returns the name as kept (lower case)."""
    require(actor, Action.MANAGE_USERS)
    name = _new_name(new.name)
    _fit(new.role, new.agent_id)
    kept = None if new.password is None else hashed(new.password, name=name)
    if kept is None and new.email is None:
        raise BadUser(f"{name}：没有密码的账号要有 --email，由单点登录识别")
    with store.writing():
        if rows.user_row(store, name) is not None:
            raise BadUser(f"{name}：已有这个账号；改密码用 callaudit users passwd，改角色用 callaudit users role")
        given = {"role": new.role.value, "agent_id": new.agent_id}
        rows.add_user_row(store, {**given, "name": name, "password": kept, "email": _free_email(store, new.email)})
        _note(store, actor, name, {"change": "added", **given})
    return name


def set_password(store: Store, *, actor: Actor, name: str, password: str) -> None:
    """A new password; whoever is signed in under the old one is out."""
    require(actor, Action.MANAGE_USERS)
    kept = hashed(password, name=clean_name(name))
    with store.writing():
        _change(store, actor, name, {"password": kept}, note={"change": "password"})
        rows.end_sessions_of(store, clean_name(name))


def set_role(store: Store, *, actor: Actor, name: str, role: Role, agent_id: str | None = None) -> None:
    """Another role; holds from the next click on."""
    require(actor, Action.MANAGE_USERS)
    _fit(role, agent_id)
    note = {"change": "role", "role": role.value, "agent_id": agent_id}
    _change(store, actor, name, {"role": role.value, "agent_id": agent_id}, note=note)


def disable(store: Store, *, actor: Actor, name: str) -> None:
    """Shut an account out, at once."""
    require(actor, Action.MANAGE_USERS)
    with store.writing():
        _change(store, actor, name, {"disabled": 1}, note={"change": "disabled"})
        rows.end_sessions_of(store, clean_name(name))


def enable(store: Store, *, actor: Actor, name: str) -> None:
    """Let an account in again, also one that is locked after wrong guesses."""
    require(actor, Action.MANAGE_USERS)
    with store.writing():
        _change(store, actor, name, {"disabled": 0}, note={"change": "enabled"})
        rows.forget_guesses(store, digest(clean_name(name)))


def users(store: Store, *, actor: Actor) -> list[User]:
    """All accounts by name."""
    require(actor, Action.MANAGE_USERS)
    return [_user(row) for row in rows.user_rows(store)]


def has_accounts(store: Store) -> bool:
    """Whether anyone must sign in; disabled accounts count, or shutting out the last one would open the door."""
    return rows.any_user(store)


def clean_name(name: str) -> str:
    """A name as it is kept and compared."""
    return normalize("NFKC", name).strip().casefold()


def digest(text: str) -> str:
    """SHA-256 as hex: what is kept of session tokens and of names that were guessed at."""
    return sha256(text.encode()).hexdigest()


def _change(store: Store, actor: Actor, name: str, changes: Mapping[str, Any], *, note: Mapping[str, Any]) -> None:
    name = clean_name(name)
    with store.writing():
        if rows.user_row(store, name) is None:
            raise BadUser(f"{name}：没有这个账号；用 callaudit users list 查看已有的")
        rows.change_user_row(store, name, changes)
        _note(store, actor, name, note)


def _note(store: Store, actor: Actor, name: str, data: Mapping[str, Any]) -> None:
    record(store, actor=actor, kind=Kind.USER, subject=name, data=data)


def _new_name(name: str) -> str:
    name = clean_name(name)
    if not re.fullmatch(r"[^\s\x00-\x1f<>\"'`/\\?]{1,64}", name):
        raise BadUser(f"账号名 {name!r} 不行：1 到 64 个字符，不含空格、引号、斜杠和问号")
    if name == LOCAL.name:
        raise BadUser(f"账号名 {name} 留给本机使用；请换一个")
    return name


def _fit(role: Role, agent_id: str | None) -> None:
    if role is Role.COLLECTOR and not agent_id:
        raise BadUser("催收员账号要用 --agent 指定工号（通话清单里的 agent_id），只能看到自己的通话")
    if role is not Role.COLLECTOR and agent_id:
        raise BadUser(f"--agent 只用于催收员（collector）；{role.label}不需要工号")


def _free_email(store: Store, email: str | None) -> str | None:
    if email is None:
        return None
    email = email.strip().casefold()
    if "@" not in email or rows.user_row_by_email(store, email) is not None:
        raise BadUser(f"邮箱 {email} 不对，或已属于别的账号")
    return email


def _user(row: Mapping[str, Any]) -> User:
    return User(
        name=row["name"],
        role=Role(row["role"]),
        agent_id=row["agent_id"],
        email=row["email"],
        disabled=bool(row["disabled"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        seen_at=None if row["seen_at"] is None else datetime.fromisoformat(row["seen_at"]),
    )
