"""The door: who gets past it, at which address, by which cookie; against the server as people run it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from functools import partial
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener

import anyio
import pytest

from audit.access import LOCAL, Role
from audit.config import Config
from audit.store import Store
from audit.users import NewUser, add_user, disable
from dashboard import data
from dashboard.guard import Guard
from dashboard.server import CannotServe, is_loopback, options, refuse_strangers
from tests.served import COMMAND, PASSWORD, Served, answering, free_port, serving

COOKIE = "callaudit_session"
SECRET = "not a secret, a test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def token(self) -> str:
        return self.headers["set-cookie"].split(f"{COOKIE}=")[1].split(";")[0]


def ask(
    server: Served, path: str, *, method: str = "GET", token: str | None = None, body: str | None = None, **headers: str
) -> Answer:
    place = urlsplit(server.url)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=20)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["Cookie"] = f"{COOKIE}={token}"
    try:
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        return Answer(status=answer.status, headers=answer.headers, body=answer.read())
    finally:
        connection.close()


def enter(server: Served, *, password: str = PASSWORD, name: str = "zhang", **more: str) -> Answer:
    form = urlencode({"name": name, "password": password, **({"next": more.pop("next")} if "next" in more else {})})
    return ask(server, "/sign-in", method="POST", body=form, **more)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A dashboard with accounts; nothing in it."""
    db = tmp_path_factory.mktemp("guarded") / "callaudit.db"
    with Store.open(db) as store:
        for name in ("zhang", "leaving", "locked"):
            add_user(store, NewUser(name=name, role=Role.REVIEWER, password=PASSWORD), actor=LOCAL)
    with serving(db) as server:
        yield server


def handshake(server: Served, token: str | None) -> int:
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "x3JJHMbDL1EzLkh9GBhXDw==", "Origin": server.url.rstrip("/"),
    }  # fmt: skip
    return ask(server, "/_stcore/stream", token=token, **upgrade).status


@pytest.mark.parametrize(
    "path",
    ["/", "/review?call=c1", "/media/abc.ogg", "/component/x/index.html", "/_stcore/host-config", "/static/js/x.js",
     "/_stcore/upload_file/a/b", "/_stcore/metrics", "//sign-in/../media/a.ogg", "/sign-in/x", "/nothing"],
)  # fmt: skip
def test_a_stranger_gets_nothing(guarded: Served, path: str) -> None:
    answer = ask(guarded, path)
    assert answer.status == 401
    assert answer.body.decode() == "请先登录"


def test_a_stranger_gets_no_websocket(guarded: Served) -> None:
    assert handshake(guarded, None) == 403
    assert handshake(guarded, "made-up") == 403
    assert handshake(guarded, enter(guarded).token) == 101


def test_a_stranger_who_opens_a_page_is_sent_to_sign_in_and_back(guarded: Served) -> None:
    answer = ask(guarded, "/review?finding=k1", Accept="text/html")
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in?next=/review%3Ffinding%3Dk1")
    assert enter(guarded, next="/review?finding=k1").headers["location"] == "/review?finding=k1"


def test_a_link_in_a_mail_is_asked_for_again_from_here(guarded: Served) -> None:
    answer = ask(guarded, "/review", Accept="text/html", Sec_Fetch_Site="cross-site")
    assert answer.status == 200
    assert b'http-equiv="refresh"' in answer.body


