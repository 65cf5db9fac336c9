"""抽检: which calls people hear without the machine having chosen them, and what they say of these.

A plan says what is drawn and in which parts; drawing it for some days makes a sample. The same store, plan and days
give the same sample; it is spread evenly over the days, and every call of a stratum has the same chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar

from audit import ledger
from audit.access import Action, Actor, require
from audit.dossier import Dossier, read_dossier
from audit.errors import AuditError
from audit.estimates import Estimate, agreement, kappa
from audit.review import CLAIM
from audit.score import is_signal
from audit.store import Store, queue, samples
from audit.store.connection import now
from audit.store.keys import plain_words
from audit.store.samples import STRATA, Candidate, Correction, Heard, NewPlan, Period, Plan, Pool, Sample, SampleItem
from audit.unmask import Unmasking
from rules.model import CATEGORIES

Found = TypeVar("Found")

MOST = 10_000
"""Things to hear in one sample: more would take months."""
_LOOK_AHEAD = 50  # so many may be held by colleagues before one has to wait


class BadSample(AuditError):
    """A plan, a sample or what is said of it can't be taken as it is; nothing was changed."""


# plans and drawing


def make_plan(store: Store, plan: NewPlan, *, actor: Actor) -> Plan:
    """Keep a plan; `BadSample` says what is wrong with it."""
    require(actor, Action.SAMPLE)
    plan = replace(plan, name=plan.name.strip(), reviewers=tuple(dict.fromkeys(filter(None, plan.reviewers))))
    _refuse_bad(plan)
    with store.writing():
        number = samples.add_plan(store, plan, by=actor.name)
        data = {"plan": number, "pool": plan.pool.value, "stratum": plan.stratum.value, "blind": plan.blind,
                "per_stratum": plan.per_stratum}  # fmt: skip
        ledger.record(store, actor=actor, kind=ledger.Kind.SAMPLE, subject=f"plan-{number}", data=data)
        return _known(samples.plan(store, number))


def plans(store: Store, *, actor: Actor) -> list[Plan]:
    """All plans, the newest first."""
    require(actor, Action.SAMPLE)
    return samples.plans(store)


def draw(store: Store, plan: int, days: Period, *, actor: Actor) -> Sample:
    """The sample of a plan from the calls of these days: drawn now, or as it was drawn before."""
    require(actor, Action.SAMPLE)
    if days.until < days.since:
        raise BadSample("止日早于起日；请改正日期")
    found = samples.plan(store, plan)
    if found is None:
        raise BadSample(f"没有第 {plan} 号抽检计划；请用 callaudit sampling plan 查看")
    number = samples.sample_of(store, plan, days)
    return _known(samples.sample(store, _draw(store, found, days, actor) if number is None else number))


def all_samples(store: Store, *, actor: Actor) -> list[Sample]:
    """Samples drawn, the newest first."""
    require(actor, Action.SAMPLE)
    return samples.samples(store)


def choose(among: Iterable[Candidate], *, per_stratum: int, seed: str) -> list[Candidate]:
    """At most `per_stratum` of each stratum, evenly over the days, in an order that tells nothing.

    Systematic: sorted by day and within a day by lot, every (N/n)-th is taken from a start by lot, so that each has
    the chance n/N. The lots come from the seed and the ids alone.
    """
    strata: dict[str, list[Candidate]] = {}
    for one in among:
        strata.setdefault(one.stratum, []).append(one)
    chosen = [one for name, all_ in strata.items() for one in _spread(all_, per_stratum, f"{seed}/{name}")]
    return sorted(chosen, key=lambda one: _lot(seed, "order", one))


def _spread(among: list[Candidate], count: int, seed: str) -> list[Candidate]:
    if len(among) <= count:
        return among
    among.sort(key=lambda one: (one.day, _lot(seed, "place", one)))
    start = int.from_bytes(sha256(f"{seed}/start".encode()).digest()[:6]) / 2**48
    return [among[int((n + start) * len(among) / count)] for n in range(count)]


def _lot(seed: str, what: str, one: Candidate) -> bytes:
    return sha256(f"{seed}/{what}/{one.call_id}/{one.key}".encode()).digest()


def _draw(store: Store, plan: Plan, days: Period, actor: Actor) -> int:
    among = samples.candidates(store, plan.pool, plan.stratum, days.calls)
    strata = Counter(one.stratum for one in among)
    chosen = choose(among, per_stratum=plan.per_stratum, seed=f"{plan.id}/{days.since}/{days.until}")
    given = _given_out(chosen, plan)
    if not given:
        raise BadSample(f"{days.since} 至 {days.until} 没有可抽的通话；请换一段日期或另一种计划")
    if len(given) > MOST:
        raise BadSample(f"会抽出 {len(given)} 条，超过 {MOST} 条；请减少每层的数量或缩短日期")
    with store.writing():  # not before: among millions of calls, choosing takes seconds in which others write
        if (drawn := samples.sample_of(store, plan.id, days)) is not None:
            return drawn
        number = samples.add_sample(store, plan.id, days, strata=strata, by=actor.name)
        samples.add_items(store, number, given)
        data = {"plan": plan.id, "since": days.since.isoformat(), "until": days.until.isoformat(), "items": len(given)}
        ledger.record(store, actor=actor, kind=ledger.Kind.SAMPLE, subject=f"sample-{number}", data=data)
    return number


