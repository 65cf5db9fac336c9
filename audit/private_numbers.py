"""Numbers that lead to a person, as they are read out: phones, identity and bank cards, QQ, codes, contracts.

The rules ask for what a number certainly is (rules/identifiers.py). Masking asks the other way round: any seven
digits in a row that are no money, no date, no hotline and no employee number are taken for private, because one
digit that was misheard, or a number read halfway, is still somebody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rules.entities import EntityKind, find_entities
from rules.numerals import FOLD

FEWEST_DIGITS = 7
"""From here on digits in a row are private without any word that says so: a landline without its area code."""

_FEWEST_LABELLED = 4
_DIGIT = "0-9零一二三四五六七八九幺"
# 两, 洞, 拐, 勾 are digits beside digits only; 腰 and 妖 are what recognisers make of 幺.
_SOFT = "两洞拐勾圈腰妖吆"
_GROUP = re.compile(rf"[{_DIGIT}](?:[{_DIGIT}{_SOFT}]|(?<=[{_DIGIT}])[xX](?![A-Za-z]))*|[{_SOFT}]+(?=[{_DIGIT}])")
_TIMES = re.compile(rf"([两二三四五六2-6])个([{_DIGIT}])(?![十百千万亿块元月号点天年])")
_GAP = re.compile(
    r"(?:[\s_\-—,，、。.…;；()（）]|嗯|呃|额|啊|哦|噢|唔|诶|欸|那个|然后是?|再是?|后面是?|接着是?|前面是?|中间是?"
    r"|最后是?|就是|对|好的?|[是的]){0,10}"
)
_AMOUNT = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+\.\d{1,2}(?!\d)")
_DATE = re.compile(r"(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?")
_UNIT_AFTER = re.compile(r"\s*(?:多|来)?(?:[十百千万亿]|块|元|角|分钱|个月|天|次|期|点|%|％)")
_LABEL = re.compile(
    r"(?P<what>身份证|证件|手机|电话|座机|联系方式|号码|卡号|账号|帐号|账户|帐户|银行卡|储蓄卡|信用卡|微信|威信|[vV][xX]"
    r"|[qQ]{2}|扣扣|验证码|校验码|密码|合同号?|护照)"
    r"(?:[^0-9零一二三四五六七八九幺，。？！,.?!]{0,5}[后末尾][三四五六3-6]位(?:数字?)?)?"
    r"[^0-9零一二三四五六七八九幺，。？！,.?!]{0,10}[,，:：\s]{0,3}$"
)
_TAIL = re.compile(r"尾号|末尾|[后末尾][三四3-4]位?")
_ASKING = "。？！?! 吗呢吧啊呀，一下报说念给我听多少是"
_HUMMING = "嗯呃啊是的，, "
_KINDS = {
    "身份证": "id_number", "证件": "id_number", "护照": "id_number", "手机": "phone", "电话": "phone", "座机": "phone",
    "联系方式": "phone", "卡号": "bank_card", "账号": "bank_card", "帐号": "bank_card", "账户": "bank_card",
    "帐户": "bank_card", "银行卡": "bank_card", "储蓄卡": "bank_card", "信用卡": "bank_card", "微信": "wechat",
    "威信": "wechat", "vx": "wechat", "qq": "qq", "扣扣": "qq",
}  # fmt: skip
_CERTAIN = {
    EntityKind.PHONE: "phone",
    EntityKind.ID_NUMBER: "id_number",
    EntityKind.BANK_CARD: "bank_card",
    EntityKind.EMAIL: "email",
    EntityKind.WECHAT: "wechat",
}
_PUBLIC = (EntityKind.HOTLINE, EntityKind.EMPLOYEE_NUMBER)
_WORDY_ID = re.compile(
    r"(?P<what>微信|威信|[vV][xX]|[qQ]{2}|扣扣|支付宝)(?:账?号码?)?(?:就?是|为|叫|[:：,，\s]){0,4}"
    r"(?P<id>[A-Za-z](?:[\s\-_.,，]{0,2}(?:[A-Za-z0-9_@.]|下划线|[零一二三四五六七八九幺])){3,40})"
)


class Number(NamedTuple):
    """A private number: kind, and its half-open span in the text given."""

    kind: str
    start: int
    end: int


def find_numbers(text: str, *, asked: str = "") -> Iterator[Number]:
    """Every private number of a text, not in order and perhaps overlapping.

    `asked` is what was said just before by somebody else (身份证后四位报一下): it labels digits at the beginning.
    """
    folded = text.translate(FOLD)
    entities = find_entities(text)
    for entity in entities:
        if entity.kind in _CERTAIN:
            yield Number(_CERTAIN[entity.kind], entity.start, entity.end)
    for found in _WORDY_ID.finditer(folded):
        yield Number(_kind(found["what"]), found.start("id"), found.end("id"))
    open_ = _without(folded, [(e.start, e.end) for e in entities if e.kind in _PUBLIC])
    for start, end, digits in _runs(open_):
        kind = _private(open_, start, end, digits, asked)
        if kind is not None:
            yield Number(kind, start, end)


def reads_on(text: str) -> bool:
    """Whether a turn breaks off in the middle of digits, so that a number may go on in the speaker's next one."""
    return bool(re.search(rf"[{_DIGIT}{_SOFT}]\W*(?:嗯|呃|啊|那个|然后)?\W*$", text.translate(FOLD)))


