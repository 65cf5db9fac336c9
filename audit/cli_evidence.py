"""`callaudit evidence`: everything that the findings of one call rest on, as one file for a third party."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.terminal import CONTEXT, Command, warn


@click.command("evidence", cls=Command, context_settings=CONTEXT)
@click.argument("call_id", metavar="通话编号")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="写到哪里，默认 evidence-通话编号.zip。")
@click.option("--reason", required=True, help="为什么取出（含未打码的个人信息），记入账本。")
@click.option("--sound", is_flag=True, help="录音本身也放进去。")
@DB
@CONFIG
def evidence_command(call_id: str, out: Path | None, reason: str, sound: bool, **given: Any) -> None:
    """把一通电话的证据打成一个 zip：录音哈希、转写、判定、规则、人工结论、账本摘录，带清单和哈希。

    第三方用 docs/verify_evidence.py 核对，只需要 Python。

    \b
    例：callaudit evidence c0012 --reason 监管调取2026-118号
    """
    from audit.access import LOCAL
    from audit.evidence import evidence, new_package
    from audit.store import Store

    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in call_id)
    path = out or Path(f"evidence-{safe}.zip")
    with Store.existing(read_given_config(given).db) as store, new_package(path) as file:
        file.write(evidence(store, call_id, reason=reason, actor=LOCAL, sound=sound))
    click.echo(path)
    warn(f"证据包已写好；核对：python docs/verify_evidence.py {path}")
