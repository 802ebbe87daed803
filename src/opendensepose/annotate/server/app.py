"""The annotation tool's server: `create_app` makes it from a store, a folder of photos and the surface.

Errors are {"error": one sentence} with a 4xx status; 409, with the current version, for an outdated save. Everything
but /enter and the files it needs asks for a session; every change needs its X-CSRF-Token, and may have an X-Request-Id,
by which a repeated save is recognised. Limits: a JSON body 1 MB, an imported file 600 MB (managers only), 10 invalid
links a minute.

GET  /enter, POST /api/enter, POST /api/logout, POST /api/link, GET /api/session
GET  /, /person/{id}, /people, /manager, /static/...                  the pages
GET  /api/search, /api/photos, /api/photos/{id}/image
GET  /api/people, /api/people/neighbours, /api/people/{id}/thumbnail.jpg
POST /api/people/{id}/open, /api/people/assign, /unassign, /delete
GET  /api/tasks/{id}, /api/tasks/{id}/guess, /api/tasks/{id}/iuv.png
POST /api/tasks, /api/tasks/next, /api/tasks/{id}/lease, /submit, /skip, /release, /reopen
PUT  /api/tasks/{id}/box, /parts, /points/{pid}, /points/{pid}/place; POST /api/tasks/{id}/points, /predictions, /snap
GET  /api/views/{part}, /api/views/{part}/{view}.png
GET  /api/review/next, POST /api/tasks/{id}/accept, /send_back, /fix
GET  /api/team, /api/manager/quality, /api/manager/plots/{name}.svg, /api/export.json
POST /api/team/invite, /api/team/revoke, /api/import

Functions run in threads, slow ones (a model, an export) apart from short ones, so that nobody waits for them.
"""

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from opendensepose.annotate.server.handlers import ENDPOINTS, AppState
from opendensepose.annotate.server.manager import QualityCache
from opendensepose.annotate.server.middleware import AuthMiddleware, SafetyMiddleware
from opendensepose.annotate.server.pages import enter_page
from opendensepose.annotate.server.people import Thumbnails
from opendensepose.annotate.server.requests import EXCEPTION_HANDLERS, Threads, make_route
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.work.photos import PhotoFolder
from opendensepose.annotate.work.store import Store
from opendensepose.annotate.work.tasks import Rules
from opendensepose.web.addresses import LOOPBACK_HOSTS

__all__ = ["STATIC", "create_app"]

STATIC = Path(__file__).parents[1] / "page"


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
    search: bool = False,
    load_distances: Callable | None = None,
    static: Path = STATIC,
) -> Starlette:
    """Make the app, to be run by uvicorn.

    team: whether users sign in with their links; else whoever reaches the server is its only user. hosts: what the Host
    header may be, "*" for anything. is_https: whether browsers reach it by https. predictor: image_rgb, boxes ->
    instances, for guesses, proposals and as a witness; None: there are none. search: whether people are being searched
    meanwhile. load_distances: loads the LabelDistances to measure errors with; None: none are measured.
    """
    rules = rules or Rules()
    quality, thumbnails = QualityCache(load_distances), Thumbnails(folder)
    state = AppState(store, surface, folder, rules, predictor, quality, thumbnails, search)
    threads = Threads()
    middleware = [
        Middleware(SafetyMiddleware),
        # pages of other sites can make their own host name point to this machine
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        Middleware(AuthMiddleware, store=store, threads=threads, team=team, is_https=is_https),
    ]
    routes: list[BaseRoute] = [make_route(endpoint, state, threads) for endpoint in ENDPOINTS]
    routes.append(Route("/enter", enter_page))
    if static.is_dir():
        routes.append(Mount("/static", StaticFiles(directory=static)))
    return Starlette(routes=routes, middleware=middleware, exception_handlers=EXCEPTION_HANDLERS)
