"""A store of a million calls for `benchmarks.dashboard`: a few thousand judged ones, each many times over.

    python -m benchmarks.million big.db [calls]

500 collectors in 25 teams, 90 days, about 30 turns a call. Words and judgements are real (tests/demo.py); who, when and
what people did with them is drawn. Everything is copied inside SQLite, indexes made last; the tables that pages read
are those that the program writes itself (`tallies.recount`). All calls stand as judged by one run with today's rules,
so that `callaudit reaudit` with a pack of one's own finds most of them as they are.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from audit import ledger
from audit.access import Actor, Role
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CAUSES, CHANNELS
from audit.config import CHINA, Config
from audit.plan import settings_digest
from audit.settings import settings_of
from audit.store import Store, finding_keys, tallies
from audit.store.promises import settle_promises
from rules.load import load_rules
from tests.demo import PRODUCTS, build_demo

TEMPLATES = 2_000
SCENES = 9
COLLECTORS = 500
TEAMS = 25
DAYS = 90
LAST_DAY = date(2026, 11, 21)
CASES = 300_000
OUTCOMES_OF = 20  # every so manieth call keeps its outcomes: 176 rows a call, asked for by the call's id alone
_HOURS = {8: 5, 9: 12, 10: 15, 11: 12, 12: 3, 13: 6, 14: 13, 15: 14, 16: 12, 17: 8, 18: 6, 19: 5, 20: 2, 22: 1}

Row = tuple[object, ...]


def build(path: Path, *, calls: int) -> None:
    """Make the store; says on stderr what it is at."""
    template = path.with_suffix(".template") / "callaudit.db"
    if not template.exists():
        _told("judging the templates", build_demo, template, calls=TEMPLATES, scenes=SCENES, people=False)
    shutil.copy(template, path)
    with Store.open(path) as store:
        sql = store.sql
        sql.executescript(
            "pragma foreign_keys = off; pragma journal_mode = off; pragma synchronous = off;"
            " pragma cache_size = -1000000; pragma temp_store = memory;"
        )
        sql.execute("attach ? as t", [str(template)])
        sql.create_function("key_of", 3, _keys_anew(template))
        indexes = _drop_indexes(sql)
        _empty(sql)
        _told("drawing", _draw, sql, calls)
        for name, statement in _COPIES.items():
            _told(name, sql.execute, statement)
        _told("verdicts", _verdicts, sql)
        _told("cases", _cases, sql)
        _told("complaints", _complaints, sql, calls)
        sql.commit()
        for index in indexes:
            _told(index[:60], sql.execute, index)
        sql.execute("drop table new")
        sql.commit()
        sql.execute("detach t")
        _told("promises", settle_promises, store)
        sql.commit()
        _told("counts by day", tallies.recount, store)
        _told("settings", _judged_today, store)
        _told("ledger", _ledger, store)
        _told("analyze", sql.execute, "analyze")
        sql.execute("pragma journal_mode = wal")


def _told(what: str, do, *args, **options) -> None:  # type: ignore[no-untyped-def]
    begun = time.monotonic()
    do(*args, **options)
    print(f"{time.monotonic() - begun:7.1f} s  {what}", file=sys.stderr)


def _drop_indexes(sql: sqlite3.Connection) -> list[str]:
    """Indexes are made at the end, each in one go."""
    rows = sql.execute("select name, sql from sqlite_master where type = 'index' and sql is not null").fetchall()
    rows = [row for row in rows if "migrations" not in row[0]]
    for name, _ in rows:
        sql.execute(f'drop index "{name}"')
    return [statement for _, statement in rows]


def _empty(sql: sqlite3.Connection) -> None:
    for table in ("promises", "items", "outcomes", "findings", "scorecards", "transcripts", "calls", "recordings",
                  "attempts"):  # fmt: skip
        sql.execute(f"delete from main.{table}")
    sql.commit()


def _draw(sql: sqlite3.Connection, calls: int) -> None:
    """Table `new`: for each call its template, ids, moment, and whose it is."""
    sql.execute(
        "create table new (n integer primary key, template text, old_recording text, call_id text, recording text,"
        " at text, day text, hour integer, team text, product text, agent_id text, agent_name text, debtor_id text,"
        " case_id text)"
    )
    templates = sql.execute("select call_id, recording from t.calls order by call_id").fetchall()
    sql.executemany(f"insert into new values ({', '.join('?' * 14)})", _new(templates, calls))
    sql.execute("create index new_template on new(template)")
    sql.execute("create index new_recording on new(old_recording)")


def _new(templates: list[tuple[str, str]], calls: int) -> Iterator[Row]:
    """In order of time."""
    dice = random.Random(11)
    hours, weights = list(_HOURS), list(_HOURS.values())
    for n in range(calls):
        day = LAST_DAY - timedelta(days=DAYS - 1 - n * DAYS // calls)
        at = datetime(day.year, day.month, day.day, dice.choices(hours, weights)[0], dice.randrange(60),
                      dice.randrange(60), tzinfo=CHINA)  # fmt: skip
        agent = dice.randrange(COLLECTORS)
        case = dice.randrange(CASES)
        template, recording = dice.choice(templates)
        yield (
            n, template, recording, f"c{n:08d}", f"{n:08x}{recording[8:]}", at.isoformat(), day.isoformat(), at.hour,
            f"{agent % TEAMS + 1}组", PRODUCTS[case % len(PRODUCTS)], f"A{agent:04d}", f"员工{agent:03d}",
            f"D{case:07d}", f"AJ{case:07d}",
        )  # fmt: skip


_TURNS = "settings, language, duration_ms, role_confidence, notes, engine, engine_version, model, model_sha256, options"
_PROMISES = "n % 8 < 2"
_DUE = "date(new.day, '+' || (n % 12) || ' day')"
_OVERDUE = "abs(n * 7919) % 200"
_PLACE = "turn, start, end, start_ms, end_ms, quote, heard_as, confidence, because"
_COPIES = {
    "recordings": "insert into recordings select new.recording, bytes, duration_ms, at from new"
    " join t.recordings r on r.id = old_recording order by n",
    "calls": "insert into calls (call_id, recording, path, duration_ms, agent_channel, started_at, agent_id,"
    " agent_name, team, case_id, debtor_id, callee_relation, direction, answered, product, days_overdue, extra)"
    " select new.call_id, new.recording, '/audio/' || day || '/' || new.call_id || '.wav', duration_ms, 0, at,"
    " new.agent_id, new.agent_name, new.team, new.case_id, new.debtor_id, callee_relation, direction, 1, new.product,"
    f" {_OVERDUE}, '{{}}' from new join t.calls c on c.call_id = template order by n",
    "transcripts": f"insert into transcripts (recording, {_TURNS}, turns, words) select new.recording, {_TURNS}, turns,"
    " words from new join t.transcripts x on x.recording = old_recording order by n",
    "scorecards": "insert into scorecards select new.call_id, run, settings, score, card,"
    f" iif({_PROMISES}, json_set(promise, '$.date', {_DUE}), null)"
    " from new join t.scorecards s on s.call_id = template order by n",
    "findings": f"insert into findings (call_id, recording, key, rule_id, rule_version, category, severity, result,"
    f" {_PLACE}) select new.call_id, new.recording, key_of(template, key, new.recording), rule_id, rule_version,"
    f" category, severity, result, {_PLACE} from new join t.findings f on f.call_id = template order by n, f.id",
    "outcomes": "insert into outcomes select new.call_id, rule_id, result from new join t.outcomes o"
    f" on o.call_id = template where n % {OUTCOMES_OF} = 0 order by n, rule_id",
    # What is grave is looked at first: three in five, of the rest one in thirty.
    "items": "insert into items select key_of(template, key, new.recording), new.recording, new.call_id, rule_id,"
    " category, severity, rank, result, confidence, words, new.at, new.day, new.hour, new.team, new.product,"
    " new.agent_id, new.debtor_id, case when abs(random()) % 1000 < iif(rank >= 3, 600, 33)"
    " then iif(abs(random()) % 10 < 7, 'confirmed', iif(abs(random()) % 4 = 0, 'partial', 'dismissed'))"
    " else 'waiting' end, machine, '[]', 0 from new join t.items i on i.call_id = template order by n",
    "promises": "insert into promises (call_id, case_id, debtor_id, agent_id, team, product, days_overdue, made_at,"
    " day, due, amount_fen, firmness, repeated_back, turn, text)"
    f" select new.call_id, new.case_id, new.debtor_id, new.agent_id, new.team, new.product, {_OVERDUE}, at,"
    f" {_DUE}, {_DUE}, amount_fen, firmness, repeated_back, turn, text"
    f" from new join t.promises p on p.call_id = template where {_PROMISES} order by n",
}


def _keys_anew(template: Path) -> Callable[[str, str, str], str]:
    """The key that a finding of a template's call has in another recording."""
    with Store.read(template) as store:
        calls = {call.record.call_id: call for call in store.calls()}

    @lru_cache(maxsize=1)  # a call's findings are copied one after another
    def anew(call_id: str, recording: str) -> dict[str, str]:
        old, findings = calls[call_id].recording, calls[call_id].judgement.findings
        return dict(zip(finding_keys(old, findings), finding_keys(recording, findings), strict=True))

    return lambda call_id, key, recording: anew(call_id, recording)[key]


