"""Who is on the line, when the call record does not say."""

import pytest

from rules.call import Call
from rules.callee import RelationFound, relation_of
from rules.examples import turns_of
from rules.model import CallFacts
from rules.tokens import Tokenizer

TOKENIZER = Tokenizer({})


def relation(*lines: str, recorded: str | None = None) -> RelationFound:
    return relation_of(Call(turns_of(lines), CallFacts(callee_relation=recorded), TOKENIZER))


@pytest.mark.parametrize(("recorded", "label"), [("self", "本人"), ("guarantor", "担保人"), ("contact", "联系人")])
def test_the_call_record_decides(recorded: str, label: str) -> None:
    found = relation("agent: 您这笔什么时候能还", "customer: 月底吧，月底一定还", recorded=recorded)
    assert found == RelationFound(recorded, f"通话记录写明为{label}")


def test_somebody_else_on_the_debtors_telephone_leaves_a_doubt() -> None:
    found = relation("agent: 您好，找一下马先生", "customer: 我是他姐，他不在，手机落家里了", recorded="self")
    assert (found.value, bool(found.doubt)) == ("contact", True)


def test_who_never_says_who_he_is_is_known_by_all_that_is_said() -> None:
    found = relation(
        "agent: 您好，隔壁老马在家吗", "customer: 出门了，他这阵子都在工地上", "agent: 他几点回来啊",
        "customer: 天黑吧，你改天再来问", "agent: 那麻烦您转告他一声",
    )  # fmt: skip
    assert (found.value, bool(found.doubt)) == ("contact", True)


def test_a_debtor_who_speaks_of_his_family_is_no_outsider() -> None:
    found = relation(
        "agent: 您这笔逾期四十天了，三千六，今天能处理吗", "customer: 我跟他不熟，我老婆管钱，我发了工资就还你们",
        "agent: 您哪天发工资", "customer: 十五号，十五号先还两千，剩下的能不能分期",
    )  # fmt: skip
    assert found.value not in ("contact", "unrelated")


def test_a_record_that_says_unknown_leaves_it_to_the_words() -> None:
    assert relation("customer: 我是他姐", recorded="unknown").value == "contact"


@pytest.mark.parametrize(
    "said",
    [
        "我是他姐，有什么事", "我他二舅，咋了", "俺是他弟", "他是我男人", "我是张伟的同事", "我不是他，我是他室友", "你直接找他去啊",
        "他是不是又欠钱了", "我会转告他的", "我是保安", "他不在家", "跟他不熟",
    ],
)  # fmt: skip
def test_people_around_the_debtor_say_so(said: str) -> None:
    found = relation("agent: 您好，有件事想问一下", f"customer: {said}")
    assert (found.value, found.doubt) == ("contact", "")


@pytest.mark.parametrize("said", ["你打错了", "我不认识这个人", "这个号码我刚办的", "我不是你找的那个人", "根本不认得"])
def test_strangers_say_so(said: str) -> None:
    assert relation("agent: 请问是王芳女士吗", f"customer: {said}").value == "unrelated"


@pytest.mark.parametrize("said", ["我是本人", "我这个月真的没钱", "我月底还", "我欠的钱我认", "我那笔贷款能不能分期"])
def test_the_debtor_says_so(said: str) -> None:
    assert relation(f"customer: {said}").value == "self"


def test_yes_to_a_name_is_the_debtor() -> None:
    assert relation("agent: 请问是王芳女士吗", "customer: 是的").value == "self"
    assert relation("agent: 请问是王芳女士吗", "customer: 你哪里").value == "unknown"


def test_yes_to_a_name_weighs_less_than_what_comes_later() -> None:
    asked = ("agent: 请问是吴女士吗", "customer: 是我")
    assert relation(*asked, "agent: 您跟郭强是朋友吗", "customer: 以前是一个单位的").value == "contact"
    assert relation(*asked, "agent: 想请您转告他回个电话").value == "contact"


def test_what_the_agent_asks_counts_unless_denied() -> None:
    assert relation("agent: 您是他姐姐吧", "customer: 嗯你说").value == "contact"
    assert "没有否认" not in relation("agent: 您是他姐姐吧", "customer: 不是").because


def test_only_the_agents_way_of_speaking_leaves_a_doubt() -> None:
    found = relation("agent: 麻烦您转告他回个电话", "customer: 行")
    assert (found.value, bool(found.doubt)) == ("contact", True)


def test_contract_makes_a_guarantor_and_a_co_obligor() -> None:
    assert relation("agent: 您是担保人，合同上签了字", "customer: 那又怎样").value == "guarantor"
    assert relation("agent: 您是共同借款人", "customer: 我们离婚了").value == "co_obligor"


def test_being_named_makes_no_guarantor() -> None:
    assert relation("customer: 我是他同学", "agent: 填了你就是担保人").value == "contact"


def test_no_words_no_relation() -> None:
    found = relation("agent: 您好", "customer: 喂")
    assert (found.value, found.doubt) == ("unknown", "接听人身份未知")


@pytest.mark.parametrize("said", ["那不是我的，邻居家的狗", "你找她也没用，我姐不管", "我让我儿子看了看"])
def test_mentioning_others_is_no_relation(said: str) -> None:
    assert relation("agent: 您好", f"customer: {said}").value in ("unknown", "self")
