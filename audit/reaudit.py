"""Stored transcripts against today's rules: save the new judgements, or only say what would change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit import ledger
from audit.access import Action, Actor, require
from audit.lock import at_work
from audit.pipeline import Job, audit_call
from audit.plan import settings_digest
from audit.store import AuditedCall, Settings, Store, StoredCall, finding_keys
from audit.store.judged import judged_calls
from rules.engine import Judge
from rules.model import Judgement, RuleSet
from rules.second_opinion import SecondOpinion
from transcribe.model import Transcript

SHOWN = 5
"""Calls that a `Change` names of each kind."""

Anew = tuple[StoredCall, AuditedCall]
"""A call as it stands, and as it would be judged."""

Notify = Callable[[int, int], None]
"""Told after each call: how many are judged, of how many."""


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


def judged_anew(
    store: Store, ruleset: RuleSet, settings: Settings, *, newest: int | None = None, notify: Notify = _nobody
) -> Iterator[Anew]:
    """Stored calls, the newest first, each as it stands and as these rules judge it; all of them, or so many."""
    judge = Judge(ruleset)
    second = SecondOpinion(ruleset) if settings.second_opinion is not None else None
    # The list first: rows must not change under an open cursor.
    call_ids = judged_calls(store, newest=newest)
    for number, call_id in enumerate(call_ids, 1):
        old = store.call(call_id)
        found = None if old is None else store.transcript(old.recording)
        if old is not None and found is not None:
            hearing = store.hearing(old.recording)
            job = Job(
                record=old.record,
                recording=old.recording,
                bytes=0,
                hearing=hearing,
                settings=settings_digest(hearing, settings, old.record),
                transcript=found,
            )
            yield old, audit_call(job, hear=_no_ears, judge=judge, ruleset=ruleset, second=second)
        notify(number, len(call_ids))


def reaudit(store: Store, ruleset: RuleSet, settings: Settings, *, actor: Actor, notify: Notify = _nobody) -> int:
    """Judge every stored call anew and save it; returns how many. Sound is not needed. `Refused`."""
    require(actor, Action.OPERATE)
    with at_work(store.path):
        return _reaudit(store, ruleset, settings, actor=actor, notify=notify)


def _reaudit(store: Store, ruleset: RuleSet, settings: Settings, *, actor: Actor, notify: Notify) -> int:
    with store.writing():
        store.save_rules(ruleset)
        run = store.start_run("reaudit", settings)
        digests = {"rules": ruleset.digest, "second_opinion": settings.second_opinion}
        ledger.record(store, actor=actor, kind=ledger.Kind.RULES, subject=f"run {run}", data=digests)
    count = 0
    for old, call in judged_anew(store, ruleset, settings, notify=notify):
        store.save_judgement(call, run=run)
        count += old.record.call_id == call.record.call_id
    store.finish_run(run, status="finished", done=count, failed=0)
    return count


def changes(judged: Iterable[Anew], *, actor: Actor) -> list[Change]:
    """What a re-audit would change, rule by rule, most changes first; saves nothing. `judged`: from `judged_anew`."""
    require(actor, Action.TRY_RULES)
    seen: dict[str, dict[str, list[str]]] = {}
    for old, call in judged:
        before, after = _by_key(old.recording, old.judgement), _by_key(old.recording, call.judgement)
        for kind, rule_id in _differences(before, after):
            seen.setdefault(rule_id, {"new": [], "gone": [], "changed": []})[kind].append(old.record.call_id)
    return sorted((_change(rule_id, calls) for rule_id, calls in seen.items()), key=_order)


Outcome = tuple[str, str, str]
"""Rule, result, severity of one finding."""


def _differences(before: Mapping[str, Outcome], after: Mapping[str, Outcome]) -> Iterator[tuple[str, str]]:
    """(new, gone or changed; rule) for each finding of a call that would not stay as it is."""
    yield from (("new", after[key][0]) for key in after.keys() - before.keys())
    yield from (("gone", before[key][0]) for key in before.keys() - after.keys())
    yield from (("changed", after[key][0]) for key in after.keys() & before.keys() if after[key] != before[key])


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


def _no_ears(_: object) -> Transcript:
    raise AssertionError("a stored transcript needs no ears")


def _by_key(recording: str, judgement: Judgement) -> dict[str, Outcome]:
    keys = finding_keys(recording, judgement.findings)
    return {
        key: (finding.rule_id, finding.result.value, finding.severity.value)
        for key, finding in zip(keys, judgement.findings, strict=True)
    }
