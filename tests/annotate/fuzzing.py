"""Hostile requests to every endpoint, made from a seed: odd numbers, texts, headers and bodies, true ones among them.

Three annotators, a reviewer and a manager send them in turn. `attack` reports each answer that is a server's error, has
no safe headers, or shows one annotator what only another one wrote.
"""

import copy
import json
import random
import string
from collections import Counter

import sqlalchemy as sql
from starlette.testclient import TestClient
from tests.annotate.fakes import FlatSurface, sign_in, square, write_photos

from opendensepose.annotate.server.app import create_app
from opendensepose.annotate.server.handlers import ENDPOINTS
from opendensepose.annotate.server.requests import Endpoint
from opendensepose.annotate.work.photos import PhotoFolder, add_photos
from opendensepose.annotate.work.store import people, points, tasks
from opendensepose.annotate.work.tasks import Rules

__all__ = ["Attack"]

FILES = [Endpoint("GET", path, None) for path in ("/static/js/{name}", "/static/{name}", "/{name}", "/enter")]
ENTER = Endpoint("POST", "/api/enter", None)
BASE = "https://annotate.example.org"
NAMES = {"ann": "annotator", "bob": "annotator", "cem": "annotator", "rita": "reviewer", "max": "manager"}
NUMBERS = (0, 1, -1, 2, 7, 256, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 10**30, -(2**63), 1.5, 1e308, 1e-320)
TEXTS = (
    "", " ", "\0", "a\0b", "%00", "ü€😀", "x" * 201, "y" * 70_000, "'; DROP TABLE tasks; --", "../../etc/passwd", "[",
    "<script>", "1", "\ud800", "true", "\n\r\t", "NaN", "null", "not visible", "annotator", "submitted",
)  # fmt: skip
OTHERS = (None, True, False, [], {}, [None], [[]], {"a": 1})
HEADERS = (
    {"X-Request-Id": "\x80"}, {"X-Request-Id": ""}, {"X-Request-Id": "a" * 101}, {"X-Request-Id": "same"},
    {"Host": "["}, {"Host": "a b"}, {"Host": ""}, {"Content-Length": "x"}, {"Content-Length": "²"},
    {"X-CSRF-Token": "ü"}, {"Origin": "null"}, {"Cookie": "a=\x80; b"}, {"Accept": "\xff"}, {"Range": "bytes=9-1"},
    {"If-Modified-Since": "never"},
)  # fmt: skip
BROKEN = (
    b"",
    b"{",
    b"[" * 50_000,
    b"\xff\xfe",
    b"nan",
    b'{"version": 1e999}',
    b'"\\ud800"',
    b"\0",
    b"[1, 2]",
    b"{}" * 2,
)


