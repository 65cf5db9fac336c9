"""How long calls are kept: periods per product, holds that stop the clock, deletion that leaves a record of itself.

What is deleted is every word and every fact of the call in the store and the copies of its sound beside it; on demand
also the recording itself. Attempts, closed cases and closed complaints outlive calls and go by days of their own. What
stays is the ledger's entry: which calls, by which period, by whom.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from audit import ledger
from audit.access import Action, Actor, require
from audit.errors import AuditError, os_reason
from audit.listening import listening_of
from audit.redact import find_private, mask
from audit.remote import address
from audit.store import Store
from audit.store import retention as kept
from audit.store.retention import Expired, Hold, Outlived

DEFAULT = "default"
AT_ONCE = 200
"""Calls of one transaction and one entry of the ledger."""

HoldKind = Literal["call", "case", "debtor"]


_NAMES = {"call": "通话", "case": "案件", "debtor": "债务人"}


class BadHold(AuditError):
    """A hold, or a person's deletion, without a reason or for an id that nothing bears; a hold that is not there."""


class _Noted(NamedTuple):
    """How the ledger's entries about a deletion begin: their subject, and what they say beside the ids."""

    subject: str
    more: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """How many days calls, attempts and closed cases of each product are kept, `default` for the others, and closed
    complaints of any; without one they stay for ever.
    """

    days: Mapping[str, int]
    today: date
    complaint_days: int | None = None

    def of(self, kind: str) -> Mapping[str, int]:
        """The periods of calls, attempts and cases, or those of complaints, whose answers must often stay longer."""
        if kind != "complaints":
            return self.days
        return {} if self.complaint_days is None else {DEFAULT: self.complaint_days}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """All that is about one debtor, whatever its age: what a person may ask to have deleted; `reason`: who asked."""

    debtor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Of one kind and product: its period in days (0 where none is asked after), how many to delete, how many
    something keeps, the oldest day.
    """

    kind: str
    product: str
    days: int
    count: int
    held: int
    oldest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a deletion did: calls, what outlived calls, recordings removed from disk, and what could not be removed
    with the reason.
    """

    calls: int
    outlived: int
    files: int
    left: tuple[str, ...]


def plan(store: Store, which: Periods | Person, *, actor: Actor) -> list[Due]:
    """What `apply` would delete, by kind and product; changes nothing. A case whose calls are due is due after them."""
    require(actor, Action.DELETE)
    return [
        *_by_product("calls", _expired(store, which), which),
        *(due for kind in kept.OUTLIVES for due in _by_product(kind, _outlived(store, kind, which), which)),
    ]


def apply(
    store: Store,
    which: Periods | Person,
    *,
    actor: Actor,
    recordings: bool = False,
    notify: Callable[[int], None] = lambda _: None,
) -> Deleted:
    """Delete what is due and not held, with the recordings themselves where asked; `notify` gets the calls done."""
    require(actor, Action.DELETE)
    noted = _noted(which)
    due = [call for call in _expired(store, which) if not call.held]
    files, left = 0, list[str]()
    for start in range(0, len(due), AT_ONCE):
        calls = due[start : start + AT_ONCE]
        gone = _erase(store, calls, noted, actor=actor)
        if recordings:
            told = _remove_files(store, {c.path: c.recording for c in calls if c.recording in gone}, noted, actor=actor)
            left += [reason for reason in told if reason is not None]
            files += told.count(None)
        notify(start + len(calls))
    outlived = 0
    for kind in kept.OUTLIVES:
        some = [one.id for one in _outlived(store, kind, which) if not one.held]
        _erase_outlived(store, kind, some, noted, actor=actor)
        outlived += len(some)
    if not kept.settle_file(store):
        left.append(f"{store.path}-wal：删掉的内容还在日志文件里，因为别的程序正读着数据库；请关掉它们以后再运行一次")
    return Deleted(calls=len(due), outlived=outlived, files=files, left=tuple(left))


def hold(store: Store, kind: HoldKind, value: str, reason: str, *, actor: Actor) -> int:
    """Keep a call, or all calls of a case or debtor, also those to come, until released; returns the hold's number."""
    require(actor, Action.DELETE)
    if not reason.strip() or not value.strip():
        raise BadHold("请写明保留的对象和理由，例如案号")
    refuse_unknown(store, kind, value)
    reason = mask(reason, find_private(reason))
    with store.writing():
        number = kept.add_hold(store, kind=kind, value=value, reason=reason, by=actor.name)
        data = {"hold": number, "kind": kind, "reason": reason}
        ledger.record(store, actor=actor, kind=ledger.Kind.HOLD, subject=value, data=data)
        return number


def refuse_unknown(store: Store, kind: HoldKind, value: str) -> None:
    """`BadHold` where nothing in the store bears the id: with a slip of the pen, what was meant would be let go."""
    if not any(kept.bearing(store, kind, value).values()):
        raise BadHold(f"没有编号为 {value} 的{_NAMES[kind]}，或已全部删除；请核对编号，还没有的请先导入清单")


