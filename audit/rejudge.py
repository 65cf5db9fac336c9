"""Stored calls judged anew by given rules, in this process or in many; nothing is saved here."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from audit.changed_rules import ChangedRules, changed_rules
from audit.pipeline import Job, judge_call
from audit.plan import settings_digest
from audit.store import AuditedCall, Settings, Store, StoredCall, finding_keys
from audit.store.judged import Confirmed, Standing, in_step, standings
from audit.workers import CannotStart
from rules.engine import Judge
from rules.model import Judgement, RuleSet
from rules.second_opinion import SecondOpinion

AT_ONCE = 100
"""Calls that one process judges before it hands them over; they are saved in one transaction."""
_WORTH = 1_000
"""Calls for fewer than which no process is started: each takes seconds of its own to read the rules."""

Anew = tuple[StoredCall, AuditedCall]
"""A call as it stands, and as it would be judged."""

Difference = tuple[str, str]
"""new, gone or changed; rule id."""

_Outcome = tuple[str, str, str]
"""Rule, result, severity of one finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A call judged anew: by what it stood when it was read, and what then stays (`confirmed`) or is to be kept instead
    (`call`, without its turns) with the findings that change.
    """

    standing: Standing
    confirmed: Confirmed | None = None
    call: AuditedCall | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def call_id(self) -> str:
        return self.standing.call_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Rules and settings by which stored calls are judged anew, in how many processes. Where nothing will be kept
    (`keeps` False), nobody asks whether the review queue is as it should be.
    """

    ruleset: RuleSet
    settings: Settings
    workers: int = 1
    keeps: bool = True


class Bench:
    """Rules, ready to judge stored calls anew."""

    def __init__(self, today: Today) -> None:
        self._ruleset, self._settings, self._keeps = today.ruleset, today.settings, today.keeps
        self._changed: dict[int, ChangedRules | None] = {}  # since each run by which calls stand

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self._ruleset)

    @cached_property
    def _second(self) -> SecondOpinion | None:
        return SecondOpinion(self._ruleset) if self._settings.second_opinion is not None else None

    def confirmed(self, store: Store, calls: Iterable[Standing]) -> dict[str, Confirmed]:
        """What stays of calls, by id, where that can be said without judging them by all rules."""
        by_run: dict[int, list[Standing]] = {}
        for stands in calls:
            by_run.setdefault(stands.run, []).append(stands)
        found = (self._confirmed_since(store, run, of_run) for run, of_run in by_run.items())
        return {one.call_id: one for some in found for one in some}

    def _confirmed_since(self, store: Store, run: int, calls: Sequence[Standing]) -> Iterator[Confirmed]:
        """The same of calls that stand as one run judged them."""
        if run not in self._changed:
            self._changed[run] = changed_rules(
                store, run, ruleset=self._ruleset, settings=self._settings, second=self._second
            )
        changed = self._changed[run]
        if changed is None:
            return
        olds = store.some_calls([stands.call_id for stands in calls], outcomes_of=changed.ids)
        known = [(stands, olds[stands.call_id]) for stands in calls if stands.call_id in olds]
        if self._keeps:
            known = [(stands, old) for stands, old in known if in_step(store, old)]
        outcomes = changed.outcomes(store, known)
        for stands, old in known:
            if stands.call_id in outcomes:
                settings = settings_digest(stands.hearing, self._settings, old.record)
                yield Confirmed(
                    call_id=stands.call_id, recording=old.recording, settings=settings,
                    outcomes=outcomes[stands.call_id],
                )  # fmt: skip

    def judge(self, store: Store, call_id: str) -> Anew | None:
        """A call as it stands and as it would be judged; None where it is gone or was never heard."""
        old = store.call(call_id)
        found = None if old is None else store.transcript(old.recording)
        if old is None or found is None:
            return None
        hearing = store.hearing(old.recording)
        job = Job(
            record=old.record,
            recording=old.recording,
            bytes=0,
            hearing=hearing,
            settings=settings_digest(hearing, self._settings, old.record),
        )
        return old, judge_call(job, found, judge=self._judge, ruleset=self._ruleset, second=self._second)


def judged_by_many(store: Store, today: Today, call_ids: Sequence[str]) -> Iterator[list[Judged]]:
    """The calls judged by as many processes as are asked for, some at a time; those that are gone are left out.
    `CannotStart` where a process does not survive.
    """
    parts = [call_ids[at : at + AT_ONCE] for at in range(0, len(call_ids), AT_ONCE)]
    if today.workers == 1 or len(call_ids) < _WORTH:
        bench = Bench(today)
        yield from (_some(bench, store, part) for part in parts)
        return
    spawn = multiprocessing.get_context("spawn")  # SQLite handles don't survive a fork
    pool = ProcessPoolExecutor(today.workers, mp_context=spawn, initializer=_start, initargs=(store.path, today))
    waiting: deque[Future[list[Judged]]] = deque()
    try:
        for part in parts:
            waiting.append(pool.submit(_work, part))
            if len(waiting) > 2 * today.workers:
                yield waiting.popleft().result()
        yield from map(Future.result, waiting)
    except BrokenProcessPool as error:
        why = "重新判定的进程意外退出（内存不足或被系统终止）；已保存的都在，请减少 workers 再运行一次"
        raise CannotStart(why) from error
    finally:
        pool.shutdown(cancel_futures=True)


_HERE: dict[str, tuple[Bench, Store]] = {}
"""Of a process of the pool: its rules and its own look at the store."""


def _start(db: Path, today: Today) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a ctrl-C is for the parent, which ends the pool
    _HERE["own"] = Bench(today), Store.read(db)


def _work(call_ids: Sequence[str]) -> list[Judged]:
    return _some(*_HERE["own"], call_ids)


def differences(old: StoredCall, call: AuditedCall) -> Iterator[Difference]:
    """Each finding of a call that would not stay as it is."""
    before, after = _by_key(old.recording, old.judgement), _by_key(old.recording, call.judgement)
    yield from (("new", after[key][0]) for key in after.keys() - before.keys())
    yield from (("gone", before[key][0]) for key in before.keys() - after.keys())
    yield from (("changed", after[key][0]) for key in after.keys() & before.keys() if after[key] != before[key])


def _some(bench: Bench, store: Store, call_ids: Sequence[str]) -> list[Judged]:
    stand = standings(store, call_ids)
    confirmed = bench.confirmed(store, stand.values())
    found = (
        Judged(standing=stands, confirmed=confirmed[call_id]) if call_id in confirmed else _anew(bench, store, stands)
        for call_id, stands in stand.items()
    )
    return [one for one in found if one is not None]


def _anew(bench: Bench, store: Store, stands: Standing) -> Judged | None:
    """A call judged by all rules; None where it is gone."""
    anew = bench.judge(store, stands.call_id)
    if anew is None:
        return None
    old, call = anew
    if (old.judgement, old.card, old.promise) == (call.judgement, call.card, call.promise) and in_step(store, old):
        confirmed = Confirmed(
            call_id=stands.call_id, recording=old.recording, settings=call.settings, outcomes={}
        )
        return Judged(standing=stands, confirmed=confirmed)
    call = replace(call, transcript=replace(call.transcript, turns=()))
    return Judged(standing=stands, call=call, differences=tuple(differences(old, call)))


def _by_key(recording: str, judgement: Judgement) -> Mapping[str, _Outcome]:
    keys = finding_keys(recording, judgement.findings)
    return {
        key: (finding.rule_id, finding.result.value, finding.severity.value)
        for key, finding in zip(keys, judgement.findings, strict=True)
    }
