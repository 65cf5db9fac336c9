"""Numbers as people say them: folding, fillers, and a reader for 三千五, 一万二, 2.6万, 七八百, 二十多万.

cn2an and jionlp were measured first (docs/entities.md): both read a string that is already cut out, and both
misread colloquial forms, so the reader is ours. It never looks back and reads each character once.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

# One character for one character, so that positions stay valid.
_FOLDED = (
    "０0１1２2３3４4５5６6７7８8９9．.－-＋+％%：:；;？?！!＠@〇零○零兩两萬万億亿塊块號号週周禮礼點点錢钱後后這这個个過过還还給给"
    "發发內内樓楼圓圆貳二叁三參三肆四柒七捌八玖九拾十佰百仟千壹一贰二"
    "轉转結结應应盡尽儘尽爭争會会沒没嗎吗們们樣样對对\u3000 \u00a0 "
)
FOLD = str.maketrans(_FOLDED[::2], _FOLDED[1::2])
_FOLDABLE = re.compile(f"[{_FOLDED[::2]}]")  # a search costs a twentieth of translate(), and mostly finds nothing
DIGIT = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2, "俩": 2, "仨": 3}
UNIT = {"十": 10, "百": 100, "千": 1_000, "k": 1_000, "K": 1_000}
LARGE = {"万": 10_000, "w": 10_000, "W": 10_000, "亿": 100_000_000}

_ARABIC = re.compile(r"\d{1,3}(?:,\d{3}){1,3}(?![\d])(?:\.\d{1,2})?|\d{1,12}(?:\.\d{1,4})?", re.ASCII)
_DIGITS = re.compile(r"[0-9零一二三四五六七八九两]+")
_SPOKEN_DECIMAL = re.compile(r"点([零一二三四五六七八九]{1,4})")
_AROUND = re.compile(r"[来几把](?=[十百千万块元钱个]|$|\W)|多|余(?![额款下])")
_LATIN = re.compile(r"[A-Za-z]")
_NUMERAL = re.compile("[0-9零一二三四五六七八九十百千万亿两幺]")
_FILLER = r"嗯|呃|额|唔|啊|哦|噢|诶|欸|那个|这个这个|就是说"
_NEAR_NUMBER = "0-9零一二三四五六七八九十百千万亿两幺块号月周"
_BREAK = re.compile(
    rf"(?<=[{_NEAR_NUMBER}个下这本])[\s_,，、。…]{{0,3}}(?:(?:{_FILLER})[\s_,，、。…]{{0,3}}){{1,4}}(?=[{_NEAR_NUMBER}])"
    rf"|(?<=[{_NEAR_NUMBER}])[ \t_]{{1,4}}(?=[零一二三四五六七八九十百千万亿两])"
    rf"|(?<=[零一二三四五六七八九十百千万亿两])[ \t_]{{1,4}}(?=[0-9块])"
)


class Hit(NamedTuple):
    """Something found: half-open span, normalised value, confidence 0 to 1."""

    start: int
    end: int
    value: Decimal | str | None
    confidence: float


class Number(NamedTuple):
    """A number read from `start` to `end`.

    `tail` is where the colloquial last digit begins (三千|五), None without one; `value_without_tail` is the number
    that remains if that digit belongs to what follows (一千|一个月). `scaled` says that 百, 千 or 万 was spoken.
    """

    start: int
    end: int
    value: Decimal
    scaled: bool
    about: bool
    arabic: bool
    tail: int | None = None
    value_without_tail: Decimal = Decimal(0)


class Compact(NamedTuple):
    """Folded text without the fillers inside numbers; `offsets[i]` is the place of character i in the source."""

    text: str
    offsets: list[int] | None

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span in the text as spoken."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


def compact(text: str) -> Compact:
    """Fold widths and traditional forms, and take out hesitations inside numbers (三千，嗯，五百)."""
    folded = text.translate(FOLD) if _FOLDABLE.search(text) else text
    breaks = [match.span() for match in _BREAK.finditer(folded)] if _NUMERAL.search(folded) else []
    if not breaks:
        return Compact(folded, None)
    kept: list[int] = []
    position = 0
    for start, end in breaks:
        kept.extend(range(position, start))
        position = end
    kept.extend(range(position, len(folded)))
    return Compact("".join([folded[index] for index in kept]), kept)


def before_folding(chars: str) -> str:
    """These characters and all that folding turns into one of them: for a quick look at words as spoken."""
    pairs = zip(_FOLDED[::2], _FOLDED[1::2], strict=True)
    return chars + "".join(source for source, folded in pairs if folded in chars)


def blank(text: str, spans: list[tuple[int, int]]) -> str:
    """The same text with the spans replaced by NUL, so that later readers stop there."""
    if not spans:
        return text
    parts: list[str] = []
    position = 0
    for start, end in sorted(spans):
        if end > position:
            first = max(start, position)
            parts += [text[position:first], "\0" * (end - first)]
            position = end
    return "".join(parts) + text[position:]


def small_number(text: str) -> int:
    """A whole number from 0 to 99 in digits or characters (15, 十五, 二十, 廿五, 一五)."""
    if text.isascii():
        return int(text)
    text = text.replace("廿", "二十").replace("卅", "三十")
    tens, ten, ones = text.partition("十")
    if not ten:
        return int("".join(str(DIGIT.get(char, char)) for char in text))
    return (_digits_value(tens) if tens else 1) * 10 + (_digits_value(ones) if ones else 0)


def _digits_value(text: str) -> int:
    return int("".join(str(DIGIT.get(char, char)) for char in text))


def read_number(text: str, start: int) -> Number | None:
    """Read the number that begins at `start`; None where none does, or where digits are only being listed."""
    return _Reader(text, start).read()


class _Reader:
    """One pass over one number: units must fall (万, 千, 百, 十), each character is looked at once."""

    def __init__(self, text: str, start: int) -> None:
        self.text, self.start, self.at = text, start, start
        self.total, self.section = Decimal(0), Decimal(0)
        self.pending: Decimal | None = None
        self.pending_at = start
        self.single = False  # the pending number is one digit, so it may be a colloquial tail
        self.last_unit = self.last_large = 10**12
        self.gap = self.scaled = self.about = self.arabic = False

    def read(self) -> Number | None:
        while self.at < len(self.text) and self._step(self.text[self.at]):
            pass
        return self._finish()

    def _step(self, char: str) -> bool:
        if "0" <= char <= "9":
            return self._arabic()
        if char == "零":
            return self._zero()
        if char in DIGIT:
            return self._digit()
        if char in UNIT:
            return self._unit(char)
        if char in LARGE:
            return self._large(char)
        return self._around()

    def _arabic(self) -> bool:
        match = _ARABIC.match(self.text, self.at)
        if match is None or self.pending is not None:
            return False
        self.pending, self.pending_at = Decimal(match[0].replace(",", "")), self.at
        self.single = match.end() - self.at == 1
        self.arabic, self.at = True, match.end()
        return True

    def _zero(self) -> bool:
        if self.pending is not None or not self.scaled:
            return False
        self.gap, self.at = True, self.at + 1
        return True

    def _digit(self) -> bool:
        if self.pending is not None:
            return self._pair()
        self.pending, self.pending_at = Decimal(DIGIT[self.text[self.at]]), self.at
        self.single, self.at = True, self.at + 1
        decimal = _SPOKEN_DECIMAL.match(self.text, self.at)
        if decimal and self.text[decimal.end() : decimal.end() + 1] in ("万", "千", "亿", "块", "元"):
            self.pending += Decimal(f"0.{_spoken_digits(decimal[1])}")
            self.single, self.at = False, decimal.end()
        return True

    def _pair(self) -> bool:
        """七八千, 三五百: two neighbouring digits are a guess; the lower one counts."""
        assert self.pending is not None
        upper = DIGIT[self.text[self.at]]
        neighbours = upper - self.pending == 1 or (self.pending == 3 and upper == 5)
        if self.about or not (self.single and neighbours):
            return False
        self.about, self.at = True, self.at + 1
        return True

    def _unit(self, char: str) -> bool:
        unit = UNIT[char]
        if unit >= self.last_unit or (self.pending is None and not (char == "十" and self._may_lead())):
            return False
        if char in "kK" and _LATIN.match(self.text, self.at + 1):
            return False
        self.section += (Decimal(1) if self.pending is None else self.pending) * unit
        self.pending, self.last_unit, self.gap = None, unit, False
        self.scaled, self.at = self.scaled or unit > 10, self.at + 1
        return True

    def _may_lead(self) -> bool:
        return self.at == self.start or self.gap or self.last_unit == 100

    def _large(self, char: str) -> bool:
        unit = LARGE[char]
        if self.pending is None and not self.section:
            return False
        if unit >= self.last_large or (char in "wW" and _LATIN.match(self.text, self.at + 1)):
            return False
        self.total += (self.section + (self.pending or 0)) * unit
        self.section, self.pending = Decimal(0), None
        self.last_unit, self.last_large, self.gap = unit, unit, False
        self.scaled, self.at = True, self.at + 1
        return True

    def _around(self) -> bool:
        """多, 来, 几, 余 inside or after a number (二十多万, 一千来块, 十几万)."""
        if self.pending is None and not self.section and not self.total:
            return False
        if self.about or not _AROUND.match(self.text, self.at):
            return False
        self.about, self.at = True, self.at + 1
        return True

    def _finish(self) -> Number | None:
        base = self.total + self.section
        if self.pending is None:
            return None if self.at == self.start else self._number(base)
        if not base:
            return None if self._is_a_list() else self._number(self.pending)
        if self.gap or self.last_unit == 10 or not self.single:
            return self._literal_tail(base)
        return self._number(base + self.pending * self.last_unit / 10, tail=self.pending_at, value_without_tail=base)

    def _literal_tail(self, base: Decimal) -> Number:
        assert self.pending is not None
        if self.pending >= self.last_unit:  # 三千 15号: what follows is another number
            self.at = self.pending_at
            return self._number(base)
        return self._number(base + self.pending)

    def _is_a_list(self) -> bool:
        """八八二零 is read out digit by digit; that is no amount."""
        following = _DIGITS.match(self.text, self.start)
        return following is not None and following.end() > self.at

    def _number(self, value: Decimal, *, tail: int | None = None, value_without_tail: Decimal = Decimal(0)) -> Number:
        return Number(self.start, self.at, value, self.scaled, self.about, self.arabic, tail, value_without_tail)


def _spoken_digits(text: str) -> str:
    return "".join(str(DIGIT[char]) for char in text)
