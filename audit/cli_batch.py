"""Commands that go over many calls: audit, reaudit, transcribe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.errors import Exit
from audit.terminal import CONTEXT, SEVERITIES, Command, counting, print_table, progress, warn

if TYPE_CHECKING:
    from audit.batch import Batch, Tally
    from audit.calls import CallList
    from audit.config import Config
    from audit.hearing import Hearing
    from audit.plan import Refusal
    from audit.store import Store, StoredCall
    from audit.timing import Profile
    from audit.workers import Limits
    from rules.model import RuleSet

_ALL_OF_A_CLUSTER = 1_000_000
_WORKER_BYTES = 900_000_000  # the most that a worker with the base model may come to (docs/transcribing.md)


ENGINES = ("faster-whisper", "openai-whisper", "transcript")


def _where(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    from audit.config import read_on

    try:
        return None if value is None else read_on(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def plain_paths(_ctx: click.Context, _param: click.Parameter, paths: Sequence[Path]) -> list[Path]:
    from audit.remote import plain

    return [plain(path) for path in paths]


PATHS = click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path), callback=plain_paths
)
CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="配置文件，默认为当前文件夹的 callaudit.toml（若有）。"
)
DB = click.option("--db", type=click.Path(path_type=Path), help="数据库文件，默认 callaudit.db。")
RULES = click.option("--rules", metavar="PACK", help="规则包：自带的名字、文件夹或一个 YAML 文件，默认 cn-collection。")
ON = click.option(
    "--on", metavar="WHERE", callback=_where, help="在哪里运行：local（默认）、ray（本机的 Ray）、ray://主机:端口。"
)
QUIET = click.option("--quiet", is_flag=True, help="不显示进度条。")
ENGINE = click.option(
    "--engine", type=click.Choice(ENGINES), help="识别引擎，默认 faster-whisper；transcript 读现成的转写。"
)
MODEL = click.option("--model", metavar="NAME|DIR", help="模型名或文件夹，默认 collection（适配催收的 base）。")
_STAGES = {
    "load": "加载模型和规则", "fetch": "取录音", "decode": "解码", "voice": "语音检测", "recognise": "识别",
    "read": "同音改读", "rules": "规则", "store": "入库", "other": "其他（启动、计划、传递）",
}  # fmt: skip
HEADERS = {
    "zh": ("通话", "催收员", "得分", "一票否决", "高", "中", "低", "提示", "待复核", "说明"),
    "en": ("Call", "Collector", "Score", "Critical", "High", "Medium", "Low", "Info", "Unsure", "Verdict"),
}


@click.command("audit", cls=Command, context_settings=CONTEXT)
@PATHS
@click.option("--calls", type=click.Path(path_type=Path), help="通话清单 CSV，默认用录音文件夹里的 calls.csv。")
@DB
@ENGINE
@MODEL
@click.option("--workers", type=click.IntRange(1, 256), help="工作进程数，默认按 CPU 核数。")
@ON
@click.option("--profile", is_flag=True, help="最后列出各阶段用了多少处理器时间，每小时录音要多少核秒。")
@RULES
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="有这一级或更严重的违规时退出码为 1。")
@CONFIG
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", envvar="CALLAUDIT_LANG", help="表格的语言。")
@QUIET
def audit_command(paths: Sequence[Path], **given: Any) -> int:
    """审计录音：识别、按规则判定、存入数据库。可中断，再运行同一命令即继续。

    \b
    例：callaudit audit 录音/ --calls 录音/calls.csv
        callaudit audit 录音/ --fail-on high --workers 4
        callaudit audit s3://存储桶/录音
        callaudit audit 录音/ --on ray://10.0.0.1:10001 --profile
        callaudit audit 转写/ --engine transcript
    """
    from audit.plan import refuse_missing
    from audit.store import Store
    from audit.timing import Profile

    config = read_given_config(given)
    profile = Profile() if given["profile"] else None
    refuse_missing(paths)
    lists = _call_lists(given["calls"], paths, config)
    with Store.open(config.db) as store:
        batch = replace(make_batch(paths, lists, store, config), profile=profile)
        if batch.plan.unlisted:
            warn(f"提醒：{batch.plan.unlisted} 个录音不在通话清单里，接听人、时间和催收员按文件名取默认值；请核对清单")
        tally = _run(batch, quiet=given["quiet"])
        judged = [call for record in batch.plan.records if (call := store.call(record.call_id)) is not None]
    print_table(HEADERS[given["lang"]], [_row(call, given["lang"]) for call in judged], right=range(2, 9))
    if profile is not None:
        _show_profile(profile, config)
    _close(tally, config.db, silent=sum(call.card.score is None for call in judged))
    return _exit_code(tally, judged, config)


def read_given_config(given: dict[str, Any]) -> Config:
    """The configuration file, with what the command line says on top."""
    from audit.config import read_config
    from rules.model import Severity

    names = ("db", "engine", "model", "workers", "on", "rules", "fail_on")
    over = {name: given[name] for name in names if given.get(name) is not None}
    if "fail_on" in over:
        over["fail_on"] = Severity(over["fail_on"])
    return replace(read_config(given["config"]), **over)


def _call_lists(given: Path | None, paths: Sequence[Path], config: Config) -> list[CallList]:
    """The call list asked for, else calls.csv of each folder; `BadPath` where the one asked for is not there."""
    from audit.errors import BadPath
    from audit.links import refuse_link
    from audit.remote import address, spelled

    folders = [path for path in paths if path.is_dir() or (address(path) and not path.suffix)]
    files = [given] if given is not None else [folder / "calls.csv" for folder in folders]
    for file in files if given is None else ():  # a list that nobody named
        if address(file) is None:
            refuse_link(file, file.parent, linked=config.linked_folders)
    lists = [found for file in files if (found := read_list(file, config)) is not None]
    if given is not None and not lists:
        raise BadPath(f"{spelled(given)}：没有这个通话清单；请检查 --calls 的路径，或去掉 --calls，按文件名取默认值")
    if not lists:
        warn(
            "提醒：没有通话清单 calls.csv；通话信息按文件名取默认值，涉及接听人和时间的规则无法确定，可用 --calls 指定"
        )
    return lists


def read_list(file: Path, config: Config) -> CallList | None:
    """The call list, None where there is none; `BadCalls`, or `BadPath` where its address can't be read."""
    from functools import partial

    from audit.calls import read_calls
    from audit.remote import address, read_list_at

    read = partial(read_calls, utc_offset=config.utc_offset)
    if address(file) is not None:
        return read_list_at(file, read)
    return read(file) if file.exists() else None