@pytest.mark.parametrize(
    "where",
    [
        "//evil.example/x",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/sign-out",
        "/a\r\nSet-Cookie: x=1",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(guarded: Served, where: str) -> None:
    assert enter(guarded, next=where).headers["location"] == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(guarded: Served) -> None:
    flags = enter(guarded).headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert "secure" not in flags  # over plain http on this machine the browser would drop it
    assert "secure" in enter(guarded, X_Forwarded_Proto="https").headers["set-cookie"].lower()


def test_a_planted_session_is_worth_nothing_after_signing_in(guarded: Served) -> None:
    planted = enter(guarded).token
    mine = enter(guarded, Cookie=f"{COOKIE}={planted}").token
    assert mine != planted
    assert ask(guarded, "/", token=planted).status == 401
    assert ask(guarded, "/", token=mine).status == 200


def test_signing_out_ends_the_session_and_clears_the_cookie(guarded: Served) -> None:
    token = enter(guarded).token
    answer = ask(guarded, "/sign-out", token=token)
    assert answer.headers["location"] == "/sign-in"
    assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    assert ask(guarded, "/", token=token).status == 401


def test_a_disabled_account_is_out_at_once(guarded: Served) -> None:
    token = enter(guarded, name="leaving").token
    assert ask(guarded, "/", token=token).status == 200
    with Store.open(guarded.db) as store:
        disable(store, actor=LOCAL, name="leaving")
    assert ask(guarded, "/", token=token).status == 401
    assert enter(guarded, name="leaving").status == 401


def test_a_wrong_password_is_told_and_markup_in_the_name_is_text(guarded: Served) -> None:
    answer = enter(guarded, name='"><script>alert(1)</script>', password="wrong wrong wrong")
    assert answer.status == 401
    assert "账号或密码不对" in answer.body.decode()
    assert b"<script>" not in answer.body
    assert "set-cookie" not in answer.headers


def test_guessing_locks_even_the_right_password_out(guarded: Served) -> None:
    for _ in range(5):
        enter(guarded, name="locked", password="wrong wrong wrong")
    answer = enter(guarded, name="locked")
    assert answer.status == 401
    assert "尝试次数过多" in answer.body.decode()


def test_another_site_signs_nobody_in(guarded: Served) -> None:
    assert enter(guarded, Origin="https://evil.example").status == 403
    assert enter(guarded, Origin=guarded.url.rstrip("/")).status == 303


def test_a_form_of_megabytes_is_not_read(guarded: Served) -> None:
    assert ask(guarded, "/sign-in", method="POST", body="password=" + "x" * 100_000).status == 413


def test_the_sign_in_page_speaks_both_languages(guarded: Served) -> None:
    assert "登录" in ask(guarded, "/sign-in").body.decode()
    assert "Sign in" in ask(guarded, "/sign-in?lang=en").body.decode()


def test_health_is_told_to_everybody(guarded: Served) -> None:
    assert ask(guarded, "/_stcore/health").status == 200


def test_nothing_is_fetched_from_elsewhere_or_left_in_the_cache(guarded: Served) -> None:
    headers = ask(guarded, "/", token=enter(guarded).token).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert ask(guarded, "/media/none.ogg", token=enter(guarded).token).headers["cache-control"] == "no-store"


def signed(claims: dict[str, object], secret: str) -> str:
    """The cookie that Streamlit sets when an identity provider has sent somebody back."""
    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    return create_signed_value(secret, "_streamlit_user", json.dumps(claims)).decode()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an identity provider that knows two people."""
    port = free_port()
    command = [str(COMMAND.with_name("oidc-provider-mock")), "--port", str(port)]
    for name in ("li", "stranger"):
        command += ["--user-claims", json.dumps({"sub": name, "email": f"{name.title()}@example.org"})]
    folder = tmp_path_factory.mktemp("provider")
    with answering(command, port, "/.well-known/openid-configuration", folder=folder) as url:
        yield url


@pytest.fixture(scope="module")
def vouched(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A store with an account by address alone; the dashboard trusts the provider."""
    folder, port = tmp_path_factory.mktemp("vouched"), free_port()
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{SECRET}"\nclient_id = "x"\n'
        f'client_secret = "y"\nserver_metadata_url = "{provider}.well-known/openid-configuration"\n',
        "utf-8",
    )
    with Store.open(folder / "callaudit.db") as store:
        add_user(store, NewUser(name="li", role=Role.OFFICER, password=None, email="li@example.org"), actor=LOCAL)
    with serving(folder / "callaudit.db", port=port) as server:
        yield server


def arrive(server: Served, name: str, *, wanted: str) -> str:
    """Ask for a page, choose to sign in through the provider, say there who one is → the address that this ends at."""
    browser = build_opener(HTTPCookieProcessor())
    browser.addheaders = [("Accept", "text/html")]
    form = browser.open(server.url + wanted).read().decode()
    (link,) = re.findall(r'class="oidc" href="([^"]+)"', form)
    asked = browser.open(urljoin(server.url, unescape(link)))
    return str(browser.open(asked.url, data=urlencode({"sub": name}).encode()).url)


def test_an_identity_provider_leads_to_the_page_that_was_wanted(vouched: Served) -> None:
    for wanted in ("operations?lang=en", "collectors?team=%E4%B8%80%E7%BB%84", ""):
        assert arrive(vouched, "li", wanted=wanted) == vouched.url + wanted


def test_whom_the_provider_knows_and_we_do_not_stays_outside(vouched: Served) -> None:
    with pytest.raises(HTTPError, match="401"):
        arrive(vouched, "stranger", wanted="operations")


def test_only_what_the_provider_signed_and_verified_counts(vouched: Served) -> None:
    known: dict[str, object] = {"is_logged_in": True, "email": "li@example.org"}
    for claims, key in ((known, "another key"), (known | {"email_verified": False}, SECRET), ({}, SECRET)):
        answer = ask(vouched, "/sign-in", Cookie=f"_streamlit_user={signed(claims, key)}")
        assert answer.status == 200  # the form, and nobody signed in


def test_without_accounts_this_machine_is_let_in_and_other_names_are_not(served: Served) -> None:
    assert ask(served, "/").status == 200
    assert ask(served, "/", Host="localhost:8501").status == 200
    assert ask(served, "/", Host="[::1]:8501").status == 200
    assert ask(served, "/", Host="rebound.example:8501").status == 401
    with Store.open(served.db) as store:
        add_user(store, NewUser(name="zhang", role=Role.ADMIN, password=PASSWORD), actor=LOCAL)
    assert ask(served, "/").status == 401


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.9.9.9", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("example.org", False), ("localhost.example.org", False)],
)  # fmt: skip
def test_only_this_machine_may_listen_without_accounts(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) == loopback
    refuse_strangers(host, accounts=True)
    if loopback:
        refuse_strangers(host, accounts=False)
    else:
        with pytest.raises(CannotServe, match="callaudit users add"):
            refuse_strangers(host, accounts=False)


