"""Shared by all tests of audit/: a tiny rule pack, transcripts as files, and the command as people run it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.forked import COMMAND, completed

NOBODY = 65534
SECONDS = 280
LONGEST = ("test_examples.py", "test_browser_call.py", "test_browser_review.py")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


ENVIRONMENT = _environment()

PACK = """\
name: tiny
title: 测试规则包
version: 0.0.1
rules:
  - id: threaten-contacts
    title: 威胁通讯录
    title_en: Threatens contacts
    category: privacy_leak
    kind: forbid
    role: agent
    severity: critical
    status: stable
    since: 0.1.0
    references: [{instrument: 测试, authority: company_policy, confidence: high}]
    why: 测试
    when: [{phrase: [爆你通讯录]}]
    examples:
      violations: [{turns: ["agent: 我们就爆你通讯录"], spans: [爆你通讯录]}]
      clean: [{turns: ["agent: 您好"], why: 问候}]
  - id: calls-names
    title: 辱骂
    title_en: Calls names
    category: abuse
    kind: forbid
    role: agent
    severity: medium
    status: stable
    since: 0.1.0
    references: [{instrument: 测试, authority: company_policy, confidence: high}]
    why: 测试
    when: [{phrase: [臭老赖]}]
    examples:
      violations: [{turns: ["agent: 你这个臭老赖"], spans: [臭老赖]}]
      clean: [{turns: ["agent: 您好"], why: 问候}]
"""

settings.register_profile("busy", deadline=timedelta(seconds=5))
settings.load_profile("busy")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: some tests wait for most of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that in the end no process is left alone with it."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of two rules, so that tests don't hang on the wording of the real ones."""
    file = tmp_path / "tiny.yaml"
    file.write_text(PACK, "utf-8")
    return file


def write_transcript(path: Path, *lines: str) -> Path:
    """A transcript as someone else's recogniser made it, from `agent: …` lines, two seconds each."""
    turns = [
        {
            "index": i,
            "role": line.split(": ", 1)[0],
            "channel": None,
            "start_ms": i * 2000,
            "end_ms": i * 2000 + 1900,
            "text": line.split(": ", 1)[1],
            "words": [],
            "confidence": 1.0,
        }
        for i, line in enumerate(lines)
    ]
    engine = {"name": "other", "version": "1", "model": "m", "model_sha256": None, "options": {}}
    whole: dict[str, Any] = {
        "version": 1,
        "recording": "0" * 64,
        "duration_ms": 2000 * len(lines),
        "language": "zh",
        "engine": engine,
        "role_confidence": 1.0,
        "notes": [],
        "turns": turns,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
    return path


def write_calls(folder: Path, count: int) -> Path:
    """`count` transcripts, all different, every third with a violation."""
    for i in range(count):
        said = "agent: 再不还我们就爆你通讯录" if i % 3 == 0 else "agent: 请您尽快处理"
        write_transcript(folder / f"c{i:04d}.json", f"agent: 您好，这里是第{i}通", "customer: 嗯", said)
    return folder


@pytest.fixture
def callaudit(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in an empty folder (tests/forked.py); stdout, stderr and exit code as a shell would have them."""

    def run(*args: object, stdin: str = "", env: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
        spawn = env is not os.environ or _environment() != ENVIRONMENT
        return completed(*args, folder=tmp_path, stdin=stdin, environment=env, spawn=spawn, timeout=SECONDS)

    return run


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the installed command from its very start, with what `subprocess.run` takes."""

    def run(*args: object, **more: Any) -> subprocess.CompletedProcess[str]:
        command = [COMMAND, *map(str, args)]
        given = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": SECONDS} | more
        return subprocess.run(command, check=False, **given)

    return run


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, which tmp_path is not."""
    folder = Path(tempfile.mkdtemp(prefix="callaudit-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """As a user whom permissions bind; root would be let in everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