def make_batch(
    paths: Sequence[Path],
    lists: Sequence[CallList],
    store: Store,
    config: Config,
    *,
    refused: Sequence[Refusal] = (),
) -> Batch:
    """What is to be done with the recordings under `paths`, as configured; `BadPath` where there are none.

    `refused` is what was turned down before, and fails with the rest.
    """
    from audit.batch import Batch
    from audit.errors import BadPath
    from audit.hearing import weights_digest
    from audit.plan import SOUND, TEXT, Wanted, keepable, make_plan
    from audit.remote import spelled
    from audit.settings import settings_of
    from rules.load import load_rules

    ruleset = load_rules(config.rules)
    suffixes = TEXT if config.engine == "transcript" else SOUND
    plan = make_plan(
        paths,
        wanted=Wanted(suffixes=suffixes, linked=config.linked_folders),
        lists=lists,
        known=store.records(),
        utc_offset=config.utc_offset,
    )
    plan = keepable(replace(plan, refusals=(*refused, *plan.refusals)))
    if not plan.records and not plan.refusals:
        raise BadPath(f"{'、'.join(map(spelled, paths))}：没有找到录音；支持 {'、'.join(sorted(SOUND))}")
    hearing = _hearing(config, ruleset, workers=_workers(config))
    return Batch(
        plan=plan,
        store=store,
        hearing=hearing,
        ruleset=ruleset,
        settings=settings_of(config, ruleset),
        model_sha256=weights_digest(hearing),
        workers=min(_workers(config), max(1, len(plan.records))),
        limits=_limits(config),
        on=config.on,
    )


