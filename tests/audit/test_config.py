"""callaudit.toml: read once, unknown keys refused by name."""

from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path

import pytest

from audit.config import CHINA, Config, read_config
from audit.errors import BadConfig
from rules.model import Severity


def write(folder: Path, text: str) -> Path:
    file = folder / "callaudit.toml"
    file.write_text(text, "utf-8")
    return file


def test_every_key_is_read(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        'db = "a.db"\nrules = "./pack"\nengine = "transcript"\nmodel = "small"\nworkers = 3\nagent_channel = 1\n'
        'utc_offset = "+07:30"\nfail_on = "high"\n',
    )
    assert read_config(file) == Config(
        db=tmp_path / "a.db",
        rules=str(tmp_path / "pack"),
        engine="transcript",
        model="small",
        workers=3,
        agent_channel=1,
        utc_offset=timezone(timedelta(hours=7, minutes=30)),
        fail_on=Severity.HIGH,
    )


def test_the_current_folder_has_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_config() == Config()
    write(tmp_path, "workers = 2\n")
    assert read_config().workers == 2
    assert read_config().utc_offset == CHINA


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("worker = 2\n", "worker；可用的有：db、"),
        ("workers = 0\n", "workers = 0 不对"),
        ("workers = true\n", "workers = True 不对"),
        ('engine = "whisper"\n', "faster-whisper"),
        ('fail_on = "bad"\n', "critical"),
        ('utc_offset = "8"\n', r"\+08:00"),
        ("agent_channel = 2\n", "0 表示坐席在左声道"),
        ("db = 1\n", "带引号"),
        ('tls_cert = "a.pem"\n', "tls_key"),
        ('tls_key = "a.pem"\n', "tls_cert"),
        ("db = \n", "TOML"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(BadConfig, match=told) as error:
        read_config(file)
    assert str(file) in str(error.value)


def test_a_file_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="--config"):
        read_config(tmp_path / "none.toml")
