"""Running the annotation tool: the server started, people detected meanwhile, the browser opened."""

import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from opendensepose.annotate.server.access import has_invitations
from opendensepose.annotate.server.app import STATIC, create_app
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.work.photos import PhotoFolder, find_people
from opendensepose.annotate.work.store import Store
from opendensepose.annotate.work.tasks import Rules
from opendensepose.instance import Instance
from opendensepose.web.addresses import allowed_hosts, is_loopback, listen, url_of

if TYPE_CHECKING:
    from opendensepose.evaluation.errors import LabelDistances
    from opendensepose.predict import Predictor

__all__ = ["LazyPredictor", "run_server"]


class LazyPredictor:
    """The default model, loaded at its first use; it labels one photo at a time."""

    def __init__(self, model: str = "default"):
        self._model, self._lock = model, threading.Lock()
        self._predictor: Predictor | None = None

    def __call__(self, image_rgb: np.ndarray, boxes: np.ndarray | None = None) -> list[Instance]:
        with self._lock:
            if self._predictor is None:
                from opendensepose.predict import Predictor

                self._predictor = Predictor(self._model)
            return self._predictor(image_rgb, boxes)


def run_server(
    store: Store,
    photos: Path,
    *,
    rules: Rules,
    host: str,
    port: int,
    url: str | None,
    browser: bool,
    search: bool,
    static: Path | None = None,
) -> None:
    """Serve until Ctrl-C. search: whether the model meanwhile detects people in photos that have none.

    ValueError if the port is taken.
    """
    import uvicorn

    team = not is_loopback(host) or has_invitations(store)
    listener = listen(host, port)
    folder, predictor, surface = PhotoFolder(store, photos), LazyPredictor(), SurfaceService()
    app = create_app(
        store,
        surface,
        folder,
        rules=rules,
        team=team,
        hosts=allowed_hosts(host, [_name_in(url)] if url else ()),
        is_https=bool(url and url.startswith("https://")),
        predictor=predictor,
        search=search,
        load_distances=_load_distances,
        static=static or STATIC,
    )
    stopping = threading.Event()
    threading.Thread(target=surface.warm_up, daemon=True).start()
    if search:
        threading.Thread(target=find_people, args=(store, folder, predictor, stopping.is_set), daemon=True).start()
    address = url or url_of(host, listener)
    print(f"annotating at {address}" + (" for invited users" if team else "") + "; Ctrl-C stops", flush=True)
    if browser and not team:
        threading.Timer(1.0, webbrowser.open, [address]).start()
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_keep_alive=30)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        stopping.set()


def _name_in(url: str) -> str:
    """Return the host of an address, as the Host header has it."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name


def _load_distances() -> "LabelDistances":
    from opendensepose.evaluate import load_distances

    return load_distances()
