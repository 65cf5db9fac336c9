"""Every importer fed with what nobody should write: valid files, valid files damaged, and plain noise.

    python -m benchmarks.fuzz [--inputs 10000] [importer …]

Only the documented errors may come out; anything else would be a traceback in front of a user. Prints a table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from audit.access import LOCAL
from audit.calls import COLUMNS, CallRecord, read_calls
from audit.cases import CASE_COLUMNS, PAYMENT_COLUMNS, Case, CaseList, import_cases, read_cases, unknown_cases
from audit.check import BadLine, _check, as_line
from audit.complaint_list import COLUMNS as COMPLAINT_COLUMNS
from audit.complaint_list import read_complaints
from audit.complaints import Desk, take_in
from audit.config import _READERS, CHINA, read_config
from audit.errors import AuditError
from audit.pipeline import Job, judge_call
from audit.quarantine import bring_back
from audit.store import Settings, Store
from audit.uploads import BadUpload, safe_name
from rules.engine import Judge
from rules.load import RuleErrors, load_rules
from rules.model import RELATIONS
from transcribe.errors import TranscribeError
from transcribe.files import read_transcript

DOCUMENTED = (AuditError, TranscribeError, RuleErrors)
DAY = date(2026, 11, 22)
_SETTINGS = Settings(
    tool_version="1", ruleset="r", ruleset_version="1", ruleset_digest="d", engine="transcript", model=None, options={}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """`inputs` makes inputs, `feed` hands one on and says whether it was taken; what it raises else escaped."""

    name: str
    inputs: st.SearchStrategy[Any]
    feed: Callable[[Any, Path], bool]


@dataclass(slots=True, kw_only=True)
class Tried:
    """What became of the inputs of one importer; `escaped` counts what came out by its kind and place."""

    inputs: int = 0
    taken: int = 0
    refused: int = 0
    escaped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: float = 0.0


def try_importer(importer: Importer, *, inputs: int) -> Tried:
    """Feed an importer this many inputs, the same ones each time."""
    tried = Tried()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")

        @settings(
            max_examples=inputs, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet,
        )  # fmt: skip
        @given(importer.inputs)
        def each(value: Any) -> None:
            _count(importer, value, Path(folder), tried)

        start = time.perf_counter()
        each()
        tried.seconds = time.perf_counter() - start
    return tried


def _count(importer: Importer, value: Any, folder: Path, tried: Tried) -> None:
    tried.inputs += 1
    start = time.perf_counter()
    try:
        taken = importer.feed(value, folder)
        tried.taken += taken
        tried.refused += not taken
    except DOCUMENTED:
        tried.refused += 1
    except Exception as error:
        place = _place(error.__traceback__)
        tried.escaped[f"{type(error).__name__} {place}"] += 1
        tried.examples.setdefault(f"{type(error).__name__} {place}", (str(error), value))
    tried.slowest = max(tried.slowest, time.perf_counter() - start)


def _place(trace: TracebackType | None) -> str:
    """The last line of ours that an error passed through."""
    ours = [
        f for f in traceback.extract_tb(trace) if "site-packages" not in f.filename and "/lib/python" not in f.filename
    ]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"


# What cells, names and values are made of

HOSTILE = st.sampled_from([
    "", " ", "\0", "\x1b[2J", "\u202e", "\ufeff", "\u2028", "\r\n", '"', "'", ",", "=1+1", "+", "-", "@SUM(A1)",
    "<script>alert(1)</script>", "../../etc/passwd", "..\\..\\x.wav", "/etc/passwd", "C:\\x.wav", "~nobody/x", "a\0b.wav",
    "NaN", "nan", "inf", "-inf", "1e400", "-1", "0", "99999999999999999999", "9" * 400, "٣", "½", "①", "1_000",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "2026-11-19T25:00", "0000-00-00 00:00",
    "2026-11-19T10:00:00+23:59", "9999-12-31", "0001-01-01", "null", "true", "是", "%s", "{0}", "{expected}", "x" * 5000, "😀",
    "e\u0301", "🇨🇳", "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
])  # fmt: skip
_TIMES = st.one_of(
    st.datetimes(timezones=st.sampled_from([UTC, CHINA])).map(datetime.isoformat),
    st.dates().map(str),
    st.sampled_from(["2026-11-19 15:10:00", "2026/3/9 9:05", "2026-11-19", "2026.11.19 08:00"]),
)
_MONEY = st.one_of(st.decimals(0, 10**15, places=2).map(str), st.sampled_from(["￥1,234.5", "2000元", "1，000"]))
_WHOLE = st.integers(-(10**20), 10**20).map(str)
_ID = st.one_of(st.sampled_from(["c1", "c2", "D1", "A01", "通话1"]), st.text(max_size=8))
_VALUES: dict[str, st.SearchStrategy[str]] = {
    "started_at": _TIMES, "received_at": _TIMES, "assigned_at": _TIMES, "closed_at": _TIMES,
    "paid_at": _TIMES, "paid_at_2": _TIMES, "amount": _MONEY, "paid_amount": _MONEY, "paid_amount_2": _MONEY,
    "overdue_amount": _MONEY, "principal": _MONEY, "days_overdue": _WHOLE, "satisfaction": _WHOLE,
    "duration": st.one_of(_WHOLE, st.sampled_from(["1:02:03", "95.5", ":", "1:"])),
    "callee_relation": st.sampled_from(RELATIONS), "answered": st.sampled_from(["是", "否", "true", "0"]),
    "agent_channel": st.sampled_from(["0", "1", "左", "right", "2"]), "recording": st.sampled_from(["a.wav", "b/c.wav"]),
    "channel": st.sampled_from(["hotline", "客服热线", "app", "12378"]), "category": st.sampled_from(["threat", "威胁恐吓", "other"]),
    "text": st.text(max_size=30), "case_id": st.sampled_from(["c1", "c2", "c3"]),
}  # fmt: skip
_ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"])


def cells(column: str) -> st.SearchStrategy[str]:
    """What may stand in a column: mostly what belongs there."""
    usual = _VALUES.get(column, _ID)
    return st.integers(0, 11).flatmap(lambda n: HOSTILE if n == 0 else st.text(max_size=12) if n == 1 else usual)


@st.composite
def table(draw: st.DrawFn, columns: Sequence[str], needed: Sequence[str]) -> bytes:
    """A list with the columns it needs and some others, encoded as some program would, sometimes damaged."""
    some = draw(st.lists(st.sampled_from(columns), unique=True, max_size=6))
    header = list(dict.fromkeys([*needed, *some, *draw(st.lists(st.one_of(HOSTILE, _ID), max_size=1))]))
    lines = [header]
    for _ in range(draw(st.integers(0, 3))):
        lines.append([draw(cells(column)) for column in header])
    text = "\n".join(",".join(_quoted(cell) for cell in line) for line in lines)
    return draw(damaged(text.encode(draw(_ENCODINGS), "replace")))


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\r\n') else cell


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """The bytes as they are (every second time), or with some flipped, cut out, doubled or put in."""
    if draw(st.booleans()):
        return whole
    changed = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at, size = draw(st.integers(0, len(changed))), draw(st.integers(0, 12))
        match draw(st.integers(0, 4)):
            case 0:
                changed[at : at + size] = b""
            case 1:
                changed[at:at] = draw(st.binary(max_size=8))
            case 2:
                changed[at:at] = changed[at : at + size]
            case 3:
                changed[at:at] = draw(HOSTILE).encode("utf-8", "replace")
            case _:
                changed[at : at + 1] = bytes([draw(st.integers(0, 255))])
    return bytes(changed)


def _file(*strategies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Files made from the schema, and one in ten of plain noise."""
    return st.integers(0, 9).flatmap(lambda n: st.binary(max_size=200) if n == 0 else st.one_of(*strategies))


