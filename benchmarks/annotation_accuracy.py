"""What the annotation tool itself adds to an annotator's error: an exact robot answers for rendered people.

    python benchmarks/annotation_accuracy.py [--people 30] [--display 320]

For each point that an annotator would be asked, the robot knows the true surface point, takes the view that shows it
straightest, clicks where it is, rounded to a whole pixel of a view shown `--display` pixels wide, and gets a surface
point back. The error is the geodesic distance between the two, in centimetres, per part. Without a click that shows the
point (deep in an ear), the robot says "can't tell"; such points are counted.
"""

import argparse
from time import perf_counter

import numpy as np

from opendensepose.annotate.surface import views
from opendensepose.annotate.surface.cameras import SIDE_PX
from opendensepose.annotate.surface.sampling import sample_points
from opendensepose.part_grid import sample_on_grid
from opendensepose.surface import CHART_TO_PART, PART_NAMES, GeodesicDistances, SurfacePoints, load_surface
from opendensepose.synth import render_image

SIZE_HW = (512, 512)


def asked_points(seed: int) -> tuple[np.ndarray, SurfacePoints]:
    """part (P,) and true surface points of the points that would be asked about one rendered person."""
    image = render_image(np.random.default_rng(seed), SIZE_HW, framing="portrait", num_people=1)
    chart = np.where(image.person == 1, image.i, 0)
    rows, columns = np.nonzero(chart)
    if not len(rows):
        return np.zeros(0, np.uint8), SurfacePoints(np.zeros(0), np.zeros((0, 3)))
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
    part, xy = sample_points(CHART_TO_PART[sample_on_grid(chart, box)], box, SIZE_HW)
    column, row = xy.astype(int).T
    true = CHART_TO_PART[chart[row, column]] == part  # the grid is coarser than the photo
    return part[true], SurfacePoints(image.face[row, column][true], image.barycentric[row, column][true])


def click(part: int, point: SurfacePoints, display_px: int) -> SurfacePoints | None:
    """The robot's answer to one point: a whole pixel of the straightest view; None where none shows the point."""
    surface = load_surface()
    corner = surface.vertices[surface.faces[point.face[0]]]
    normal = np.cross(corner[1] - corner[0], corner[2] - corner[0])
    places = views.visible_places(part, point)[0]
    for view, x, y in sorted(places, key=lambda place: -normal @ views.views_of(part)[place[0]].towards):
        step = SIDE_PX / display_px
        try:
            return views.point_at(part, view, *((np.floor(np.array([x, y]) / step) + 0.5) * step))
        except ValueError:  # the pixel's middle is just beside the part
            continue
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--display", type=int, default=320, help="width of a view on the screen, pixels")
    options = parser.parse_args()
    geodesic = GeodesicDistances(load_surface())
    error_cm: dict[int, list[float]] = {k: [] for k in range(1, len(PART_NAMES))}
    untold = dict.fromkeys(error_cm, 0)
    click(1, SurfacePoints([0], [[1, 0, 0]]), options.display)
    seconds = []
    for seed in range(options.people):
        part, truth = asked_points(seed)
        for k in range(len(part)):
            point = SurfacePoints(truth.face[[k]], truth.barycentric[[k]])
            start = perf_counter()
            answer = click(int(part[k]), point, options.display)
            seconds.append(perf_counter() - start)
            if answer is None:
                untold[part[k]] += 1
            else:
                error_cm[part[k]].append(100 * float(geodesic.between(point, answer)[0]))
    print(f"{options.people} people, {len(seconds)} points, views {options.display} px wide; geodesic error in cm")
    print(f"{'part':18} {'points':>6} {'median':>7} {'p95':>7} {'worst':>7} {'no view':>7}")
    rows = [(PART_NAMES[k], error_cm[k], untold[k]) for k in error_cm]
    rows.append(("all", sum(error_cm.values(), []), sum(untold.values())))
    for name, errors, missed in rows:
        if errors:
            median, p95, worst = np.percentile(errors, [50, 95, 100])
            print(f"{name:18} {len(errors):6d} {median:7.3f} {p95:7.3f} {worst:7.3f} {missed:7d}")
    print(f"one click with all that is shown: p95 {1000 * np.percentile(seconds, 95):.1f} ms")


if __name__ == "__main__":
    main()
