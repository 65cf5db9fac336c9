"""运行, in a browser: a recording is handed in and one can watch what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit.access import LOCAL
from audit.ledger import Kind, recent, verify
from audit.operations import TaskState, tasks
from audit.store import Store
from tests.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_recording_is_handed_in_and_its_failure_is_told(
    opened: Callable[[str], Page], served: Served, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound at all")
    page = opened("operations")
    page.get_by_role("tab", name="上传录音").click()
    page.locator("input[type=file]").set_input_files(str(broken))
    page.get_by_text("broken.wav").wait_for()
    page.get_by_role("button", name="交给后台处理").click()
    page.get_by_text("1 个录音已排队").wait_for()
    for _ in range(180):  # the worker loads a recogniser first, on a busy machine in more than a minute
        with Store.read(served.db) as store:
            if (task := tasks(store, actor=LOCAL)[0]).state is not TaskState.WAITING:
                break
        page.wait_for_timeout(1000)
    assert task.state is TaskState.FAILED
    assert "不是能识别的录音格式" in (task.reason or "")
    page.get_by_role("tab", name="失败").click()
    page.get_by_role("button", name="全部重试").wait_for()
    with Store.read(served.db) as store:
        assert recent(store, kind=Kind.UPLOAD, limit=1)[0].actor == "local"
        assert verify(store) is None
