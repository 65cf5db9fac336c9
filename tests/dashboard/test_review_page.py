"""The page 复核: what it shows, what its buttons do, and how it tells what can't be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from audit import coaching, ledger, review
from audit.access import Actor, Role
from audit.config import Config
from audit.redact import Redaction
from audit.review import Choice, Policy
from audit.store import Store, queue, verdicts
from audit.store.queue import FOLLOWED_UP, Item, State
from audit.store.verdicts import Kind
from dashboard import data
from rules.model import Severity

APP = Path(data.__file__).with_name("app.py")
WU = Actor(name="吴敏", role=Role.REVIEWER)
ZHENG = Actor(name="郑云", role=Role.REVIEWER)


def page(db: Path, *, actor: Actor = WU, two: Severity | None = None, **query: str) -> AppTest:
    data.configure(Config(db=db, two_reviewers=two), acting=actor)
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page("views/review.py").run()


def shown(at: AppTest) -> str:
    assert not at.exception
    kinds = (at.markdown, at.caption, at.text, at.info, at.warning, at.success)
    return "\n".join(element.value for kind in kinds for element in kind)


def press(at: AppTest, key: str) -> AppTest:
    return at.button(key=f"review_{key}").click().run()


def remark(at: AppTest) -> TextInput:
    return at.text_input(key=f"review_comment_{at.session_state['review_key']}")


def current(at: AppTest, db: Path) -> Item:
    with Store.read(db) as store:
        found = queue.item(store, at.session_state["review_key"])
    assert found is not None
    return found


def test_it_shows_the_finding_with_rule_reason_and_call(demo: Path) -> None:
    at = page(demo)
    item = current(at, demo)
    with Store.read(demo) as store:
        rule = review.rule_cards(store, store.call(item.call_id))[item.rule_id]
        finding = review.finding_of(store, item)
    text = shown(at)
    for part in (rule.title, finding.because[:4], item.agent_id, item.debtor_id, rule.references[0].instrument):
        assert part in text
    assert item.severity is Severity.CRITICAL


def test_personal_data_is_masked_until_a_reason_is_given(demo: Path) -> None:
    with Store.read(demo) as store:
        key = next(key for key in waiting(store) if private_in(store, key))
        item = queue.item(store, key)
        assert item is not None
        secret = private_in(store, key)
    at = page(demo, finding=key)
    assert secret not in shown(at)
    at.text_input(key="unmask_why").input("核对号码")
    at.button(key="unmask_do").click().run()
    assert at.session_state[f"unmasking_{item.call_id}"].by == WU.name
    assert secret in "".join(element.value for kind in (at.markdown, at.caption, at.text) for element in kind)
    with Store.read(demo) as store:
        assert [entry.kind for entry in ledger.recent(store, subject=item.call_id)] == ["unmask"]


def test_what_was_just_confirmed_goes_into_a_playlist(demo: Path) -> None:
    at = page(demo)
    confirmed = current(at, demo)
    press(at, "confirm")
    at.text_input(key="clip_note_review_last").input("威胁的例子")
    playlist = at.selectbox(key="clip_list_review_last").value
    at.button(key="clip_add_review_last").click().run()
    assert not at.exception
    with Store.read(demo) as store:
        clip = coaching.clips(store, playlist, actor=WU)[-1]
    assert (clip.note, clip.finding) == ("威胁的例子", confirmed.key)
    assert at.session_state["review_key"] != confirmed.key


def test_what_cannot_be_done_is_said_in_the_readers_language(demo: Path) -> None:
    at = page(demo, lang="en")
    with Store.open(demo) as store:
        review.judge(store, current(at, demo), Choice(kind=Kind.CONFIRM), actor=ZHENG, policy=Policy())
    press(at, "confirm")
    assert f"{ZHENG.name} has just judged this one" in at.warning[0].value


def waiting(store: Store) -> list[str]:
    return [row["key"] for row in store.all("select key from items where state = 'waiting' order by key")]


def private_in(store: Store, key: str) -> str:
    """A word of the finding's quote that is personal data."""
    item = queue.item(store, key)
    assert item is not None
    quote = review.finding_of(store, item).quote
    call, transcript = store.call(item.call_id), store.transcript(item.recording)
    assert call is not None
    assert transcript is not None
    masked = Redaction.of(transcript.turns, record=call.record).finding(review.finding_of(store, item)).quote
    return quote if masked != quote else ""


def test_confirm_goes_to_the_next_at_once(demo: Path) -> None:
    at = page(demo)
    first = current(at, demo)
    press(at, "confirm")
    assert current(at, demo).key != first.key
    with Store.read(demo) as store:
        assert [e.kind for e in verdicts.history(store, first.key)][-1:] == [Kind.CONFIRM]
    assert "今天已判 **1**" in shown(at)


def test_dismiss_asks_why_and_keeps_the_remark(demo: Path) -> None:
    at = page(demo)
    first = current(at, demo)
    press(at, "dismiss")
    remark(at).input("是在念短信").run()
    press(at, "reason_quoted")
    with Store.read(demo) as store:
        last = verdicts.history(store, first.key)[-1]
    assert (last.kind, last.reason, last.comment) == (Kind.DISMISS, "quoted", "是在念短信")
    assert remark(at).value == ""


def test_another_reason_must_be_written(demo: Path) -> None:
    at = press(press(page(demo), "partly"), "reason_other")
    assert "写明" in shown(at)
    assert current(at, demo).state is State.WAITING


