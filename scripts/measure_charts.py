#!/usr/bin/env python3
"""Measures, on photos with reference maps, where another model's charts end and how their U and V run.

    python scripts/measure_charts.py PHOTOS

PHOTOS holds <stem>.jpg and <stem>.npz as for `train --photos`: I uint8, 255 = unknown, and perhaps U, V uint8 = 255
times the value. The default model says which point of our surface a pixel shows, the reference what chart it is in. So
a seam lies where the reference changes its chart: at the value of the seam's function that divides the pixels with the
fewest errors. One value for each photo and side of the body: where they agree, the seam is found.
`surface.unwrapping.partition` has the functions, and `limb_maps.SPAN` what the second table measures: U and V of the
reference against ours, where both name the same chart.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opendensepose import Predictor
from opendensepose.data.photos import read_photo
from opendensepose.instance import merge_instances
from opendensepose.surface import CHART_NAMES, load_charts, load_surface, mirror_iuv
from opendensepose.surface.unwrapping import partition
from opendensepose.surface.unwrapping.anatomy import JOINTS
from opendensepose.training.rendered.validate import UNKNOWN

MIN_PIXELS, MIN_ONE_SIDE = 150, 40  # of a photo's side of the body, to be counted
MAX_ERRORS = 0.2  # of the smaller side's pixels: more errors mean that something hides the seam
BINS = 8


class Pixels(NamedTuple):
    """Pixels (P,) that are a person for both, mirrored to the body's left: ours and the reference's labels, and the
    place (P, 3) on our surface at rest. half: which photo and side of the body."""

    half: np.ndarray
    i: np.ndarray
    uv: np.ndarray
    xyz: np.ndarray
    reference_i: np.ndarray
    reference_uv: np.ndarray  # NaN where the reference has charts only


def read_pixels(photos: Path) -> Iterator[Pixels]:
    """Pixels of each photo. half is 2 k, or 2 k + 1 on the right, for photo k."""
    predictor, surface, charts = Predictor(), load_surface(), load_charts()
    for k, path in enumerate(sorted(photos.glob("*.npz"))):
        image_rgb = read_photo(path.with_suffix(".jpg"))
        iuv, _ = merge_instances(predictor(image_rgb), image_rgb.shape[:2])
        with np.load(path) as maps:
            theirs = maps["I"]
            both = (iuv.i > 0) & (theirs > 0) & (theirs != UNKNOWN)
            uv = [maps[name][both] / 255 if name in maps else np.full(both.sum(), np.nan) for name in "UV"]
        i, u, v, theirs = (part[both] for part in (iuv.i, iuv.u, iuv.v, theirs))
        points = charts.to_points(i, u, v)
        xyz = points.xyz(surface.vertices, surface.faces).astype(np.float64)
        right = xyz[:, 0] < 0
        xyz[right, 0] *= -1
        ours_left, ours_uv = to_left(right, i, u, v)
        yield Pixels(2 * k + right, ours_left, ours_uv, xyz, *to_left(right, theirs, *uv))


def to_left(right: np.ndarray, i: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Charts (P,), and U, V (P, 2), of labels, mirrored where `right` is set."""
    mirrored = mirror_iuv(i, u, v)
    i, u, v = (np.where(right, *pair) for pair in zip(mirrored, (i, u, v), strict=True))
    return i, np.stack([u, v], axis=1)


def best_threshold(values: np.ndarray, beyond: np.ndarray) -> tuple[float, int]:
    """The threshold t with the fewest errors of "beyond where values > t", and their number; values, beyond (P,)."""
    order = np.argsort(values)
    values, beyond = values[order], beyond[order]
    errors = np.r_[0, np.cumsum(beyond)] + np.r_[0, np.cumsum(~beyond)][-1] - np.r_[0, np.cumsum(~beyond)]
    k = int(np.argmin(errors))
    return float(values[max(k - 1, 0)] + values[min(k, len(values) - 1)]) / 2, int(errors[k])


