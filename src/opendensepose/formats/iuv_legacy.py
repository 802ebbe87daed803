"""`iuv-legacy`: the old command-line tool's two pictures, <stem>_IUV.png and <stem>_INDS.png.

`_IUV.png` holds I, 255 U, 255 V (cut off to whole numbers) as OpenCV's channels B, G, R: OpenCV reads I, U, V, Pillow
reads V, U, I. `_INDS.png` says whose pixel it is: here 0 on background and k for the k-th person. The old tool counts
people from 0, so that 0 is background and the first person; such files are read too.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose.atomic_write import atomic_file
from opendensepose.data.photos import read_pixels
from opendensepose.formats.labelled_photo import FindPhoto, LabelledPhoto, one_person
from opendensepose.instance import Instance, merge_instances
from opendensepose.iuv import IUV
from opendensepose.surface import NUM_CHARTS
from opendensepose.visualize import write_png

__all__ = ["read_iuv_legacy", "write_iuv_legacy"]


def write_iuv_legacy(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write <stem>_IUV.png (uint8, 3 channels) and <stem>_INDS.png (uint8, 1 channel), of the photo's size."""
    iuv, person = merge_instances(labelled.people, labelled.size_hw)
    path, inds_path = (folder / f"{labelled.stem}_{name}.png" for name in ("IUV", "INDS"))
    u, v = ((255 * part).astype(np.uint8) for part in (iuv.u, iuv.v))
    with atomic_file(inds_path) as part:
        Image.fromarray(person).save(part, "PNG")
    write_png(path, np.dstack([v, u, iuv.i]))
    return [path, inds_path]


def read_iuv_legacy(path: Path, find_photo: FindPhoto | None = None) -> Iterator[LabelledPhoto]:
    """Read <stem>_IUV.png and, if it is there, <stem>_INDS.png beside it.

    ValueError, one sentence, if I is no chart or the two differ in size.
    """
    pixels = read_pixels(path, "RGB")
    i = np.ascontiguousarray(pixels[..., 2])
    if i.max(initial=0) > NUM_CHARTS:
        raise ValueError(
            f"{path}: its blue channel must be I, 0 to {NUM_CHARTS}, got {i.max()}. If red is I, say --from iuv-png."
        )
    u, v = (np.where(i > 0, pixels[..., k], 0).astype(np.float32) / np.float32(255) for k in (1, 0))
    whole = IUV(i, u, v)
    stem = path.stem.removesuffix("_IUV")
    yield LabelledPhoto(stem, i.shape, _separate(whole, path.with_name(f"{stem}_INDS.png")))


def _separate(iuv: IUV, inds_path: Path) -> list[Instance]:
    """The people of a map: one for each number in the file, or one in all if there is no file."""
    if not iuv.i.any():
        return []
    if not inds_path.exists():
        return [one_person(iuv)]
    person = read_pixels(inds_path, "L")
    if person.shape != iuv.size_hw:
        raise ValueError(f"{inds_path} is {person.shape[1]} x {person.shape[0]}, its _IUV.png is not.")
    people = []
    for number in np.unique(person[iuv.i > 0]):
        own = person == number
        maps = (np.where(own, part, part.dtype.type(0)) for part in (iuv.i, iuv.u, iuv.v))
        people.append(one_person(IUV(*maps)))
    return people
