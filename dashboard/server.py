"""`callaudit dashboard`: Streamlit behind our own door."""

from __future__ import annotations

import ipaddress
import sys
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from audit.config import Config
from audit.errors import AuditError
from audit.store import Store
from audit.users import has_accounts
from dashboard import data
from dashboard.told import told
from dashboard.words import t

if TYPE_CHECKING:
    from streamlit.web.server.starlette import App

FONTS = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif'
# Captions and keys on buttons are drawn at 60 % of their colour: these two leave 4.5 to 1 (WCAG AA) on white and grey.
THEME = {
    "base": "light",
    "textColor": "#08111a",
    "primaryColor": "#17466e",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f4f6f8",
    "linkColor": "#1f5a8c",
    "borderColor": "#d5dce3",
    "redColor": "#b3261e",
    "orangeColor": "#b45309",
    "greenColor": "#1e7a46",
    "blueColor": "#1f5a8c",
    "grayColor": "#52606d",
    "font": FONTS,
    "headingFont": FONTS,
    "baseFontSize": 15,
    "headingFontSizes": ["1.6rem", "1.3rem", "1.1rem", "1rem", "1rem", "1rem"],
    "metricValueFontSize": "1.6rem",
    "paddingTop": "2rem",
    "baseRadius": "6px",
    "showWidgetBorder": True,
    "showSidebarBorder": True,
    "chartCategoricalColors": ["#1f5a8c", "#c2571a", "#1e7a46", "#8a4fa3", "#8a6d00", "#52606d"],
}


class CannotServe(AuditError):
    """The dashboard must not, or can't, listen there."""


def serve(config: Config, *, host: str, port: int, worker: Sequence[str] = ()) -> None:
    """Run until interrupted; `CannotServe` before anything listens where it must not.

    `worker` are the options with which `callaudit work` sees the same configuration.
    """
    new = not config.db.exists()
    with Store.open(config.db) as store:
        accounts = has_accounts(store)
    refuse_strangers(host, accounts=accounts)
    _refuse_taken(host, port)
    if new:
        _say(f"提醒：没有数据库 {config.db}，新建了一个空的；若本应已有数据，请检查 --db")
    data.configure(config, worker=worker)
    url = f"{'https' if config.tls_cert else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    if accounts and not is_loopback(host) and not config.tls_cert:
        _say(
            "提醒：没有设置证书，密码和录音会以明文经过网络；请设 tls_cert、tls_key，或只让 HTTPS 反向代理访问这个端口"
        )
    application(url).run(config=options(config, host=host, port=port))


def refuse_strangers(host: str, *, accounts: bool) -> None:
    """`CannotServe` for an address that others can reach while nobody has to sign in."""
    if not accounts and not is_loopback(host):
        raise CannotServe(
            f"不能监听 {host}：还没有账号，网络上的任何人都能听录音；"
            "请先运行 callaudit users add 账号名 --role admin，或去掉 --host，只在本机使用"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def application(url: str) -> App:
    """The application with the guard before it; says where it is once it listens."""
    from starlette.middleware import Middleware
    from streamlit.starlette import App

    from dashboard.guard import Guard
    from dashboard.sign_in import routes

    @asynccontextmanager
    async def announced(_: App) -> AsyncIterator[None]:
        _say(f"仪表盘在 {url}；按 Ctrl-C 停止")
        if sys.stderr.isatty():
            webbrowser.open(url)
        Thread(target=get_ready, name="get ready", daemon=True).start()
        yield

    return App(
        Path(__file__).with_name("app.py"),
        routes=routes(),
        middleware=[Middleware(Guard)],
        lifespan=announced,
        on_script_error=_told,
    )


def get_ready() -> None:
    """Load what the readers of the first pages would else wait for, two seconds in all: rules, dictionary, charts."""
    import altair  # noqa: F401

    from dashboard import rulebook
    from rules.load import RuleErrors
    from rules.tokens import is_ordinary

    is_ordinary("方便")
    with suppress(RuleErrors):  # the page that needs the rules says what is wrong with them
        rulebook.ruleset()


def options(config: Config, *, host: str, port: int) -> dict[str, Any]:
    """Streamlit's settings, all here: no config.toml that somebody must find."""
    tls = {} if config.tls_cert is None else {
        "server.sslCertFile": str(config.tls_cert), "server.sslKeyFile": str(config.tls_key)
    }  # fmt: skip
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.runOnSave": False,
        "server.allowRunOnSave": False,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": config.upload_mb,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.enableAgentApi": False,
        "browser.gatherUsageStats": False,
        "runner.magicEnabled": False,  # a bare expression is no output
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.disableDataExport": True,  # exports go through audit/, masked and in the ledger
        "logger.hideWelcomeMessage": True,
        **{f"theme.{name}": value for name, value in THEME.items()},
        **tls,
    }


def _told(error: Exception) -> bool:
    """Any failure is a sentence on the page, in the reader's language; the traceback of a bug stands in the log."""
    import streamlit as st

    from dashboard import rulebook
    from rules.load import RuleErrors

    if isinstance(error, RuleErrors):
        rulebook.tell_broken(error)
    elif isinstance(error, AuditError):
        st.error(told(error), icon=":material/error:")
    else:
        st.error(t("shell.bug", at=f"{datetime.now():%H:%M:%S}"), icon=":material/error:")
    return True


def _refuse_taken(host: str, port: int) -> None:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotServe(
                f"{host}:{port} 不能用（{error.strerror}）；请换一个端口，例如 --port {port + 1}"
            ) from error


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()
