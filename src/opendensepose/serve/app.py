"""The service: `create_app` makes it from workers that answer batches.

POST /v1/predict[?format=NAME&person=all|largest|N&min_confidence=C&timeout=SECONDS]   a photo, as body or in a form
GET  /v1/models      what is served, the formats, the limits
GET  /healthz        200 while the process lives; /readyz: 200 if a worker can answer, else 503
GET  /metrics        Prometheus
GET  /openapi.json   this as OpenAPI, with examples
GET  /, /static/...  the page; /static/body.json: the body that it shows

Errors are {"error": one sentence} with a status: 400, 408, 413, 422 what is wrong with the photo, 401 and 403 who may
not ask, 406 no such format, 429 too many photos wait (Retry-After says how long), 504 too late. Nothing that is sent is
kept or logged. The event loop only moves bytes: photos are decoded, labelled and drawn in the workers.
"""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from opendensepose.data.photos import EXAMPLE_PHOTO
from opendensepose.serve.access import AccessMiddleware
from opendensepose.serve.answers import MEDIA_TYPES, Answer, Job, Refusal
from opendensepose.serve.batching import Batcher, Busy, Outcome, Runner, TooLate
from opendensepose.serve.choices import ChoiceError, choose_format, read_number, read_person
from opendensepose.serve.limits import Limits
from opendensepose.serve.metrics import CONTENT_TYPE, Metrics
from opendensepose.serve.openapi import openapi_document
from opendensepose.serve.uploads import Upload, UploadError, Uploads
from opendensepose.serve.view_data import body_data
from opendensepose.serve.workers import ModelInfo
from opendensepose.texture.page import PAGE as LINKED_PAGE
from opendensepose.web.addresses import LOOPBACK_HOSTS

__all__ = ["create_app"]

STATIC = Path(__file__).parent / "page"
OF_LINKED_PAGE = ("three.min.js", "data.js", "photo.js", "body.js", "link.js", "three.LICENSE.txt")


def create_app(
    runners: Sequence[Runner],
    model: ModelInfo,
    limits: Limits | None = None,
    *,
    is_ready: Callable[[], bool] = lambda: True,
    metrics: Metrics | None = None,
    keys: Collection[str] = (),
    origins: Collection[str] = (),
    hosts: Collection[str] = LOOPBACK_HOSTS,
    on_stop: Callable[[], None] = lambda: None,
) -> Starlette:
    """Make the app, to be run by uvicorn.

    runners: see `Batcher`. keys: who has none of them gets nothing but the page; none: everybody may ask. origins: of
    other sites whose pages may ask, "*" for all. hosts: what the Host header may be, "*" for anything. on_stop: called
    when the last request is answered.
    """
    service = _Service(runners, model, limits or Limits(), is_ready, metrics or Metrics(), bool(keys))
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        Middleware(AccessMiddleware, keys=keys, origins=origins),
    ]
    if origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            expose_headers=["Retry-After"],
        )
        middleware.insert(0, cors)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service.batcher.start()
        yield
        await service.batcher.stop()
        await asyncio.to_thread(on_stop)

    routes = [
        Route("/", lambda request: FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})),
        Route("/v1/predict", service.predict, methods=["POST"]),
        Route("/v1/models", service.models),
        Route("/healthz", lambda request: JSONResponse({"status": "alive"})),
        Route("/readyz", service.readyz),
        Route("/metrics", service.show_metrics),
        Route("/openapi.json", service.openapi),
        Route("/static/body.json", service.body),
        Route("/static/example.webp", functools.partial(_file, EXAMPLE_PHOTO)),
        *[Route(f"/static/{name}", functools.partial(_file, LINKED_PAGE / name)) for name in OF_LINKED_PAGE],
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    handlers: dict[Any, Callable] = {HTTPException: _http_error, ClientDisconnect: _disconnected}
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers, lifespan=lifespan)


async def _file(path: Path, request: Request) -> Response:
    return FileResponse(path, headers={"Cache-Control": "no-cache"})  # asked again, and not sent if unchanged


