"""How good is in-painting? A teacher's labels, and the nearest annotated point's, against rendered truth.

python benchmarks/inpainting.py TEACHER DATA [--images N] [--device D]

DATA is a folder that `opendensepose render` wrote. Measured at PIXELS random pixels of each annotated person, inside
the part masks: how many have the true chart, and the geodesic error; of the teacher alone, of the teacher made to agree
with the annotated points, and of "nearest point", each pixel labelled as the nearest annotated point of its part.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from rich.progress import track

from opendensepose.data import find_image, read_annotations, read_photo
from opendensepose.evaluate import load_distances
from opendensepose.evaluation.errors import Labels, point_errors
from opendensepose.evaluation.rcp import auc
from opendensepose.instance import DenseAnnotation
from opendensepose.models import load_checkpoint
from opendensepose.models.fcn.teacher import KnownPoints, inpaint
from opendensepose.surface import CHART_TO_PART

PIXELS = 500  # of a person


def nearest_point(person: DenseAnnotation, row: np.ndarray, column: np.ndarray, part: np.ndarray) -> Labels:
    """I, U, V of the nearest annotated point of the same part; 0 in parts without any."""
    x, y = person.point_xy.T
    away = np.hypot(column[:, None] + 0.5 - x, row[:, None] + 0.5 - y)
    away = np.where(CHART_TO_PART[person.i][None] == part[:, None], away, np.inf)
    best = away.argmin(1)
    known = np.isfinite(away.min(1))
    return Labels(*(np.where(known, value[best], 0).astype(value.dtype) for value in (person.i, person.u, person.v)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("teacher", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args()
    model = load_checkpoint(chosen.teacher, chosen.device).model
    annotations = read_annotations(chosen.data / "annotations.json")
    distances, rng = load_distances(), np.random.default_rng(0)
    errors: dict[str, list[np.ndarray]] = {"teacher": [], "teacher, made to agree": [], "nearest point": []}
    right: dict[str, list[np.ndarray]] = {name: [] for name in errors}
    for image_id in track(list(annotations.images)[: chosen.images], description="in-painting"):
        photo = read_photo(find_image(chosen.data / "images", annotations.images[image_id]["file_name"]))
        with np.load(chosen.data / "dense" / f"{image_id}.npz") as labels:
            true_maps = [labels[name] for name in ("I", "U", "V")]
        for person in annotations.people(image_id):
            if person.mask is None or not len(person.i):
                continue
            iuv, _, (x0, y0) = inpaint(model, photo, person.box_xyxy, person.mask)
            points = KnownPoints(person.point_xy, person.i, person.u, person.v)
            moved = inpaint(model, photo, person.box_xyxy, person.mask, points=points).iuv
            filled = np.argwhere((iuv.i > 0) & (true_maps[0][y0 : y0 + iuv.size_hw[0], x0 : x0 + iuv.size_hw[1]] > 0))
            row, column = filled[rng.permutation(len(filled))[:PIXELS]].T
            told, agreeing = (Labels(*(maps[row, column] for maps in (one.i, one.u, one.v))) for one in (iuv, moved))
            part = CHART_TO_PART[told.i]
            row, column = row + y0, column + x0
            true = Labels(*(maps[row, column] for maps in true_maps))
            nearest = nearest_point(person, row, column, part)
            for name, one in zip(errors, (told, agreeing, nearest), strict=True):
                errors[name].append(point_errors(true, one, distances))
                right[name].append(one.i == true.i)
    for name in errors:
        error, correct = np.concatenate(errors[name]), np.concatenate(right[name])
        finite = error[np.isfinite(error)]
        print(
            f"{name}: {len(error)} pixels, chart right {correct.mean():.3f}, missing {np.isinf(error).mean():.3f},"
            f" error median {100 * np.median(finite):.1f} cm, mean {100 * finite.mean():.1f} cm,"
            f" AUC10 {auc(error, 0.1):.3f}, AUC30 {auc(error, 0.3):.3f}"
        )


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
