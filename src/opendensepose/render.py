"""A data set of synthetic people on disk: the `render` verb.

Picture k of a set depends on the set's seed and on k alone, so the number of workers and interruptions change nothing.
Files are written atomically; a picture's annotation file comes last and marks the picture as done. The same command
resumes after an interruption, and a higher count adds pictures to a set.
"""

import json
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from opendensepose.atomic_write import atomic_write
from opendensepose.data.coco import category, person_annotation
from opendensepose.surface import CHARTS_EDITION
from opendensepose.synth import Ingredients, render_image
from opendensepose.synth.truth import RenderedImage
from opendensepose.synth.wardrobe import ingredients_checksum
from opendensepose.worker_processes import call_in_processes

__all__ = ["check_request", "picture_files", "render_dataset", "render_settings"]

RENDERER_VERSION = 2  # the same seed gives the same pictures within a version
_PEOPLE_PER_IMAGE_ID = 100  # annotation id = image id * 100 + number of the person, the same in every run


def render_dataset(
    out_dir: str | Path,
    *,
    count: int,
    seed: int,
    size_hw: tuple[int, int] = (480, 640),
    people_range: tuple[int, int] = (1, 6),
    workers: int = 1,
    show_progress: bool = True,
    version: int = RENDERER_VERSION,
) -> Path:
    """Render `count` pictures into `out_dir` and return the path of its annotations.json.

    Writes images/<image_id>.jpg, dense/<image_id>.npz (I uint8, U and V float32, instance uint8: (H, W) each),
    annotations/<image_id>.json and, when all are done, annotations.json in COCO-DensePose form. version: 1 gives the
    pictures of opendensepose 0.1, procedural clothes and light only.
    """
    check_request(count, size_hw, people_range, workers)
    settings = render_settings(seed, size_hw, people_range, version)
    out_dir = Path(out_dir)
    for name in ("images", "dense", "annotations"):
        (out_dir / name).mkdir(parents=True, exist_ok=True)
    _agree_on_settings(out_dir / "settings.json", settings)
    for leftover in out_dir.glob("*/.*.part"):
        leftover.unlink()
    missing = [k for k in range(1, count + 1) if not _annotation_path(out_dir, k).exists()]
    columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not (show_progress and console.is_terminal)) as progress:
        bar = progress.add_task("rendering", total=count, completed=count - len(missing))
        for _ in _render_all(out_dir, missing, settings, workers):
            progress.advance(bar)
    return _merge(out_dir, count, settings)


def render_settings(
    seed: int, size_hw: tuple[int, int], people_range: tuple[int, int], version: int = RENDERER_VERSION
) -> dict:
    """What the pictures of a set depend on. ValueError for an unknown version of the renderer."""
    if version not in (1, RENDERER_VERSION):
        raise ValueError(f"the renderer's version must be 1 or {RENDERER_VERSION}, got {version}")
    settings = {"seed": seed, "size_hw": list(size_hw), "people_range": list(people_range), "charts": CHARTS_EDITION}
    if version > 1:  # sets of version 1 have no such entries
        settings |= {"renderer": version, "ingredients": ingredients_checksum()}
    return settings


def check_request(count: int, size_hw: tuple[int, int], people_range: tuple[int, int], workers: int) -> None:
    """Raise ValueError, one sentence, for a set that cannot be rendered."""
    if count < 1:
        raise ValueError(f"the count must be at least 1, got {count}")
    if min(size_hw) < 32 or max(size_hw) > 4096:
        raise ValueError(f"the sides of a picture must be 32 to 4096 pixels, got {size_hw[1]}x{size_hw[0]}")
    if not 0 <= people_range[0] <= people_range[1] <= 6:
        fewest, most = people_range
        raise ValueError(f"the range of people must be within 0-6, the lower number first, got {fewest}-{most}")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")


def _agree_on_settings(path: Path, settings: dict) -> None:
    """Write the settings of a new set; refuse other settings for an old one."""
    if not path.exists():
        atomic_write(path, json.dumps(settings).encode())
        return
    before = json.loads(path.read_text())
    changed = [name for name in settings | before if before.get(name) != settings.get(name)]
    if changed:
        begun, asked = (", ".join(f"{name} {one.get(name)}" for name in changed) for one in (before, settings))
        raise ValueError(f"{path.parent} was begun with {begun}, now {asked} was asked for: choose another folder")