def seams(xyz: np.ndarray) -> dict[str, tuple[list[int], list[int], np.ndarray]]:
    """Name -> charts before the seam, charts beyond it, and the seam's function at xyz (P, 3): metres from where it is
    cut now, or degrees about the limb. Only the seams in front: few photos show a back."""
    upper_arm = partition.limb_angle(xyz, JOINTS["arm_axis_shoulder"], JOINTS["arm_axis_elbow"])[0]
    forearm = partition.limb_angle(xyz, JOINTS["arm_axis_elbow"], JOINTS["wrist"])[0]
    in_front = [np.where((angle > -120) & (angle < 165), angle, np.nan) for angle in (upper_arm, forearm)]
    bent = partition.bent_function
    return {
        "upper arm, angle": ([15], [17], in_front[0]),
        "forearm, angle": ([19], [21], in_front[1]),
        "shoulder": ([1, 2], [15, 17], partition.shoulder_function(xyz)),
        "elbow": ([15, 17], [19, 21], bent(xyz, JOINTS["shoulder"], JOINTS["elbow"], JOINTS["wrist"]) - 0.035),
        "wrist": ([19, 21], [4], bent(xyz, JOINTS["elbow"], JOINTS["wrist"], JOINTS["knuckles"], share=0.0) - 0.03),
        "leg opening, front": ([2], [10], partition.hip_function(xyz)),
        "leg opening, back": ([1], [8], partition.hip_function(xyz)),
        "knee": ([8, 10], [12, 14], bent(xyz, JOINTS["hip"], JOINTS["knee"], JOINTS["ankle"]) - 0.08),
        "neck": ([1, 2], [24], partition.neck_function(xyz)),
    }


def print_seams(pixels: Pixels) -> None:
    print(f"{'seam':<20s}{'median':>8s}   each photo and side (metres from our cut, or degrees)")
    for name, (before, beyond, values) in seams(pixels.xyz).items():
        charts = before + beyond
        of_seam = np.isin(pixels.i, charts) & np.isin(pixels.reference_i, charts) & np.isfinite(values)
        found = {}
        for half in np.unique(pixels.half):
            mine = of_seam & (pixels.half == half)
            is_beyond = np.isin(pixels.reference_i[mine], beyond)
            smaller = min(is_beyond.sum(), (~is_beyond).sum())
            if mine.sum() < MIN_PIXELS or smaller < MIN_ONE_SIDE:
                continue
            threshold, errors = best_threshold(values[mine], is_beyond)
            if errors <= MAX_ERRORS * smaller:
                found[f"{half // 2}{'lr'[half % 2]}"] = threshold
        digits = 0 if "angle" in name else 3
        shown = " ".join(f"{half} {value:.{digits}f}" for half, value in found.items())
        print(f"{name:<20s}{np.median(list(found.values()) or [np.nan]):>8.{digits}f}   {shown}")


def print_uv(pixels: Pixels) -> None:
    print("\nthe reference's U and V where ours are around .06, .19, ...: median over photos and sides (their number)")
    same = (pixels.i == pixels.reference_i) & np.isfinite(pixels.reference_uv[:, 0])
    for chart in np.unique(pixels.i[same]):
        print(f"{chart} {CHART_NAMES[chart]}")
        for axis, name in enumerate("UV"):
            cells = []
            for cell in range(BINS):
                there = same & (pixels.i == chart) & ((pixels.uv[:, axis] * BINS).astype(int).clip(0, BINS - 1) == cell)
                halves = [there & (pixels.half == half) for half in np.unique(pixels.half[there])]
                values = [np.median(pixels.reference_uv[one, axis]) for one in halves if one.sum() >= MIN_ONE_SIDE]
                if values:
                    cells.append(f"{(cell + 0.5) / BINS:.2f}: {np.median(values):.2f} ({len(values)})")
            print(f"  {name}  " + ", ".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parts = list(read_pixels(parser.parse_args().photos))
    if not parts:
        raise SystemExit("there must be photos with reference maps, <stem>.jpg and <stem>.npz: found none.")
    pixels = Pixels(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    print_seams(pixels)
    print_uv(pixels)


if __name__ == "__main__":
    main()
