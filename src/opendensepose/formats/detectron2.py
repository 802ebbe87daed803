"""`detectron2`: the file of `apply_net.py dump`, a list with one dict for each photo, stored by torch.save.

A dict has `file_name`, `scores` (N,), `pred_boxes_XYXY` (N, 4) and `pred_densepose`, N objects with `labels` long
(h, w) and `uv` float (2, h, w) of the box truncated to int. The classes of those objects are known here by name;
a file that asks for any other is refused, and nothing in it is run. Neither torch nor detectron2 is needed.
"""

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.atomic_write import atomic_write
from opendensepose.formats.labelled_photo import (
    FindPhoto,
    LabelledPhoto,
    known_size_hw,
    person_from_crop,
    person_in_box,
)
from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.restricted_pickle import Record, load_torch, torch_bytes
from opendensepose.surface import NUM_CHARTS

__all__ = ["read_dump", "write_dump"]

RESULT = "densepose.structures.chart_result.DensePoseChartResultWithConfidences"
RESULTS = {
    f"densepose.structures.{module}{name}"
    for module in ("", "chart_result.")
    for name in ("DensePoseChartResult", "DensePoseChartResultWithConfidences")
}
CONFIDENCES = ("sigma_1", "sigma_2", "kappa_u", "kappa_v", "fine_segm_confidence", "coarse_segm_confidence")


def write_dump(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write <stem>.pkl, a dump of this photo. Its dict also has `image_size_hw`, so that it can be read without the
    photo."""
    boxes, results = [], []
    for person in labelled.people:
        box, crop = person_in_box(person)
        boxes.append(box)
        maps: dict[str, Any] = {"labels": crop.i.astype(np.int64), "uv": np.stack([crop.u, crop.v])}
        results.append(Record(RESULT, maps | dict.fromkeys(CONFIDENCES)))
    entry = {
        "file_name": labelled.name,
        "scores": np.array([one.score for one in labelled.people], np.float32),
        "pred_boxes_XYXY": np.array(boxes, np.float32).reshape(-1, 4),
        "pred_densepose": results,
        "image_size_hw": [int(side) for side in labelled.size_hw],
    }
    path = folder / f"{labelled.stem}.pkl"
    atomic_write(path, torch_bytes([entry]))
    return [path]


def read_dump(path: Path, find_photo: FindPhoto | None = None) -> Iterator[LabelledPhoto]:
    """Read the people of each photo in a dump; U and V that leave [0, 1] are cut off there.

    FileNotFoundError if there is none; ValueError, one sentence, if it is damaged, holds anything but a dump, or a
    photo's size is neither stated, as detectron2 does not, nor known from the photos.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    try:
        content = load_torch(path, RESULTS)
    except MemoryError:
        raise ValueError(f"{path} is larger than the memory.") from None
    except (pickle.UnpicklingError, zipfile.BadZipFile, KeyError, ValueError, OSError, NotImplementedError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ValueError(
            f"{path} is refused: a dump may hold tensors, plain containers and DensePose's chart results only, and be"
            f" whole ({first_line})."
        ) from error
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise ValueError(f"{path} is no dump: it holds no list with a dict for each photo.")
    for place, entry in enumerate(content):
        try:
            yield _labelled_photo(entry, find_photo)
        except ValueError as error:
            raise ValueError(f"{path}: photo {place}: {error}") from None


def _labelled_photo(entry: dict, find_photo: FindPhoto | None) -> LabelledPhoto:
    name = entry.get("file_name")
    if not isinstance(name, str) or not name:
        raise ValueError("file_name is missing.")
    size_hw = known_size_hw(name, entry.get("image_size_hw"), find_photo)
    results = entry.get("pred_densepose", [])  # missing where nobody was found
    if not isinstance(results, list) or not all(isinstance(one, Record) for one in results):
        raise ValueError("pred_densepose must be a list of chart results.")
    count = len(results)
    if not count:
        return LabelledPhoto(name, size_hw, [])
    scores, boxes = _array(entry, "scores", (count,)), _array(entry, "pred_boxes_XYXY", (count, 4))
    people = [_person(*one, size_hw) for one in zip(results, scores, boxes, strict=True)]
    return LabelledPhoto(name, size_hw, people)


def _array(entry: dict, name: str, shape: tuple[int, ...]) -> np.ndarray:
    value = entry.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.shape != shape:
        got = f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise ValueError(f"{name} must be numbers of shape {shape}, got {got}.")
    if not np.isfinite(value).all():
        raise ValueError(f"{name} must be finite.")
    return value


def _person(result: Record, score: float, box: np.ndarray, size_hw: tuple[int, int]) -> Instance:
    labels, uv = result.attributes.get("labels"), result.attributes.get("uv")
    if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ValueError("labels must be whole numbers of shape (h, w).")
    if labels.size and not 0 <= labels.min() <= labels.max() <= NUM_CHARTS:
        raise ValueError(f"labels must be 0 to {NUM_CHARTS}, got {labels.min()} to {labels.max()}.")
    uv = _array({"uv": uv}, "uv", (2, *labels.shape))
    u, v = np.where(labels > 0, np.clip(uv, 0, 1), 0).astype(np.float32)
    return person_from_crop(box, float(score), IUV(labels.astype(np.uint8), u, v), size_hw)