# JSON

_SPEECH = st.sampled_from([
    "您好，我是某某银行的，本次通话会录音。", "你欠的三千二百元明天还吗？", "我下周五发工资还你两千。", "再不还钱就爆你通讯录",
    "我不是张伟，你打错了", "后年十三月四十五号", "九九九九九九九九九万亿元", "我身份证是110101199003078888", "",
])  # fmt: skip
_TEXT = st.one_of(_SPEECH, _SPEECH, HOSTILE, st.text(max_size=20))
_ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXT, st.just(10**30), st.just(2**63)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=5,
)
_MS = st.one_of(st.integers(0, 100_000), st.integers(0, 100_000), _ANY)


def _or_any(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 7).flatmap(lambda n: _ANY if n == 0 else usual)


_TURN = st.fixed_dictionaries(
    {"role": _or_any(st.sampled_from(["agent", "customer", "other", "unknown"])), "text": _or_any(_TEXT)},
    optional={"start_ms": _MS, "end_ms": _MS},
)
_CALL = st.fixed_dictionaries(
    {"turns": _or_any(st.lists(_or_any(_TURN), max_size=5))},
    optional={
        "call_id": _or_any(_ID), "started_at": _or_any(_TIMES), "callee_relation": _or_any(st.sampled_from(RELATIONS)),
    },
)  # fmt: skip
_WORD = st.fixed_dictionaries({
    "text": _or_any(_TEXT), "start": _MS, "end": _MS, "start_ms": _MS, "end_ms": _MS, "confidence": _or_any(st.floats(0, 1)),
})  # fmt: skip
_OUR_TURN = st.fixed_dictionaries({
    "index": _or_any(st.integers(0, 5)), "role": _or_any(st.sampled_from(["agent", "customer", "other", "unknown"])),
    "channel": _or_any(st.sampled_from([0, 1, None])), "start_ms": _MS, "end_ms": _MS, "text": _or_any(_TEXT),
    "words": _or_any(st.lists(_WORD, max_size=2)), "confidence": _or_any(st.floats(0, 1)),
})  # fmt: skip
_ENGINE = st.fixed_dictionaries({
    "name": _or_any(_ID), "version": _or_any(_ID), "model": _or_any(_ID), "model_sha256": _or_any(st.none()),
    "options": _or_any(st.dictionaries(_ID, _ID, max_size=1)),
})  # fmt: skip
_OURS = st.fixed_dictionaries({
    "version": st.one_of(st.just(1), st.just(1), st.just(1), _ANY), "recording": _or_any(_ID), "duration_ms": _MS,
    "language": _or_any(st.just("zh")), "engine": _or_any(_ENGINE), "role_confidence": _or_any(st.floats(0, 1)),
    "notes": _or_any(st.lists(_TEXT, max_size=1)), "turns": _or_any(st.lists(_or_any(_OUR_TURN), max_size=3)),
})  # fmt: skip
_DEEP = st.sampled_from([b"[" * 100_000, b'{"turns":' * 50_000, b'{"turns":[' + b"[" * 9_000 + b"]" * 9_000 + b"]}"])


