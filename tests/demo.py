"""A small store as a month at an agency leaves it: for tests of the dashboard, and for the pictures in the docs.

    build_demo(Path("/tmp/demo/callaudit.db"))

The words are those of the corpus's open half and of the sample recordings, judged by the real rules; some calls have
their real sound. The same arguments give the same calls, findings and ids.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from audit.calls import CallRecord
from audit.conduct import judge_what_is_new
from audit.config import CHINA
from audit.pipeline import Job, judge_call
from audit.plan import settings_digest
from audit.store import Settings, Store
from rules.engine import Judge
from rules.load import load_rules
from rules.model import RuleSet
from rules.second_opinion import SecondOpinion
from rules.suspicion import read_model
from tests.demo_people import live_through
from transcribe.model import EngineInfo, Role, Transcript, Turn, Word

ROOT = Path(__file__).parent.parent
LAST_DAY = date(2026, 11, 21)
DAYS = 30
ENGINE = EngineInfo(name="faster-whisper", version="1.2.1", model="base", model_sha256="5a1c" * 16)
PRODUCTS = ("消费贷款", "信用卡", "经营贷款")
_HEARING = "demo"
_MS_PER_CHARACTER = 210


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """A person of the demo; `rough` is how often, of 100 calls, somebody's worse words get in."""

    agent_id: str
    name: str
    team: str
    rough: int


COLLECTORS = (
    Collector(agent_id="A01", name="王敏", team="一组", rough=2),
    Collector(agent_id="A02", name="李强", team="一组", rough=19),
    Collector(agent_id="A03", name="赵丽华", team="一组", rough=5),
    Collector(agent_id="B01", name="陈静", team="二组", rough=3),
    Collector(agent_id="B02", name="张伟", team="二组", rough=13),
    Collector(agent_id="B03", name="刘洋", team="二组", rough=7),
    Collector(agent_id="C01", name="杨帆", team="三组", rough=6),
    Collector(agent_id="C02", name="黄婷", team="三组", rough=2),
)
_HOURS = {7: 1, 8: 6, 9: 12, 10: 15, 11: 11, 12: 3, 13: 5, 14: 12, 15: 13, 16: 12, 17: 9, 18: 6, 19: 5, 20: 3, 22: 1}
# What customers say on any day; the rest of their signals (complaints, despair) is rarer.
_MILD = {"promise_to_pay", "request_plan", "refuse", "hardship"}
_FAILURES = (
    ("{day}_A03_0931.wav", "文件是空的（0 字节）；请从录音系统重新导出"),
    ("{day}_B02_1104.amr", "解码到第 12.4 秒时出错，文件不完整；请重新导出"),
    ("{day}_C01_1540.mp3", "不是音频文件（内容是 HTML）；请检查下载地址"),
)


