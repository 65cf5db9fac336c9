"""Stored transcripts against today's rules: save the new judgements, or only say what would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from audit.lock import at_work
from audit.pipeline import Job, audit_call
from audit.plan import settings_digest
from audit.store import AuditedCall, Settings, Store, StoredCall, finding_keys
from rules.engine import Judge
from rules.model import Judgement, RuleSet
from rules.second_opinion import SecondOpinion
from transcribe.model import Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How many findings of a rule would be `new`, `gone`, or `changed` in outcome or severity."""

    rule_id: str
    new: int
    gone: int
    changed: int


def reaudit(store: Store, ruleset: RuleSet, settings: Settings) -> int:
    """Judge every stored call anew and save it; returns how many. Sound is not needed."""
    with at_work(store.path):
        return _reaudit(store, ruleset, settings)


def _reaudit(store: Store, ruleset: RuleSet, settings: Settings) -> int:
    store.save_rules(ruleset)
    run = store.start_run("reaudit", settings)
    count = 0
    for old, call in _judged_anew(store, ruleset, settings):
        store.save_judgement(call, run=run)
        count += old.record.call_id == call.record.call_id
    store.finish_run(run, status="finished", done=count, failed=0)
    return count


def changes(store: Store, ruleset: RuleSet, settings: Settings) -> list[Change]:
    """What `reaudit` would change, rule by rule, most changes first; saves nothing."""
    new: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    for old, call in _judged_anew(store, ruleset, settings):
        before, after = _by_key(old.recording, old.judgement), _by_key(old.recording, call.judgement)
        new.update(after[key][0] for key in after.keys() - before.keys())
        gone.update(before[key][0] for key in before.keys() - after.keys())
        changed.update(after[key][0] for key in after.keys() & before.keys() if after[key] != before[key])
    rules = sorted(new.keys() | gone.keys() | changed.keys(), key=lambda r: (-(new[r] + gone[r] + changed[r]), r))
    return [Change(rule_id=r, new=new[r], gone=gone[r], changed=changed[r]) for r in rules]


def _judged_anew(store: Store, ruleset: RuleSet, settings: Settings) -> Iterator[tuple[StoredCall, AuditedCall]]:
    judge = Judge(ruleset)
    second = SecondOpinion(ruleset) if settings.second_opinion is not None else None
    # The list first: rows must not change under an open cursor.
    for call_id in store.done():
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


def _no_ears(_: object) -> Transcript:
    raise AssertionError("a stored transcript needs no ears")


def _by_key(recording: str, judgement: Judgement) -> dict[str, tuple[str, str, str]]:
    keys = finding_keys(recording, judgement.findings)
    return {
        key: (finding.rule_id, finding.result.value, finding.severity.value)
        for key, finding in zip(keys, judgement.findings, strict=True)
    }