def _as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _json_of(*values: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    usual = st.one_of(*values).map(_as_json).flatmap(damaged)
    return st.integers(0, 199).flatmap(lambda n: _DEEP if n == 0 else usual)


_CLOCK = st.one_of(
    st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 999)).map(
        lambda t: f"{t[0]:02d}:{t[1]:02d}:{t[2]:02d},{t[3]:03d}"
    ),
    HOSTILE,
)
_SPEAKERS = st.sampled_from(["坐席: ", "客户：", "[agent] ", "说话人1: ", ""])
_CUES = st.lists(st.tuples(_CLOCK, _CLOCK, _SPEAKERS, _TEXT), max_size=4).map(
    lambda cues: "\n\n".join(f"{n}\n{a} --> {b}\n{who}{said}" for n, (a, b, who, said) in enumerate(cues, 1)).encode(
        "utf-8", "replace"
    )
)
_TURN_TABLE = table(
    columns=("role", "text", "start", "end", "start_ms", "end_ms", "角色", "文本"),
    needed=("role", "text", "start", "end"),
)


# YAML and TOML

_SCALAR = st.one_of(
    HOSTILE, _ID, st.sampled_from(["critical", "high", "agent", "test", "0.1.0", "1", "-1", "true", "$x", "@family", "@", "a-b"]),
    st.sampled_from(["(a+)+b", "(a|a){1,40}b", "a{99999999999}", "(" * 500, "[[a]", "(?L)a", "(?P<a>b)(?P<a>c)", "\\", "钱{0,8}还", "(?i:"]),
)  # fmt: skip
_RULE_KEYS = st.sampled_from([
    "id", "title", "title_en", "category", "kind", "severity", "status", "since", "why", "when", "unless", "references",
    "examples", "role", "applies_when", "phrase", "near", "pattern", "within", "measure", "hour", "count", "first", "before",
])  # fmt: skip
_TREE = st.recursive(
    _SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(_RULE_KEYS, _SCALAR), inner, max_size=4)
    ),
    max_leaves=8,
)
_RULE = {
    "id": "say-name", "title": "名", "title_en": "n", "category": "threat", "kind": "forbid", "severity": "high",
    "status": "test", "since": "0.1.0", "why": "测试", "when": [{"phrase": ["爆你通讯录"]}], "references": [],
    "examples": {"violations": [{"turns": ["agent: 爆你通讯录"]}], "clean": [{"turns": ["agent: 您好"]}]},
}  # fmt: skip
_PACK = {"name": "mine", "title": "我的", "version": "1.0.0", "rules": [_RULE]}


