"""What can be typed is written down: every command, option, configuration key and column stands in docs/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from audit.calls import COLUMNS, read_calls
from audit.cli import cli
from audit.config import CHINA, Config, read_config

DOCS = Path(__file__).parent.parent / "docs"


def leaves(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.parametrize(("path", "command"), [*leaves(cli, "callaudit")])
def test_every_command_and_option_is_in_the_docs(path: str, command: click.Command) -> None:
    text = (DOCS / "cli.md").read_text("utf-8")
    assert path in text
    long = [name for param in command.params for name in param.opts if name.startswith("--") and name != "--input"]
    assert [name for name in long if name not in text] == []


def test_every_configuration_key_is_in_the_docs() -> None:
    text = (DOCS / "configuration.md").read_text("utf-8")
    assert [field.name for field in fields(Config) if f"| `{field.name}` |" not in text] == []


def test_the_example_of_a_configuration_is_one(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", (DOCS / "configuration.md").read_text("utf-8"), re.S)
    assert example is not None
    (tmp_path / "callaudit.toml").write_text(example[1], "utf-8")
    assert read_config(tmp_path / "callaudit.toml").workers == 2


def test_every_column_is_in_the_docs() -> None:
    text = (DOCS / "calls.md").read_text("utf-8")
    assert [name for name in COLUMNS if f"| `{name}` |" not in text] == []


def test_the_times_that_the_docs_show_are_read(tmp_path: Path) -> None:
    row = next(
        line for line in (DOCS / "calls.md").read_text("utf-8").splitlines() if line.startswith("| `started_at`")
    )
    shown = re.findall(r"`(2026[^`]*)`", row)
    assert shown
    for time in shown:
        (tmp_path / "calls.csv").write_text(f"call_id,started_at\nc1,{time}\n", "utf-8")
        assert read_calls(tmp_path / "calls.csv", utc_offset=CHINA).bad == ()
