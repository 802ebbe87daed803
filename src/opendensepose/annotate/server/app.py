"""The annotation tool's server: `create_app` makes it from a store, a folder of photos and the surface.

Errors are {"error": one sentence} with a 4xx status; 409, with the current version, for an outdated save. Everything
but /enter needs a session; every change needs its X-CSRF-Token, and may have an X-Request-Id, by which a repeated save
is recognised. Limits: a JSON body 1 MB, an imported file 600 MB (managers only), 10 invalid links a minute.

GET  /enter/{token}, POST /api/logout, GET /api/session
GET  /, /manager, /static/...                                         the page
GET  /api/photos, /api/photos/{id}/image
GET  /api/tasks, /api/tasks/{id}, /api/tasks/{id}/guess, /api/tasks/{id}/iuv.png
POST /api/tasks, /api/tasks/next, /api/tasks/{id}/lease, /submit, /skip, /release
PUT  /api/tasks/{id}/box, /parts, /points/{pid}, /points/{pid}/place; POST /api/tasks/{id}/points, /predictions
GET  /api/views/{part}, /api/views/{part}/{view}.png
GET  /api/review/next, POST /api/tasks/{id}/accept, /send_back, /fix
GET  /api/manager/quality, /api/manager/plots/{name}.svg, /api/export.json, POST /api/import

Functions run in threads, slow ones (a model, an export) apart from short ones, so that nobody waits for them.
"""

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from opendensepose.annotate.server.handlers import ENDPOINTS, AppState
from opendensepose.annotate.server.manager import QualityCache
from opendensepose.annotate.server.middleware import AuthMiddleware
from opendensepose.annotate.server.requests import EXCEPTION_HANDLERS, Threads, make_route
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.work.photos import PhotoFolder
from opendensepose.annotate.work.store import Store
from opendensepose.annotate.work.tasks import Rules

__all__ = ["LOOPBACK_HOSTS", "STATIC", "create_app"]

STATIC = Path(__file__).parents[1] / "page"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")  # as the Host header has them


def create_app(
    store: Store,
    surface: SurfaceService,
    folder: PhotoFolder,
    *,
    rules: Rules | None = None,
    team: bool = False,
    hosts: tuple[str, ...] = LOOPBACK_HOSTS,
    is_https: bool = False,
    predictor: Callable | None = None,
    load_distances: Callable | None = None,
    static: Path = STATIC,
) -> Starlette:
    """Make the app, to be run by uvicorn.

    team: whether users sign in with their links; else whoever reaches the server is its only user. hosts: what the Host
    header may be, "*" for anything. is_https: whether browsers reach it by https. predictor: image_rgb, boxes ->
    instances, for guesses, proposals and as a witness; None: there are none. load_distances: loads the LabelDistances
    to measure errors with; None: none are measured.
    """
    state = AppState(store, surface, folder, rules or Rules(), predictor, static, QualityCache(load_distances))
    threads = Threads()
    middleware = [
        # pages of other sites can make their own host name point to this machine
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        Middleware(AuthMiddleware, store=store, threads=threads, team=team, is_https=is_https),
    ]
    routes: list[BaseRoute] = [make_route(endpoint, state, threads) for endpoint in ENDPOINTS]
    if static.is_dir():
        routes.append(Mount("/static", StaticFiles(directory=static)))
    return Starlette(routes=routes, middleware=middleware, exception_handlers=EXCEPTION_HANDLERS)
