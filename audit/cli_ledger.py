"""`callaudit ledger`: what people did, and whether the record of it holds."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.errors import Exit
from audit.terminal import CONTEXT, Command, Group, print_table, warn

if TYPE_CHECKING:
    from audit.ledger import Head


@click.group("ledger", cls=Group, context_settings=CONTEXT)
def ledger_group() -> None:
    """操作账本：谁在什么时候做了什么，一条扣一条，改不了也删不掉。

    \b
    例：callaudit ledger show
        callaudit ledger verify
    """


@ledger_group.command("verify", cls=Command)
@click.option("--anchor", metavar="SEQ:HASH", help="以前留存的凭据；账本末尾被删或整本重写时，只有它能发现。")
@DB
@CONFIG
def verify_command(anchor: str | None, **given: Any) -> int:
    """逐条核对账本；有问题时说出第一条，退出码 3。

    完好时在标准输出打印凭据（最后一条的编号和哈希）：请留存在别处，例如写进周报，下次用 --anchor 核对。

    \b
    例：callaudit ledger verify
        callaudit ledger verify --anchor 128:9f86d0…
    """
    from audit.ledger import head, verify
    from audit.store import Store

    kept = None if anchor is None else _anchor(anchor)
    with Store.read(read_given_config(given).db) as store:
        broken = verify(store, anchor=kept)
        last = head(store)
    if broken is not None:
        warn(f"账本有问题：第 {broken.seq} 条，{broken.why}")
        return Exit.SOME_FAILED
    click.echo(str(last))
    warn(f"账本完好，共 {last.seq} 条；上面一行是凭据，请留存在别处")
    return Exit.CLEAN


@ledger_group.command("show", cls=Command)
@click.option("--kind", help="只看一种，例如 verdict、unmask、export、sign_in_failed。")
@click.option("--subject", help="只看一个对象，例如通话编号或账号。")
@click.option("--last", type=click.IntRange(1, 100_000), default=50, help="最近多少条，默认 50。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON，每行一条。")
@DB
@CONFIG
def show_command(kind: str | None, subject: str | None, last: int, as_json: bool, **given: Any) -> None:
    """最近的账目，新的在前。

    \b
    例：callaudit ledger show --kind unmask --last 20
    """
    from audit.ledger import Kind, recent
    from audit.store import Store

    if kind is not None and kind not in list(Kind):
        raise click.UsageError(f"没有 {kind} 这一种；可用的有 {'、'.join(Kind)}")
    with Store.read(read_given_config(given).db) as store:
        found = recent(store, kind=None if kind is None else Kind(kind), subject=subject, limit=last)
    if as_json:
        for entry in found:
            click.echo(json.dumps(asdict(entry), ensure_ascii=False))
        return
    rows = [(str(e.seq), e.at, e.actor, e.kind, e.subject, json.dumps(e.data, ensure_ascii=False)) for e in found]
    print_table(("编号", "时间（UTC）", "谁", "做了什么", "对象", "内容"), rows, right=(0,))


def _anchor(text: str) -> Head:
    from audit.ledger import Head

    found = re.fullmatch(r"(\d+):([0-9a-f]{64})", text.strip())
    if found is None:
        raise click.UsageError("--anchor 要写成 编号:哈希，就是 callaudit ledger verify 打印的那一行")
    return Head(seq=int(found[1]), hash=found[2])