def _given_out(chosen: Sequence[Candidate], plan: Plan) -> list[tuple[Candidate, str]]:
    """To everybody for a blind set, else in turn: the order is by lot, so each gets the same mixture."""
    if plan.blind:
        return [(one, name) for one in chosen for name in plan.reviewers]
    names = plan.reviewers or ("",)
    return [(one, names[n % len(names)]) for n, one in enumerate(chosen)]


def _refuse_bad(plan: NewPlan) -> None:
    if not plan.name:
        raise BadSample("请给抽检计划起个名字")
    if not 1 <= plan.per_stratum <= MOST:
        raise BadSample(f"每层数量请写 1 到 {MOST}")
    if plan.stratum not in STRATA[plan.pool]:
        raise BadSample(f"{plan.pool} 不能按 {plan.stratum} 分层；可选：{'、'.join(STRATA[plan.pool])}")
    if plan.blind and plan.pool is Pool.FINDINGS:
        raise BadSample("盲评要听整通电话，不能抽单条命中；请选通话")
    if plan.blind and len(plan.reviewers) < 2:
        raise BadSample("盲评至少要写两位质检员")


# working through a sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to hear next, and how much is left for this reviewer; `held_by` names who hears it already."""

    item: SampleItem
    sample: Sample
    left: int
    held_by: str | None


def next_task(store: Store, number: int, *, actor: Actor, put_off: Sequence[int] = ()) -> Task | None:
    """The next of a sample, held for this reviewer as in the review queue; None where nothing is left for them."""
    require(actor, Action.SAMPLE)
    found = samples.open_items(store, number, actor.name, limit=_LOOK_AHEAD + len(put_off))
    left = [one for one in found if one.id not in put_off]
    if not left:
        return None
    holders = {}
    for one in left:
        holders[one.id] = _hold(store, one, actor=actor)
        if holders[one.id] is None:
            break
    chosen = one if holders[one.id] is None else left[0]
    sample = _known(samples.sample(store, number))
    count = samples.open_count(store, number, actor.name)
    return Task(item=chosen, sample=sample, left=count, held_by=holders[chosen.id])


def task(store: Store, number: int, *, actor: Actor) -> Task | None:
    """One thing to hear by its number; None where it is done, gone or another's."""
    require(actor, Action.SAMPLE)
    one = samples.item(store, number)
    if one is None or one.done_at is not None or one.reviewer not in ("", actor.name):
        return None
    count = samples.open_count(store, one.sample, actor.name)
    return Task(item=one, sample=_known(samples.sample(store, one.sample)), left=count, held_by=None)


def hear_task(store: Store, task: Task, *, actor: Actor, unmasking: Unmasking | None = None) -> Dossier | None:
    """The call to hear; for a blind set without a word of what the machine or others found in it."""
    require(actor, Action.SAMPLE)
    dossier = read_dossier(store, task.item.call_id, actor=actor, unmasking=unmasking)
    if dossier is None or not task.sample.plan.blind:
        return dossier
    return replace(dossier, found=(), card=None, promise=None, others=(), complaints=())


def finish(
    store: Store, number: int, *, actor: Actor, said: frozenset[str] | None = None, text_checked: bool = False
) -> None:
    """A call is heard to its end. `said`, for a blind set: the categories of violations in it, none if empty.

    `text_checked`: what was not corrected was heard rightly, so that the call counts for the error rate.
    """
    require(actor, Action.SAMPLE)
    with store.writing():
        one = _mine(store, number, actor)
        blind = _known(samples.sample(store, one.sample)).plan.blind
        if blind != (said is not None) or any(is_signal(name) or name not in CATEGORIES for name in said or ()):
            raise BadSample("盲评请选听到的违规类别，没有就选“没有违规”")
        edits, characters = _edits(store, one) if text_checked else (None, None)
        heard = Heard(said=said, edits=edits, characters=characters)
        samples.set_done(store, number, heard, by=actor.name)
        # What was said of a blind set stays out of the ledger: others who still hear it may read that.
        data = {"item": number, "call": one.call_id, "text_checked": text_checked}
        ledger.record(store, actor=actor, kind=ledger.Kind.SAMPLE, subject=f"sample-{one.sample}", data=data)


def reopen(store: Store, number: int, *, actor: Actor) -> None:
    """Take back that one has heard a call; not once a blind set is complete, for then one has seen the others."""
    require(actor, Action.SAMPLE)
    with store.writing():
        one = samples.item(store, number)
        if one is None or one.done_by != actor.name:
            raise BadSample("这一通不是您听的，或已经撤销；请刷新页面")
        sample = _known(samples.sample(store, one.sample))
        if sample.plan.blind and sample.complete:
            raise BadSample("这套盲评已全部完成，各人的结论已公开，不能再改")
        samples.set_open(store, number)
        data = {"item": number, "call": one.call_id, "undone": True}
        ledger.record(store, actor=actor, kind=ledger.Kind.SAMPLE, subject=f"sample-{one.sample}", data=data)


