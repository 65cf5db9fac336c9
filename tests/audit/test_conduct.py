"""Conduct across calls, with hand-made records: both sides of each limit, midnight, time zones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rules
from audit import batch, conduct, retention
from audit.access import LOCAL
from audit.calls import CallRecord
from audit.cli import cli
from audit.conduct import Judged, judge_conduct, judge_everything, judge_what_is_new
from audit.config import CHINA
from audit.errors import StoreFull
from audit.report import Asked, make_report, read_report
from audit.score import scorecard
from audit.store import AuditedCall, Filter, Settings, Store
from audit.store.conduct import Contact, KeptConduct, due, kept
from rules.lint import lint
from rules.load import load_rules
from rules.model import Finding, Judgement, Result, Rule, RuleSet, Severity
from rules.page import describe
from tests.conftest import write_calls
from transcribe.model import EngineInfo, Transcript

ATTEMPTS, CALLS = "too-many-attempts", "too-many-calls-a-day"
THIRD_PARTY, REFUSED = "third-party-before-debtor-unreachable", "calls-after-refusal"
MORNING = "2026-11-19T09:00:00+08:00"


def contact(n: int, at: str = MORNING, *, minutes: int = 0, **known: Any) -> Contact:
    started_at = datetime.fromisoformat(at) + timedelta(minutes=minutes)
    fields: dict[str, Any] = {
        "call_id": f"c{n}", "at": started_at, "debtor": "D", "number": "13800000000", "relation": "self",
        "direction": None, "answered": False, "duration_ms": None,
    } | known  # fmt: skip
    return Contact(**{"person": fields["number"]} | fields)


def unanswered(count: int, **known: Any) -> list[Contact]:
    return [contact(n, minutes=10 * n, **{"answered": False} | known) for n in range(count)]


def answered(count: int, **known: Any) -> list[Contact]:
    return [contact(n, minutes=10 * n, **{"answered": True, "duration_ms": 60_000} | known) for n in range(count)]


def found(contacts: list[Contact], rule: str, ruleset: RuleSet | None = None) -> list[KeptConduct]:
    return [finding for finding in judge_conduct(contacts, ruleset or load_rules()) if finding.rule_id == rule]


@pytest.mark.parametrize(("count", "findings"), [(6, 0), (7, 1)])
def test_unanswered_attempts_on_one_number(count: int, findings: int) -> None:
    seen = found(unanswered(count), ATTEMPTS)
    assert len(seen) == findings
    for finding in seen:
        assert finding.result is Result.FAIL
        assert finding.calls == tuple(f"c{n}" for n in range(7))
        assert all(call_id in finding.because for call_id in finding.calls)


def test_attempts_on_two_numbers_are_counted_apart() -> None:
    assert not found([*unanswered(4), *unanswered(4, number="13900000000")], ATTEMPTS)


def test_attempts_without_numbers_are_unsure() -> None:
    (finding,) = found(unanswered(7, number=None), ATTEMPTS)
    assert finding.result is Result.UNSURE
    assert finding.subject == "D"


def test_midnight_begins_a_new_day() -> None:
    evening = [contact(n, "2026-11-19T20:00:00+08:00", minutes=n, answered=False) for n in range(6)]
    after = contact(9, "2026-11-20T00:00:00+08:00", answered=False)
    assert not found([*evening, after], ATTEMPTS)
    before = contact(9, "2026-11-19T23:59:59+08:00", answered=False)
    assert len(found([*evening, before], ATTEMPTS)) == 1


def test_the_day_is_the_debtors_own() -> None:
    """00:30 in Beijing is 16:30 UTC of the day before; the offset of the record decides."""
    here = [contact(n, "2026-11-20T00:30:00+08:00", minutes=n, answered=False) for n in range(7)]
    (finding,) = found(here, ATTEMPTS)
    assert finding.day.isoformat() == "2026-11-20"


@pytest.mark.parametrize(("count", "findings"), [(3, 0), (4, 1)])
def test_effective_calls_with_one_debtor(count: int, findings: int) -> None:
    seen = found(answered(count), CALLS)
    assert len(seen) == findings
    assert all(finding.result is Result.FAIL for finding in seen)


def test_calls_on_several_numbers_of_one_debtor_add_up() -> None:
    calls = [replace(c, number=f"1380000000{n}") for n, c in enumerate(answered(4))]
    assert len(found(calls, CALLS)) == 1


@pytest.mark.parametrize(
    "known",
    [
        {"duration_ms": 14_999},  # too short to be effective
        {"relation": "contact"},  # not with the debtor
        {"direction": "inbound"},  # the debtor called
        {"direction": " Incoming "},
        {"direction": "客户来电"},
        {"debtor": None},  # nobody knows whose calls these are
    ],
)
def test_calls_that_do_not_count(known: dict[str, Any]) -> None:
    assert not found(answered(4, **known), CALLS)


def test_whatever_does_not_say_inbound_is_outbound() -> None:
    for direction in ("out", "外呼", "主叫", ""):
        assert found(answered(4, direction=direction), CALLS)


def test_calls_to_unknown_persons_are_unsure() -> None:
    (finding,) = found(answered(4, relation=None), CALLS)
    assert finding.result is Result.UNSURE


THIRD: dict[str, Any] = {"relation": "contact", "answered": True, "number": "13900000000"}


@pytest.mark.parametrize(("tries", "findings"), [(2, 1), (3, 0)])
def test_third_party_only_after_vain_attempts(tries: int, findings: int) -> None:
    next_day = contact(90, "2026-11-20T09:00:00+08:00", **THIRD)
    assert len(found([*unanswered(tries), next_day], THIRD_PARTY)) == findings


def test_third_party_not_on_the_same_day() -> None:
    assert len(found([*unanswered(3), contact(90, minutes=300, **THIRD)], THIRD_PARTY)) == 1


def test_an_answer_by_the_debtor_starts_the_count_anew() -> None:
    spoke = contact(80, minutes=200, answered=True)
    assert len(found([*unanswered(3), spoke, contact(90, "2026-11-20T09:00:00+08:00", **THIRD)], THIRD_PARTY)) == 1


def test_third_party_is_unsure_where_the_list_holds_no_call_to_the_debtor() -> None:
    (finding,) = found([contact(90, **THIRD)], THIRD_PARTY)
    assert finding.result is Result.UNSURE


def test_a_third_party_who_refused_is_not_called_again() -> None:
    refusal = contact(1, **THIRD, refused=True)
    again = contact(2, "2026-12-01T09:00:00+08:00", **THIRD)
    other = contact(3, "2026-12-01T09:00:00+08:00", **THIRD | {"number": "13700000000"})
    (finding,) = found([again, refusal, other], REFUSED)
    assert finding.calls == ("c1", "c2")
    assert finding.day.isoformat() == "2026-12-01"


def test_the_refusing_call_itself_and_the_debtor_are_not_flagged() -> None:
    assert not found([contact(1, **THIRD), contact(2, **THIRD, minutes=9, refused=True)], REFUSED)
    assert not found([contact(1, refused=True), contact(2, minutes=9)], REFUSED)


# a company's own rules: any count, under any id

OWN = "too-many-calls-in-two-days"
DOCS = Path(__file__).parents[2] / "docs/writing-rules.md"


@pytest.fixture
def own(tmp_path: Path) -> RuleSet:
    """The rule that docs/writing-rules.md shows, in a pack over ours."""
    (example,) = (text for text in re.findall(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.S) if OWN in text)
    (tmp_path / "own").mkdir()
    (tmp_path / "own/pack.yaml").write_text("name: own\ntitle: 自\nversion: 0.0.1\nextends: cn-collection\n", "utf-8")
    (tmp_path / f"own/{OWN}.yaml").write_text(example, "utf-8")
    return load_rules(tmp_path / "own")


def counting(ruleset: RuleSet, rule_id: str, /, **written: Any) -> RuleSet:
    """The set with one of its rules written otherwise: `count` over what its count says, and other keys."""
    (rule,) = (rule for rule in ruleset.rules if rule.id == rule_id)
    assert rule.count is not None
    count = rule.count.model_dump(exclude_defaults=True) | written.pop("count", {})
    other = Rule.model_validate(rule.model_dump(exclude_defaults=True) | {"when": [{"count": count}]} | written)
    return replace(ruleset, rules=tuple(other if one is rule else one for one in ruleset.rules))


def test_a_rule_of_ones_own_over_two_days_names_the_calls(own: RuleSet) -> None:
    calls = [contact(n, minutes=60 * hour, number=f"1{n}") for n, hour in enumerate((0, 30, 47, 49, 200))]
    (finding,) = found(calls, OWN, own)
    assert (finding.result, finding.subject, finding.calls) == (Result.FAIL, "D", ("c0", "c1", "c2"))
    assert finding.because.startswith("同一债务人 48 小时内拨打 3 次，上限 2 次：c0（11-19 09:00）")
    assert not found([calls[0], calls[1], contact(9, minutes=60 * 48)], OWN, own)  # the 48 hours are over


def test_a_rule_of_ones_own_needs_no_more_examples_than_docs_show(own: RuleSet) -> None:
    (rule,) = (rule for rule in own.rules if rule.id == OWN)
    assert lint(replace(own, rules=(rule,))) == ()
    assert describe(rule.when[0]) == "跨通话：同一债务人 48 小时内拨打超过 2 次"


def test_what_a_rule_of_ones_own_does_not_count_or_is_not_sure_of(own: RuleSet) -> None:
    assert not found([contact(n, relation="contact") for n in range(3)], OWN, own)
    (unknown,) = found([contact(n, relation="unknown" if n else "self") for n in range(3)], OWN, own)
    assert unknown.result is Result.UNSURE
    per_number = counting(own, OWN, count={"per": "number"})
    (anyone,) = found([contact(n, relation="contact") for n in range(3)], OWN, per_number)
    assert (anyone.subject, anyone.because.partition("：")[0]) == ("13800000000", "同一号码 48 小时内拨打 3 次，上限 2 次")
    (unnumbered,) = found([contact(n, number=None) for n in range(3)], OWN, per_number)
    assert (unnumbered.subject, unnumbered.result) == ("D", Result.UNSURE)


def test_a_sure_run_is_not_hidden_by_an_unsure_one_before_it(own: RuleSet) -> None:
    hours = {0: "unknown", 10: "self", 20: "self", 49: "self"}
    calls = [contact(n, minutes=60 * hour, relation=who) for n, (hour, who) in enumerate(hours.items())]
    (finding,) = found(calls, OWN, own)
    assert (finding.result, finding.calls) == (Result.FAIL, ("c1", "c2", "c3"))


@pytest.mark.parametrize(
    ("count", "because"),
    [
        ({"what": "unanswered"}, "同一债务人 48 小时内未接通拨打 4 次，上限 2 次"),
        ({"what": "effective", "window": 24}, None),
        ({"window": "day"}, "同一债务人当天拨打 4 次，上限 2 次"),
        ({"window": "day", "more_than": "4"}, None),
        ({"more_than": "$effective_per_debtor_per_day"}, "同一债务人 48 小时内拨打 4 次，上限 3 次"),
    ],
)
def test_each_field_of_a_count_decides(own: RuleSet, count: dict[str, Any], because: str | None) -> None:
    seen = found(unanswered(4), OWN, counting(own, OWN, count=count))
    assert [one.because.partition("：")[0] for one in seen] == ([because] if because else [])


def test_other_limits_of_our_rules_find_other_calls() -> None:
    assert not found(unanswered(6), ATTEMPTS)
    assert found(unanswered(6), ATTEMPTS, counting(load_rules(), ATTEMPTS, count={"more_than": "5"}))
    two_days = counting(load_rules(), CALLS, count={"window": 48})
    apart = [*answered(2), *(replace(one, call_id=f"d{one.call_id}", at=one.at + timedelta(1)) for one in answered(2))]
    assert [len(found(apart, CALLS, ruleset)) for ruleset in (load_rules(), two_days)] == [0, 1]


def test_drafts_and_what_hangs_on_case_data_are_unsure_and_deprecated_rules_silent(own: RuleSet) -> None:
    def judged(**written: Any) -> list[tuple[Result, str]]:
        seen = found(unanswered(3), OWN, counting(own, OWN, **written))
        return [(one.result, one.because.partition("：")[0].rpartition("，")[2]) for one in seen]

    assert judged() == [(Result.FAIL, "上限 2 次")]
    assert judged(status="draft") == [(Result.UNSURE, "规则还是草稿")]
    assert judged(needs_case_data=True) == [(Result.UNSURE, "需与案件资料核对")]
    assert judged(status="deprecated") == []


@given(
    minutes=st.lists(st.integers(0, 400), max_size=14), hours=st.integers(1, 3), limit=st.integers(0, 4),
    unknown=st.sets(st.integers(0, 13)),
)  # fmt: skip
def test_runs_are_windows_with_too_many_and_leave_none(
    minutes: list[int], hours: int, limit: int, unknown: set[int]
) -> None:
    calls = [contact(n, minutes=at, relation="unknown" if n in unknown else "self") for n, at in enumerate(minutes)]
    count = {"what": "attempts", "per": "debtor", "more_than": str(limit), "window": hours}
    seen = found(calls, CALLS, counting(load_rules(), CALLS, count=count))
    by_id, span = {one.call_id: one for one in calls}, timedelta(hours=hours)
    runs = [[by_id[call_id] for call_id in one.calls] for one in seen]
    sure = [run for run, one in zip(runs, seen, strict=True) if one.result is Result.FAIL]
    assert len({one.call_id for run in runs for one in run}) == sum(map(len, runs))
    assert all(len(run) > limit and run[-1].at - run[0].at < span for run in runs)
    assert all(sum(one.relation == "self" for one in run) > limit for run in sure)
    for among, named in ((calls, runs), ([one for one in calls if one.relation == "self"], sure)):
        left = [one for one in among if not any(one in run for run in named)]
        assert all(sum(start.at <= one.at < start.at + span for one in left) <= limit for start in left)


def test_from_the_call_list_to_the_table(tmp_path: Path) -> None:
    """Seven attempts in calls.csv, imported and judged by the command."""
    rows = [f"c{n},,2026-11-19 09:0{n}:00,否,D,self,13800000000" for n in range(7)]
    header = "call_id,recording,started_at,answered,debtor_id,callee_relation,phone"
    (tmp_path / "calls.csv").write_text("\n".join([header, *rows]), "utf-8")
    db = ["--db", str(tmp_path / "a.db")]
    run = CliRunner()
    assert run.invoke(cli, ["calls", "import", str(tmp_path / "calls.csv"), *db]).exit_code == 0
    told = run.invoke(cli, ["conduct", "--json", *db])
    assert told.exit_code == 0
    (finding,) = [json.loads(line) for line in told.stdout.splitlines()]
    assert (finding["rule"], finding["outcome"], finding["subject"]) == (ATTEMPTS, "fail", "13800000000")
    assert len(finding["calls"]) == 7


NUMBER = "13812345678"


@pytest.fixture
def dialled(tmp_path: Path) -> Any:
    """A store with seven vain attempts on one number in a day, one too many."""
    with Store.open(tmp_path / "x.db") as store:
        store.add_records(attempt(n) for n in range(7))
        yield store


def attempt(n: int) -> CallRecord:
    started_at = datetime.fromisoformat(MORNING) + timedelta(minutes=10 * n)
    return CallRecord(
        call_id=f"c{n}", started_at=started_at, debtor_id="D", callee_relation="self", answered=False,
        agent_id="A1", team="一组", extra={"number": NUMBER},
    )  # fmt: skip


def test_what_is_found_is_kept_once_and_what_no_longer_holds_goes(dialled: Store) -> None:
    rules = load_rules()
    assert judge_what_is_new(dialled, rules) == Judged(findings=1, new=1, gone=0)
    before = dialled.one("select * from conduct_findings")
    assert judge_what_is_new(dialled, rules) is None
    assert judge_everything(dialled, rules) == Judged(findings=1, new=0, gone=0)
    assert dialled.one("select * from conduct_findings") == before
    (one,) = kept(dialled)
    assert (one.rule_id, one.subject, one.calls) == (ATTEMPTS, NUMBER, tuple(f"c{n}" for n in range(7)))
    dialled.add_records([attempt(7)])
    assert judge_what_is_new(dialled, rules) == Judged(findings=1, new=1, gone=1)
    dialled.sql.execute("delete from attempts where call_id in ('c0', 'c1')")
    assert judge_what_is_new(dialled, rules) == Judged(findings=0, new=0, gone=1)


def test_other_limits_judge_everything_anew_and_a_pack_without_such_rules_nothing(dialled: Store) -> None:
    rules = load_rules()
    judge_what_is_new(dialled, rules)
    lenient = replace(rules, parameters={**rules.parameters, "unanswered_per_number_per_day": "7"})
    assert judge_what_is_new(dialled, replace(rules, rules=())) is None
    assert judge_what_is_new(dialled, lenient) == Judged(findings=0, new=0, gone=1)


def test_another_count_or_parameter_judges_everything_anew(dialled: Store) -> None:
    ruleset = load_rules()
    judge_what_is_new(dialled, ruleset)
    for other, left in (
        (counting(ruleset, ATTEMPTS, count={"more_than": "7"}), 0),
        (counting(ruleset, ATTEMPTS, count={"more_than": "6"}), 1),
        (counting(ruleset, ATTEMPTS, count={"what": "attempts", "window": 1}), 0),
        (counting(ruleset, ATTEMPTS, count={"per": "debtor", "window": 2}), 1),
        (counting(ruleset, ATTEMPTS, status="deprecated"), 0),
        (replace(ruleset, parameters={**ruleset.parameters, "third_party_after_attempts": "9"}), 1),
    ):
        judged = judge_what_is_new(dialled, other)
        assert (judged is not None, len(kept(dialled)), judge_what_is_new(dialled, other)) == (True, left, None)


def test_a_finding_belongs_to_who_made_one_of_its_calls(dialled: Store) -> None:
    judge_what_is_new(dialled, load_rules())
    assert kept(dialled, Filter(until=date(2026, 11, 18))) == []
    assert kept(dialled, Filter(team="二组")) == kept(dialled, Filter(agent_id="A1", product="信用卡")) == []
    assert len(kept(dialled, Filter(agent_id="A1", team="一组", since=date(2026, 11, 19)))) == 1


def test_the_report_shows_it_with_the_number_covered(dialled: Store) -> None:
    judge_what_is_new(dialled, load_rules())
    page = make_report(dialled, ".html", actor=LOCAL).decode()
    assert "跨通话问题" in page
    assert "未接通拨打 7 次" in page
    assert NUMBER not in page
    assert NUMBER in make_report(dialled, ".html", Asked(unmasked=True, reason="监管检查"), actor=LOCAL).decode()
    data = read_report(dialled, Asked(which=Filter(since=date(2026, 11, 20))))
    assert data.conduct == ()


def test_deletion_takes_what_names_the_attempt_and_leaves_no_number_behind(dialled: Store) -> None:
    judge_what_is_new(dialled, load_rules())
    retention.apply(dialled, retention.Periods(days={"default": 1}, today=date(2027, 1, 1)), actor=LOCAL)
    assert kept(dialled) == []
    assert due(dialled, limit=9) == []


# what is judged after each batch is what a judgement of everything gives

STRICT = replace(
    counting(load_rules(), ATTEMPTS, count={"window": 5}),
    parameters={
        "unanswered_per_number_per_day": "1", "effective_per_debtor_per_day": "1", "effective_call_seconds": "15",
        "third_party_after_attempts": "1",
    },
)  # fmt: skip
EXTRAS: tuple[dict[str, str], ...] = (
    {}, {"电话": "1"}, {"phone": "1", "callee_id": "Q"}, {"number": "", "phone": "2"}, {"callee_id": "P"}, {"备注": "3"},
)  # fmt: skip


@st.composite
def records(draw: st.DrawFn) -> CallRecord:
    """Attempts a0 to a5, and calls c0 to c5 and of such an attempt: each a new one or a changed one."""
    heard = draw(st.booleans())
    kind = draw(st.sampled_from("ca")) if heard else "a"
    call_id = f"{kind}{draw(st.integers(0, 5))}"
    zone = timezone(timedelta(hours=draw(st.sampled_from([8, 8, 8, 6]))))
    at = datetime(2026, 11, draw(st.sampled_from([19, 19, 20])), draw(st.sampled_from([0, 9, 9, 23])), 30, tzinfo=zone)
    return CallRecord(
        call_id=call_id,
        path=Path(call_id) if heard else None,
        started_at=draw(st.sampled_from([at] * 7 + [None])),
        duration_ms=draw(st.sampled_from([None, 5_000, 60_000])) if heard else None,
        agent_id=draw(st.sampled_from(["A1", "A2"])),
        debtor_id=draw(st.sampled_from(["D", "D", "E", None])),
        case_id=draw(st.sampled_from(["J", "D", None])),
        callee_relation=draw(st.sampled_from(["self", "contact", "contact", None])),
        direction=draw(st.sampled_from([None, None, None, "outbound", "呼入"])),
        answered=draw(st.sampled_from([None, True, False])),
        extra=draw(st.sampled_from(EXTRAS)),
    )


Step = tuple[str, CallRecord, bool]
STEPS = st.lists(
    st.tuples(st.sampled_from(["keep"] * 6 + ["delete", "judge"]), records(), st.booleans()), min_size=12, max_size=25
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_judging_what_is_new_gives_what_judging_everything_gives(
    steps: list[Step], many: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conduct, "AT_ONCE", 2)
    for n in range(12):
        take_away(many, f"{'ac'[n % 2]}{n // 2}")
    judge_what_is_new(many, STRICT)
    assert kept(many) == []
    stands: dict[str, Contact | None] = {}
    for what, record, refused in steps:
        if what == "judge":
            judge_what_is_new(many, STRICT)
        elif what == "delete":
            take_away(many, record.call_id)
            stands.pop(record.call_id, None)
        elif record.path is not None or not heard(many, record.call_id):
            keep(many, record, refused=refused)
            stands[record.call_id] = seen(record, refused=refused)
    judge_what_is_new(many, STRICT)
    expected = judge_conduct((one for one in stands.values() if one is not None), STRICT)
    by_key = {one.key: one for one in kept(many)}
    assert by_key == {one.key: one for one in expected}


def test_a_length_or_a_refusal_heard_anew_is_judged_anew(dialled: Store) -> None:
    calls = [replace(attempt(n), call_id=f"k{n}", path=Path(f"k{n}"), answered=True, agent_id="A2") for n in (1, 2)]
    others = [replace(one, call_id=f"t{one.call_id}", callee_relation="contact") for one in calls]
    dialled.start_run("audit", SETTINGS)
    for agent, refused, broken in (("A2", True, {CALLS, REFUSED}), ("A1", True, {REFUSED}), ("A1", False, set())):
        for one in (*calls, *others):
            keep(dialled, replace(one, path=Path(one.call_id), agent_id=agent), refused=refused and one in others)
        judge_what_is_new(dialled, STRICT)
        assert {one.rule_id for one in kept(dialled)} & {CALLS, REFUSED} == broken


SETTINGS = Settings(
    tool_version="", ruleset="", ruleset_version="", ruleset_digest="", engine="", model=None, options={}
)  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("conduct") / "x.db") as store:
        store.sql.execute("pragma synchronous = off")
        store.start_run("audit", SETTINGS)
        yield store


def keep(store: Store, record: CallRecord, *, refused: bool, result: Result = Result.FAIL) -> None:
    """As the list says it, and, where there is a recording, as a batch leaves it."""
    store.add_records([record])
    if record.path is None:
        return
    words = Finding(
        rule_id="asks-to-stop", rule_version=1, category="stop_contact", severity=Severity.INFO, result=result,
        turn=0, start=0, end=2, start_ms=0, end_ms=900, quote="别打", heard_as=None, confidence=1.0, because="原话",
    )  # fmt: skip
    judgement = Judgement(findings=(words,) if refused else (), outcomes={})
    engine = EngineInfo(name="e", version="1", model="m", model_sha256=None)
    said = Transcript(
        recording=record.call_id, duration_ms=length(record), turns=(), engine=engine, role_confidence=1.0
    )
    store.save(AuditedCall(
        record=record, transcript=said, judgement=judgement, card=scorecard(judgement, STRICT), promise=None,
        settings="s", hearing="h", bytes=1,
    ), run=1)  # fmt: skip


def length(record: CallRecord) -> int:
    """Of its recording: too short for an effective call with one collector."""
    return 5_000 if record.agent_id == "A1" else 20_000


@pytest.mark.parametrize(("result", "refused"), [(Result.FAIL, 1), (Result.UNSURE, 0)])
def test_only_who_surely_asked_not_to_be_called_has_refused(many: Store, result: Result, refused: int) -> None:
    call = CallRecord(
        call_id=f"asked-{result.value}", path=Path("a.wav"), started_at=datetime(2026, 11, 2, 9, tzinfo=CHINA),
        debtor_id="refuser", callee_relation="contact",
    )  # fmt: skip
    keep(many, call, refused=True, result=result)
    assert many.one("select refused from contacts where call_id = ?", [call.call_id]) == {"refused": refused}
    take_away(many, call.call_id)


def take_away(store: Store, call_id: str) -> None:
    with store.writing():
        store.remove(call_id)
        store.sql.execute("delete from attempts where call_id = ?", [call_id])


def heard(store: Store, call_id: str) -> bool:
    return store.one("select 1 from calls where call_id = ?", [call_id]) is not None


def seen(record: CallRecord, *, refused: bool) -> Contact | None:
    """What a record says to the rules, as docs/cli.md tells it; None without a time."""
    if record.started_at is None:
        return None
    number = next((record.extra[name] for name in ("number", "phone", "电话") if record.extra.get(name)), None)
    was_heard = record.path is not None
    return Contact(
        call_id=record.call_id,
        at=record.started_at,
        debtor=record.debtor_id or record.case_id,
        number=number,
        person=number or record.extra.get("callee_id"),
        relation=record.callee_relation,
        direction=record.direction,
        answered=was_heard if record.answered is None else record.answered,
        duration_ms=(record.duration_ms or length(record)) if was_heard else None,
        refused=refused and was_heard,
    )


def test_a_batch_ends_with_it_and_loses_nothing_where_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_calls(tmp_path / "calls", 1)
    rows = [f"x{n},,2026-11-19 09:0{n}:00,否,D,self,{NUMBER}" for n in range(7)]
    header = "call_id,recording,started_at,answered,debtor_id,callee_relation,number"
    (tmp_path / "calls" / "calls.csv").write_text("\n".join([header, *rows]), "utf-8")
    db = tmp_path / "a.db"
    (tmp_path / "small.yaml").write_text(small_pack(), "utf-8")
    where = ["--db", str(db), "--rules", str(tmp_path / "small.yaml")]
    command = ["audit", str(tmp_path / "calls"), *where, "--engine", "transcript", "--workers", "1"]
    first = CliRunner().invoke(cli, command)
    assert first.exit_code == 0
    assert "跨通话问题共 1 条，新增 1 条：见仪表盘“联系频次”页" in first.stderr

    def full(*_: object) -> None:
        raise StoreFull(f"{db}：磁盘已满")

    monkeypatch.setattr(batch, "judge_what_is_new", full)
    failed = CliRunner().invoke(cli, command, standalone_mode=False)
    assert failed.return_value == 3
    assert "跨通话的规则没有判完" in failed.stderr
    assert "跳过已完成 1 通，失败 0 通" in failed.stderr
    with Store.read(db) as store:
        assert len(kept(store)) == 1
        assert [run.status for run in store.runs().values()] == ["finished"] * 2


def small_pack() -> str:
    """The rule on attempts alone: a worker has it read at once."""
    file = Path(rules.__file__).parent / "packs/cn-collection/call_frequency/too-many-attempts.yaml"
    limit = "parameters: {unanswered_per_number_per_day: {value: '6', basis: b, confidence: high}}"
    rule = "\n".join(f"    {line}" for line in file.read_text("utf-8").splitlines())
    return f"name: small\ntitle: 小\nversion: 0.0.1\n{limit}\nrules:\n  -\n{rule}\n"
