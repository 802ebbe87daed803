"""Running the annotation tool: photos in, people found, the server up, the browser opened."""

import socket
import sys
import threading
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit

from opendensepose.annotate.server.access import has_invited, is_loopback
from opendensepose.annotate.server.app import STATIC, create_app
from opendensepose.annotate.surface.service import RealSurface
from opendensepose.annotate.work.photos import PhotoFolder, add_boxes, find_people
from opendensepose.annotate.work.store import Store
from opendensepose.annotate.work.tasks import Rules

__all__ = ["LazyPredictor", "allowed_hosts", "run_server", "take_in_boxes"]


class LazyPredictor:
    """The default model, loaded at its first use; one photo at a time."""

    def __init__(self, model: str = "default"):
        self._model, self._predictor, self._lock = model, None, threading.Lock()

    def __call__(self, image_rgb, boxes=None):
        with self._lock:
            if self._predictor is None:
                from opendensepose.predict import Predictor

                self._predictor = Predictor(self._model)
            return self._predictor(image_rgb, boxes)


def take_in_boxes(store: Store, boxes: str) -> None:
    """People of a COCO file; says what is not there."""
    from opendensepose.data.json_files import read_json

    count, missing = add_boxes(store, read_json(boxes), str(boxes))
    print(f"{count} new people from {boxes}")
    for sentence in missing[:20]:
        print(f"opendensepose: {sentence}", file=sys.stderr)
    if len(missing) > 20:
        print(f"opendensepose: ... and {len(missing) - 20} more", file=sys.stderr)


def allowed_hosts(host: str, url: str | None) -> frozenset[str] | None:
    """What the Host header may name; None, anything, where the machine's names are not known but people sign in."""
    own = {"127.0.0.1", "localhost", "::1"}
    if url:
        return frozenset(own | {urlsplit(url).hostname or ""})
    return frozenset(own) if is_loopback(host) else None


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
    """Serves until stopped by Ctrl-C. search: whether the model looks for people in photos without any, meanwhile.
    OSError if the port is taken."""
    import uvicorn

    team = not is_loopback(host) or has_invited(store)
    listener = _listen(host, port)
    folder, predictor, surface = PhotoFolder(store, photos), LazyPredictor(), RealSurface()
    is_https = bool(url and url.startswith("https://"))
    hosts = allowed_hosts(host, url)
    options = {"rules": rules, "hosts": hosts, "is_https": is_https, "predictor": predictor}
    options["distances"] = load_distances
    app = create_app(store, surface, folder, team=team, static=static or STATIC, **options)
    stopping = threading.Event()
    threading.Thread(target=surface.warm_up, daemon=True).start()
    if search:
        wanted = (store, folder, predictor, stopping.is_set)
        threading.Thread(target=find_people, args=wanted, daemon=True).start()
    shown = f"[{host}]" if ":" in host else host
    address = url or f"http://{shown}:{listener.getsockname()[1]}"
    print(f"annotating at {address}" + (" for whoever was invited" if team else "") + ", Ctrl-C stops", flush=True)
    if browser and not team:
        threading.Timer(1.0, webbrowser.open, [address]).start()
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_keep_alive=30)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        stopping.set()


def load_distances():
    """Distances on the body's surface."""
    from opendensepose.evaluate import load_distances as load

    return load()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol said, asyncio sends small answers at once; without, each waits for an acknowledgement, 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise ValueError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}; name another with --port."
        ) from None
    return listener
