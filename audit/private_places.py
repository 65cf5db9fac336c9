"""Where somebody lives or works, as it is said: whole addresses, and what stands after 住在, 地址是, 寄到."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules.entities import EntityKind, find_entities
from rules.numerals import FOLD

_LABEL = re.compile(
    r"(?:家庭|现在的?|通讯|单位|公司|户籍|收货|详细|居住|身份证上?的?)?(?:住址|地址|户籍地?|住的地方)(?:就?是|在|为|写的?是?|填的?是?|[:：，,\s]){0,4}"
    r"|(?:家)?住(?:在|到|址)?|(?:老家|家|单位|公司|户口|人)(?:就|是|现在|一直)?在|(?:寄|送|搬|邮寄|快递)(?:到|去)|在(?=[一-鿿]{2,6}(?:上班|工作|打工|租房))"
)
_PART = re.compile(
    r"(?<![哪农市山郊老城])(?:省|市(?!场|面|民|价)|区(?!别|域|分)|县|镇|乡(?!下)|村(?!民|里)|街道|大道|小区|花园|公寓"
    r"|[路街巷弄](?![上边人过口费线由径])|大厦|广场|家园|家属院|苑|庄园)"
    r"|[0-9零一二三四五六七八九十百]+(?:号楼?|栋|幢|座|单元|室|楼|组|队)(?!线|以前|之前|还)"
)
_STOP = re.compile(
    r"[，。？！；,.?!;\n]|吗|吧|呢|啊|对不对|是不是|是吧|对吧|的话|然后|上班|工作|打工|租房|哪|什么|您|你|我|他|她"
)
_ASKED = re.compile(r"地址|住址|住在?哪|住哪|哪里人|家在哪|户籍|寄到哪|什么地方|单位在哪")
_LONGEST = 40


def find_places(text: str, *, asked: str = "") -> Iterator[tuple[int, int]]:
    """Half-open spans of addresses, not in order and perhaps overlapping; `asked`: 您现在住哪里."""
    for entity in find_entities(text):
        if entity.kind is EntityKind.ADDRESS:
            yield entity.start, entity.end
    folded = text.translate(FOLD)
    starts = [found.end() for found in _LABEL.finditer(folded)]
    if _ASKED.search(asked):
        starts.append(re.match(r"\W*(?:嗯|呃|啊|我|现在|就|住|在|是|家)*", folded).end())  # type: ignore[union-attr]
    for start in starts:
        end = _end(folded, start)
        if end > start:
            yield start, end


def _end(text: str, start: int) -> int:
    """After the last part of an address in the clause; `start` where it names none."""
    stop = _STOP.search(text, start, start + _LONGEST)
    last = start
    for part in _PART.finditer(text, start, stop.start() if stop else min(len(text), start + _LONGEST)):
        if part.start() > start or part.end() - part.start() > 1:
            last = part.end()
    return last
