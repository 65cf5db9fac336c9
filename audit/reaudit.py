"""Stored transcripts against today's rules: save the new judgements, or only say what would change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from audit import ledger
from audit.access import Action, Actor, require
from audit.lock import at_work
from audit.rejudge import Anew, Bench, Judged, Today, differences, judged_by_many
from audit.store import Store
from audit.store.judged import confirm, judged_calls, standings
from audit.store.operations import SIGN_SECONDS, SIGNED, broken_off, sign_run

SHOWN = 5
"""Calls that a `Change` names of each kind."""

Notify = Callable[[int, int], None]
"""Told after some calls: how many are judged, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How many findings of a rule would be `new`, `gone`, or `changed` in outcome or severity; the first calls of
    each.
    """

    rule_id: str
    new: int
    gone: int
    changed: int
    new_in: tuple[str, ...] = ()
    gone_from: tuple[str, ...] = ()
    changed_in: tuple[str, ...] = ()


def _nobody(_done: int, _total: int) -> None:
    pass


def judged_anew(store: Store, today: Today, *, newest: int | None = None, notify: Notify = _nobody) -> Iterator[Anew]:
    """Stored calls, the newest first, each as it stands and as these rules judge it; all of them, or so many."""
    bench = Bench(today)
    # The list first: rows must not change under an open cursor.
    call_ids = judged_calls(store, newest=newest)
    for number, call_id in enumerate(call_ids, 1):
        judged = bench.judge(store, call_id)
        if judged is not None:
            yield judged
        notify(number, len(call_ids))


def reaudit(store: Store, today: Today, *, actor: Actor, notify: Notify = _nobody) -> int:
    """Judge every stored call anew and save it; returns how many. Sound is not needed. `Refused`."""
    require(actor, Action.OPERATE)
    with at_work(store.path):
        with store.writing():
            store.save_rules(today.ruleset)
            run = store.start_run("reaudit", today.settings)
            digests = {"rules": today.ruleset.digest, "second_opinion": today.settings.second_opinion}
            ledger.record(store, actor=actor, kind=ledger.Kind.RULES, subject=f"run {run}", data=digests)
        with broken_off(store, run):
            count = _judge_and_save(store, today, run=run, notify=notify)
        store.finish_run(run, status="finished", done=count, failed=0)
        return count


def _judge_and_save(store: Store, today: Today, *, run: int, notify: Notify) -> int:
    call_ids = judged_calls(store)
    count, total, signed = 0, len(call_ids), -SIGN_SECONDS
    while call_ids:
        stale: list[str] = []
        for some in judged_by_many(store, today, call_ids):
            late = _save(store, some, run=run)
            stale += late
            count += len(some) - len(late)
            notify(count, total)
            if time.monotonic() - signed >= SIGN_SECONDS:
                signed = time.monotonic()
                sign_run(store, run, dict.fromkeys(SIGNED, 0) | {"total": total, "done": count})
        call_ids = stale  # others wrote there meanwhile: once more, from what they left
    return count


def compare(store: Store, today: Today, *, actor: Actor, notify: Notify = _nobody) -> list[Change]:
    """What a re-audit of all calls would change, rule by rule, most changes first; saves nothing."""
    require(actor, Action.TRY_RULES)
    seen: _Seen = {}
    count, call_ids = 0, judged_calls(store)
    for some in judged_by_many(store, replace(today, keeps=False), call_ids):
        for one in some:
            _see(seen, one.call_id, one.differences)
        count += len(some)
        notify(count, len(call_ids))
    return _told(seen)


def _save(store: Store, some: Sequence[Judged], *, run: int) -> list[str]:
    """Keep what has not been written by others since it was read; returns the ids of the rest."""
    stale, same = [], []
    with store.writing():
        stand = standings(store, [one.call_id for one in some])
        for one in some:
            if stand.get(one.call_id) != one.standing:
                stale.append(one.call_id)
            elif one.call is not None:
                store.save_judgement(one.call, run=run)
            elif one.confirmed is not None:
                same.append(one.confirmed)
        if same:
            confirm(store, same, run=run)
    return stale


def changes(judged: Iterable[Anew], *, actor: Actor) -> list[Change]:
    """What a re-audit would change, rule by rule, most changes first; saves nothing. `judged`: from `judged_anew`."""
    require(actor, Action.TRY_RULES)
    seen: _Seen = {}
    for old, call in judged:
        _see(seen, old.record.call_id, differences(old, call))
    return _told(seen)


_Seen = dict[str, dict[str, list[str]]]


def _see(seen: _Seen, call_id: str, differences: Iterable[tuple[str, str]]) -> None:
    for kind, rule_id in differences:
        seen.setdefault(rule_id, {"new": [], "gone": [], "changed": []})[kind].append(call_id)


def _told(seen: _Seen) -> list[Change]:
    return sorted((_change(rule_id, calls) for rule_id, calls in seen.items()), key=_order)


def _change(rule_id: str, calls: Mapping[str, Sequence[str]]) -> Change:
    first = {kind: tuple(dict.fromkeys(ids))[:SHOWN] for kind, ids in calls.items()}
    return Change(
        rule_id=rule_id,
        new=len(calls["new"]),
        gone=len(calls["gone"]),
        changed=len(calls["changed"]),
        new_in=first["new"],
        gone_from=first["gone"],
        changed_in=first["changed"],
    )


def _order(change: Change) -> tuple[int, str]:
    return -(change.new + change.gone + change.changed), change.rule_id
