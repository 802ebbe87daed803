"""Clicks and keys that a person takes, and errors, with and without proposals: a robot with an annotator's noise.

    python benchmarks/annotation_clicks.py [--people 90] [--seed 82] [--cache FILE]

The robot follows the page's logic on gold people; the page's tests show that it takes these clicks and keys. Parts:
the model's guess (1 key) as it is, and on to the points (1 key); painting is not counted. Points: the robot believes in
the truth moved by chance, 1.2 to 4 cm along each axis, by part. Without proposals it clicks every point and the page
goes on by itself. With proposals it clicks where there is none, or where it lies more than twice its own noise
(and at least 4 cm) from its belief; what is left of a part is accepted with one key, or one by one. Submit: 1 key, and
1 more if answers look wrong. Errors are geodesic.
"""

import numpy as np

from contradictions import moved_by_chance
from opendensepose.annotate.checks.contradictions import find_contradictions
from opendensepose.annotate.checks.wrong_answers import answer_noise_m
from opendensepose.surface import GeodesicDistances, SurfacePoints, load_surface
from wrong_answers import asked_for

LEAST_M = 0.04  # a robot, like a person, lets nearer proposals pass


def main() -> None:
    everybody = asked_for(__doc__)
    geodesics = GeodesicDistances(load_surface())
    rows: dict[str, list[float]] = {}
    errors: dict[str, list[np.ndarray]] = {}
    for number, one in enumerate(everybody):
        part, truth, said = one["part"], one["truth"], one["said"]
        belief = moved_by_chance(part, truth, np.random.default_rng([number, 5]))
        answers, proposed, accepted = belief, np.zeros(len(part), bool), np.zeros(len(part), bool)
        if said is not None:
            proposed = said.is_known
            apart = geodesics.between(belief[proposed], said.points)
            accepted[proposed] = apart <= np.maximum(2 * answer_noise_m(part)[proposed], LEAST_M)
            face, weights = belief.face.copy(), belief.barycentric.copy()
            face[proposed], weights[proposed] = said.points.face, said.points.barycentric
            pick = np.where(accepted, face, belief.face)
            answers = SurfacePoints(pick, np.where(accepted[:, None], weights, belief.barycentric))
            errors.setdefault("proposals", []).append(geodesics.between(truth[proposed], said.points))
        for name, given in (("without", belief), ("with", answers)):
            errors.setdefault(name, []).append(geodesics.between(truth, given))
        start, clicks = 2, int((~accepted).sum())
        ends = [1 + bool(find_contradictions(part, one["xy"], given, said)) for given in (belief, answers)]
        of_parts = len(np.unique(part[accepted]))
        add(rows, "points", len(part))
        add(rows, "clicks and keys without proposals", start + len(part) + ends[0])
        add(rows, "clicks with proposals", clicks)
        add(rows, "clicks and keys, parts accepted at once", start + clicks + of_parts + ends[1])
        add(rows, "clicks and keys, accepted one by one", start + len(part) + ends[1])
        add(rows, "share of points accepted, %", 100 * accepted.mean())
        add(rows, "share of points with a proposal, %", 100 * proposed.mean())
    for name, values in rows.items():
        low, median, high = np.percentile(values, [10, 50, 90])
        print(f"  {name:42} median {median:6.1f}, 10th to 90th percentile {low:.0f} to {high:.0f}")
    for name, values in errors.items():
        everything = 100 * np.concatenate(values)
        print(f"  error of answers {name:10} mean {everything.mean():.2f} cm, median {np.median(everything):.2f} cm")


def add(rows: dict[str, list[float]], name: str, value: float) -> None:
    rows.setdefault(name, []).append(float(value))


if __name__ == "__main__":
    main()
