"""Time and memory of `opendensepose evaluate` on synthetic files of the size of COCO-DensePose's minival: 2,243 people
with 100 points each in 1,508 images, three detections for each person.

python benchmarks/evaluate_speed.py

The files are made in a temporary folder first; the table of geodesic distances must be there (made at the first use).
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from opendensepose.data import category, encode_mask, result_entry, write_results
from opendensepose.evaluate import evaluate_files, load_distances
from opendensepose.evaluation.tables import instance_tables, pointwise_table
from opendensepose.iuv import IUV
from opendensepose.part_grid import sample_on_grid

IMAGES, PEOPLE, POINTS, DETECTIONS = 1508, 2243, 100, 3
TARGET_S, TARGET_GB = 60, 2.0
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
    """An entry of `annotations` with POINTS random points of the map and its outline in the first part's mask."""
    row, column = rng.permutation(np.argwhere(iuv.i))[:POINTS].T
    x0, y0, width, height = box
    mask = sample_on_grid(iuv.i, (0, 0, width, height)) > 0
    return {
        "id": number, "image_id": image_id, "category_id": 1, "iscrowd": 0, "bbox": list(box),
        "area": int((iuv.i > 0).sum()), "dp_masks": [encode_mask(mask)] + [[]] * 13,
        "dp_x": ((column + 0.5) * 255 / width).tolist(), "dp_y": ((row + 0.5) * 255 / height).tolist(),
        "dp_I": iuv.i[row, column].tolist(), "dp_U": iuv.u[row, column].tolist(), "dp_V": iuv.v[row, column].tolist(),
    }  # fmt: skip


def write_files(folder: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    """annotations.json and results.json; each detection is its person's map in a box a little off."""
    images = [
        {"id": k, "file_name": f"{k}.jpg", "height": SIZE_HW[0], "width": SIZE_HW[1]} for k in range(1, IMAGES + 1)
    ]
    annotations, results = [], []
    owners = np.concatenate([np.arange(1, IMAGES + 1), rng.integers(1, IMAGES + 1, PEOPLE - IMAGES)])
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


def main() -> None:
    load_distances()  # makes the table if this machine has none
    with tempfile.TemporaryDirectory() as folder:
        truth, results = write_files(Path(folder), np.random.default_rng(0))
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