def test_back_leaves_it_undecided(demo: Path) -> None:
    at = press(press(page(demo), "dismiss"), "back")
    assert at.button(key="review_confirm")
    assert current(at, demo).state is State.WAITING


def test_later_shows_another_and_forgets_nothing(demo: Path) -> None:
    at = page(demo)
    first = current(at, demo)
    press(at, "later")
    assert current(at, demo).key != first.key
    with Store.read(demo) as store:
        assert queue.item(store, first.key) == first


def test_a_remark_stands_when_one_comes_back_to_what_was_put_off(demo: Path) -> None:
    at = page(demo)
    first = current(at, demo)
    remark(at).input("要再听一遍").run()
    press(at, "later")
    assert remark(at).value == ""
    at.query_params["finding"] = first.key
    at.run()
    assert current(at, demo).key == first.key
    assert remark(at).value == "要再听一遍"


def test_undo_brings_the_finding_back(demo: Path) -> None:
    at = page(demo)
    first = current(at, demo)
    press(press(at, "confirm"), "undo")
    assert current(at, demo) == Item(**{**_values(first), "stamp": current(at, demo).stamp})


def test_equal_words_are_judged_and_taken_back_by_one_key(demo: Path) -> None:
    with Store.read(demo) as store:
        items = [item for key in waiting(store) if (item := queue.item(store, key)) is not None and item.words]
        like = next(item for item in items if queue.equal_items(store, item, limit=9))
        before = review.progress(store, actor=WU).waiting
        equal = 1 + len(queue.equal_items(store, like, limit=99))
    at = page(demo, finding=like.key)
    press(press(at, "bulk_switch"), "confirm")
    assert f"待复核 **{before - equal}** · 今天已判 **{equal}**" in shown(at)
    press(at, "undo")
    assert f"待复核 **{before}** · 今天已判 **0**" in shown(at)
    assert current(at, demo).key == like.key


def _values(item: Item) -> dict[str, object]:
    return {name: getattr(item, name) for name in Item.__dataclass_fields__}


def test_whoever_is_slower_is_told(demo: Path) -> None:
    at = page(demo)
    mine = current(at, demo)
    with Store.open(demo) as store:
        review.judge(store, mine, Choice(kind=Kind.CONFIRM), actor=ZHENG, policy=Policy())
    press(at, "dismiss")
    assert "已有结论：已确认" in shown(at)
    assert "郑云" in shown(at)


def test_the_filters_choose_what_comes(demo: Path) -> None:
    at = page(demo, category="abuse")
    assert current(at, demo).category == "abuse"
    at.selectbox(key="review_category").set_value("recording_notice").run()
    assert current(at, demo).category == "recording_notice"
    at.sidebar.selectbox(key="agent").set_value("A02").run()
    assert (current(at, demo).agent_id, current(at, demo).category) == ("A02", "recording_notice")


def test_a_filter_that_leaves_nothing_says_so(demo: Path) -> None:
    at = page(demo, since="2030-01-01")
    assert "当前筛选下没有等待复核的问题" in shown(at)


def test_nonsense_in_the_address_asks_nothing(demo: Path) -> None:
    at = page(demo, category="<b>", severity="9", rule="x", result="y", finding="z")
    assert "不在复核队列里" in "".join(toast.value for toast in at.toast)
    assert not at.exception


def test_a_link_leads_to_its_finding(demo: Path) -> None:
    with Store.read(demo) as store:
        row = store.one("select key from items where state = 'waiting' order by rank, key limit 1")
    assert row is not None
    at = page(demo, finding=row["key"])
    assert current(at, demo).key == row["key"]


def test_a_judged_one_can_be_looked_at_but_not_judged_again(demo: Path) -> None:
    at = page(demo)
    first = current(at, demo)
    press(at, "confirm")
    at = page(demo, finding=first.key)
    text = shown(at)
    assert "已有结论：已确认" in text
    assert "吴敏" in text
    assert "review_confirm" not in [button.key for button in at.button]


def test_the_second_reviewer_does_not_see_the_first_verdict(demo: Path) -> None:
    at = page(demo, two=Severity.CRITICAL)
    first = current(at, demo)
    press(at, "confirm")
    at = page(demo, actor=ZHENG, two=Severity.CRITICAL, finding=first.key)
    text = shown(at)
    assert "双人复核" in text
    assert "吴敏" not in text
    press(at, "confirm")
    assert "吴敏" in shown(page(demo, actor=ZHENG, two=Severity.CRITICAL, finding=first.key))


def test_a_sign_of_self_harm_asks_for_follow_up_not_for_blame(demo: Path) -> None:
    at = page(demo, category=FOLLOWED_UP)
    assert current(at, demo).category == FOLLOWED_UP
    assert "不计入催收员违规" in shown(at)
    assert "review_partly" not in [button.key for button in at.button]
    assert at.button(key="review_confirm").label == "需要跟进"


@pytest.mark.parametrize("role", [Role.TRAINER, Role.COLLECTOR])
def test_who_may_not_judge_does_not_see_the_queue(demo: Path, role: Role) -> None:
    at = page(demo, actor=Actor(name="某", role=role, agent_id="A02"))
    assert "review_confirm" not in [button.key for button in at.button]
    assert any("不能打开" in error.value for error in at.error)


def test_english(demo: Path) -> None:
    assert "Waiting" in shown(page(demo, lang="en"))