def _examples(rng: random.Random) -> dict[str, list]:
    """Bodies that fit, by the last word of the path; their numbers are mostly those of rows that exist."""
    version, point = rng.randrange(1, 6), rng.randrange(1, 20)
    masks = {str(rng.randrange(1, 15)): square(rng.randrange(100), 100 + rng.randrange(100))}
    box = [rng.uniform(0, 20), rng.uniform(0, 20), rng.uniform(25, 64), rng.uniform(25, 48)]
    secret = rng.choice(("not visible", "can't tell"))
    entry = {"id": rng.randrange(9), "image_id": 1, "bbox": [1, 2, 20 + rng.random(), 30], "category_id": 1}
    entry |= {"dp_x": [9.0], "dp_y": [9.0], "dp_I": [1], "dp_U": [0.1], "dp_V": [0.2], "dp_masks": [[]] * 14}
    entry |= {
        "dp_unanswered": [{"x": 3, "y": 4, "part": 1, "reason": secret}],
        "annotator": "ann",
        "status": "accepted",
        "proposals": True,
    }
    entry |= {"comments": [{"author": "rita", "text": "no", "at": 1.0, "x": None, "y": None}]}
    skipped = [{"image_id": 1, "bbox": [0, 0, 30, 30], "reason": "dark", "annotator": "bob"}]
    document = {"images": [{"id": 1, "file_name": "photo0.png"}], "annotations": [entry], "dp_skipped": skipped}
    return {
        "box": [{"version": version, "box_xyxy": box}],
        "parts": [{"version": version, "parts": masks}],
        "points": [{"version": version}],
        "{point_id:int}": [
            {"version": version, "click": {"view": 1, "x": 9.0, "y": 9.0}},
            {"version": version, "reason": secret},
            {"version": version, "clear": True},
            {"version": version, "accept": True},
        ],
        "place": [{"version": version, "x": 20.0, "y": 20.0}],
        "tasks": [{"photo_id": rng.randrange(1, 4), "box_xyxy": box}, {"photo": "photo1.png", "box_xyxy": box}],
        "next": [{}, {"after": version}],
        "submit": [{}, {"version": version}],
        "accept": [{}],
        "fix": [{}],
        "skip": [{"reason": secret}],
        "send_back": [{"comments": [{"text": "look", "point_id": rng.choice((None, point))}]}],
        "open": [{}, {"by": version}],
        "assign": [{"person_ids": [version, point], "annotator_id": version}],
        "unassign": [{"person_ids": [version]}],
        "delete": [{"person_ids": [version, point]}],
        "snap": [{"outline_xy": [box[:2], box[2:], [box[0], box[3]]], "reach_px": rng.uniform(1, 9)}],
        "invite": [{"name": "dora", "role": "annotator"}],
        "revoke": [{"name": "dora"}],
        "import": [document],
        "enter": [{"token": "x" * 43}],
    }