async def _http_error(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": f"{error.detail}."}, error.status_code, error.headers)


async def _disconnected(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=400)  # nobody reads it


class _Service:
    """The endpoints, and what all requests share."""

    def __init__(
        self,
        runners: Sequence[Runner],
        model: ModelInfo,
        limits: Limits,
        is_ready: Callable[[], bool],
        metrics: Metrics,
        needs_key: bool,
    ):
        self.model, self.limits, self.is_ready, self.metrics = model, limits, is_ready, metrics
        self.needs_key = needs_key
        self.uploads = Uploads(limits)
        self.batcher = Batcher(runners, limits, metrics, model.example_s)
        metrics.watch_queue(lambda: self.batcher.num_waiting)

    async def predict(self, request: Request) -> Response:
        """POST /v1/predict."""
        name = "unknown"
        try:
            name = choose_format(request.query_params, request.headers.getlist("accept"))
            with self.uploads.holding() as upload:
                response = await self._predict(request, upload, name)
        except ChoiceError as error:
            response = _error(error.status, str(error))
        except UploadError as error:
            response = _error(error.status, str(error), {"Retry-After": "1"} if error.status == 429 else None)
        except Busy as busy:
            response = _error(429, "Too many photos wait: try again later.", {"Retry-After": str(busy.retry_s)})
        except TooLate:
            response = _error(504, "The photo could not be labelled in time: try again later.")
        self.metrics.answers.labels(str(response.status_code), name).inc()
        return response

    async def _predict(self, request: Request, upload: Upload, name: str) -> Response:
        person = read_person(request.query_params)
        min_confidence = read_number(request.query_params, "min_confidence", 0.0, 1.0)
        timeout_s = read_number(request.query_params, "timeout", self.limits.deadline_s, self.limits.deadline_s)
        content = await upload.read(request)
        self.metrics.received.inc(upload.num_bytes)
        start = time.perf_counter()
        job = Job(content, name, person, min_confidence)
        outcome = await _unless_disconnected(request, self.batcher.answer(job, timeout_s))
        if isinstance(outcome, Refusal):
            return _error(outcome.status, outcome.sentence)
        self.metrics.people.inc(outcome.num_people)
        self.metrics.seconds.observe(time.perf_counter() - start)
        return _response(outcome)

    async def models(self, request: Request) -> Response:
        """GET /v1/models."""
        return JSONResponse(
            {
                "models": [msgspec.to_builtins(self.model)],
                "formats": MEDIA_TYPES,
                "limits": {
                    "max_bytes": self.limits.max_bytes,
                    "max_pixels": self.limits.max_pixels,
                    "deadline_s": self.limits.deadline_s,
                },
            }
        )

    async def readyz(self, request: Request) -> Response:
        """GET /readyz."""
        is_ready = self.is_ready()
        return JSONResponse({"status": "ready" if is_ready else "no worker is ready"}, 200 if is_ready else 503)

    async def show_metrics(self, request: Request) -> Response:
        """GET /metrics."""
        return Response(self.metrics.text(), media_type=CONTENT_TYPE)

    async def openapi(self, request: Request) -> Response:
        """GET /openapi.json."""
        return JSONResponse(openapi_document(self.limits, self.needs_key))

    async def body(self, request: Request) -> Response:
        """GET /static/body.json."""
        content = await asyncio.to_thread(lambda: msgspec.json.encode(body_data()))
        return Response(content, media_type="application/json", headers={"Cache-Control": "max-age=3600"})


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    if status in (408, 413):
        headers = {"Connection": "close"}  # the rest of the body is not waited for
    return JSONResponse({"error": sentence}, status, headers)


def _response(answer: Answer) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{answer.file_name}"', "X-People": str(answer.num_people)}
    return Response(answer.content, media_type=answer.media_type, headers=headers)


async def _unless_disconnected(request: Request, work: Awaitable[Outcome]) -> Outcome:
    """Await `work`, but give it up with ClientDisconnect when the client is gone."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for one in (task, gone):
            one.cancel()


async def _until_disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