def _judged_today(store: Store) -> None:
    """The rules and settings by which a re-audit finds these calls judged."""
    ruleset = load_rules()
    settings = settings_of(Config(), ruleset)
    store.save_rules(ruleset)
    run = store.start_run("audit", settings)
    heard, done = store.heard(), store.done()
    records = [record for records in store.records().values() for record in records]
    judged = [(run, settings_digest(heard[done[r.call_id][0]], settings, r), r.call_id) for r in records]
    with store.writing():
        store.sql.executemany("update scorecards set run = ?, settings = ? where call_id = ?", judged)
    store.finish_run(run, status="finished", done=len(records), failed=0)


def _verdicts(sql: sqlite3.Connection) -> None:
    """Twenty reviewers, each finding judged by one of them a day after the call."""
    sql.execute("update items set judged_by = '[\"r' || (rowid % 20) || '\"]', stamp = 1 where state <> 'waiting'")
    sql.execute(
        "insert into verdicts (key, recording, call_id, by, at, kind, before, after, reason)"
        " select key, recording, call_id, judged_by ->> '$[0]', strftime('%Y-%m-%dT%H:%M:%S+00:00', at, '+1 day'),"
        " case state when 'confirmed' then 'confirm' when 'partial' then 'partial' else 'dismiss' end, 'waiting',"
        " state, case state when 'dismissed' then 'context' when 'partial' then 'milder' end"
        " from items where state <> 'waiting'"
    )


