"""What a call names: sums of money, days, ID and card numbers, phones, hotlines, addresses.

    >>> [(entity.kind, str(entity.value)) for entity in find_entities("下周五还两千", call_date=date(2026, 11, 20))]
    [('date', '2026-11-27'), ('money', '2000')]

Digits may be spoken (幺三八, 两, 洞, 拐, 勾), broken by pauses and fillers, or in full width; spans are those of the
text as given. Conventions for days stand in rules/dates.py, those for money in rules/amounts.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from rules.addresses import find_addresses
from rules.amounts import find_amounts
from rules.dates import find_dates
from rules.identifiers import find_identifiers, find_labelled
from rules.numerals import Compact, blank, compact


class EntityKind(StrEnum):
    """What an entity is; rules name these in the operator `entity`."""

    MONEY = "money"
    DATE = "date"
    ID_NUMBER = "id_number"
    BANK_CARD = "bank_card"
    PHONE = "phone"
    HOTLINE = "hotline"
    ADDRESS = "address"
    EMPLOYEE_NUMBER = "employee_number"
    EMAIL = "email"
    WECHAT = "wechat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Something named; `start`/`end` are a half-open span in the text given, `text` is what stands there.

    `value` is normalised: Decimal yuan for money, an ISO date for date, digits for numbers; None where the words
    name no value (最低还款, 发工资那天). `confidence` is 0 to 1.
    """

    kind: EntityKind
    start: int
    end: int
    text: str
    value: Decimal | str | None
    confidence: float


_Found = tuple[EntityKind, int, int, Decimal | str | None, float]
# Nothing that we look for lacks all of these; a search for them costs a hundredth of the readers.
_CANDIDATE = re.compile(
    r"[0-9０-９一二两三四五六七八九十百千万兩萬壹贰叁幺今明后後昨听聽前周週期拜月年节節旦改底额額款金息半最部@微威vVwWxX"
    r"区區路街县縣镇鎮村苑资資薪过等这過這]"
)

# Longer than any sum or day; only noise or an attack reads like this, and every place in it would cost a reader.
_ENDLESS_FROM = 41
_ENDLESS = re.compile(rf"[0-9零一二两三四五六七八九十百千万亿点]{{{_ENDLESS_FROM},}}")
LONGEST_READ = 5_000


def find_entities(text: str, *, call_date: date | None = None) -> tuple[Entity, ...]:
    """Entities of all kinds in order of their start; they never overlap, the longer identifiers win.

    `call_date` is the day of the call in the debtor's time; without it relative days have no value. Only the first
    5,000 characters are read: a quarter of an hour of speech without a break, and a bound on what a hostile text costs.
    """
    if not _CANDIDATE.search(text):
        return ()
    source = compact(text[:LONGEST_READ])
    found = sorted(_all(source.text, call_date), key=lambda item: item[1])
    return tuple(_entity(text, source, item) for item in found)


def _all(text: str, call_date: date | None) -> Iterator[_Found]:
    identifiers = _apart(
        (EntityKind(hit.kind), hit.start, hit.end, hit.value, hit.confidence) for hit in find_identifiers(text)
    )
    yield from identifiers
    endless = (match.span() for match in _ENDLESS.finditer(text)) if len(text) >= _ENDLESS_FROM else ()
    text = blank(text, [*((item[1], item[2]) for item in identifiers), *find_labelled(text), *endless])
    addresses = [(EntityKind.ADDRESS, *hit) for hit in find_addresses(text)]
    yield from addresses
    text = blank(text, [(item[1], item[2]) for item in addresses])
    dates = [(EntityKind.DATE, *hit) for hit in find_dates(text, call_date=call_date)]
    yield from dates
    text = blank(text, [(item[1], item[2]) for item in dates])
    yield from ((EntityKind.MONEY, *hit) for hit in find_amounts(text))


def _apart(found: Iterable[_Found]) -> list[_Found]:
    """Those that overlap no longer one."""
    kept: list[_Found] = []
    end = 0
    for item in sorted(found, key=lambda item: (item[1], -item[2])):
        if item[1] >= end:
            kept.append(item)
            end = item[2]
    return kept


def _entity(text: str, source: Compact, item: _Found) -> Entity:
    kind, first, last, value, confidence = item
    start, end = source.source_span(first, last)
    return Entity(kind=kind, start=start, end=end, text=text[start:end], value=value, confidence=confidence)