def goes_on(text: str) -> bool:
    """Whether a turn begins with digits, perhaps after a hum."""
    opening = re.match(rf"\W*(?:嗯|呃|啊|对|好|那个|然后|后面|是|\W){{0,4}}[{_DIGIT}{_SOFT}]", text.translate(FOLD))
    return opening is not None


def _runs(text: str) -> Iterator[tuple[int, int, int]]:
    """Digits joined over pauses and fillers: start, end and how many digits; 三个八 counts three."""
    start = end = digits = 0
    for first, last, count in _groups(text):
        gap = _GAP.match(text, end, first) if digits else None
        if gap is not None and gap.end() == first:
            end, digits = last, digits + count
            continue
        if digits:
            yield start, end, digits
        start, end, digits = first, last, count
    if digits:
        yield start, end, digits


def _groups(text: str) -> Iterator[tuple[int, int, int]]:
    position = 0
    while found := _GROUP.search(text, position):
        times = _TIMES.match(text, max(position, found.start() - 1)) or _TIMES.match(text, found.end() - 1)
        if times is None:
            yield found.start(), found.end(), found.end() - found.start()
            position = found.end()
            continue
        before = max(0, times.start() - found.start())
        yield min(found.start(), times.start()), times.end(), before + "零一二三四五六".find(times[1]) % 7
        position = times.end()


def _private(text: str, start: int, end: int, digits: int, asked: str) -> str | None:
    label = _label(text, start, asked)
    if label is not None and digits >= _FEWEST_LABELLED:
        return _kind(label)
    if digits < FEWEST_DIGITS or _UNIT_AFTER.match(text, end):
        return None
    return "number"


def _label(text: str, start: int, asked: str) -> str | None:
    """What the words before the digits call them; the last digits of a card tell nothing of a person by themselves."""
    before = text[max(0, start - 16) : start]
    if start <= 6 and asked:
        before = asked.translate(FOLD).rstrip(_ASKING)[-16:] + before.strip(_HUMMING)
    found = _LABEL.search(before)
    if found is None:
        return None
    what = found["what"].lower()
    return None if _TAIL.search(before, found.end("what")) and what not in ("身份证", "证件") else what


def _kind(label: str) -> str:
    return _KINDS.get(label.lower(), "number")


def _without(text: str, public: list[tuple[int, int]]) -> str:
    """The text with what is no secret made unreadable: hotlines, employee numbers, written amounts and dates."""
    spans = [*public, *(found.span() for pattern in (_AMOUNT, _DATE) for found in pattern.finditer(text))]
    chars = list(text)
    for start, end in spans:
        chars[start:end] = "\0" * (end - start)
    return "".join(chars)
