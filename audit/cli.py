"""The command line: `callaudit`. Heavy imports stand inside the commands, so that help comes at once."""

from __future__ import annotations

from typing import NoReturn

import click

from audit.cli_batch import audit_command, reaudit_command, transcribe_command
from audit.cli_benchmark import benchmark_group
from audit.cli_cases import cases_group
from audit.cli_complaints import complaints_group
from audit.cli_conduct import conduct_command
from audit.cli_dashboard import dashboard_command
from audit.cli_encryption import decrypt_command, encrypt_command
from audit.cli_evidence import evidence_command
from audit.cli_ledger import ledger_group
from audit.cli_retention import retention_group
from audit.cli_rules import rules_group
from audit.cli_sampling import sampling_group
from audit.cli_store import backup_command, restore_command
from audit.cli_text import calls_group, check_command, doctor_command, report_command
from audit.cli_users import users_group
from audit.cli_watch import alert_command, watch_command
from audit.cli_work import work_command
from audit.terminal import CONTEXT, Group, run


@click.group(cls=Group, context_settings=CONTEXT)
@click.version_option(package_name="callaudit", message="%(version)s", help="显示版本号。")
def cli() -> None:
    """催收通话的离线合规审计：录音进，违规带证据出。

    \b
    例：callaudit audit 录音文件夹/ --calls 录音文件夹/calls.csv
        callaudit report --out report.html

    退出码：0 没有问题；1 有达到 --fail-on 的违规；2 没能运行；3 有录音没能审计（其余已完成）；130 被中断。
    """


for command in (
    audit_command,
    transcribe_command,
    check_command,
    reaudit_command,
    conduct_command,
    calls_group,
    cases_group,
    complaints_group,
    rules_group,
    sampling_group,
    report_command,
    doctor_command,
    evidence_command,
    retention_group,
    watch_command,
    alert_command,
    backup_command,
    restore_command,
    encrypt_command,
    decrypt_command,
    benchmark_group,
    dashboard_command,
    work_command,
    users_group,
    ledger_group,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Entry point of the distribution."""
    run(cli)


if __name__ == "__main__":
    main()
