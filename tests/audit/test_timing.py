"""What a batch took, by stage, and what an hour of sound costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from audit.timing import Profile, Spent
from tests.conftest import write_calls
from transcribe.pipeline import Clock

Run = Callable[..., CompletedProcess[str]]


def spent(recognise: float, decode: float, *, more: float) -> Spent:
    clocks = {"decode": Clock(wall_s=decode, cpu_s=decode), "recognise": Clock(wall_s=recognise, cpu_s=2 * recognise)}
    return Spent(clocks=clocks, cpu_s=decode + 2 * recognise + more)


def test_stages_shares_and_core_seconds_of_an_hour() -> None:
    profile = Profile()
    for recognise in (1000.0, 1000.0, 2000.0):
        profile.add(spent(recognise, 100, more=200), stored=Clock(wall_s=0.5), heard_ms=1_800_000)
    decode, heard, store, other = profile.figures()
    assert [row.stage for row in (decode, heard, store, other)] == ["decode", "recognise", "store", "other"]
    assert (decode.cpu_s, heard.cpu_s, store.cpu_s) == (300, 8000, 0)
    assert (heard.median_s, heard.most_s, store.median_s) == (1000, 2000, 0.5)
    assert other.cpu_s == pytest.approx(600, abs=5)  # and what this test itself takes
    assert sum(row.share for row in (decode, heard, store, other)) == pytest.approx(1)
    assert profile.overhead() == pytest.approx(900 / 8900, abs=0.001)
    assert profile.core_seconds_per_hour() == pytest.approx(8900 / 1.5, abs=5)


def test_without_sound_there_is_no_price_of_an_hour(tmp_path: Path, pack: Path, callaudit: Run) -> None:
    assert Profile().core_seconds_per_hour() is None
    write_calls(tmp_path / "calls", 2)
    shown = callaudit("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", "1", "--profile")
    assert shown.returncode == 0
    stages = [line.split("│")[0].strip() for line in shown.stderr.splitlines() if "│" in line]
    assert stages == ["加载模型和规则", "规则", "入库", "其他（启动、计划、传递）"]
    assert "核秒" in shown.stderr
    assert "每小时录音" not in shown.stderr
    assert "│" in shown.stdout
    assert "核秒" not in shown.stdout