def _cases(sql: sqlite3.Connection) -> None:
    """A case for each debtor; two in five have paid something, in one or two goes."""
    dice = random.Random(12)
    cases, payments = [], []
    for n in range(CASES):
        case, owed = f"AJ{n:07d}", dice.randrange(80_000, 4_000_000)
        assigned = LAST_DAY - timedelta(days=dice.randrange(10, DAYS + 30))
        paid = 0
        for go in range(dice.choice((0, 0, 0, 1, 2))):
            fen = owed // dice.choice((1, 2, 4, 8))
            paid_at = datetime(2026, 11, 21, 12, tzinfo=CHINA) - timedelta(minutes=dice.randrange(DAYS * 1440))
            payments.append((f"p{n}-{go}", case, paid_at.isoformat(), fen))
            paid += fen
        cured = LAST_DAY.isoformat() if paid >= owed else None
        overdue, stage = dice.randrange(200), f"M{dice.randrange(1, 7)}"
        cases.append((
            case, f"D{n:07d}", f"A{dice.randrange(COLLECTORS):04d}", PRODUCTS[n % len(PRODUCTS)], stage, overdue, owed,
            owed * 9 // 10, round(dice.uniform(2, 5), 1) if n % 7 == 0 else None, assigned.isoformat(), None, "{}",
            paid, cured,
        ))  # fmt: skip
    sql.executemany(f"insert into cases values ({', '.join('?' * 14)})", cases)
    sql.executemany("insert into payments values (?, ?, ?, ?)", payments)
    sql.execute("insert or replace into payments_known values (1, ?)", [LAST_DAY.isoformat()])


def _complaints(sql: sqlite3.Connection, calls: int) -> None:
    """Three in a thousand calls; most are answered, some of them late."""
    dice = random.Random(13)
    rows = sql.execute(
        "select call_id, day, debtor_id, case_id, agent_id, team, product from new where n % 333 = 7 order by n"
    ).fetchall()
    for number, (call_id, day, debtor, case, agent, team, product) in enumerate(rows, 1):
        received = date.fromisoformat(day) + timedelta(days=dice.randrange(4))
        due = received + timedelta(days=15)
        done = dice.random() < (0.95 if due < LAST_DAY else 0.3)
        answered = (received + timedelta(days=dice.randrange(2, 18))).isoformat() if done else None
        at = f"{received}T10:00:00+08:00"
        sql.execute(
            f"insert into complaints values ({', '.join('?' * 28)})",
            (
                number, f"{number:064x}", at, received.isoformat(), dice.choice(list(CHANNELS)), f"客户{number}",
                f"客户{number}", debtor, case, agent, team, product, dice.choice(list(CATEGORIES_OF_COMPLAINTS)),
                "催收人员多次致电并有不当言辞，要求核实处理。", "closed" if done else "received", "simple",
                received.isoformat(), due.isoformat(), answered, answered, int(done and answered > due.isoformat()),
                dice.choice(("upheld", "partial", "rejected")) if done else None,
                dice.choice(list(CAUSES)) if done else None, None, None, 1, at, "r1",
            ),
        )  # fmt: skip
        sql.execute("insert into complaint_calls values (?, ?, ?, 'r1')", [number, call_id, at])


def _ledger(store: Store) -> None:
    """As many entries as a busy year of unmaskings, exports and sign-ins leaves."""
    actor = Actor(name="r1", role=Role.REVIEWER)
    with store.writing():
        for n in range(20_000):
            ledger.record(store, actor=actor, kind=ledger.Kind.UNMASK, subject=f"c{n:08d}", data={"reason": "核对"})


if __name__ == "__main__":
    build(Path(sys.argv[1]), calls=int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
