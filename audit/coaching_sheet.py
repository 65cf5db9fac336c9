"""A playlist on paper: one self-contained page for A4, masked, with room for an answer and a signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from audit import ledger
from audit.access import Action, Actor, require
from audit.coaching import CoachingRefused, clips, playlists
from audit.coaching_clips import hear
from audit.coaching_record import Assignment, Clip
from audit.review import rule_cards, title
from audit.store import Store
from transcribe.model import Turn

Lang = Literal["zh", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "sheet": ("催收辅导单", "Coaching sheet"),
    "for": ("催收员", "Collector"),
    "due": ("完成日期", "Due on"),
    "good": ("✓ 正面例子", "✓ Well done"),
    "bad": ("✗ 反面例子", "✗ Not like this"),
    "why": ("判定理由", "Because"),
    "clause": ("依据", "Clause"),
    "listen": ("请注意", "Listen for"),
    "instead": ("换成我，我会这样说：", "What I would say instead:"),
    "agent": ("坐席", "Agent"),
    "customer": ("客户", "Customer"),
    "other": ("其他", "Other"),
    "unknown": ("未知", "Unknown"),
    "signed": ("本人已听取以上录音并知悉要求。", "I have heard these recordings and understood what is asked."),
    "signature": ("签名", "Signature"),
    "date": ("日期", "Date"),
    "trainer": ("辅导人", "Trainer"),
    "masked": ("个人信息已遮盖。内部培训资料，请勿外传。", "Personal data is masked. For internal training only."),
    "no_words": ("文字稿已不在库中。", "The words are no longer kept."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One clip of the sheet. `times` is m:ss in the call."""

    clip: Clip
    title: str
    clause: str
    because: str
    times: tuple[str, str]
    turns: tuple[Turn, ...]


def sheet(store: Store, playlist: int, *, actor: Actor, lang: Lang = "zh", task: Assignment | None = None) -> str:
    """The page as HTML; notes it in the ledger. Without a task, name and day are lines to fill in."""
    require(actor, Action.EXPORT)
    found = next((one for one in playlists(store, actor=actor) if one.id == playlist), None)
    if found is None:
        raise CoachingRefused(f"没有编号为 {playlist} 的播放列表")
    lines = [_line(store, clip, actor, lang) for clip in clips(store, playlist, actor=actor) if clip.stands]
    data = {"form": "sheet", "rows": len(lines), "unmasked": False}
    ledger.record(store, actor=actor, kind=ledger.Kind.EXPORT, subject=f"playlist:{playlist}", data=data)
    words = {name: text[lang == "en"] for name, text in _WORDS.items()}
    who = "" if task is None else f"{task.agent_id} {task.agent_name or ''}".strip()
    due_on = None if task is None else task.due_on
    page = _environment().get_template("coaching.html.j2")
    return page.render(w=words, lang=lang, playlist=found, lines=lines, who=who, due_on=due_on, trainer=actor.name)


def _line(store: Store, clip: Clip, actor: Actor, lang: Lang) -> Line:
    heard = hear(store, clip, actor=actor)
    card = rule_cards(store, None).get(clip.rule_id or "")
    clauses = [] if card is None else [f"《{r.instrument}》{r.clause or ''}" for r in card.references[:1]]
    return Line(
        clip=clip,
        title="" if clip.rule_id is None else title(clip.rule_id, card, lang=lang),
        clause="".join(clauses),
        because=heard.because,
        times=(clock_of(clip.start_ms), clock_of(clip.end_ms)),
        turns=heard.turns,
    )


def clock_of(ms: int) -> str:
    """12:05, as a player shows it."""
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}"


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("audit"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
