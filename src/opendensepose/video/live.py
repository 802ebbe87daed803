"""A camera, live: a page on this machine that shows what it sees with the labels over it.

Endpoints: `/` the page, `/live` the pictures (multipart JPEG, which browsers show as a film). Only this machine can
reach it, and nothing is stored. Frames that come faster than they are labelled are left out.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np

from opendensepose.models.prediction import Network
from opendensepose.video.labeller import VideoLabeller
from opendensepose.visualize import draw_overlay

__all__ = ["LiveServer", "camera_frames", "serve_live"]

HOSTS = ("127.0.0.1", "localhost")  # names under which the page is asked for: another site's script uses its own
PAGE = """<!doctype html><meta charset="utf-8"><title>opendensepose live</title>
<style>body{margin:0;background:#12162a;display:grid;place-items:center;height:100vh}
img{max-width:100vw;max-height:100vh}</style><img src="/live" alt="The camera's picture with labels">"""
BOUNDARY = "frame"


def camera_frames(number: int) -> Iterator[np.ndarray]:
    """Open a camera, and yield what it sees, always its newest frame, (H, W, 3) uint8 RGB.

    ValueError, at once, if it cannot be opened.
    """
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # each driver that fails would say so
    camera = cv2.VideoCapture(number)
    cv2.utils.logging.setLogLevel(level)
    if not camera.isOpened():
        raise ValueError(f"camera {number} cannot be opened: is it connected, and used by no other program?")
    return _frames_of(camera)


def _frames_of(camera: cv2.VideoCapture) -> Iterator[np.ndarray]:
    try:
        yield from newest(_read_all(camera))
    finally:
        camera.release()


def _read_all(camera: cv2.VideoCapture) -> Iterator[np.ndarray]:
    while True:
        is_read, image_bgr = camera.read()
        if not is_read:
            return
        yield cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)


@dataclass
class _Latest:
    """What the thread that takes frames and the one that asks for them share."""

    frame: np.ndarray | None = None
    is_ended: bool = False
    is_stopped: bool = False


def newest(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the newest of frames that a thread takes as they come; those that are overtaken are left out."""
    changed, latest = threading.Condition(), _Latest()

    def take() -> None:
        try:
            for frame in frames:
                with changed:
                    latest.frame = frame
                    changed.notify()
                    if latest.is_stopped:
                        return
        finally:
            with changed:
                latest.is_ended = True
                changed.notify()

    thread = threading.Thread(target=take, name="camera", daemon=True)
    thread.start()
    try:
        while True:
            with changed:
                changed.wait_for(lambda: latest.frame is not None or latest.is_ended)
                taken, latest.frame = latest.frame, None
            if taken is None:
                return
            yield taken
    finally:
        with changed:
            latest.is_stopped = True
        thread.join(timeout=2)


class LiveServer:
    """Shows pictures as they come. For `with`: the server runs inside. port 0 takes a free one, see `port`."""

    def __init__(self, port: int = 8008):
        self._changed, self._jpeg, self._number, self._ended = threading.Condition(), b"", 0, False
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_of(self))
        except OSError as error:
            raise ValueError(f"port {port} cannot be used: {error.strerror}; choose another one.") from error
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> "LiveServer":
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()
        return self

    def __exit__(self, *about: object) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def show(self, image_rgb: np.ndarray) -> None:
        """Show a picture (H, W, 3) uint8 RGB to all who look."""
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
        with self._changed:
            self._jpeg, self._number = jpeg.tobytes(), self._number + 1
            self._changed.notify_all()

    def pictures(self) -> Iterator[bytes]:
        """Yield each shown picture, as JPEG, from the newest one on, until the server ends."""
        number = 0
        while True:
            with self._changed:
                while self._number <= number and not self._ended:
                    self._changed.wait()
                if self._ended:
                    return
                number, jpeg = self._number, self._jpeg
            yield jpeg


def _handler_of(live: LiveServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
            if host not in HOSTS or self.path not in ("/", "/live"):
                self.send_error(404)
            elif self.path == "/":
                self._begin("text/html; charset=utf-8")
                self.wfile.write(PAGE.encode())
            else:
                self._begin(f"multipart/x-mixed-replace; boundary={BOUNDARY}")
                self._send_pictures()

        def _begin(self, content_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()

        def _send_pictures(self) -> None:
            try:
                for jpeg in live.pictures():
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
            except (BrokenPipeError, ConnectionResetError):  # the browser has left
                pass

        def log_message(self, *about: object) -> None:
            pass

    return Handler


def serve_live(
    frames: Iterable[np.ndarray],
    model: str | Path | Network = "default",
    device: str | None = None,
    min_score: float | None = None,
    port: int = 8008,
    backend: str | None = None,
) -> int:
    """Label frames as they come and show them on http://127.0.0.1:<port>, until they end or Ctrl-C. Returns their
    number. ValueError if the port is in use."""
    labeller, num_frames, speed = VideoLabeller(model, device, min_score, backend), 0, 0.0
    with LiveServer(port) as live:
        last = time.perf_counter()
        try:
            for image_rgb in frames:
                picture = draw_overlay(image_rgb, [person.instance for person in labeller(image_rgb)])
                now = time.perf_counter()
                speed = 0.9 * speed + 0.1 / max(now - last, 1e-6) if num_frames else 0.0
                last, num_frames = now, num_frames + 1
                live.show(_with_speed(picture, speed))
        except KeyboardInterrupt:
            pass
    return num_frames


def _with_speed(picture: np.ndarray, speed: float) -> np.ndarray:
    place, font = (8, picture.shape[0] - 8), cv2.FONT_HERSHEY_SIMPLEX
    text, scale = f"{speed:.0f} frames/s", max(0.4, picture.shape[1] / 1280)
    picture = picture.copy()
    for colour, width in ((0, 0, 0), 3), ((255, 255, 255), 1):
        cv2.putText(picture, text, place, font, scale, colour, width, cv2.LINE_AA)
    return picture
