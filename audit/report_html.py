"""report.html: one file that needs nothing else, to read, to listen to and to print."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import count, pairwise
from os import cpu_count

from jinja2 import Environment, PackageLoader, StrictUndefined

from audit import clips
from audit.clips import ClipUnavailable
from audit.figures import Issue, JudgedCall, ReportData, figures, flagged
from audit.report_words import Lang, Words, beijing
from audit.score import is_signal
from audit.sound import Window
from audit.store import RuleCard
from rules.model import CATEGORIES, Finding, Group, Result, Severity
from transcribe.model import Turn

# More would make a file that no browser opens gladly; the Excel report always lists all.
CALLS_SHOWN = 300
# Calls longer than this are shown around their findings only.
WHOLE_CALL_TURNS = 60
CONTEXT_TURNS = 4
# Under this the page says that roles are in doubt.
ROLE_DOUBT = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a turn's text; `numbers` are the places that end with it, `style` is empty where unmarked."""

    text: str
    style: str = ""
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A turn of the dialogue, or with `turn` None a gap of `skipped` turns."""

    turn: Turn | None
    segments: tuple[Segment, ...] = ()
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a place can be heard: in clip `clip` from `start_s` to `end_s`; else `missing` says why not."""

    window: Window
    clip: int | None = None
    start_s: float = 0.0
    end_s: float = 0.0
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A finding with its number on the page and its evidence; `evidence` None where no stretch shows it."""

    number: int
    finding: Finding
    style: str
    evidence: Evidence | None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCard:
    """One rule's card: what it is and the places that show it."""

    issue: Issue
    outcome: str
    style: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSection:
    """One flagged call as the page shows it; `clips` are data URIs in the order that `Evidence.clip` counts."""

    number: int
    call: JudgedCall
    rows: tuple[Row, ...]
    cards: tuple[IssueCard, ...]
    clips: tuple[str, ...]
    role_doubt: bool


def render(data: ReportData, *, lang: Lang, notify: Callable[[int, int], None] | None = None) -> str:
    """The whole page. The same data and recordings give the same text. `notify` hears how many calls are done."""
    worst = flagged(data.calls)
    section = partial(_section, data=data, words=Words(lang))
    # Decoding holds no lock of Python's: clips of several calls are cut at once, kept in order.
    with ThreadPoolExecutor(cpu_count()) as pool:
        sections = []
        for made in pool.map(section, count(1), worst[:CALLS_SHOWN]):
            sections.append(made)
            if notify is not None:
                notify(len(sections), min(len(worst), CALLS_SHOWN))
    return (
        _environment(lang)
        .get_template("report.html.j2")
        .render(
            data=data,
            figures=figures(data),
            flagged=worst,
            shown=CALLS_SHOWN,
            sections=sections,
            severities=tuple(Severity),
        )
    )


def segments(text: str, places: Sequence[Place]) -> tuple[Segment, ...]:
    """The text cut where marks begin and end; where marks overlap the gravest gives the style."""
    spans = [p for p in places if p.finding.start < p.finding.end]
    edges = {0, len(text), *(edge for p in spans for edge in (p.finding.start, p.finding.end))}
    cuts = sorted(edge for edge in edges if edge <= len(text))
    return tuple(_segment(text, start, end, spans) for start, end in pairwise(cuts))


def shown_turns(turns: int, hits: Iterable[int]) -> list[int]:
    """Indexes of the turns to show: all of a short call, of a long one those around the hits."""
    if turns <= WHOLE_CALL_TURNS:
        return list(range(turns))
    near = {i for hit in hits for i in range(hit - CONTEXT_TURNS, hit + CONTEXT_TURNS + 1)}
    return sorted(i for i in near if 0 <= i < turns)


def clock(ms: int) -> str:
    """mm:ss; an hour and more goes on counting minutes."""
    return f"{ms // 60_000:02d}:{ms // 1000 % 60:02d}"


