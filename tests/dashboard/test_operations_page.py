"""The page 运行: what it shows and to whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit.access import LOCAL, Actor, Role
from audit.config import Config
from audit.ledger import Kind, record
from audit.store import Settings, Store
from audit.store.operations import ask_for, sign_run
from dashboard import data

APP = Path(data.__file__).with_name("app.py")
SETTINGS = Settings(
    tool_version="0.1.0", ruleset="r", ruleset_version="1", ruleset_digest="d" * 64, engine="faster-whisper", model="base", options={}
)  # fmt: skip
COUNTS = {
    "total": 200,
    "done": 50,
    "skipped": 30,
    "failed": 0,
    "heard_ms": 3_600_000,
    "bytes": 500,
    "total_bytes": 1000,
}


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    Store.open(tmp_path / "callaudit.db").close()
    return tmp_path / "callaudit.db"


def run(db: Path, *, role: Role = Role.ADMIN) -> AppTest:
    data.configure(Config(db=db), acting=Actor(name="someone", role=role))
    return AppTest.from_file(str(APP), default_timeout=30).switch_page("views/operations.py").run()


def said(at: AppTest) -> str:
    boxes = [*at.caption, *at.info, *at.warning, *at.success, *at.error]
    return "\n".join(str(box.value) for box in boxes)


def start_run(db: Path, *, at: datetime) -> int:
    with Store.open(db) as store, store.writing():
        number = store.start_run("audit", SETTINGS)
        sign_run(store, number, COUNTS)
        store.sql.execute("update run_signs set at = ?", [at.isoformat(timespec="seconds")])
        return number


def test_an_empty_store_says_what_to_do_next(empty: Path) -> None:
    at = run(empty)
    assert not at.exception
    assert "callaudit audit" in said(at)
    assert [metric.value for metric in at.metric][:4] == ["0", "0.0", "0", "0"]


def test_the_figures_are_those_of_the_store(demo: Path) -> None:
    at = run(demo)
    with Store.read(demo) as store:
        calls = len(list(store.calls()))
    assert at.metric[0].value == f"{calls:,}"


def test_a_run_at_work_and_one_that_broke_off(empty: Path) -> None:
    start_run(empty, at=datetime.now(UTC))
    assert "中途断了" not in str(run(empty).dataframe[0].value)
    start_run(empty, at=datetime.now(UTC) - timedelta(minutes=5))
    at = run(empty)
    assert "没有做完就断了" in said(at)
    assert "✖ 中途断了" in set(at.dataframe[0].value["状态"])


def test_failures_are_told_with_their_reason_and_a_way_to_try_again(empty: Path) -> None:
    with Store.open(empty) as store:
        store.fail(Path("/nowhere/a.wav"), "a.wav：<b>坏了</b>", call_id=None, run=store.start_run("audit", SETTINGS))
    at = run(empty)
    assert "a.wav：<b>坏了</b>" in set(at.dataframe(key="failures_table").value["原因"])
    at.button(key="retry_all").click().run()
    assert "1 个不能重试" in said(at)


def test_who_may_only_look_finds_no_button_that_does_anything(empty: Path) -> None:
    with Store.open(empty) as store:
        store.fail(Path("/nowhere/a.wav"), "坏了", call_id=None, run=store.start_run("audit", SETTINGS))
    at = run(empty, role=Role.REVIEWER)
    assert "您的角色只能查看" in said(at)
    assert {button.key for button in at.main.button} == set()
    assert [tab.label for tab in at.tabs] == ["批次", "失败", "上传录音", "引擎与数据库"]


def test_what_waits_without_a_worker_can_be_gone_on_with(empty: Path) -> None:
    with Store.open(empty) as store:
        ask_for(store, Path("/nowhere/a.wav"), kind="upload", name="a.wav", by="someone")
    at = run(empty)
    assert "没有在运行" in said(at)
    assert at.button(key="start_worker").label == "继续处理等待的 1 个"


def test_the_ledger_reads_in_the_readers_language(empty: Path) -> None:
    with Store.open(empty) as store:
        record(store, actor=LOCAL, kind=Kind.EXPORT, subject="complaints by agent_id", data={"form": "csv", "rows": 3})
        verdict = {"call": "c-1", "before": "waiting", "after": "dismissed", "undoes": None}
        record(store, actor=LOCAL, kind=Kind.VERDICT, subject="ab12", data=verdict)
        record(store, actor=LOCAL, kind=Kind.SAMPLE, subject="sample-4", data={"unknown": ["x", True]})
    at = run(empty)
    shown = at.dataframe[-1].value
    assert list(shown["谁"]) == ["本机"] * 3
    assert list(shown["对象"]) == ["抽检样本 4", "ab12", "投诉统计（按催收员）"]
    assert list(shown["内容"]) == ["unknown：x、是", "后来：已驳回；原来：待复核；通话：c-1", "格式：csv；行数：3"]
    at.sidebar.button_group(key="lang").set_value("en").run()
    assert "form: csv; rows: 3" in set(at.dataframe[-1].value["Content"])


def test_the_ledger_is_shown_and_verified(empty: Path) -> None:
    with Store.open(empty) as store:
        head = record(store, actor=LOCAL, kind=Kind.EXPORT, subject="十一月.xlsx")
    at = run(empty)
    assert "十一月.xlsx" in set(at.dataframe[-1].value["对象"])
    at.button(key="verify").click().run()
    assert at.code[0].value == str(head)