def last_heard(store: Store, number: int, *, actor: Actor) -> SampleItem | None:
    """What this reviewer finished last in a sample."""
    require(actor, Action.SAMPLE)
    return samples.last_done(store, number, actor.name)


def correct(store: Store, number: int, correction: Correction, *, actor: Actor) -> None:
    """Keep what was really said in a turn, beside what was heard; `heard` as it was shown.

    `BadSample` where that was masked: stars must not count as what recognition got wrong.
    """
    require(actor, Action.SAMPLE)
    with store.writing():
        one = _mine(store, number, actor)
        transcript = store.transcript(one.recording)
        texts = {} if transcript is None else {turn.index: turn.text for turn in transcript.turns}
        if texts.get(correction.turn) != correction.heard:
            raise BadSample("这一句有遮盖或已重新识别；请先查看原文，再更正")
        kept = replace(correction, text=correction.text.strip())
        entry = samples.add_correction(store, one, kept, by=actor.name)
        data = {"item": number, "call": one.call_id, "turn": correction.turn, "correction": entry}
        ledger.record(store, actor=actor, kind=ledger.Kind.SAMPLE, subject=f"sample-{one.sample}", data=data)


def corrected(store: Store, item: SampleItem, *, actor: Actor) -> frozenset[int]:
    """The turns of a call that people have corrected."""
    require(actor, Action.SAMPLE)
    return frozenset(samples.corrections(store, item.recording))


# what came of a blind set


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A call of a blind set: what each reviewer heard in it, in the order of reviewers, and what the machine finds."""

    call_id: str
    said: tuple[frozenset[str], ...]
    machine: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """How far the reviewers of a blind set agree on a category ("" any violation): kappa, and the bare share."""

    category: str
    kappa: Estimate
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A complete blind set."""

    sample: Sample
    calls: tuple[Compared, ...]
    agreed: tuple[Agreed, ...]


def compare(store: Store, number: int, *, actor: Actor) -> Comparison | None:
    """What all said of a blind set; None until everybody has heard everything. Cohen's kappa for two, else Fleiss's."""
    require(actor, Action.SAMPLE)
    sample = samples.sample(store, number)
    if sample is None or not sample.plan.blind or not sample.complete:
        return None
    by_call: dict[str, dict[str, frozenset[str]]] = {}
    for one in samples.items(store, number):
        if one.said is not None:
            by_call.setdefault(one.call_id, {})[one.reviewer] = one.said
    machine = samples.machine_categories(store, number)
    calls = tuple(
        Compared(call_id=call, said=tuple(said[name] for name in sample.plan.reviewers),
                 machine=machine.get(call, frozenset()))
        for call, said in by_call.items()
        if len(said) == len(sample.plan.reviewers)
    )  # fmt: skip
    named = sorted({name for call in calls for said in call.said for name in said}, key=list(CATEGORIES).index)
    return Comparison(sample=sample, calls=calls, agreed=tuple(_agreed(calls, name) for name in ("", *named)))


def _agreed(calls: Sequence[Compared], category: str) -> Agreed:
    rows = [[bool(said) if not category else category in said for said in call.said] for call in calls]
    return Agreed(category=category, kappa=kappa(rows), share=agreement(rows))


# below: steps within the caller's transaction


def _hold(store: Store, one: SampleItem, *, actor: Actor) -> str | None:
    if one.reviewer:
        return None
    until = (datetime.now(UTC) + CLAIM).isoformat(timespec="seconds")
    return queue.claim(store, f"sample-{one.id}", by=actor.name, at=now(), until=until)


def _mine(store: Store, number: int, actor: Actor) -> SampleItem:
    one = samples.item(store, number)
    if one is None:
        raise BadSample("没有这一条抽检；请刷新页面")
    if one.done_at is not None:
        raise BadSample(f"{one.done_by} 已听完这一条；请看下一条")
    if one.reviewer not in ("", actor.name):
        raise BadSample(f"这一条分给了 {one.reviewer}；请看下一条")
    return one


def _edits(store: Store, one: SampleItem) -> tuple[int, int]:
    """Edits and characters of a call's whole text; punctuation and spaces don't count."""
    from rapidfuzz.distance import Levenshtein

    transcript = store.transcript(one.recording)
    right = samples.corrections(store, one.recording)
    pairs = [
        (plain_words(turn.text), plain_words(right.get(turn.index, turn.text)))
        for turn in (transcript.turns if transcript else ())
    ]
    return sum(Levenshtein.distance(heard, said) for heard, said in pairs), sum(len(said) for _, said in pairs)


def _known(found: Found | None) -> Found:
    if found is None:
        raise BadSample("没有这一条抽检记录；请刷新页面")
    return found