@cache
def _environment(lang: Lang) -> Environment:
    words = Words(lang)
    environment = Environment(
        loader=PackageLoader("audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["w"] = words
    environment.filters.update(
        beijing=beijing,
        clock=clock,
        hours=_hours,
        labels=partial(_labels, words=words),
        percent=_percent,
        rule=partial(_title, words),
        web=_web,
    )
    return environment


def _section(number: int, call: JudgedCall, *, data: ReportData, words: Words) -> CallSection:
    evidence, sounds = _evidence(call, words)
    cards = tuple(_cards(call, evidence, words))
    turns = data.dialogues.get(call.recording, ())
    return CallSection(
        number=number,
        call=call,
        rows=tuple(_rows(turns, [place for card in cards for place in card.places])),
        cards=cards,
        clips=tuple("data:audio/ogg;base64," + b64encode(sound).decode() for sound in sounds),
        role_doubt=call.role_confidence < ROLE_DOUBT,
    )


def _window(finding: Finding, call: JudgedCall) -> Window | None:
    """The stretch that shows a finding; what was never said, or stands in the call record, has none."""
    wordless = finding.start == finding.end
    if wordless and CATEGORIES[finding.category][0] in (Group.DUTY, Group.CONTACT):
        return None
    return clips.window(finding.start_ms, finding.end_ms, duration_ms=call.duration_ms)


def _evidence(call: JudgedCall, words: Words) -> tuple[dict[Finding, Evidence], list[bytes]]:
    """Where each finding of the call can be heard, and the clips that this takes."""
    found = [finding for issue in call.issues for finding in issue.places]
    windows = {f: window for f in found if (window := _window(f, call)) is not None}
    if not windows:
        return {}, []
    stretches = clips.merge(list(windows.values()))
    try:
        sounds = clips.cut(call.sound, call.recording, stretches, beeps=call.beeps)
    except ClipUnavailable as error:
        return {f: Evidence(window=window, missing=str(error)) for f, window in windows.items()}, []
    heard = {f: _heard(window, stretches, missing=words["clip_limit"]) for f, window in windows.items()}
    return heard, [sounds[stretch] for stretch in stretches]


def _heard(wanted: Window, stretches: Sequence[Window], *, missing: str) -> Evidence:
    clip = clips.clip_for(wanted, stretches)
    if clip is None:
        return Evidence(window=wanted, missing=missing)
    return Evidence(
        window=wanted,
        clip=stretches.index(clip),
        start_s=(wanted.start_ms - clip.start_ms) / 1000,
        end_s=(wanted.end_ms - clip.start_ms) / 1000,
    )


def _cards(call: JudgedCall, evidence: Mapping[Finding, Evidence], words: Words) -> Iterator[IssueCard]:
    numbers = count(1)
    for issue in call.issues:
        places = [_place(next(numbers), f, evidence.get(f), words) for f in issue.places]
        style = _style(issue.rule.category, issue.result, issue.severity)
        outcome = "signal" if issue.is_signal else issue.result.value
        yield IssueCard(issue=issue, outcome=outcome, style=style, places=tuple(places))


def _place(number: int, finding: Finding, evidence: Evidence | None, words: Words) -> Place:
    style = _style(finding.category, finding.result, finding.severity)
    duty = CATEGORIES[finding.category][0] is Group.DUTY
    remark = "" if evidence else words["never_said" if duty else "from_record"]
    return Place(number=number, finding=finding, style=style, evidence=evidence, remark=remark)


def _style(category: str, result: Result, severity: Severity) -> str:
    """Class of a mark or card: the severity of a violation, else that it is unsure or a signal.

    A place has its own: one that is proven makes its rule broken, and others beside it may still be unsure.
    """
    if is_signal(category):
        return "signal"
    return severity.value if result is Result.FAIL else "unsure"


def _labels(call: JudgedCall, words: Words) -> dict[tuple[str, str], int]:
    """What a line of the index says of a call: (style, text) of each kind of issue, and how many there are."""
    seen: Counter[tuple[str, str]] = Counter()
    for issue in call.issues:
        style = _style(issue.rule.category, issue.result, issue.severity)
        outcome = {"signal": " · " + words["signal"], "unsure": " · " + words["unsure"]}.get(style, "")
        seen[style, words.of("category", issue.rule.category) + outcome] += 1
    return seen


def _rows(turns: Sequence[Turn], places: Sequence[Place]) -> Iterator[Row]:
    by_turn: dict[int, list[Place]] = {}
    for place in places:
        by_turn.setdefault(place.finding.turn, []).append(place)
    last = -1
    for i in shown_turns(len(turns), by_turn):
        if i > last + 1:
            yield Row(turn=None, skipped=i - last - 1)
        yield Row(turn=turns[i], segments=segments(turns[i].text, by_turn.get(i, ())))
        last = i
    if last + 1 < len(turns):
        yield Row(turn=None, skipped=len(turns) - last - 1)


def _segment(text: str, start: int, end: int, places: Sequence[Place]) -> Segment:
    over = [p for p in places if p.finding.start <= start and end <= p.finding.end]
    worst = min(over, key=_gravity, default=None)
    ending = tuple(p.number for p in over if p.finding.end == end)
    return Segment(text=text[start:end], style=worst.style if worst else "", numbers=ending)


def _gravity(place: Place) -> tuple[int, int]:
    styles = [*(severity.value for severity in Severity), "unsure", "signal"]
    return styles.index(place.style), place.number


def _title(words: Words, rule: RuleCard) -> str:
    return rule.title if words.lang == "zh" else rule.title_en


def _hours(ms: int) -> str:
    return f"{ms / 3_600_000:.2f}" if ms < 36_000_000 else f"{ms / 3_600_000:,.1f}"


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share * 100:.1f}%"


def _web(url: str | None) -> str:
    """Only an address of the web may become a link."""
    return url if url and url.startswith(("https://", "http://")) else ""
