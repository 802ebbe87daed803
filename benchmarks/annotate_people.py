"""The lists of a large project, over HTTP: 10,000 people of 2,000 photos, half of them annotated by 20 annotators.

python benchmarks/annotate_people.py [--people 10000] [--times 40] [--db sqlite postgresql]

Opens the list, filters, searches, orders, goes to its end, to the next person and back, opens a person, shows the team
page, each so often, and prints p50 and p95. The server runs in a process of its own, on the same cores as the client.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the tests' PostgreSQL, and the server of the other benchmark
from benchmarks.annotate_load import Server, running
from tests.annotate.postgres import PrivatePostgres

from opendensepose.annotate.server import access
from opendensepose.annotate.work import store

TARGET_MS = 300
NUM_ANNOTATORS = 20
STATES = ("open", "submitted", "submitted", "sent_back", "accepted", "accepted", "skipped")


def fill_store(url: str, num_people: int) -> tuple[str, str]:
    """People and tasks, straight into the tables; returns the manager's cookie, name and value."""
    rng = np.random.default_rng(0)
    num_photos = num_people // 5
    with store.open_store(url) as opened:
        for k in range(NUM_ANNOTATORS):
            access.invite(opened, f"annotator {k}")
        key = access.sign_in(opened, access.invite(opened, "manager", "manager"))
        size = {"width": 4000, "height": 3000, "searched": True}
        photos = [{"name": f"folder-{k % 13}-{k:05d}.jpg", **size} for k in range(num_photos)]
        box = {"x0": 10.0, "y0": 10.0, "x1": 500.0, "y1": 900.0}
        people = [{"photo_id": 1 + k // 5, "is_gold": False, "times_submitted": 0, **box} for k in range(num_people)]
        tasks = []
        for k in range(num_people // 2):
            status = STATES[k % len(STATES)]
            reason = "too dark" if status == "skipped" else None
            changed = time.time() - rng.uniform(0, 20 * 86400)
            done = changed if status in ("submitted", "accepted", "sent_back") else None
            ids = {"person_id": 1 + 2 * k, "annotator_id": 1 + k % NUM_ANNOTATORS}
            times = {"touched_at": changed, "submitted_at": done}
            tasks.append(
                {**ids, **box, **times, "status": status, "stage": "points", "version": 9, "skip_reason": reason}
            )
        with opened.writing() as connection:
            connection.execute(store.photos.insert(), photos)
            connection.execute(store.people.insert(), people)
            connection.execute(store.tasks.insert(), tasks)
        return f"annotate-{opened.setting('cookie_id', 'people')}", key


def server_seconds(server: Server) -> float:
    """Processor time of the server's process so far: what it takes on a machine with nothing else to do."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def requests_of(num_people: int) -> dict[str, tuple]:
    """What a manager does, and the requests of it: method, path, and how the path changes from time to time."""
    last = num_people - 50
    return {
        "open the list": ("GET", lambda k: f"/api/people?limit=50&offset={50 * k}"),
        "its last page": ("GET", lambda k: f"/api/people?limit=50&offset={last - k}"),
        "filter by state": ("GET", lambda k: f"/api/people?limit=50&state={STATES[k % len(STATES)]}"),
        "filter by annotator": ("GET", lambda k: f"/api/people?limit=50&annotator={1 + k % NUM_ANNOTATORS}"),
        "search": ("GET", lambda k: f"/api/people?limit=50&search=-{k % 13}-00"),
        "order by photo": ("GET", lambda k: f"/api/people?limit=50&sort=photo&reverse=1&offset={50 * k}"),
        "order by last change": ("GET", lambda k: f"/api/people?limit=50&sort=changed&offset={50 * k}"),
        "next and previous": ("GET", lambda k: f"/api/people/neighbours?person={2 + 2 * k}&sort=photo"),
        "next of a filter": (
            "GET",
            lambda k: f"/api/people/neighbours?person={1 + 14 * k}&by={1 + 7 * k % 20}&state=open",
        ),
        "open a person": ("POST", lambda k: f"/api/people/{num_people - 2 * k}/open"),
        "next person to work on": ("POST", lambda k: "/api/tasks/next"),
        "team page": ("GET", lambda k: "/api/team"),
    }


def measure(kind: str, url: str, num_people: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.new("RGB", (8, 8)).save(folder / "one.png")
        cookie, key = fill_store(url, num_people)
        with running(Server(folder, url)) as server:
            with httpx2.Client(base_url=server.url, timeout=60, cookies={cookie: key}) as client:
                client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
                worst = 0.0
                for what, (method, path_of) in requests_of(num_people).items():
                    seconds, computed = [], server_seconds(server)
                    for k in range(times + 2):
                        start = time.perf_counter()
                        answer = client.request(method, path_of(k), **({"json": {}} if method == "POST" else {}))
                        seconds.append(time.perf_counter() - start)
                        if answer.status_code >= 400:
                            raise RuntimeError(f"{path_of(k)}: {answer.text}")
                    computed = 1000 * (server_seconds(server) - computed) / len(seconds)
                    p50, p95 = 1000 * np.percentile(seconds[2:], [50, 95])
                    worst = max(worst, p95)
                    times_ms = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, the server computed {computed:.0f} ms each"
                    print(f"{kind}, {num_people} people, {what}: {times_ms}")
    print(f"{kind}: the slowest p95 is {worst:.0f} ms (target {TARGET_MS})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--db", nargs="*", default=["sqlite", "postgresql"])
    given = parser.parse_args()
    if "sqlite" in given.db:
        with tempfile.TemporaryDirectory() as name:
            measure("SQLite", str(Path(name, "a.sqlite")), given.people, given.times)
    if "postgresql" in given.db:
        with PrivatePostgres() as postgres:
            measure("PostgreSQL", postgres.empty_database(), given.people, given.times)


if __name__ == "__main__":
    main()