def test_the_command_refuses_to_listen_to_strangers(tmp_path: Path) -> None:
    command = [str(COMMAND), "dashboard", "--host", "0.0.0.0", "--port", "8619", "--db", str(tmp_path / "a.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "还没有账号" in done.stderr


async def _of_one_who_left(_: Any, receive: Any, __: Any) -> None:
    """What Streamlit does when a tab closes: it reads once more."""
    await receive()
    raise RuntimeError("WebSocket is not connected")


@pytest.mark.parametrize(("kind", "quiet"), [("websocket.disconnect", True), ("websocket.receive", False)])
def test_a_tab_that_closes_is_no_error_and_anything_else_is(empty: Path, kind: str, *, quiet: bool) -> None:
    data.configure(Config(db=empty))

    async def receive() -> dict[str, str]:
        return {"type": kind}

    async def send(_: object) -> None:
        pass

    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": [(b"host", b"127.0.0.1")]}
    run = partial(anyio.run, Guard(_of_one_who_left), scope, receive, send)
    if quiet:
        run()
    else:
        with pytest.raises(RuntimeError, match="not connected"):
            run()


def test_streamlit_tells_nobody_about_us() -> None:
    settings = options(Config(), host="127.0.0.1", port=8501)
    assert settings["browser.gatherUsageStats"] is False
    assert settings["client.disableDataExport"] is True
    assert settings["server.enableAgentApi"] is False
