"""Gold people: rendered, so that their true correspondence is known (DensePose, Güler et al. 2018, section 3).

They are mixed in among the others; what annotators say of them measures the annotators.
"""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import sqlalchemy as sql
from PIL import Image

from opendensepose.annotate.work.exchange import export_document
from opendensepose.annotate.work.store import Store, gold, people, photos
from opendensepose.atomic_write import atomic_write
from opendensepose.iuv import IUV

__all__ = ["SIZE_HW", "add_gold", "read_truth", "write_gold"]

SIZE_HW = (640, 640)  # of the pictures, pixels
_SMALLEST = 160  # pixels: the person's longer side, so that annotators see enough


def add_gold(
    store: Store, count: int, seed: int, render: Callable | None = None, on_person: Callable | None = None
) -> int:
    """Renders `count` pictures of one person each into the store; the same seed gives the same ones, which are not
    taken in twice. Returns how many are new. render: a replacement of synth.render_image."""
    if count < 1:
        raise ValueError(f"the count should be at least 1, got {count}.")
    if render is None:
        from opendensepose.synth import render_image as render
    new = 0
    for number in range(count):
        with store.reading() as connection:
            name = f"{np.random.default_rng([seed, number, 7]).integers(10**11, 10**12)}.jpg"
            known = connection.scalar(sql.select(photos.c.id).where(photos.c.name == name))
        if known is None:
            _keep(store, name, *_picture(render, seed, number))
            new += 1
        if on_person:
            on_person(number + 1, count)
    return new


def _picture(render: Callable, seed: int, number: int):
    for attempt in range(20):
        rng = np.random.default_rng([seed, number, attempt])
        rendered = render(rng, SIZE_HW, framing="scene", num_people=1)
        box = rendered.boxes_xyxy[0]
        if max(box[2] - box[0], box[3] - box[1]) >= _SMALLEST:
            return rendered, box
    raise ValueError(f"no picture of seed {seed} shows a person large enough; take another seed.")


def _keep(store: Store, name: str, rendered, box_xyxy: np.ndarray) -> None:
    picture, truth = BytesIO(), BytesIO()
    Image.fromarray(rendered.image_rgb).save(picture, "JPEG", quality=95, subsampling=0)
    np.savez_compressed(truth, I=rendered.i, U=rendered.u, V=rendered.v, instance=rendered.person)
    height, width = rendered.i.shape
    margin = 0.03 * max(box_xyxy[2] - box_xyxy[0], box_xyxy[3] - box_xyxy[1])
    edges = [box_xyxy[0] - margin, box_xyxy[1] - margin, box_xyxy[2] + margin, box_xyxy[3] + margin]
    box = {
        key: float(np.clip(round(float(edge)), 0, side))
        for key, edge, side in zip(("x0", "y0", "x1", "y1"), edges, [width, height] * 2, strict=True)
    }
    with store.writing() as connection:
        made = connection.execute(photos.insert().values(name=name, width=width, height=height, searched=True))
        photo_id = made.inserted_primary_key[0]
        files = {"content": picture.getvalue(), "truth": truth.getvalue()}
        connection.execute(gold.insert().values(photo_id=photo_id, **files))
        connection.execute(people.insert().values(photo_id=photo_id, is_gold=True, times_submitted=0, **box))


def read_truth(content: bytes) -> IUV:
    """The truth of a gold photo."""
    with np.load(BytesIO(content), allow_pickle=False) as maps:
        return IUV(maps["I"], maps["U"], maps["V"])


def write_gold(store: Store, folder: Path, uv_of: Callable) -> Path:
    """Writes what annotators said of gold people, and the truth, as `opendensepose annotators` reads them:
    annotations.json, images/, dense/<image_id>.npz. Returns the path of the annotations."""
    document = export_document(store, uv_of, gold=True)
    for name in ("images", "dense"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for photo_id, name, content, truth in _files(store, [image["id"] for image in document["images"]]):
        atomic_write(folder / "images" / name, content)
        atomic_write(folder / "dense" / f"{photo_id}.npz", truth)
    path = folder / "annotations.json"
    atomic_write(path, json.dumps(document).encode())
    return path


def _files(store: Store, photo_ids: list[int]) -> Iterator[tuple]:
    query = sql.select(photos.c.id, photos.c.name, gold.c.content, gold.c.truth).join(gold)
    for photo_id in photo_ids:
        with store.reading() as connection:
            yield tuple(connection.execute(query.where(photos.c.id == photo_id)).one())