@st.composite
def rule_pack(draw: st.DrawFn) -> bytes:
    """A pack of one rule with some of its values replaced, as YAML (of which JSON is a part) or with its aliases."""
    odd = draw(st.integers(0, 7))
    rule = {**_RULE, **(draw(st.dictionaries(_RULE_KEYS, _TREE, max_size=2)) if odd & 1 else {})}
    condition = draw(st.dictionaries(_RULE_KEYS, _TREE, max_size=2)) if odd & 2 else {}
    pack = {**_PACK, "rules": [{**rule, "when": [{"phrase": ["爆你通讯录"], **condition}]}]}
    keys = st.sampled_from(["extends", "disable", "parameters", "conditions", "rules"])
    pack |= draw(st.dictionaries(keys, _TREE, max_size=1)) if odd & 4 else {}
    return draw(damaged(_as_json(pack)))


_YAML_BOMBS = st.sampled_from([
    b"a: &a [" + b"x," * 9 + b"x]\n" + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 110)),
    b"[" * 50_000, b"{a: " * 50_000, b"a: &a [*a]", b"a: &a\n  b: *a\n", b"? ? ? ? [", b"!!python/object/apply:os.system ['true']",
    b"- " * 5_000 + b"x", b"\xef\xbb\xbf\xff",
])  # fmt: skip
_TOML_VALUES = st.one_of(
    st.integers().map(str), st.floats().map(repr), st.sampled_from(["true", "false", "2026-11-19", "10:00:00"]),
    _TEXT.map(lambda t: json.dumps(t, ensure_ascii=False)), st.sampled_from(['"~nobody/x"', '"a\\u0000b"', "[15, 30, 60]"]),
    st.lists(st.integers(0, 99), max_size=3).map(str), st.sampled_from(["{default = 1095}", "{a = -1}", '["dingtalk://t/"]']),
)  # fmt: skip
_TOML = st.lists(st.tuples(st.one_of(st.sampled_from(sorted(_READERS)), _ID), _TOML_VALUES), max_size=4).map(
    lambda pairs: "\n".join(f"{key} = {value}" for key, value in pairs).encode("utf-8", "replace")
)
_TOML_DEEP = st.sampled_from([b"db = " + b"[" * 20_000, b"a." * 2_000 + b"b = 1", b"db = " + b"{a=" * 20_000])


# What an input is fed to


def _write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@contextmanager
def _scratch(folder: Path) -> Iterator[Store]:
    """A store for one importer; nothing stays in it, so that each input meets the same one."""
    store = _store(folder / "fuzz.db")
    try:
        with store.writing():
            yield store
            raise _Undone
    except _Undone:
        pass


class _Undone(Exception):
    pass


@lru_cache(maxsize=4)
def _store(path: Path) -> Store:
    store = Store.open(path)
    store.sql.execute("pragma synchronous = off")
    store.start_run("audit", _SETTINGS)
    known = [Case(case_id=case_id) for case_id in ("c1", "c2")]
    import_cases(store, [CaseList(file=path, given=("case_id",), cases=tuple(known), payments=(), bad=())], actor=LOCAL)
    return store


def _feed_calls(content: bytes, folder: Path) -> bool:
    from audit.plan import SOUND, Wanted, make_plan

    found = read_calls(_write(folder, "calls.csv", content), utc_offset=CHINA)
    plan = make_plan([folder], wanted=Wanted(suffixes=SOUND), lists=[found], known={}, utc_offset=CHINA)
    with _scratch(folder) as store:
        store.add_records([*found.records, *plan.attempts])
        list(store.attempts())
        store.records()
    return bool(found.records)


