"""The page 抽检: a plan is made and drawn, its calls are heard, and the figures say what follows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit import review, sampling
from audit.access import Actor, Role
from audit.config import Config
from audit.dossier import read_dossier
from audit.review import Choice, Missed, Policy
from audit.store import Store, queue, samples
from audit.store.queue import State
from audit.store.samples import NewPlan, Period, Pool, Sample, SampleItem, Stratum
from audit.store.verdicts import Kind
from dashboard import data

APP = Path(data.__file__).with_name("app.py")
WU = Actor(name="吴敏", role=Role.REVIEWER)
ZHENG = Actor(name="郑云", role=Role.REVIEWER)
DAYS = Period(since=date(2026, 10, 1), until=date(2026, 11, 30))


def page(db: Path, *, actor: Actor = WU, view: str | None = None, lang: str = "zh", **limits: float) -> AppTest:
    data.configure(Config(db=db, **limits), acting=actor)  # type: ignore[arg-type]
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["lang"] = lang
    at = at.switch_page("views/sampling.py")
    if view is not None:
        at.query_params["view"] = view
    return at.run()


def shown(at: AppTest) -> str:
    assert not at.exception
    kinds = (at.markdown, at.caption, at.text, at.info, at.warning, at.success, at.error, at.toast)
    return "\n".join(element.value for kind in kinds for element in kind)


def note(at: AppTest, what: str) -> None:
    """The calls of the demo have no sound here, of which the page asks once more."""
    at.button(key=f"sampling_{what}").click().run()
    if "请再点一次" in shown(at):
        at.button(key=f"sampling_{what}").click().run()


def figures_of(at: AppTest) -> AppTest:
    at.date_input(key="sampling_figures_since").set_value(DAYS.since)
    return at.date_input(key="sampling_figures_until").set_value(DAYS.until).run()


def drawn(db: Path, *, count: int = 3, **given: object) -> Sample:
    with Store.open(db) as store:
        plan = NewPlan(**{"name": "漏判抽检", "pool": Pool.UNFLAGGED, "per_stratum": count, **given})  # type: ignore[arg-type]
        made = sampling.make_plan(store, plan, actor=WU)
        return sampling.draw(store, made.id, DAYS, actor=WU)


def current(at: AppTest, db: Path) -> SampleItem:
    with Store.read(db) as store:
        found = samples.item(store, at.session_state["sampling_item"])
    assert found is not None
    return found


def done(db: Path, sample: Sample) -> int:
    with Store.read(db) as store:
        found = samples.sample(store, sample.id)
    assert found is not None
    return found.done


def test_a_plan_is_made_drawn_and_worked_through(demo: Path) -> None:
    at = page(demo)
    assert "还没有计划" in shown(at)
    at.text_input(key="sampling_name").input("小组抽检")
    at.number_input(key="sampling_count").set_value(2)
    at.selectbox(key="sampling_stratum_unflagged").select(Stratum.TEAM)
    at.button(key="sampling_make").click().run()
    at.date_input(key="sampling_draw_since").set_value(DAYS.since)
    at.date_input(key="sampling_draw_until").set_value(DAYS.until)
    at.button(key="sampling_draw").click().run()
    assert "第 1 号样本：6 条" in shown(at)
    at.button_group(key="sampling_view").set_value("work").run()
    for left in range(6, 0, -1):
        assert f"您还有 **{left}** 条" in shown(at)
        note(at, "clean")
    assert "没有要您听的了（全部 6/6）" in shown(at)
    with Store.read(demo) as store:
        assert all(one.done_by == "吴敏" for one in samples.items(store, 1))


def test_a_plan_that_makes_no_sense_is_told(demo: Path) -> None:
    at = page(demo)
    at.button(key="sampling_make").click().run()
    assert "起个名字" in shown(at)


def test_what_was_heard_last_can_be_taken_back_and_later_is_later(demo: Path) -> None:
    sample = drawn(demo)
    at = page(demo)
    first = current(at, demo)
    note(at, "clean")
    assert done(demo, sample) == 1
    at.button(key="sampling_undo").click().run()
    assert done(demo, sample) == 0
    assert current(at, demo).id == first.id
    at.button(key="sampling_later").click().run()
    assert current(at, demo).id != first.id


def test_an_added_violation_shows_and_can_be_taken_back(demo: Path) -> None:
    sample = drawn(demo)
    at = page(demo)
    call_id = current(at, demo).call_id
    with Store.open(demo) as store:
        missed = Missed(turn=0, start=0, end=2, category="threat")
        item = review.add_violation(store, call_id, missed, actor=WU, policy=Policy())
    at.run()
    assert "听完了（补充了 1 处）" in at.button(key="sampling_clean").label
    at.button(key=f"sampling_back_{item.key}").click().run()
    assert "没有漏判" in at.button(key="sampling_clean").label
    assert done(demo, sample) == 0


def test_a_turn_is_corrected_beside_what_was_heard(demo: Path) -> None:
    drawn(demo)
    at = page(demo)
    one = current(at, demo)
    with Store.read(demo) as store:
        transcript = store.transcript(one.recording)
        call = read_dossier(store, one.call_id, actor=WU)
    assert transcript is not None
    assert call is not None
    pairs = zip(transcript.turns, call.turns, strict=True)
    turn = next(turn for turn, masked in pairs if turn.text == masked.text and len(turn.text) > 8)
    at.selectbox(key=f"sampling_turn_{one.id}_0").select(turn.index).run()
    at.text_area(key=f"sampling_text_{one.id}_{turn.index}").input(turn.text + "吗")
    at.button(key="sampling_fix_save").click().run()
    at.checkbox(key=f"sampling_text_checked_{one.id}").check().run()
    note(at, "clean")
    with Store.read(demo) as store:
        assert store.transcript(one.recording) == transcript
        after = samples.item(store, one.id)
    assert after is not None
    assert after.edits == 1
    assert (after.characters or 0) > 20


def test_a_finding_that_was_drawn_is_judged_here(demo: Path) -> None:
    sample = drawn(demo, count=500, pool=Pool.FINDINGS)
    before = done(demo, sample)
    at = page(demo)
    one = current(at, demo)
    at.button_group(key=f"sampling_verdict_{one.id}").set_value(Kind.DISMISS).run()
    at.selectbox(key=f"sampling_reason_{Kind.DISMISS}").select("quoted").run()
    at.button(key="sampling_judge").click().run()
    with Store.read(demo) as store:
        item = queue.item(store, one.key)
    assert item is not None
    assert item.state is State.DISMISSED
    assert done(demo, sample) == before + 1


def test_a_blind_set_hides_findings_collector_and_answers(demo: Path) -> None:
    sample = drawn(demo, count=2, pool=Pool.CALLS, stratum=Stratum.FLAGGED, reviewers=("吴敏", "郑云"), blind=True)
    for actor, category in ((WU, "threat"), (ZHENG, None)):
        at = page(demo, actor=actor)
        for _ in range(4):
            text = shown(at)
            assert "盲评：不显示" in text
            assert not any(name in text for name in ("王敏", "李强", "一组", "二组", "三组"))
            one = current(at, demo)
            if category is not None:
                at.multiselect(key=f"sampling_said_{one.id}").select(category).run()
            note(at, "said")
        if actor is WU:
            assert "第 1 号 漏判抽检：" not in shown(figures_of(page(demo, actor=WU, view="figures")))
    at = figures_of(page(demo, view="figures"))
    assert not at.exception
    assert [box.label for box in at.expander if "第 1 号" in box.label] == ["第 1 号 漏判抽检：吴敏、郑云，4 通"]
    assert "结论不同的 4 通" in shown(at)
    assert done(demo, sample) == 8


def test_figures_show_recall_precision_and_rules_to_revise(demo: Path) -> None:
    sample = drawn(demo, count=10)
    with Store.open(demo) as store:
        while (task := sampling.next_task(store, sample.id, actor=WU)) is not None:
            sampling.finish(store, task.item.id, actor=WU)
        for _ in range(30):
            wanted = queue.Wanted(rule_id="promise-not-confirmed")
            offer = review.next_item(store, wanted, actor=WU)
            if offer is None:
                break
            dismissed = Choice(kind=Kind.DISMISS, reason="context")
            review.judge(store, offer.item, dismissed, actor=WU, policy=Policy())
    at = figures_of(page(demo, view="figures", precision_floor=0.99, precision_floor_reviews=5))
    text = shown(at)
    tiles = {tile.label: tile.value for tile in at.metric}
    assert tiles["检出率（任何违规）"] == "100.0%"
    assert tiles["准确率（全部规则）"].endswith("%")
    assert tiles["识别错字率"] == "—"
    assert "10 通" in text
    assert "待修订的规则" in text


def test_an_empty_store_says_what_comes_first(tmp_path: Path) -> None:
    db = tmp_path / "callaudit.db"
    Store.open(db).close()
    assert "还没有计划" in shown(page(db))
    assert "还没有样本" in shown(page(db, view="work"))
    assert "没有通话" in shown(page(db, view="figures"))


@pytest.mark.parametrize("view", ["work", "plans", "figures"])
def test_english(demo: Path, view: str) -> None:
    drawn(demo)
    at = page(demo, view=view, lang="en")
    assert "Calls drawn at random" in shown(at)


def test_roles_without_the_right_do_not_get_the_page(demo: Path) -> None:
    at = page(demo, actor=Actor(name="新人", role=Role.TRAINER))
    assert "不能打开这个页面" in "".join(error.value for error in at.error)


def test_what_nobody_could_hear_is_put_off_first_and_noted_at_the_second_press(demo: Path) -> None:
    drawn(demo, count=2)
    at = page(demo)
    one = current(at, demo)
    assert "现在听不到录音" in shown(at)
    assert at.button(key="sampling_later").proto.type == "primary"
    assert at.button(key="sampling_clean").proto.type == "secondary"
    at.button(key="sampling_clean").click().run()
    assert current(at, demo).id == one.id
    assert "请再点一次" in shown(at)
    at.button(key="sampling_clean").click().run()
    assert "请再点一次" not in shown(at)
    assert current(at, demo).id != one.id
