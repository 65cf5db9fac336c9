"""A re-audit in many processes ends like one in this process, and leaves alone what stays as it is."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit import rejudge
from audit.access import LOCAL
from audit.config import Config
from audit.errors import StoreFull
from audit.operations import State, runs
from audit.reaudit import compare, reaudit
from audit.rejudge import Judged, Today, judged_by_many
from audit.settings import settings_of
from audit.store import Store, tallies
from rules.load import load_rules
from tests.conftest import COMMAND, PACK
from tests.disturbed import facts, write_work

CALLS = 40


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    write_work(folder / "calls", CALLS)
    (folder / "tiny.yaml").write_text(PACK, "utf-8")
    (folder / "callaudit.toml").write_text("second_opinion = false\n", "utf-8")  # what it says changes with the model
    arguments = ["audit", "calls", "--engine", "transcript", "--rules", "tiny.yaml", "--workers", "1"]
    subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, check=False)
    return folder / "callaudit.db"


@pytest.fixture
def audited(tmp_path: Path, first: Path) -> Path:
    return shutil.copy(first, tmp_path / "callaudit.db")


def today(pack: Path, *, workers: int = 1) -> Today:
    config = Config(rules=str(pack), engine="transcript", second_opinion=False)
    ruleset = load_rules(config.rules)
    return Today(ruleset=ruleset, settings=settings_of(config, ruleset), workers=workers)


def changed(pack: Path) -> Path:
    """Another rule speaks where none spoke, and one no longer does."""
    other = pack.with_name("other.yaml")
    text = pack.read_text("utf-8").replace("臭老赖", "臭骂").replace("我们就爆你通讯录", "爆你通讯录和还你两千块")
    other.write_text(text.replace("phrase: [爆你通讯录]", "phrase: [爆你通讯录, 还你两千块]").replace("role: agent", "role: any"), "utf-8")
    return other


def test_many_processes_save_what_one_saves(
    tmp_path: Path, pack: Path, audited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejudge, "_WORTH", 0)
    monkeypatch.setattr(rejudge, "AT_ONCE", 7)
    other = shutil.copy(audited, tmp_path / "other.db")
    by = today(changed(pack))
    with Store.open(audited) as store:
        found = compare(store, by, actor=LOCAL)
        assert reaudit(store, by, actor=LOCAL) == CALLS - 1
    with Store.open(other) as store:
        many = today(changed(pack), workers=2)
        assert compare(store, many, actor=LOCAL) == found
        assert reaudit(store, many, actor=LOCAL) == CALLS - 1
        assert tallies.differences(store) == []
    assert {change.rule_id: (change.new > 0, change.gone > 0) for change in found} == {
        "threaten-contacts": (True, False), "calls-names": (False, True),
    }  # fmt: skip
    assert facts(audited) == facts(other)


def test_a_re_audit_gives_signs_of_life_and_one_that_breaks_off_was_interrupted(
    pack: Path, audited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(audited) as store:
        reaudit(store, today(changed(pack)), actor=LOCAL)
        done = runs(store, actor=LOCAL, now=datetime.now(UTC))[0]
        assert (done.state, done.total, done.share) == (State.FINISHED, len(store.done()), 1.0)

        def breaks(*_: object, **__: object) -> None:
            raise StoreFull("full")

        monkeypatch.setattr("audit.reaudit._save", breaks)
        with pytest.raises(StoreFull):
            reaudit(store, today(pack), actor=LOCAL)
        assert runs(store, actor=LOCAL, now=datetime.now(UTC))[0].state is State.INTERRUPTED


def test_what_stays_as_it_is_is_not_written_again(pack: Path, audited: Path) -> None:
    before = facts(audited)
    with Store.open(audited) as store:
        rows = [row["id"] for row in store.all("select id from findings")]
        assert reaudit(store, today(pack), actor=LOCAL) == CALLS - 1
        assert [row["id"] for row in store.all("select id from findings")] == rows
        run = store.last_run()
        assert run is not None
        assert (run.kind, run.status, run.calls_done) == ("reaudit", "finished", CALLS - 1)
        assert run.engine_version == "1"
        assert {row["run"] for row in store.all("select distinct run from scorecards")} == {run.id}
    assert facts(audited) == before


def test_a_queue_out_of_step_is_brought_back(audited: Path, pack: Path) -> None:
    before = facts(audited)
    with Store.open(audited) as store:
        with store.writing():
            store.sql.execute("delete from items where rowid in (select min(rowid) from items)")
        tallies.recount(store)
        reaudit(store, today(pack), actor=LOCAL)
        assert tallies.differences(store) == []
    assert facts(audited) == before


def test_what_others_wrote_meanwhile_is_judged_again(
    audited: Path, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def late(store: Store, by: Today, call_ids: list[str]) -> list[list[Judged]]:
        some = list(judged_by_many(store, by, call_ids))
        if not looks:
            with store.writing():
                store.sql.execute("update scorecards set settings = 'another' where call_id = 'c0001'")
        looks.append(list(call_ids))
        return some

    monkeypatch.setattr("audit.reaudit.judged_by_many", late)
    with Store.open(audited) as store:
        assert reaudit(store, today(pack), actor=LOCAL) == CALLS - 1
        assert store.one("select count(*) as n from scorecards where settings = 'another'") == {"n": 0}
    assert looks[1:] == [["c0001"]]
