"""`callaudit encrypt` and `callaudit decrypt`: the store and what is kept beside it, unreadable without a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.terminal import CONTEXT, Command, warn


@click.command("encrypt", cls=Command, context_settings=CONTEXT)
@click.option(
    "--new-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="生成一个密钥写进这个新文件，并用它加密；已加密的数据库由此换密钥。",
)
@DB
@CONFIG
def encrypt_command(new_key: Path | None, **given: Any) -> None:
    """加密数据库和试听副本。密钥由环境变量 CALLAUDIT_KEY_FILE（文件）或 CALLAUDIT_KEY 给出，不写在命令行里。

    \b
    例：callaudit encrypt --new-key /etc/callaudit/key
        export CALLAUDIT_KEY_FILE=/etc/callaudit/key    （以后每个命令和仪表盘都要）
    """
    from audit.encryption import encrypt, set_aside
    from audit.store.cipher import make_key

    db = read_given_config(given).db
    if new_key is not None and not db.exists():
        make_key(new_key)
        warn(f"{db} 还没有；密钥已写进 {new_key}，设了 CALLAUDIT_KEY_FILE 以后新建的数据库就是加密的")
        return
    warn(f"已加密 {db}" if encrypt(db, new_key=new_key) else f"{db} 已经是用这个密钥加密的")
    if new_key is not None:
        warn(f"请设 CALLAUDIT_KEY_FILE={new_key}，并把密钥另存一份：丢了密钥，谁也打不开这个数据库和它以后的备份")
    for path in set_aside(db):
        warn(f"没有动：{path}（恢复备份时留下的，还是原来的样子）；不需要了请删除")
    warn("以前的备份还是当时的样子；报告、证据包和录音原件没有加密")


@click.command("decrypt", cls=Command, context_settings=CONTEXT)
@DB
@CONFIG
def decrypt_command(**given: Any) -> None:
    """解密数据库，以后不再需要密钥。

    \b
    例：callaudit decrypt            （要先设 CALLAUDIT_KEY_FILE）
    """
    from audit.encryption import decrypt

    db = read_given_config(given).db
    warn(f"已解密 {db}；请不要再设 CALLAUDIT_KEY_FILE" if decrypt(db) else f"{db} 没有加密")
