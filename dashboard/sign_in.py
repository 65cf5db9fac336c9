"""Signing in and out: plain forms, because only an answer to a form can set a cookie that no script sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from audit.errors import AuditError
from audit.sessions import SignInFailed, sign_in, sign_in_by_email, sign_out, who
from dashboard import data
from dashboard.data import COOKIE
from dashboard.guard import SIGN_IN, SIGN_OUT
from dashboard.told import in_english
from dashboard.words.sign_in import WORDS

if TYPE_CHECKING:
    from jinja2 import Template
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

WANTED = "callaudit_wanted"
"""Cookie with the page that somebody came for, while the identity provider asks who it is."""

_LARGEST_FORM = 8192
_WANTED_SECONDS = 600
# Each check of a password takes 64 MB; strangers must not be able to ask for many at once.
_hashing = BoundedSemaphore(2)


def routes() -> list[Route]:
    """What stands beside Streamlit's own addresses."""
    from starlette.routing import Route

    return [
        Route(SIGN_IN, show_form, methods=["GET"]),
        Route(SIGN_IN, take_form, methods=["POST"]),
        Route(SIGN_OUT, leave, methods=["GET", "POST"]),
    ]


async def show_form(request: Request) -> Response:
    """The form; for whom an identity provider has vouched, or who is signed in already, the page they wanted."""
    from anyio.to_thread import run_sync

    return await run_sync(_show, request)


async def take_form(request: Request) -> Response:
    """Name and password → a session in a cookie, or the form again with what was wrong."""
    from anyio.to_thread import run_sync
    from starlette.responses import PlainTextResponse

    if not _from_here(request):
        return PlainTextResponse("请从登录页登录", status_code=403)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM:
            return PlainTextResponse("表单太长", status_code=413)
    form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    return await run_sync(_take, request, form)


async def leave(request: Request) -> Response:
    """End the session, wherever it was. A link from another site ends nothing: the cookie does not come with it."""
    from anyio.to_thread import run_sync
    from starlette.responses import RedirectResponse

    await run_sync(_end, request.cookies.get(COOKIE))
    answer = RedirectResponse(SIGN_IN, status_code=303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _show(request: Request) -> Response:
    from starlette.responses import RedirectResponse

    wanted = _inside(request.query_params.get("next") or _came_from(request))
    if (email := _vouched_for(request)) is not None:
        return _by_email(request, email, _inside(unquote(request.cookies.get(WANTED, wanted))))
    with data.reading() as store:
        known = who(store, request.cookies.get(COOKIE), policy=data.policy(), now=datetime.now(UTC))
    return RedirectResponse(wanted, status_code=303) if known else _form(request, wanted=wanted)


def _take(request: Request, form: dict[str, str]) -> Response:
    wanted, name = _inside(form.get("next", "")), form.get("name", "")
    try:
        with _hashing, data.writing() as store:
            password = form.get("password", "")
            token = sign_in(store, name=name, password=password, policy=data.policy(), now=datetime.now(UTC))
    except SignInFailed as error:
        return _form(request, wanted=wanted, name=name, problem=str(error), status=401)
    except AuditError as error:
        return _form(request, wanted=wanted, name=name, problem=str(error), status=503)
    return _let_in(request, token, wanted)


def _by_email(request: Request, email: str, wanted: str) -> Response:
    try:
        with data.writing() as store:
            token = sign_in_by_email(store, email=email, policy=data.policy(), now=datetime.now(UTC))
    except SignInFailed as error:
        answer = _form(request, wanted=wanted, problem=str(error), status=401)
    else:
        answer = _let_in(request, token, wanted)
    for name in request.cookies:
        if name.startswith("_streamlit_user"):  # vouches once; from here on our own session counts
            answer.delete_cookie(name, path="/")
    answer.delete_cookie(WANTED, path=SIGN_IN)
    return answer


def _let_in(request: Request, token: str, wanted: str) -> Response:
    """A token of its own for every sign-in: one that somebody planted before is worth nothing."""
    from starlette.responses import RedirectResponse

    _end(request.cookies.get(COOKIE))
    answer = RedirectResponse(wanted, status_code=303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")
    return answer


def _end(token: str | None) -> None:
    if token:
        with data.writing() as store:
            sign_out(store, token)


def _form(request: Request, *, wanted: str, name: str = "", problem: str = "", status: int = 200) -> Response:
    from starlette.responses import HTMLResponse

    english = (request.query_params.get("lang") or _language_of(wanted)) == "en"
    words = {key: text[english] for key, text in WORDS.items()}
    said = in_english(problem) if english else problem
    oidc = _oidc_link()
    page = _template().render(w=words, lang="en" if english else "zh", next=wanted, name=name, problem=said, oidc=oidc)
    answer = HTMLResponse(page, status_code=status)
    if oidc is not None:  # Streamlit comes back from the provider to its first page
        secure = request.url.scheme == "https"
        value = quote(wanted)
        answer.set_cookie(
            WANTED, value, max_age=_WANTED_SECONDS, httponly=True, samesite="lax", secure=secure, path=SIGN_IN
        )
    return answer


def _language_of(path: str) -> str | None:
    """The language that an address of the dashboard asks for."""
    return parse_qs(urlsplit(path).query).get("lang", [None])[-1]


@cache
def _template() -> Template:
    from jinja2 import Environment

    source = Path(__file__).with_name("sign_in.html").read_text("utf-8")
    return Environment(autoescape=True).from_string(source)


def _from_here(request: Request) -> bool:
    """Whether the form was ours: another site must not sign people in as somebody else."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _inside(path: str) -> str:
    """An address of this dashboard; anything else becomes its first page."""
    fine = path.startswith("/") and not path.startswith(("//", SIGN_IN, SIGN_OUT)) and "\\" not in path
    return path if fine and path.isprintable() else "/"


def _came_from(request: Request) -> str:
    came = urlsplit(request.headers.get("referer", ""))
    return f"{came.path}?{came.query}" if came.netloc == request.headers.get("host") else "/"


# An identity provider, where .streamlit/secrets.toml names one (https://docs.streamlit.io, st.login).


def _oidc_link() -> str | None:
    from streamlit.auth_util import get_secrets_auth_section, is_authlib_installed
    from streamlit.user_info import generate_login_redirect_url

    if not get_secrets_auth_section() or not is_authlib_installed():
        return None
    return generate_login_redirect_url("default")


def _vouched_for(request: Request) -> str | None:
    """The address in the cookie that Streamlit signed when the provider sent somebody back."""
    from streamlit.auth_util import get_cookie_with_chunks, get_secrets_auth_section
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

    if USER_COOKIE_NAME not in request.cookies or not get_secrets_auth_section():
        return None

    def signed(name: str) -> bytes | None:
        value = request.cookies.get(name)
        return None if value is None else decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))

    found = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    claims: dict[str, Any] = json.loads(found) if found else {}
    email = claims.get("email")
    return email if isinstance(email, str) and claims.get("email_verified") is not False else None
