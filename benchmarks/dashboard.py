"""Server time of every page of the dashboard on a large store, and of the queue's next finding.

    python -m benchmarks.million big.db
    python -m benchmarks.dashboard big.db [page …]

Each page is run again and again with different filters and subjects, as Streamlit runs it for a reader: once with every
cached figure thrown away, as after each call that a batch writes; once with them. The goals: below 1 s in 95 of 100
runs, below 0.2 s for the next finding.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from audit import review, sampling
from audit.access import Actor, Role
from audit.config import Config
from audit.store import Filter, Store, samples
from audit.store.queue import Wanted
from audit.store.samples import Heard, NewPlan, Period, Pool, Stratum
from benchmarks.million import COLLECTORS, LAST_DAY, TEAMS
from dashboard import data, server
from dashboard.words import t
from rules.model import Severity

ROUNDS = 8
NEXTS = 200
APP = Path(dashboard.__file__).parent / "app.py"
OFFICER = Actor(name="bench", role=Role.ADMIN)

Query = dict[str, str]
Taken = tuple[float, float]
"""Seconds by the clock, and seconds of processor: the same on an idle machine whose disk cache is warm."""


def main(db: Path, only: Sequence[str]) -> None:
    """Print a table for docs/speed.md."""
    with Store.open(db) as store:
        _hear_a_sample(store)
    data.configure(Config(db=db), acting=OFFICER)
    server.get_ready()
    print("| page | clock, 95 of 100 | median | processor, 95 of 100 | median | clock, cached, 95 of 100 |")
    print("|---|---|---|---|---|---|")
    for page, queries in _pages(db).items():
        if not only or page in only:
            cold, warm = _times(page, queries)
            wall, busy = [taken[0] for taken in cold], [taken[1] for taken in cold]
            again = _at([taken[0] for taken in warm], 0.95)
            figures = (_at(wall, 0.95), _at(wall, 0.5), _at(busy, 0.95), _at(busy, 0.5), again)
            print(f"| {page} | {' | '.join(f'{figure:.2f} s' for figure in figures)} |", flush=True)
    if not only or "next" in only:
        taken = list(_nexts(db))
        wall, busy = [one[0] for one in taken], [one[1] for one in taken]
        found = (_at(wall, 0.95), _at(wall, 0.5), _at(busy, 0.95), _at(busy, 0.5))
        print(f"| next finding | {' | '.join(f'{figure:.3f} s' for figure in found)} | |")


def _hear_a_sample(store: Store) -> None:
    """A month's sample of calls in which nothing was found, heard by one person: figures rest on it."""
    if sampling.all_samples(store, actor=OFFICER):
        return
    asked = NewPlan(name="抽检", pool=Pool.UNFLAGGED, stratum=Stratum.NONE, per_stratum=400, reviewers=(), blind=False)
    plan = sampling.make_plan(store, asked, actor=OFFICER)
    month = Period(since=LAST_DAY - timedelta(days=29), until=LAST_DAY)
    drawn = sampling.draw(store, plan.id, month, actor=OFFICER)
    with store.writing():
        for item in samples.items(store, drawn.id):
            samples.set_done(store, item.id, Heard(), by=OFFICER.name)


def _pages(db: Path) -> dict[str, list[Query]]:
    """What a reader asks of each page: all, a week, a team, a collector, and one subject after another."""
    week = {"since": (LAST_DAY - timedelta(days=6)).isoformat(), "until": LAST_DAY.isoformat()}
    filters: list[Query] = [{}, week, {"team": f"{TEAMS // 2}组"}, {"agent": f"A{COLLECTORS // 2:04d}"}]
    with Store.read(db) as store:
        last = (store.one("select max(rowid) as n from calls") or {})["n"]
        dice = random.Random(3)
        calls = [f"c{dice.randrange(last):08d}" for _ in range(ROUNDS)]
        complaints = [row["id"] for row in store.all("select id from complaints order by id limit 4")]
    pages = {view.stem: filters for view in sorted((APP.parent / "views").glob("*.py"))}
    pages["promises, by stage"] = [{**given, "tab": "promises.tab_stage"} for given in filters]
    pages["promises, by collector"] = [{**given, "tab": "promises.tab_collector"} for given in filters]
    pages["collectors, results"] = [{**given, "collectors_columns": "results"} for given in filters]
    pages["collectors, one"] = [{"agent": f"A{dice.randrange(COLLECTORS):04d}"} for _ in range(4)]
    pages["call, one"] = [{"call": call} for call in calls]
    pages["complaints, one"] = [{"id": str(number)} for number in complaints]
    pages["rules_page, one"] = [{"rule": "threaten-contacts"}, {"rule": "recording-not-announced"}]
    pages["sampling, plans"] = [{"view": "plans"}]
    pages["sampling, figures"] = [{"view": "figures"}]
    return pages


def _times(page: str, queries: Sequence[Query]) -> tuple[list[Taken], list[Taken]]:
    """Seconds of each run: without what is cached, then with it."""
    at = AppTest.from_file(str(APP), default_timeout=300)
    cold, warm = [], []
    _run(at, page, queries[0])
    for number in range(ROUNDS):
        query = queries[number % len(queries)]
        st.cache_data.clear()
        cold.append(_run(at, page, query))
        warm.append(_run(at, page, query))
    return cold, warm


def _run(at: AppTest, page: str, query: Query) -> Taken:
    for name in ("call", "id", "rule"):
        at.query_params.pop(name, None)
        if name in query:
            at.query_params[name] = query[name]
    at.session_state["sampling_view"] = query.get("view", "work")
    at.session_state["collectors_columns"] = query.get("collectors_columns", "conduct")
    at.session_state["promises_tabs_zh"] = t(query.get("tab", "promises.tab_follow"))
    for name in ("since", "until"):
        at.session_state[name] = date.fromisoformat(query[name]) if name in query else None
    for name in ("team", "agent"):
        at.session_state[name] = query.get(name)
    at.switch_page(f"views/{page.split(',', maxsplit=1)[0]}.py")
    begun, busy = time.perf_counter(), time.process_time()
    at.run()
    taken = time.perf_counter() - begun, time.process_time() - busy
    if at.exception:
        raise RuntimeError(f"{page}: {at.exception[0].message}")
    return taken


def _nexts(db: Path) -> Iterator[Taken]:
    """Seconds from a key pressed to all that the next finding needs: it is found, held and read with its call."""
    kinds: list[Callable[[int], Wanted]] = [
        lambda _: Wanted(),
        lambda n: Wanted(calls=Filter(agent_id=f"A{n % COLLECTORS:04d}")),
        lambda n: Wanted(calls=Filter(team=f"{n % TEAMS + 1}组")),
        lambda _: Wanted(severity=Severity.MEDIUM),
        lambda _: Wanted(rule_id="recording-not-announced"),
        lambda _: Wanted(category="threat"),
        lambda _: Wanted(calls=Filter(since=LAST_DAY - timedelta(days=1), until=LAST_DAY)),
    ]
    with Store.open(db) as store:
        for n in range(NEXTS):
            reviewer = Actor(name=f"r{n % 20}", role=Role.REVIEWER)
            begun, busy = time.perf_counter(), time.process_time()
            offer = review.next_item(store, kinds[n % len(kinds)](n), actor=reviewer)
            if offer is not None:
                review.case(store, offer.item.key, actor=reviewer)
            yield time.perf_counter() - begun, time.process_time() - busy


def _at(taken: Sequence[float], share: float) -> float:
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
