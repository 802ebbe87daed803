"""Stand-ins of the server's tests: a surface of flat views, a clock that is set by hand, a folder of small photos."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from opendensepose.annotate.checks.model_labels import ModelAnswers
from opendensepose.annotate.server import access
from opendensepose.annotate.surface.cameras import PlaceInView
from opendensepose.data.masks import encode_mask
from opendensepose.surface import SurfacePoints


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float = 1_000_000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class FlatView:
    name: str
    width: int = 100
    height: int = 100

    @property
    def sides(self):
        return {"left": "L"}


@dataclass(frozen=True)
class FlatLabels:
    grid: np.ndarray

    def parts(self, box_xyxy):
        return self.grid

    def answers(self, part, xy, box_xyxy):
        known = np.asarray(part) != 14
        count = int(known.sum())
        points = SurfacePoints(np.asarray(part)[known], np.tile([0.5, 0.25, 0.25], (count, 1)))
        return ModelAnswers(known, points, np.full(count, 0.9))


@dataclass(frozen=True)
class Clash:
    points: tuple
    text: str


class FlatSurface:
    """A surface whose part k is one triangle, face k: a click at (x, y) of any view is the point of weights x, y in
    hundredths; x + y > 100 is beside the part. Every point is seen in views 0 and 1."""

    def views_of(self, part):
        return tuple(FlatView(f"view {k}") for k in range(6))

    def picture_png(self, part, view):
        return b"\x89PNG flat"

    def point_at(self, part, view, x, y):
        if x < 0 or y < 0 or x + y > 100:
            raise ValueError("The click is beside the part: click on it.")
        return SurfacePoints([part], [[1 - (x + y) / 100, x / 100, y / 100]])

    def visible_places(self, part, points):
        return [
            [PlaceInView(view, 100 * float(w[1]), 100 * float(w[2])) for view in (0, 1)] for w in points.barycentric
        ]

    def sample_points(self, parts, box_xyxy, size_hw):
        """Two pixels of each part, a quarter and three quarters through its pixels on the grid."""
        part, xy = [], []
        for k in range(1, 15):
            rows, columns = np.nonzero(parts == k)
            for n in (len(rows) // 4, 3 * len(rows) // 4) if len(rows) else ():
                row, column = rows[n], columns[n]
                x = box_xyxy[0] + (column + 0.5) / 256 * (box_xyxy[2] - box_xyxy[0])
                y = box_xyxy[1] + (row + 0.5) / 256 * (box_xyxy[3] - box_xyxy[1])
                part.append(k)
                xy.append((np.floor(x) + 0.5, np.floor(y) + 0.5))
        return np.array(part, np.uint8), np.array(xy, np.float64).reshape(-1, 2)

    def find_contradictions(self, part, xy, points, witness=None):
        """Two points of one part at one place contradict each other."""
        same = [k for k in range(1, len(part)) if np.array_equal(points.barycentric[k], points.barycentric[0])]
        return [Clash((0, k), "two points at one place") for k in same]

    def snap_outline(self, image_rgb, outline_xy, reach_px):
        return outline_xy + 1

    def draw_preview(self, crop_rgb, box_xyxy, parts, xy, i, u, v, fill):
        return crop_rgb

    def label_person(self, predictor, image_rgb, box_xyxy):
        """The upper half of the box is torso; of parts other than the head, the model says (1/2, 1/4, 1/4)."""
        grid = np.zeros((256, 256), np.uint8)
        grid[:128] = 1
        return FlatLabels(grid)

    def to_iuv(self, points):
        return points.face.astype(np.uint8), points.barycentric[:, 1], points.barycentric[:, 2]

    def to_points(self, i, u, v):
        return SurfacePoints(i, np.stack([1 - u - v, u, v], 1))

    def warm_up(self):
        pass


def write_photos(folder: Path, count: int = 3, size: tuple[int, int] = (64, 48)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        pixels = np.full((size[1], size[0], 3), 40 * k, np.uint8)
        Image.fromarray(pixels).save(folder / f"photo{k}.png")
    return folder


def square(first: int, last: int) -> str:
    """Counts of a mask of the grid's rows first to last."""
    mask = np.zeros((256, 256), bool)
    mask[first:last] = True
    return encode_mask(mask)["counts"]


class StraightDistances:
    """Metres between labels: the distance in U and V; charts are a metre apart."""

    surface = "a flat body"

    def locate(self, labels):
        return np.stack(labels, axis=1)

    def between(self, a, b):
        return np.hypot(a[:, 1] - b[:, 1], a[:, 2] - b[:, 2]) + (a[:, 0] != b[:, 0])


def flat_picture(rng, size_hw, framing, num_people):
    """A person who fills the photo's middle and shows chart 1 with U, V growing to the right and down."""
    height, width = size_hw
    i = np.zeros(size_hw, np.uint8)
    i[100:540, 100:540] = 1
    y, x = np.mgrid[:height, :width]
    u, v = (np.where(i, (values / 640 * 0.5).astype(np.float32), 0) for values in (x, y))
    boxes = np.array([[100, 100, 540, 540.0]])
    pixels = np.zeros((*size_hw, 3), np.uint8)
    return SimpleNamespace(image_rgb=pixels, i=i, u=u, v=v, person=i, boxes_xyxy=boxes)


def sign_in(client, store, name: str, role: str = "annotator") -> str:
    """Opens a new link; returns its token."""
    token = access.invite(store, name, role)
    client.cookies.clear()
    assert client.post("/api/enter", json={"token": token}).status_code == 200
    client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
    return token