def build_demo(
    path: Path, *, calls: int = 400, last_day: date = LAST_DAY, scenes: int = 1, people: bool = True
) -> None:
    """Make the store at `path` (its folder is made; sound goes to recordings/ beside it). About 15 seconds.

    `scenes` is how many excerpts of the corpus are put into each call: more of them make longer calls. `people`: with
    what people did with the calls (tests/demo_people.py).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with Store.open(path) as store:
        judged = _Judged(store)
        planned = sorted(_plan(path.parent / "recordings", calls=calls, last_day=last_day, scenes=scenes), key=_when)
        judged.keep(planned)
        store.add_records([*_attempts(planned), *_too_many(planned, last_day)])
        judge_what_is_new(store, judged.ruleset)
        if people:
            live_through(store, last_day=last_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What was said in a call, to whom, and where its sound lies or would lie."""

    file: Path
    relation: str
    transcript: Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A call before it is judged."""

    record: CallRecord
    transcript: Transcript

    @property
    def day(self) -> date:
        assert self.record.started_at is not None
        return self.record.started_at.date()


def _when(planned: _Planned) -> tuple[datetime, str]:
    assert planned.record.started_at is not None
    return planned.record.started_at, planned.record.call_id


class _Judged:
    """Judges calls as a batch would, a run every night."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ruleset: RuleSet = load_rules()
        self.judge = Judge(self.ruleset)
        self.second = SecondOpinion(self.ruleset)
        self.settings = Settings(
            tool_version="0.1.0",
            ruleset=self.ruleset.name,
            ruleset_version=self.ruleset.version,
            ruleset_digest=self.ruleset.digest,
            engine="faster-whisper",
            model="base",
            options={"second_opinion": read_model().digest, "utc_offset": "UTC+08:00"},
        )

    def keep(self, planned: Sequence[_Planned]) -> None:
        self.store.save_rules(self.ruleset)
        for day in sorted({call.day for call in planned}):
            today = [call for call in planned if call.day == day]
            failing = _FAILURES[day.day // 9 - 1 : day.day // 9] if day.day % 9 == 0 else ()
            run = self.store.start_run("audit", self.settings)
            for call in today:
                self._save(call, run)
            for name, reason in failing:
                file = Path("recordings") / name.format(day=f"{day:%Y%m%d}")
                self.store.fail(file, f"{file}：{reason}", call_id=None, run=run)
            self.store.finish_run(run, status="finished", done=len(today), failed=len(failing))
            self._date_run(run, day)

    def _save(self, call: _Planned, run: int) -> None:
        job = Job(
            record=call.record,
            recording=call.transcript.recording,
            bytes=call.transcript.duration_ms * 16,
            hearing=_HEARING,
            settings=settings_digest(_HEARING, self.settings, call.record),
            transcript=call.transcript,
        )
        audited = judge_call(job, call.transcript, judge=self.judge, ruleset=self.ruleset, second=self.second)
        self.store.save(audited, run=run)

    def _date_run(self, run: int, day: date) -> None:
        """Runs of the demo began in the nights after their calls, not when the demo was built."""
        begun = datetime.combine(day + timedelta(days=1), time(1, 30), CHINA)
        with self.store.writing():
            self.store.sql.execute(
                "update runs set started_at = ?, finished_at = ? where id = ?",
                [begun.isoformat(), (begun + timedelta(minutes=37)).isoformat(), run],
            )
            self.store.sql.execute("update failures set failed_at = ? where run = ?", [begun.isoformat(), run])


def _plan(recordings: Path, *, calls: int, last_day: date, scenes: int) -> Iterator[_Planned]:
    """The calls with sound first, then as many others as asked for."""
    recordings.mkdir(exist_ok=True)
    dice = random.Random(7)
    spoken = list(_spoken(recordings))
    every = max(1, calls // len(spoken))
    corpus = _corpus()
    for number in range(calls):
        who = dice.choice(COLLECTORS)
        at = _moment(dice, last_day)
        call_id = f"{at:%Y%m%d}-{who.agent_id}-{number:04d}"
        if spoken and number % every == 0:
            heard = spoken.pop(0)
        else:
            said, relation = corpus.call(dice, rough=dice.randrange(100) < who.rough, scenes=scenes)
            transcript = _transcript(sha256(call_id.encode()).hexdigest(), _timed(said, dice))
            heard = _Heard(file=recordings / f"{call_id}.wav", relation=relation, transcript=transcript)
        record = _record(call_id, heard, who, at, dice)
        yield _Planned(record=record, transcript=heard.transcript)


def _moment(dice: random.Random, last_day: date) -> datetime:
    """Sundays are quiet; a few calls are late or early."""
    day = last_day - timedelta(days=dice.randrange(DAYS))
    if day.weekday() == 6 and dice.random() < 0.8:
        day -= timedelta(days=1)
    hour = dice.choices(list(_HOURS), list(_HOURS.values()))[0]
    return datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), CHINA)


def _record(call_id: str, heard: _Heard, who: Collector, at: datetime, dice: random.Random) -> CallRecord:
    debtor = dice.randrange(150)
    return CallRecord(
        call_id=call_id,
        path=heard.file,
        started_at=at,
        duration_ms=heard.transcript.duration_ms,
        agent_id=who.agent_id,
        agent_name=who.name,
        team=who.team,
        case_id=f"AJ26{debtor:04d}",
        debtor_id=f"D{debtor:04d}",
        callee_relation=heard.relation,
        direction="outbound" if dice.random() < 0.93 else "inbound",
        answered=True,
        product=PRODUCTS[debtor % 3],
        days_overdue=5 + debtor * 7 % 170,
        agent_channel=0,
    )


