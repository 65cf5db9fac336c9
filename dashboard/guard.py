"""Nobody gets past this without a session, once there are accounts: pages, media, uploads and the websocket alike.

It stands before Streamlit, because Streamlit serves a sound or a download to whoever has its address, and can't set
a cookie that scripts don't see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from audit.errors import AuditError
from audit.sessions import touch, who
from audit.users import has_accounts
from dashboard import data
from dashboard.data import COOKIE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
# Health for whoever watches the machine; the rest is the way in through an identity provider.
_OPEN = {SIGN_IN, SIGN_OUT, "/_stcore/health", "/favicon.ico", "/favicon.png", "/auth/login", "/oauth2callback"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_HEADERS = {
    # Nothing is fetched from elsewhere. Streamlit's styles and charts need the two "unsafe" words.
    b"content-security-policy": b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:;"
    b" style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:;"
    b" font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none';"
    b" frame-ancestors 'self'; base-uri 'self'; form-action 'self'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
}
_HASH = 32  # of a file's name: what follows it in a message may look like more of it
_MEDIA = re.compile(rb"/media/([0-9a-f]{%d})" % _HASH)
_BACK = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0"><title>…</title>'


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sent: dict[str | None, set[str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        from anyio.to_thread import run_sync

        token = token_of(headers(scope).get("cookie", ""))
        try:  # in a thread: while a batch holds the store, others must not wait with this one
            allowed = await run_sync(_may_pass, scope, token)
        except AuditError:  # a store that can't be read lets nobody in
            allowed = False
        if not allowed and token is not None:
            self._sent.pop(token, None)
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send, allowed=allowed, token=token)
        else:
            await self._http(scope, receive, send, allowed=allowed, token=token)

    async def _http(self, scope: Scope, receive: Receive, send: Send, *, allowed: bool, token: str | None) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() not in _HEADERS]
                message["headers"] = [*kept, *_HEADERS.items(), *_private(scope["path"])]
            await send(message)

        app = self._app if allowed else _refusal(scope)
        if allowed and not self._was_sent(scope["path"], token):
            app = _not_sent()
        await app(scope, receive, with_headers)

    def _was_sent(self, path: str, token: str | None) -> bool:
        """Whether this session's pages named the file: its address alone opens nobody else's recording or report."""
        _, media, name = path.rpartition("/media/")
        return not media or path.startswith("/static/") or name[:_HASH] in self._sent.get(token, ())

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, *, allowed: bool, token: str | None) -> None:
        if not allowed:
            await send({"type": "websocket.close", "code": 1008})
            return
        gone = False

        async def checked() -> Message:
            """Each message anew: a session may have ended since, by sign-out, time or an administrator."""
            from anyio.to_thread import run_sync

            nonlocal gone
            message = await receive()
            gone = gone or message["type"] == "websocket.disconnect"
            if message["type"] != "websocket.receive" or await run_sync(_still_there, token, message.get("bytes")):
                return message
            await send({"type": "websocket.send", "bytes": _redirect(SIGN_IN).SerializeToString()})
            await send({"type": "websocket.close", "code": 1008})
            return {"type": "websocket.disconnect", "code": 1008}

        async def noting(message: Message) -> None:
            nonlocal gone
            for name in _MEDIA.findall(message.get("bytes") or b""):
                self._sent.setdefault(token, set()).add(name.decode("ascii"))
            try:
                await send(message)
            except OSError:
                gone = True
                raise

        try:
            await self._app(scope, checked, noting)
        except RuntimeError:  # Streamlit goes on to read from, or closes, what a closed tab has closed already
            if not gone:
                raise


def headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """Headers by lower-case name; the last of a name wins."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def token_of(cookies: str) -> str | None:
    """The session token in a Cookie header."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _may_pass(scope: Scope, token: str | None) -> bool:
    with data.reading() as store:
        if not has_accounts(store):
            return _is_local(headers(scope).get("host", ""))
        if scope["type"] == "http" and scope["path"] in _OPEN:
            return True
        return who(store, token, policy=data.policy(), now=datetime.now(UTC)) is not None


def _is_local(host: str) -> bool:
    """Whether the address in the browser is this machine's: a page elsewhere may have its name point here."""
    return urlsplit(f"//{host}").hostname in _LOOPBACK


def _still_there(token: str | None, message: bytes | None) -> bool:
    """Whether the session goes on; what a person did in it (not a page that refreshes itself) keeps it alive."""
    now = datetime.now(UTC)
    try:
        with data.reading() as store:
            if not has_accounts(store):
                return True
            if token is None or who(store, token, policy=data.policy(), now=now) is None:
                return False
        if message and _by_a_person(message):
            with data.writing() as store:
                touch(store, token, now=now)
    except AuditError:
        return False
    return True


def _by_a_person(message: bytes) -> bool:
    from google.protobuf.message import DecodeError
    from streamlit.proto.BackMsg_pb2 import BackMsg

    try:
        told = BackMsg.FromString(message)
    except DecodeError:
        return False
    return bool(told.WhichOneof("type") == "rerun_script" and not told.rerun_script.is_auto_rerun)


def send_to(path: str) -> None:
    """From a page: make the browser leave for an address beside Streamlit's."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    if context is not None:
        context.enqueue(_redirect(path))


def _redirect(path: str) -> ForwardMsg:
    """What makes Streamlit's page in the browser go elsewhere; `st.login` uses the same message."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    message = ForwardMsg()
    message.auth_redirect.url = path
    return message


def _private(path: str) -> list[tuple[bytes, bytes]]:
    """Recordings and downloads stay out of the browser's cache, which outlives the session."""
    return [(b"cache-control", b"no-store")] if path.startswith(("/media/", "/sign-")) else []


def _not_sent() -> Callable[..., Any]:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("这个文件没有在您的页面上打开过；请从页面打开", status_code=403)


def _refusal(scope: Scope) -> Callable[..., Any]:
    """To the sign-in page for whoever opens a page; a bare number for everything else."""
    from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse

    asked = headers(scope)
    if scope["method"] != "GET" or "text/html" not in asked.get("accept", ""):
        return PlainTextResponse("请先登录", status_code=401)
    if asked.get("sec-fetch-site") == "cross-site":
        # A link in a mail: the browser keeps a strict cookie back once. Asked again from here, it sends it.
        return HTMLResponse(_BACK)
    wanted = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
    return RedirectResponse(f"{SIGN_IN}?next={quote(wanted)}", status_code=303)
