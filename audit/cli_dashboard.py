"""`callaudit dashboard`."""

from __future__ import annotations

from typing import Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.errors import BadConfig
from audit.terminal import CONTEXT, Command


@click.command("dashboard", cls=Command, context_settings=CONTEXT)
@click.option("--host", default="127.0.0.1", help="监听的地址，默认 127.0.0.1，只有本机能打开；其他地址要先有账号。")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, help="端口，默认 8501。")
@DB
@CONFIG
def dashboard_command(host: str, port: int, **given: Any) -> None:
    """打开仪表盘：复核、投诉、催收员、辅导、报表。

    \b
    例：callaudit dashboard
        callaudit dashboard --host 0.0.0.0 --port 8443
    """
    from importlib import import_module
    from importlib.util import find_spec

    if find_spec("streamlit") is None or find_spec("argon2") is None:
        raise BadConfig("仪表盘还没有安装；请运行 make dashboard，或 pip install 'callaudit[dashboard]'")
    # By name: audit knows nothing of the dashboard, only the command line above both does.
    serve = import_module("dashboard.server").serve
    names = ("db", "config")
    worker = [part for name in names if given[name] is not None for part in (f"--{name}", str(given[name]))]
    serve(read_given_config(given), host=host, port=port, worker=worker)