def _attempts(planned: Sequence[_Planned]) -> list[CallRecord]:
    """Nobody answered, a few minutes before every third call."""
    return [
        CallRecord(
            call_id=f"{call.record.call_id}-x",
            started_at=call.record.started_at - timedelta(minutes=20) if call.record.started_at else None,
            agent_id=call.record.agent_id,
            agent_name=call.record.agent_name,
            team=call.record.team,
            case_id=call.record.case_id,
            debtor_id=call.record.debtor_id,
            callee_relation=call.record.callee_relation,
            direction="outbound",
            answered=False,
            product=call.record.product,
            days_overdue=call.record.days_overdue,
        )
        for call in planned[::3]
    ]


def _too_many(planned: Sequence[_Planned], last_day: date) -> Iterator[CallRecord]:
    """One number tried too often by two people, one debtor spoken to too often, and a contact called right after;
    attempts without a number, which stay unsure.
    """
    first = planned[0].record
    day = datetime.combine(last_day - timedelta(days=2), time(9, 5), CHINA)

    def tried(name: str, minutes: int, who: Collector, **known: Any) -> CallRecord:
        given = {"callee_relation": "self", "answered": False, "direction": "outbound", "agent_channel": None} | known
        return replace(
            first, call_id=f"{day:%Y%m%d}-{who.agent_id}-{name}{minutes:03d}", path=None, duration_ms=None,
            started_at=day + timedelta(minutes=minutes), agent_id=who.agent_id, agent_name=who.name, team=who.team,
            **given,
        )  # fmt: skip

    rough, other = COLLECTORS[1], COLLECTORS[4]
    for n in range(9):
        number = {"extra": {"number": "13812345678"}, "debtor_id": "D0151", "case_id": "AJ260151"}
        yield tried("n", 11 * n, rough if n < 6 else other, **number)
        yield tried("u", 13 * n, other, debtor_id="D0152", case_id="AJ260152")
    for n in range(5):
        yield tried("d", 70 * n, rough, debtor_id="D0153", case_id="AJ260153", answered=True)
    yield tried("c", 400, rough, debtor_id="D0153", case_id="AJ260153", answered=True, callee_relation="contact")


Said = list[tuple[Role, str]]


_LAST_SCENES = "f13"  # file of the corpus; what it has grown by since would change every call of the demo


@dataclass(frozen=True, slots=True, kw_only=True)
class _Corpus:
    """The open half, sorted by what it is good for: whole compliant calls, some with a duty left out, and excerpts."""

    whole: Sequence[tuple[Said, str]]
    sloppy: Sequence[tuple[Said, str]]
    plain: Sequence[Said]
    mild: Sequence[Said]
    troubled: Sequence[Said]
    rough: Sequence[Said]

    def call(self, dice: random.Random, *, rough: bool, scenes: int) -> tuple[Said, str]:
        """Turns and relation of a call: a whole one with scenes of others before its goodbye."""
        said, relation = dice.choice(self.sloppy if dice.random() < 0.04 else self.whole)
        more = [dice.choice(self.plain) for _ in range(scenes - 1)]
        kind = self.rough if rough else dice.choices((self.plain, self.mild, self.troubled), (65, 28, 7))[0]
        scene = dice.choice(kind)
        place = max(1, len(said) - 3)
        return [*said[:place], *chain(*more, scene), *said[place:]], relation


def _corpus() -> _Corpus:
    calls = [
        json.loads(line)
        for file in sorted((ROOT / "tests/corpus/open").glob("*.jsonl"))
        if file.stem <= _LAST_SCENES
        for line in file.read_text("utf-8").splitlines()
    ]
    complete = [call for call in calls if call["complete"] and _everyday(call)]
    excerpts = [call for call in calls if not call["complete"] and call.get("callee_relation", "self") == "self"]
    return _Corpus(
        whole=[_with_relation(call) for call in complete if "fail" not in call["duties"].values()],
        sloppy=[_with_relation(call) for call in complete if "fail" in call["duties"].values()],
        plain=[_said(call) for call in excerpts if not call["labels"]],
        mild=[_said(call) for call in excerpts if call["labels"] and _everyday(call)],
        troubled=[_said(call) for call in excerpts if not _everyday(call) and not _by_agent(call)],
        rough=[_said(call) for call in excerpts if _by_agent(call)],
    )