def _limits(config: Config) -> Limits:
    from audit.workers import Limits

    gigabytes = config.worker_gigabytes or 0
    return Limits(seconds=config.call_minutes * 60, bytes=int(gigabytes * 1e9))


def _workers(config: Config) -> int:
    """How many calls at once: one a core, fewer where memory is short, and then each with threads for the other cores;
    a cluster gives as many processors as it has.
    """
    from audit.workers import memory_share

    if config.workers:
        return config.workers
    if config.on != "local":
        return _ALL_OF_A_CLUSTER
    return max(1, min(_cores(), memory_share(1) // _WORKER_BYTES))


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _hearing(config: Config, ruleset: RuleSet, *, workers: int) -> Hearing:
    from audit.hearing import Hearing
    from rules.hotwords import hotwords

    return Hearing(
        engine=config.engine,
        model=config.model,
        threads=max(1, _cores() // workers),
        agent_channel=config.agent_channel,
        hotwords=hotwords(ruleset),
    )


def _run(batch: Batch, *, quiet: bool) -> Tally:
    from audit.batch import Interrupts, run_batch

    def say() -> None:
        warn("\n正在收尾：等进行中的通话完成后停止；再按一次 Ctrl-C 立即停止")

    with Interrupts(say) as interrupts, progress(quiet=quiet) as show:
        return run_batch(batch, interrupts=interrupts, notify=show)


def _row(call: StoredCall, lang: str) -> list[str]:
    counts = [str(call.card.violations[severity] or "") for severity in call.card.violations]
    unsure = sum(call.card.unsure.values())
    verdict = call.card.verdict.label if lang == "zh" else call.card.verdict.value
    who = call.record.agent_name or call.record.agent_id or ""
    score = "—" if call.card.score is None else str(call.card.score)
    return [call.record.call_id, who, score, *counts, str(unsure or ""), verdict]


def _close(tally: Tally, db: Path, *, silent: int) -> None:
    """The last lines, for people: how it went, where everything is, what to do next."""
    warn(f"完成 {tally.done} 通，跳过已完成 {tally.skipped} 通，失败 {tally.failed} 通；结果在 {db}")
    for reason in tally.reasons:
        warn(f"失败：{reason}")
    if silent:
        warn(f"{silent} 通没有识别出任何话语：未评分，不计入平均分和比例，请抽听")
    tell_conduct(tally)
    if tally.interrupted:
        warn(f"已中断：还有 {tally.total - tally.over} 通没有做；再运行同一命令即从这里继续")
    else:
        warn(f"写报告：callaudit report --db {db} --out report.html（或 .xlsx）")


def tell_conduct(tally: Tally) -> None:
    """What several calls break together, where something new was judged; or why it could not be."""
    if tally.conduct is not None:
        found = tally.conduct
        warn(f"跨通话问题共 {found.findings} 条，新增 {found.new} 条：见仪表盘“联系频次”页，或报告“跨通话问题”一节")
    if tally.unjudged is not None:
        warn(f"跨通话的规则没有判完：{tally.unjudged}；通话都已存好，之后请运行 callaudit conduct")


def _show_profile(profile: Profile, config: Config) -> None:
    """Where the time went and what an hour of sound costs, for people."""
    rows = [
        (_STAGES[row.stage], f"{row.cpu_s:.1f}", f"{row.share:.1%}", f"{row.median_s:.3f}", f"{row.most_s:.3f}")
        for row in profile.figures()
    ]
    print_table(("阶段", "核秒", "占比", "每通中位（秒）", "每通 95%（秒）"), rows, right=range(1, 5), to=sys.stderr)
    warn(f"共 {profile.total_s():.1f} 核秒")
    per_hour = profile.core_seconds_per_hour()
    if per_hour is None:
        return
    warn(f"识别以外占 {profile.overhead():.1%}")
    price = config.core_hour_price
    money = "" if price is None else f"，按每核时 {price:g} 元，每小时录音 {per_hour / 3600 * price:.4f} 元"
    warn(f"录音 {profile.heard_ms / 3_600_000:.2f} 小时，每小时录音 {per_hour:.0f} 核秒{money}")


def _exit_code(tally: Tally, judged: Sequence[StoredCall], config: Config) -> int:
    from audit.score import is_violation

    if tally.interrupted:
        return Exit.INTERRUPTED
    if tally.failed or tally.unjudged:
        return Exit.SOME_FAILED
    if config.fail_on is None:
        return Exit.CLEAN
    ranks = (f.severity.rank for call in judged for f in call.judgement.findings if is_violation(f))
    return Exit.FINDINGS if max(ranks, default=-1) >= config.fail_on.rank else Exit.CLEAN


@click.command("reaudit", cls=Command, context_settings=CONTEXT)
@RULES
@click.option("--diff", is_flag=True, help="只按规则列出会新增、会消失、会改判的，不保存任何东西。")
@DB
@CONFIG
@QUIET
def reaudit_command(**given: Any) -> None:
    """用今天的规则重新判定已存的转写，不需要录音。

    \b
    例：callaudit reaudit --diff
        callaudit reaudit --rules 我的规则包/
    """
    from audit.access import LOCAL
    from audit.reaudit import compare, reaudit
    from audit.rejudge import Today
    from audit.settings import settings_of
    from audit.store import Store
    from rules.load import load_rules

    config = read_given_config(given)
    ruleset = load_rules(config.rules)
    workers = config.workers or _cores()
    today = Today(ruleset=ruleset, settings=settings_of(config, ruleset), workers=workers)
    opened = Store.read(config.db) if given["diff"] else Store.existing(config.db)
    with opened as store, counting(quiet=given["quiet"]) as show:
        if given["diff"]:
            found = compare(store, today, actor=LOCAL, notify=show)
            rows = [[c.rule_id, str(c.new), str(c.gone), str(c.changed)] for c in found]
            print_table(("规则", "新增", "消失", "改判"), rows, right=(1, 2, 3))
            warn("以上是会发生的变化，没有保存；去掉 --diff 即生效" if rows else "没有变化")
            return
        count = reaudit(store, today, actor=LOCAL, notify=show)
    warn(f"已用规则包 {ruleset.name} {ruleset.version} 重新判定 {count} 通；结果在 {config.db}")


@click.command("transcribe", cls=Command, context_settings=CONTEXT)
@PATHS
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="写到这个文件夹，每个录音一个 JSON；不写则输出到标准输出。",
)
@click.option("--srt", is_flag=True, help="同时写 SRT 字幕（需要 --out）。")
@ENGINE
@MODEL
@RULES
@CONFIG
@QUIET
def transcribe_command(paths: Sequence[Path], **given: Any) -> int:
    """只识别，不判定：录音转成带角色和时间的文字。

    \b
    例：callaudit transcribe 录音.wav
        callaudit transcribe 录音/ --out 转写/ --srt
    """
    from audit.transcripts import Written, transcribe_all
    from rules.load import load_rules

    if given["srt"] and given["out"] is None:
        raise click.UsageError("--srt 要和 --out 一起用")
    config = read_given_config(given)
    hearing = _hearing(config, load_rules(config.rules), workers=1)
    written = Written(given["out"], srt=given["srt"])
    done = silent = failed = 0
    with progress(quiet=given["quiet"]) as show:
        for heard in transcribe_all(
            paths, hearing=hearing, utc_offset=config.utc_offset, linked=config.linked_folders, notify=show
        ):
            if heard.transcript is not None:
                written.keep(heard.path, heard.transcript)
                done += 1
                silent += not heard.transcript.turns
            else:
                warn(f"失败：{heard.reason}")
                failed += 1
    where = "标准输出" if given["out"] is None else f" {given['out']}"
    none_spoke = f"（其中 {silent} 个没有识别出任何话语）" if silent else ""
    warn(f"写出 {done} 个转写{none_spoke}，失败 {failed} 个；结果在{where}")
    return Exit.SOME_FAILED if failed else Exit.CLEAN
