"""How long a COCO-DensePose file of the real one's size takes to load, and how much memory.

OMP_NUM_THREADS=1 python benchmarks/load_annotations.py [--people 40000] [--rounds 2] [--folder DIR]

Makes a file of random people (100 to 150 points and 14 part masks each; 0.6 GB for 40,000) and reads it by turns, each
time in a new process: with `json.load`, with `read_annotations`, with `read_annotations` and every person decoded, and
with `check_file`. The column "on a core" leaves out the time that other work on the machine took; so does the ratio.
Targets: `read_annotations` in at most 60 s and 6 GB.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from opendensepose.data import category, check_file, encode_mask, read_annotations, write_annotations
from opendensepose.data.coco import CocoDensePose

TARGET_SECONDS, TARGET_GB = 60, 6
BASE, LOAD = "json.load", "read_annotations"


def random_masks(rng: np.random.Generator, count: int) -> list[dict]:
    """Run-length codes of ellipses with ragged edges, about as long as a drawn part's."""
    row, column = np.mgrid[:256, :256]
    masks = []
    for _ in range(count):
        centre, radius = rng.uniform(60, 196, 2), rng.uniform(15, 60, 2)
        distance = ((row - centre[0]) / radius[0]) ** 2 + ((column - centre[1]) / radius[1]) ** 2
        masks.append(encode_mask(distance + np.repeat(rng.normal(0, 0.05, (256, 1)), 256, axis=1) < 1))
    return masks


def random_person(rng: np.random.Generator, annotation_id: int, image_id: int, masks: list[dict]) -> dict:
    num_points = int(rng.integers(100, 151))
    box = [float(value) for value in rng.uniform((0, 0, 100, 150), (300, 200, 340, 280))]
    chosen = rng.integers(len(masks), size=14)
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": box,
        "area": box[2] * box[3] / 2,
        "keypoints": [0] * 51,
        "dp_x": rng.uniform(0, 255, num_points).tolist(),
        "dp_y": rng.uniform(0, 255, num_points).tolist(),
        "dp_I": rng.integers(1, 25, num_points).astype(float).tolist(),
        "dp_U": rng.random(num_points).tolist(),
        "dp_V": rng.random(num_points).tolist(),
        "dp_masks": [masks[k] for k in chosen],
    }


def write_random(path: Path, num_people: int) -> None:
    """An annotation file with random content, two people to an image."""
    rng = np.random.default_rng(0)
    masks = random_masks(rng, 300)
    num_images = (num_people + 1) // 2
    images = [{"id": k, "file_name": f"{k:012d}.jpg", "width": 640, "height": 480} for k in range(1, num_images + 1)]
    people = [random_person(rng, k + 1, k // 2 + 1, masks) for k in range(num_people)]
    document = {"info": {}, "images": images, "annotations": people, "categories": [category()]}
    write_annotations(path, CocoDensePose(document))


def with_json(path: Path) -> dict:
    with open(path) as file:
        return json.load(file)


def with_people(path: Path) -> None:
    annotations = read_annotations(path)
    num_points = sum(len(annotations.person(known).i) for known in annotations.annotations)
    assert num_points > 0


WAYS = {BASE: with_json, LOAD: read_annotations, "... and every person": with_people, "check_file": check_file}


def measure(name: str, path: Path) -> tuple[float, float, float]:
    """Seconds, the part of them that this process had a core, and the peak of its memory in GB."""
    start, start_on_core = time.perf_counter(), time.process_time()
    kept = WAYS[name](path)
    seconds, on_core = time.perf_counter() - start, time.process_time() - start_on_core
    del kept
    return seconds, on_core, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def in_new_process(name: str, path: Path) -> tuple[float, float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (name, path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="Where the file is made (and removed); a temporary folder.")
    arguments = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "people.json"
        maker = multiprocessing.get_context("spawn").Process(target=write_random, args=(path, arguments.people))
        maker.start()
        maker.join()
        size_gb = path.stat().st_size / 1e9
        for _ in range(arguments.rounds):
            for name in WAYS:
                found[name].append(in_new_process(name, path))
    table = Table(title=f"{arguments.people:,} random people, {size_gb:.2f} GB, mean of {arguments.rounds} rounds")
    for column in ("what", "seconds", "on a core", f"of {BASE}", "peak GB", "target"):
        table.add_column(column, justify="left" if column == "what" else "right")
    base = np.mean([on_core for _, on_core, _ in found[BASE]])
    for name, values in found.items():
        seconds, on_core, peak_gb = np.mean(values, axis=0)
        target = f"{TARGET_SECONDS} s, {TARGET_GB} GB" if name == LOAD else ""
        table.add_row(name, f"{seconds:.1f}", f"{on_core:.1f}", f"{on_core / base:.2f}", f"{peak_gb:.2f}", target)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