def _feed_cases(content: bytes, folder: Path) -> bool:
    found = read_cases(_write(folder, "cases.csv", content), utc_offset=CHINA)
    with _scratch(folder) as store:
        kept, _ = unknown_cases(store, [found])
        return import_cases(store, kept, actor=LOCAL).changes > 0


def _feed_complaints(content: bytes, folder: Path) -> bool:
    found = read_complaints(_write(folder, "complaints.csv", content), utc_offset=CHINA, day=DAY)
    with _scratch(folder) as store:
        desk = Desk(store=store, actor=LOCAL, day=DAY)
        return bool(take_in(desk, [intake for _, intake in found.intakes]))


@lru_cache(maxsize=1)
def _judge() -> Judge:
    return Judge(load_rules())


def _feed_transcript(suffix: str) -> Callable[[bytes, Path], bool]:
    def feed(content: bytes, folder: Path) -> bool:
        path = _write(folder, f"call{suffix}", content)
        record = CallRecord(call_id="c", path=path, started_at=datetime(2026, 11, 19, 10, tzinfo=CHINA))
        job = Job(record=record, recording="r", bytes=len(content), hearing="h", settings="s")
        call = judge_call(job, read_transcript(path), judge=_judge(), ruleset=load_rules())
        with _scratch(folder) as store:
            store.save(call, run=1)
            store.transcript(call.transcript.recording)
        return True

    return feed


def _feed_check(content: bytes, _: Path) -> bool:
    try:
        as_line(_check(content, _judge(), None, CHINA))
    except BadLine:  # what `check` prints and goes on
        return False
    return True


def _feed_config(content: bytes, folder: Path) -> bool:
    read_config(_write(folder, "callaudit.toml", content))
    return True


def _feed_rules(content: bytes, folder: Path) -> bool:
    Judge(load_rules(_write(folder, "pack.yaml", content)))
    return True


def _feed_name(name: str, folder: Path) -> bool:
    try:
        safe = safe_name(name)
    except BadUpload:
        return False
    path = folder / safe
    assert path.resolve().parent == folder.resolve()
    assert not safe.startswith(".")
    path.touch()
    path.unlink()
    return True


@lru_cache(maxsize=1)
def _backup_bytes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        with Store.open(Path(folder, "a.db")) as store:
            store.start_run("audit", _SETTINGS)
            store.sql.execute("pragma wal_checkpoint(truncate)")
            store.sql.execute("pragma journal_mode = delete")
        return Path(folder, "a.db").read_bytes()


