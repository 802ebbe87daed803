"""How often the annotation tool warns where it should, and where it should not: answers for rendered people.

python benchmarks/contradictions.py [--people 70]

For each person, the points that an annotator would be asked get their true answers, exact or moved by chance as an
annotator's are; then one mistake is made: a pair of limbs under each other's names, the whole person in a mirror, the
front of one part taken for its back. Printed: how many people without a mistake get a warning, and how many mistakes
get one that names an answer of the mistaken part.
"""

import argparse

import numpy as np
from scipy.spatial import cKDTree

from opendensepose.annotate.checks.contradictions import find_contradictions
from opendensepose.annotate.surface.cameras import part_faces
from opendensepose.annotate.surface.sampling import sample_points
from opendensepose.part_grid import sample_on_grid
from opendensepose.surface import CHART_TO_PART, PART_NAMES, SurfacePoints, load_charts, load_surface, mirror_iuv
from opendensepose.synth import render_image

SIZE_HW = (512, 512)
NOISE_M = {1: 0.04, 2: 0.012, 3: 0.012, 4: 0.015, 5: 0.015, 14: 0.015}  # of an annotator's answers, along each axis
LIMB_NOISE_M = 0.025
PAIRS = ((6, 7), (8, 9), (10, 11), (12, 13), (2, 3), (4, 5))
OTHER_SIDE = {**{a: b for a, b in PAIRS}, **{b: a for a, b in PAIRS}, 1: 1, 14: 14}
FEWEST = 4  # points without which nothing is to be expected


def asked(seed: int) -> tuple[np.ndarray, np.ndarray, SurfacePoints]:
    """part (P,), xy (P, 2) and true surface points of what would be asked of one rendered person."""
    image = render_image(np.random.default_rng([77, seed]), SIZE_HW, framing="portrait", num_people=1)
    chart = np.where(image.person == 1, image.i, 0)
    rows, columns = np.nonzero(chart)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
    part, xy = sample_points(CHART_TO_PART[sample_on_grid(chart, box)], box, SIZE_HW)
    column, row = xy.astype(int).T
    true = CHART_TO_PART[chart[row, column]] == part
    points = SurfacePoints(image.face[row, column][true], image.barycentric[row, column][true])
    return part[true], xy[true], points


def nearest_on_part(part: np.ndarray, xyz: np.ndarray) -> SurfacePoints:
    """The middles of the parts' faces that are nearest to places (P, 3)."""
    surface, face = load_surface(), np.zeros(len(part), np.int32)
    for number in np.unique(part):
        faces = part_faces(int(number))
        centres = surface.vertices[surface.faces[faces]].mean(1)
        own = part == number
        face[own] = faces[cKDTree(centres).query(xyz[own])[1]]
    return SurfacePoints(face, np.full((len(part), 3), 1 / 3, np.float32))


def at_rest(points: SurfacePoints) -> np.ndarray:
    surface = load_surface()
    return points.xyz(surface.vertices, surface.faces).astype(np.float64)


def moved_by_chance(part: np.ndarray, points: SurfacePoints, rng: np.random.Generator) -> SurfacePoints:
    noise = np.array([NOISE_M.get(int(number), LIMB_NOISE_M) for number in part])
    return nearest_on_part(part, at_rest(points) + noise[:, None] * rng.normal(size=(len(part), 3)))


def mirrored(points: SurfacePoints) -> SurfacePoints:
    charts = load_charts()
    return charts.to_points(*mirror_iuv(*charts.from_points(points)))


def chosen(which: np.ndarray, one: SurfacePoints, other: SurfacePoints) -> SurfacePoints:
    return SurfacePoints(
        np.where(which, one.face, other.face), np.where(which[:, None], one.barycentric, other.barycentric)
    )


def turned(part: np.ndarray, points: SurfacePoints) -> SurfacePoints:
    """Front for back: the depth of each answer mirrored in the middle of its part."""
    xyz = at_rest(points)
    for number in np.unique(part):
        corners = load_surface().vertices[load_surface().faces[part_faces(int(number))]]
        low, high = corners[..., 1].min(), corners[..., 1].max()
        own = part == number
        xyz[own, 1] = low + high - xyz[own, 1]
    return nearest_on_part(part, xyz)


def mistakes(
    part: np.ndarray, points: SurfacePoints, rng: np.random.Generator
) -> list[tuple[str, np.ndarray, np.ndarray, SurfacePoints]]:
    """(kind, which answers, part (P,), answers) of each mistake that can be made with this person."""
    made, other = [], mirrored(points)
    renamed = np.array([OTHER_SIDE.get(k, 0) for k in range(15)], np.uint8)[part]
    many = {number for number in range(1, 15) if (part == number).sum() >= FEWEST}
    for pair in PAIRS:
        if many >= {*pair, 1}:
            swapped = np.isin(part, pair)
            limb = " ".join(word for word in PART_NAMES[pair[0]].split() if word not in ("left", "right"))
            named = np.where(swapped, renamed, part)
            made.append((f"{limb}: sides swapped", swapped, named, chosen(swapped, other, points)))
    if len(many) >= 3:
        made.append(("whole person mirrored", np.ones(len(part), bool), renamed, other))
    for number in sorted(many - {2, 3, 4, 5, 14}):
        own = part == number
        kind = "torso" if number == 1 else "limb"
        made.append((f"{kind} turned", own, part, chosen(own, turned(part, points), points)))
        if own.sum() >= 6:
            few = np.isin(np.arange(len(part)), rng.choice(np.flatnonzero(own), own.sum() // 4, replace=False))
            made.append((f"{kind}: a quarter turned", few, part, chosen(few, turned(part, points), points)))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=70)
    people = [asked(seed) for seed in range(parser.parse_args().people)]
    print(f"{len(people)} people, {sum(len(part) for part, _, _ in people)} points")
    print(f"{'':26}{'exact':>16}{'as annotators':>16}")
    counts: dict[str, list[list[int]]] = {"warned without a mistake": [[0, 0], [0, 0]]}
    for seed, (part, xy, truth) in enumerate(people):
        for column, points in enumerate((truth, moved_by_chance(part, truth, np.random.default_rng(seed)))):
            before = find_contradictions(part, xy, points)
            counts["warned without a mistake"][column][0] += bool(before)
            counts["warned without a mistake"][column][1] += 1
            for kind, which, named, answers in mistakes(part, points, np.random.default_rng(seed)):
                told = {k for one in find_contradictions(named, xy, answers) for k in one.points}
                known = {k for one in before for k in one.points}
                row = counts.setdefault(kind, [[0, 0], [0, 0]])
                row[column][0] += bool((told - known) & set(np.flatnonzero(which).tolist()))
                row[column][1] += 1
    for name, row in counts.items():
        shares = [f"{hit} of {of} ({hit / max(of, 1):.0%})" for hit, of in row]
        print(f"{name:26}{shares[0]:>16}{shares[1]:>16}")


if __name__ == "__main__":
    main()
