"""Sums of money as people say them, and the numbers beside them that are none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rules.entities import EntityKind, find_entities


def sums(text: str) -> list[tuple[str, str | None]]:
    """What was said and its value in yuan."""
    found = [entity for entity in find_entities(text) if entity.kind is EntityKind.MONEY]
    return [(entity.text, None if entity.value is None else str(entity.value)) for entity in found]


@pytest.mark.parametrize(("said", "yuan"), [
    ("三千五", "3500"), ("一万二", "12000"), ("两万六", "26000"), ("26000多", "26000"), ("两千块左右", "2000"),
    ("一千来块", "1000"), ("1万2", "12000"), ("2.6万", "26000"), ("二万六千四百六十二块六毛一", "26462.61"),
    ("五百", "500"), ("八百多", "800"), ("百十来块", "110"), ("三千五百八", "3580"), ("三千五百八十", "3580"),
    ("一万零五百", "10500"), ("一万零五十块", "10050"), ("一万零五块", "10005"), ("两千零八块", "2008"),
    ("五块五", "5.5"), ("三块二毛五", "3.25"), ("一毛九", "0.19"), ("五毛钱", "0.5"), ("十块零五毛", "10.5"),
    ("九块九毛九", "9.99"), ("七八千", "7000"), ("三五百", "300"), ("两三千块钱", "2000"), ("三到五千", "3000"),
    ("三千到五千块", "3000"), ("十几万", "100000"), ("二十多万块钱", "200000"), ("一点二万", "12000"),
    ("3k", "3000"), ("2w左右", "20000"), ("50,000块钱", "50000"), ("1,500元", "1500"), ("一亿两千万", "120000000"),
    ("1万2千", "12000"), ("1万2000", "12000"), ("3千5", "3500"), ("千把块", "1000"), ("万儿八千", "10000"),
    ("两百五", "250"), ("六十块", "60"), ("一百二", "120"), ("一百一十块", "110"), ("两千块钱", "2000"),
    ("三千人民币", "3000"), ("二万六千多", "26000"), ("五千出头", "5000"), ("四万八", "48000"),
    ("两萬塊", "20000"), ("２６０００多", "26000"), ("叁仟元", "3000"), ("壹万贰仟块", "12000"),
])  # fmt: skip
def test_a_sum_is_read_as_it_is_said(said: str, yuan: str) -> None:
    assert sums(said) == [(said, yuan)]


@pytest.mark.parametrize(("text", "found"), [
    ("我先还1200", [("1200", "1200")]),
    ("那就还三十吧", [("三十", "30")]),
    ("总欠款人民币52,000，其中利息1,500，滞纳金500块", [("52,000", "52000"), ("1,500", "1500"), ("500块", "500")]),
    ("分十期一期一千", [("一千", "1000")]),
    ("一千一个月行不行", [("一千", "1000")]),
    ("三千分三期还", [("三千", "3000")]),
    ("还一千五号之前", [("一千", "1000")]),
    ("还一千十五号之前", [("一千", "1000")]),
    ("我就三千块一个月的工资", [("三千块", "3000")]),
    ("两百年底还", [("两百", "200")]),
    ("欠了你两万本金", [("两万", "20000")]),
    ("三千，嗯，五百", [("三千，嗯，五百", "3500")]),
    ("两万那个六千块", [("两万那个六千块", "26000")]),
    ("先还五百,剩下的再说", [("五百", "500")]),
    ("上门费五百你出", [("五百", "500")]),
    ("一人借五百就够了", [("五百", "500")]),
    ("欠了12345", [("12345", "12345")]),
    ("还了110块", [("110块", "110")]),
])  # fmt: skip
def test_the_words_around_decide(text: str, found: list[tuple[str, str]]) -> None:
    assert sums(text) == found


@pytest.mark.parametrize("text", [
    "下午三点打给你", "三号线坐过来", "分三个月", "逾期三十二天了", "我在三楼", "我的工号三千", "一百次也没用",
    "千万别告诉他", "万一出事呢", "一千个不愿意", "你个二百五", "你就是个二百五", "你是二百五吧", "百分之三十",
    "三分之二的人", "第一百次", "一共三百公里", "两千多个人", "房号五百零二", "我们一块走", "一块儿商量",
    "尾号一二三四", "合同号三千二百一", "2018年的事", "五点五十", "百兆宽带", "五百兆流量", "打了一万个电话",
    "一百二十平的房子", "三百六十五天", "一二三四五六七", "他今年五十岁", "五十人的厂", "三点五分的评分", "第三千名",
    "我十万火急", "说一千道一万个理由", "我等你八百年", "一五一十告诉你", "七上八下的", "一百米外",
])  # fmt: skip
def test_other_numbers_are_no_money(text: str) -> None:
    assert sums(text) == []


@pytest.mark.parametrize(("text", "named"), [
    ("我先还个最低", "最低"), ("那就还最低还款吧", "最低还款"), ("全款还清", "全款"), ("我把本金还了", "本金"),
    ("先还一半", "一半"), ("您还欠款的百分之三十就行", "欠款的百分之三十"), ("只用还本金的30%", "本金的30%"),
    ("我先还利息", "利息"),
    ("下个月还一部分", "一部分"), ("先还三分之一", "三分之一"), ("给你几千块", "几千块"),
])  # fmt: skip
def test_a_named_sum_has_no_value(text: str, named: str) -> None:
    assert sums(text) == [(named, None)]


@pytest.mark.parametrize("text", ["话才说到一半", "最低工资标准", "拿最低生活保障", "其中本金两万"])
def test_words_that_look_like_a_named_sum(text: str) -> None:
    assert all(value is not None for _, value in sums(text))


def test_a_sum_named_with_money_words_is_surer() -> None:
    (bare,) = find_entities("三千五")
    (with_unit,) = find_entities("三千五百块")
    assert bare.confidence < with_unit.confidence
    assert with_unit.value == Decimal(3500)
