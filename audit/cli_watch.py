"""`callaudit watch` and `callaudit alert`: what runs unattended."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from datetime import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, DB, ENGINE, MODEL, RULES, make_batch, plain_paths, read_given_config, read_list
from audit.errors import Exit
from audit.terminal import CONTEXT, Command, warn

if TYPE_CHECKING:
    from audit.arrivals import Arrivals
    from audit.calls import CallList
    from audit.config import Config
    from audit.plan import Refusal
    from audit.store import Store

FOLDERS = click.argument(
    "folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False),
    callback=plain_paths,
)  # fmt: skip


@click.command("watch", cls=Command, context_settings=CONTEXT)
@FOLDERS
@click.option("--settle", type=click.FloatRange(0.1, 3600), default=10, help="文件多少秒没有变化才算写完，默认 10。")
@click.option("--every", type=click.FloatRange(0.1, 3600), default=5, help="每隔多少秒看一次，默认 5。")
@click.option("--quarantine", type=click.Path(path_type=Path), help="读不了的录音移到哪里，默认 数据库名-quarantine。")
@click.option("--retry-at", metavar="HH:MM", default="02:00", help="每晚几点重试失败的录音，默认 02:00；off 不重试。")
@click.option("--metrics", metavar="HOST:PORT", help="在这里提供 Prometheus 指标，例如 127.0.0.1:9464。")
@click.option("--once", is_flag=True, help="把现有的做完就结束。")
@DB
@ENGINE
@MODEL
@RULES
@CONFIG
def watch_command(folders: Sequence[Path], **given: Any) -> int:
    """看着文件夹或地址，来一个录音审一个；写了一半的等它写完，读不了的隔离并写明原因。Ctrl-C 或 SIGTERM 停止。

    \b
    例：callaudit watch /data/录音 --metrics 127.0.0.1:9464
        callaudit watch s3://存储桶/录音 --every 60
    """
    from audit.arrivals import Arrivals
    from audit.batch import Interrupts
    from audit.journal import note
    from audit.plan import SOUND, TEXT, refuse_missing
    from audit.remote import address, files_below
    from audit.store import Store
    from audit.store.arrived import arrived
    from audit.watch import Watch, keep_looking, look_once

    config = read_given_config(given)
    refuse_missing(folders)
    places = [folder.absolute() if address(folder) is None else folder for folder in folders]
    for place in places:
        if address(place) is not None:
            next(files_below(place), None)  # a mistake in the address is told at once
    suffixes = TEXT if config.engine == "transcript" else SOUND
    arrivals = Arrivals(
        folders=places, suffixes=suffixes, settle_seconds=given["settle"], linked=config.linked_folders
    )
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(config.db))
        arrivals.remember(arrived(store))
        interrupts = stack.enter_context(Interrupts(lambda: note("stopping")))
        if given["metrics"]:
            stack.callback(_serve_metrics(given["metrics"], config, arrivals.waiting))
        watch = Watch(
            arrivals=arrivals,
            quarantine=(given["quarantine"] or Path(f"{config.db}-quarantine")).absolute(),
            audit=_audit(arrivals, store, config, interrupts),
            note=note,
            retry_at=_time_of_day(given["retry_at"]),
        )
        if given["once"]:
            while look_once(watch, store, stopped=lambda: interrupts.count > 0) or arrivals.waiting():
                _rest(given["settle"], lambda: interrupts.count > 0)
        else:
            keep_looking(watch, store, every=given["every"], stopped=lambda: interrupts.count > 0)
        return Exit.SOME_FAILED if given["once"] and store.failures() else Exit.CLEAN


@click.command("alert", cls=Command, context_settings=CONTEXT)
@click.option("--dry-run", is_flag=True, help="只列出有多少条要提醒，不发送。")
@DB
@CONFIG
def alert_command(dry_run: bool, **given: Any) -> int:
    """发送提醒：一票否决级的问题、超期或将到期的投诉、意外停止的批处理。每件只提醒一次，发不出去的下次再发。

    \b
    例：callaudit alert            （放进 cron，每五分钟一次）
    """
    from audit.alerts import notice, send
    from audit.errors import BadConfig
    from audit.store import Store
    from audit.store.alerts import unsent

    config = read_given_config(given)
    with Store.existing(config.db) as store:
        notice(store, terms=config.complaint_terms, now=datetime.now(config.utc_offset))
        if dry_run:
            for kind, count in unsent(store).items():
                click.echo(f"{kind}\t{count}")
            return Exit.CLEAN
        if not config.alerts:
            raise BadConfig('没有设置提醒地址；请在 callaudit.toml 里写 alerts = ["…"]，写法见 docs/unattended.md')
        sent = send(store, config.alerts)
    warn(f"已提醒 {sent.told} 件，{sent.waiting} 件没有发出去，下次再发")
    return Exit.SOME_FAILED if sent.waiting else Exit.CLEAN


def _audit(
    arrivals: Arrivals, store: Store, config: Config, interrupts: Any
) -> Callable[[Sequence[Path]], set[Path]]:
    """What judges recordings that arrived: by the call lists of their folders, an event for each batch."""
    import time

    from audit.arrivals import CALL_LIST
    from audit.batch import run_batch
    from audit.errors import BadPath
    from audit.journal import note

    def audit(paths: Sequence[Path]) -> set[Path]:
        started = time.monotonic()
        above = {p for path in paths for p in path.parents if any(p.is_relative_to(f) for f in arrivals.folders)}
        try:
            lists, refused = _read_lists(sorted(folder / CALL_LIST for folder in above), config)
            wanted = [path for path in paths if not any(path.is_relative_to(one.path.parent) for one in refused)]
            batch = make_batch(wanted, lists, store, config, refused=refused)
        except BadPath:  # gone since the look, or an address that just now can't be read: the next look finds the rest
            arrivals.forget(paths)
            return set(paths)
        tally = run_batch(batch, interrupts=interrupts, notify=lambda _: None)
        seconds = round(time.monotonic() - started, 1)
        counts = {"done": tally.done, "skipped": tally.skipped, "failed": tally.failed}
        note("batch", **counts, unlisted=batch.plan.unlisted, seconds=seconds)
        if tally.conduct is not None:
            note("conduct", findings=tally.conduct.findings, new=tally.conduct.new)
        if tally.unjudged is not None:
            note("conduct_unjudged")
        return {row.path for one in lists for row in one.bad if row.path is not None}

    return audit


def _read_lists(files: Sequence[Path], config: Config) -> tuple[list[CallList], list[Refusal]]:
    """Call lists, and those that can't be used: their folders wait until the list is mended, the others go on."""
    from audit.errors import BadCalls
    from audit.links import refuse_link
    from audit.plan import Refusal
    from audit.remote import address

    lists, refused = [], []
    for file in files:
        try:
            if address(file) is None:
                refuse_link(file, file.parent, linked=config.linked_folders)
            if (found := read_list(file, config)) is not None:
                lists.append(found)
        except BadCalls as error:
            refused.append(Refusal(path=file, reason=str(error)))
    return lists, refused


def _serve_metrics(address: str, config: Config, queue: Callable[[], int]) -> Callable[[], None]:
    from audit.errors import BadConfig
    from audit.store import Store

    try:
        from audit.metrics import Figures, serve
    except ImportError:
        raise BadConfig("指标需要 prometheus-client；请运行 pip install 'callaudit[operations]'") from None
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise click.UsageError("--metrics 请写成 HOST:PORT，例如 127.0.0.1:9464")
    try:
        return serve(Figures(lambda: Store.read(config.db), queue), host=host, port=int(port))
    except OSError as error:
        raise BadConfig(f"--metrics {address}：不能在这里提供指标（{error.strerror}）；请换一个端口") from error


def _time_of_day(text: str) -> clock | None:
    if text == "off":
        return None
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if found is None:
        raise click.UsageError("--retry-at 请写成 HH:MM，例如 02:00，或 off")
    return clock(int(found[1]), int(found[2]))


def _rest(seconds: float, stopped: Callable[[], bool]) -> None:
    import time

    until = time.monotonic() + seconds
    while not stopped() and time.monotonic() < until:
        time.sleep(0.1)
