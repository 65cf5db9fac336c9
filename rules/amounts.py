"""Sums of money as people say them: 三千五, 两万六, 26000多, 六块六毛一, 最低还款, 一半.

A number is money where a money word stands at it (块, 元, 还, 欠, 本金 …) or where it is at least a hundred, was said
with 百, 千 or 万, and counts nothing else (个, 天, 次, 公里 …). Values are yuan. A range or a guess (七八千, 三到五千)
gives its lower bound; 几千块 and named sums (最低还款, 一半) have no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from rules.numerals import DIGIT, Hit, Number, before_folding, blank, read_number

_START = re.compile(r"[0-9一二两三四五六七八九十]")
_RUN = re.compile(r"[0-9零一二三四五六七八九两幺]+")
_CURRENCY = re.compile(r"[ ]?(?:块钱|块(?!儿|去|来)|元钱|元整?|圆|人民币|大洋|毛钱?|角)")
_CENTS = re.compile(
    r"零?(?:(?P<jiao>[1-9一二两三四五六七八九])[毛角](?:(?P<fen>[1-9一二两三四五六七八九])分?(?![个期次天号点年月百千万]))?"
    r"|(?P<half>半)|(?P<tenth>[1-9一二两三四五六七八九])(?![0-9个期次天号点年月周星小分十百千万块多家人张条]))"
)
_JIAO_TAIL = re.compile(r"(?P<fen>[1-9一二两三四五六七八九])分?(?![个期次天号点年月百千万])")
_ABOUT = re.compile(r"(?:钱)?(?:多块钱?|多元|多|左右|上下|出头|不到|以上|以内)")
_RANGE = re.compile(r"[到至~-](?=[0-9一二两三四五六七八九十])")
# What is counted by these is no money: 三千个, 五百次, 一百二十平. The exceptions begin a word of their own.
_COUNTED = re.compile(
    r"[个名位次天日号点时秒岁层楼栋室里米斤克度平条件份户张台辆只头倍股遍句字分年月周人家本期部道%万]"
    r"|[KMGTkmgt]?[Bb]|兆|公[里斤]|星期|礼拜|小时|火急|号人|[多来][个名位次天人家条年斤岁号里米公]|[A-Za-z]"
)
_NOT_COUNTED = re.compile(
    r"分[三几两二四五六七八九十期开0-9]|年[底初前后]|月[底初末]|周[一二三四五六日天末]|人民币|本[金息]|家里|号称|"
    r"天天|日息|点[钱儿]?[先给还]|度过|条件|里面|部分|期[间望]|份子|[Aa][Pp][Pp]|[Aa][Tt][Mm]"
)
_BEFORE = re.compile(
    r"(?:(?<![还有])还(?:款|了|你们?|您|给你们?|个|上|掉|清)?|欠款?|欠[了着你您他]?|付|交|转账?|打|借|凑|存|补|垫|"
    r"拿|"
    r"给你?|[减免]|扣|收|赚|挣|花|工资|收入|利息|罚息|本金|滞纳金|违约金|手续费|费|金额|余额|总额|款|应还|"
    r"最低|一共|总共|合计|共计|人民币|[¥￥$])(?:先|了|个|是|要|差不多|大概|大约|将近|至少|也就|只有|都|才|为|[:：]|"
    r"\s){0,3}$"
)
_COUNTS_TIME = re.compile(r"个(?:多)?(?:月|星期|礼拜|小时)|[号期次天周年月]|小时")
_LABEL = re.compile(
    r"(?:工号|编号|尾号|单号|卡号|账号|合同号?|房号|门牌号?|房间|案号|字第|后[三四六]位|验证码|密码|邮编|第|分之|"
    r"电话|号码)"
    r"[是为就叫:：的\s]{0,3}$"
)
_INSULT = re.compile(r"[个是这那]$")
_NAMED = re.compile(
    r"(?=[最全所欠本总账百利一三四0-9])(?:最低(?:还款额?|额度?)?(?![0-9一二两三四五六七八九十]|工资|生活|消费|价|的|限度|保障)|全款|全额|全部欠款|"
    r"所有(?:的)?欠款"
    r"|(?:欠款|本金|总额|账单)的?(?:百分之[一二三四五六七八九十两零]{1,4}|[0-9]{1,3}%|[一二三四]分之[一二三四])"
    r"|(?<=还)(?:百分之[一二三四五六七八九十两零]{1,4}|[0-9]{1,3}%)"
    r"|本金(?![是为有还]{0,1}(?:人民币)?[0-9一二两三四五六七八九十]|利息|和|加)|利息(?=[都全]?先?还)|"
    r"(?<=还)利息(?![0-9一二两三四五六七八九十])"
    r"|(?<![到了听说走做过想看])一半|[三四]分之一|一部分)"
)
_FEW = re.compile(
    r"(?:好几|好|(?<![晚早])上|几|数)(?:十万|百万|千万|[十百千万])(?!分|次|个|人|年|遍|条|别|天|号|点|岁|里)(?:块钱?|元)?"
)
_GUESS = re.compile(
    r"(?=[百千万])(?<![一二两三四五六七八九几0-9])(百十[来几]?|百八十|千八百|万儿八千|[百千万]把)"
    r"(?:块钱?|元|(?=$|\W))"
)
_GUESSES = {"百十": 110, "百十来": 110, "百十几": 110, "百八十": 100, "千八百": 1_000, "万儿八千": 10_000,
            "百把": 100, "千把": 1_000, "万把": 10_000}  # fmt: skip
# A unit, a money word, or two digits near each other: one digit alone (一下, 三次) is no sum.
_NUMERALS = before_folding("0123456789一二两三四五六七八九俩仨幺")
_MAY_NAME = re.compile(
    rf"[{before_folding('十百千万亿块元圆')}kKwW毛角币洋]|[{_NUMERALS}][^{_NUMERALS}]{{0,16}}[{_NUMERALS}]|"
    "最低|全[款额部]|所有|欠款|本金|总额|账单|利息|一半|一部分|分之|[%％]"
)
_PAY = re.compile(r"[还付交转减免]|结清|打款")


def find_amounts(text: str) -> Iterator[Hit]:
    """Every sum of money in compact text, in order of its kind; spans never overlap."""
    guesses = [Hit(*match.span(), Decimal(_GUESSES[match[1]]), 0.6) for match in _GUESS.finditer(text)]
    rest = blank(text, [(hit.start, hit.end) for hit in guesses]) if guesses else text
    numbers = list(_numbers(rest))
    rest = blank(rest, [(hit.start, hit.end) for hit in numbers]) if numbers else rest
    yield from guesses
    yield from numbers
    yield from (Hit(*match.span(), None, 0.6) for match in _FEW.finditer(rest))
    yield from _named(rest)


def may_name_sum(text: str) -> bool:
    """A quick look at words as spoken: False where surely no sum is named."""
    return _MAY_NAME.search(text) is not None


def _numbers(text: str) -> Iterator[Hit]:
    position = 0
    while match := _START.search(text, position):
        start = match.start()
        number = read_number(text, start)
        if number is None or _part_of_word(text, number):
            run = _RUN.match(text, start)
            position = max(run.end() if run else start + 1, number.end if number else 0)
            continue
        hit = _money(text, number)
        if hit is not None:
            yield hit
        position = max(hit.end if hit else number.end, start + 1)


def _part_of_word(text: str, number: Number) -> bool:
    following = text[number.end : number.end + 1]
    return "0" <= following <= "9" or (
        number.arabic and bool(re.match(r"[A-Za-z_.]", text[max(0, number.start - 1)]) and number.start > 0)
    )


def _money(text: str, number: Number) -> Hit | None:
    before = text[max(0, number.start - 12) : number.start]
    if _LABEL.search(before):
        return None
    currency = _CURRENCY.match(text, number.end)
    if currency and not (number.value == 1 and currency[0] == "块" and not _BEFORE.search(before)):
        return _with_currency(text, number, currency)
    number = _without_counted_tail(text, number)
    if _counts_something(text, number.end):
        return None
    return _bare(text, number, before)


def _with_currency(text: str, number: Number, currency: re.Match[str]) -> Hit:
    unit, end, value = currency[0].strip(), currency.end(), number.value
    if unit[0] in "毛角":
        tail = None if unit.endswith("钱") else _JIAO_TAIL.match(text, end)
        cents = DIGIT.get(tail["fen"], 0) or int(tail["fen"]) if tail else 0
        return Hit(number.start, tail.end() if tail else end, value / 10 + Decimal(cents) / 100, 1.0)
    if unit in ("块", "元") and (match := _CENTS.match(text, end)):
        value, end = value + _cents(match), match.end()
        end += text.startswith("钱", end)
    end = _past_about(text, _past_range(text, end))
    return Hit(number.start, end, _plain(value), 0.9 if number.about else 1.0)


def _cents(match: re.Match[str]) -> Decimal:
    spoken = {name: char for name, char in match.groupdict().items() if char and char != "半"}
    digits = {name: DIGIT.get(char, 0) or int(char) for name, char in spoken.items()}
    tenths = digits.get("jiao", 0) + digits.get("tenth", 0) + (5 if match["half"] else 0)
    return Decimal(tenths) / 10 + Decimal(digits.get("fen", 0)) / 100


def _bare(text: str, number: Number, before: str) -> Hit | None:
    if number.value == 250 and not number.arabic and _INSULT.search(before):
        return None
    spoken_of = bool(_BEFORE.search(before))
    grouped = number.arabic and "," in text[number.start : number.end]
    upper = _second_bound(text, number)
    if upper is not None:
        number = upper
    if not (spoken_of or number.scaled or grouped or (number.about and number.value >= 100)):
        return None
    if not number.scaled and number.value < 10:
        return None
    end = _past_about(text, number.end)
    return Hit(number.start, end, _plain(number.value), 0.95 if spoken_of else 0.8)


def _second_bound(text: str, number: Number) -> Number | None:
    """三到五千: the lower bound takes the unit of the upper one."""
    between = _RANGE.match(text, number.end)
    upper = read_number(text, between.end()) if between else None
    if upper is None or not upper.scaled or _counts_something(text, upper.end):
        return None
    value = number.value
    if value < 10:
        value *= 10 ** (len(str(int(upper.value))) - 1)
    currency = _CURRENCY.match(text, upper.end)
    end = currency.end() if currency else upper.end
    return number._replace(end=end, value=value, scaled=True, about=True)


def _past_range(text: str, end: int) -> int:
    between = _RANGE.match(text, end)
    upper = read_number(text, between.end()) if between else None
    currency = _CURRENCY.match(text, upper.end) if upper else None
    return currency.end() if currency else end


def _past_about(text: str, end: int) -> int:
    match = _ABOUT.match(text, end)
    return match.end() if match else end


def _without_counted_tail(text: str, number: Number) -> Number:
    """一千|一个月, 两千|一期: the last digit counts what follows."""
    if number.tail is None or not _COUNTS_TIME.match(text, number.end):
        return number
    return number._replace(end=number.tail, value=number.value_without_tail)


def _counts_something(text: str, end: int) -> bool:
    return bool(_COUNTED.match(text, end)) and not _NOT_COUNTED.match(text, end)


def _plain(value: Decimal) -> Decimal:
    """Yuan without trailing zeros or exponent, so that equal sums print alike."""
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize()


def _named(text: str) -> Iterator[Hit]:
    for match in _NAMED.finditer(text):
        around = text[max(0, match.start() - 8) : match.end() + 8]
        if _PAY.search(around):
            yield Hit(match.start(), match.end(), None, 0.8)
