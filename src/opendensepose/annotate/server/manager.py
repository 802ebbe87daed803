"""The manager's endpoints: the team, quality and its plots, export, import."""

import json
import threading
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from starlette.responses import Response

from opendensepose.annotate.server import access
from opendensepose.annotate.server.bodies import ExportQuery, ImportQuery, Invite, Revoke
from opendensepose.annotate.server.plots import PLOTS
from opendensepose.annotate.server.requests import Call, Endpoint
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.team.progress import members, progress
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.exchange import export_document
from opendensepose.annotate.work.importing import import_document
from opendensepose.annotate.work.store import Store
from opendensepose.annotate.work.tasks import Rules

__all__ = ["MANAGER_ENDPOINTS", "QualityCache"]

_FRESH_SECONDS = 5.0


class QualityCache:
    """Keep what was measured, so that only changed tasks are measured again, and the distances to measure with.

    load_distances is called at the first use, which takes minutes on a new machine; None: no distances are measured.
    """

    def __init__(self, load_distances: Callable | None):
        self._load_distances, self._distances = load_distances, None
        self._lock = threading.Lock()
        self._measured: Any = None
        self._document: tuple[float, dict] | None = None

    def quality(self, store: Store, surface: SurfaceService, annotators_per_person: int = 1) -> dict:
        """Return the quality, at most 5 s old: a page asks for it once for itself and once for each plot."""
        from opendensepose.annotate.team.quality import Measured, quality_document  # takes a second to import

        with self._lock:
            now = store.clock()
            if self._document is None or now - self._document[0] > _FRESH_SECONDS:
                if self._distances is None and self._load_distances is not None:
                    self._distances = self._load_distances()
                self._measured = self._measured or Measured()
                of_store = store, surface.to_iuv, self._distances, self._measured, annotators_per_person
                self._document = now, quality_document(*of_store)
            return self._document[1]


class ManagerState(Protocol):
    """What these endpoints use of `AppState`."""

    store: Store
    surface: SurfaceService
    rules: Rules
    quality_cache: QualityCache


def team(state: ManagerState, call: Call) -> dict:
    return {"members": members(state.store), "progress": progress(state.store, state.rules.annotators_per_person)}


def invite(state: ManagerState, call: Call) -> dict:
    if call.user.alone:
        raise RequestError(
            "Nobody signs in to this server. Invite the first manager with `opendensepose annotate invite`, then start"
            " the server again.",
            409,
        )
    try:
        token = access.invite(state.store, call.body.name, call.body.role, by=call.user)
    except ValueError as error:
        raise _refusal(error, 422) from None
    return {"path": f"/enter#{token}"}


def revoke(state: ManagerState, call: Call) -> dict:
    if call.body.name == call.user.name:
        raise RequestError("You cannot revoke yourself; let another manager do it.", 409)
    try:
        access.revoke(state.store, call.body.name, by=call.user)
    except ValueError as error:
        raise _refusal(error, 404) from None
    return {}


def _refusal(error: ValueError, status: int) -> RequestError:
    """Answer with an error's sentence; verbs print it behind a colon, pages by itself."""
    sentence = str(error)
    return RequestError(sentence[:1].upper() + sentence[1:], status)


def quality(state: ManagerState, call: Call) -> dict:
    return state.quality_cache.quality(state.store, state.surface, state.rules.annotators_per_person)


def plot(state: ManagerState, call: Call) -> Response:
    if call.path["name"] not in PLOTS:
        raise RequestError(f"The plot must be one of {', '.join(PLOTS)}.", 404)
    picture = PLOTS[call.path["name"]](quality(state, call))
    return Response(picture, media_type="image/svg+xml")


def export(state: ManagerState, call: Call) -> Response:
    document = export_document(state.store, state.surface.to_iuv, vertex=call.query.vertex, unfinished=call.query.all)
    headers = {"Content-Disposition": 'attachment; filename="annotations.json"'}
    return Response(json.dumps(document), media_type="application/json", headers=headers)


def import_file(state: ManagerState, call: Call) -> dict:
    try:
        document = msgspec.json.decode(call.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError("The file must be JSON.", 422) from None
    try:
        options = {"done": call.query.done, "update": call.query.update}
        return import_document(state.store, document, state.surface.to_points, **options)
    except RequestError:
        raise
    except ValueError as error:
        raise RequestError(str(error), 422) from None


MANAGER_ENDPOINTS = [
    Endpoint("GET", "/api/team", team, role="manager"),
    Endpoint("POST", "/api/team/invite", invite, Invite, role="manager"),
    Endpoint("POST", "/api/team/revoke", revoke, Revoke, role="manager"),
    Endpoint("GET", "/api/manager/quality", quality, is_slow=True, role="manager"),
    Endpoint("GET", "/api/manager/plots/{name}.svg", plot, is_slow=True, role="manager"),
    Endpoint("GET", "/api/export.json", export, query=ExportQuery, is_slow=True, role="manager"),
    Endpoint("POST", "/api/import", import_file, query=ImportQuery, is_slow=True, takes_file=True, role="manager"),
]
