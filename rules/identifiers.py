"""Numbers that name a person or a line: ID numbers, bank cards, phones, hotlines, employee numbers; e-mail, WeChat.

They are read out in digits or characters (幺三八, 洞, 拐, 勾, 三个八), broken by pauses and fillers. Groups of digits
are joined as far as the whole is something: an ID number has 18 characters and a check digit (GB 11643), a card
16 to 19 digits and a Luhn digit, a mobile phone 11 digits. A wrong check digit lowers the confidence: one digit
was probably misheard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from rules.numerals import read_number

_SPOKEN = {"零": "0", "〇": "0", "洞": "0", "圈": "0", "一": "1", "幺": "1", "腰": "1", "妖": "1", "吆": "1", "要": "1",
           "二": "2", "两": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "拐": "7", "八": "8", "九": "9",
           "勾": "9"} | {str(digit): str(digit) for digit in range(10)}  # fmt: skip
_FIRM = "0-9零一二三四五六七八九幺"
_SOFT = "洞拐勾两圈腰妖吆要"
_REPEAT = re.compile(r"([两二三四五六])个(?:([0-9零一二三四五六七八九幺])(?!十|百|千|万))")
_DIGIT = re.compile(rf"[{_FIRM}{_SOFT}]")
_GROUP = re.compile(rf"[{_FIRM}{_SOFT}]+")
_PAUSE = re.compile(r"(?:[\s_\-—,，、。.…()（）]|嗯|呃|额|啊|哦|唔|那个|然后(?:是)?|再(?:是)?|后面(?:是)?){0,6}")
_CHECK_X = re.compile(r"[\s,，、]?(?:[xX](?![A-Za-z])|叉|艾克斯)")
_UNIT_AFTER = re.compile(r"[十百千万亿]|块|元|[个天次月年号点%](?!码)|多(?:块|元)")
_ID_LABEL = re.compile(r"身份证|证件")
_CARD_LABEL = re.compile(r"卡|账号|账户|帐号|帐户")
_CALL = re.compile(r"[打拨叫报]|热线|电话|举报|投诉|客服|专线")
_OWED = re.compile(r"[还欠付交转给]|金额|总共|一共|本金|利息|工号|编号|尾号|后四位|后六位|验证码|密码")
_EMPLOYEE = re.compile(
    r"[工公弓]号[是为叫就:：，,\s]{0,3}([A-Za-z]{0,4}[0-9零一二三四五六七八九幺两洞拐勾十百千]{1,12})(?![元块])"
)
_LABELLED = re.compile(
    r"(?:尾号|末尾|后[三四六]位|编号|单号|案号|邮编|验证码|密码|合同号|"
    r"门牌号)[是为就叫的:：，,\s]{0,3}[0-9零一二三四五六七八九幺两洞拐勾]{2,20}"
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"
)
_WECHAT = re.compile(
    r"(?:微信|威信|[vV][xX]|[wW][xX])(?:号)?(?:就?是|为|[:：\s]){0,3}([A-Za-z][A-Za-z0-9_-]{5,19})(?![A-Za-z0-9_-])"
)

_EMERGENCY = {"110", "119", "120", "122", "114"}
_HOTLINES = {"12378", "12345", "12315", "12321", "12386", "12363", "12356", "12337", "12309", "12348", "12368", "12338",
             "12355", "12300", "12306", "12333", "12366", "12389", "10086", "10010", "10000", "10099",
             "315"} | _EMERGENCY  # fmt: skip
_SHORT = re.compile(r"9[56]\d{3,4}")
_SERVICE = re.compile(r"[48]00\d{7}")
_MOBILE = re.compile(r"(?:0?086|86)?(1[3-9]\d{9})")
_LANDLINE = re.compile(r"0(?:10|2\d)\d{8}|0[3-9]\d{2}\d{7,8}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOST_DIGITS = 20
_FEWEST_DIGITS = 3  # 110


class Identifier(NamedTuple):
    """A named number: kind, half-open span, normalised digits, confidence 0 to 1."""

    kind: str
    start: int
    end: int
    value: str
    confidence: float


class _Group(NamedTuple):
    start: int
    end: int
    digits: str


def find_identifiers(text: str) -> Iterator[Identifier]:
    """Every identifier in folded text, left to right; of several readings the longest wins."""
    yield from _written(text)
    if "个" not in text and len(_DIGIT.findall(text)) < _FEWEST_DIGITS:
        return
    groups = list(_groups(text))
    index = 0
    while index < len(groups):
        found, used = _longest(text, groups, index)
        if found is not None:
            yield found
        index += max(used, 1)


def find_labelled(text: str) -> Iterator[tuple[int, int]]:
    """Spans of numbers that a label makes harmless (尾号1234, 编号…): never money, never a date."""
    return (match.span() for match in _LABELLED.finditer(text))


def id_number_is_valid(number: str) -> bool:
    """Whether the check digit of an 18-character ID number is right (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17]


