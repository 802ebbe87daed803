"""People in a small photo, for tests of pictures."""

import numpy as np

from opendensepose.instance import DenseAnnotation, Instance
from opendensepose.iuv import IUV

SIZE_HW = (60, 80)
GREY = np.full((*SIZE_HW, 3), 128, np.uint8)


def instance(chart=2, rows=(10, 50), columns=(20, 60), u=0.0, v=1.0, confidence=0.5, score=0.9):
    """A rectangle of one chart, with one U, V and confidence."""
    covered = np.zeros(SIZE_HW, bool)
    covered[rows[0] : rows[1], columns[0] : columns[1]] = True
    maps = ((covered * value).astype(kind) for value, kind in ((chart, "u1"), (u, "f4"), (v, "f4"), (confidence, "f4")))
    i, u_map, v_map, sure = maps
    box = np.float32([columns[0], rows[0], columns[1], rows[1]])
    return Instance(box, score, IUV(i, u_map, v_map), sure)


def annotation(point_xy, i, u, v, **changes):
    values = {"annotation_id": 5, "image_id": 3, "box_xyxy": np.float32([0, 0, 80, 60]), "mask": None, "area": 1000.0,
              "iscrowd": False}  # fmt: skip
    points = {"point_xy": np.float64(point_xy), "i": np.uint8(i), "u": np.float32(u), "v": np.float32(v)}
    return DenseAnnotation(**(values | points | changes))
