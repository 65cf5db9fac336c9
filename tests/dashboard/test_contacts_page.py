"""The page 联系频次: counts that agree with the store, filters, masked numbers, and what it says where nothing is judged."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from streamlit.testing.v1 import AppTest

from audit import conduct_list
from audit.access import LOCAL, Actor, Role
from audit.calls import CallRecord
from audit.conduct import judge_what_is_new
from audit.conduct_list import SUBJECT, Wanted
from audit.config import Config
from audit.exports import Table, csv_file
from audit.store import EVERY_CALL, Filter, Store
from audit.unmask import unmask
from dashboard import data
from rules.load import load_rules
from rules.model import Result

APP = Path(data.__file__).with_name("app.py")
ATTEMPTS = "too-many-attempts"
RULES = (ATTEMPTS, "too-many-calls-a-day", "third-party-before-debtor-unreachable", "calls-after-refusal")
NUMBER, COVERED = "13812345678", "*" * 11


OWN = """\
name: own
title: 自
version: 0.0.1
extends: cn-collection
rules:
  - id: calls-again
    title: 三天内打得太多
    title_en: Calls again
    category: call_frequency
    kind: limit
    severity: low
    status: test
    since: 0.1.0
    why: 公司规定
    when: [{count: {what: attempts, per: debtor, more_than: 2, window: 72}}]
    examples:
      violations: [{turns: ["agent: 您好"], outcome: not_applicable}]
      clean: [{turns: ["agent: 您好"], outcome: not_applicable, why: 单独一通看不出}]
"""


def page(db: Path, *, role: Role = Role.REVIEWER, rules: str = "cn-collection", **query: str) -> AppTest:
    data.configure(Config(db=db, rules=rules), acting=Actor(name="吴敏", role=role, agent_id="A01"))
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("views/contacts.py").run()
    assert not at.exception
    return at


def test_counts_list_and_calls_are_those_of_the_store(demo_master: Path) -> None:
    at = page(demo_master)
    with Store.read(demo_master) as store:
        found = conduct_list.figures(store, EVERY_CALL, actor=LOCAL)
    shown = [int(metric.value) for metric in at.metric]
    assert shown == [found.of(Result.FAIL), *(found.of(Result.FAIL, rule_id) for rule_id in RULES)]
    assert shown[0] > shown[1] > 0
    listed = at.dataframe[0].value
    assert len(listed) == sum(found.counts.values())
    assert list(listed["日期"]) == sorted(listed["日期"], reverse=True)
    at.segmented_control(key="contacts_rule").set_value(ATTEMPTS).run()
    assert sorted(at.dataframe[0].value["结果"]) == ["✘ 违规", "？待复核"]
    assert len(at.dataframe[1].value) == 9  # the calls of the one that is open
    assert "同一联系方式当天不宜超过6次" in "".join(text.value for text in at.text)


def test_a_finding_is_listed_for_each_who_made_one_of_its_calls(demo_master: Path) -> None:
    for agent in ("A02", "B02"):
        assert COVERED in set(page(demo_master, agent=agent).dataframe[0].value["号码或债务人"])
    at = page(demo_master, agent="A01", since="2026-11-19", lang="en")
    assert not at.dataframe
    assert "under these filters" in at.info[0].value


def test_numbers_are_masked_until_a_reason_is_given(demo: Path) -> None:
    at = page(demo)
    assert NUMBER not in str(at)
    at.text_input(key="unmask_why").set_value("核对拨打平台记录")
    at.button(key="unmask_do").click().run()
    assert NUMBER in set(at.dataframe[0].value["号码或债务人"])
    with Store.read(demo) as store:
        assert store.one("select 1 as known from ledger where kind = 'unmask' and subject = 'conduct'")


def test_a_rule_of_ones_own_has_its_figure_and_filter_also_when_the_pack_has_it_no_more(
    empty: Path, tmp_path: Path
) -> None:
    (tmp_path / "own.yaml").write_text(OWN, "utf-8")
    with Store.open(empty) as store:
        for n in range(4):
            at = datetime.fromisoformat(f"2026-11-19T09:0{n}:00+08:00")
            store.add_records([CallRecord(call_id=f"c{n}", started_at=at, debtor_id="D", callee_relation="self")])
        judge_what_is_new(store, load_rules(tmp_path / "own.yaml"))
    for rules, name in ((str(tmp_path / "own.yaml"), "三天内打得太多"), ("cn-collection", "calls-again")):
        at_page = page(empty, rules=rules)
        shown = {metric.label: int(metric.value) for metric in at_page.metric}
        assert (len(shown), shown["全部"], shown[name]) == (6, 1, 1)
        for chosen, listed in ((ATTEMPTS, False), ("calls-again", True)):
            at_page.segmented_control(key="contacts_rule").set_value(chosen).run()
            assert (len(at_page.dataframe) > 0) == listed
        assert list(at_page.dataframe[0].value["问题"]) == [name]


def test_another_program_gets_no_formula(empty: Path) -> None:
    """A debtor's id is what a call list says it is."""
    with Store.open(empty) as store:
        at = datetime.fromisoformat("2026-11-19T09:00:00+08:00")
        store.add_records(
            CallRecord(call_id=f"c{n}", started_at=at, debtor_id="=1+1", answered=False) for n in range(7)
        )
        judge_what_is_new(store, load_rules())
        (one,) = conduct_list.every(store, Wanted(which=EVERY_CALL), actor=LOCAL)
    made = csv_file(Table(name="contacts", subject=SUBJECT, headings=("对象",), rows=((one.subject,),)))
    assert "'=1+1" in made.decode("utf-8-sig")


def test_who_unmasked_it_sees_numbers_and_others_do_not(demo: Path) -> None:
    with Store.open(demo) as store:
        shown = unmask(store, SUBJECT, "核对拨打平台记录", actor=LOCAL)
        wanted = Wanted(which=Filter(team="二组"), rule_id=ATTEMPTS)
        for actor, subject in ((LOCAL, NUMBER), (Actor(name="吴敏", role=Role.REVIEWER), COVERED)):
            found = conduct_list.every(store, wanted, actor=actor, unmasking=shown)
            assert subject in {one.subject for one in found}


def test_it_says_what_to_do_before_anything_is_judged_and_where_the_list_lacks_columns(empty: Path) -> None:
    with Store.open(empty) as store:
        store.add_records([CallRecord(call_id="c1", answered=False)])
        assert "callaudit conduct --db" in page(empty).code[0].value
        judge_what_is_new(store, load_rules())
        assert "started_at" in page(empty).warning[0].value
        at = datetime.fromisoformat("2026-11-19T09:00:00+08:00")
        store.add_records([CallRecord(call_id="c1", started_at=at, answered=False)])
    shown = page(empty, lang="en")
    assert ["debtor_id" in shown.warning[0].value, "number or phone" in shown.warning[1].value] == [True, True]
    assert not shown.success  # nothing could be found


def test_trainers_and_collectors_may_not_open_it(demo_master: Path) -> None:
    for role in (Role.TRAINER, Role.COLLECTOR):
        at = page(demo_master, role=role)
        assert not at.metric
        assert "不能打开" in at.error[0].value
