"""Where pages get the store and who is looking: one place, set once by the server.

    with data.reading() as store:
        …
    with data.writing() as store:
        decide(store, actor=data.actor(), …)

A connection lives as long as the block: Streamlit runs each script in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import streamlit as st

from audit.access import LOCAL, Actor, Refused
from audit.config import Config
from audit.errors import AuditError
from audit.sessions import Policy, who
from audit.store import Store
from audit.users import has_accounts

COOKIE = "callaudit_session"
"""Holds the session's token; HttpOnly, SameSite=Strict."""


class NotStarted(AuditError):
    """The app runs without `callaudit dashboard`, which decides who may look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the server was started with. `acting` acts for everybody who comes: tests say so; None looks it up.

    `worker` are the options with which `callaudit work` sees the same configuration.
    """

    config: Config
    acting: Actor | None
    worker: tuple[str, ...]


_setups: list[Setup] = []


def configure(config: Config, *, acting: Actor | None = None, worker: Sequence[str] = ()) -> None:
    """Called once by the server, and by tests with the actor they want to be."""
    _setups[:] = [Setup(config=config, acting=acting, worker=tuple(worker))]


def setup() -> Setup:
    """What `configure` was told; `NotStarted` before."""
    if not _setups:
        raise NotStarted("请用 callaudit dashboard 启动仪表盘")
    return _setups[0]


def config() -> Config:
    """callaudit.toml as the server read it, with the options of its command line."""
    return setup().config


@contextmanager
def reading() -> Iterator[Store]:
    """The store for reading; `StoreError`."""
    with Store.read(config().db) as store:
        yield store


@contextmanager
def writing() -> Iterator[Store]:
    """The store for what functions in audit/ write; `StoreError`."""
    with Store.open(config().db) as store:
        yield store


def actor() -> Actor:
    """Who looks at this page, with the role of this moment; `Refused` where a session has ended."""
    if (acting := setup().acting) is not None:
        return acting
    with reading() as store:
        if not has_accounts(store):
            return LOCAL
        found = who(store, st.context.cookies.get(COOKIE), policy=policy(), now=datetime.now(UTC))
    if found is None:
        raise Refused("登录已结束；请重新登录")
    return found


def policy() -> Policy:
    """Time-outs and lockout, as configured."""
    given = config()
    return Policy(
        idle=timedelta(minutes=given.session_idle_minutes),
        longest=timedelta(hours=given.session_hours),
        failures=given.lockout_failures,
        locked_for=timedelta(minutes=given.lockout_minutes),
    )


def version() -> tuple[int, ...]:
    """Changes with every write to the store: an argument for `st.cache_data` functions, so that they stay true."""
    files = [config().db, config().db.with_name(f"{config().db.name}-wal")]
    found = [file.stat() for file in files if file.exists()]
    return tuple(number for stat in found for number in (stat.st_mtime_ns, stat.st_size))