def _with_relation(call: dict[str, Any]) -> tuple[Said, str]:
    return _said(call), call.get("callee_relation", "self")


def _everyday(call: dict[str, Any]) -> bool:
    return {label["category"] for label in call["labels"]} <= _MILD


def _by_agent(call: dict[str, Any]) -> bool:
    return any(call["turns"][label["turn"]]["role"] == "agent" for label in call["labels"])


def _said(call: dict[str, Any]) -> Said:
    return [(Role(turn["role"]), turn["text"]) for turn in call["turns"]]


def _timed(said: Said, dice: random.Random) -> list[Turn]:
    turns, at = [], 600
    for number, (role, text) in enumerate(said):
        end = at + 300 + _MS_PER_CHARACTER * len(text)
        turns.append(_turn(number, (role, text), (at, end), confidence=round(dice.uniform(0.78, 0.99), 3)))
        at = end + dice.randrange(250, 1100)
    return turns


def _turn(number: int, said: tuple[Role, str], times: tuple[int, int], *, confidence: float) -> Turn:
    """With word times, two characters a word, evenly over the turn."""
    (role, text), (start_ms, end_ms) = said, times
    step = (end_ms - start_ms) / max(1, len(text))
    words = tuple(
        Word(
            text=text[i : i + 2],
            start=i,
            end=min(len(text), i + 2),
            start_ms=round(start_ms + i * step),
            end_ms=round(start_ms + min(len(text), i + 2) * step),
            confidence=confidence,
        )
        for i in range(0, len(text), 2)
    )
    channel = {Role.AGENT: 0, Role.CUSTOMER: 1}.get(role)
    return Turn(
        index=number, role=role, channel=channel, start_ms=start_ms, end_ms=end_ms, text=text, words=words,
        confidence=confidence,
    )  # fmt: skip


def _transcript(recording: str, turns: Sequence[Turn], *, duration_ms: int | None = None) -> Transcript:
    return Transcript(
        recording=recording,
        duration_ms=duration_ms or turns[-1].end_ms + 900,
        turns=tuple(turns),
        engine=ENGINE,
        role_confidence=1.0,
    )


def _spoken(recordings: Path) -> Iterator[_Heard]:
    """Sample recordings and those of the corpus's open half, with the words as they were spoken."""
    for sample in json.loads((ROOT / "samples/texts.json").read_text("utf-8")):
        turns = [(turn["role"], turn["text"], turn) for turn in sample["turns"]]
        relation = sample["record"]["callee_relation"]
        yield _with_sound(ROOT / "samples" / sample["file"], recordings, relation, turns, None)
    sound = ROOT / "tests/corpus/sound"
    texts = {
        call["call_id"]: call
        for file in sorted((ROOT / "tests/corpus/open").glob("*.jsonl"))
        for call in map(json.loads, file.read_text("utf-8").splitlines())
    }
    for entry in json.loads((sound / "index.json").read_text("utf-8")):
        if entry["half"] == "open":
            call = texts[entry["call_id"]]
            turns = [
                (said["role"], said["text"], times) for said, times in zip(call["turns"], entry["turns"], strict=True)
            ]
            relation = call.get("callee_relation", "self")
            yield _with_sound(sound / entry["file"], recordings, relation, turns, entry["duration_ms"])


def _with_sound(
    file: Path, recordings: Path, relation: str, said: Sequence[tuple[str, str, Any]], duration_ms: int | None
) -> _Heard:
    kept = recordings / file.name
    shutil.copyfile(file, kept)
    turns = [
        _turn(number, (Role(role), text), (times["start_ms"], times["end_ms"]), confidence=1.0)
        for number, (role, text, times) in enumerate(said)
    ]
    recording = sha256(kept.read_bytes()).hexdigest()
    return _Heard(file=kept, relation=relation, transcript=_transcript(recording, turns, duration_ms=duration_ms))
