"""A service whose network is RedPeople, in this process; photos to send it."""

import socket
import threading
import time
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import uvicorn
from PIL import Image
from starlette.testclient import TestClient
from tests.red_people import RedPeople, photo_with_red

from opendensepose.serve.answers import answer_jobs
from opendensepose.serve.app import create_app
from opendensepose.serve.limits import Limits
from opendensepose.serve.workers import ModelInfo

__all__ = ["INFO", "RED_BOX", "SIZE_HW", "client_of", "encoded", "label_red", "red_photo", "red_runner", "serving_at"]

INFO = ModelInfo("default", "onnxruntime", "cpu", 0.0, 0.0)
SIZE_HW, RED_BOX = (40, 60), (10, 5, 30, 25)  # x0, y0, x1, y1


def label_red(images_rgb):
    return RedPeople().find(images_rgb, 0.0)


def encoded(image_rgb: np.ndarray, kind: str = "PNG", **options) -> bytes:
    file = BytesIO()
    Image.fromarray(image_rgb).save(file, kind, **options)
    return file.getvalue()


def red_photo(kind: str = "PNG", **options) -> bytes:
    return encoded(photo_with_red(SIZE_HW, RED_BOX), kind, **options)


async def red_runner(jobs):
    return answer_jobs(jobs, label_red, 1_000_000)


@contextmanager
def client_of(runner=red_runner, limits=None, base_url="http://127.0.0.1:8000", headers=None, **options):
    app = create_app([runner], INFO, limits or Limits(), **options)
    with TestClient(app, base_url=base_url, headers=headers, raise_server_exceptions=False) as client:
        yield client


@contextmanager
def serving_at(app):
    """The app, served in a thread; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
