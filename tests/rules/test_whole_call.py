"""Duties are judged on whole calls: known from the recording, from many turns, or from how the call begins."""

from __future__ import annotations

import pytest

from rules.engine import Judge
from rules.load import load_rules
from rules.model import CallFacts, Result
from transcribe.model import Role, Turn

EXCERPT = ("账单的事怎么说", "嗯", "今天能处理吗", "不能", "那明天")
OPENED = ("喂，是刘女士吗", "嗯", "今天能处理吗", "不能", "那明天")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(load_rules())


@pytest.mark.parametrize(
    ("words", "duration_ms", "judged"),
    [
        (EXCERPT, None, False),
        (EXCERPT, 19_900, False),  # hung up at once: no duty could be done
        (EXCERPT, 20_000, True),
        (EXCERPT[:2], 60_000, True),
        (EXCERPT * 2, None, True),
        (OPENED, None, True),
        (OPENED[:4], None, False),
    ],
)
def test_what_counts_as_a_whole_call(
    judge: Judge, words: tuple[str, ...], duration_ms: int | None, judged: bool
) -> None:
    turns = [
        Turn(index=n, role=(Role.AGENT, Role.CUSTOMER)[n % 2], channel=None, start_ms=0, end_ms=0, text=text)
        for n, text in enumerate(words)
    ]
    outcomes = judge.judge(turns, CallFacts(duration_ms=duration_ms)).outcomes
    assert (outcomes["courteous-closing-missing"] is not Result.NOT_APPLICABLE) == judged
