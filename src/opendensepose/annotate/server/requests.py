"""How an endpoint runs: its body is limited and decoded, its function runs in a thread, errors become sentences."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from opendensepose.annotate.server.access import Session
from opendensepose.annotate.server.bodies import Empty
from opendensepose.annotate.server.markup import render
from opendensepose.annotate.work.errors import RequestError

__all__ = [
    "EXCEPTION_HANDLERS",
    "IMPORT_BYTES",
    "JSON_BYTES",
    "SAFE_METHODS",
    "Call",
    "Endpoint",
    "Threads",
    "error_response",
    "make_route",
    "read_body",
]

JSON_BYTES = 1_000_000
IMPORT_BYTES = 600_000_000
SAFE_METHODS = ("GET", "HEAD")
T = TypeVar("T")
_NUM_SHORT = 4  # threads of short calls; more of them would only wait for Python's global lock


@dataclass(frozen=True)
class Endpoint:
    """An entry of the API.

    function(state, call) -> JSON, a Response, or None for 204. body: the msgspec type of the JSON body. is_slow: others
    should not wait for it. takes_file: a manager sends a file instead of JSON.
    """

    method: str
    path: str
    function: Callable
    body: type = Empty
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


class Call:
    """A request as an endpoint's function gets it: session, path parameters, query, decoded body or file content."""

    def __init__(self, request: Request, session: Session, body: Any, content: bytes = b""):
        self.session, self.user = session, session.user
        self.path: dict[str, Any] = request.path_params
        self.query = request.query_params
        self.body, self.content = body, content
        self._request_id = request.headers.get("x-request-id")
        if self._request_id is not None and not 0 < len(self._request_id) <= 100:
            raise RequestError("X-Request-Id must have 1 to 100 characters.")

    @property
    def task_id(self) -> int:
        return self.path["task_id"]

    @property
    def save(self) -> dict:
        """The arguments `version` and `request_id` of `edits`."""
        return {"version": self.body.version, "request_id": self._request_id}


def make_route(endpoint: Endpoint, state: Any, threads: Threads) -> Route:
    """Make a Starlette route of an endpoint."""

    async def respond(request: Request) -> Response:
        session: Session = request.scope["session"]
        body, content = None, b""
        if endpoint.takes_file:
            if not session.user.may_manage:
                raise RequestError("This is for managers.", 403)
            content = await read_body(request, IMPORT_BYTES)
        elif request.method not in SAFE_METHODS:
            body = _decode(await read_body(request, JSON_BYTES), endpoint.body)
        if any(number > 2**31 - 1 for number in request.path_params.values() if isinstance(number, int)):
            raise RequestError("There is nothing with that number.", 404)
        call = Call(request, session, body, content)
        result = await threads.run(endpoint.function, state, call, is_slow=endpoint.is_slow)
        if isinstance(result, Response):
            return result
        return Response(status_code=204) if result is None else JSONResponse(result)

    return Route(endpoint.path, respond, methods=[endpoint.method])


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body. RequestError 413 as soon as its header or what has arrived exceeds `limit` bytes."""
    too_long = RequestError(f"The request must be at most {limit / 1e6:g} MB.", 413)
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit:
        raise too_long
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise too_long
    return bytes(content)


def _decode(content: bytes, body: type) -> Any:
    try:
        return msgspec.json.decode(content or b"{}", type=body)
    except msgspec.ValidationError as error:
        raise RequestError(f"The request's JSON is not as it must be: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError("The request's body must be JSON.") from None


def error_response(request: Request, error: RequestError) -> Response:
    """Return the sentence as JSON or, outside the API, as a page."""
    headers = {"Connection": "close"} if error.status == 413 else None  # the rest of the body is not waited for
    if not request.url.path.startswith("/api/"):
        return HTMLResponse(render("message.html", sentence=str(error), is_signed_in=False), error.status, headers)
    version = {} if error.version is None else {"version": error.version}
    return JSONResponse({"error": str(error), **version}, error.status, headers)


async def _handle_error(request: Request, error: RequestError) -> Response:
    return error_response(request, error)


async def _handle_disconnect(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=400)  # nobody reads it


EXCEPTION_HANDLERS: dict[Any, Callable] = {RequestError: _handle_error, ClientDisconnect: _handle_disconnect}
