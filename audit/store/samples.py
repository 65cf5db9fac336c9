"""Sampling plans, the samples drawn by them, who heard what, and turns whose words people corrected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from audit.store.connection import Connection, now, packed
from audit.store.filters import Filter, where
from audit.store.queue import FOLLOWED_UP


class Pool(StrEnum):
    """What a sample is drawn from: all judged calls, those in which nothing was found, or single findings."""

    CALLS = "calls"
    UNFLAGGED = "unflagged"
    FINDINGS = "findings"


class Stratum(StrEnum):
    """By what a sample is drawn in equal parts. FLAGGED: calls with and without findings; RULE, SEVERITY: findings."""

    NONE = "none"
    COLLECTOR = "collector"
    TEAM = "team"
    PRODUCT = "product"
    FLAGGED = "flagged"
    RULE = "rule"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Local days of calls, both included."""

    since: date
    until: date

    @property
    def before(self) -> Period:
        """As many days, just before."""
        days = self.until - self.since + timedelta(days=1)
        return Period(since=self.since - days, until=self.until - days)

    @property
    def calls(self) -> Filter:
        """The calls of these days."""
        return Filter(since=self.since, until=self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was heard in a turn, and what was really said."""

    turn: int
    heard: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """`per_stratum`: how many of each stratum. Without `reviewers` anybody takes what is next.

    `blind`: every reviewer hears everything, and sees neither findings nor what others said.
    """

    name: str
    pool: Pool
    stratum: Stratum = Stratum.NONE
    per_stratum: int
    reviewers: tuple[str, ...] = ()
    blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(NewPlan):
    """A plan as it stands; `made_at` is ISO in UTC."""

    id: int
    made_at: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What may be drawn: a call, or the finding `key` in it; `day` is the call's, ISO, empty if unknown."""

    call_id: str
    recording: str
    key: str
    day: str
    stratum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was drawn by a plan from the calls of some days. `strata`: how many there were to draw from.

    `items`, `done` and `gone` count what is to be heard, what was, and what retention or new rules took away.
    """

    id: int
    plan: Plan
    days: Period
    strata: Mapping[str, int]
    drawn_at: str
    drawn_by: str
    items: int
    done: int
    gone: int

    @property
    def complete(self) -> bool:
        """Whether nothing is left to hear."""
        return self.done + self.gone == self.items


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleItem:
    """One thing to hear. `said`: categories of violations that the reviewer of a blind set heard, else None.

    `edits` of `characters`: what recognition got wrong, where the whole text was checked.
    """

    id: int
    sample: int
    position: int
    stratum: str
    call_id: str
    recording: str
    key: str
    reviewer: str
    done_by: str | None
    done_at: str | None
    said: frozenset[str] | None
    edits: int | None
    characters: int | None


_FLAGGED = (
    "exists (select 1 from items where items.recording = calls.recording and items.call_id = calls.call_id"
    " and machine = 'present')"
)
_OF_CALL = {
    Stratum.NONE: "''",
    Stratum.COLLECTOR: "coalesce(agent_id, '')",
    Stratum.TEAM: "coalesce(team, '')",
    Stratum.PRODUCT: "coalesce(product, '')",
    Stratum.FLAGGED: f"case when {_FLAGGED} then 'flagged' when score is null then 'silent' else 'unflagged' end",
}
_OF_FINDING = {
    Stratum.NONE: "''",
    Stratum.COLLECTOR: "agent_id",
    Stratum.TEAM: "team",
    Stratum.PRODUCT: "product",
    Stratum.RULE: "rule_id",
    Stratum.SEVERITY: "severity",
}
STRATA: Mapping[Pool, tuple[Stratum, ...]] = {
    Pool.CALLS: tuple(_OF_CALL),
    Pool.UNFLAGGED: tuple(_OF_CALL),
    Pool.FINDINGS: tuple(_OF_FINDING),
}
"""By what each pool can be divided."""

# Judged anywhere is judged; a call or finding that is gone can't be heard any more.
_HEARD = (
    "done_at is not null or (s.key <> '' and exists (select 1 from items i where i.key = s.key"
    " and i.state not in ('waiting', 'second')))"
)
_GONE = (
    "not exists (select 1 from calls join scorecards using (call_id) where call_id = s.call_id)"
    " or (s.key <> '' and not exists (select 1 from items i where i.key = s.key))"
)
_STATE = f"case when {_HEARD} then 'done' when {_GONE} then 'gone' else 'open' end"
_SAMPLES = (
    "select samples.id as number, plan, since, until, strata, drawn_at, drawn_by, count(s.id) as items,"
    f" coalesce(sum({_STATE} = 'done'), 0) as done, coalesce(sum({_STATE} = 'gone'), 0) as gone"
    " from samples left join sample_items s on s.sample = samples.id"
)


def add_plan(store: Connection, plan: NewPlan, *, by: str) -> int:
    """Keep a plan; returns its number."""
    row = {f.name: getattr(plan, f.name) for f in fields(NewPlan)} | {
        "pool": plan.pool.value,
        "stratum": plan.stratum.value,
        "reviewers": packed(list(plan.reviewers)),
        "blind": int(plan.blind),
        "made_at": now(),
        "made_by": by,
    }
    return int(store.insert("sample_plans", row).lastrowid or 0)


def plans(store: Connection) -> list[Plan]:
    """All plans, the newest first."""
    return [_plan(row) for row in store.all("select * from sample_plans order by id desc")]


def plan(store: Connection, number: int) -> Plan | None:
    """One plan by its number."""
    row = store.one("select * from sample_plans where id = ?", [number])
    return None if row is None else _plan(row)


def candidates(store: Connection, pool: Pool, stratum: Stratum, which: Filter) -> list[Candidate]:
    """What a plan may draw from the calls of some days, in no order."""
    clause, values = where(which, day="day" if pool is Pool.FINDINGS else "substr(started_at, 1, 10)")
    if pool is Pool.FINDINGS:
        sql = f"select call_id, recording, key, day, {_OF_FINDING[stratum]} as stratum from items"
        rows = store.all(f"{sql} where machine = 'present' and {clause}", values)
    else:
        only = f"not {_FLAGGED}" if pool is Pool.UNFLAGGED else "true"
        sql = "select call_id, calls.recording, '' as key, coalesce(substr(started_at, 1, 10), '') as day"
        rows = store.all(
            f"{sql}, {_OF_CALL[stratum]} as stratum from scorecards join calls using (call_id)"
            f" where calls.recording is not null and {only} and {clause}", values,
        )  # fmt: skip
    return [Candidate(**row) for row in rows]


def add_sample(store: Connection, plan: int, days: Period, *, strata: Mapping[str, int], by: str) -> int:
    """Keep that a sample was drawn; returns its number."""
    since, until = days.since.isoformat(), days.until.isoformat()
    row = {
        "plan": plan,
        "since": since,
        "until": until,
        "strata": packed(dict(strata)),
        "drawn_at": now(),
        "drawn_by": by,
    }
    return int(store.insert("samples", row).lastrowid or 0)


def add_items(store: Connection, sample: int, drawn: Sequence[tuple[Candidate, str]]) -> None:
    """Keep what was drawn, in this order, each with its reviewer (empty: anybody)."""
    store.sql.executemany(
        "insert into sample_items (sample, position, stratum, call_id, recording, key, reviewer)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [
            [sample, position, one.stratum, one.call_id, one.recording, one.key, reviewer]
            for position, (one, reviewer) in enumerate(drawn)
        ],
    )


def sample_of(store: Connection, plan: int, days: Period) -> int | None:
    """The sample that a plan has drawn from just these days."""
    values = [plan, days.since.isoformat(), days.until.isoformat()]
    row = store.one("select id from samples where plan = ? and since = ? and until = ?", values)
    return None if row is None else int(row["id"])


def samples(store: Connection) -> list[Sample]:
    """All samples, the newest first."""
    known = {one.id: one for one in plans(store)}
    return [_sample(row, known) for row in store.all(f"{_SAMPLES} group by samples.id order by samples.id desc")]


def sample(store: Connection, number: int) -> Sample | None:
    """One sample by its number."""
    row = store.one(f"{_SAMPLES} where samples.id = ? group by samples.id", [number])
    return None if row is None else _sample(row, {one.id: one for one in plans(store)})


def item(store: Connection, number: int) -> SampleItem | None:
    """One thing to hear."""
    row = store.one("select * from sample_items where id = ?", [number])
    return None if row is None else _item(row)


def items(store: Connection, sample: int) -> list[SampleItem]:
    """Everything in a sample, in order."""
    return [_item(row) for row in store.all("select * from sample_items where sample = ? order by position", [sample])]


def open_items(store: Connection, sample: int, by: str, *, limit: int) -> list[SampleItem]:
    """What this reviewer may hear next, in order."""
    rows = store.all(
        f"select * from sample_items s where sample = ? and reviewer in ('', ?) and {_STATE} = 'open'"
        " order by position limit ?",
        [sample, by, limit],
    )
    return [_item(row) for row in rows]


def open_count(store: Connection, sample: int, by: str) -> int:
    """How much is left for this reviewer."""
    row = store.one(
        f"select count(*) as n from sample_items s where sample = ? and reviewer in ('', ?) and {_STATE} = 'open'",
        [sample, by],
    )
    return 0 if row is None else int(row["n"])


def last_done(store: Connection, sample: int, by: str) -> SampleItem | None:
    """What this reviewer finished last."""
    row = store.one(
        "select * from sample_items where sample = ? and done_by = ? order by done_at desc, position desc limit 1",
        [sample, by],
    )
    return None if row is None else _item(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What somebody says at the end of a call: see SampleItem; `edits` and `characters` only for a checked text."""

    said: frozenset[str] | None = None
    edits: int | None = None
    characters: int | None = None


def set_done(store: Connection, number: int, heard: Heard, *, by: str) -> None:
    """Note that somebody has heard it."""
    said = None if heard.said is None else packed(sorted(heard.said))
    store.sql.execute(
        "update sample_items set done_by = ?, done_at = ?, said = ?, edits = ?, characters = ? where id = ?",
        [by, now(), said, heard.edits, heard.characters, number],
    )


def set_open(store: Connection, number: int) -> None:
    """Take that back."""
    store.sql.execute(
        "update sample_items set done_by = null, done_at = null, said = null, edits = null, characters = null"
        " where id = ?", [number],
    )  # fmt: skip


def add_correction(store: Connection, of: SampleItem, said: Correction, *, by: str) -> int:
    """Keep what was really said in a turn; returns the entry's number."""
    row = {"recording": of.recording, "call_id": of.call_id, "turn": said.turn, "heard": said.heard, "text": said.text}
    row |= {"by": by, "at": now()}
    return int(store.insert("corrections", row).lastrowid or 0)


def corrections(store: Connection, recording: str) -> dict[int, str]:
    """Turn → what was said by the newest correction."""
    rows = store.all("select turn, text from corrections where recording = ? order by id", [recording])
    return {row["turn"]: row["text"] for row in rows}


# what figures need


def missed_in(store: Connection, sample: int) -> list[dict[str, Any]]:
    """Of a sample of calls: per stratum and category, `calls` heard in which people added a violation."""
    rows = store.all(
        "select stratum, category, count(distinct s.call_id) as calls from sample_items s"
        " join items using (recording, call_id) where sample = ? and done_at is not null"
        f" and state in ('confirmed', 'partial', 'appealed') and category <> '{FOLLOWED_UP}' group by stratum, category"
        " union all select stratum, '', count(distinct s.call_id) from sample_items s"
        " join items using (recording, call_id) where sample = ? and done_at is not null"
        f" and state in ('confirmed', 'partial', 'appealed') and category <> '{FOLLOWED_UP}' group by stratum",
        [sample, sample],
    )
    return list(rows)


def heard_in(store: Connection, sample: int) -> dict[str, int]:
    """Stratum → calls heard."""
    rows = store.all(
        "select stratum, count(*) as n from sample_items where sample = ? and done_at is not null group by stratum",
        [sample],
    )
    return {row["stratum"]: row["n"] for row in rows}


def sampled_verdicts(store: Connection, days: Period) -> list[dict[str, Any]]:
    """Per rule, of findings drawn at random from it: how many people upheld (`kept`) and dismissed."""
    rows = store.all(
        "select i.rule_id, sum(i.state in ('confirmed', 'partial', 'appealed')) as kept,"
        " sum(i.state = 'dismissed') as dismissed from items i where i.state not in ('waiting', 'second')"
        " and i.day between ? and ? and i.key in (select s.key from sample_items s join samples on samples.id ="
        " s.sample join sample_plans p on p.id = samples.plan where pool = 'findings' and"
        " p.stratum in ('none', 'rule')) group by i.rule_id",
        [days.since.isoformat(), days.until.isoformat()],
    )
    return list(rows)


def decided_by_rule(store: Connection, which: Filter) -> list[dict[str, Any]]:
    """Per rule: appeals decided, and those of them in which the finding was taken back."""
    clause, values = where(which, day="day")
    rows = store.all(
        "select rule_id, count(*) as decided, sum(decision = 'overturned') as overturned"
        f" from (select a.decision, i.rule_id from appeals a join (select * from items where {clause}) i using (key)"
        " where a.decision is not null) group by rule_id order by rule_id",
        values,
    )
    return list(rows)


def checked_texts(store: Connection, which: Filter) -> list[tuple[int, int]]:
    """(edits, characters) of every call whose whole text was checked, once each by who did it last."""
    clause, values = where(which, day="substr(started_at, 1, 10)")
    rows = store.all(
        "select edits, characters, max(s.id) as newest from sample_items s join calls using (call_id)"
        f" where characters > 0 and {clause} group by call_id",
        values,
    )
    return [(row["edits"], row["characters"]) for row in rows]


def machine_categories(store: Connection, sample: int) -> dict[str, frozenset[str]]:
    """Call → categories that the machine finds in it, for the calls of a sample."""
    rows = store.all(
        "select distinct call_id, category from items join sample_items s using (recording, call_id)"
        f" where sample = ? and machine = 'present' and category <> '{FOLLOWED_UP}'",
        [sample],
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["call_id"], set()).add(row["category"])
    return {call_id: frozenset(names) for call_id, names in found.items()}


def _plan(row: Mapping[str, Any]) -> Plan:
    return Plan(**{
        **row,
        "pool": Pool(row["pool"]),
        "stratum": Stratum(row["stratum"]),
        "reviewers": tuple(json.loads(row["reviewers"])),
        "blind": bool(row["blind"]),
    })  # fmt: skip


def _sample(row: Mapping[str, Any], known: Mapping[int, Plan]) -> Sample:
    return Sample(
        id=row["number"],
        plan=known[row["plan"]],
        days=Period(since=date.fromisoformat(row["since"]), until=date.fromisoformat(row["until"])),
        strata=json.loads(row["strata"]),
        drawn_at=row["drawn_at"],
        drawn_by=row["drawn_by"],
        items=row["items"],
        done=row["done"],
        gone=row["gone"],
    )


def _item(row: Mapping[str, Any]) -> SampleItem:
    said = None if row["said"] is None else frozenset(json.loads(row["said"]))
    return SampleItem(**{**{f.name: row[f.name] for f in fields(SampleItem)}, "said": said})
