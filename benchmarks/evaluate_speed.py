"""Time and memory of `opendensepose evaluate` on synthetic files, three detections for each person.

python benchmarks/evaluate_speed.py

1. On 391 people, with assets of the authors' form (27,554 vertices, in memory): against the released evaluator's
   arithmetic, arranged as detectron2 arranges it (`released_evaluator.py`), on the same files in the same process.
   Times are of the processor; reading the files counts, loading the assets does not.
2. On files of the size of COCO-DensePose's minival, 2,243 people with 100 points each in 1,508 images, on our surface,
   whose table of geodesic distances is made at the first use.

The files are made in a temporary folder first.
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

import released_evaluator
from opendensepose.data import category, encode_mask, read_annotations, result_entry, write_results
from opendensepose.evaluate import evaluate_files, load_distances
from opendensepose.evaluate.inputs import AnnotatedPeople, annotated_images, open_predictions
from opendensepose.evaluation import measure
from opendensepose.evaluation.official_assets import OfficialDistances
from opendensepose.evaluation.tables import instance_tables, pointwise_table
from opendensepose.iuv import IUV
from opendensepose.part_grid import sample_on_grid
from opendensepose.surface import CHART_TO_PART

IMAGES, PEOPLE = 1508, 2243
FEW_IMAGES, FEW_PEOPLE = 263, 391
POINTS, DETECTIONS = 100, 3
VERTICES, SHARED = 27_554, 4  # of which so many have one row of the matrix
TARGET_S, TARGET_GB, TARGET_RATIO = 60, 2.0, 10
SIZE_HW = (480, 640)


def person_maps(height: int, width: int, rng: np.random.Generator) -> IUV:
    """An ellipse of four by six charts with U and V rising in each, in different directions for each person."""
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width])[:, None, None]
    inside = (2 * x - 1) ** 2 + (2 * y - 1) ** 2 < 1
    chart = 1 + (4 * x).astype(int) + 4 * (6 * y).astype(int)
    u, v = (4 * x) % 1, (6 * y) % 1
    if rng.random() < 0.5:
        u, v = v, 1 - u
    return IUV(*(np.where(inside, part, 0).astype(kind) for part, kind in ((chart, "u1"), (u, "f4"), (v, "f4"))))


def annotated(number: int, image_id: int, box: tuple, iuv: IUV, rng: np.random.Generator) -> dict:
    """An entry of `annotations` with POINTS random points of the map and the masks of its parts."""
    row, column = rng.permutation(np.argwhere(iuv.i))[:POINTS].T
    x0, y0, width, height = box
    part = CHART_TO_PART[sample_on_grid(iuv.i, (0, 0, width, height))]
    masks = [encode_mask(part == k) for k in range(1, 15)]
    return {
        "id": number, "image_id": image_id, "category_id": 1, "iscrowd": 0, "bbox": list(box),
        "area": int((iuv.i > 0).sum()), "dp_masks": masks,
        "dp_x": ((column + 0.5) * 255 / width).tolist(), "dp_y": ((row + 0.5) * 255 / height).tolist(),
        "dp_I": iuv.i[row, column].tolist(), "dp_U": iuv.u[row, column].tolist(), "dp_V": iuv.v[row, column].tolist(),
    }  # fmt: skip


def write_files(folder: Path, rng: np.random.Generator, num_images: int, num_people: int) -> tuple[Path, Path]:
    """annotations.json and results.json; each detection is its person's map in a box a little off."""
    images = [
        {"id": k, "file_name": f"{k}.jpg", "height": SIZE_HW[0], "width": SIZE_HW[1]} for k in range(1, num_images + 1)
    ]
    annotations, results = [], []
    owners = np.concatenate([np.arange(1, num_images + 1), rng.integers(1, num_images + 1, num_people - num_images)])
    for number, image_id in enumerate(owners.tolist(), start=1):
        height = int(np.clip(rng.lognormal(np.log(220), 0.5), 40, 440))
        width = int(np.clip(height * rng.uniform(0.35, 0.8), 24, 600))
        x0, y0 = int(rng.integers(0, SIZE_HW[1] - width)), int(rng.integers(0, SIZE_HW[0] - height))
        iuv = person_maps(height, width, rng)
        annotations.append(annotated(number, image_id, (x0, y0, width, height), iuv, rng))
        for _ in range(DETECTIONS):
            dx, dy = np.clip(rng.normal(0, 4, 2).round(), [-x0, -y0], None).astype(int)
            box = np.array([x0 + dx, y0 + dy, x0 + dx + width, y0 + dy + height])
            results.append(result_entry(image_id=image_id, score=rng.random(), box_xyxy=box, iuv=iuv))
    truth = folder / "annotations.json"
    document = {"images": images, "annotations": annotations, "categories": [category()]}
    truth.write_text(json.dumps(document))
    write_results(folder / "results.json", results)
    return truth, folder / "results.json"


