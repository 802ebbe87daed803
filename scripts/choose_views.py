"""Chooses the six views of each body part and writes `src/opendensepose/annotate/surface/views.json`: five minutes.

    python scripts/choose_views.py [PART ...]

Each part starts from six directions that have a name (front, palm, sole). Then each view in turn is moved, within a
cone about its own direction, to where the six together do best: first as little as possible of the part that no view
shows at less than 68.5 degrees between normal and line of sight, then the straightest sight on average, then staying
where the name says. A view that turns far away from its name is called after where it turns to. Left parts get the
mirror images.
"""

import json
import sys

import numpy as np
import torch

from opendensepose.annotate.surface.cameras import VIEWS_FILE, part_faces
from opendensepose.surface import PART_NAMES, load_surface
from opendensepose.synth.drawing.launch import start_warp
from opendensepose.synth.drawing.rasterize import depth_map

NUM_POINTS, NUM_DIRECTIONS, SIDE = 8000, 2000, 1000
WANTED_DEGREES = 68.5
UNSEEN_COST, NAME_COST = 200.0, 0.4
TOLD_DEGREES = 20
HEAD, NOOK = 14, 0.02  # what so few of all directions see of the head lies in a nook: eye socket, mouth, fold of an ear
FRONT, ABOVE = np.array([0, -1, 0.0]), np.array([0, 0, 1.0])
OUTER = np.array([-1.0, 0, 0])  # of a right limb; of the whole body its right side
LEFT_PART = {2: 3, 5: 4, 6: 7, 8: 9, 11: 10, 13: 12}


def named_directions(part: int) -> dict[str, tuple[np.ndarray, float]]:
    """Where the six views of a central or right part start from, towards the viewer, and how far they may turn."""
    if part == 2:
        return _hand_directions(part)
    if part == 5:
        return {"outer side": (OUTER, 25), "inner side": (-OUTER, 25), "front": (FRONT + 0.5 * ABOVE, 60),
                "back": (-FRONT, 60), "above": (ABOVE + 0.3 * FRONT, 60),
                "sole": (-ABOVE + 0.3 * FRONT, 60)}  # fmt: skip
    if part == 14:
        return {"front": (FRONT, 6), "right side": (OUTER, 20), "left side": (-OUTER, 20), "back": (-FRONT, 6),
                "above": (ABOVE + 0.6 * FRONT, 50), "below": (FRONT - 0.9 * ABOVE, 50)}  # fmt: skip
    if part == 1:
        return {"front": (FRONT, 6), "right side": (OUTER, 20), "left side": (-OUTER, 20), "back": (-FRONT, 8),
                "front, from above": (FRONT + ABOVE, 50), "back, from below": (-FRONT - ABOVE, 50)}  # fmt: skip
    axis = _axes_of(part)[0]
    around = {
        "front": (FRONT, 12),
        "outer side": (OUTER, 15),
        "back": (-FRONT, 12),
        "inner side": (-OUTER, 15),
        "front, outer side": (FRONT + OUTER, 40),
        "back, inner side": (-FRONT - OUTER, 40),
    }
    return {name: (towards - (towards @ axis) * axis, cone) for name, (towards, cone) in around.items()}


def _axes_of(part: int) -> np.ndarray:
    """The part's principal axes (3, 3), the longest first."""
    surface = load_surface()
    points = surface.vertices[np.unique(surface.faces[part_faces(part)])].astype(np.float64)
    return np.linalg.svd(points - points.mean(0), full_matrices=False)[2]


def _hand_directions(part: int) -> dict[str, tuple[np.ndarray, float]]:
    along, across, through = _axes_of(part)
    along *= -np.sign(along[2])  # fingers hang down
    through *= -np.sign(through @ OUTER)  # the palm faces the body
    across *= np.sign(across @ FRONT)  # the thumb is in front
    return {"palm": (through, 15), "back of the hand": (-through, 15), "thumb side": (across, 35),
            "little finger side": (-across, 35), "fingertips": (along, 50),
            "palm, from the fingertips": (through + along, 50)}  # fmt: skip


def directions(count: int) -> np.ndarray:
    """(count, 3) unit vectors spread evenly over the sphere (a Fibonacci spiral)."""
    k = np.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    return np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], 1)


def picture_axes(towards: np.ndarray) -> np.ndarray:
    """Rows right, down, away of the picture in which z points up."""
    right = np.cross(-towards, ABOVE if abs(towards[2]) < 0.999 else -FRONT)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(-towards, right), -towards])


