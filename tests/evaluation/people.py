"""Small people to measure: annotations, detections, and distances that can be worked out by hand."""

import numpy as np

from opendensepose.evaluation.measures import AnnotatedImage
from opendensepose.evaluation.people import DetectedPerson, annotated_person
from opendensepose.instance import DenseAnnotation
from opendensepose.iuv import IUV


class UVDistances:
    """A body whose charts are squares of one metre, lying apart: between charts 10 m."""

    surface = "24 squares"

    def locate(self, labels):
        return np.stack(labels, axis=1).astype(np.float64)

    def between(self, a, b):
        apart = np.hypot(a[:, 1] - b[:, 1], a[:, 2] - b[:, 2])
        return np.where(a[:, 0] == b[:, 0], apart, 10.0)


def annotation(box, points, *, number=1, image_id=1, area=None, mask=None, iscrowd=False):
    """points: rows of x, y, i, u, v."""
    table = np.array(points, np.float64).reshape(-1, 5)
    x0, y0, x1, y1 = box
    return DenseAnnotation(
        annotation_id=number,
        image_id=image_id,
        box_xyxy=np.array(box, np.float32),
        point_xy=np.ascontiguousarray(table[:, :2]),
        i=table[:, 2].astype(np.uint8),
        u=table[:, 3].astype(np.float32),
        v=table[:, 4].astype(np.float32),
        mask=mask,
        area=float((x1 - x0) * (y1 - y0)) if area is None else area,
        iscrowd=iscrowd,
    )


def detection(box, i, u=0.0, v=0.0, *, score=0.5):
    """A box all of whose pixels have one label, or maps (h, w) of labels."""
    x0, y0, x1, y1 = box
    size = int(y1 - y0), int(x1 - x0)
    maps = [np.broadcast_to(np.asarray(value, kind), size).copy() for value, kind in ((i, "u1"), (u, "f4"), (v, "f4"))]
    return DetectedPerson(np.array([x0, y0, x1 - x0, y1 - y0]), score, IUV(*maps), np.array([x0, y0]))


def image(people, detections, image_id=1, size_hw=(400, 400)):
    people = [annotated_person(one, size_hw) for one in people]
    return AnnotatedImage(image_id, size_hw, people, list(detections))
