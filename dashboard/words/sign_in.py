"""The sign-in form."""

from __future__ import annotations

WORDS = {
    "title": ("登录 · 催收通话审计", "Sign in · Call audit"),
    "heading": ("催收通话审计", "Call audit"),
    "name": ("账号", "Name"),
    "password": ("密码", "Password"),
    "sign_in": ("登录", "Sign in"),
    "oidc": ("单点登录", "Single sign-on"),
    "help": ("忘记密码或被锁定，请找管理员。", "Forgot the password, or locked out? Ask an administrator."),
    "other": ("English", "中文"),
}
