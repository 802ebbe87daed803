"""COCO-DensePose annotation files: read, written without loss, and made from dense truth.

Box-scaled coordinates: dp_x = 255 * (x - box_x) / box_w with x at the pixel's centre (index + 0.5). The released
evaluators read the prediction at int(dp_x * box_w / 255 + box_x), which is then exactly the annotated pixel.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opendensepose.data.fields import number, numbers, whole_numbers
from opendensepose.data.json_files import read_json, write_json
from opendensepose.data.masks import decode_part_masks, encode_mask
from opendensepose.data.sampling import point_count, sample_part_points
from opendensepose.instance import DenseAnnotation
from opendensepose.keypoints import KEYPOINT_NAMES, NUM_KEYPOINTS
from opendensepose.part_grid import sample_on_grid
from opendensepose.surface import CHART_TO_PART, NUM_PARTS

__all__ = [
    "AnnotatedPoints",
    "CocoDensePose",
    "POINT_FIELDS",
    "SKELETON",
    "annotated_box",
    "annotated_points",
    "category",
    "dense_annotation",
    "is_crowd",
    "person_annotation",
    "read_annotations",
    "write_annotations",
]

POINT_FIELDS = ("dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_vertex")  # lists of one entry per point

# Pairs of keypoints joined by a line; 1-based, as COCO's files have them.
SKELETON = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10), (9, 11),
    (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip


def category() -> dict:
    """Return COCO's category of people, with the keypoints' names and skeleton."""
    return {
        "id": 1, "name": "person", "supercategory": "person",
        "keypoints": list(KEYPOINT_NAMES), "skeleton": [list(pair) for pair in SKELETON],
    }  # fmt: skip


@dataclass(frozen=True)
class CocoDensePose:
    """An annotation file in memory: COCO-DensePose, its PoseTrack-style variants, or its variant with mesh vertices.

    document: the file's content, kept as it is for writing. name: how errors name it. images,
    annotations: its entries (dict) by id. Masks stay compressed until a person is asked for. ValueError, one sentence,
    if the document has another form, an id is missing or duplicate, or an annotation's image is missing.
    """

    document: dict = field(repr=False)
    name: str = "annotations"
    images: dict[int, dict] = field(init=False, repr=False)
    annotations: dict[int, dict] = field(init=False, repr=False)
    _ids_by_image: dict[int, list[int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.document, dict):
            raise ValueError(f"{self.name}: expected an object with `images` and `annotations`, got a list or value.")
        images = _by_id(self.document, "images", self.name)
        annotations = _by_id(self.document, "annotations", self.name)
        ids_by_image: dict[int, list[int]] = {image_id: [] for image_id in images}
        for annotation_id, annotation in annotations.items():
            image_id = annotation.get("image_id")
            if type(image_id) is not int or image_id not in ids_by_image:
                raise ValueError(
                    f"{self.name}: annotation {annotation_id}: image_id is {image_id!r}, which no image has."
                )
            ids_by_image[image_id].append(annotation_id)
        for name, value in (("images", images), ("annotations", annotations), ("_ids_by_image", ids_by_image)):
            object.__setattr__(self, name, value)

    def annotation_ids(self, image_id: int) -> list[int]:
        """Return the ids of an image's annotations, in the file's order. ValueError if there is no such image."""
        if image_id not in self._ids_by_image:
            some = ", ".join(str(known) for known in list(self.images)[:5])
            raise ValueError(
                f"{self.name} has no image with id {image_id}; its ids begin with {some or 'none at all'}."
            )
        return self._ids_by_image[image_id]

    def person(self, annotation_id: int) -> DenseAnnotation:
        """Return one annotated person. ValueError, naming file, annotation and field, if the entry is invalid."""
        if annotation_id not in self.annotations:
            raise ValueError(f"{self.name} has no annotation with id {annotation_id}.")
        try:
            return dense_annotation(self.annotations[annotation_id])
        except ValueError as error:
            raise ValueError(f"{self.name}: annotation {annotation_id}: {error}") from None

    def people(self, image_id: int) -> list[DenseAnnotation]:
        """Return all people annotated in an image, also groups and people without points."""
        return [self.person(annotation_id) for annotation_id in self.annotation_ids(image_id)]


def _by_id(document: dict, key: str, name: str) -> dict[int, dict]:
    """The entries of a list of the document by their id, in the list's order."""
    entries = document.get(key)
    if not isinstance(entries, list):
        raise ValueError(f"{name}: expected COCO annotations with a list `{key}`, found none.")
    found: dict[int, dict] = {}
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or type(entry.get("id")) is not int:
            raise ValueError(f"{name}: entry {place} of `{key}` has no whole number as its id.")
        if entry["id"] in found:
            raise ValueError(f"{name}: two entries of `{key}` have the id {entry['id']}.")
        found[entry["id"]] = entry
    return found