def held_now(store: Store, kind: HoldKind, value: str) -> tuple[int, int]:
    """How many calls and how many attempts a hold on this covers as the store is now."""
    found = kept.bearing(store, kind, value)
    return found["calls"], found["attempts"]


def release(store: Store, number: int, *, actor: Actor) -> None:
    """End a hold; the period counts again."""
    require(actor, Action.DELETE)
    with store.writing():
        if not kept.release_hold(store, number, by=actor.name):
            raise BadHold(f"没有第 {number} 号保留，或已经解除；请用 callaudit retention holds 查看")
        ledger.record(store, actor=actor, kind=ledger.Kind.HOLD, subject=str(number), data={"released": number})


def holds(store: Store, *, actor: Actor) -> list[Hold]:
    """Holds that stand."""
    require(actor, Action.DELETE)
    return kept.holds(store)


def _expired(store: Store, which: Periods | Person) -> list[Expired]:
    if isinstance(which, Person):
        return kept.of_debtor(store, which.debtor)
    before, otherwise = _first_kept(which.of("calls"), which.today)
    return kept.expired(store, before=before, otherwise=otherwise)


def _first_kept(days: Mapping[str, int], today: date) -> tuple[dict[str, str], str | None]:
    """The first day that is kept, by product and for all others."""
    first_kept = {product: (today - timedelta(days=count)).isoformat() for product, count in days.items()}
    default = first_kept.pop(DEFAULT, None)
    return first_kept, default


def _outlived(store: Store, kind: str, which: Periods | Person) -> list[Outlived]:
    if isinstance(which, Person):
        return kept.outlived_of_debtor(store, kind, which.debtor)
    before, otherwise = _first_kept(which.of(kind), which.today)
    return kept.outlived(store, kind, before=before, otherwise=otherwise)


def _by_product(kind: str, found: Sequence[Expired | Outlived], which: Periods | Person) -> Iterator[Due]:
    by_product: dict[str, list[Expired | Outlived]] = {}
    for one in found:
        by_product.setdefault(one.product, []).append(one)
    given = which.of(kind) if isinstance(which, Periods) else {DEFAULT: 0}
    for product, some in sorted(by_product.items()):
        held = sum(one.held for one in some)
        days = given[product if product in given else DEFAULT]
        yield Due(kind=kind, product=product, days=days, count=len(some) - held, held=held, oldest=some[0].day)


def _noted(which: Periods | Person) -> _Noted:
    """What stands in the ledger's entry; a person's deletion needs a reason."""
    if isinstance(which, Periods):
        return _Noted("retention", {})
    if not which.reason.strip() or not which.debtor.strip():
        raise BadHold("请写明债务人编号和理由，例如本人申请的日期")
    return _Noted(which.debtor, {"reason": mask(which.reason, find_private(which.reason))})


def _erase_outlived(store: Store, kind: str, due: Sequence[str], noted: _Noted, *, actor: Actor) -> None:
    """Delete what is due of a kind, each stretch in one transaction with its record."""
    for start in range(0, len(due), AT_ONCE):
        some = due[start : start + AT_ONCE]
        with store.writing():
            kept.erase_outlived(store, kind, some)
            data = {kind: some, **noted.more}
            ledger.record(store, actor=actor, kind=ledger.Kind.DELETE, subject=noted.subject, data=data)


def _erase(store: Store, calls: Sequence[Expired], noted: _Noted, *, actor: Actor) -> list[str]:
    """Delete in one transaction with its record; returns the recordings that no call has any more."""
    with store.writing():
        gone = kept.erase(store, calls)
        data = {"calls": [call.call_id for call in calls], "recordings": gone, **noted.more}
        ledger.record(store, actor=actor, kind=ledger.Kind.DELETE, subject=noted.subject, data=data)
    listening = listening_of(store.path)
    for recording in gone:
        listening.forget(recording)
    return gone


def _remove_files(store: Store, files: Mapping[Path, str], noted: _Noted, *, actor: Actor) -> list[str | None]:
    """Remove recordings, each path with its SHA-256, and note which are gone and which are left; for each None, or why
    not.
    """
    told = [_remove(path) for path in files]
    removed = sorted(recording for recording, why in zip(files.values(), told, strict=True) if why is None)
    data = {"files_removed": removed, "files_left": sorted(set(files.values()) - set(removed)), **noted.more}
    if files:
        with store.writing():
            ledger.record(store, actor=actor, kind=ledger.Kind.DELETE, subject=noted.subject, data=data)
    return told


def _remove(path: Path) -> str | None:
    where = address(path)
    if where is not None:
        return f"{where}：不在这台机器上，没有删除；请在那里自行删除"
    try:
        Path(os.path.realpath(path)).unlink(missing_ok=True)  # where a link led to it, the link alone is no recording
        path.unlink(missing_ok=True)
    except OSError as error:
        return f"{path}：删不掉（{os_reason(error)}）；请检查权限后自行删除"
    return None
