"""What an annotator is warned of: swapped sides, a mirrored part, the hidden side, a slip by one, single wrong answers.

The first three compare the answers with each other and with the body at rest; a check reports nothing if there are too
few answers or the view of the part is too oblique. The last two are `wrong_answers`'s, which also hears the model.

Letters: P answered points; K points of one part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from opendensepose.annotate.checks.body import at_rest, joint, normals_at_rest
from opendensepose.annotate.checks.model_labels import ModelAnswers
from opendensepose.annotate.checks.wrong_answers import find_slips, find_wrong_answers, observe
from opendensepose.annotate.part_names import display_name
from opendensepose.surface import SurfacePoints

__all__ = ["Contradiction", "find_contradictions"]

HANDS, ARMS, RIGID = (2, 3), (10, 11, 12, 13), (1, 14)
# Right and left part, and their right and left parent in the skeleton; the torso is the parent of both sides.
CHAIN = ((11, 10, 1, 1), (13, 12, 11, 10), (2, 3, 13, 12), (6, 7, 1, 1), (8, 9, 6, 7), (5, 4, 8, 9))
MIN_ANSWERS = 4
SWAP_GAIN = 0.5  # of the distance between the joints: the least that swapping the sides must save
MIN_SPREAD = 0.3  # of their distance at rest: joints nearer together in the photo are not judged
DAMPING = 0.02  # of a part's extent: bounds the fit of a part seen end on
FACING_AWAY = -0.2  # mean cosine between the normals of a rigid part's answers and the direction to the viewer
MIRRORED, MIRRORED_ARM = -0.7, -0.9  # share of triangles with the right orientation minus the others, by size
MIN_ANSWERS_FOR_SIDE = 6  # to tell from which side a part is seen
MIN_CONDITION = 0.3  # the fit's second singular value, by its first
HIDDEN_COSINE, HIDDEN_M = -0.8, 0.05  # normals and depths so far from the visible side
MIN_HIDDEN = 3  # fewer are left to `wrong_answers`


@dataclass(frozen=True)
class Contradiction:
    """points: indices of the answers concerned. text: one sentence for the annotator."""

    points: tuple[int, ...]
    text: str


def find_contradictions(
    part: np.ndarray, xy: np.ndarray, points: SurfacePoints, witness: ModelAnswers | None = None
) -> list[Contradiction]:
    """Find what is wrong with P answered points: whole parts first, then single answers that no other warning names.

    part: (P,) 1..14. xy: (P, 2) pixels of the photo, in the order of presentation. points: the answers. witness: what a
    model says of the same pixels.
    """
    part, xy = np.asarray(part), np.asarray(xy, np.float64).reshape(-1, 2)
    if not len(part) == len(xy) == len(points):
        raise ValueError(
            f"part, xy and points must have the same length, got {len(part)}, {len(xy)} and {len(points)}."
        )
    if not len(part):
        return []
    parts = {}
    for number in np.unique(part).tolist():
        own = np.flatnonzero(part == number)
        content = (xy[own], points.face[own], points.barycentric[own])
        parts[number] = own, _of_part(number, *(values.tobytes() for values in content))
    found = _swapped_sides(parts)
    for own, answers in parts.values():
        for one in answers.contradictions:
            found.append(Contradiction(tuple(own[list(one.points)].tolist()), one.text))
    return found + _wrong_answers(part, xy, points, witness, {k for one in found for k in one.points})


def _wrong_answers(
    part: np.ndarray, xy: np.ndarray, points: SurfacePoints, witness: ModelAnswers | None, named: set[int]
) -> list[Contradiction]:
    """Parts that slipped by one, then single wrong answers, but for answers that are `named` in a warning already."""
    found = []
    seen = observe(part, xy, points)
    for slip in find_slips(seen, witness):
        if named.isdisjoint(slip.indices.tolist()):
            side, why = ("after", "skip a point") if slip.step == 1 else ("before", "answer a point twice")
            name = display_name(int(part[slip.indices[0]]))
            text = f"The answers on the {name} fit the points {side} theirs better: did you {why}?"
            found.append(Contradiction(tuple(slip.indices.tolist()), text))
    named = named | {k for one in found for k in one.points}
    for wrong in find_wrong_answers(seen, points, witness):
        if wrong.answer not in named:
            who = "The answers around it and the model put" if wrong.with_model else "The answers around it put"
            text = f"{who} this point about {100 * wrong.distance_m:.0f} cm away on the body."
            found.append(Contradiction((wrong.answer,), text))
    return found


class _PartAnswers:
    """K answers on one part, and what is computed from them alone."""

    def __init__(self, number: int, xy: np.ndarray, points: SurfacePoints):
        self.number, self.xy = number, xy  # (K, 2) pixels of the photo
        self.rest, self.normal = at_rest(points), normals_at_rest(points)  # (K, 3) each
        self._cache: dict[tuple, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.xy)

    @cached_property
    def contradictions(self) -> list[Contradiction]:
        """The contradictions among these answers."""
        if len(self) < MIN_ANSWERS:
            return []
        own, (number, xy, rest, normal) = np.arange(len(self)), (self.number, self.xy, self.rest, self.normal)
        mirrored = _mirrored(number, own, xy, rest, normal)
        return mirrored or _hidden_side(number, own, xy, rest, normal)

    @cached_property
    def extent(self) -> np.ndarray:
        """(2, 4): minimum and maximum of x, y in the photo and x, z at rest."""
        both = np.concatenate([self.xy, self.rest[:, [0, 2]]], axis=1)
        return np.stack([both.min(0), both.max(0)])

    def joint_in_photo(self, child: int) -> np.ndarray:
        """(2,) pixels: the joint with the part `child`, predicted from these answers on its parent."""
        return self._cached(("joint", child), lambda: _in_photo(self.xy, self.rest, joint(child, self.number)))

    def start_in_photo(self, parent: int) -> np.ndarray:
        """(2,) pixels: the mean of the answers, weighted by proximity to the joint with `parent`."""
        return self._cached(("start", parent), lambda: self._near(joint(self.number, parent)))

    def _near(self, place: np.ndarray) -> np.ndarray:
        near = np.exp(-np.linalg.norm(self.rest - place, axis=1) / 0.1)
        return near @ self.xy / near.sum()

    def _cached(self, key: tuple, compute: Callable[[], np.ndarray]) -> np.ndarray:
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]


@lru_cache(maxsize=4096)
def _of_part(number: int, xy: bytes, face: bytes, barycentric: bytes) -> _PartAnswers:
    """Cached by the arrays' bytes: a click changes one part of a person, the results of the others are reused."""
    points = SurfacePoints(np.frombuffer(face, np.int32), np.frombuffer(barycentric, np.float32).reshape(-1, 3))
    return _PartAnswers(number, np.frombuffer(xy).reshape(-1, 2), points)


