"""A call in which nobody speaks is not scored: no perfect call, in no mean and no share, shown as what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import openpyxl

from audit.store import Filter, Store, tallies
from audit.store.collectors import faultless_calls
from audit.store.samples import Pool, Stratum, candidates
from rules.model import Result
from tests.conftest import write_transcript

SILENT = "c-silent"


def test_silence_is_no_perfect_call(tmp_path: Path, callaudit: Callable[..., CompletedProcess[str]], pack: Path) -> None:
    calls = tmp_path / "calls"
    write_transcript(calls / "c-rude.json", "agent: 你这个臭老赖")
    write_transcript(calls / "c-kind.json", "agent: 您好")
    write_transcript(calls / f"{SILENT}.json")
    calls.joinpath("calls.csv").write_text(
        "call_id,recording,started_at,agent_id\n"
        + "".join(f"{name},{name}.json,2026-11-03T10:00:00+08:00,A1\n" for name in ("c-rude", "c-kind", SILENT)),
        "utf-8",
    )
    done = callaudit("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", 1)
    row = next(line for line in done.stdout.splitlines() if SILENT in line)
    cells = [cell.strip() for cell in row.split("│")]
    assert (cells[2], cells[-1]) == ("—", "未评分")
    assert "1 通没有识别出任何话语：未评分" in done.stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        silent = store.call(SILENT)
        assert silent is not None
        assert set(silent.judgement.outcomes.values()) == {Result.NOT_APPLICABLE}
        totals = tallies.totals(store)
        assert (totals.calls, totals.silent, totals.every_call) == (2, 1, 3)
        assert tallies.differences(store) == []
        assert tallies.quick_check(store) is None
        assert [call["call_id"] for call in faultless_calls(store, Filter(), limit=9)] == ["c-kind"]
        drawn = candidates(store, Pool.UNFLAGGED, Stratum.FLAGGED, Filter())
        assert {one.call_id: one.stratum for one in drawn} == {"c-kind": "unflagged", SILENT: "silent"}
    _reported(tmp_path, callaudit)


def _reported(folder: Path, callaudit: Callable[..., CompletedProcess[str]]) -> None:
    for name in ("report.html", "report.xlsx"):
        assert callaudit("report", "--out", name).returncode == 0
    page = folder.joinpath("report.html").read_text("utf-8")
    assert f"未评分：没有识别出任何话语，不计入平均分、占比和每百通的数，请抽听：{SILENT}" in page
    book = openpyxl.load_workbook(folder / "report.xlsx")
    people = list(book["催收员"].values)
    line = dict(zip(people[0], people[1], strict=True))
    assert (line["通话"], line["每百通机器判定"]) == (2, 50)
    calls = list(book["通话"].values)
    silent = next(dict(zip(calls[0], row, strict=True)) for row in calls if SILENT in row)
    assert (silent["得分"], silent["结论"]) == (None, "未评分")
