"""The server killed in the middle of its work: what was acknowledged is there afterwards, once."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import sqlalchemy as sql
from tests.annotate.fakes import square, write_photos

from opendensepose.annotate.work.photos import add_photos
from opendensepose.annotate.work.store import events, open_store, points, tasks

ROOT = Path(__file__).parents[2]
NUM_KILLS, CLICKS_BETWEEN = 2, 20


class Server:
    def __init__(self, url: str, photos: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = [sys.executable, "-m", "tests.annotate.flat_server", url, str(photos), str(self.port)]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=ROOT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def until_answered(client, server, method: str, path: str, **options):
    """Repeats a request, with the same id, until it is answered; starts the server again where it is dead."""
    while True:
        try:
            return client.request(method, path, **options).raise_for_status()
        except httpx2.TransportError:
            if server.process.poll() is not None:
                server.start()


def test_every_acknowledged_click_survives_kills_and_none_is_doubled(url, tmp_path):
    store = open_store(url)
    photos = write_photos(tmp_path / "photos", 1)
    add_photos(store, photos)
    server = Server(url, photos)
    server.start()
    last, acknowledged = {}, []
    try:
        with httpx2.Client(base_url=server.address, timeout=60) as client:
            session = until_answered(client, server, "GET", "/api/session").json()
            client.headers["X-CSRF-Token"] = session["csrf"]
            task = client.post("/api/tasks", json={"photo_id": 1, "box_xyxy": [0, 0, 64, 48]}).json()
            path = f"/api/tasks/{task['id']}"
            painted = {str(part): square(18 * part - 18, 18 * part) for part in range(1, 15)}
            client.put(f"{path}/parts", json={"version": 1, "parts": painted})
            task = client.post(f"{path}/points", json={"version": 2}).json()
            version = task["version"]
            for k in range(NUM_KILLS * CLICKS_BETWEEN):
                if k % CLICKS_BETWEEN == CLICKS_BETWEEN // 2:  # somewhere in the middle of a click
                    threading.Timer(0.001 * (k % 7), server.kill).start()
                point = task["points"][k % len(task["points"])]
                click = {"view": 0, "x": float(k), "y": 5}
                saved = until_answered(
                    client,
                    server,
                    "PUT",
                    f"{path}/points/{point['id']}",
                    json={"version": version, "click": click},
                    headers={"X-Request-Id": f"click-{k}"},
                )
                version = saved.json()["version"]
                last[point["id"]] = float(k)
                acknowledged.append(f"click-{k}")
    finally:
        server.kill()
    with store.reading() as connection:
        log = connection.scalars(sql.select(events.c.request_id).where(events.c.kind == "answer")).all()
        stored = dict(connection.execute(sql.select(points.c.id, points.c.view_x)).all())
        final = connection.scalar(sql.select(tasks.c.version))
    assert sorted(log) == sorted(acknowledged)
    assert {point_id: stored[point_id] for point_id in last} == last
    assert final == version == task["version"] + len(acknowledged)
    store.close()
