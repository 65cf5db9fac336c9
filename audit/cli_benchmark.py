"""`callaudit benchmark`: how good the rules are, measured on labelled calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, RULES, read_given_config
from audit.terminal import CONTEXT, Command, Group

if TYPE_CHECKING:
    from audit.benchmark import HearFile
    from audit.config import Config
    from rules.model import RuleSet


@click.group("benchmark", cls=Group, context_settings=CONTEXT)
def benchmark_group() -> None:
    """在标注过的通话上测量。

    \b
    例：callaudit benchmark rules
    """


@benchmark_group.command("rules", cls=Command)
@click.option(
    "--corpus", type=click.Path(path_type=Path), default=Path("tests/corpus"), help="语料文件夹，默认 tests/corpus。"
)
@click.option("--sound", is_flag=True, help="也识别并判定语料里的录音（几分钟）。")
@RULES
@CONFIG
def rules_command(corpus: Path, sound: bool, **given: Any) -> None:
    """每类、每条规则的准确率和召回率（带 95% 区间）、误报率、从未命中的规则，写成 Markdown。

    \b
    例：callaudit benchmark rules --sound > docs/quality.md
    """
    from audit.benchmark import quality_page
    from audit.errors import BadPath
    from rules.engine import Judge
    from rules.load import load_rules

    if not corpus.is_dir():
        raise BadPath(f"{corpus}：没有这个语料文件夹；用 --corpus 指定")
    config = read_given_config(given)
    ruleset = load_rules(config.rules)
    hear = _ears(config, ruleset) if sound else None
    for line in quality_page(corpus, Judge(ruleset), hear=hear):
        click.echo(line)


def _ears(config: Config, ruleset: RuleSet) -> HearFile:
    from audit.calls import CallRecord
    from audit.hearing import Hearing, open_ears
    from rules.hotwords import hotwords

    hear = open_ears(Hearing(engine=config.engine, model=config.model, agent_channel=0, hotwords=hotwords(ruleset)))
    return lambda path: hear(CallRecord(call_id=path.stem, path=path))
