"""`callaudit work`: audits what was handed in through the dashboard, or is to be tried again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from audit.cli_batch import CONFIG, DB, make_batch, read_given_config, tell_conduct
from audit.errors import Exit
from audit.terminal import CONTEXT, Command, warn


@click.command("work", cls=Command, context_settings=CONTEXT)
@DB
@CONFIG
def work_command(**given: Any) -> int:
    """审计在仪表盘上传的和要求重试的录音，全部做完后结束；平时由仪表盘启动。

    \b
    例：callaudit work
    """
    from audit.batch import Interrupts, run_batch
    from audit.calls import read_calls
    from audit.store import Store
    from audit.uploads import CALL_LIST
    from audit.work import work

    config = read_given_config(given)
    inbox, failed, unjudged = config.inbox.absolute(), 0, False
    with Store.existing(config.db) as store:

        def audit(paths: Sequence[Path]) -> None:
            nonlocal failed, unjudged
            folders = sorted({path.parent for path in paths if path.is_relative_to(inbox)})
            files = [folder / CALL_LIST for folder in folders if (folder / CALL_LIST).is_file()]
            lists = [read_calls(file, utc_offset=config.utc_offset) for file in files]
            tally = run_batch(make_batch(paths, lists, store, config), interrupts=interrupts, notify=lambda _: None)
            tell_conduct(tally)
            failed += tally.failed
            unjudged = unjudged or tally.unjudged is not None

        with Interrupts(lambda: warn("正在收尾：做完进行中的就停止")) as interrupts:
            done = work(store, audit, stopped=lambda: interrupts.count > 0)
    warn(f"处理 {done} 个录音，失败 {failed} 个")
    if interrupts.count:
        return Exit.INTERRUPTED
    return Exit.SOME_FAILED if failed or unjudged else Exit.CLEAN
