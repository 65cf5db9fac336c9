"""`callaudit complaints`: take complaints in, and say which answers are due."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.errors import Exit
from audit.terminal import CONTEXT, Command, Group, print_table, warn

if TYPE_CHECKING:
    from audit.complaint_figures import Due


@click.group("complaints", cls=Group, context_settings=CONTEXT)
def complaints_group() -> None:
    """投诉：从清单登记，列出快到期和已超期的。

    \b
    例：callaudit complaints import complaints.csv
        callaudit complaints due --within 3
    """


@complaints_group.command("import", cls=Command)
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path))
@DB
@CONFIG
def import_command(file: Path, **given: Any) -> int:
    """从清单登记投诉；同一文件再导入一次不会重复，写错的行按行号列出，其余照常登记。

    \b
    例：callaudit complaints import complaints.csv
    """
    from audit.access import LOCAL
    from audit.complaint_list import read_complaints
    from audit.complaints import Desk, take_in, today
    from audit.store import Store

    config = read_given_config(given)
    found = read_complaints(file, utc_offset=config.utc_offset, day=today())
    for sentence in found.bad:
        warn(sentence)
    with Store.open(config.db) as store:
        desk = Desk(store=store, actor=LOCAL, terms=config.complaint_terms)
        numbers = take_in(desk, [intake for _, intake in found.intakes])
    known = numbers.count(None)
    warn(f"登记 {len(numbers) - known} 条投诉，已有 {known} 条，{len(found.bad)} 行有误；数据库 {config.db}")
    return Exit.SOME_FAILED if found.bad else Exit.CLEAN


@complaints_group.command("due", cls=Command)
@click.option("--within", type=click.IntRange(0, 365), help="几天之内到期的也列出；默认按配置的 complaint_due_soon。")
@click.option("--json", "as_json", is_flag=True, help="每行一条 JSON。")
@DB
@CONFIG
def due_command(within: int | None, as_json: bool, **given: Any) -> None:
    """列出还没有答复、快到期和已超期的投诉，最急的在前；不含姓名和内容。

    \b
    例：callaudit complaints due
        callaudit complaints due --within 7 --json
    """
    from audit.access import LOCAL
    from audit.complaint_figures import due
    from audit.complaints import Desk
    from audit.store import Store

    config = read_given_config(given)
    with Store.read(config.db) as store:
        desk = Desk(store=store, actor=LOCAL, terms=config.complaint_terms)
        found = due(desk, within=config.complaint_due_soon if within is None else within)
    if as_json:
        for one in found:
            click.echo(json.dumps(_plain(one), ensure_ascii=False))
        return
    print_table(("编号", "渠道", "到期日", "剩余天数", "状态"), [_row(one) for one in found], right=(0, 3))
    overdue = sum(one.days_left < 0 for one in found)
    warn(f"已超期 {overdue} 条，快到期 {len(found) - overdue} 条")


def _plain(one: Due) -> dict[str, object]:
    return {"id": one.id, "channel": one.channel, "due_on": one.due_on.isoformat(), "days_left": one.days_left}


def _row(one: Due) -> list[str]:
    from audit.complaint_terms import CHANNELS

    state = "已超期" if one.days_left < 0 else "今天到期" if one.days_left == 0 else "快到期"
    return [str(one.id), CHANNELS[one.channel][0], one.due_on.isoformat(), str(one.days_left), state]
