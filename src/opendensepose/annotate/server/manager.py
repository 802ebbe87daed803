"""The manager's endpoints: quality and its plots, export, import."""

import json
import threading
from collections.abc import Callable

from starlette.responses import Response

from opendensepose.annotate.server.plots import PLOTS
from opendensepose.annotate.server.requests import Call
from opendensepose.annotate.work.exchange import export_document, import_document
from opendensepose.annotate.work.refusals import Refused

__all__ = ["MANAGER_HANDLERS", "Yardstick"]

_FRESH_SECONDS = 30.0  # quality is measured anew after this time


class Yardstick:
    """Distances on the surface, made at the first use, which may take minutes on a new machine; and what was measured
    with them last."""

    def __init__(self, make: Callable | None):
        self._make, self._distances = make, None
        self._lock = threading.Lock()
        self._quality: tuple[float, dict] | None = None

    def quality(self, tool) -> dict:
        from opendensepose.annotate.work.quality import quality_document  # takes a second, and not everybody needs it

        with self._lock:
            now = tool.store.clock()
            if self._quality is None or now - self._quality[0] > _FRESH_SECONDS:
                if self._distances is None and self._make is not None:
                    self._distances = self._make()
                self._quality = now, quality_document(tool.store, tool.surface.uv_of, self._distances)
            return self._quality[1]


def _check_manager(call: Call) -> None:
    if not call.user.may_manage:
        raise Refused("This is for managers.", 403)


def quality(tool, call: Call) -> dict:
    _check_manager(call)
    return tool.yardstick.quality(tool)


def plot(tool, call: Call) -> Response:
    _check_manager(call)
    if call.path["name"] not in PLOTS:
        raise Refused(f"The plots are {', '.join(PLOTS)}.", 404)
    picture = PLOTS[call.path["name"]](tool.yardstick.quality(tool))
    return Response(picture, media_type="image/svg+xml")


def export(tool, call: Call) -> Response:
    _check_manager(call)
    document = export_document(tool.store, tool.surface.uv_of, vertex=call.query.get("vertex") == "1")
    name = {"Content-Disposition": 'attachment; filename="annotations.json"'}
    return Response(json.dumps(document), media_type="application/json", headers=name)


def import_file(tool, call: Call) -> dict:
    import msgspec

    try:
        document = msgspec.json.decode(call.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("The file is not JSON.", 422) from None
    try:
        return import_document(tool.store, document, tool.surface.to_points)
    except Refused:
        raise
    except ValueError as error:
        raise Refused(str(error), 422) from None


import_file.takes_file = True
for function in (quality, plot, export, import_file):
    function.is_slow = True

MANAGER_HANDLERS: list[tuple[str, str, Callable]] = [
    ("GET", "/api/manager/quality", quality),
    ("GET", "/api/manager/plots/{name}.svg", plot),
    ("GET", "/api/export.json", export),
    ("POST", "/api/import", import_file),
]
