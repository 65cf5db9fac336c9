"""`callaudit cases`: what is owed and what was paid, from the business system."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.errors import Exit
from audit.terminal import CONTEXT, Command, Group, warn


@click.group("cases", cls=Group, context_settings=CONTEXT)
def cases_group() -> None:
    """案件和还款：承诺是否兑现、回款率都由此算出。

    \b
    例：callaudit cases import cases.csv payments.csv
    """


@cases_group.command("import", cls=Command)
@click.argument("files", metavar="FILE.csv...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--paid-until",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="还款数据齐到这一天；不写则取最后一笔还款的日期。",
)
@DB
@CONFIG
def import_command(files: Sequence[Path], paid_until: datetime | None, **given: Any) -> int:
    """把案件清单和还款清单存入数据库；有 paid_at 和 amount 列的是还款清单。同一文件再导入一次不会重复。

    \b
    例：callaudit cases import cases.csv payments.csv
        callaudit cases import 今日还款.csv --paid-until 2026-11-20
    """
    from audit.access import LOCAL
    from audit.cases import import_cases, read_cases, unknown_cases
    from audit.store import Store

    config = read_given_config(given)
    lists = [read_cases(file, utc_offset=config.utc_offset) for file in files]
    with Store.open(config.db) as store:
        kept, sentences = unknown_cases(store, lists)
        until = None if paid_until is None else paid_until.date()
        done = import_cases(store, kept, actor=LOCAL, paid_until=until)
    sentences = [row.reason for found in lists for row in found.bad] + sentences
    for sentence in sentences:
        warn(sentence)
    warn(
        f"案件：新增 {done.new_cases}，更新 {done.changed_cases}；还款：新增 {done.new_payments} 笔，"
        f"更新 {done.changed_payments} 笔；{len(sentences)} 行没有存；数据库 {config.db}"
    )
    return Exit.SOME_FAILED if sentences else Exit.CLEAN
