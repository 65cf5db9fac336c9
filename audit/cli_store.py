"""`callaudit backup` and `callaudit restore`: copies of the store, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.terminal import CONTEXT, Command, warn


@click.command("backup", cls=Command, context_settings=CONTEXT)
@click.argument("to", metavar="文件或文件夹", type=click.Path())
@DB
@CONFIG
def backup_command(to: str, **given: Any) -> None:
    """备份数据库，批处理运行时也可以；不覆盖任何文件。给文件夹则以时间命名；以 / 结尾的文件夹要已经有。

    \b
    例：callaudit backup /backup/
        callaudit backup callaudit-周日.db --db callaudit.db
    """
    from audit.backup import backup
    from audit.store import Store

    config = read_given_config(given)
    with Store.read(config.db) as store:
        path = backup(store, to)
    click.echo(path)
    warn(f"已备份 {config.db}，{path.stat().st_size / 1e6:.1f} MB；恢复：callaudit restore {path} --db {config.db}")


@click.command("restore", cls=Command, context_settings=CONTEXT)
@click.argument("source", metavar="备份文件", type=click.Path(path_type=Path, dir_okay=False))
@DB
@CONFIG
def restore_command(source: Path, **given: Any) -> None:
    """用备份恢复数据库。原来的数据库改名保留，不删除；批处理运行时不能恢复。

    \b
    例：callaudit restore /backup/callaudit-20261122-020000-000000.db
    """
    from audit.access import LOCAL
    from audit.backup import restore
    from audit.store import Store
    from audit.store.cipher import given_key

    config = read_given_config(given)
    kept = restore(source, config.db, actor=LOCAL)
    warn(f"已恢复到 {config.db}" + (f"；原来的数据库在 {kept}" if kept else ""))
    with Store.examine(config.db) as store:
        if store.key is None and given_key() is not None:
            warn("这个备份没有加密，恢复的数据库也没有；请运行 callaudit encrypt")
