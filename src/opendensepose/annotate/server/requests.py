"""How a request comes in and its answer goes out: sign-in, checks, limits, headers, errors as sentences."""

import json
from collections.abc import Callable
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Any

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from opendensepose.annotate.server.access import (
    SECURITY_HEADERS,
    SESSION_SECONDS,
    Gate,
    Session,
    Throttle,
    enter,
    leave,
    local_session,
    session_of,
)
from opendensepose.annotate.work.refusals import Refused
from opendensepose.annotate.work.store import Store

__all__ = ["IMPORT_BYTES", "JSON_BYTES", "Call", "JsonHandler", "Reception", "Threads", "body_of"]

JSON_BYTES = 1_000_000
IMPORT_BYTES = 600_000_000
_SAFE = ("GET", "HEAD")
_AT_ONCE = 4  # short calls; more threads that all want Python's lock would only make each other wait


class Threads:
    """Where functions run that wait for the database: short ones in few threads, first come first served, since many
    that all want Python's lock make each other wait; those marked `is_slow` beside them, so that nobody waits for
    them."""

    def __init__(self, at_once: int = _AT_ONCE):
        self.short = anyio.CapacityLimiter(at_once)

    async def run(self, function: Callable, *arguments):
        if getattr(function, "is_slow", False):
            return await run_in_threadpool(function, *arguments)
        return await anyio.to_thread.run_sync(function, *arguments, limiter=self.short)


class Reception:
    """What every request passes first: host, sign-in, session, CSRF; and what every answer gets: safe headers."""

    def __init__(self, app, store: Store, gate: Gate, threads: Threads, team: bool, is_https: bool):
        self.app, self.store, self.gate, self.threads, self.team = app, store, gate, threads, team
        self.cookie = "__Host-annotate" if is_https else "annotate"
        self.is_https = is_https
        self.throttle = Throttle(store.clock)
        self.alone = None if team else local_session(store)

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        request = Request(scope)
        try:
            answer = await self._receive(request, scope)
        except Refused as refused:
            answer = refusal(refused, as_page=not request.url.path.startswith("/api/"))
        await (answer or self.app)(scope, receive, send_safely)

    async def _receive(self, request: Request, scope) -> Response | None:
        """An answer of our own, or None with the session put into the scope."""
        self.gate.check_host(request.headers.get("host", ""))
        path = request.url.path
        if path.startswith("/enter/") and request.method in _SAFE:
            return await self.threads.run(self._enter, request, path.removeprefix("/enter/"))
        key = _cookie(request.headers, self.cookie)
        session = self.alone or await self.threads.run(session_of, self.store, key)
        if session is None:
            raise Refused("Sign in with your personal link.", 401)
        if request.method not in _SAFE:
            self.gate.check_change(request.headers.get, session.csrf)
        if path == "/api/logout" and request.method == "POST":
            await self.threads.run(leave, self.store, key)
            answer = JSONResponse({})
            answer.delete_cookie(self.cookie, path="/", secure=self.is_https, httponly=True, samesite="strict")
            return answer
        scope["session"] = session
        return None

    def _enter(self, request: Request, token: str) -> Response:
        if not self.team:
            raise Refused("Nobody signs in here: this tool has one user.", 404)
        address = request.client.host if request.client else ""
        self.throttle.check(address)
        try:
            key = enter(self.store, token)
        except Refused:
            self.throttle.failed(address)
            raise
        # A page, not a redirect: the browser would not send a strict cookie with a redirect that began elsewhere.
        answer = HTMLResponse(
            '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>Welcome</title>'
            '<a href="/">Go on to the annotation tool</a>'
        )
        answer.set_cookie(
            self.cookie,
            key,
            max_age=int(SESSION_SECONDS),
            path="/",
            secure=self.is_https,
            httponly=True,
            samesite="strict",
        )
        return answer


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


def refusal(refused: Refused, as_page: bool = False) -> Response:
    """The sentence as JSON, or for people who open a page."""
    if as_page:
        sentence = escape(str(refused))
        page = f'<!doctype html><meta charset="utf-8"><title>opendensepose annotate</title><p>{sentence}</p>'
        return HTMLResponse(page, refused.status)
    body: dict[str, Any] = {"error": str(refused)}
    if refused.version is not None:
        body["version"] = refused.version
    return JSONResponse(body, refused.status)


async def body_of(request: Request, limit: int) -> bytes:
    """The body, which is refused at its head or on its way if it is longer than `limit` bytes."""
    said = request.headers.get("content-length", "0")
    too_long = Refused(f"The request is larger than {limit / 1e6:g} MB.", 413)
    if not said.isdecimal() or int(said) > limit:
        raise too_long
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_long
        chunks.append(chunk)
    return b"".join(chunks)


class Call:
    """One request as a handler sees it: the session, the path's numbers, the query and the JSON body."""

    def __init__(self, request: Request, session: Session, body: dict, content: bytes = b""):
        self.session, self.user = session, session.user
        self.path: dict[str, Any] = request.path_params
        self.query = request.query_params
        self.body, self.content = body, content
        request_id = request.headers.get("x-request-id")
        if request_id is not None and not 0 < len(request_id) <= 100:
            raise Refused("X-Request-Id has 1 to 100 characters.")
        self.saves = {"version": body.get("version"), "request_id": request_id}

    @property
    def task_id(self) -> int:
        return self.path["task_id"]


class JsonHandler:
    """Makes an endpoint of a function(tool, call) -> JSON, a Response, or None for 204; runs it in a thread."""

    def __init__(self, function: Callable, tool, threads: Threads):
        self.function, self.tool, self.threads = function, tool, threads

    async def __call__(self, scope, receive, send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except Refused as refused:
            answer = refusal(refused, as_page=not request.url.path.startswith("/api/"))
            if refused.status == 413:
                answer.headers["Connection"] = "close"  # the rest of the body is not waited for
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        session = request.scope["session"]
        body, content = {}, b""
        if getattr(self.function, "takes_file", False):
            if not session.user.may_manage:
                raise Refused("Only a manager does this.", 403)
            content = await body_of(request, IMPORT_BYTES)
        elif request.method not in _SAFE:
            body = _json(await body_of(request, JSON_BYTES))
        if any(number > 2**31 - 1 for number in request.path_params.values() if isinstance(number, int)):
            raise Refused("There is nothing of that number.", 404)
        result = await self.threads.run(self.function, self.tool, Call(request, session, body, content))
        if isinstance(result, Response):
            return result
        return Response(status_code=204) if result is None else JSONResponse(result)


def _json(content: bytes) -> dict:
    if not content:
        return {}
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused("The request's body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refused("The request's body should be a JSON object.")
    return body