def read_annotations(path: str | Path) -> CocoDensePose:
    """Read an annotation file. OSError or ValueError, one sentence, if it cannot be read as one."""
    return CocoDensePose(read_json(path), name=str(path))


def write_annotations(path: str | Path, annotations: CocoDensePose) -> None:
    """Write the document atomically; read again, it is the same, unknown fields included."""
    write_json(path, annotations.document)


def dense_annotation(annotation: dict) -> DenseAnnotation:
    """Convert an entry of `annotations` to a `DenseAnnotation`; without points where it has none of their fields.

    Where an annotator gave mesh vertices only (dp_vertex without dp_I), I, U, V are 0. A missing area is the
    box's. ValueError, naming the field, if something is missing, of another length, not a number or out of range.
    """
    x0, y0, width, height = annotated_box(annotation)
    points = annotated_points(annotation)
    keypoints = numbers(annotation, "keypoints", 3 * NUM_KEYPOINTS) if annotation.get("keypoints") else None
    return DenseAnnotation(
        annotation_id=annotation["id"],
        image_id=annotation["image_id"],
        box_xyxy=np.array([x0, y0, x0 + width, y0 + height], np.float32),
        point_xy=points.xy,
        i=points.i,
        u=points.u.astype(np.float32),
        v=points.v.astype(np.float32),
        mask=_part_masks(annotation),
        area=number(annotation, "area", default=float(width * height)),
        iscrowd=is_crowd(annotation),
        vertex=points.vertex,
        keypoints=None if keypoints is None else keypoints.reshape(NUM_KEYPOINTS, 3).astype(np.float32),
    )


class AnnotatedPoints(NamedTuple):
    """The P points of an entry of `annotations` at the file's precision; P is 0 where it has none of their fields.

    xy: (P, 2) float64 pixels of the photo, not truncated; i (P,) uint8, u, v (P,) float64: 0 where an annotator gave a
    mesh vertex only; vertex: (P,) int64, or None.
    """

    xy: np.ndarray
    i: np.ndarray
    u: np.ndarray
    v: np.ndarray
    vertex: np.ndarray | None


def annotated_points(annotation: dict) -> AnnotatedPoints:
    """Read an entry's points. ValueError, naming the field, as `dense_annotation` says."""
    x0, y0, width, height = annotated_box(annotation)
    has_points = any(name in annotation for name in POINT_FIELDS)
    x = numbers(annotation, "dp_x") if has_points else np.zeros(0)
    num_points = len(x)
    y = numbers(annotation, "dp_y", num_points) if has_points else x
    vertex = whole_numbers(annotation, "dp_vertex", num_points, 0, 2**31) if "dp_vertex" in annotation else None
    if has_points and (vertex is None or "dp_I" in annotation):
        i = whole_numbers(annotation, "dp_I", num_points, 1, 24)
        u, v = (numbers(annotation, name, num_points, 0, 1) for name in ("dp_U", "dp_V"))
    else:
        i = u = v = np.zeros(num_points)
    # In this order, as the released evaluators: the last bit decides the pixel of a point on a pixel's edge.
    xy = np.stack([x * width / 255 + x0, y * height / 255 + y0], axis=1)
    return AnnotatedPoints(xy, i.astype(np.uint8), u, v, vertex)