def _mutated(value: object, rng: random.Random) -> object:
    """The value with one of its leaves, or itself, replaced by something hostile; or with a field more or less."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        changed = dict(value)
        key = rng.choice(list(changed))
        if rng.random() < 0.15:
            del changed[key]
        elif rng.random() < 0.1:
            changed[rng.choice(TEXTS)] = _hostile(rng)
        else:
            changed[key] = _mutated(changed[key], rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.8:
        changed = copy.copy(value)
        place = rng.randrange(len(changed))
        changed[place] = _mutated(changed[place], rng)
        return changed
    return _hostile(rng)


def _hostile(rng: random.Random) -> object:
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(NUMBERS)
    if kind < 0.85:
        return rng.choice(TEXTS)
    return rng.choice(OTHERS)


class Attack:
    """An app over a store with some work in it, and the sessions of five users.

    ann's and bob's work contains a word of their own, which nobody's answers but theirs, a reviewer's and a manager's
    may contain.
    """

    def __init__(self, store, folder, seed: int):
        write_photos(folder, 3)
        add_photos(store, folder)
        self.store, self.rng, self.codes = store, random.Random(seed), Counter()
        self.problems: list[str] = []
        photos, rules, model = PhotoFolder(store, folder), Rules(proposal_rate=0.5), lambda *image: None
        options = {"rules": rules, "team": True, "hosts": ("*",), "is_https": True, "predictor": model}
        app = create_app(store, FlatSurface(), photos, **options)
        self.clients = {}
        for name, role in NAMES.items():
            client = TestClient(app, base_url=BASE, follow_redirects=False)
            sign_in(client, store, name, role)
            self.clients[name] = client
        self._prepare()

    def _prepare(self) -> None:
        """Six people; ann and bob paint one each and write their word as the reason of each point."""
        box = {"x0": 0.0, "y0": 0.0, "x1": 64.0, "y1": 48.0, "is_gold": False, "times_submitted": 0}
        with self.store.writing() as connection:
            for k in range(6):
                connection.execute(people.insert().values(photo_id=1 + k % 3, **box))
        for name in ("ann", "bob"):
            client = self.clients[name]
            task = client.post("/api/tasks/next").json()
            path = f"/api/tasks/{task['id']}"
            client.put(f"{path}/parts", json={"version": 1, "parts": {"1": square(50, 200)}})
            task = client.post(f"{path}/points", json={"version": 2}).json()
            for k, point in enumerate(task["points"]):
                reason = {"version": 3 + k, "reason": f"word-of-{name}"}
                client.put(f"{path}/points/{point['id']}", json=reason).raise_for_status()

    def run(self, num_requests: int) -> None:
        """Send so many requests; who was signed out by one of them, signs in again. The last ones try to sign in."""
        num_entering = num_requests // 20
        for _ in range(num_requests - num_entering):
            self._send(self.rng.choice(list(NAMES)), self.rng.choice([*ENDPOINTS, *FILES]))
        for _ in range(num_entering):
            self._send(self.rng.choice(list(NAMES)), ENTER)

    def _send(self, name: str, endpoint) -> None:
        rng, client = self.rng, self.clients[name]
        content, headers = self._body(endpoint), {}
        if rng.random() < 0.15:
            headers = {key: value.encode("latin-1", "replace") for key, value in rng.choice(HEADERS).items()}
        path = self._path(endpoint) + self._query()
        try:
            answer = client.request(endpoint.method, BASE + path, content=content, headers=headers)
        except ValueError:  # the client itself refuses to send it
            self.codes["not sent"] += 1
            return
        self.codes[answer.status_code] += 1
        what = f"{name} {endpoint.method} {path[:200]} {headers} {(content or b'')[:300]!r}: {answer.status_code}"
        if answer.status_code >= 500:
            self.problems.append(f"{what} {answer.text[:200]}")
        if "content-security-policy" not in answer.headers:
            self.problems.append(f"{what} without safe headers")
        for other in {"ann", "bob"} - {name}:
            if NAMES[name] == "annotator" and f"word-of-{other}" in answer.text and not self._is_shared(other):
                self.problems.append(f"{what} shows {other}'s work")
        if (
            endpoint is not ENTER
            and answer.status_code == 401
            and "X-CSRF-Token" not in headers
            and "Cookie" not in headers
        ):
            sign_in(client, self.store, name, NAMES[name])

    def _is_shared(self, other: str) -> bool:
        """Whether a manager's own request moved the other's work to somebody else."""
        query = sql.select(tasks.c.annotator_id).join(points, points.c.task_id == tasks.c.id)
        with self.store.reading() as connection:
            owners = set(connection.scalars(query.where(points.c.reason == f"word-of-{other}")))
        return len(owners) != 1 or owners != {list(NAMES).index(other) + 1}

    def _path(self, endpoint) -> str:
        rng = self.rng
        path = endpoint.path
        while "{" in path:
            first, rest = path.split("{", 1)
            _, last = rest.split("}", 1)
            is_odd = rng.random() < 0.15
            odd = rng.choice(
                ("0", "-1", "99999999999", str(2**31), str(2**63), "1.5", "%00", "%ff", "x", "..%2f", "１")
            )
            path = first + (odd if is_odd else str(rng.randrange(1, 8))) + last
        return path

    def _query(self) -> str:
        rng = self.rng
        if rng.random() < 0.4:
            return ""
        names = (
            "limit", "offset", "state", "annotator", "photo", "search", "sort", "reverse", "person", "by", "at",
            "after", "fill", "vertex", "all", "done", "update", "box",
        )  # fmt: skip
        values = (
            "1", "0", "-1", "", "%00", "%ed%a0%80", "\\", "'", "99999999999999999999", "submitted", "waiting",
            "photo", "true", "x" * 3000, "%25", "_", "%ff", "ü", "to_do", "changed", "2",
        )  # fmt: skip
        pairs = [f"{rng.choice(names)}={rng.choice(values)}" for _ in range(rng.randrange(1, 4))]
        return "?" + "&".join(pairs)

    def _body(self, endpoint) -> bytes | None:
        rng = self.rng
        if endpoint.method == "GET":
            return None
        if rng.random() < 0.08:
            return rng.choice(BROKEN)
        examples = _examples(rng).get(endpoint.path.rsplit("/", 1)[1], [{}])
        body = rng.choice(examples)
        for _ in range(rng.choice((0, 1, 1, 2))):
            body = _mutated(body, rng)
        text = json.dumps(body)
        if rng.random() < 0.02:
            text = "".join(rng.choice(string.printable) if rng.random() < 0.02 else letter for letter in text)
        return text.encode("utf-8", "surrogatepass")
