"""What encryption costs: the same calls saved, the same findings fetched, in the clear and encrypted, turn by turn.

    python -m benchmarks.encryption [calls]

Processor time, because the clock measures other people's work too. Needs the extra `encryption`.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from audit import review
from audit.access import Actor, Role
from audit.calls import CallRecord
from audit.encryption import encrypt
from audit.pipeline import Job, audit_call
from audit.store import AuditedCall, Settings, Store, cipher
from audit.store.queue import Wanted
from rules.engine import Judge
from rules.load import load_rules
from transcribe.model import EngineInfo, Transcript, Turn
from transcribe.model import Role as Speaker

CALLS = 1500
FETCHES = 300
TURNS = 40
SAID = ("您好这里是还款中心", "您的贷款已经逾期了", "你再不还我们就爆你通讯录", "我下周五还两千", "请尽快处理", "嗯")
_SETTINGS = Settings(
    tool_version="1", ruleset="r", ruleset_version="1", ruleset_digest="d", engine="transcript", model=None, options={}
)


def main(count: int) -> None:
    """Print a table of microseconds of processor, and how many times as many it is."""
    calls = list(_calls(count))
    with tempfile.TemporaryDirectory() as folder:
        stores = {"clear": Path(folder, "clear.db"), "encrypted": Path(folder, "encrypted.db")}
        saving, fetching = dict.fromkeys(stores, 0.0), dict.fromkeys(stores, 0.0)
        for start in range(0, count, 50):
            for name, db in stores.items():
                saving[name] += _busy(name, db, lambda store, some=calls[start : start + 50]: _save(store, some))
        for turn in range(0, FETCHES, 10):
            for name, db in stores.items():
                fetching[name] += _busy(name, db, lambda store, turn=turn: _fetch(store, turn))
        sizes = {name: db.stat().st_size for name, db in stores.items()}
        start = time.process_time()
        encrypt(stores["clear"], new_key=Path(folder, "key"))
        converting = time.process_time() - start
    print("| | clear | encrypted | ratio |\n|---|---:|---:|---:|")
    _row("a call saved, µs", {name: 1e6 * busy / count for name, busy in saving.items()})
    _row("the next finding with its call, µs", {name: 1e6 * busy / FETCHES for name, busy in fetching.items()})
    _row("size, kB", {name: size / 1e3 for name, size in sizes.items()})
    print(f"callaudit encrypt: {converting:.1f} s of processor for {sizes['clear'] / 1e6:.0f} MB")


def _row(name: str, of: Mapping[str, float]) -> None:
    print(f"| {name} | {of['clear']:,.0f} | {of['encrypted']:,.0f} | {of['encrypted'] / of['clear']:.2f} |")


def _busy(name: str, db: Path, do: Callable[[Store], None]) -> float:
    with _key_for(name):
        begun = time.process_time()
        with Store.open(db) as store:
            do(store)
        return time.process_time() - begun


@contextmanager
def _key_for(name: str) -> Iterator[None]:
    if name == "encrypted":
        os.environ[cipher.KEY] = "5e" * 32
    try:
        yield
    finally:
        os.environ.pop(cipher.KEY, None)


def _save(store: Store, calls: list[AuditedCall]) -> None:
    run = store.start_run("audit", _SETTINGS)
    for call in calls:
        store.save(call, run=run)


def _fetch(store: Store, turn: int) -> None:
    for n in range(turn, turn + 10):
        reviewer = Actor(name=f"r{n % 20}", role=Role.REVIEWER)
        offer = review.next_item(store, Wanted(), actor=reviewer)
        if offer is not None:
            review.case(store, offer.item.key, actor=reviewer)


def _calls(count: int) -> Iterator[AuditedCall]:
    """Twenty judged calls under many names."""
    dice, ruleset = random.Random(5), load_rules()
    judge = Judge(ruleset)
    whole = [_judged(dice, judge, ruleset, number) for number in range(20)]
    for number in range(count):
        call, recording = whole[number % len(whole)], f"{number:064x}"
        record = replace(call.record, call_id=f"c{number}", path=Path(f"/recordings/c{number}.wav"))
        yield replace(call, record=record, transcript=replace(call.transcript, recording=recording))


def _judged(dice: random.Random, judge: Judge, ruleset, number: int) -> AuditedCall:  # type: ignore[no-untyped-def]
    turns = tuple(
        Turn(
            index=at, role=Speaker.AGENT if at % 2 == 0 else Speaker.CUSTOMER, channel=at % 2,
            start_ms=3000 * at, end_ms=3000 * at + 2500, text=dice.choice(SAID),
        )
        for at in range(TURNS)
    )  # fmt: skip
    record = CallRecord(call_id=f"c{number}", path=Path(f"c{number}.wav"), agent_id=f"A{number % 5}", team="一组")
    job = Job(record=record, recording="r", bytes=1, hearing="h", settings="s")
    engine = EngineInfo(name="transcript", version="1", model="", model_sha256=None)
    heard = Transcript(recording="r", duration_ms=3000 * TURNS, turns=turns, engine=engine)
    return audit_call(job, hear=lambda _: heard, judge=judge, ruleset=ruleset)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS)
