"""What every request passes: sign-in by a personal link, the session's cookie, protection against other sites' pages.

Starlette's TrustedHostMiddleware checks the Host header before this.
"""

import hmac
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opendensepose.annotate.server.access import (
    SESSION_SECONDS,
    Session,
    find_session,
    local_session,
    sign_in,
    sign_out,
)
from opendensepose.annotate.server.markup import render
from opendensepose.annotate.server.requests import SAFE_METHODS, Threads, error_response
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import Store

__all__ = ["SECURITY_HEADERS", "AuthMiddleware", "RateLimiter", "check_csrf"]

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
        " font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class AuthMiddleware:
    """Let requests with a session pass, sign users in and out, and add security headers to every response."""

    def __init__(self, app: ASGIApp, store: Store, threads: Threads, team: bool, is_https: bool):
        self.app, self.store, self.threads, self.is_https = app, store, threads, is_https
        self.cookie = "__Host-annotate" if is_https else "annotate"
        self.cookie_options: dict[str, Any] = {"path": "/", "secure": is_https, "httponly": True, "samesite": "strict"}
        self.rate_limiter = RateLimiter(store.clock)
        self.local_session = None if team else local_session(store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        request = Request(scope)
        try:
            response = await self._authenticate(request)
        except RequestError as error:
            response = error_response(request, error)
        await (response or self.app)(scope, receive, send_with_headers)

    async def _authenticate(self, request: Request) -> Response | None:
        """Sign in or out and return the response; or put the session into the scope and return None."""
        path = request.url.path
        if path.startswith("/enter/") and request.method in SAFE_METHODS:
            return await self.threads.run(self._sign_in, request, path.removeprefix("/enter/"))
        key = request.cookies.get(self.cookie)
        session = self.local_session or await self.threads.run(find_session, self.store, key)
        if session is None:
            raise RequestError("Sign in with your personal link.", 401)
        if request.method not in SAFE_METHODS:
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
        # A page, not a redirect: the browser sends no SameSite=Strict cookie with a redirect that began elsewhere.
        response = HTMLResponse(render("message.html", sentence="You are signed in.", is_signed_in=True))
        response.set_cookie(self.cookie, key, max_age=int(SESSION_SECONDS), **self.cookie_options)
        return response


def check_csrf(request: Request, session: Session, is_https: bool) -> None:
    """RequestError 403 unless a change comes from our own page with the session's CSRF token."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    own_origin = f"{'https' if is_https else 'http'}://{request.headers.get('host')}"
    if (origin is not None and origin != own_origin) or site in ("cross-site", "same-site"):
        raise RequestError("Changes must come from the tool's own page.", 403)
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
