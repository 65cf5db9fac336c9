"""What a recogniser makes up: text in silence, loops, phantom subtitles, its own hot words. Refused here.

A refused utterance leaves a gap in the transcript; invented evidence would be worse.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

from transcribe.engine import Utterance

# Whisper learnt from subtitled video; over noise and ring-back tones it writes the credits (field notes).
_PHANTOMS = re.compile(
    "字幕|[请請][订訂][阅閱]|[订訂][阅閱].{0,6}[频頻]道|[点點][赞贊].{0,6}([转轉][发發]|打[赏賞])|不吝[点點][赞贊]"
    "|[谢謝](大家)?(的)?([观觀]看|收看|收[听聽])|明[镜鏡].{0,2}[点點][点點]|小[铃鈴][铛鐺]|[优優]{2}[独獨]播|社群提供|Amara"
    "|未[经經]作者授[权權]|下期(再[见見]|[视視][频頻])|[词詞]曲|作[词詞曲][：: ]|[编編]曲"
)
# Fast agents read notices at 7 to 8 characters a second; twice that can't be spoken.
_FASTEST = 14.0
# Whisper's own limit for looping text; speech that people say compresses less. Inside a long window a loop of fifty
# characters stays below it: so a phrase of three and more, four times in a row, which none of 11,549 turns has.
_LOOPED = 2.4
_REPEATED = re.compile(r"(.{3,12}?)\1{3}")
_LEAST_CONFIDENT = 0.1
# A hot word that was said comes out at 0.5 and more; one that the prompt put there at 0.1 to 0.2.
_LEAST_CONFIDENT_HOTWORD = 0.3


def refuse(heard: Utterance, *, hotwords: Sequence[str] = ()) -> bool:
    """True where the text can't have been said: broken bytes, loops, phantoms, hot words recited into silence."""
    text = heard.text.strip()
    return (
        not re.search(r"\w", text)
        or "\ufffd" in text
        or looped(text)
        or len(text) > max(4.0, _FASTEST * (heard.end_ms - heard.start_ms) / 1000)
        or heard.confidence < _LEAST_CONFIDENT
        or bool(_PHANTOMS.search(text))
        or _recited(text, hotwords)
        or (heard.confidence < _LEAST_CONFIDENT_HOTWORD and any(word in text for word in hotwords))
    )


def looped(text: str) -> bool:
    """True where a text repeats itself more than speech does."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) > _LOOPED or bool(_REPEATED.search(re.sub(r"\W", "", text)))


def _recited(text: str, hotwords: Sequence[str]) -> bool:
    """True where the text is nothing but two or more hot words: a list, not a sentence."""
    known = "|".join(re.escape(w) for w in sorted(hotwords, key=len, reverse=True))
    if not known:
        return False
    bare = re.sub(r"\W", "", text)
    hits = re.findall(known, bare)
    return len(hits) > 1 and sum(map(len, hits)) == len(bare)
