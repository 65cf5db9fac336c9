"""Masking of personal data: how much of a labelled list is found, and what holds for any text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.calls import CallRecord
from audit.redact import (
    MASK,
    Kind,
    Private,
    Redaction,
    find_private,
    initial,
    mask,
    masked_record,
    merged,
    private_spans,
)
from audit.sound import Window
from rules.load import load_rules
from rules.model import Finding, Result, Severity
from transcribe.model import Role, Turn, Word

LISTS = Path(__file__).parent / "private"


@dataclass(frozen=True)
class Labelled:
    asked: str
    text: str
    spans: tuple[tuple[int, int], ...]


def labelled(name: str) -> Iterator[Labelled]:
    for line in (LISTS / f"{name}.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        asked, _, said = line.rpartition(" ⇒ ")
        text, starts, spans = "", [], []
        for char in said:
            if char == "[":
                starts.append(len(text))
            elif char == "]":
                spans.append((starts.pop(), len(text)))
            else:
                text += char
        yield Labelled(asked, text, tuple(spans))


@dataclass(frozen=True)
class Rates:
    recall: float
    precision: float


def rates(name: str) -> Rates:
    """Recall: labelled spans of which every letter and digit is masked. Precision: found spans that touch a label and
    reach no more than two characters beyond."""
    wanted = hit = found = right = 0
    for one in labelled(name):
        spans = find_private(one.text, asked=one.asked)
        covered = {at for span in spans for at in range(span.start, span.end)}
        private = {at for start, end in one.spans for at in range(start, end)}
        wanted += len(one.spans)
        hit += sum(all(at in covered or not one.text[at].isalnum() for at in range(*span)) for span in one.spans)
        found += len(spans)
        for span in spans:
            inside = {*range(span.start, span.end)}
            right += bool(inside & private) and len(inside - private) <= 2
    return Rates(hit / wanted, right / found)


def test_the_list_that_was_worked_with_is_found_nearly_whole() -> None:
    assert rates("open").recall >= 0.97
    assert rates("open").precision >= 0.97


def test_most_of_a_list_that_was_set_aside_is_found() -> None:
    assert rates("set_aside").recall >= 0.88
    assert rates("set_aside").precision >= 0.93


def test_the_lists_are_long_enough_to_say_something() -> None:
    assert sum(1 for name in ("open", "set_aside") for _ in labelled(name)) >= 200
    assert sum(len(one.spans) for name in ("open", "set_aside") for one in labelled(name)) >= 140


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("请问是张伟先生吗", "请问是**先生吗"),
        ("我电话一三八零零幺二三四五六", "我电话***********"),
        ("身份证是四四零一零六一九九零零三零七二八幺幺", "身份证是" + "*" * 18),
        ("打12378投诉", "打12378投诉"),
        ("工号是一二三四五六七", "工号是一二三四五六七"),
        ("欠款三万五千六百二十一块", "欠款三万五千六百二十一块"),
        ("請問是張偉先生嗎", "請問是**先生嗎"),
    ],
)
def test_what_a_reader_sees(said: str, shown: str) -> None:
    assert mask(said, find_private(said)) == shown


@pytest.mark.parametrize("said", [
    "你好，是[郑小军]吗", "喂，[栗海涛]在吗", "您好 请问[汪洋]在家吗", "是不是[郗玉梅]呀", "找一下[栗海涛]", "喂[栗海涛]你好",
    "[栗海涛]的家属你好", "我是他爸[栗国强]", "[栗海涛]先生", "[栗海涛]本人吗", "我叫[栗海涛]", "嗯，我[霍明辉]", "免贵姓[栗]",
    "我是[栗]经理", "我是[小栗]", "[小栗]，你过来一下", "我是金科普惠的[小邝]，工号二七", "那个[老郝]说的", "我不是[崔小娟]",
    "你跟[杨丽萍]什么关系", "请问是[正小军]先生吗", "[欧阳静茹]在不在", "我姓[濮阳]", "您外甥[吕志鹏]做的担保",
    "请问是[买买提]·[艾力]吗", "我叫[买买提]·[艾力]", "我找[扎西次仁]", "您是[王海涛]同学的家长吗", "[张]医生在吗",
    "[王大为]本人吗",
])  # fmt: skip
def test_names_as_people_say_them_on_the_phone_are_masked(said: str) -> None:
    plain = said.replace("[", "").replace("]", "")
    shown = re.sub(r"\[(.*?)\]", lambda name: MASK * len(name[1]), said).replace("·", "*")
    assert mask(plain, find_private(plain)) == shown


@pytest.mark.parametrize("said", [
    "是这样吗", "是真的吗", "是本人吗", "小时候", "半小时吧", "老板在吗", "是平安吗", "高额吗", "是高利贷吗", "是马上消费吗", "是安逸花吗",
    "是金条吗", "您好，是机主先生吗", "请问是这位女士吗", "您是借款人本人吗", "小钱而已", "是老赖吗", "小米贷款", "老家在哪里",
    "江苏银行在吗", "是周末吗", "高三在家吗", "余额是吧", "时间对吧", "那先生您看", "房东您好", "谢谢经理", "正衡律师事务所",
    "信用社主任", "孩子班主任", "我明早还", "我姓什么", "扎西德勒", "你贵姓啊", "我把明细发你", "对门大爷", "应为本人签字",
    "记录写明为本人", "应当系本人操作",
])  # fmt: skip
def test_ordinary_words_that_look_like_names_stay_readable(said: str) -> None:
    assert mask(said, find_private(said)) == said


EXPLAINING = ("rules/callee.py", "rules/engine.py", "rules/hints.py", "rules/judging.py", "rules/operators.py")
"""Modules that say why something was found; their sentences are masked like what they quote."""


def explanations() -> Iterator[str]:
    """What they say, blanks as 7, and the titles of the rules."""
    root = Path(__file__).parents[2]
    for node in chain.from_iterable(ast.walk(ast.parse((root / name).read_text("utf-8"))) for name in EXPLAINING):
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=parts):
                yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in parts)
    yield from (rule.title for rule in load_rules().rules)


def test_what_the_rules_say_of_themselves_stays_readable() -> None:
    said = set(explanations())
    assert "通话记录写明为7" in said
    assert [text for text in said if find_private(text)] == []
    assert not find_private("接听人：通话记录写明为本人")


def turn(index: int, role: Role, text: str, **more: object) -> Turn:
    return Turn(
        index=index, role=role, channel=None, start_ms=index * 4000, end_ms=index * 4000 + 3000, text=text, **more
    )  # type: ignore[arg-type]


def call(*said: str) -> tuple[Turn, ...]:
    roles = {"坐": Role.AGENT, "客": Role.CUSTOMER}
    return tuple(turn(n, roles[line[0]], line[1:]) for n, line in enumerate(said))


def masked(turns: tuple[Turn, ...], record: CallRecord | None = None) -> list[str]:
    redaction = Redaction.of(turns, record=record or CallRecord(call_id="c"))
    return [redaction.turn(one).text for one in turns]


def test_a_number_read_out_over_several_turns_is_masked_in_each() -> None:
    assert masked(call("客我的号码是幺三八", "坐嗯", "客零零幺二", "坐零零幺二", "客三四五六，对")) == [
        "我的号码是***", "嗯", "****", "****", "****，对",
    ]  # fmt: skip


def test_digits_of_two_speakers_are_no_number_of_either() -> None:
    assert masked(call("坐一共是十二期", "客三期行吗", "坐还剩五期")) == ["一共是十二期", "三期行吗", "还剩五期"]


def test_the_answer_to_a_question_for_a_number_is_masked() -> None:
    assert masked(call("坐身份证后四位您报一下", "客三四幺七"))[1] == "****"
    assert masked(call("坐您贵姓", "客姓王"))[1] == "姓*"


def test_names_of_the_call_record_are_masked_wherever_they_stand_and_however_they_were_heard() -> None:
    record = CallRecord(call_id="c", agent_name="王小敏", extra={"debtor_name": "陈志强", "备注": "无"})
    turns = call("坐那么志强这边欠款你看", "客你说陈志强干嘛", "坐晨智强欠的", "客王晓敏是吧")
    assert masked(turns, record) == ["那么**这边欠款你看", "你说***干嘛", "***欠的", "***是吧"]


def finding(turns: tuple[Turn, ...], at: int, start: int, end: int, because: str) -> Finding:
    return Finding(
        rule_id="r", rule_version=1, category="threat", severity=Severity.HIGH, result=Result.FAIL, turn=at, start=start,
        end=end, start_ms=0, end_ms=1, quote=turns[at].text[start:end], heard_as=None, confidence=1.0, because=because,
    )  # fmt: skip


def test_quote_and_reason_of_a_finding_are_masked_and_keep_their_place() -> None:
    turns = call("坐我就去找张小华先生的老板", "客打13812345678试试")
    redaction = Redaction.of(turns, record=CallRecord(call_id="c"))
    one = redaction.finding(finding(turns, 0, 3, 10, "说了“找张小华先生的”，又提到13812345678"))
    assert one.quote == "找***先生的"
    assert one.because == "说了“找***先生的”，又提到***********"


def test_the_likely_words_of_a_finding_are_masked_where_those_as_heard_are_and_by_themselves() -> None:
    turns = call("客我叫陈志强，打13812345678")
    redaction = Redaction.of(turns, record=CallRecord(call_id="c"))
    one = replace(finding(turns, 0, 0, 17, "x"), heard_as="我叫陈自强，打13812345678"[:17])
    assert redaction.finding(one).heard_as == "我叫***，打***********"[:17]
    assert redaction.turn(replace(turns[0], reading="我叫陈自强，打13812345678")).reading == "我叫***，打***********"


def test_words_of_a_masked_turn_are_masked_too() -> None:
    words = tuple(
        Word(
            text=text,
            start=start,
            end=start + len(text),
            start_ms=100 * start,
            end_ms=100 * start + 100,
            confidence=1.0,
        )
        for text, start in (("我", 0), ("叫", 1), ("陈志", 2), ("强", 4))
    )
    one = turn(0, Role.CUSTOMER, "我叫陈志强", words=words)
    hidden = Redaction.of((one,), record=CallRecord(call_id="c")).turn(one)
    assert [word.text for word in hidden.words] == ["我", "叫", "**", "*"]


def test_the_tone_lies_where_the_words_are_and_a_little_around() -> None:
    words = tuple(
        Word(text=char, start=at, end=at + 1, start_ms=1000 + 200 * at, end_ms=1200 + 200 * at, confidence=1.0)
        for at, char in enumerate("我叫陈志强您说")
    )
    one = Turn(index=0, role=Role.CUSTOMER, channel=0, start_ms=1000, end_ms=2400, text="我叫陈志强您说", words=words)
    (window,) = Redaction.of((one,), record=CallRecord(call_id="c", extra={"姓名": "陈志强"})).beeps
    assert 1200 <= window.start_ms <= 1400
    assert 2000 <= window.end_ms <= 2200


def test_without_word_times_the_tone_is_wider() -> None:
    (window,) = Redaction.of(call("客我叫陈志强"), record=CallRecord(call_id="c")).beeps
    assert window == Window(700, 3500)


def test_a_record_leaves_the_house_without_names() -> None:
    record = CallRecord(
        call_id="c", agent_id="A01", agent_name="王敏", path=Path("/x/13812345678_20261119.wav"),
        extra={"debtor_name": "陈志强", "callee": "13900001111", "memo": "承诺周五还"},
    )  # fmt: skip
    shown = masked_record(record)
    assert (shown.agent_id, shown.agent_name) == ("A01", "王*")
    assert "13812345678" not in str(shown.path)
    assert dict(shown.extra) == {"debtor_name": "陈**", "callee": MASK * 11, "memo": "承诺周五还"}
    assert initial(None) is None


SPOKEN = st.text(
    alphabet="幺三八零一二五九013 ，嗯我叫王李张小明先生女士是吗住在区路号身份证微信abX@.你的您电话\n😀", max_size=60
)


@given(SPOKEN)
def test_spans_lie_in_the_text_in_order_and_apart(text: str) -> None:
    spans = find_private(text, names=("王小明",))
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))


@given(SPOKEN, SPOKEN)
def test_a_mask_keeps_the_length_and_everything_else(text: str, asked: str) -> None:
    spans = find_private(text, asked=asked)
    shown = mask(text, spans)
    covered = {at for span in spans for at in range(span.start, span.end)}
    assert len(shown) == len(text)
    assert all(shown[at] == (MASK if at in covered else text[at]) for at in range(len(text)))


@given(SPOKEN)
def test_what_is_masked_holds_no_more_numbers(text: str) -> None:
    shown = mask(text, find_private(text))
    assert not [span for span in find_private(shown) if span.kind in (Kind.PHONE, Kind.ID_NUMBER, Kind.BANK_CARD)]


@given(
    st.lists(st.sampled_from(["幺三八", "0012", "嗯", "好的", "我叫李小明", "三四五六，", "打12378", ""]), max_size=8)
)
def test_spans_over_turns_lie_in_their_turns(said: list[str]) -> None:
    turns = tuple(turn(n, Role.AGENT if n % 3 else Role.CUSTOMER, text) for n, text in enumerate(said))
    for at, spans in private_spans(turns).items():
        assert all(0 <= span.start < span.end <= len(turns[at].text) for span in spans)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12))
def test_merged_spans_cover_the_same_characters(places: list[tuple[int, int]]) -> None:
    spans = [Private(start=start, end=end, kind=Kind.NAME) for start, end in places]
    before = {at for span in spans for at in range(span.start, span.end)}
    after = [at for span in merged(spans) for at in range(span.start, span.end)]
    assert sorted(before) == after


@given(st.text(max_size=200))
def test_any_text_at_all_is_looked_through(text: str) -> None:
    assert len(mask(text, find_private(text))) == len(text)
