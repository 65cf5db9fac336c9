"""The page 辅导: playlists and tasks for trainers, a collector's own tasks."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit.access import LOCAL, Actor, Role
from audit.coaching import NewClip, Task, acknowledge, add_clip, assign, assignments, clips, make_playlist, playlists
from audit.complaints import today
from audit.config import Config
from audit.store import Store
from dashboard import data

APP = Path(data.__file__).with_name("app.py")
TRAINER = Actor(name="林涛", role=Role.TRAINER)
LI = Actor(name="李强", role=Role.COLLECTOR, agent_id="A02")


def page(db: Path, actor: Actor = TRAINER, **query: str) -> AppTest:
    data.configure(Config(db=db), acting=actor)
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("views/coaching.py")
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def text(at: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "info", "warning", "error", "success", "subheader", "title")
    return "\n".join(str(element.value) for kind in kinds for element in at.get(kind))


@pytest.fixture
def playlist(demo: Path) -> int:
    """The newest playlist, with a good moment of a call of A02 that has sound."""
    with Store.open(demo) as store:
        found = store.all("select call_id, path from calls where agent_id = 'A02' order by call_id")
        number = make_playlist(store, actor=TRAINER, title="开场白")
        call = next(row["call_id"] for row in found if Path(row["path"]).is_file())
        add_clip(store, number, NewClip(call_id=call, start_ms=0, end_ms=6000, note="先核验"), actor=TRAINER)
        return number


def give(db: Path, playlist: int, *agents: str) -> None:
    with Store.open(db) as store:
        assign(store, playlist, Task(agents=agents, due_on=today() + timedelta(days=3)), actor=TRAINER)


def test_an_empty_store_says_what_to_do(empty: Path) -> None:
    at = page(empty)
    assert not at.exception
    assert "还没有播放列表" in text(at)
    assert "没有布置给您的任务" in text(page(empty, LI))


def test_a_playlist_is_made_filled_and_assigned(demo: Path) -> None:
    at = page(demo)
    at.text_input(key="coaching_title").set_value("核验身份")
    at.button(key="coaching_create").click().run()
    with Store.read(demo) as store:
        number = playlists(store, actor=TRAINER)[0].id
    add = next(button for button in at.button if str(button.key).startswith("coaching_add_"))
    add.click().run()
    at.multiselect(key=f"coaching_agents_{number}").set_value(["A02"])
    at.button(key="coaching_assign_go").click().run()
    assert not at.exception
    with Store.read(demo) as store:
        (clip,) = clips(store, number, actor=TRAINER)
        (task,) = assignments(store, actor=TRAINER, playlist=number)
    assert clip.finding is not None
    assert (task.agent_id, task.assigned_by) == ("A02", "林涛")


def test_what_is_refused_is_told_on_the_page(demo: Path, playlist: int) -> None:
    at = page(demo, playlist=str(playlist))
    at.text_input(key=f"coaching_good_call_{playlist}").set_value("没有这通")
    at.button(key="coaching_good_add").click().run()
    assert "没有编号为 没有这通 的通话" in text(at)


def test_a_collector_hears_and_acknowledges_their_own_task(demo: Path, playlist: int) -> None:
    give(demo, playlist, "A02", "A01")
    at = page(demo, LI)
    assert "先核验" in text(at)
    play = next(button for button in at.button if str(button.key).startswith("coaching_play_"))
    play.click().run()
    assert at.get("audio")
    task = next(task for task in assignments(Store.read(demo), actor=LI) if task.playlist == playlist)
    at.text_input(key=f"coaching_reply_{task.id}").set_value("以后先核验")
    at.button(key=f"coaching_ack_go_{task.id}").click().run()
    assert not at.exception
    done = {one.agent_id: one.reply for one in assignments(Store.read(demo), actor=TRAINER, playlist=playlist)}
    assert done == {"A02": "以后先核验", "A01": None}


def test_reviewers_clip_but_do_not_assign(demo: Path, playlist: int) -> None:
    at = page(demo, Actor(name="郑洁", role=Role.REVIEWER), playlist=str(playlist))
    keys = {str(button.key) for button in at.button}
    assert "coaching_good_add" in keys
    assert "coaching_assign_go" not in keys
    assert not any(key.startswith("coaching_drop_") for key in keys)


def test_a_clip_goes_only_when_told_who_loses_it(demo: Path, playlist: int) -> None:
    give(demo, playlist, "A02", "A01")
    at = page(demo, playlist=str(playlist))
    assert "有 2 个待确认的任务用这个播放列表" in text(at)
    drop = next(button for button in at.button if str(button.key).startswith("coaching_drop_"))
    assert drop.label == "确认移除"
    drop.click().run()
    assert not clips(Store.read(demo), playlist, actor=TRAINER)


def test_the_effect_is_shown_with_its_sample(demo: Path, playlist: int) -> None:
    give(demo, playlist, "A02")
    with Store.open(demo) as store:
        (task,) = assignments(store, actor=TRAINER, playlist=playlist)
        acknowledge(store, task.id, actor=LOCAL)
        with store.writing():  # heard in the middle of the demo's month
            heard = date(2026, 11, 6).isoformat() + "T04:00:00+00:00"
            store.sql.execute("update assignments set acknowledged_at = ? where id = ?", [heard, task.id])
    at = page(demo, playlist=str(playlist))
    at.button_group(key="coaching_scope").set_value("all").run()
    cells = [str(cell) for frame in at.dataframe for cell in frame.value.to_numpy().ravel()]
    assert any("/" in cell and "%–" in cell for cell in cells)
    assert any(cell[:1] in "…▼▲＝" and len(cell) > 2 for cell in cells)


def test_the_page_speaks_english(demo: Path, playlist: int) -> None:
    at = page(demo, lang="en", playlist=str(playlist))
    assert at.title[0].value == "Coaching"
    assert "Assign" in [button.label for button in at.button]