def annotated_box(annotation: dict) -> np.ndarray:
    """Read an entry's `bbox`: x, y, width, height (4,) float64. ValueError unless its sides are above 0."""
    box_xywh = numbers(annotation, "bbox", 4)
    if not (box_xywh[2:] > 0).all():
        raise ValueError(f"bbox must have a width and height above 0, got {box_xywh.tolist()}.")
    return box_xywh


def is_crowd(annotation: dict) -> bool:
    """Tell whether an entry is a group drawn as one. ValueError unless `iscrowd` is missing, 0, 1, false or true."""
    value = annotation.get("iscrowd", 0)
    if not isinstance(value, int | float) or value not in (0, 1):
        raise ValueError(f"iscrowd must be 0 or 1, got {value!r}.")
    return bool(value)


def _part_masks(annotation: dict) -> np.ndarray | None:
    if "dp_masks" not in annotation:
        return None
    try:
        return decode_part_masks(annotation["dp_masks"])
    except ValueError as error:
        raise ValueError(f"dp_masks: {error}.") from None


def person_annotation(
    *, annotation_id: int, image_id: int, i: np.ndarray, u: np.ndarray, v: np.ndarray, keypoints: np.ndarray
) -> dict | None:
    """Make one person's COCO-DensePose annotation, or None if nothing of the person is visible.

    `i` uint8, `u`, `v` float32 are (H, W) maps of the whole image, 0 wherever this person is not visible;
    `keypoints` (17, 3) float: x, y in pixels and COCO's visibility 0, 1 or 2.
    """
    if not i.shape == u.shape == v.shape:
        raise ValueError(f"i, u and v must have one shape, got {i.shape}, {u.shape} and {v.shape}")
    if keypoints.shape != (NUM_KEYPOINTS, 3):
        raise ValueError(f"keypoints must be ({NUM_KEYPOINTS}, 3), got {keypoints.shape}")
    rows, columns = np.nonzero(i)
    if rows.size == 0:
        return None
    x0, y0, x1, y1 = (int(k) for k in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    keypoints = np.where(keypoints[:, 2:] > 0, keypoints, 0.0)
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": int(rows.size),
        "segmentation": encode_mask(i > 0),
        "keypoints": [round(float(value), 2) for value in keypoints.ravel()],
        "num_keypoints": int((keypoints[:, 2] > 0).sum()),
        **_dense_fields(i[y0:y1, x0:x1], u[y0:y1, x0:x1], v[y0:y1, x0:x1]),
    }


def _dense_fields(i: np.ndarray, u: np.ndarray, v: np.ndarray) -> dict:
    """dp_masks, dp_x, dp_y, dp_I, dp_U, dp_V of the maps (h, w) cut to the person's box."""
    height, width = i.shape
    part = np.asarray(CHART_TO_PART)[i]
    part_on_grid = sample_on_grid(part, (0, 0, width, height))  # (256, 256)
    masks, points = [], []
    for part_number in range(1, NUM_PARTS + 1):
        on_grid = part_on_grid == part_number
        masks.append(encode_mask(on_grid) if on_grid.any() else [])
        points.append(sample_part_points(part == part_number, point_count(on_grid.sum())))
    x, y = np.concatenate(points).T  # (P,), (P,)
    return {
        "dp_masks": masks,
        "dp_x": _rounded((x + 0.5) * 255 / width, 3),
        "dp_y": _rounded((y + 0.5) * 255 / height, 3),
        "dp_I": _rounded(i[y, x], 0),
        "dp_U": _rounded(u[y, x], 6),
        "dp_V": _rounded(v[y, x], 6),
    }


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    """Plain floats for JSON, as COCO-DensePose has them."""
    return [round(float(value), digits) for value in values]