def body(rng: np.random.Generator) -> OfficialDistances:
    """Assets of the authors' form: each chart a square of 30 cm, all of them along a line."""
    chart = np.sort(rng.integers(1, 25, VERTICES))
    uv = rng.random((VERTICES, 2))
    order = np.lexsort((uv[:, 0].round(1), chart))
    chart, uv = chart[order], uv[order]
    row = np.arange(VERTICES) // SHARED
    place = np.column_stack([0.3 * uv, 0.3 * chart])[::SHARED]
    high, low = np.tril_indices(len(place), -1)
    return OfficialDistances(chart, uv, row, np.linalg.norm(place[high] - place[low], axis=1).astype(np.float32))


def compare(folder: Path) -> None:
    """Print processor times of both on the same files, and that they agree."""
    truth, results = write_files(folder, np.random.default_rng(0), FEW_IMAGES, FEW_PEOPLE)
    distances = body(np.random.default_rng(1))
    start = time.process_time()
    people = AnnotatedPeople(read_annotations(truth))
    ours = measure(annotated_images(people, open_predictions(results, people)), distances)
    ours_s = time.process_time() - start
    start = time.process_time()
    document, entries = released_evaluator.read(truth, results)
    read_s = time.process_time() - start
    theirs = released_evaluator.figures(document, entries, distances)
    theirs_s = time.process_time() - start
    print(f"{len(ours.people)} people, {len(ours.error_m)} points, {ours.num_detections} detections; AP of both:")
    for name, one in (("gps", ours.gps["part"]), ("gpsm", ours.gpsm["part"]), ("iou", ours.mask)):
        print(f"  {name:<6}{one.ap:>10.6f}{theirs[name]:>12.6f}")
    print(f"{'processor time, s':<34}{'ours':>8}{'released':>10}{'ratio':>8}{'target':>8}")
    print(f"{'all':<34}{ours_s:>8.2f}{theirs_s:>10.2f}{theirs_s / ours_s:>8.1f}{TARGET_RATIO:>8}")
    print(f"{'of it reading the files':<34}{'':>8}{read_s:>10.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder))
    load_distances()  # makes the table if this machine has none
    with tempfile.TemporaryDirectory() as folder:
        truth, results = write_files(Path(folder), np.random.default_rng(0), IMAGES, PEOPLE)
        megabytes = [path.stat().st_size / 1e6 for path in (truth, results)]
        wall, cpu = time.perf_counter(), time.process_time()
        evaluation = evaluate_files(results, truth)
        pointwise_table(evaluation.measures), instance_tables(evaluation.measures)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    measures = evaluation.measures
    print(f"{len(measures.people)} people, {len(measures.error_m)} points, {measures.num_detections} detections")
    print(f"files: annotations {megabytes[0]:.0f} MB, results {megabytes[1]:.0f} MB; AP {measures.gps['kappa'].ap:.3f}")
    print(f"{'':<24}{'measured':>10}{'target':>10}")
    print(f"{'time, s':<24}{wall:>10.1f}{TARGET_S:>10}")
    print(f"{'of it on the CPU, s':<24}{cpu:>10.1f}")
    print(f"{'peak memory, GB':<24}{peak_gb:>10.2f}{TARGET_GB:>10.1f}")


if __name__ == "__main__":
    main()