def _render_all(out_dir: Path, image_ids: list[int], settings: dict, workers: int) -> Iterator[int]:
    """Render the pictures, in this process or in several; yield each picture's id when it is on disk."""
    if workers == 1 or len(image_ids) < 2:
        threads_before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            for image_id in image_ids:
                yield _render_one(out_dir, image_id, settings)
        finally:
            torch.set_num_threads(threads_before)
        return
    calls = [partial(_render_one, out_dir, image_id, settings) for image_id in image_ids]
    yield from call_in_processes(calls, min(workers, len(image_ids)), partial(torch.set_num_threads, 1))


def _render_one(out_dir: Path, image_id: int, settings: dict) -> int:
    """Render one picture and write its three files, the annotation last."""
    files = picture_files(image_id, settings)
    atomic_write(out_dir / "images" / f"{image_id:012d}.jpg", files["jpg"])
    atomic_write(out_dir / "dense" / f"{image_id}.npz", files["npz"])
    atomic_write(_annotation_path(out_dir, image_id), files["json"])
    return image_id


def picture_files(image_id: int, settings: dict) -> dict[str, bytes]:
    """Render a picture: its photo (jpg), dense labels (npz), and its entries of an annotation file (json)."""
    rng = np.random.default_rng([settings["seed"], image_id])
    fewest, most = settings["people_range"]
    num_people = int(rng.integers(fewest, most + 1))
    enabled = Ingredients() if settings.get("renderer", 1) > 1 else Ingredients.version_1()
    size_hw = tuple(settings["size_hw"])
    rendered = render_image(rng, size_hw, framing="scene", num_people=num_people, ingredients=enabled)
    height, width = rendered.i.shape
    jpeg = BytesIO()
    Image.fromarray(rendered.image_rgb).save(jpeg, "JPEG", quality=95, subsampling=0)
    dense = BytesIO()
    np.savez_compressed(dense, I=rendered.i, U=rendered.u, V=rendered.v, instance=rendered.person)
    image = {"id": image_id, "file_name": f"{image_id:012d}.jpg", "height": height, "width": width}
    people = []
    for number in range(1, len(rendered.keypoints) + 1):
        mine = rendered.person == number
        annotation = person_annotation(
            annotation_id=image_id * _PEOPLE_PER_IMAGE_ID + number,
            image_id=image_id,
            i=np.where(mine, rendered.i, 0),
            u=np.where(mine, rendered.u, 0),
            v=np.where(mine, rendered.v, 0),
            keypoints=rendered.keypoints[number - 1],
        )
        if annotation is not None:
            people.append(annotation | {"synthetic": _attributes(rendered, number - 1)})
    entries = json.dumps({"image": image, "annotations": people}).encode()
    return {"jpg": jpeg.getvalue(), "npz": dense.getvalue(), "json": entries}


def _attributes(rendered: RenderedImage, k: int) -> dict[str, Any]:
    """Who person k is, as JSON takes it: phenotypes and pose, skin_rgb, yaw in radians, see PersonTruth."""
    person = rendered.people[k]
    values = {"phenotypes": person.phenotypes, "pose": person.pose, "skin_rgb": person.skin_rgb.tolist()}
    return values | {"yaw": float(rendered.yaws[k])}


def _annotation_path(out_dir: Path, image_id: int) -> Path:
    return out_dir / "annotations" / f"{image_id}.json"


def _merge(out_dir: Path, count: int, settings: dict) -> Path:
    """Merge the annotation files of pictures 1 to `count` into annotations.json."""
    images, annotations = [], []
    for image_id in range(1, count + 1):
        shard = json.loads(_annotation_path(out_dir, image_id).read_text())
        images.append(shard["image"])
        annotations.extend(shard["annotations"])
    info = {"description": "Synthetic people rendered by opendensepose", "settings": settings}
    whole = {"info": info, "licenses": [], "images": images, "annotations": annotations, "categories": [category()]}
    path = out_dir / "annotations.json"
    atomic_write(path, json.dumps(whole).encode())
    return path
