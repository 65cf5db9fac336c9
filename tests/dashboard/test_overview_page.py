"""The page 总览: numbers that agree with the store, links to act on them, and what each role sees."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from streamlit.testing.v1 import AppTest

from audit.access import LOCAL, Actor, Role
from audit.config import Config
from audit.overview import buckets, cells, overview
from audit.store import Filter, Store
from dashboard import charts, data
from tests.demo import DAYS, LAST_DAY

APP = Path(data.__file__).with_name("app.py")
DAY = LAST_DAY + timedelta(days=1)


def page(db: Path, *, role: Role = Role.OFFICER, **query: str) -> AppTest:
    data.configure(Config(db=db), acting=Actor(name="吴敏", role=role))
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page("views/overview.py").run()


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def test_the_numbers_are_those_of_the_store(demo_master: Path) -> None:
    at = page(demo_master)
    assert not at.exception
    with Store.read(demo_master) as store:
        confirmed = store.one("select count(distinct call_id) as n from items where state in ('confirmed', 'partial',"
                              " 'appealed') and category <> 'self_harm'") or {}  # fmt: skip
        waiting = store.one("select count(*) as n from items where state = 'waiting'") or {}
        critical = store.one("select count(*) as n from items where state = 'waiting' and severity = 'critical'") or {}
        failed = store.one("select count(*) as n from failures") or {}
        opened = store.one("select count(*) as n from complaints where answered_on is null") or {}
    shown = metrics(at)
    assert shown["已审计通话"] == "400"
    assert shown["确认违规"] == f"{confirmed['n'] / 400:.1%}"
    assert shown["待复核"] == str(waiting["n"])
    assert shown["一票否决"] == str(critical["n"])
    assert shown["失败录音"] == str(failed["n"])
    assert shown["未答复投诉"] == str(opened["n"])


def test_filters_narrow_every_number(demo_master: Path) -> None:
    with Store.read(demo_master) as store:
        whole = overview(store, Filter(), actor=LOCAL, today=DAY)
        team = overview(store, Filter(team="一组"), actor=LOCAL, today=DAY)
        rest = [overview(store, Filter(team=name), actor=LOCAL, today=DAY) for name in ("二组", "三组")]
    assert whole.totals.calls == team.totals.calls + sum(other.totals.calls for other in rest)
    assert whole.totals.waiting == team.totals.waiting + sum(other.totals.waiting for other in rest)
    assert whole.confirmed.hits > team.confirmed.hits > 0


def test_weeks_begin_on_monday_and_lose_no_call(demo_master: Path) -> None:
    with Store.read(demo_master) as store:
        found = overview(store, Filter(), actor=LOCAL, today=DAY)
    days, weeks = buckets(found.days, step="day"), buckets(found.days, step="week")
    assert sum(bucket.calls for bucket in days) == sum(bucket.calls for bucket in weeks) == 400
    assert {bucket.start.weekday() for bucket in weeks} == {0}
    assert date(2026, 11, 21) - days[0].start <= timedelta(days=DAYS)


def test_the_map_holds_every_call_once(demo_master: Path) -> None:
    with Store.read(demo_master) as store:
        found = overview(store, Filter(), actor=LOCAL, today=DAY)
    squares = cells(found.hours, confirmed_only=False)
    assert sum(cell.calls for cell in squares) == 400
    assert sum(cell.share.hits for cell in squares) == found.totals.calls_confirmed + found.totals.calls_machine
    sure = cells(found.hours, confirmed_only=True)
    assert sum(cell.share.hits for cell in sure) == found.totals.calls_confirmed


def test_rules_stand_in_the_order_that_their_title_says(demo_master: Path) -> None:
    at = page(demo_master)
    assert "违规最多的规则" in [line.value for line in at.subheader]
    confirmed = list(at.dataframe[0].value["确认违规（通）"])
    assert confirmed == sorted(confirmed, reverse=True)


def test_the_map_keeps_the_place_of_hours_without_a_call(demo_master: Path) -> None:
    with Store.read(demo_master) as store:
        found = overview(store, Filter(), actor=LOCAL, today=DAY)
    squares = cells(found.hours, confirmed_only=False)
    assert 21 not in {cell.hour for cell in squares}
    drawn = charts.heat(squares, share=True).to_dict()["layer"][0]["encoding"]["x"]
    assert drawn["scale"]["domain"][-3:] == ["20", "21", "22"]
    assert "时" in drawn["title"]


def test_a_trainer_sees_confirmed_figures_only(demo_master: Path) -> None:
    shown = metrics(page(demo_master, role=Role.TRAINER))
    assert "确认违规" in shown
    assert not shown.keys() & {"仅机器判定", "待复核", "一票否决", "未答复投诉", "失败录音"}
    with Store.read(demo_master) as store:
        trainer = Actor(name="t", role=Role.TRAINER)
        found = overview(store, Filter(), actor=trainer, today=DAY)
    assert all(line.violations for line in found.rules)


def test_in_english_too(demo_master: Path) -> None:
    at = page(demo_master, lang="en")
    assert metrics(at)["Calls audited"] == "400"
    assert {"No recording notice", "Identity not stated"} < set(at.dataframe[0].value["Category"])


def test_days_the_wrong_way_round_are_told_and_cleared(demo_master: Path) -> None:
    at = page(demo_master, since=str(LAST_DAY), until=str(LAST_DAY - timedelta(days=3)))
    assert "“从”晚于“到”" in at.info[0].value
    at.button(key="clear_here").click().run()
    assert metrics(at)["已审计通话"] == "400"
