"""Whatever audit/ refuses on a page is told in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date
from pathlib import Path

import pytest
import streamlit

import audit
from audit.access import Action, Actor, Refused, Role, require
from audit.calls import read_calls
from audit.cases import read_cases
from audit.complaint_list import read_complaints
from dashboard import server
from dashboard.told import in_english

FOLDER = Path(audit.__file__).parent
SHOWN = (
    "access", "appeals", "bench", "calls", "cases", "coaching", "coaching_clips", "collectors", "complaint_list",
    "complaints", "csv_lists", "review", "sampling", "sessions", "unmask", "uploads",
)  # fmt: skip
"""Modules whose refusals pages show."""
CHINESE = re.compile(r"[一-鿿]{2}")
EXAMPLE = "坐席：客户：您好，这里是"  # what is to be typed into the bench is Chinese in either language


def sentences(module: str) -> Iterator[str]:
    """Each sentence that the module raises, with 7 in every blank."""
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))):
        if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call) or not node.exc.args:
            continue
        match node.exc.args[0]:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=parts):
                yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in parts)


@pytest.mark.parametrize("module", SHOWN)
def test_every_sentence_that_a_page_shows_is_there_in_english(module: str) -> None:
    found = [text for text in sentences(module) if CHINESE.search(text)]
    assert found
    for text in found:
        english = in_english(text)
        assert not CHINESE.search(re.sub(f"[{EXAMPLE}]", "", english)), text
        assert english.count("7") == text.count("7") or "7" not in text, (text, english)


def test_a_bug_is_a_sentence_on_the_page_too(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(streamlit, "error", lambda text, icon: said.append(text))
    assert server._told(OverflowError("Python int too large"))
    (sentence,) = said
    assert sentence.startswith("程序出错")
    assert "Python" not in sentence


def test_rows_that_are_left_out_of_a_list_are_told_in_english(tmp_path: Path) -> None:
    calls = "call_id,started_at,duration,callee_relation,answered,days_overdue,agent_channel\n"
    cases = "case_id,days_overdue,overdue_amount,satisfaction,assigned_at,paid_at,paid_amount\n"
    complaints = "received_at,channel,category,text\n"
    wrong = [
        *(row.reason for row in read_calls(_list(tmp_path, calls), utc_offset=UTC).bad),
        *(row.reason for row in read_cases(_list(tmp_path, cases), utc_offset=UTC).bad),
        *read_complaints(_list(tmp_path, complaints), utc_offset=UTC, day=date(2026, 11, 21)).bad,
    ]
    assert len(wrong) == 15
    for text in map(in_english, wrong):
        assert not CHINESE.search(text), text
    assert in_english(wrong[0]).endswith("line 2: started_at can't be “x”; it should be such as "
                                         "2026-11-19T15:10:00+08:00 or 2026-11-19 15:10:00")  # fmt: skip


def _list(folder: Path, header: str) -> Path:
    """A list with a row for each column but the first of a case or call, in which that cell is wrong."""
    columns = header.strip().split(",")
    right = {"received_at": "2026-11-20", "channel": "12378", "text": "words"}
    rows = [{name: right.get(name, "") for name in columns} | {columns[0]: right.get(columns[0], f"n{n}"), name: "x"}
            for n, name in enumerate(columns[columns[0] in ("call_id", "case_id"):]) if name != "text"]  # fmt: skip
    file = folder / "list.csv"
    file.write_text(header + "".join(f"{','.join(row[name] for name in columns)}\n" for row in rows), "utf-8")
    return file


def test_names_stay_and_our_own_labels_are_translated() -> None:
    with pytest.raises(Refused) as refused:
        require(Actor(name="王敏", role=Role.COLLECTOR, agent_id="A01"), Action.EXPORT)
    assert in_english(str(refused.value)).startswith("王敏 (collector) may not do this")
    said = in_english("变为“已答复”之前请先填写并保存：结论、答复内容；填了还没保存的不算")
    assert "fill in and save: Outcome, Answer to the complainant;" in said


def test_what_nobody_has_translated_is_shown_as_it_is() -> None:
    assert in_english("磁盘坏了") == "磁盘坏了"