def luhn_is_valid(digits: str) -> bool:
    """Whether the last digit of a card number is right (ISO/IEC 7812)."""
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _written(text: str) -> Iterator[Identifier]:
    for match in _EMPLOYEE.finditer(text):
        yield Identifier("employee_number", match.start(1), match.end(1), _plain(match[1]), 0.9)
    for match in _EMAIL.finditer(text) if "@" in text else ():
        yield Identifier("email", *match.span(), match[0].lower(), 1.0)
    for match in _WECHAT.finditer(text):
        yield Identifier("wechat", match.start(1), match.end(1), match[1], 0.8)


def _plain(spoken: str) -> str:
    number = read_number(spoken, 0)
    if number is not None and number.scaled and number.end == len(spoken):
        return str(int(number.value))
    return "".join(_SPOKEN.get(char, char) for char in spoken).upper()


def _groups(text: str) -> Iterator[_Group]:
    """Runs of digit characters; 三个八 counts as 888."""
    position = 0
    while match := _GROUP.search(text, position):
        repeat = _REPEAT.match(text, match.end() - 1)
        end = match.end() - 1 if repeat else match.end()
        if end > match.start():
            yield _Group(match.start(), end, "".join(_SPOKEN[char] for char in text[match.start() : end]))
        if repeat:
            yield _Group(repeat.start(), repeat.end(), _SPOKEN[repeat[2]] * int(_SPOKEN[repeat[1]]))
        position = repeat.end() if repeat else match.end()


def _longest(text: str, groups: list[_Group], first: int) -> tuple[Identifier | None, int]:
    """Join groups from `first` on; the longest joint that is something, and how many groups it took."""
    digits, best, used, last = "", None, 0, first
    while last < len(groups):
        group = groups[last]
        if last > first and not _joined(text, groups[last - 1].end, group.start):
            break
        digits += group.digits
        if len(digits) > _MOST_DIGITS:
            break
        found = _classify(text, groups[first].start, group.end, digits)
        if found is not None and (best is None or found.confidence >= best.confidence):
            best, used = found, last - first + 1
        last += 1
    return best, used


def _joined(text: str, end: int, start: int) -> bool:
    if start - end > 12:
        return False
    pause = _PAUSE.match(text, end, start)
    return pause is not None and pause.end() == start


def _classify(text: str, start: int, end: int, digits: str) -> Identifier | None:
    if len(digits) < 3:
        return None
    before = text[max(0, start - 10) : start]
    if len(digits) >= 16:
        return _id_number(text, start, end, digits, before) or _bank_card(start, end, digits, before)
    if _UNIT_AFTER.match(text, end):
        return None
    return _phone(start, end, digits) or _hotline(text, start, end, digits, before)


def _id_number(text: str, start: int, end: int, digits: str, before: str) -> Identifier | None:
    if len(digits) == 17 and (check := _CHECK_X.match(text, end)):
        digits, end = digits + "X", check.end()
    if len(digits) != 18:
        return None
    born = _is_a_birthday(digits[6:14])
    if id_number_is_valid(digits) and born:
        return Identifier("id_number", start, end, digits, 1.0)
    if not digits.endswith("X") and luhn_is_valid(digits) and not born and not _ID_LABEL.search(before):
        return None
    return Identifier("id_number", start, end, digits, 0.7 if born or _ID_LABEL.search(before) else 0.4)


def _is_a_birthday(digits: str) -> bool:
    try:
        return 1900 <= date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}").year <= 2100
    except ValueError:
        return False


def _bank_card(start: int, end: int, digits: str, before: str) -> Identifier | None:
    if not 16 <= len(digits) <= 19 or len(set(digits)) == 1:
        return None
    if luhn_is_valid(digits):
        return Identifier("bank_card", start, end, digits, 0.95)
    if _CARD_LABEL.search(before) or digits.startswith("62"):
        return Identifier("bank_card", start, end, digits, 0.6)
    return None


def _phone(start: int, end: int, digits: str) -> Identifier | None:
    if match := _MOBILE.fullmatch(digits):
        return Identifier("phone", start, end, match[1], 1.0)
    if _LANDLINE.fullmatch(digits):
        return Identifier("phone", start, end, digits, 0.9)
    return None


def _hotline(text: str, start: int, end: int, digits: str, before: str) -> Identifier | None:
    if _SERVICE.fullmatch(digits):
        return Identifier("hotline", start, end, digits, 1.0)
    if digits not in _HOTLINES and not _SHORT.fullmatch(digits):
        return None
    called = bool(_CALL.search(before[-6:]) or _CALL.search(text[end : end + 4]))
    if _OWED.search(before[-4:]) and not called:
        return None
    certain = digits.startswith(("123", "955")) or digits in ("10086", "10010")
    if not called and not certain:
        return None
    return Identifier("hotline", start, end, digits, 1.0 if called else 0.85)
