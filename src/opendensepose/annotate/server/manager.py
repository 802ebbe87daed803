"""The manager's endpoints: quality and its plots, export, import."""

import json
import threading
from collections.abc import Callable
from typing import Protocol

import msgspec
from starlette.responses import Response

from opendensepose.annotate.server.plots import PLOTS
from opendensepose.annotate.server.requests import Call, Endpoint
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.exchange import export_document, import_document
from opendensepose.annotate.work.store import Store

__all__ = ["MANAGER_ENDPOINTS", "QualityCache"]

_FRESH_SECONDS = 30.0


class QualityCache:
    """Cache the quality for 30 s, and for good the table of distances on the surface that it is measured with.

    load_distances is called at the first use, which takes minutes on a new machine; None: no distances are measured.
    """

    def __init__(self, load_distances: Callable | None):
        self._load_distances, self._distances = load_distances, None
        self._lock = threading.Lock()
        self._measured: tuple[float, dict] | None = None

    def quality(self, store: Store, surface: SurfaceService) -> dict:
        """Return the quality, at most 30 s old."""
        from opendensepose.annotate.work.quality import quality_document  # takes a second, and not everybody needs it

        with self._lock:
            now = store.clock()
            if self._measured is None or now - self._measured[0] > _FRESH_SECONDS:
                if self._distances is None and self._load_distances is not None:
                    self._distances = self._load_distances()
                self._measured = now, quality_document(store, surface.to_iuv, self._distances)
            return self._measured[1]


class ManagerState(Protocol):
    """What these endpoints use of `AppState`."""

    store: Store
    surface: SurfaceService
    quality_cache: QualityCache


def _check_manager(call: Call) -> None:
    if not call.user.may_manage:
        raise RequestError("This is for managers.", 403)


def quality(state: ManagerState, call: Call) -> dict:
    _check_manager(call)
    return state.quality_cache.quality(state.store, state.surface)


def plot(state: ManagerState, call: Call) -> Response:
    _check_manager(call)
    if call.path["name"] not in PLOTS:
        raise RequestError(f"The plot must be one of {', '.join(PLOTS)}.", 404)
    picture = PLOTS[call.path["name"]](quality(state, call))
    return Response(picture, media_type="image/svg+xml")


def export(state: ManagerState, call: Call) -> Response:
    _check_manager(call)
    document = export_document(state.store, state.surface.to_iuv, vertex=call.query.get("vertex") == "1")
    headers = {"Content-Disposition": 'attachment; filename="annotations.json"'}
    return Response(json.dumps(document), media_type="application/json", headers=headers)


def import_file(state: ManagerState, call: Call) -> dict:
    try:
        document = msgspec.json.decode(call.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError("The file must be JSON.", 422) from None
    try:
        return import_document(state.store, document, state.surface.to_points)
    except RequestError:
        raise
    except ValueError as error:
        raise RequestError(str(error), 422) from None


MANAGER_ENDPOINTS = [
    Endpoint("GET", "/api/manager/quality", quality, is_slow=True),
    Endpoint("GET", "/api/manager/plots/{name}.svg", plot, is_slow=True),
    Endpoint("GET", "/api/export.json", export, is_slow=True),
    Endpoint("POST", "/api/import", import_file, is_slow=True, takes_file=True),
]
