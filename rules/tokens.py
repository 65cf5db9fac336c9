"""Words of a turn: a private jieba tokenizer with our lexicon, and a spaCy Doc made from its words.

`spacy.blank("zh")` with jieba hands out the global tokenizer, through which our words would leak into the whole
process; here both are our own. Tokens serve token patterns and one question: is what was heard an ordinary word?
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.tokens import Doc

_COMMON = 300  # occurrences in jieba's dictionary from which a word is ordinary (同时 11,000; 崔收 0)


@dataclass(frozen=True, slots=True)
class CommonWord:
    """An ordinary word at [start, end) of a turn."""

    start: int
    end: int
    text: str


class Tokenizer:
    """Cuts normalised text into words; the lexicon's longer words stay whole."""

    def __init__(self, lexicon: Mapping[str, tuple[str, ...]]) -> None:
        self._words = frozenset(word for words in lexicon.values() for word in words if len(word) > 1)

    def doc(self, text: str) -> Doc:
        """The spaCy Doc of one turn; joining its tokens gives `text` again."""
        from spacy.tokens import Doc

        words = list(_cut(self._words, text))
        return Doc(_vocabulary(), words=words, spaces=[False] * len(words))

    def words(self, text: str) -> list[str]:
        """The words of a normalised text, in order."""
        return list(_cut(self._words, text))

    def common_words(self, text: str) -> list[CommonWord]:
        """The ordinary words of two characters or more in `text`: what was perhaps meant literally."""
        words, end = [], 0
        for word in _cut(self._words, text):
            start, end = end, end + len(word)
            if len(word) > 1 and self._frequency(word) >= _COMMON:
                words.append(CommonWord(start, end, word))
        return words

    def _frequency(self, word: str) -> int:
        return 0 if word in self._words else _jieba(self._words).FREQ.get(word) or 0


def is_ordinary(word: str) -> bool:
    """Whether jieba's dictionary knows the word as an everyday one (方便, 高兴), which a person's name seldom is."""
    return (_jieba(frozenset()).FREQ.get(word) or 0) >= _COMMON


def _cut(words: frozenset[str], text: str) -> Iterable[str]:
    return _jieba(words).cut(text, HMM=False)  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=2)
def _jieba(words: frozenset[str]):  # type: ignore[no-untyped-def]
    import jieba

    logging.getLogger("jieba").setLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    for word in sorted(words):
        tokenizer.add_word(word)
    return tokenizer


@functools.cache
def _vocabulary():  # type: ignore[no-untyped-def]
    from spacy.vocab import Vocab

    return Vocab()
