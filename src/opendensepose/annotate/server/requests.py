"""How an endpoint runs: its path, query and body are checked here, its function runs in a thread, errors become
sentences.

This is the only place where requests are decoded. A function gets numbers and texts that both databases can store.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from opendensepose.annotate.server.access import Session
from opendensepose.annotate.server.bodies import Empty
from opendensepose.annotate.server.markup import render
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.fields import MAX_ID
from opendensepose.annotate.work.tasks import User

__all__ = [
    "CACHE_FOREVER",
    "EXCEPTION_HANDLERS",
    "IMPORT_BYTES",
    "JSON_BYTES",
    "SAFE_METHODS",
    "Call",
    "Endpoint",
    "Threads",
    "decode_body",
    "error_response",
    "make_route",
    "read_body",
]

JSON_BYTES = 1_000_000
IMPORT_BYTES = 600_000_000
SAFE_METHODS = ("GET", "HEAD")
CACHE_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}  # of pictures that never change
T = TypeVar("T")
_REQUEST_ID = re.compile(r"[!-~]{1,100}")
_NUM_SHORT = 4  # threads of short calls; more of them would only wait for Python's global lock


@dataclass(frozen=True)
class Endpoint:
    """An entry of the API.

    function(state, call) -> JSON, a Response, or None for 204. body, query: the msgspec types of the JSON body and of
    the query. role: who may call it, "any", "reviewer" (managers too) or "manager". is_slow: others should not wait for
    it. takes_file: a file is sent instead of JSON.
    """

    method: str
    path: str
    function: Callable
    body: type = Empty
    query: type = Empty
    role: str = "any"
    is_slow: bool = False
    takes_file: bool = False


class Threads:
    """The threads for functions that wait for the database: a few for short calls, in turn; others for slow calls."""

    def __init__(self, num_short: int = _NUM_SHORT):
        self._short = anyio.CapacityLimiter(num_short)

    async def run(self, function: Callable[..., T], *arguments: Any, is_slow: bool = False) -> T:
        """Run function(*arguments) in a thread and return its result."""
        if is_slow:
            return await run_in_threadpool(function, *arguments)
        return await anyio.to_thread.run_sync(function, *arguments, limiter=self._short)


@dataclass(frozen=True)
class Call:
    """A request as an endpoint's function gets it: session; checked path parameters, query, body or file content."""

    session: Session
    path: dict[str, Any]
    query: Any
    body: Any
    content: bytes
    request_id: str | None

    @property
    def user(self) -> User:
        return self.session.user

    @property
    def task_id(self) -> int:
        return self.path["task_id"]

    @property
    def save(self) -> dict:
        """The arguments `version` and `request_id` of `edits`."""
        return {"version": self.body.version, "request_id": self.request_id}


async def _checked_call(request: Request, endpoint: Endpoint) -> Call:
    """Decode a request by its endpoint's types. RequestError in one sentence if it does not fit."""
    session: Session = request.scope["session"]
    if not session.user.has_role(endpoint.role):
        raise RequestError(f"This is for {endpoint.role}s.", 403)
    path = request.path_params
    if any(isinstance(number, int) and number > MAX_ID for number in path.values()):
        raise RequestError("There is nothing with that number.", 404)
    request_id = request.headers.get("x-request-id")
    if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
        raise RequestError("X-Request-Id must have 1 to 100 ASCII characters and no space.")
    try:
        query: Any = msgspec.convert(dict(request.query_params), endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        raise RequestError(f"The request's query is not as it must be: {error}.") from None
    body, content = None, b""
    if endpoint.takes_file:
        content = await read_body(request, IMPORT_BYTES)
    elif request.method not in SAFE_METHODS:
        body = decode_body(await read_body(request, JSON_BYTES), endpoint.body)
    return Call(session, path, query, body, content, request_id)


def make_route(endpoint: Endpoint, state: Any, threads: Threads) -> Route:
    """Make a Starlette route of an endpoint."""

    async def respond(request: Request) -> Response:
        call = await _checked_call(request, endpoint)
        result = await threads.run(endpoint.function, state, call, is_slow=endpoint.is_slow)
        if isinstance(result, Response):
            return result
        return Response(status_code=204) if result is None else JSONResponse(result)

    return Route(endpoint.path, respond, methods=[endpoint.method])


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body. RequestError 413 as soon as its header or what has arrived exceeds `limit` bytes."""
    too_long = RequestError(f"The request must be at most {limit / 1e6:g} MB.", 413)
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdecimal()) or len(declared) > 12 or int(declared) > limit:
        raise too_long
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise too_long
    return bytes(content)


def decode_body(content: bytes, body: type) -> Any:
    """Decode a JSON body; an empty one stands for {}. RequestError 400 if it does not fit its type."""
    try:
        return msgspec.json.decode(content or b"{}", type=body)
    except msgspec.ValidationError as error:
        raise RequestError(f"The request's JSON is not as it must be: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError("The request's body must be JSON.") from None


def error_response(request: Request, error: RequestError) -> Response:
    """Return the sentence as JSON or, outside the API, as a page."""
    headers = {"Connection": "close"} if error.status == 413 else None  # the rest of the body is not waited for
    if not request.scope["path"].startswith("/api/"):
        return HTMLResponse(render("message.html", sentence=str(error)), error.status, headers)
    version = {} if error.version is None else {"version": error.version}
    return JSONResponse({"error": str(error), **version}, error.status, headers)


async def _handle_error(request: Request, error: RequestError) -> Response:
    return error_response(request, error)


async def _handle_no_route(request: Request, error: HTTPException) -> Response:
    sentence = "There is no such page." if error.status_code == 404 else f"{error.detail}."
    response = error_response(request, RequestError(sentence, error.status_code))
    response.headers.update(error.headers or {})
    return response


async def _handle_disconnect(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=400)  # nobody reads it


EXCEPTION_HANDLERS: dict[Any, Callable] = {
    RequestError: _handle_error,
    HTTPException: _handle_no_route,
    ClientDisconnect: _handle_disconnect,
}
