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
from typing import Literal

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


class BadHold(AuditError):
    """A hold without a reason, or one that is not there."""


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
class Due:
    """Of one kind and product: its period in days, how many to delete, how many something keeps, the oldest day."""

    kind: str
    product: str
    days: int
    count: int
    held: int
    oldest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a deletion did: calls, what outlived calls, recordings removed from disk, and files that could not be
    removed with the reason.
    """

    calls: int
    outlived: int
    files: int
    left: tuple[str, ...]


def plan(store: Store, periods: Periods, *, actor: Actor) -> list[Due]:
    """What `apply` would delete, by kind and product; changes nothing. A case whose calls are due is due after them."""
    require(actor, Action.DELETE)
    return [
        *_by_product("calls", _expired(store, periods), periods),
        *(due for kind in kept.OUTLIVES for due in _by_product(kind, _outlived(store, kind, periods), periods)),
    ]


def apply(
    store: Store,
    periods: Periods,
    *,
    actor: Actor,
    recordings: bool = False,
    notify: Callable[[int], None] = lambda _: None,
) -> Deleted:
    """Delete what is due and not held, with the recordings themselves where asked; `notify` gets the calls done."""
    require(actor, Action.DELETE)
    due = [call for call in _expired(store, periods) if not call.held]
    files, left = 0, list[str]()
    for start in range(0, len(due), AT_ONCE):
        calls = due[start : start + AT_ONCE]
        gone = _erase(store, calls, actor=actor, files=recordings)
        told = [_remove(path) for path in {call.path for call in calls if recordings and call.recording in gone}]
        left += [reason for reason in told if reason is not None]
        files += told.count(None)
        notify(start + len(calls))
    outlived = sum(_erase_outlived(store, kind, periods, actor=actor) for kind in kept.OUTLIVES)
    kept.settle_file(store)
    return Deleted(calls=len(due), outlived=outlived, files=files, left=tuple(left))


def hold(store: Store, kind: HoldKind, value: str, reason: str, *, actor: Actor) -> int:
    """Keep a call, or all calls of a case or debtor, until released; returns the hold's number."""
    require(actor, Action.DELETE)
    if not reason.strip() or not value.strip():
        raise BadHold("请写明保留的对象和理由，例如案号")
    reason = mask(reason, find_private(reason))
    with store.writing():
        number = kept.add_hold(store, kind=kind, value=value, reason=reason, by=actor.name)
        data = {"hold": number, "kind": kind, "reason": reason}
        ledger.record(store, actor=actor, kind=ledger.Kind.HOLD, subject=value, data=data)
        return number


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


def _expired(store: Store, periods: Periods) -> list[Expired]:
    before, otherwise = _first_kept(periods.of("calls"), periods.today)
    return kept.expired(store, before=before, otherwise=otherwise)


def _first_kept(days: Mapping[str, int], today: date) -> tuple[dict[str, str], str | None]:
    """The first day that is kept, by product and for all others."""
    first_kept = {product: (today - timedelta(days=count)).isoformat() for product, count in days.items()}
    default = first_kept.pop(DEFAULT, None)
    return first_kept, default


def _outlived(store: Store, kind: str, periods: Periods) -> list[Outlived]:
    before, otherwise = _first_kept(periods.of(kind), periods.today)
    return kept.outlived(store, kind, before=before, otherwise=otherwise)


def _by_product(kind: str, found: Sequence[Expired | Outlived], periods: Periods) -> Iterator[Due]:
    by_product: dict[str, list[Expired | Outlived]] = {}
    for one in found:
        by_product.setdefault(one.product, []).append(one)
    given = periods.of(kind)
    for product, some in sorted(by_product.items()):
        held = sum(one.held for one in some)
        days = given[product if product in given else DEFAULT]
        yield Due(kind=kind, product=product, days=days, count=len(some) - held, held=held, oldest=some[0].day)


def _erase_outlived(store: Store, kind: str, periods: Periods, *, actor: Actor) -> int:
    """Delete what is due of a kind, each stretch in one transaction with its record; returns how many."""
    due = [one.id for one in _outlived(store, kind, periods) if not one.held]
    for start in range(0, len(due), AT_ONCE):
        some = due[start : start + AT_ONCE]
        with store.writing():
            kept.erase_outlived(store, kind, some)
            ledger.record(store, actor=actor, kind=ledger.Kind.DELETE, subject="retention", data={kind: some})
    return len(due)


def _erase(store: Store, calls: Sequence[Expired], *, actor: Actor, files: bool) -> list[str]:
    """Delete in one transaction with its record; returns the recordings that no call has any more."""
    with store.writing():
        gone = kept.erase(store, calls)
        data = {"calls": [call.call_id for call in calls], "recordings": gone, "files": files}
        ledger.record(store, actor=actor, kind=ledger.Kind.DELETE, subject="retention", data=data)
    listening = listening_of(store.path)
    for recording in gone:
        listening.forget(recording)
    return gone


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
