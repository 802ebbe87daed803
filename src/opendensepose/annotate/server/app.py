"""The annotation tool's server: `create_app` makes it from a store, a folder of photos and the surface's views.

Errors are {"error": one sentence} with a 4xx status; 409, with the present version, where a save came too late.
Everything but /enter needs a session; every change needs its X-CSRF-Token, and may have an X-Request-Id, by which a
repeated save is known. Limits: a JSON body 1 MB, an imported file 600 MB (managers only), 10 wrong links a minute.

GET  /enter/{token}, POST /api/logout, GET /api/session
GET  /, /manager, /static/...                                         the page
GET  /api/photos, /api/photos/{id}/image
GET  /api/tasks, /api/tasks/{id}, /api/tasks/{id}/guess, /api/tasks/{id}/iuv.png
POST /api/tasks, /api/tasks/next, /api/tasks/{id}/lease, /submit, /skip, /release
PUT  /api/tasks/{id}/box, /parts, /points/{pid}, /points/{pid}/place; POST /api/tasks/{id}/points
GET  /api/views/{part}, /api/views/{part}/{view}.png
GET  /api/review/next, POST /api/tasks/{id}/accept, /send_back, /fix
GET  /api/manager/quality, /api/manager/plots/{name}.svg, /api/export.json, POST /api/import

All work is done in threads; what is slow there (a model, a whole export) holds up nobody else.
"""

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from opendensepose.annotate.server.access import Gate
from opendensepose.annotate.server.handlers import HANDLERS, Tool
from opendensepose.annotate.server.manager import Yardstick
from opendensepose.annotate.server.requests import JsonHandler, Reception, Threads
from opendensepose.annotate.surface.service import SurfaceSide
from opendensepose.annotate.work.photos import PhotoFolder
from opendensepose.annotate.work.store import Store
from opendensepose.annotate.work.tasks import Rules

__all__ = ["STATIC", "create_app"]

STATIC = Path(__file__).parents[1] / "page"


def create_app(
    store: Store,
    surface: SurfaceSide,
    folder: PhotoFolder,
    *,
    rules: Rules | None = None,
    team: bool = False,
    hosts: frozenset[str] | None = frozenset({"127.0.0.1", "localhost", "::1"}),
    is_https: bool = False,
    predictor: Callable | None = None,
    distances: Callable | None = None,
    static: Path = STATIC,
) -> Starlette:
    """The app, to be run by uvicorn.

    team: whether people sign in by their links; else whoever reaches the server works as its only user. hosts: names
    that the Host header may have, None for any. is_https: whether browsers reach it by https. predictor:
    image_rgb, boxes -> instances, for guesses; may be None. distances: makes the LabelDistances that
    errors are measured with; None: none are measured.
    """
    rules = rules or Rules()
    tool = Tool(store, surface, folder, rules, predictor, static, Yardstick(distances))
    threads, gate = Threads(), Gate(hosts, is_https)
    reception = Middleware(Reception, store=store, gate=gate, threads=threads, team=team, is_https=is_https)
    routes = [
        Route(path, JsonHandler(function, tool, threads), methods=[method]) for method, path, function in HANDLERS
    ]
    if static.is_dir():
        routes.append(Mount("/static", StaticFiles(directory=static)))
    return Starlette(routes=routes, middleware=[reception])
