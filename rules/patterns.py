"""Regular expressions that a rule may hold: bounded, free of word edges, and with words to look for first.

`(?@surname)` stands for any word of the lexicon's list `surname`.

Chinese has no word edges, so `\\b`, `\\w` and `\\W` are refused. Every repeat needs an upper bound and the product
of all bounds is limited: no pattern can be made to run away by what somebody says.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from re import _constants as op  # type: ignore[attr-defined]
from typing import Any

from rules.prefilter import parsed_pattern, required
from rules.sound import syllables
from rules.text import TURN_END, normalise_term

_LIST = re.compile(r"\(\?(@[a-z][a-z0-9_]*)\)")
_LONGEST_REPEAT = 40
_MOST_PATHS = 20_000
_MOST_ROUNDS = 1_000_000  # a few hundredths of a second, for a text made to cost them
_UNHEARD = frozenset(",，、;；:：!！ ")
_HEARD = "匹配的文本里没有逗号、空格和“嗯”，句末只有 。 和 ？"
_NEUTRAL = "甲"
_MISTAKES = (
    ("missing )", "圆括号没有配对"),
    ("unbalanced parenthesis", "圆括号没有配对"),
    ("unterminated character set", "方括号没有配对"),
    ("nothing to repeat", "?、*、+、{m,n} 前面要有能重复的字"),
    ("multiple repeat", "两个重复符号连在一起"),
    ("min repeat greater than max repeat", "{m,n} 要先写小的"),
    ("bad character range", "方括号里的范围要从小到大"),
    ("bad escape", "反斜杠后面的写法不认识"),
    ("unknown extension", "(? 后面的写法不认识"),
    ("unexpected end of pattern", "没有写完"),
    ("fixed-width", "(?<!…) 和 (?<=…) 里的各个说法要一样长"),
)
_SHORTEST_BY_SOUND = 2  # syllables: one syllable alone is in every second sentence
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_WORDS = (op.CATEGORY_WORD, op.CATEGORY_NOT_WORD)


def lists_in(pattern: str) -> list[str]:
    """The lists of the lexicon, as `@name`, that a pattern asks for by `(?@name)`."""
    return _LIST.findall(pattern)


def spelled_out(pattern: str, expand: Callable[[Sequence[str]], Sequence[str]]) -> str:
    """The pattern with the words of a list in place of its name; `expand` gives the words of `@name`."""
    return _LIST.sub(lambda named: f"(?:{'|'.join(map(re.escape, expand([named[1]])))})", pattern)


def problem_of(pattern: str, *, by_sound: bool = False) -> str | None:
    """Why a pattern is refused, or None. One Chinese sentence that says what to write instead."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # "[[a]": may mean something else one day
            parsed = parsed_pattern(pattern)
    except re.error as error:
        told = (said for words, said in _MISTAKES if words in error.msg)
        return f"正则表达式写错了：{next(told, '这里的写法不对')}（第 {(error.pos or 0) + 1} 个字符）"
    except FutureWarning:
        return "正则表达式用不了：方括号里的 [、--、&&、||、~~ 前面要加反斜杠"
    except (OverflowError, RecursionError, ValueError):
        return "正则表达式用不了：括号套得太深，或重复的次数太大"
    if _has_word_edges(parsed):
        return r"不能用 \b、\w、\W：中文没有词边界，请直接写出前后的字"
    if unheard := "".join(sorted(set(_characters(parsed)) & _UNHEARD)):
        return f"“{unheard}”永远不会出现：{_HEARD}"
    longest, paths = _cost(parsed)
    if longest > _LONGEST_REPEAT:
        return f"重复没有上限或上限超过 {_LONGEST_REPEAT}：请写成 .{{0,8}} 这样的形式"
    if paths > _MOST_PATHS or _rounds(parsed) > _MOST_ROUNDS:
        return "可变长度的重复太多，遇到特殊文本会很慢：请减少 {m,n} 的个数或缩小上限"
    if not required(pattern):
        return "找不到必然出现的字：每个分支至少要有一个固定的字，否则每句话都要完整检查一遍"
    if by_sound and min(map(len, required(pattern))) < _SHORTEST_BY_SOUND:
        return "按读音匹配时，每个分支要有连续两个以上固定的字，否则同音字太多"
    if by_sound and any(map(_in_no_order, _ranges(parsed))):
        return "按读音匹配时，方括号里不能写 [一-龥] 这样的范围，请逐个写出"
    try:
        re.compile(pattern)
    except re.error:  # what reads well may still not compile: a look-behind of several lengths
        return "(?<!…) 和 (?<=…) 里的各个说法要一样长；请分开写，如 (?<!我)(?<!我们)"
    return None


def _ranges(parsed: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for code, argument in parsed:
        for kind, ends in argument if code is op.IN else ():
            if kind is op.RANGE:
                yield chr(ends[0]), chr(ends[1])
        for part in _inner(code, argument):
            yield from _ranges(part)


def _in_no_order(ends: tuple[str, str]) -> bool:
    """Whether a range begins or ends with a syllable."""
    return syllables("".join(ends)) != "".join(ends)


def unheard_in(pattern: str) -> str | None:
    """Why a part of a pattern that `problem_of` accepts can never match: it is not as matched text is. Else None."""
    for run in _runs(parsed_pattern(pattern)):
        if (heard := _heard(run)) != run:
            return f"“{run}”永远不会出现：{f'匹配的文本里它是“{heard}”，请照这样写' if heard else _HEARD}"
    return None


def _heard(run: str) -> str:
    """Characters as matched text has them, with nothing about them on whose account they would change."""
    return normalise_term(f"{_NEUTRAL}{run}{_NEUTRAL}")[1:-1]


def _runs(parsed: Sequence[Any]) -> Iterator[str]:
    """The fixed characters of a pattern as they stand together; of a choice of characters one that can match."""
    run = ""
    for code, argument in parsed:
        if code is op.LITERAL and chr(argument) != TURN_END:
            run += chr(argument)
            continue
        yield run
        run = ""
        if code is op.IN and all(kind is op.LITERAL for kind, _ in argument):
            choices = [chr(which) for _, which in argument]
            yield next((char for char in choices if char == TURN_END or _heard(char) == char), choices[0])
        for part in _inner(code, argument):
            yield from _runs(part)
    yield run


def _has_word_edges(parsed: Sequence[Any]) -> bool:
    for code, argument in parsed:
        if code is op.AT and argument in (op.AT_BOUNDARY, op.AT_NON_BOUNDARY):
            return True
        if code is op.IN and any(kind is op.CATEGORY and which in _WORDS for kind, which in argument):
            return True
        if any(_has_word_edges(part) for part in _inner(code, argument)):
            return True
    return False


def _characters(parsed: Sequence[Any]) -> Iterator[str]:
    for code, argument in parsed:
        if code is op.LITERAL:
            yield chr(argument)
        for part in _inner(code, argument):
            yield from _characters(part)


def _cost(parsed: Sequence[Any]) -> tuple[int, int]:
    """(longest repeat, number of ways through all repeats) of a parsed pattern."""
    longest, paths = 0, 1
    for code, argument in parsed:
        inner = _inner(code, argument)
        costs = [_cost(part) for part in inner]
        longest = max([longest, *(cost[0] for cost in costs)])
        ways = max([1, *(cost[1] for cost in costs)])
        if code in _REPEATS:
            low, high, _ = argument
            longest = max(longest, int(high))
            ways = max(1, int(high) - int(low) + 1) * ways
        paths *= min(ways, 10**9)
    return longest, paths


def _rounds(parsed: Sequence[Any], *, again: bool = False) -> int:
    """Ways through repeats whose rounds can each be read in several ways: `(?:a|a){1,40}` has 2 to the 40th.

    Within a repeat (`again`) alternatives that may begin alike count, and repeats of one character.
    """
    product = 1
    for code, argument in parsed:
        ways = max([1, *(_rounds(part, again=again or _repeats(code, argument)) for part in _inner(code, argument))])
        if again and code is op.BRANCH:
            ways *= _alike(argument[1])
        if _repeats(code, argument) or (again and code in _REPEATS):
            low, high = int(argument[0]), min(int(argument[1]), _LONGEST_REPEAT)
            ways = sum(ways**n for n in range(low, high + 1)) if ways > 1 or again else 1
        product = min(product * max(1, ways), _MOST_ROUNDS + 1)
    return product


def _repeats(code: Any, argument: Any) -> bool:
    return code in _REPEATS and argument[1] > 1


def _alike(alternatives: Sequence[Sequence[Any]]) -> int:
    """The most alternatives that the same text can begin."""
    heads = [(_head(part), _never_first(part)) for part in alternatives]
    return max(sum(_may_meet(one, other) for other in heads) for one in heads)


def _head(parsed: Sequence[Any]) -> str:
    """The fixed characters that this begins with; none where it begins with a choice."""
    head = ""
    for code, argument in parsed:
        if code is not op.LITERAL:
            break
        head += chr(argument)
    return head


def _never_first(parsed: Sequence[Any]) -> frozenset[str]:
    """What `[^…]` at the beginning shuts out."""
    if not len(parsed):
        return frozenset()
    code, argument = parsed[0]
    if code is not op.IN or argument[0][0] is not op.NEGATE:
        return frozenset()
    return frozenset(chr(which) for kind, which in argument if kind is op.LITERAL)


def _may_meet(one: tuple[str, frozenset[str]], other: tuple[str, frozenset[str]]) -> bool:
    (this, not_this), (that, not_that) = one, other
    return (this.startswith(that) or that.startswith(this)) and this[:1] not in not_that and that[:1] not in not_this


def _inner(code: Any, argument: Any) -> list[Sequence[Any]]:
    if code in _REPEATS:
        return [argument[2]]
    if code is op.SUBPATTERN:
        return [argument[3]]
    if code is op.BRANCH:
        return list(argument[1])
    if code in (op.ASSERT, op.ASSERT_NOT):
        return [argument[1]]
    if code is op.ATOMIC_GROUP:
        return [argument]
    return []
