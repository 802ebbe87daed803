"""Gold people: rendered, so that their true correspondence is known (DensePose, Güler et al. 2018, section 3).

Annotators get them among the other people; their answers on them measure the annotators.
"""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sql
from PIL import Image

from opendensepose.annotate.work.exchange import export_document
from opendensepose.annotate.work.store import Store, gold, insert_row, people, photos
from opendensepose.annotate.work.task_content import clip_box
from opendensepose.atomic_write import atomic_write
from opendensepose.iuv import IUV

if TYPE_CHECKING:
    from opendensepose.synth import RenderedImage

__all__ = ["SIZE_HW", "add_gold", "read_truth", "render_gold", "write_gold"]

SIZE_HW = (640, 640)  # of the pictures, pixels
_MIN_PERSON_PX = 160  # the person's longer side: large enough to annotate


def add_gold(store: Store, count: int, seed: int, render: Callable | None = None) -> int:
    """Render `count` pictures of one person each into the store; return how many are new.

    The same seed gives the same people, which are not added twice. render: a replacement of synth.render_image.
    """
    if count < 1:
        raise ValueError(f"the count must be at least 1, got {count}.")
    if render is None:
        from opendensepose.synth import render_image

        render = render_image
    num_new = 0
    for number in range(count):
        with store.reading() as connection:
            name = f"{np.random.default_rng([seed, number, 7]).integers(10**11, 10**12)}.jpg"
            known = connection.scalar(sql.select(photos.c.id).where(photos.c.name == name))
        if known is None:
            _add(store, name, _render_large(render, seed, number))
            num_new += 1
    return num_new


def _render_large(render: Callable, seed: int, number: int) -> "RenderedImage":
    """Render until the person is large enough."""
    for attempt in range(20):
        rng = np.random.default_rng([seed, number, attempt])
        rendered = render(rng, SIZE_HW, framing="scene", num_people=1)
        box = rendered.boxes_xyxy[0]
        if max(box[2] - box[0], box[3] - box[1]) >= _MIN_PERSON_PX:
            return rendered
    raise ValueError(f"no picture of seed {seed} shows a person large enough; take another seed.")


def render_gold(seed: int, number: int) -> tuple["RenderedImage", np.ndarray]:
    """Render the picture of gold person `number` of a seed, and return it with the person's box (4,), pixels."""
    from opendensepose.synth import render_image

    rendered = _render_large(render_image, seed, number)
    return rendered, np.array(list(_box(rendered).values()))


def _box(rendered: "RenderedImage") -> dict[str, float]:
    """The person's box with a margin, as the columns x0, y0, x1, y1."""
    height, width = rendered.i.shape
    x0, y0, x1, y1 = rendered.boxes_xyxy[0]
    margin = 0.03 * max(x1 - x0, y1 - y0)
    edges = x0 - margin, y0 - margin, x1 + margin, y1 + margin
    return clip_box([round(float(edge)) for edge in edges], width, height)


def _add(store: Store, name: str, rendered: "RenderedImage") -> None:
    picture, truth = BytesIO(), BytesIO()
    Image.fromarray(rendered.image_rgb).save(picture, "JPEG", quality=95, subsampling=0)
    np.savez_compressed(truth, I=rendered.i, U=rendered.u, V=rendered.v, instance=rendered.person)
    height, width = rendered.i.shape
    box = _box(rendered)
    with store.writing() as connection:
        photo_id = insert_row(connection, photos, name=name, width=width, height=height, searched=True)
        files = {"content": picture.getvalue(), "truth": truth.getvalue()}
        connection.execute(gold.insert().values(photo_id=photo_id, **files))
        connection.execute(people.insert().values(photo_id=photo_id, is_gold=True, times_submitted=0, **box))


def read_truth(content: bytes) -> IUV:
    """Decode the truth of a gold photo."""
    with np.load(BytesIO(content), allow_pickle=False) as maps:
        return IUV(maps["I"], maps["U"], maps["V"])


def write_gold(store: Store, folder: Path, to_iuv: Callable) -> Path:
    """Write the annotations of gold people and the truth as `opendensepose annotators` reads them.

    These are annotations.json, images/ and dense/<image_id>.npz. Returns the path of the annotations.
    """
    document = export_document(store, to_iuv, gold=True)
    for name in ("images", "dense"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    query = sql.select(photos.c.name, gold.c.content, gold.c.truth).join(gold)
    for image in document["images"]:
        with store.reading() as connection:
            row = connection.execute(query.where(photos.c.id == image["id"])).one()
        atomic_write(folder / "images" / row.name, row.content)
        atomic_write(folder / "dense" / f"{image['id']}.npz", row.truth)
    path = folder / "annotations.json"
    atomic_write(path, json.dumps(document).encode())
    return path
