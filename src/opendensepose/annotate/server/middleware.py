"""What every request passes: safe headers, sign-in by a one-time link, the session's cookie, protection against other
sites' pages.

Starlette's TrustedHostMiddleware checks the Host header between the two.
"""

import hmac
import logging
import re
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import sqlalchemy as sql
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opendensepose.annotate.server.access import (
    Session,
    find_session,
    local_session,
    sign_in,
    sign_out,
)
from opendensepose.annotate.server.bodies import Enter
from opendensepose.annotate.server.requests import SAFE_METHODS, Threads, decode_body, error_response, read_body
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import Store
from opendensepose.web.headers import with_security_headers

__all__ = ["PUBLIC_PATHS", "AuthMiddleware", "RateLimiter", "SafetyMiddleware", "check_csrf"]

_LOG = logging.getLogger(__name__)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_ENTER_BYTES = 2_000
_COOKIE_SECONDS = 400 * 24 * 3600  # the longest that browsers allow; the session itself ends earlier
# what is needed to sign in, and no more
PUBLIC_PATHS = ("/enter", "/static/css/base.css", "/static/icon.svg", "/static/js/enter.js")


class SafetyMiddleware:
    """Refuse malformed Host headers, add security headers to every response, and answer every failure as JSON.

    A database that is away or busy is 503, which the page tries again; what nobody foresaw is logged and 500.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started, safe_send = False, with_security_headers(send)

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await safe_send(message)

        request = Request(scope)
        try:
            if not _HOST.fullmatch(request.headers.get("host", "")):
                raise RequestError("The Host header is not a host name.", 400)
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if has_started:
                raise
            await error_response(request, _sentence_of(error))(scope, receive, send_with_headers)


def _sentence_of(error: Exception) -> RequestError:
    if isinstance(error, RequestError):
        return error
    if isinstance(error, sql.exc.OperationalError | sql.exc.InterfaceError | sql.exc.TimeoutError):
        _LOG.warning("the database did not answer: %s", error)
        return RequestError("The database does not answer; try again in a moment.", 503)
    _LOG.error("a request failed", exc_info=error)
    return RequestError("The server made a mistake; its log says which.", 500)


class AuthMiddleware:
    """Let requests with a session pass, and sign users in and out.

    cookie: its name is the database's own, so that two servers on one host do not sign each other's users out.
    """

    def __init__(self, app: ASGIApp, store: Store, threads: Threads, team: bool, is_https: bool):
        self.app, self.store, self.threads, self.is_https = app, store, threads, is_https
        self.cookie = f"{'__Host-' if is_https else ''}annotate-{store.setting('cookie_id', secrets.token_hex(4))}"
        self.cookie_options: dict[str, Any] = {"path": "/", "secure": is_https, "httponly": True, "samesite": "strict"}
        self.rate_limiter = RateLimiter(store.clock)
        self.local_session = None if team else local_session(store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._authenticate(request)
        except RequestError as error:
            response = error_response(request, error)
        await (response or self.app)(scope, receive, send)

    async def _authenticate(self, request: Request) -> Response | None:
        """Sign in or out and return the response; or put the session into the scope and return None."""
        path, is_safe = request.scope["path"], request.method in SAFE_METHODS
        if path in PUBLIC_PATHS and is_safe:
            return None
        if path == "/api/enter" and request.method == "POST":
            check_origin(request, self.is_https)
            body = decode_body(await read_body(request, _ENTER_BYTES), Enter)
            return await self.threads.run(self._sign_in, request, body.token)
        key = request.cookies.get(self.cookie)
        session = self.local_session or await self.threads.run(find_session, self.store, key)
        if session is None:
            raise RequestError("Sign in with your personal link.", 401)
        if not is_safe:
            check_csrf(request, session, self.is_https)
        if path == "/api/logout" and request.method == "POST":
            await self.threads.run(sign_out, self.store, key)
            response = JSONResponse({})
            response.delete_cookie(self.cookie, **self.cookie_options)
            return response
        request.scope["session"] = session
        return None

    def _sign_in(self, request: Request, token: str) -> Response:
        if self.local_session is not None:
            raise RequestError("Nobody signs in here: this tool has one user.", 404)
        address = request.client.host if request.client else ""
        self.rate_limiter.check(address)
        try:
            key = sign_in(self.store, token)
        except RequestError:
            self.rate_limiter.count(address)
            raise
        response = JSONResponse({})
        response.set_cookie(self.cookie, key, max_age=_COOKIE_SECONDS, **self.cookie_options)
        return response


def check_origin(request: Request, is_https: bool) -> None:
    """RequestError 403 if a change comes from another site's page."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    own_origin = f"{'https' if is_https else 'http'}://{request.headers.get('host')}"
    if (origin is not None and origin != own_origin) or site in ("cross-site", "same-site"):
        raise RequestError("Changes must come from the tool's own page.", 403)


def check_csrf(request: Request, session: Session, is_https: bool) -> None:
    """RequestError 403 unless a change comes from our own page with the session's CSRF token."""
    check_origin(request, is_https)
    if not hmac.compare_digest(request.headers.get("x-csrf-token", "").encode(), session.csrf.encode()):
        raise RequestError("The X-CSRF-Token header is missing or wrong; load the page again.", 403)


class RateLimiter:
    """Limit failed sign-ins of an address to `most` in `seconds`."""

    def __init__(self, clock: Callable[[], float], most: int = 10, seconds: float = 60.0):
        self._clock, self._most, self._seconds = clock, most, seconds
        self._failures: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def check(self, address: str) -> None:
        """RequestError 429 if there were too many failures."""
        with self._lock:
            if len(self._recent(address)) >= self._most:
                raise RequestError("Too many invalid links; wait a minute.", 429)

    def count(self, address: str) -> None:
        """Count a failure."""
        with self._lock:
            if len(self._failures) > 10_000:  # bounds the memory: addresses are easily made up
                self._failures.clear()
            self._recent(address).append(self._clock())

    def _recent(self, address: str) -> deque[float]:
        times = self._failures[address]
        while times and times[0] <= self._clock() - self._seconds:
            times.popleft()
        return times
