"""report.html: complete, self-contained, safe, and its clips play what they say."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import clips
from audit.errors import BadPath
from audit.report import Asked, write_report
from audit.report_html import CONTEXT_TURNS, Place, segments
from audit.sound import Window
from audit.store import Filter, Store
from rules.model import Finding, Result, Severity

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page as a test reads it: elements with attributes and all their text, nesting checked."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[list[str]] = []
        self.open: list[int] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append([])
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for at in self.open:
            self.texts[at].append(data)

    def find(self, tag: str, **attributes: str) -> list[tuple[dict[str, str], str]]:
        """Attributes and text of the elements that have these; `class_` must be one of the classes."""
        wanted = attributes.pop("class_", None)
        return [
            (has, "".join(text))
            for (name, has), text in zip(self.elements, self.texts, strict=True)
            if name == tag
            and (wanted is None or wanted in has.get("class", "").split())
            and all(has.get(key) == value for key, value in attributes.items())
        ]

    def one(self, tag: str, **attributes: str) -> str:
        ((_, text),) = self.find(tag, **attributes)
        return text


def page(store: Store, **options: Any) -> Page:
    path = store.path.parent / "report.html"
    write_report(store, path, Asked(unmasked=True, reason="监管调阅", **options))
    return Page(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def report(same_batch: Store) -> Page:
    return page(same_batch)


def samples(uri: str) -> tuple[np.ndarray[Any, Any], int]:
    kind, _, data = uri.partition(",")
    assert kind == "data:audio/ogg;base64"
    with av.open(io.BytesIO(b64decode(data))) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        return np.concatenate(frames, axis=1).mean(axis=0), container.streams.audio[0].rate


def pitch(sound: np.ndarray[Any, Any], rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * rate / len(sound))


def test_every_anchor_leads_somewhere_and_nothing_comes_from_outside(report: Page) -> None:
    ids = [has["id"] for _, has in report.elements if "id" in has]
    assert len(ids) == len(set(ids))
    links = [has["href"] for has, _ in report.find("a")]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert [link for link in links if not link.startswith("#")] == ["https://example.org/standard"] * 5
    assert all(has["src"].startswith("data:") for _, has in report.elements if "src" in has)
    assert {has["data-clip"] for has, _ in report.find("button")} == {has["id"] for has, _ in report.find("audio")}


def test_the_page_may_not_load_or_send_anything(report: Page) -> None:
    (policy,) = [has["content"] for has, _ in report.find("meta") if has.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_the_head_says_when_by_which_rules_and_by_which_model(report: Page) -> None:
    head = report.one("header")
    for fact in ("2026-11-16", "2026-11-18", "audit.db", "cn-collection 2026.11", "3f9c3f9c3f9c", "faster-whisper"):
        assert fact in head


def test_the_gravest_call_comes_first_and_a_good_one_is_not_shown(report: Page) -> None:
    heads = [text.strip() for _, text in report.find("h3")]
    assert heads == ["1c-threat", "2c-<script>"]


def test_the_words_that_broke_a_rule_are_marked_where_they_stand(report: Page) -> None:
    marks = [(has["class"], text) for has, text in report.find("mark")]
    assert ("critical", "你女儿是在实验小学三年级吧，路上小心一点") in marks
    assert ("unsure", "老赖") in marks
    assert ("signal", "我要投诉你们") in marks


def test_a_card_says_all_that_a_reviewer_needs(report: Page) -> None:
    (_, card), *_ = report.find("div", class_="card")
    for fact in (
        "一票否决",
        "违规",
        "威胁恐吓",
        "以家人安全相威胁",
        "你女儿是在实验小学三年级吧",
        "判定理由",
        "00:08–00:11",
        "menace-family",
        "版本 1",
        "某某催收规范 第 5.2 条",
        "国家标准",
        "已核实",
    ):
        assert fact in card


def test_an_unsure_place_says_so_and_how_it_was_heard(report: Page) -> None:
    card = next(text for _, text in report.find("div", class_="unsure") if "辱骂" in text)
    assert "存疑" in card
    assert "按读音理解为" in card
    assert "违规" not in card


def test_an_unsure_place_of_a_broken_rule_is_marked_unsure(stored: Callable[..., Store], threat_call: Any) -> None:
    found = [("insult", 2, "老赖", Result.UNSURE), ("insult", 0, "你到底还不还", Result.FAIL)]
    got = page(stored(replace(threat_call, found=found, outcomes=[("insult", Result.FAIL)])))
    assert [(has["class"], text) for has, text in got.find("mark")] == [("high", "你到底还不还"), ("unsure", "老赖")]
    assert ["存疑" in text for _, text in got.find("p", class_="quote")] == [False, True]


def test_notes_and_doubtful_roles_stand_above_the_words(report: Page) -> None:
    notes = report.one("ul", class_="notes")
    assert "假立体声" in notes
    assert "说话人角色判定把握不足" in notes


def test_a_clip_plays_three_seconds_around_the_words_from_the_right_recording(report: Page) -> None:
    button = next(has for has, _ in report.find("button") if has["data-clip"].startswith("c1"))
    (audio,) = [has for has, _ in report.find("audio") if has["id"] == button["data-clip"]]
    sound, rate = samples(audio["src"])
    start, end = float(button["data-from"]), float(button["data-to"])
    # turn 2 speaks from 8.5 to 11.5 s: its own tone lasts from 8 to 12 s of the second recording
    assert end - start == pytest.approx(9.0)
    assert len(sound) / rate >= end - 0.05
    middle = sound[int((start + 3.2) * rate) : int((start + 5.8) * rate)]
    assert pitch(middle, rate) == pytest.approx(350 + 200, abs=4)


def test_findings_close_to_each_other_share_one_clip(report: Page) -> None:
    buttons = [has["data-clip"] for has, _ in report.find("button") if has["data-clip"].startswith("c1")]
    assert buttons == ["c1a0"] * 3


def test_what_was_never_said_has_no_player_but_a_reason(report: Page) -> None:
    card = next(text for _, text in report.find("div", class_="card") if "未告知录音" in text)
    assert "应说未说" in card
    assert "播放证据" not in card


def test_a_lost_recording_leaves_the_time_and_the_reason(batch: Store) -> None:
    (batch.path.parent / "call 1.wav").unlink()
    got = page(batch)
    assert not [has for has, _ in got.find("audio") if has["id"].startswith("c1")]
    reason = next(text for _, text in got.find("p", class_="missing"))
    assert reason.startswith("证据音频不可用：文件不存在")
    assert any("00:08–00:11" in text for _, text in got.find("span", class_="span"))


def test_a_recording_that_was_swapped_afterwards_is_no_evidence(batch: Store) -> None:
    with (batch.path.parent / "call 1.wav").open("ab") as file:
        file.write(b"\0\0\0\0")
    assert "与审计时的不一致" in next(text for _, text in page(batch).find("p", class_="missing"))


def test_nothing_that_people_said_or_are_called_becomes_markup(report: Page) -> None:
    assert len(report.find("script")) == 1
    assert not [has for _, has in report.elements if any(name.startswith("on") for name in has)]
    assert any("<script>alert(1)</script>" in text for _, text in report.find("div", class_="turn"))
    assert "<b onmouseover=alert(2)>李</b>" in report.one("section", id="groups")


def test_failures_are_listed_with_their_reason(report: Page) -> None:
    table = report.one("section", id="failures")
    for fact in ("坏 文件.wav", "c-bad", "文件是空的（0 字节）"):
        assert fact in table


def test_an_empty_store_gives_a_page_that_says_so(stored: Callable[..., Store]) -> None:
    got = page(stored())
    assert "没有已审计的通话" in got.one("section", id="summary")
    assert "没有失败的录音" in got.one("section", id="failures")
    assert "无样本" in got.one("ul", class_="tiles")


def test_clean_calls_give_a_page_that_says_so(stored: Callable[..., Store], good_call: Any) -> None:
    got = page(stored(good_call))
    assert "未发现违规" in got.one("section", id="index")
    assert not got.find("article")


def test_a_report_that_can_not_be_finished_leaves_the_old_one(
    same_batch: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.html"
    path.write_text("old", "utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.report.os.fsync", full)
    with pytest.raises(BadPath, match="空间"):
        write_report(same_batch, path)
    assert [(file.name, file.read_text("utf-8")) for file in tmp_path.iterdir()] == [("r.html", "old")]


def test_the_same_store_gives_the_same_bytes(same_batch: Store, tmp_path: Path) -> None:
    one, other = tmp_path / "one.html", tmp_path / "other.html"
    write_report(same_batch, one)
    write_report(same_batch, other)
    assert one.read_bytes() == other.read_bytes()


def test_a_long_call_is_shown_around_its_findings(stored: Callable[..., Store], long_call: Any) -> None:
    got = page(stored(long_call))
    assert len(got.find("div", class_="turn")) == 2 * CONTEXT_TURNS + 1
    assert [text for _, text in got.find("p", class_="gap")] == ["省略 36 轮", "省略 35 轮"]


@pytest.mark.parametrize(("by", "heading", "row"), [
    ("collector", "催收员", "赵强"), ("team", "小组", "二组"), ("rule", "规则", "以家人安全相威胁"),
])  # fmt: skip
def test_the_table_groups_by_collector_team_or_rule(same_batch: Store, by: str, heading: str, row: str) -> None:
    table = page(same_batch, by=by).one("section", id="groups")
    assert table.strip().startswith(heading)
    assert row in table


def test_a_filter_leaves_only_what_it_asks_for(same_batch: Store) -> None:
    got = page(same_batch, which=Filter(team="二组"))
    assert [text for _, text in got.find("h3")] == ["1c-threat"]


def test_english_labels(same_batch: Store) -> None:
    got = page(same_batch, lang="en")
    assert got.find("html")[0][0]["lang"] == "en"
    assert got.one("h1") == "Collection call compliance audit"
    assert "Veto" not in got.one("nav", class_="top")
    assert {text for _, text in got.find("button")} == {"Play evidence"}
    assert not any("\u4e00" <= c <= "\u9fff" for c in got.one("section", id="method"))


def place(number: int, start: int, end: int, style: str = "high") -> Place:
    found = Finding(
        rule_id="r", rule_version=1, category="threat", severity=Severity.HIGH, result=Result.FAIL, turn=0,
        start=start, end=end, start_ms=0, end_ms=1, quote="", heard_as=None, confidence=1.0, because="x",
    )  # fmt: skip
    return Place(number=number, finding=found, style=style, evidence=None)


spans = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted), max_size=5)


@given(text=st.text(min_size=20, max_size=20), spans=spans)
def test_marks_cut_a_text_without_losing_or_changing_a_character(text: str, spans: list[list[int]]) -> None:
    places = [place(n, start, end) for n, (start, end) in enumerate(spans, 1)]
    pieces = segments(text, places)
    assert "".join(piece.text for piece in pieces) == text
    marked = {i for start, end in spans for i in range(start, end)}
    assert sum(len(piece.text) for piece in pieces if piece.style) == len(marked)
    ended = sorted(n for piece in pieces for n in piece.numbers)
    assert ended == [p.number for p in places if p.finding.start < p.finding.end]


def test_where_marks_overlap_the_gravest_gives_the_style() -> None:
    pieces = segments("一二三四", [place(1, 0, 3, "unsure"), place(2, 1, 4, "critical")])
    assert [(p.text, p.style, p.numbers) for p in pieces] == [
        ("一", "unsure", ()), ("二三", "critical", (1,)), ("四", "critical", (2,)),
    ]  # fmt: skip


windows = st.lists(
    st.tuples(st.integers(0, 600_000), st.integers(0, 20_000)).map(lambda w: Window(w[0], w[0] + w[1])), max_size=20
)


@given(windows=windows)
def test_clips_are_few_short_enough_and_hold_whole_windows(windows: list[Window]) -> None:
    got = clips.merge(windows, limit=6)
    assert len(got) <= 6
    assert list(got) == sorted(got)
    assert all(clip.end_ms - clip.start_ms <= clips.LONGEST_MS for clip in got)
    if windows:
        assert clips.clip_for(windows[0], got) is not None


def test_a_window_stays_inside_the_recording_and_short() -> None:
    assert clips.window(1_000, 2_000, duration_ms=30_000) == Window(0, 5_000)
    assert clips.window(29_000, 29_500, duration_ms=30_000) == Window(26_000, 30_000)
    assert clips.window(10_000, 300_000, duration_ms=600_000) == Window(7_000, 7_000 + clips.LONGEST_MS)
