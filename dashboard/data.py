"""Where pages get the store and who is looking: one place, set once by the server.

    with data.reading() as store:
        …
    with data.writing() as store:
        decide(store, actor=data.actor(), …)

A connection lives as long as the block: Streamlit runs each script in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from audit.access import LOCAL, Actor
from audit.config import Config
from audit.errors import AuditError
from audit.store import Store


class NotStarted(AuditError):
    """The app runs without `callaudit dashboard`, which decides who may look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the server was started with. `local` acts for everybody who comes; None asks for an account."""

    config: Config
    local: Actor | None


_setups: list[Setup] = []


def configure(config: Config, *, local: Actor | None = LOCAL) -> None:
    """Called once by the server, and by tests with the actor they want to be."""
    _setups[:] = [Setup(config=config, local=local)]


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
    """Who looks at this page."""
    local = setup().local
    assert local is not None
    return local


def version() -> tuple[int, ...]:
    """Changes with every write to the store: an argument for `st.cache_data` functions, so that they stay true."""
    files = [config().db, config().db.with_name(f"{config().db.name}-wal")]
    found = [file.stat() for file in files if file.exists()]
    return tuple(number for stat in found for number in (stat.st_mtime_ns, stat.st_size))
