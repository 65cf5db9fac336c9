"""What a re-audit finds by asking changed rules alone is what it finds by asking all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit import rejudge
from audit.access import LOCAL
from audit.config import Config
from audit.reaudit import reaudit
from audit.rejudge import Bench, Today
from audit.settings import settings_of
from audit.store import Store
from audit.store.judged import Confirmed, judged_calls, standings
from rules.load import load_rules
from rules.suspicion import read_model
from tests.conftest import PACK
from tests.disturbed import facts, write_work

CALLS = 24
JUDGED = CALLS - 1  # one file is broken
RULE = PACK[PACK.index("  - id: calls-names") :]
NEW = RULE.replace("calls-names", "brand-new").replace("臭老赖", "没人说的话").replace("abuse", "unlawful_fee")
DUTY = NEW.replace("kind: forbid", "kind: require").replace("unlawful_fee", "greeting")
SIGNAL = NEW.replace("brand-new", "says-when").replace("forbid", "signal").replace("unlawful_fee", "promise_to_pay")
SAYS_WHEN = SIGNAL.replace("没人说的话", "明天还你").replace("role: agent", "role: customer")
ASKS_FOR_IT = RULE.replace("calls-names", "asks-for-it").replace("phrase: [臭老赖]", "signal: [promise_to_pay]")
ASKS = SAYS_WHEN + ASKS_FOR_IT.replace("role: agent", "role: any")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dozen calls judged by the tiny pack and a signal that another rule asks for."""
    from click.testing import CliRunner

    from audit.cli import cli

    folder = tmp_path_factory.mktemp("audited")
    write_work(folder / "calls", CALLS)
    (folder / "tiny.yaml").write_text(PACK + ASKS, "utf-8")
    (folder / "callaudit.toml").write_text("second_opinion = false\nworkers = 1\n", "utf-8")
    given = ["--engine", "transcript", "--rules", str(folder / "tiny.yaml"), "--db", str(folder / "callaudit.db")]
    CliRunner().invoke(
        cli, ["audit", str(folder / "calls"), "--config", str(folder / "callaudit.toml"), "--quiet", *given]
    )
    return folder / "callaudit.db"


@pytest.fixture
def store(audited: Path, tmp_path: Path) -> Iterator[Store]:
    with Store.open(shutil.copy(audited, tmp_path / "callaudit.db")) as store:
        yield store


def by(folder: Path, pack: str, *, second_opinion: bool = False) -> Today:
    file = folder / "tiny.yaml"
    file.write_text(pack, "utf-8")
    config = Config(rules=str(file), engine="transcript", second_opinion=second_opinion)
    ruleset = load_rules(config.rules)
    return Today(ruleset=ruleset, settings=settings_of(config, ruleset))


def confirmed(store: Store, today: Today) -> list[Confirmed]:
    """What the shortcut says, each checked against the judgement by all rules."""
    bench, found = Bench(today), []
    for call_id in judged_calls(store):
        stands, anew = standings(store, [call_id])[call_id], bench.judge(store, call_id)
        assert anew
        old, call = anew
        short = bench.confirmed(store, [stands]).get(call_id)
        if short is None:
            continue
        found.append(short)
        outcomes = {**old.judgement.outcomes, **short.outcomes}
        assert {rule: result for rule, result in outcomes.items() if result} == call.judgement.outcomes
        assert (old.judgement.findings, old.card, old.promise) == (call.judgement.findings, call.card, call.promise)
        assert short.settings == call.settings
    return found


@pytest.mark.parametrize(
    ("pack", "spared"),
    [
        pytest.param(PACK + ASKS, JUDGED, id="nothing changed"),
        pytest.param(PACK.replace("[臭老赖]", "[臭老赖, 没人说]") + ASKS, JUDGED, id="a term that nobody says"),
        pytest.param(PACK.replace("[臭老赖]", "[臭骂]") + ASKS, 17, id="a rule falls silent"),
        pytest.param(PACK.replace("[臭老赖]", "[臭老赖, 您好]") + ASKS, 0, id="a rule speaks in every call"),
        pytest.param(PACK.replace("severity: medium", "severity: high") + ASKS, 17, id="graver"),
        pytest.param(PACK + ASKS + NEW, JUDGED, id="a new rule"),
        pytest.param(PACK.replace(RULE, "") + ASKS, 17, id="a rule is gone"),
        pytest.param(PACK + ASKS + DUTY, 0, id="a new duty is on every scorecard"),
        pytest.param(
            PACK + ASKS.replace("[明天还你]", "[明天还你, 没人说]"), JUDGED, id="a signal that still says the same"
        ),
        pytest.param(
            PACK + ASKS.replace("明天还你", "没人说的话"), 13, id="a signal falls silent, and who asked for it"
        ),
    ],
)
def test_changed_rules_alone_say_what_all_say(store: Store, tmp_path: Path, pack: str, spared: int) -> None:
    assert len(confirmed(store, by(tmp_path, pack))) == spared


def test_a_judgement_that_rests_on_something_else_is_made_by_all_rules(store: Store, tmp_path: Path) -> None:
    today = by(tmp_path, PACK + ASKS)
    with store.writing():
        store.sql.execute("update calls set callee_relation = 'contact' where call_id = 'c0001'")
        store.sql.execute("update transcripts set settings = 'heard anew' where recording ="
                          " (select recording from calls where call_id = 'c0002')")  # fmt: skip
        store.sql.execute("delete from items where call_id = 'c0005'")
    assert len(confirmed(store, today)) == JUDGED - 3
    other = replace(today.settings, options={**today.settings.options, "code": "another"})
    assert confirmed(store, replace(today, settings=other)) == []
    with store.writing():
        store.sql.execute("update rules set content = null")  # as of before rules had digests
    assert confirmed(store, today) == []


def test_hints_that_may_be_graver_than_they_were_are_weighed_anew(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = read_model()
    suspects_all = replace(model, thresholds=np.full_like(model.thresholds, -100))
    monkeypatch.setattr("rules.second_opinion.read_model", lambda: suspects_all)
    today = by(tmp_path, PACK + ASKS, second_opinion=True)
    assert confirmed(store, today) == []  # judged without it
    reaudit(store, today, actor=LOCAL)
    assert len(confirmed(store, by(tmp_path, PACK + ASKS + NEW, second_opinion=True))) == JUDGED
    hint = store.one("select category from findings where rule_id like 'second-opinion-%'")
    assert hint
    graver = NEW.replace("unlawful_fee", hint["category"]).replace("medium", "critical")
    assert len(confirmed(store, by(tmp_path, PACK + ASKS + graver, second_opinion=True))) < JUDGED


def test_a_re_audit_by_the_shortcut_saves_what_one_by_all_rules_saves(
    store: Store, audited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = by(tmp_path, PACK.replace("severity: medium", "severity: high") + ASKS + NEW)
    reaudit(store, today, actor=LOCAL)
    monkeypatch.setattr(rejudge, "changed_rules", lambda *_, **__: None)
    with Store.open(shutil.copy(audited, tmp_path / "all.db")) as other:
        reaudit(other, today, actor=LOCAL)
    assert facts(tmp_path / "callaudit.db") == facts(tmp_path / "all.db")
