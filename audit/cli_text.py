"""Commands around the audit: check, calls import, report, doctor."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, DB, RULES, read_given_config
from audit.errors import BadPath, Exit, escaped
from audit.terminal import CONTEXT, Command, Group, print_table, warn

if TYPE_CHECKING:
    from audit.check import Checked
    from audit.doctor import Check
    from audit.store import Filter

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("check", cls=Command, context_settings=CONTEXT)
@click.argument("file", metavar="FILE|-", type=click.File("rb"))
@click.option("--format", "form", type=click.Choice(["jsonl", "table"]), default="jsonl", help="默认 jsonl，每通一行。")
@click.option(
    "--second-opinion/--no-second-opinion", default=None,
    help="规则没有命中的句子，要不要再请模型看一遍（只提示，不判违规）；默认按配置。",
)  # fmt: skip
@RULES
@CONFIG
def check_command(file: IO[bytes], form: str, second_opinion: bool | None, **given: Any) -> int:
    """判定现成的文字转写（每行一通 JSON），不需要录音，也不存数据库。

    \b
    例：callaudit check 通话.jsonl
        echo '{"turns": [{"role": "agent", "text": "您好"}]}' | callaudit check -
    """
    from audit.check import as_line, check_lines
    from rules.load import load_rules

    config = read_given_config(given)
    asked = config.second_opinion if second_opinion is None else second_opinion
    write = sys.stdout.buffer.write
    read, bad, rows = 0, 0, []
    for checked in check_lines(
        file, load_rules(config.rules), second_opinion=asked, utc_offset=config.utc_offset
    ):
        read += 1
        if checked.answer is None:
            bad += 1
            warn(f"第 {checked.line} 行：{checked.error}")
        elif form == "jsonl":
            write(as_line(checked.answer))
        else:
            rows += _rows(checked)
    if form == "table":
        print_table(("通话", "得分", "规则", "级别", "结果", "第几句", "原话", "原因"), rows, right=(1, 5))
    if not read:
        warn("提醒：没有读到通话；每行写一通电话的 JSON 对象")
    return Exit.SOME_FAILED if bad else Exit.CLEAN


def _rows(checked: Checked) -> list[list[str]]:
    from audit.report_words import Words

    answer, words = checked.answer or {}, Words("zh")
    name = answer["call_id"] or f"第 {checked.line} 行"
    score = "—" if answer["score"] is None else str(answer["score"])
    found = [
        [name, score, f["rule"], words.of("severity", f["severity"]), words.of("outcome", f["outcome"]),
         str(f["turn"] + 1) if f["turn"] >= 0 else "", f["quote"], f["because"]]
        for f in answer["findings"]
    ]  # fmt: skip
    return found or [[name, score, "", "", "", "", "", ""]]


@click.group("calls", cls=Group, context_settings=CONTEXT)
def calls_group() -> None:
    """通话清单：谁在什么时候给谁打的电话。

    \b
    例：callaudit calls import calls.csv
    """


@calls_group.command("import", cls=Command)
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path))
@DB
@CONFIG
def import_command(file: Path, **given: Any) -> int:
    """把通话清单存入数据库，之后 audit 按录音路径取用；未接通的记为拨打记录。

    \b
    例：callaudit calls import calls.csv
    """
    from audit.calls import read_calls
    from audit.store import Store

    config = read_given_config(given)
    if escaped(str(file.resolve())) != str(file.resolve()):
        raise BadPath(f"{file}：文件夹名不是 UTF-8，录音的路径存不进数据库；请改成 UTF-8 的名字，再导入一次")
    calls = read_calls(file, utc_offset=config.utc_offset)
    for row in calls.bad:
        warn(row.reason)
    with Store.open(config.db) as store:
        store.add_records(calls.records)
    attempts = sum(record.path is None for record in calls.records)
    warn(f"存入 {len(calls.records) - attempts} 通、未接通 {attempts} 条，{len(calls.bad)} 行有误；数据库 {config.db}")
    return Exit.SOME_FAILED if calls.bad else Exit.CLEAN


@click.command("report", cls=Command, context_settings=CONTEXT)
@click.option("--out", required=True, metavar="FILE.html|.xlsx", type=click.Path(path_type=Path), help="写到这个文件。")
@click.option("--by", type=click.Choice(["collector", "team", "rule"]), default="collector", help="汇总表按什么分组。")
@click.option("--from", "since", type=DAY, help="从这一天起（含），例如 2026-11-01。")
@click.option("--to", "until", type=DAY, help="到这一天止（含）。")
@click.option("--team", help="只要这个小组。")
@click.option("--collector", "--agent", "agent", metavar="ID", help="只要这个催收员（agent_id）。")
@click.option("--product", help="只要这个产品。")
@click.option("--category", help="只列这一类问题，例如 threat；可用的类别见 callaudit rules list。")
@click.option("--unmasked", is_flag=True, help="不遮盖姓名、号码、地址；要用 --reason 写明理由，一并记入账本。")
@click.option("--reason", default="", help="为什么不遮盖，例如：监管调阅，文号 12。")
@DB
@CONFIG
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", envvar="CALLAUDIT_LANG", help="报告的语言。")
def report_command(out: Path, **given: Any) -> None:
    """把结果写成报告：可打印、可点击回听的 HTML，或 Excel。个人信息默认遮盖。

    \b
    例：callaudit report --out report.html
        callaudit report --by team --from 2026-11-01 --out 十一月.xlsx
        callaudit report --collector A02 --category threat --out A02.html
    """
    from audit.report import Asked, write_report
    from audit.store import Store

    config = read_given_config(given)
    asked = Asked(
        which=_filter(given),
        by=given["by"],
        category=_category(given["category"]),
        lang=given["lang"],
        unmasked=given["unmasked"],
        reason=given["reason"],
        grace_days=config.promise_grace_days,
    )
    with Store.existing(config.db) as store:
        write_report(store, out, asked)
        if next(iter(store.calls(asked.which)), None) is None:
            warn("提醒：所选范围内没有已审计的通话；请检查日期、小组、催收员和产品")
    warn(f"报告已写到 {out}，只有当前用户能读" + ("；未遮盖个人信息" if asked.unmasked else ""))


def _filter(given: dict[str, Any]) -> Filter:
    from audit.store import Filter

    if given["since"] and given["until"] and given["since"] > given["until"]:
        raise click.UsageError("--from 晚于 --to；请对调两个日期")
    return Filter(
        since=_day(given["since"]),
        until=_day(given["until"]),
        team=given["team"],
        agent_id=given["agent"],
        product=given["product"],
    )


def _category(given: str | None) -> str | None:
    """Checked here and not by click.Choice: the list of categories is slow to load for a help page."""
    from rules.model import CATEGORIES

    if given is not None and given not in CATEGORIES:
        raise click.UsageError(f"--category {given} 不是类别；可选：{'、'.join(CATEGORIES)}")
    return given


def _day(given: datetime | None) -> Any:
    return None if given is None else given.date()


@click.command("doctor", cls=Command, context_settings=CONTEXT)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。")
@click.option("--recount", is_flag=True, help="先把仪表盘用的统计重新清点一遍（百万通约一分钟）。")
@DB
@CONFIG
def doctor_command(as_json: bool, recount: bool, **given: Any) -> int:
    """检查安装：Python、依赖、引擎、模型、规则、数据库、磁盘，并真的识别和判定一小段。

    \b
    例：callaudit doctor
        callaudit doctor --json
    """
    from audit.doctor import examine
    from audit.doctor import recount as count_anew

    config = read_given_config(given)
    if recount:
        warn(f"{config.db}：已重新清点，改正 {count_anew(config.db)} 处")
    checks = examine(config)
    if as_json:
        click.echo(json.dumps([_as_dict(check) for check in checks], ensure_ascii=False, indent=2))
    else:
        rows = [("正常" if c.ok else "有问题", c.title, c.detail) for c in checks]
        print_table(("状态", "项目", "详情"), rows)
    return Exit.CLEAN if all(check.ok for check in checks) else Exit.COULD_NOT_RUN


def _as_dict(check: Check) -> dict[str, object]:
    return {"name": check.name, "ok": check.ok, "detail": check.detail}