def cosines_of_sight(part: int, towards: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(D, N) float32: cosine between normal and line of sight of N random points of a part seen alone from D
    directions; 0 where the point is hidden or faces away."""
    surface = load_surface()
    corner = surface.vertices[surface.faces[part_faces(part)]].astype(np.float64)
    middle = corner.reshape(-1, 3).mean(0)
    corner -= middle
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    area = np.linalg.norm(normal, axis=1)
    face = rng.choice(len(area), NUM_POINTS, p=area / area.sum())
    xyz = (corner[face] * rng.dirichlet((1, 1, 1), NUM_POINTS)[:, :, None]).sum(1)
    normal = normal[face] / area[face][:, None]
    triangles = torch.arange(3 * len(corner), dtype=torch.int32).reshape(-1, 3)
    scale = (SIDE / 2 - 2) / np.linalg.norm(corner, axis=2).max()
    cosines = np.zeros((len(towards), NUM_POINTS), np.float32)
    for k, direction in enumerate(towards):
        axes = picture_axes(direction)
        screen, place = corner.reshape(-1, 3) @ axes.T, xyz @ axes.T
        screen[:, :2], place[:, :2] = screen[:, :2] * scale + SIDE / 2, place[:, :2] * scale + SIDE / 2
        depth = depth_map(torch.from_numpy(screen.astype(np.float32)), triangles, (SIDE, SIDE)).numpy()
        cosine = normal @ direction
        slope = np.sqrt(1 - cosine**2) / np.maximum(cosine, 0.05)
        x, y = place[:, :2].astype(int).T
        visible = (cosine > 0.05) & (place[:, 2] < depth[y, x] + 0.0005 + slope / scale)
        cosines[k] = np.where(visible, cosine, 0)
    return cosines


def choose(part: int) -> list[dict]:
    """The six views of a central or right part, as they are stored."""
    start = named_directions(part)
    named = np.stack([towards / np.linalg.norm(towards) for towards, _ in start.values()])
    cones = np.radians([cone for _, cone in start.values()])
    candidates = np.concatenate([named, directions(NUM_DIRECTIONS)])
    cosines = cosines_of_sight(part, candidates, np.random.default_rng(part))
    wanted = np.cos(np.radians(WANTED_DEGREES))
    seeable = (cosines > wanted).mean(0) > (NOOK if part == HEAD else 0)
    chosen = list(range(len(named)))
    turned = np.arccos(np.clip(candidates @ named.T, -1, 1))  # (D, 6)

    def cost(views: list[int]) -> float:
        best = cosines[views].max(0)[seeable]
        away = turned[views, np.arange(len(views))]
        return UNSEEN_COST * (best < wanted).mean() - best.mean() + NAME_COST * (away**2).mean()

    lowest, improved = cost(chosen), True
    while improved:
        improved = False
        for slot in range(len(chosen)):
            for candidate in np.flatnonzero(turned[:, slot] <= cones[slot]):
                trial = [*chosen[:slot], int(candidate), *chosen[slot + 1 :]]
                if (value := cost(trial)) < lowest - 1e-6:
                    lowest, chosen, improved = value, trial, True
    best, least = cosines[chosen].max(0), np.cos(np.radians(70))
    print(
        f"{PART_NAMES[part]}: {(best < least).mean():.2%} of the area is in no view seen at < 70 degrees,"
        f" {(cosines.max(0) < least).mean():.2%} from no direction at all,"
        f" {(cosines.max(0) == 0).mean():.2%} hidden from all; turned by"
        f" {np.degrees(turned[chosen, np.arange(6)]).round().astype(int).tolist()} degrees",
        flush=True,
    )
    return [
        {
            "name": _turned_name(part, name, named[slot], candidates[k]),
            "towards": candidates[k].round(4).tolist(),
            "up": (-picture_axes(candidates[k])[1]).round(4).tolist(),
        }
        for slot, (name, k) in enumerate(zip(start, chosen, strict=True))
    ]


def _turned_name(part: int, name: str, named: np.ndarray, towards: np.ndarray) -> str:
    """The name, and the side that the view turned to if it turned by more than TOLD_DEGREES."""
    if "," in name or named @ towards > np.cos(np.radians(TOLD_DEGREES)):
        return name
    turn = towards - (towards @ named) * named
    axis = np.abs(turn).argmax()
    sides = ("left", "right") if part in (1, 14) else ("inner side", "outer side")
    words = [sides, ("back", "front"), ("above", "below")][axis]
    return f"{name}, from {'the ' if axis < 2 else ''}{words[int(turn[axis] < 0)]}"


def mirrored(view: dict) -> dict:
    flipped = {key: [-view[key][0], *view[key][1:]] for key in ("towards", "up")}
    return {"name": view["name"], **flipped}


def main() -> None:
    """Chooses the parts named on the command line by number (central or right ones), by default all of them."""
    start_warp()
    wanted = [int(number) for number in sys.argv[1:]] or [1, 14, *LEFT_PART]
    stored = json.loads(VIEWS_FILE.read_text()) if VIEWS_FILE.exists() else {}
    views = {part: stored[name] for part, name in enumerate(PART_NAMES) if name in stored}
    for part in wanted:
        views[part] = choose(part)
        if part in LEFT_PART:
            views[LEFT_PART[part]] = [mirrored(view) for view in views[part]]
    lines = [f'"{PART_NAMES[part]}": [\n' + ",\n".join(map(json.dumps, views[part])) + "\n]" for part in sorted(views)]
    VIEWS_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
