"""What all commands share at the terminal: Chinese help and messages, exit codes, tables, the progress bar."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from audit.errors import AuditError, Exit, escaped

if TYPE_CHECKING:
    from audit.batch import Tally

_OBEYED = frozenset((*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
SEVERITIES = ("critical", "high", "medium", "low", "info")
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
# What click writes of its own on a help page, and what stands there instead.
_ON_HELP_PAGES = (
    (re.compile(r"\[OPTIONS\]"), "[选项]"),
    (re.compile(r"COMMAND \[ARGS\]\.\.\."), "命令 [参数]"),
    (re.compile(r"(INTEGER|FLOAT) RANGE|INTEGER|FLOAT"), "N"),
    (re.compile(r"\[%Y-%m-%d\]"), "YYYY-MM-DD"),
    (re.compile(r" *\[required\]"), "必填。"),
    (re.compile(r" *\[([\d.]+)<=x<=([\d.]+)\]"), r"（\1 到 \2）"),
    (re.compile(r" *\[x>=([\d.]+)\]"), r"（至少 \1）"),
)


class Stop(click.ClickException):
    """One sentence on stderr and exit code 2 (click's own is 1, which here means findings)."""

    exit_code = Exit.COULD_NOT_RUN

    def show(self, file: Any = None) -> None:
        click.echo(f"错误：{harmless(self.message)}", err=True)


class Command(click.Command):
    """A command whose help page and mistakes are told in Chinese."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, _in_chinese(" ".join(self.collect_usage_pieces(ctx))), prefix="用法：")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_rows(
            formatter,
            "选项",
            [
                (_in_chinese(row[0]), _in_chinese(row[1]))
                for param in self.get_params(ctx)
                if isinstance(param, click.Option) and (row := param.get_help_record(ctx))
            ],
        )

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "显示这页说明。"
        return option

    def invoke(self, ctx: click.Context) -> Any:
        with told():
            return super().invoke(ctx)


class Group(Command, click.Group):
    """Commands under one name."""

    command_class = Command
    group_class = type

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        Command.format_options(self, ctx, formatter)
        rows = [(name, command.get_short_help_str(80)) for name, command in sorted(self.commands.items())]
        _write_rows(formatter, "命令", rows)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        if not name.startswith("-") and name not in self.commands:
            near = get_close_matches(name, self.commands)
            raise click.UsageError(f"没有命令 {name}" + (f"；相近的有：{'、'.join(near)}" if near else ""), ctx)
        return super().resolve_command(ctx, args)


def _in_chinese(text: str) -> str:
    for pattern, words in _ON_HELP_PAGES:
        text = pattern.sub(words, text)
    return text


def _write_rows(formatter: click.HelpFormatter, heading: str, rows: Sequence[tuple[str, str]]) -> None:
    formatter.write_paragraph()
    formatter.write(f"{heading}：\n")
    with formatter.indentation():
        formatter.write_dl(rows)


def run(group: click.Group) -> NoReturn:
    """Run the command line; every expected failure is one sentence and an exit code of `Exit`."""
    try:
        code = group.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:  # its message is the help page
        error.show()
        sys.exit(Exit.COULD_NOT_RUN)
    except click.UsageError as error:
        usage = f"{error.ctx.get_usage()}\n" if error.ctx else ""
        help_at = f"{error.ctx.command_path} -h" if error.ctx else "callaudit -h"
        click.echo(f"{usage}错误：{_mistake(error)}；用 {help_at} 查看说明", err=True)
        sys.exit(Exit.COULD_NOT_RUN)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("已中断", err=True)
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:  # `callaudit … | head`: the reader has what it wants
        sys.stderr.close()
        sys.exit(Exit.CLEAN)
    sys.exit(code if isinstance(code, int) else Exit.CLEAN)


def _mistake(error: click.UsageError) -> str:
    """What was typed wrong, in Chinese."""
    match error:
        case click.NoSuchOption():
            return f"没有选项 {error.option_name}"
        case click.MissingParameter(param=click.Option() as option):
            return f"缺少选项 {option.opts[0]}"
        case click.MissingParameter():
            return f"缺少参数 {error.param.make_metavar(error.ctx) if error.param and error.ctx else ''}"
        case click.BadParameter():
            name = error.param.opts[0] if error.param else ""
            return f"参数 {name} 的值不对（{_why_bad(error)}）"
        case _:
            extra = re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", error.message)
            return f"多了参数 {extra[1]}" if extra else error.message


_UNREADABLE = "没有这个文件，或没有权限读"
_BAD_PATHS = {
    "is a file": "这是文件，要的是文件夹",
    "is a directory": "这是文件夹，要的是文件",
    "not writable": "没有权限写",
}  # fmt: skip


def _why_bad(error: click.BadParameter) -> str:
    """What the value should have been; the words of our own checks stay as they are."""
    if not re.sub(r"'[^']*'", "", error.message).isascii():
        return error.message
    match error.param and error.param.type:
        case click.Choice() as choice:
            return f"可选：{'、'.join(map(str, choice.choices))}"
        case click.IntRange() | click.FloatRange() as span:
            return f"应为 {span.min} 到 {span.max} 之间的数" if span.max is not None else f"应为不小于 {span.min} 的数"
        case click.types.IntParamType() | click.types.FloatParamType():
            return "应为数字"
        case click.DateTime():
            return "日期写成年-月-日，例如 2026-11-01"
        case click.Path() | click.File():
            named = re.search(r"'(.*)'", error.message)
            why = next((why for words, why in _BAD_PATHS.items() if words in error.message.lower()), _UNREADABLE)
            return f"{named[1] if named else error.message}：{why}"
        case _:
            return error.message


@contextmanager
def told() -> Iterator[None]:
    """Turn every expected failure into a sentence with exit code 2; a bug keeps its traceback."""
    try:
        yield
    except AuditError as error:
        raise Stop(str(error)) from error
    except Exception as error:
        if not _expected(error):
            raise
        raise Stop(str(error)) from error


def _expected(error: Exception) -> bool:
    from rules.load import RuleErrors
    from transcribe.errors import TranscribeError

    return isinstance(error, RuleErrors | TranscribeError)


def warn(message: str) -> None:
    """For people, beside the data on stdout."""
    click.echo(harmless(message), err=True)


def harmless(text: str) -> str:
    """The text without what a terminal obeys (escapes), can't show, or what turns the order of characters around.

    Names of files, calls and people come from outside: a call named `\\x1b[2J` must not clear the screen.
    """
    return "".join("\ufffd" if ord(c) in _OBEYED else c for c in escaped(text))


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), to: TextIO | None = None
) -> None:
    """A table on stdout (or `to`), as wide as the terminal; in a pipe as wide as it needs to be."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, header_style="bold")
    for i, header in enumerate(headers):
        table.add_column(header, justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(cell.replace("\n", "\ufffd"))) for cell in row))
    file = to or sys.stdout
    Console(file=file, width=None if file.isatty() else 240).print(table)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[Tally], None]]:
    """A bar on stderr: calls, hours of sound, speed as times real time, time left. Silent when nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.fields[calls]}"), BarColumn(), TextColumn("{task.fields[speed]}"))
    with Progress(*columns, TextColumn("剩余"), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, calls="准备中", speed="")

        def show(tally: Tally) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            bar.update(
                task,
                total=max(tally.total_bytes, 1),
                completed=tally.bytes,
                calls=f"{tally.over}/{tally.total} 通",
                speed=_speed(tally.heard_ms / 1000, elapsed),
            )

        yield show


@contextmanager
def counting(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr for work without sound: calls done, of how many, time left. Silent when nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (MofNCompleteColumn(), TextColumn("通"), BarColumn(), TextColumn("剩余"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _speed(heard_s: float, elapsed_s: float) -> str:
    sound = f"录音 {heard_s / 3600:,.1f} 小时" if heard_s >= 3600 else f"录音 {heard_s / 60:.0f} 分钟"
    return f"{sound} · {heard_s / elapsed_s:.1f}× 实时" if heard_s and elapsed_s else sound
