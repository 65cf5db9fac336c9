"""`callaudit users`: who may sign in to the dashboard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.terminal import CONTEXT, Command, Group, print_table, warn

if TYPE_CHECKING:
    from audit.store import Store

ROLES = ("admin", "officer", "reviewer", "trainer", "collector")
NAME = click.argument("name", metavar="NAME")
ROLE = click.option("--role", type=click.Choice(ROLES), required=True, help="角色，见 docs/security.md。")
AGENT = click.option("--agent", metavar="ID", help="催收员的工号（通话清单里的 agent_id），只用于 collector。")


@click.group("users", cls=Group, context_settings=CONTEXT)
def users_group() -> None:
    """仪表盘的账号：添加、停用、改密码、改角色。

    \b
    例：callaudit users add 张敏 --role reviewer
        callaudit users add c017 --role collector --agent A017
    """


@users_group.command("add", cls=Command)
@NAME
@ROLE
@AGENT
@click.option("--email", help="单点登录（OIDC）里的邮箱。")
@click.option("--no-password", is_flag=True, help="不设密码，只能用单点登录（要有 --email）。")
@DB
@CONFIG
def add_command(name: str, role: str, no_password: bool, **given: Any) -> None:
    """添加账号；密码从提示或标准输入读，不写在命令里。

    \b
    例：callaudit users add 张敏 --role reviewer
        printf '%s' "$密码" | callaudit users add 张敏 --role reviewer
    """
    from audit.access import LOCAL, Role
    from audit.store import Store
    from audit.users import NewUser, add_user

    password = None if no_password else _new_password()
    new = NewUser(name=name, role=Role(role), password=password, agent_id=given["agent"], email=given["email"])
    with Store.open(read_given_config(given).db) as store:
        kept = add_user(store, new, actor=LOCAL)
        warn(f"已添加账号 {kept}（{new.role.label}）；从现在起，打开仪表盘要先登录")


@users_group.command("list", cls=Command)
@DB
@CONFIG
def list_command(**given: Any) -> None:
    """列出账号。

    \b
    例：callaudit users list
    """
    from audit.access import LOCAL
    from audit.users import users

    with _store(given) as store:
        rows = [
            (u.name, u.role.label, u.agent_id or "", u.email or "", "停用" if u.disabled else "可用",
             "" if u.seen_at is None else u.seen_at.astimezone().strftime("%Y-%m-%d %H:%M"))
            for u in users(store, actor=LOCAL)
        ]  # fmt: skip
        print_table(("账号", "角色", "工号", "邮箱", "状态", "最近在线"), rows)


@users_group.command("disable", cls=Command)
@NAME
@DB
@CONFIG
def disable_command(name: str, **given: Any) -> None:
    """停用账号，已登录的立即退出。

    \b
    例：callaudit users disable 张敏
    """
    from audit.access import LOCAL
    from audit.users import disable

    with _store(given) as store:
        disable(store, actor=LOCAL, name=name)
        warn(f"已停用 {name}")


@users_group.command("enable", cls=Command)
@NAME
@DB
@CONFIG
def enable_command(name: str, **given: Any) -> None:
    """恢复账号，也解除多次输错密码后的锁定。

    \b
    例：callaudit users enable 张敏
    """
    from audit.access import LOCAL
    from audit.users import enable

    with _store(given) as store:
        enable(store, actor=LOCAL, name=name)
        warn(f"已恢复 {name}")


@users_group.command("passwd", cls=Command)
@NAME
@DB
@CONFIG
def passwd_command(name: str, **given: Any) -> None:
    """改密码，已登录的立即退出；密码从提示或标准输入读。

    \b
    例：callaudit users passwd 张敏
    """
    from audit.access import LOCAL
    from audit.users import set_password

    password = _new_password()
    with _store(given) as store:
        set_password(store, actor=LOCAL, name=name, password=password)
        warn(f"已改 {name} 的密码")


@users_group.command("role", cls=Command)
@NAME
@ROLE
@AGENT
@DB
@CONFIG
def role_command(name: str, role: str, **given: Any) -> None:
    """改角色，立即生效。

    \b
    例：callaudit users role 张敏 --role officer
    """
    from audit.access import LOCAL, Role
    from audit.users import set_role

    with _store(given) as store:
        set_role(store, actor=LOCAL, name=name, role=Role(role), agent_id=given["agent"])
        warn(f"{name} 现在是{Role(role).label}")


def _store(given: dict[str, Any]) -> Store:
    from audit.store import Store

    return Store.existing(read_given_config(given).db)


def _new_password() -> str:
    """Asked for twice at a terminal; one line of stdin elsewhere. Never an argument: others see those."""
    if sys.stdin.isatty():
        return str(click.prompt("新密码", hide_input=True, confirmation_prompt="再输一次", err=True))
    return sys.stdin.readline().rstrip("\r\n")