@st.composite
def backup_file(draw: st.DrawFn) -> bytes:
    """A backup with bytes changed, above all in its head and the page of its schema, or cut off."""
    content = bytearray(_backup_bytes())
    for _ in range(draw(st.integers(0, 6))):
        most = draw(st.sampled_from([99, 4095, 16_383, len(content) - 1]))
        content[draw(st.integers(0, most))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.sampled_from([len(content)] * 5 + [4096, 100, len(content) // 2]))])


def _feed_backup(content: bytes, folder: Path) -> bool:
    from audit.backup import restore

    place = folder / "restored"
    place.mkdir(exist_ok=True)
    try:
        restore(_write(folder, "backup.db", content), place / "callaudit.db", actor=LOCAL)
        with Store.open(place / "callaudit.db") as store:
            store.done()
            store.failures()
        return True
    finally:
        shutil.rmtree(place)


PLACE = "/PLACE"  # stands for the folder of the test
_NOTE_FIELDS = st.fixed_dictionaries({
    "path": _or_any(st.just("call.wav")), "came_from": _or_any(st.sampled_from([f"{PLACE}/back.wav", f"{PLACE}/a/../up.wav", "/proc/x.wav", "back.wav"])),
    "reason": _or_any(_TEXT), "tried_at": st.one_of(st.just("2026-11-19T10:00:00+00:00"), st.just("2026-11-19T10:00:00+00:00"), _or_any(_TIMES)), "tries": _or_any(st.integers(-1, 4)),
})  # fmt: skip


def _feed_note(content: bytes, folder: Path) -> bool:
    apart, outside = folder / "quarantine", folder / "elsewhere"
    apart.mkdir(exist_ok=True)
    (apart / "call.wav").touch()
    _write(apart, "call.wav.why.json", content.replace(PLACE.encode(), str(folder).encode()))
    with _scratch(folder) as store:
        back = bring_back(store, apart, before=datetime(2030, 1, 1, tzinfo=UTC))
    assert not outside.exists()
    for path in back:
        path.unlink(missing_ok=True)
    return bool(back)


@st.composite
def note(draw: st.DrawFn) -> bytes:
    """The note beside a recording in quarantine, with the paths it would have in the folder of the test."""
    return draw(damaged(_as_json(draw(_NOTE_FIELDS))))


_ADDRESS = st.dictionaries(
    st.sampled_from(["since", "until", "team", "product", "agent"]),
    st.one_of(_TIMES, HOSTILE, _ID, st.text(max_size=12)),
)


def _feed_address(asked: dict[str, str], _: Path) -> bool:
    from dashboard.filters import understood

    options = {"team": ("一组",), "product": ("信用卡",), "agent": ("A01",)}
    return any(understood(name, value, options) is not None for name, value in asked.items())


IMPORTERS = (
    Importer(name="calls.csv", inputs=_file(table(COLUMNS, ("call_id", "recording")), table(COLUMNS, ("call_id",))), feed=_feed_calls),
    Importer(name="cases.csv", inputs=_file(table((*CASE_COLUMNS, "paid_at", "paid_amount", "paid_at_2", "paid_amount_2"), ("case_id",))), feed=_feed_cases),
    Importer(name="payments.csv", inputs=_file(table(PAYMENT_COLUMNS, ("case_id", "paid_at", "amount"))), feed=_feed_cases),
    Importer(name="complaints.csv", inputs=_file(table(COMPLAINT_COLUMNS, ("received_at", "channel", "text"))), feed=_feed_complaints),
    Importer(name="transcript.json", inputs=_file(_json_of(_CALL), _json_of(_OURS)), feed=_feed_transcript(".json")),
    Importer(name="transcript.srt", inputs=_file(_CUES.flatmap(damaged)), feed=_feed_transcript(".srt")),
    Importer(name="transcript.csv", inputs=_file(_TURN_TABLE), feed=_feed_transcript(".csv")),
    Importer(name="check", inputs=_file(_json_of(_CALL)), feed=_feed_check),
    Importer(name="callaudit.toml", inputs=_file(_TOML.flatmap(damaged), _TOML.flatmap(damaged), _TOML, _TOML, _TOML_DEEP), feed=_feed_config),
    Importer(name="rules.yaml", inputs=st.integers(0, 49).flatmap(lambda n: _YAML_BOMBS if n == 0 else _file(rule_pack())), feed=_feed_rules),
    Importer(name="upload names", inputs=st.one_of(st.text(max_size=300), HOSTILE, st.lists(HOSTILE, max_size=3).map(lambda p: "/".join(p) + ".wav")), feed=_feed_name),
    Importer(name="restore", inputs=_file(backup_file()), feed=_feed_backup),
    Importer(name="quarantine notes", inputs=_file(note()), feed=_feed_note),
    Importer(name="dashboard addresses", inputs=_ADDRESS, feed=_feed_address),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what each importer did with its inputs; 1 where anything else than a documented error came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("importers", nargs="*", default=[importer.name for importer in IMPORTERS])
    asked = parser.parse_args(arguments)
    print("| importer | inputs | taken | refused | escaped | slowest, s | seconds |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    escaped = 0
    _judge()  # loading the rules is nobody's slowest input
    for importer in (i for i in IMPORTERS if i.name in asked.importers):
        tried = try_importer(importer, inputs=asked.inputs)
        escaped += tried.escaped.total()
        print(
            f"| {importer.name} | {tried.inputs:,} | {tried.taken:,} | {tried.refused:,} | {tried.escaped.total():,}"
            f" | {tried.slowest:.2f} | {tried.seconds:.0f} |",
            flush=True,
        )
        for kind, count in tried.escaped.most_common():
            message, example = tried.examples[kind]
            print(f"{importer.name}: {count} × {kind}: {message[:200]} ← {example!r:.300}", file=sys.stderr)
    return int(escaped > 0)


if __name__ == "__main__":
    sys.exit(main())
