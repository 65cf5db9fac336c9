"""A batch writes while five people review: nobody is turned away, nothing is lost, nothing counts twice."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from pathlib import Path

from audit import ledger, review
from audit.access import Actor, Role
from audit.review import Choice, Conflict, Policy
from audit.store import Store, queue, tallies, verdicts
from audit.store.queue import State
from audit.store.verdicts import Kind
from tests.audit.conftest import AGENT, FAIL, SETTINGS, Said, audited, build, tone

REVIEWERS = 5
EACH = 15
CALLS = 120
SPAWN = multiprocessing.get_context("spawn")


def said(number: int) -> Said:
    words = f"第{number}次说你个老赖"
    return Said(call_id=f"c{number:03d}", turns=[(AGENT, words)], found=[("insult", 0, words, FAIL)])


def batch(folder: Path, db: Path) -> None:
    """Saves every call, then all of them again as a re-audit would."""
    with Store.open(db) as store:
        run = store.start_run("audit", SETTINGS)
        for number in range(CALLS):
            path = folder / f"{number}.wav"
            tone(path, hertz=200 + number, seconds=0.05)
            store.save(audited(said(number), path, 0), run=run)
        for number in range(CALLS):
            store.save_judgement(audited(said(number), folder / f"{number}.wav", 0), run=run)
        store.finish_run(run, status="finished", done=CALLS, failed=0)


def reviewer(number: int, db: Path, told: multiprocessing.SimpleQueue[tuple[str, int, int]]) -> None:
    """Judges until EACH verdicts are in; a conflict is no verdict."""
    actor = Actor(name=f"r{number}", role=Role.REVIEWER)
    done = conflicts = 0
    with Store.open(db) as store:
        while done < EACH:
            offer = review.next_item(store, actor=actor)
            if offer is None:
                continue
            try:
                judged = review.judge(store, offer.item, Choice(kind=Kind.CONFIRM), actor=actor, policy=Policy())
            except Conflict:
                conflicts += 1
                continue
            if done % 5 == 0:
                review.undo(store, judged.stamp, actor=actor, policy=Policy())
            done += 1
    told.put((actor.name, done, conflicts))


def test_a_batch_and_five_reviewers_at_once(tmp_path: Path) -> None:
    db = tmp_path / "audit/audit.db"
    build(db.parent, []).close()
    told: multiprocessing.SimpleQueue[tuple[str, int, int]] = SPAWN.SimpleQueue()
    people = [SPAWN.Process(target=reviewer, args=(number, db, told), daemon=True) for number in range(REVIEWERS)]
    everybody = [SPAWN.Process(target=batch, args=(tmp_path, db), daemon=True), *people]
    for process in everybody:
        process.start()
    for process in everybody:
        process.join(timeout=180)
    assert [process.exitcode for process in everybody] == [0] * len(everybody)
    with Store.open(db) as store:
        said_by = Counter(row["by"] for row in store.all("select by from verdicts where kind = 'confirm'"))
        assert said_by == {told.get()[0]: EACH for _ in people}
        undone = len(list(store.all("select id from verdicts where kind = 'undo'")))
        keys = [row["key"] for row in store.all("select key from items")]
        states = [found.state for key in keys if (found := queue.item(store, key)) is not None]
        assert states.count(State.CONFIRMED) == said_by.total() - undone
        assert all(len(verdicts.standing(verdicts.history(store, key))) <= 1 for key in keys)
        assert tallies.totals(store).calls == CALLS == len(keys)
        assert tallies.differences(store) == []
        assert ledger.verify(store) is None
