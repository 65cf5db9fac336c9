"""How words sound: one private character per toneless syllable, dialects merged.

A string of Chinese characters becomes a string of the same length, so that spans carry over and the same
automata and expressions match sounds as match characters. What Mandarin speakers of the south and a recogniser
on an 8 kHz line confuse is one syllable here: n/l, f/h, zh/z, ch/c, sh/s, ing/in, eng/en, ang/an.
"""

from __future__ import annotations

import functools
import itertools
import re

from rules.text import CharTable

_FIRST_CODE = 0xE000  # private use area: 6,400 codes for about 300 merged syllables

# Readings that a term may have beside its usual one; the usual one stands first.
_POLYPHONES = {
    "还": ("huan", "hai"), "行": ("xing", "hang"), "重": ("zhong", "chong"), "长": ("chang", "zhang"),
    "得": ("de", "dei"), "了": ("le", "liao"), "着": ("zhe", "zhao"), "调": ("diao", "tiao"),
    "曝": ("bao", "pu"), "熟": ("shu", "shou"), "谁": ("shei", "shui"), "吓": ("xia", "he"), "都": ("dou", "du"),
    "差": ("cha", "chai"), "没": ("mei", "mo"), "给": ("gei", "ji"), "单": ("dan", "shan"), "传": ("chuan", "zhuan"),
    "背": ("bei",), "折": ("zhe",), "会": ("hui", "kuai"), "说": ("shuo",), "数": ("shu",), "便": ("bian", "pian"),
    "血": ("xue", "xie"), "藏": ("cang", "zang"), "朝": ("chao",), "省": ("sheng",), "薄": ("bo", "bao"),
}  # fmt: skip

_HUI_FINALS = {"ei": "ui", "en": "un", "o": "uo", "ou": "ou", "u": "u"}
_SPELLING = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)(.+)")


def merge_dialects(syllable: str) -> str:
    """A toneless pinyin syllable → the one that stands for all that are confused with it (nong → long)."""
    found = _SPELLING.fullmatch(syllable)
    if found is None:
        return syllable
    initial, final = found.groups()
    initial = {"zh": "z", "ch": "c", "sh": "s", "n": "l"}.get(initial, initial)
    if final.endswith(("ing", "eng", "ang")):
        final = final[:-1]
    if initial == "f":
        initial, final = "h", _HUI_FINALS.get(final, "u" + final)
    return initial + final


@functools.cache
def _code(merged: str) -> str:
    return chr(_FIRST_CODE + next(_numbers))


_numbers = itertools.count()


@functools.cache
def readings(char: str) -> tuple[str, ...]:
    """Toneless readings of one character, the usual one first; empty where it is no Chinese character."""
    if char in _POLYPHONES:
        return _POLYPHONES[char]
    if not "㐀" <= char <= "鿿":
        return ()
    from pypinyin import Style, pinyin

    return tuple(next(iter(pinyin(char, style=Style.NORMAL, v_to_u=False, errors="ignore")), ()))


def _char_code(char: str) -> str:
    found = readings(char)
    return _code(merge_dialects(found[0])) if found else char


_SYLLABLES = CharTable(_char_code)


def syllables(text: str) -> str:
    """`text` with each Chinese character as the code of its usual reading; the rest stays as it is."""
    return _SYLLABLES.apply(text)


def spellings(term: str) -> tuple[str, ...]:
    """All syllable strings that a term may have: 还款 is huan kuan and hai kuan."""
    choices = [tuple(dict.fromkeys(_code(merge_dialects(r)) for r in readings(char))) or (char,) for char in term]
    return tuple("".join(codes) for codes in itertools.islice(itertools.product(*choices), 16))
