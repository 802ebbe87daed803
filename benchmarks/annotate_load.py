"""The annotation server under load, killed, and measured by an exact robot; all over HTTP, in processes of their own.

python benchmarks/annotate_load.py click [--clicks 300]     one user, SQLite: a click answered with all views, p50, p95
python benchmarks/annotate_load.py load [--seconds 60]      50 annotators, one click a second each, PostgreSQL
python benchmarks/annotate_load.py kill [--times 20]        the same, the server killed (-9) so often
python benchmarks/annotate_load.py robot [--people 5]       rendered people clicked exactly, to the picture's pixel

PostgreSQL is started for the run from Debian's package. `load` and `kill` compare every
acknowledged click with what the database holds afterwards: none lost, none doubled.
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import sqlalchemy as sql
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the tests' PostgreSQL
from tests.annotate.postgres import PrivatePostgres

from opendensepose.annotate.server import access
from opendensepose.annotate.surface import views
from opendensepose.annotate.surface.cameras import PlaceInView
from opendensepose.annotate.work import store
from opendensepose.annotate.work.importing import import_document
from opendensepose.annotate.work.photos import add_photos
from opendensepose.data.coco import person_annotation
from opendensepose.surface import CHART_TO_PART, GeodesicDistances, SurfacePoints, load_charts, load_surface
from opendensepose.synth import render_image

BOX = [20, 20, 400, 440]  # x, y, width, height of the people made up for the load


@dataclass
class Server:
    """`opendensepose annotate` in a process, which can be killed and started again on the same port."""

    photos: Path
    db: str
    host: str = "127.0.0.1"
    port: int = 0
    process: subprocess.Popen | None = None

    def start(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        options = ["--db", self.db, "--boxes", "draw", "--no-browser", "--host", self.host, "--port", str(self.port)]
        command = [sys.executable, "-m", "opendensepose", "annotate", "serve", str(self.photos), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while self.process.poll() is None:
            try:
                httpx2.get(self.url, timeout=5)
                return
            except httpx2.HTTPError:
                time.sleep(0.1)
        raise RuntimeError("the server ended at once")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def processor_seconds(self) -> float:
        """What the process has computed so far: user and system time (proc(5))."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_until_idle(self) -> None:
        """Wait until the search tables are filled."""
        computed = -1.0
        while self.processor_seconds() > computed + 0.05:
            computed = self.processor_seconds()
            time.sleep(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(server: Server):
    server.start()
    try:
        yield server
    finally:
        server.kill()


def valid_clicks(rng: np.random.Generator, per_part: int = 40) -> dict[int, list[PlaceInView]]:
    """Places in the views that show a part."""
    charts, clicks = load_charts(), {}
    for part in range(1, 15):
        faces = rng.choice(np.flatnonzero(CHART_TO_PART[charts.face_chart] == part), per_part)
        points = SurfacePoints(faces, rng.dirichlet((1, 1, 1), per_part))
        seen = [places[0] for places in views.visible_places(part, points) if places]
        clicks[part] = [place for place in seen if _is_valid(part, *place)]
    return clicks


def _is_valid(part: int, view: int, x: float, y: float) -> bool:
    try:
        views.point_at(part, view, x, y)
    except ValueError:
        return False
    return True


def fill_store(url: str, folder: Path, num_people: int) -> store.Store:
    """People to click on: 110 points each, of all parts, without answers."""
    rng = np.random.default_rng(0)
    for k in range(num_people):
        Image.fromarray(rng.integers(0, 256, (480, 480, 3), np.uint8)).save(folder / f"{k:04d}.jpg")
    opened = store.open_store(url)
    add_photos(opened, folder)
    asked = [{"x": 30.5 + 3 * k, "y": 200.5, "part": 1 + k % 14, "reason": None} for k in range(110)]
    images = [{"id": k, "file_name": f"{k:04d}.jpg"} for k in range(num_people)]
    entries = [{"id": k, "image_id": k, "bbox": BOX, "dp_unanswered": asked} for k in range(num_people)]
    done = import_document(opened, {"images": images, "annotations": entries}, load_charts().to_points)
    if done["people"] != num_people:
        raise RuntimeError(f"{num_people} people were to be made, got {done}")
    return opened


# --- one user --------------------------------------------------------------------------------------------------------


def measure_clicks(num_clicks: int) -> None:
    rng = np.random.default_rng(1)
    clicks = valid_clicks(rng)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "photos")
        folder.mkdir()
        db = str(Path(name, "annotations.sqlite"))
        fill_store(db, folder, 1 + num_clicks // 110).close()
        with running(Server(folder, db)) as server, httpx2.Client(base_url=server.url, timeout=60) as client:
            client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
            server.wait_until_idle()
            times, computed = [], 0.0
            while len(times) < num_clicks:
                task = client.post("/api/tasks/next").json()
                before = server.processor_seconds()
                for point in task["points"]:
                    view, x, y = clicks[point["part"]][rng.integers(len(clicks[point["part"]]))]
                    body = {"version": task["version"], "click": {"view": view, "x": x, "y": y}}
                    start = time.perf_counter()
                    saved = client.put(f"/api/tasks/{task['id']}/points/{point['id']}", json=body)
                    times.append(time.perf_counter() - start)
                    task["version"] = saved.raise_for_status().json()["version"]
                computed += server.processor_seconds() - before
                client.post(f"/api/tasks/{task['id']}/submit").raise_for_status()
    print(f"{1000 * computed / len(times):.1f} ms of computing a click in the server")
    show_times("click to all views, one user, SQLite on disk", times[5:], target_ms=50)


def show_times(what: str, seconds: list[float], target_ms: float) -> None:
    p50, p95, p99 = 1000 * np.percentile(seconds, [50, 95, 99])
    print(f"{what}: {len(seconds)} clicks, p50 {p50:.1f} ms, p95 {p95:.1f} ms (target {target_ms:g}), p99 {p99:.1f} ms")


# --- many users ------------------------------------------------------------------------------------------------------


@dataclass
class Annotator:
    """One annotator who clicks once a second, repeats what was not answered, and notes what was."""

    number: int
    cookies: dict
    clicks: dict
    seconds: list[float] = field(default_factory=list)
    acknowledged: list[tuple] = field(default_factory=list)  # request id, point id, view, x, y
    repeats: int = 0
    csrf: str = ""

    async def work(self, url: str, until: float) -> None:
        rng = np.random.default_rng(self.number)
        await asyncio.sleep(rng.random())
        async with httpx2.AsyncClient(base_url=url, timeout=30, cookies=self.cookies) as client:
            self.csrf = (await self._until_answered(client, "GET", "/api/session")).json()["csrf"]
            task = (await self._until_answered(client, "POST", "/api/tasks/next")).json()
            version, k = task["version"], 0
            while time.monotonic() < until:
                begin = time.monotonic()
                point = task["points"][k % len(task["points"])]
                places = self.clicks[point["part"]]
                view, x, y = places[rng.integers(len(places))]
                request_id = f"{self.number}-{k}"
                body = {"version": version, "click": {"view": view, "x": x, "y": y}}
                path = f"/api/tasks/{task['id']}/points/{point['id']}"
                start = time.perf_counter()
                saved = await self._until_answered(client, "PUT", path, body, request_id)
                self.seconds.append(time.perf_counter() - start)
                version, k = saved.json()["version"], k + 1
                self.acknowledged.append((request_id, point["id"], view, x, y))
                await asyncio.sleep(max(0.0, begin + 1 - time.monotonic()))

    async def _until_answered(self, client, method: str, path: str, body=None, request_id=None):
        headers = {"X-CSRF-Token": self.csrf} | ({"X-Request-Id": request_id} if request_id else {})
        while True:
            try:
                answer = await client.request(method, path, json=body, headers=headers)
                return answer.raise_for_status()
            except httpx2.TransportError:  # no connection, or one that broke off
                self.repeats += 1
                await asyncio.sleep(0.2)


def check_nothing_lost(opened: store.Store, annotators: list[Annotator]) -> None:
    """Compares what was acknowledged with the database; prints what is lost or doubled."""
    acknowledged = {row[0]: row for one in annotators for row in one.acknowledged}
    last = {row[1]: row for one in annotators for row in one.acknowledged}  # by point
    with opened.reading() as connection:
        log = connection.execute(sql.select(store.events).where(store.events.c.kind == "answer")).all()
        stored = {row.id: row for row in connection.execute(sql.select(store.points))}
        versions = {row.id: row.version for row in connection.execute(sql.select(store.tasks))}
    seen = [event.request_id for event in log]
    lost = [name for name in acknowledged if name not in set(seen)]
    doubled = len(seen) - len(set(seen))
    in_flight = set(seen) - set(acknowledged)  # saved, but the run ended before the answer
    wrong = 0
    for point_id, (_, _, view, x, y) in last.items():
        row = stored[point_id]
        newer = any(event.request_id in in_flight and event.detail["point"] == point_id for event in log)
        wrong += not newer and (row.view, row.view_x, row.view_y) != (view, x, y)
    changes = {task_id: sum(event.task_id == task_id for event in log) for task_id in versions}
    miscounted = sum(versions[task_id] != 1 + amount for task_id, amount in changes.items())
    print(f"acknowledged {len(acknowledged)}, lost {len(lost)}, doubled {doubled}, points with another answer {wrong},")
    print(f"tasks whose version is not its number of changes {miscounted}, saved but not yet answered {len(in_flight)}")


async def kill_often(server: Server, times: int, until: float) -> None:
    rng = np.random.default_rng(9)
    for number in range(times):
        await asyncio.sleep(rng.uniform(1, 4))
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        print(f"killed {number + 1} times, {until - time.monotonic():.0f} s to go", file=sys.stderr)


def measure_load(num_annotators: int, seconds: float, kills: int) -> None:
    clicks = valid_clicks(np.random.default_rng(1))
    with PrivatePostgres() as postgres, tempfile.TemporaryDirectory() as name:
        url = postgres.empty_database()
        opened = fill_store(url, Path(name), num_annotators + 5)
        cookie = f"annotate-{opened.setting('cookie_id', 'load')}"
        names = [f"annotator {k}" for k in range(num_annotators)]
        keys = [access.sign_in(opened, access.invite(opened, name)) for name in names]
        annotators = [Annotator(k, {cookie: key}, clicks) for k, key in enumerate(keys)]

        async def everybody(server: Server) -> None:
            until = time.monotonic() + seconds
            work = [one.work(server.url, until) for one in annotators]
            if kills:
                work.append(kill_often(server, kills, until))
            await asyncio.gather(*work)

        with running(Server(Path(name), url)) as server:
            server.wait_until_idle()
            before = server.processor_seconds()
            asyncio.run(everybody(server))
            computed = server.processor_seconds() - before
        if not kills:
            num_clicks = sum(len(one.seconds) for one in annotators)
            print(f"{1000 * computed / num_clicks:.1f} ms of computing a click in the server, their tasks included")
        steady = [value for one in annotators for value in one.seconds[2:]] or [float("nan")]
        repeats = sum(one.repeats for one in annotators)
        what = f"{num_annotators} annotators, {seconds:g} s, PostgreSQL, killed {kills} times, {repeats} repeats"
        show_times(what, steady, target_ms=200)
        check_nothing_lost(opened, annotators)
        opened.close()


# --- the robot -------------------------------------------------------------------------------------------------------


def measure_robot(num_people: int) -> None:
    """Paints the true masks, then clicks each point where the true surface point is shown, to whole pixels."""
    distances, errors, unseen = GeodesicDistances(load_surface()), [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "photos")
        folder.mkdir()
        rendered = [render_image(np.random.default_rng([5, k]), (640, 640), num_people=1) for k in range(num_people)]
        for k, picture in enumerate(rendered):
            Image.fromarray(picture.image_rgb).save(folder / f"{k}.png")
        with running(Server(folder, str(Path(name, "robot.sqlite")))) as server:
            with httpx2.Client(base_url=server.url, timeout=60) as client:
                client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
                photos = {photo["name"]: photo["id"] for photo in client.get("/api/photos").json()}
                for k, picture in enumerate(rendered):
                    found, hidden = annotate_exactly(client, photos[f"{k}.png"], picture)
                    unseen += hidden
                    errors += [distances.between(true, said) for true, said in found]
    error_cm = 100 * np.concatenate(errors)
    print(
        f"robot: {len(error_cm)} points of {num_people} people, median {np.median(error_cm):.2f} cm (target 1), mean"
        f" {error_cm.mean():.2f}, p95 {np.percentile(error_cm, 95):.2f} cm; {unseen} points not seen in their views"
    )


def annotate_exactly(client, photo_id: int, picture) -> tuple[list, int]:
    """Pairs of true and answered surface points of one person, and how many could not be clicked."""
    truth = person_annotation(
        annotation_id=1, image_id=1, i=picture.i, u=picture.u, v=picture.v, keypoints=picture.keypoints[0]
    )
    x, y, width, height = truth["bbox"]
    box = {"photo_id": photo_id, "box_xyxy": [x, y, x + width, y + height]}
    task = client.post("/api/tasks", json=box).raise_for_status().json()
    path = f"/api/tasks/{task['id']}"
    masks = {str(part): code["counts"] for part, code in enumerate(truth["dp_masks"], start=1) if code}
    saved = client.put(f"{path}/parts", json={"version": 1, "parts": masks}).raise_for_status().json()
    task = client.post(f"{path}/points", json={"version": saved["version"]}).raise_for_status().json()
    version, found, unseen, charts = task["version"], [], 0, load_charts()
    for point in task["points"]:
        row, column = int(point["y"]), int(point["x"])
        true = SurfacePoints([picture.face[row, column]], [picture.barycentric[row, column]])
        (places,) = views.visible_places(point["part"], true) if picture.i[row, column] else ([],)
        if not places:
            unseen += 1
            continue
        answers = []
        for view, at_x, at_y in places:
            click = {"view": view, "x": np.floor(at_x) + 0.5, "y": np.floor(at_y) + 0.5}
            answer = client.put(f"{path}/points/{point['id']}", json={"version": version, "click": click})
            if answer.status_code == 200:
                version = answer.json()["version"]
                answers.append(answer.json()["point"]["answer"])
                break
        if answers:
            labels = ([answers[0]["i"]], [answers[0]["u"]], [answers[0]["v"]])
            found.append((true, charts.to_points(*map(np.array, labels))))
        else:
            unseen += 1
    return found, unseen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("click", "load", "kill", "robot"))
    parser.add_argument("--clicks", type=int, default=300)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--annotators", type=int, default=50)
    parser.add_argument("--people", type=int, default=5)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that server and PostgreSQL are stopped too
    if given.what == "click":
        measure_clicks(given.clicks)
    elif given.what == "robot":
        measure_robot(given.people)
    elif given.what == "load":
        measure_load(given.annotators, given.seconds or 60, 0)
    else:
        measure_load(given.annotators, given.seconds or 10 * given.times, given.times)


if __name__ == "__main__":
    main()
