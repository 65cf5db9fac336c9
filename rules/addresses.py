"""Postal addresses in speech: 北京东城区王府井大街50号, 阳光小区三栋二单元五零二.

An address is a chain of parts (province, city, district, road, estate, number). One part proves nothing (超市, 社区,
三楼); a road or estate with a number, two numbers of a building, or three regions in a row do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rules.numerals import Hit

_NUMBER = r"[0-9A-Za-z零一二三四五六七八九十百两幺甲乙丙丁东西南北]{1,5}"
_PART = re.compile(
    rf"(?=[0-9A-Za-z零一二三四五六七八九十百两幺甲乙丙丁东西南北大街胡路巷小花公广新家苑特自省市区县镇乡村])"
    rf"(?:(?P<house>{_NUMBER}(?:号院|号楼|号(?!线|之前|以前|前|还|发|左右|公|店)|弄|栋|幢|座|单元|室))"
    r"|(?P<street>大道|大街|街道|胡同|[路街巷](?![上边人过口费线由径]))"
    r"|(?P<estate>小区|花园|公寓|大厦|广场|新村|家园|家属院|[苑](?=\w))"
    r"|(?P<region>特别行政区|自治[区州县]|省|市(?![场面民价容里区])|区(?![别域分间块])|县|镇(?![定静])|"
    r"乡(?![下亲])|村(?![委民里支])))"
)
_PROVINCE = re.compile(
    r"(?:北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|"
    r"四川|"
    r"贵州|云南|陕西|甘肃|青海|内蒙古|广西|西藏|宁夏|新疆|南京|苏州|杭州|宁波|广州|深圳|东莞|佛山|武汉|成都|西安|"
    r"郑州|"
    r"长沙|合肥|济南|青岛|沈阳|大连|哈尔滨|长春|石家庄|太原|南昌|福州|厦门|昆明|贵阳|南宁|海口|兰州|无锡|"
    r"温州)(?:省|市)?$"
)
_NOT_NAMES = re.compile(
    r"(?:走|套|网|思|出|退|铁|马|公|上|半|销|门|一|这|那|哪|条|讯|通讯|电|逛|过|带|线|大|城|超|股|社|地|全|本|各|"
    r"农|"
    r"这个|那个|一个|哪个|整个|我们|你们|他们|住|高速公)$"
)
_STOP = re.compile(
    r"[我你您他她它们在到去的了来从于那就和跟与住是把给让向往也还要找做呢吗吧啊哦嗯址:：,，。.;；!！?？、\s\0\"'()（）]"
)
_TAIL = re.compile(
    r"(?:[0-9]{1,4}|[零一二三四五六七八九幺两]{3,4})(?:室|号房?|"
    r"房)?(?![0-9零一二三四五六七八九十百千万块元多个天月])"
)
_BETWEEN = re.compile(r"(?:[\s,，、]|嗯|那个|的){0,3}")
_LONGEST_NAME = 6
_LONGEST_LINK = 10  # 顺义区|首都机场国门商务区: a name right behind the last part may be longer


class _Part(NamedTuple):
    kind: str
    start: int
    end: int


def find_addresses(text: str) -> Iterator[Hit]:
    """Every address in folded text; the value is the address without pauses."""
    chain: list[_Part] = []
    for part in _parts(text):
        if chain and not _follows(text, chain[-1], part):
            yield from _address(text, chain)
            chain = []
        chain.append(part)
    yield from _address(text, chain)


def _parts(text: str) -> Iterator[_Part]:
    previous = 0
    for match in _PART.finditer(text):
        kind = str(match.lastgroup)
        start = match.start() if kind == "house" else _name_start(text, match.start(), previous)
        if start is None or (kind != "house" and _NOT_NAMES.search(text[start : match.start()])
                             and match.start() - start < 3):  # fmt: skip
            continue
        yield _Part(kind, start, match.end())
        previous = match.end()


def _name_start(text: str, end: int, previous: int) -> int | None:
    start = end
    while start > max(previous, end - _LONGEST_LINK) and not _STOP.match(text[start - 1]):
        start -= 1
    if start > previous or not previous:
        start = max(start, end - _LONGEST_NAME)
        start += text.startswith("家", start)
    return start if start < end else None


def _follows(text: str, before: _Part, part: _Part) -> bool:
    gap = _BETWEEN.match(text, before.end, part.start) if part.start - before.end <= 6 else None
    return gap is not None and gap.end() == part.start


def _address(text: str, chain: list[_Part]) -> Iterator[Hit]:
    kinds = [part.kind for part in chain]
    houses, regions = kinds.count("house"), kinds.count("region")
    built = any(text[part.end - 1] != "号" for part in chain if part.kind == "house")  # 十五号十六号 are days
    placed = "street" in kinds or "estate" in kinds
    if not chain or (
        not (houses and (placed or regions)) and not (houses > 1 and built) and not (placed and regions) and regions < 2
    ):
        return
    start, end = _with_province(text, chain[0].start), chain[-1].end
    if houses and (tail := _TAIL.match(text, end)):
        end = tail.end()
    confidence = 0.9 if houses and placed else 0.75 if houses or regions > 2 else 0.6
    yield Hit(start, end, re.sub(r"[\s,，、]|嗯|那个", "", text[start:end]), confidence)


def _with_province(text: str, start: int) -> int:
    province = _PROVINCE.search(text, max(0, start - 4), start)
    return province.start() if province else start
