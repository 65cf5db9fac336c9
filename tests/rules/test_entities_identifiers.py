"""Numbers that name a person or a line, written, read out, and broken by pauses. All of them are made up."""

from __future__ import annotations

import pytest

from rules.entities import EntityKind, find_entities
from rules.identifiers import id_number_is_valid, luhn_is_valid

KINDS = {EntityKind.ID_NUMBER, EntityKind.BANK_CARD, EntityKind.PHONE, EntityKind.HOTLINE}


def numbers(text: str) -> list[tuple[str, str]]:
    """Kind and digits of every ID number, card, phone and hotline."""
    return [(str(entity.kind), str(entity.value)) for entity in find_entities(text) if entity.kind in KINDS]


@pytest.mark.parametrize("text", [
    "13800138000", "138 0013 8000", "138-0013-8000", "幺三八零零幺三八零零零", "一三八，零零一三，八零零零",
    "一三八，嗯，零零一三，呃，八零零零", "我的号码是一三八零零然后是一三八再是零零零", "幺三八 洞洞幺三 八洞洞洞",
    "138零零一三八零零零", "１３８００１３８０００", "一三八零零一三八三个零", "86 138 0013 8000",
    "腰三八零零腰三八零零零",
    "您记一下，一三八、零零、一三八、零零零",
])  # fmt: skip
def test_a_mobile_phone_however_it_is_read_out(text: str) -> None:
    assert numbers(text) == [("phone", "13800138000")]


@pytest.mark.parametrize(("text", "kind", "digits"), [
    ("你打幺二三七八", "hotline", "12378"), ("一二三七八", "hotline", "12378"), ("我去12378投诉", "hotline", "12378"),
    ("打要二三七八", "hotline", "12378"), ("我打12345", "hotline", "12345"), ("幺二三，七八", "hotline", "12378"),
    ("我打一一零了", "hotline", "110"), ("110报警", "hotline", "110"), ("拨打九五五八八", "hotline", "95588"),
    ("打315举报你", "hotline", "315"), ("客服热线400-820-8820", "hotline", "4008208820"),
    ("四零零八二零八八二零", "hotline", "4008208820"), ("010-81463366", "phone", "01081463366"),
    ("零一零，八一四六，三三六六", "phone", "01081463366"), ("0571 8888 6666", "phone", "057188886666"),
    ("拐", "", ""),
])  # fmt: skip
def test_hotlines_and_landlines(text: str, kind: str, digits: str) -> None:
    assert numbers(text) == ([(kind, digits)] if kind else [])


@pytest.mark.parametrize(("text", "digits", "sure"), [
    ("身份证11010519491231002X", "11010519491231002X", True),
    ("一一零一零五一九四九一二三一零零二叉", "11010519491231002X", True),
    ("一一零一零五，一九四九，嗯，一二三一，零零二X", "11010519491231002X", True),
    ("身份证号码是110105194912310021", "110105194912310021", False),
    ("三二零一零二一九九零零三零七一二三四", "320102199003071234", False),
])  # fmt: skip
def test_an_id_number_with_a_wrong_check_digit_is_kept_but_less_sure(text: str, digits: str, sure: bool) -> None:
    (entity,) = find_entities(text)
    assert (entity.kind, entity.value) == (EntityKind.ID_NUMBER, digits)
    assert (entity.confidence == 1.0) is sure


@pytest.mark.parametrize(("text", "digits"), [
    ("4111111111111111", "4111111111111111"), ("卡号4111 1111 1111 1111", "4111111111111111"),
    ("四幺幺幺 幺幺幺幺 幺幺幺幺 幺幺幺幺", "4111111111111111"), ("6222021234567890128", "6222021234567890128"),
    ("转到6222 0212 3456 7890 129这张卡", "6222021234567890129"),
])  # fmt: skip
def test_bank_cards(text: str, digits: str) -> None:
    assert numbers(text) == [("bank_card", digits)]


@pytest.mark.parametrize("text", [
    "身份证后四位一二三四", "尾号幺二三八", "1234567890123456", "12345元", "欠了一万零八十六块", "还了110块",
    "10000块",
    "一二三四五六七，上山打老虎", "我要三千", "编号1380013800", "二零二六年", "逾期95天", "200块，300块，400块",
    "一个月还一千，三个月三千", "一点三十八分",
])  # fmt: skip
def test_other_digits_name_nobody(text: str) -> None:
    assert numbers(text) == []


def test_two_numbers_in_a_row_stay_two() -> None:
    assert numbers("12378，12345") == [("hotline", "12378"), ("hotline", "12345")]
    assert numbers("13800138000，13900139000") == [("phone", "13800138000"), ("phone", "13900139000")]


def test_spans_are_those_of_the_text_as_spoken() -> None:
    text = "电话，一三八，嗯，零零一三，八零零零，记下了吗"
    (entity,) = find_entities(text)
    assert entity.text == text[entity.start : entity.end] == "一三八，嗯，零零一三，八零零零"


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("我的工号是SX一七六二五", "employee_number", "SX17625"), ("工号八八二零", "employee_number", "8820"),
    ("公号零三二", "employee_number", "032"), ("工号三千", "employee_number", "3000"),
    ("加我微信hwchat转我", "wechat", "hwchat"), ("发到zhang.san@example.com", "email", "zhang.san@example.com"),
])  # fmt: skip
def test_employee_numbers_mail_and_wechat(text: str, kind: str, value: str) -> None:
    assert [(str(entity.kind), entity.value) for entity in find_entities(text)] == [(kind, value)]


@pytest.mark.parametrize(("text", "address"), [
    ("地址是北京东城区王府井大街50号", "北京东城区王府井大街50号"),
    ("江苏省南京市鼓楼区中山路三十二号", "江苏省南京市鼓楼区中山路三十二号"),
    ("你住阳光小区三栋二单元五零二对吧", "阳光小区三栋二单元五零二"),
    ("北京顺义区首都机场国门商务区李天路27号。", "北京顺义区首都机场国门商务区李天路27号"),
    ("你家在城关镇李家村", "城关镇李家村"), ("我在三号楼二单元", "三号楼二单元"),
    ("寄到浦东新区世纪大道一百号", "浦东新区世纪大道一百号"),
    ("人民路，嗯，十八号", "人民路，嗯，十八号"),
])  # fmt: skip
def test_addresses(text: str, address: str) -> None:
    assert [entity.text for entity in find_entities(text) if entity.kind is EntityKind.ADDRESS] == [address]


@pytest.mark.parametrize("text", [
    "我去超市了", "你们小区的人都知道", "我走路去，二十号还", "在路上呢", "社区会联系你", "这个地区都这样",
    "农村人没钱",
    "十五号之前还", "城市里花销大", "你套路我", "一路走好", "爆你通讯路", "去街上借", "坐三号线到广场",
])  # fmt: skip
def test_words_with_road_and_town_in_them_are_no_addresses(text: str) -> None:
    assert [entity.text for entity in find_entities(text) if entity.kind is EntityKind.ADDRESS] == []


def test_check_digits() -> None:
    assert id_number_is_valid("11010519491231002X")
    assert not id_number_is_valid("110105194912310021")
    assert luhn_is_valid("4111111111111111")
    assert not luhn_is_valid("4111111111111112")
