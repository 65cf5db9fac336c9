"""`callaudit conduct`: what several calls break together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, DB, RULES, read_given_config
from audit.errors import Exit
from audit.terminal import CONTEXT, Command, print_table, warn

if TYPE_CHECKING:
    from audit.store.conduct import KeptConduct


@click.command("conduct", cls=Command, context_settings=CONTEXT)
@RULES
@click.option("--json", "as_json", is_flag=True, help="输出 JSON，每行一条。")
@DB
@CONFIG
def conduct_command(as_json: bool, **given: Any) -> int:
    """跨通话的规则：拨打频次、联系第三人、拒绝后再联系，把现有的通话全部重判一遍。audit 和 watch 结束时只判有变化的。

    \b
    例：callaudit conduct --db callaudit.db
    """
    from audit.conduct import judge_everything
    from audit.report_words import Words
    from audit.store import Store
    from audit.store.conduct import kept
    from rules.load import load_rules

    config = read_given_config(given)
    ruleset = load_rules(config.rules)
    with Store.existing(config.db) as store:
        judged = judge_everything(store, ruleset)
        findings = kept(store)
    if as_json:
        for finding in findings:
            click.echo(json.dumps(_as_dict(finding), ensure_ascii=False))
    else:
        words = Words("zh")
        rows = [
            (str(f.day), f.title, words.of("severity", f.severity.value), words.of("outcome", f.result.value),
             f.subject, f.because)
            for f in findings
        ]  # fmt: skip
        print_table(("日期", "规则", "级别", "结果", "对象", "依据"), rows)
    warn(f"跨通话问题 {judged.findings} 条，新增 {judged.new} 条，不再成立 {judged.gone} 条")
    return Exit.CLEAN


def _as_dict(finding: KeptConduct) -> dict[str, object]:
    return {
        "rule": finding.rule_id,
        "category": finding.category,
        "severity": finding.severity.value,
        "outcome": finding.result.value,
        "day": finding.day.isoformat(),
        "subject": finding.subject,
        "calls": list(finding.calls),
        "because": finding.because,
    }