def _slope(xy: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(3, 2) pixels per metre: the linear map from places at rest to the photo, if the part is rigid.

    Least squares over K points, damped along the directions that they hardly span.
    """
    offset = rest - rest.mean(0)
    damping = (DAMPING * np.abs(offset).max()) ** 2 * len(offset) + 1e-9
    return np.linalg.solve(offset.T @ offset + damping * np.eye(3), offset.T @ (xy - xy.mean(0)))


def _in_photo(xy: np.ndarray, rest: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(2,) pixels: a place (3,) at rest mapped to the photo by the fit to K points of a part."""
    return xy.mean(0) + (place - rest.mean(0)) @ _slope(xy, rest)


def _swapped_sides(parts: dict[int, tuple[np.ndarray, _PartAnswers]]) -> list[Contradiction]:
    """Limbs that start at the other side's joint, along each chain of parts from the torso outwards."""
    enough = {number: one for number, one in parts.items() if len(one[0]) >= MIN_ANSWERS}
    links = [link for link in CHAIN if {*link[2:]} <= enough.keys() and {*link[:2]} & enough.keys()]
    if not links:
        return []
    extents = np.stack([answers.extent for _, answers in parts.values()])  # (parts, 2, 4)
    size = extents[:, 1].max(0) - extents[:, 0].min(0)
    pixels_per_metre = np.sqrt(size[:2].prod() / size[2:].prod().clip(1e-6))
    found = []
    for *sides, right_parent, left_parent in links:
        pairs = list(zip(sides, (right_parent, left_parent), strict=True))
        in_photo = [enough[parent][1].joint_in_photo(child) for child, parent in pairs]
        gap = np.linalg.norm(in_photo[0] - in_photo[1])
        apart_m = np.linalg.norm(joint(*pairs[0]) - joint(*pairs[1]))
        if gap < MIN_SPREAD * pixels_per_metre * apart_m:
            continue
        gains, known = [], [(side, *pair) for side, pair in enumerate(pairs) if pair[0] in enough]
        for side, number, parent in known:
            reach = [np.linalg.norm(enough[number][1].start_in_photo(parent) - place) for place in in_photo]
            gains.append(reach[side] - reach[1 - side])
        if sum(gains) > SWAP_GAIN * gap * len(gains):
            names = " and ".join(display_name(number) for _, number, _ in known)
            found.append(
                Contradiction(
                    tuple(np.concatenate([enough[number][0] for _, number, _ in known]).tolist()),
                    f"The {names} start where those of the other side should: did you swap left and right?",
                )
            )
    return found


def _mirrored(
    number: int, own: np.ndarray, xy: np.ndarray, rest: np.ndarray, normal: np.ndarray
) -> list[Contradiction]:
    """A part whose answers have the wrong orientation, as if its skin were seen from inside: answered in a mirror, or
    its front taken for its back."""
    if number in RIGID:
        sight = _line_of_sight(_slope(xy[own], rest[own]))
        is_mirrored = -(normal[own] @ sight).mean() < FACING_AWAY
    else:
        limit = MIRRORED_ARM if number in ARMS else MIRRORED  # on a thin arm, errors change sides by chance
        is_mirrored = _orientation(xy[own], rest[own], normal[own]) <= limit
    if not is_mirrored:
        return []
    text = f"The answers on the {display_name(number)} are mirrored: is it seen from the other side?"
    return [Contradiction(tuple(own.tolist()), text)]


def _line_of_sight(slope: np.ndarray) -> np.ndarray:
    """(3,) unit vector away from the viewer, on the body at rest, by the fit (3, 2) of a part to the photo."""
    sight = np.cross(slope[:, 0], slope[:, 1])
    return sight / max(float(np.linalg.norm(sight)), 1e-12)


def _orientation(xy: np.ndarray, rest: np.ndarray, normal: np.ndarray) -> float:
    """The share of triangles between answers with the right orientation minus that of the others, by size; 1 if there
    are too few of them."""
    from scipy.spatial import Delaunay, QhullError

    try:
        corner = Delaunay(xy).simplices  # (T, 3)
    except QhullError:  # all in one line
        return 1.0
    ahead, aside = xy[corner[:, 1]] - xy[corner[:, 0]], xy[corner[:, 2]] - xy[corner[:, 0]]
    in_photo = -(ahead[:, 0] * aside[:, 1] - ahead[:, 1] * aside[:, 0])  # y points down
    across = np.cross(rest[corner[:, 1]] - rest[corner[:, 0]], rest[corner[:, 2]] - rest[corner[:, 0]])
    on_skin = (across * normal[corner].mean(1)).sum(1)
    weight = np.sqrt(np.abs(in_photo * on_skin))
    if len(corner) < 5 or not weight.any():
        return 1.0
    return float((weight * np.sign(in_photo * on_skin)).sum() / weight.sum())


def _hidden_side(
    number: int, own: np.ndarray, xy: np.ndarray, rest: np.ndarray, normal: np.ndarray
) -> list[Contradiction]:
    """Answers on a part's hidden side, by the other answers; hands bend too much for this check.

    Places that differ only along the line of sight have the same place in the photo. So the line of sight is the
    direction in which the fit from the body to the photo has no slope; a wrong depth hardly changes it. Most normals
    face the visible side.
    """
    if number in HANDS or len(own) < MIN_ANSWERS_FOR_SIDE:
        return []
    slope = _slope(xy[own], rest[own])
    strength = np.linalg.svd(slope, compute_uv=False)
    if strength[1] < MIN_CONDITION * strength[0]:  # seen end on
        return []
    sight = _line_of_sight(slope)
    cosine, depth = normal[own] @ sight, rest[own] @ sight
    if cosine.sum() < 0:
        cosine, depth = -cosine, -depth
    hidden = own[(cosine < HIDDEN_COSINE) & (np.median(depth) - depth > HIDDEN_M)]
    if not MIN_HIDDEN <= len(hidden) <= 0.4 * len(own):
        return []
    text = f"{len(hidden)} answers lie on the hidden side of the {display_name(number)}: front or back?"
    return [Contradiction(tuple(hidden.tolist()), text)]
