"""`callaudit retention`: what is kept how long, what must stay, and deletion with a record of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.errors import BadConfig, Exit
from audit.terminal import CONTEXT, Command, Group, print_table, warn

if TYPE_CHECKING:
    from audit.config import Config
    from audit.retention import Deleted, Due, Periods


_KINDS = {"calls": "通话", "attempts": "拨打记录", "cases": "已结案件", "complaints": "已结投诉"}


@click.group("retention", cls=Group, context_settings=CONTEXT)
def retention_group() -> None:
    """保存期限：到期删除（先看后删）、法律保留、删除记录。期限写在 callaudit.toml 的 retention 里。

    \b
    例：callaudit retention plan
        callaudit retention apply --yes
    """


@retention_group.command("plan", cls=Command)
@DB
@CONFIG
def plan_command(**given: Any) -> None:
    """只看不删：每个产品有多少通话、拨打记录、案件、投诉到期，多少被保留。

    \b
    例：callaudit retention plan
    """
    config = _configured(given)
    due = _due(config)
    _table(due)
    warn("以上没有删除；要删除请运行 callaudit retention apply" if due else "没有到期的")


@retention_group.command("apply", cls=Command)
@click.option("--recordings", is_flag=True, help="录音文件本身也删除；不写则只删数据库里的内容和试听副本。")
@click.option("--yes", is_flag=True, help="不再询问，用于定时任务。")
@DB
@CONFIG
def apply_command(recordings: bool, yes: bool, **given: Any) -> int:
    """删除到期的通话、拨打记录、已结的案件和投诉（被保留的、有未结投诉或申诉的除外），删除记入账本。

    \b
    例：callaudit retention apply
        callaudit retention apply --recordings --yes
    """
    from audit.access import LOCAL
    from audit.retention import apply
    from audit.store import Store

    config = _configured(given)
    due = _due(config)
    total = sum(one.count for one in due)
    if not total:
        warn("没有要删除的")
        return Exit.CLEAN
    _table(due)
    if not yes:
        click.confirm(f"永久删除以上 {total} 项{'，通话连同录音文件' if recordings else ''}？", abort=True, err=True)
    with Store.existing(config.db) as store:
        done = apply(store, _periods(config), actor=LOCAL, recordings=recordings)
    return _told(done)


@retention_group.command("forget", cls=Command)
@click.argument("debtor", metavar="债务人编号")
@click.option("--reason", required=True, help="理由，例如本人申请的日期；记入账本。")
@click.option("--recordings", is_flag=True, help="录音文件本身也删除。")
@click.option("--yes", is_flag=True, help="真的删除；不写则只列出会删除什么。")
@DB
@CONFIG
def forget_command(debtor: str, reason: str, recordings: bool, yes: bool, **given: Any) -> int:
    """按人删除：一个债务人的通话、拨打记录、已结的案件和投诉，不论期限（被保留的和未结的除外）。

    \b
    例：callaudit retention forget D0031 --reason 2026-11-20本人申请
        callaudit retention forget D0031 --reason 2026-11-20本人申请 --recordings --yes
    """
    from audit.access import LOCAL
    from audit.retention import Person, apply, plan, refuse_unknown
    from audit.store import Store

    config, person = read_given_config(given), Person(debtor=debtor, reason=reason)
    with Store.existing(config.db) as store:
        refuse_unknown(store, "debtor", debtor)
        _table(plan(store, person, actor=LOCAL))
        if not yes:
            warn("以上没有删除；确认后加 --yes")
            return Exit.CLEAN
        done = apply(store, person, actor=LOCAL, recordings=recordings)
        held = sum(one.held for one in plan(store, person, actor=LOCAL))
    return _told(done, held=held)


def _told(done: Deleted, *, held: int = 0) -> int:
    for reason in done.left:
        warn(f"未删除：{reason}")
    warn(f"已删除通话 {done.calls} 通，其他 {done.outlived} 项，录音文件 {done.files} 个")
    if held:
        warn(f"还有 {held} 项没有删：被保留，或案件、投诉、申诉没有结")
    warn("记录在账本里：callaudit ledger show --kind delete")
    return Exit.SOME_FAILED if done.left or held else Exit.CLEAN


@retention_group.command("hold", cls=Command)
@click.argument("kind", type=click.Choice(["call", "case", "debtor"]))
@click.argument("value", metavar="ID")
@click.option("--reason", required=True, help="理由，例如诉讼案号；记入账本。")
@DB
@CONFIG
def hold_command(kind: Any, value: str, reason: str, **given: Any) -> None:
    """法律保留：这通电话，或这个案件、债务人的全部通话（以后来的也算），到期也不删。

    \b
    例：callaudit retention hold debtor D0031 --reason 2026民初118号
    """
    from audit.access import LOCAL
    from audit.retention import held_now, hold
    from audit.store import Store

    with Store.existing(read_given_config(given).db) as store:
        number = hold(store, kind, value, reason, actor=LOCAL)
        calls, attempts = held_now(store, kind, value)
    warn(f"已保留，编号 {number}：现有通话 {calls} 通、拨打记录 {attempts} 条")
    if not calls + attempts:
        warn("提醒：还没有它的通话，以后来的会保留；请核对编号")
    warn(f"解除：callaudit retention release {number}")


@retention_group.command("release", cls=Command)
@click.argument("number", type=int)
@DB
@CONFIG
def release_command(number: int, **given: Any) -> None:
    """解除一项保留。

    \b
    例：callaudit retention release 3
    """
    from audit.access import LOCAL
    from audit.retention import release
    from audit.store import Store

    with Store.existing(read_given_config(given).db) as store:
        release(store, number, actor=LOCAL)
    warn(f"已解除第 {number} 号保留")


@retention_group.command("holds", cls=Command)
@DB
@CONFIG
def holds_command(**given: Any) -> None:
    """列出生效的保留。

    \b
    例：callaudit retention holds
    """
    from audit.access import LOCAL
    from audit.retention import holds
    from audit.store import Store

    with Store.read(read_given_config(given).db) as store:
        rows = [(str(h.id), h.kind, h.value, h.reason, h.by, h.at) for h in holds(store, actor=LOCAL)]
    print_table(("编号", "对象", "ID", "理由", "谁", "何时"), rows)


def _configured(given: dict[str, Any]) -> Config:
    config = read_given_config(given)
    if not config.retention and config.retention_complaints is None:
        raise BadConfig("没有设保存期限；请在 callaudit.toml 里写 retention = {default = 天数}")
    return config


def _due(config: Config) -> list[Due]:
    from audit.access import LOCAL
    from audit.retention import plan
    from audit.store import Store

    with Store.read(config.db) as store:
        return plan(store, _periods(config), actor=LOCAL)


def _periods(config: Config) -> Periods:
    from audit.retention import Periods

    today = datetime.now(config.utc_offset).date()
    return Periods(days=config.retention, today=today, complaint_days=config.retention_complaints)


def _table(due: list[Due]) -> None:
    rows = [
        (_KINDS[d.kind], d.product or "（未填）", str(d.days or "—"), str(d.count), str(d.held), d.oldest) for d in due
    ]
    print_table(("种类", "产品", "期限（天）", "到期", "保留", "最早"), rows, right=(2, 3, 4))
