"""Playlists from confirmed findings and good moments, tasks, acknowledgement, and whether it helped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import ledger
from audit.access import Actor, Refused, Role
from audit.clips import ClipUnavailable
from audit.coaching import (
    CoachingRefused,
    NewClip,
    Task,
    acknowledge,
    add_clip,
    assign,
    assignments,
    change_playlist,
    clips,
    drop_clip,
    effect_of,
    make_playlist,
    note_clip,
    playlists,
    shift_clip,
    withdraw,
)
from audit.coaching_clips import hear, sound
from audit.coaching_effect import FEWEST_CALLS, LONGEST, Span, Verdict, effect, side, spans
from audit.coaching_record import Kind
from audit.coaching_sheet import Lang, sheet
from audit.store import Store
from audit.store.queue import State, items_of_call, set_state
from transcribe.model import Role as Speaker

TRAINER = Actor(name="林老师", role=Role.TRAINER)
REVIEWER = Actor(name="质检一", role=Role.REVIEWER)
ZHAO = Actor(name="赵强", role=Role.COLLECTOR, agent_id="A02")
WANG = Actor(name="王敏", role=Role.COLLECTOR, agent_id="A01")
DUE = date(2026, 11, 30)
SECOND_TURN = NewClip(call_id="c-good", start_ms=4_500, end_ms=7_500, note="语气平和")


def key_of(store: Store, rule_id: str, state: State = State.CONFIRMED) -> str:
    """The key of a finding of c-threat, its review as far as `state`."""
    found = next(item for item in items_of_call(store, "c-threat") if item.rule_id == rule_id)
    with store.writing():
        set_state(store, found.key, state=state, judged_by=["质检一"], stamp=1)
    return found.key


@pytest.fixture
def playlist(batch: Store) -> int:
    """A playlist with the threat of A02 and a good moment of A01."""
    number = make_playlist(batch, actor=TRAINER, title="不要威胁", note="先听坏的，再听好的")
    add_clip(batch, number, NewClip(call_id="c-threat", finding=key_of(batch, "menace-family")), actor=TRAINER)
    add_clip(batch, number, SECOND_TURN, actor=TRAINER)
    return number


def set_task(store: Store, playlist: int, *agents: str) -> list[int]:
    return assign(store, playlist, Task(agents=agents, due_on=DUE, note="周五前听完"), actor=TRAINER)


# playlists


def test_a_playlist_holds_bad_and_good_clips_in_order_with_their_words(batch: Store, playlist: int) -> None:
    bad, good = clips(batch, playlist, actor=TRAINER)
    assert (bad.kind, bad.rule_id, bad.start_ms, bad.end_ms) == (Kind.BAD, "menace-family", 5_500, 14_500)
    assert (good.kind, good.note, good.agent_id) == (Kind.GOOD, "语气平和", "A01")
    assert [turn.text for turn in hear(batch, good, actor=TRAINER).turns] == ["嗯，你说。"]
    (one,) = playlists(batch, actor=TRAINER)
    assert (one.title, one.good, one.bad, one.assigned) == ("不要威胁", 1, 1, 0)


@pytest.mark.parametrize("state", [State.WAITING, State.SECOND, State.DISMISSED])
def test_only_what_people_confirmed_is_a_bad_example(batch: Store, playlist: int, state: State) -> None:
    key = key_of(batch, "no-recording-notice", state)
    with pytest.raises(CoachingRefused, match="确认过"):
        add_clip(batch, playlist, NewClip(call_id="c-threat", finding=key), actor=TRAINER)


def test_a_finding_belongs_to_its_call(batch: Store, playlist: int) -> None:
    with pytest.raises(CoachingRefused, match="没有这处问题"):
        add_clip(batch, playlist, replace(SECOND_TURN, finding=key_of(batch, "menace-family")), actor=TRAINER)


@pytest.mark.parametrize(("start", "end"), [(-1, 500), (500, 500), (900, 500), (0, 30_001), (None, 500)])
def test_a_clip_stays_inside_its_call(batch: Store, playlist: int, start: int | None, end: int) -> None:
    with pytest.raises(CoachingRefused):
        add_clip(batch, playlist, replace(SECOND_TURN, start_ms=start, end_ms=end), actor=TRAINER)


@pytest.mark.parametrize("new", [replace(SECOND_TURN, call_id="c-nowhere"), SECOND_TURN])
def test_what_is_not_there_is_told(batch: Store, new: NewClip) -> None:
    with pytest.raises(CoachingRefused, match="没有编号为"):
        add_clip(batch, 99, new, actor=TRAINER)


def test_an_overturned_finding_stays_in_the_list_but_is_kept_from_collectors(batch: Store, playlist: int) -> None:
    set_task(batch, playlist, "A02")
    key_of(batch, "menace-family", State.DISMISSED)
    assert [clip.stands for clip in clips(batch, playlist, actor=TRAINER)] == [False, True]
    assert [clip.kind for clip in clips(batch, playlist, actor=ZHAO)] == [Kind.GOOD]


def test_clips_move_get_notes_and_go(batch: Store, playlist: int) -> None:
    bad, good = (clip.id for clip in clips(batch, playlist, actor=TRAINER))
    shift_clip(batch, good, by=-1, actor=TRAINER)
    shift_clip(batch, good, by=-1, actor=TRAINER)
    note_clip(batch, bad, "听第三句", actor=REVIEWER)
    assert [(clip.id, clip.note) for clip in clips(batch, playlist, actor=TRAINER)] == [
        (good, "语气平和"),
        (bad, "听第三句"),
    ]
    drop_clip(batch, good, actor=TRAINER)
    assert [clip.id for clip in clips(batch, playlist, actor=TRAINER)] == [bad]
    with pytest.raises(CoachingRefused, match="刷新"):
        drop_clip(batch, good, actor=TRAINER)


def test_a_playlist_is_renamed_and_put_away(batch: Store, playlist: int) -> None:
    (old,) = playlists(batch, actor=TRAINER)
    change_playlist(batch, replace(old, title=" 新标题 ", archived=True), actor=TRAINER)
    (new,) = playlists(batch, actor=TRAINER)
    assert (new.title, new.archived) == ("新标题", True)
    with pytest.raises(CoachingRefused, match="标题"):
        change_playlist(batch, replace(old, title=" "), actor=TRAINER)
    with pytest.raises(CoachingRefused, match="标题"):
        make_playlist(batch, actor=TRAINER, title="")


# tasks


def test_a_collector_sees_and_acknowledges_their_own_task_alone(batch: Store, playlist: int) -> None:
    first, second = set_task(batch, playlist, "A01", "A02")
    (own,) = assignments(batch, actor=WANG)
    assert (own.id, own.title, own.clips, own.agent_name) == (first, "不要威胁", 2, "王敏")
    with pytest.raises(Refused):
        acknowledge(batch, second, actor=WANG)
    acknowledge(batch, first, actor=WANG, reply="已听，会注意")
    (own,) = assignments(batch, actor=WANG, agent_id="A02")  # asking for another's changes nothing
    assert (own.acknowledged_by, own.reply) == ("A01", "已听，会注意")
    with pytest.raises(CoachingRefused, match="已经确认过"):
        acknowledge(batch, first, actor=WANG)
    assert [task.acknowledged_at is None for task in assignments(batch, actor=TRAINER)] == [True, False]


def test_collectors_see_no_other_collectors_name_in_a_clip(batch: Store, playlist: int) -> None:
    set_task(batch, playlist, "A01")
    bad, good = clips(batch, playlist, actor=WANG)
    assert (bad.agent_id, bad.agent_name, good.agent_id, good.agent_name) == (None, None, "A01", "王敏")
    with pytest.raises(Refused):
        clips(batch, playlist, actor=ZHAO)
    assert playlists(batch, actor=WANG) == []


def test_a_signature_on_paper_is_recorded_as_such(batch: Store, playlist: int) -> None:
    (number,) = set_task(batch, playlist, "A02")
    acknowledge(batch, number, actor=Actor(name="吴敏", role=Role.OFFICER))
    newest = ledger.recent(batch, kind=ledger.Kind.COACHING, subject=f"assignment:{number}")[0]
    assert newest.data["on_paper"] is True
    assert len(newest.data["clips"]) == 2


@pytest.mark.parametrize(
    ("agents", "told"), [((), "至少一名"), (("A02", "Z99"), "没有催收员 Z99"), (("A01", "A02"), "A01 已有")]
)
def test_a_task_is_set_to_all_or_to_none(batch: Store, playlist: int, agents: tuple[str, ...], told: str) -> None:
    set_task(batch, playlist, "A01")
    with pytest.raises(CoachingRefused, match=told):
        set_task(batch, playlist, *agents)
    assert len(assignments(batch, actor=TRAINER)) == 1


def test_nothing_to_hear_is_no_task(batch: Store) -> None:
    empty = make_playlist(batch, actor=TRAINER, title="空的")
    with pytest.raises(CoachingRefused, match="还没有可用的片段"):
        set_task(batch, empty, "A02")


def test_a_task_is_withdrawn_until_it_is_acknowledged(batch: Store, playlist: int) -> None:
    first, second = set_task(batch, playlist, "A01", "A02")
    withdraw(batch, first, actor=TRAINER)
    assert [task.id for task in assignments(batch, actor=TRAINER)] == [second]
    acknowledge(batch, second, actor=ZHAO)
    for number in (first, second):
        with pytest.raises(CoachingRefused):
            withdraw(batch, number, actor=TRAINER)
    assert ledger.verify(batch) is None


def test_a_task_is_overdue_from_the_day_after(batch: Store, playlist: int) -> None:
    set_task(batch, playlist, "A02")
    (task,) = assignments(batch, actor=TRAINER)
    assert [task.overdue(DUE), task.overdue(DUE + timedelta(days=1))] == [False, True]


@pytest.mark.parametrize("actor", [REVIEWER, ZHAO])
def test_only_trainers_and_those_above_set_tasks(batch: Store, playlist: int, actor: Actor) -> None:
    (number,) = set_task(batch, playlist, "A02")
    (old,) = playlists(batch, actor=TRAINER)
    first = clips(batch, playlist, actor=TRAINER)[0].id
    steps: list[Callable[[], object]] = [
        lambda: assign(batch, playlist, Task(agents=("A01",), due_on=DUE), actor=actor),
        lambda: withdraw(batch, number, actor=actor),
        lambda: change_playlist(batch, old, actor=actor),
        lambda: drop_clip(batch, first, actor=actor),
        lambda: shift_clip(batch, first, by=1, actor=actor),
    ]
    for step in steps:
        with pytest.raises(Refused):
            step()
    assert len(clips(batch, playlist, actor=TRAINER)) == 2


def test_collectors_make_no_playlists_and_reviewers_do(batch: Store, playlist: int) -> None:
    for step in (
        lambda: make_playlist(batch, actor=ZHAO, title="x"),
        lambda: add_clip(batch, playlist, SECOND_TURN, actor=ZHAO),
    ):
        with pytest.raises(Refused):
            step()
    add_clip(batch, make_playlist(batch, actor=REVIEWER, title="x"), SECOND_TURN, actor=REVIEWER)


# whether it helped

days = st.dates(date(2020, 1, 1), date(2035, 1, 1))


@given(heard=days, passed=st.integers(0, 400))
def test_both_periods_are_whole_equally_long_and_without_the_day_itself(heard: date, passed: int) -> None:
    today = heard + timedelta(days=passed)
    found = spans(heard, today=today)
    if passed < 2:
        assert found is None
        return
    before, after = found or (Span(since=heard, until=heard),) * 2
    assert before.until - before.since == after.until - after.since <= timedelta(days=LONGEST - 1)
    assert before.until < heard < after.since
    assert after.until < today


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((30, 100), (5, 100), Verdict.BETTER),
        ((5, 100), (30, 100), Verdict.WORSE),
        ((12, 100), (10, 100), Verdict.UNCLEAR),
        ((20, FEWEST_CALLS - 1), (0, 500), Verdict.TOO_FEW),
        ((0, 0), (0, 0), Verdict.TOO_FEW),
    ],
)
def test_the_verdict_says_no_more_than_the_interval(
    before: tuple[int, int], after: tuple[int, int], verdict: Verdict
) -> None:
    span = Span(since=DUE, until=DUE)
    sides = [side(span, calls=calls, confirmed=confirmed, waiting=0) for confirmed, calls in (before, after)]
    assert effect(*sides).verdict is verdict


def test_the_effect_counts_confirmed_calls_on_both_sides(batch: Store, playlist: int) -> None:
    set_task(batch, playlist, "A02")
    (task,) = assignments(batch, actor=TRAINER)
    assert effect_of(batch, task, actor=TRAINER, today=DUE) is None
    heard = replace(task, acknowledged_at=datetime(2026, 11, 20, 4, tzinfo=UTC))  # c-threat was on the 17th
    found = effect_of(batch, heard, actor=ZHAO, today=date(2026, 11, 26))
    assert found is not None
    assert (found.before.span, found.after.span) == (
        Span(since=date(2026, 11, 15), until=date(2026, 11, 19)),
        Span(since=date(2026, 11, 21), until=date(2026, 11, 25)),
    )
    assert (found.before.rate.hits, found.before.rate.of, found.before.waiting) == (1, 1, 1)
    assert (found.after.rate.of, found.verdict) == (0, Verdict.TOO_FEW)
    coached = effect_of(batch, heard, actor=TRAINER, today=date(2026, 11, 26), coached_rules=True)
    assert coached is not None
    assert (coached.before.rate.hits, coached.before.waiting) == (1, 0)
    with pytest.raises(Refused):
        effect_of(batch, heard, actor=WANG, today=DUE)


# what is heard and what is printed


def test_words_are_masked_and_a_tone_covers_them(stored: Callable[..., Store], threat_call: Any) -> None:
    said = replace(threat_call, turns=[*threat_call.turns, (Speaker.AGENT, "你的手机号是13812345678，对吧。")])
    store = stored(said)
    number = make_playlist(store, actor=TRAINER, title="x")
    add_clip(store, number, NewClip(call_id="c-threat", start_ms=16_000, end_ms=21_000), actor=TRAINER)
    (clip,) = clips(store, number, actor=TRAINER)
    heard = hear(store, clip, actor=TRAINER)
    assert "13812345678" not in heard.turns[-1].text
    assert heard.turns[-1].text.startswith("你的手机号是***")
    assert heard.beeps
    assert sound(store, clip.id, number, actor=TRAINER)[:4] == b"OggS"


def test_sound_is_refused_where_nobody_knows_what_to_cover(batch: Store, playlist: int) -> None:
    (clip, _) = clips(batch, playlist, actor=TRAINER)
    with batch.writing():
        batch.sql.execute("delete from transcripts where recording = ?", [clip.recording])
    assert hear(batch, clip, actor=TRAINER).turns == ()
    with pytest.raises(ClipUnavailable, match="无法遮盖"):
        sound(batch, clip.id, playlist, actor=TRAINER)


def test_collectors_hear_clips_of_their_tasks_alone(batch: Store, playlist: int) -> None:
    first = clips(batch, playlist, actor=TRAINER)[0].id
    with pytest.raises(Refused):
        sound(batch, first, playlist, actor=WANG)
    set_task(batch, playlist, "A01")
    assert sound(batch, first, playlist, actor=WANG)[:4] == b"OggS"
    with pytest.raises(ClipUnavailable):
        sound(batch, first + 99, playlist, actor=WANG)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_sheet_stands_alone_and_shows_text_as_text(batch: Store, playlist: int, lang: Lang) -> None:
    add_clip(batch, playlist, NewClip(call_id="c-<script>", start_ms=0, end_ms=9_000, note="<b>"), actor=TRAINER)
    set_task(batch, playlist, "A02")
    (task,) = assignments(batch, actor=TRAINER)
    page = sheet(batch, playlist, actor=TRAINER, lang=lang, task=task)
    assert "<script" not in page
    assert "&lt;b&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "A02 赵强" in page
    assert "2026-11-30" in page
    assert ("以家人安全相威胁" if lang == "zh" else "menace-family") in page
    newest = ledger.recent(batch, kind=ledger.Kind.EXPORT)[0]
    assert (newest.subject, newest.data["rows"]) == (f"playlist:{playlist}", 3)
    with pytest.raises(Refused):
        sheet(batch, playlist, actor=WANG)
