"""Who may see a page: local accounts, server-side sessions, form tokens, and the headers that keep a page to itself.

A session is a row in the database; the browser holds an opaque token. It ends after 30 minutes without a request,
after 10 hours in any case, at sign-out, and when the account is disabled. A form is accepted only from our own pages.
"""

import re
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import NotPermitted
from gateway.store import accounts
from gateway.store.accounts import SIGN_IN_REFUSED, AccountRole
from gateway.store.database import reading, transaction
from gateway.store.worklist import Viewer
from gateway.trust.passwords import check_password, hash_password
from gateway.web.forms import Form, read_form
from gateway.web.runtime import WebRuntime

MOST_ATTEMPTS = 5  # refused sign-ins per account ...
ATTEMPTS_WITHIN = timedelta(minutes=15)  # ... within this time; then even the right password waits
_LOCAL_PAGE = re.compile(r"/[a-z0-9/-]*")

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class SignInNeeded(Exception):  # noqa: N818 - not an error: the browser is sent to the sign-in page
    """Nobody is signed in, or the session has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who asks for this page."""

    viewer: Viewer
    form_token: str
    token: str  # of the session
    zone: str  # in which this person reads times
    place: str  # the authority's name, or the installation's


class SecurityHeaders:
    """Adds the headers above to every answer; pages and documents are never kept by a browser or proxy."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        static = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "public, max-age=3600" if static else "no-store")
                if self._secure:
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, with_headers)


async def runtime_of(request: Request) -> WebRuntime:
    """Return what the application was made with. It waits for nothing, and is no function that FastAPI gives a thread."""
    runtime: WebRuntime = request.app.state.runtime
    return runtime


Rt: TypeAlias = Annotated[WebRuntime, Depends(runtime_of)]


def cookie_name(rt: WebRuntime, name: str) -> str:
    """Return the cookie's name; the prefix makes browsers refuse it from another host or over plain http."""
    return f"__Host-{name}" if rt.settings.secure_cookies else name


def set_cookie(response: Response, rt: WebRuntime, name: str, value: str) -> None:
    """Set a cookie that no script reads and no other site sends along with a form; it ends with the browser."""
    response.set_cookie(
        cookie_name(rt, name), value, path="/", secure=rt.settings.secure_cookies, httponly=True, samesite="lax"
    )


def drop_cookie(response: Response, rt: WebRuntime, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(cookie_name(rt, name), path="/", secure=rt.settings.secure_cookies, httponly=True, samesite="lax")


def signed_in(request: Request, rt: Rt) -> SignedIn:
    """Return who is signed in. Raises `SignInNeeded`."""
    token = request.cookies.get(cookie_name(rt, "session"))
    if not token:
        raise SignInNeeded
    now = rt.clock()
    with reading(rt.engine) as connection:
        found = accounts.session(connection, token, now=now)
    if found is None:
        raise SignInNeeded
    if now - found.seen_at >= accounts.SEEN_EVERY:
        with transaction(rt.engine) as tx:
            accounts.touch(tx, token, now=now)
    account = found.account
    authority = rt.partners.authorities.get(account.authority) if account.authority else None
    me = SignedIn(
        viewer=Viewer(account=account.name, role=account.role, authority=account.authority),
        form_token=found.form_token,
        token=token,
        zone=authority.zone if authority else "UTC",
        place=authority.name if authority else account.authority or rt.settings.name,
    )
    request.state.signed_in = me
    return me


Me: TypeAlias = Annotated[SignedIn, Depends(signed_in)]


def _same_site(request: Request) -> bool:
    """Whether the browser says that the form comes from our own pages. Old browsers and plain http do not say it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    # "null" comes with our own referrer policy; the form token decides then.
    return origin is None or origin == "null" or urlsplit(origin).netloc == request.headers.get("host")


def require_ours(request: Request, form: Form, expected: str) -> None:
    """Refuse a form from elsewhere. Raises `NotPermitted`."""
    if not _same_site(request) or not secrets.compare_digest(form.one("form_token").encode(), expected.encode()):
        raise NotPermitted("this form does not come from a page of this session; open the page again")


def checked_form(request: Request, me: Me, form: Annotated[Form, Depends(read_form)]) -> Form:
    """Return a form that comes from a page of this session. Raises `NotPermitted`."""
    require_ours(request, form, me.form_token)
    return form


OurForm: TypeAlias = Annotated[Form, Depends(checked_form)]


def require_role(me: SignedIn, *roles: AccountRole) -> None:
    """Refuse a page or an act that is not this role's. Raises `NotPermitted`."""
    if me.viewer.role not in roles:
        raise NotPermitted("your account may not do this")


def local_page(wanted: str) -> str:
    """Return `wanted` if it is a page of ours, else "/": a sign-in never leads to another site."""
    return wanted if _LOCAL_PAGE.fullmatch(wanted) and not wanted.startswith("//") else "/"


@cache
def _nobody() -> str:
    """Return a hash that no one knows the password of: an unknown name takes as long as a known one."""
    return hash_password(secrets.token_urlsafe(32))


class SignIn:
    """Checks names and passwords, one at a time: guessing in parallel gains nothing, and costs the others little."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()

    def check(self, rt: WebRuntime, name: str, password: str) -> accounts.Account | None:
        """Return the account, or None for a wrong name, a wrong password, a disabled account and too many attempts alike.

        Each refusal is journalled; an unknown name is not written down, it may be a password in the wrong field.
        """
        with self._one_at_a_time:
            now = rt.clock()
            with reading(rt.engine) as connection:
                account = accounts.find(connection, name)
                attempts = accounts.refused_attempts(connection, name, since=now - ATTEMPTS_WITHIN) if account else 0
            right = check_password(password, account.password if account else _nobody())
            if account is None:
                rt.journal(event=SIGN_IN_REFUSED, actor="unknown", detail={"reason": "unknown-account"})
                return None
            if attempts >= MOST_ATTEMPTS:
                # Not counted as an attempt: whoever waits a quarter of an hour gets in again.
                rt.journal(event="sign-in.throttled", actor=account.name, authority=account.authority)
                return None
            if right and account.disabled_at is None:
                rt.journal(event="sign-in.accepted", actor=account.name, authority=account.authority)
                return account
            reason = "disabled" if account.disabled_at is not None else "wrong-password"
            rt.journal(event=SIGN_IN_REFUSED, actor=account.name, authority=account.authority, detail={"reason": reason})
            return None
