"""Annotated images: COCO-DensePose files, where annotators are asked, photos on disk."""

from opendensepose.data.coco import (
    KEYPOINT_NAMES,
    SKELETON,
    category,
    decode_mask,
    encode_mask,
    person_annotation,
)
from opendensepose.data.photos import MAX_PIXELS, PHOTO_SUFFIXES, find_photos, read_photo
from opendensepose.data.sampling import MAX_POINTS_PER_PART, point_count, sample_part_points

__all__ = [
    "KEYPOINT_NAMES",
    "MAX_PIXELS",
    "MAX_POINTS_PER_PART",
    "PHOTO_SUFFIXES",
    "SKELETON",
    "category",
    "decode_mask",
    "encode_mask",
    "find_photos",
    "person_annotation",
    "point_count",
    "read_photo",
    "sample_part_points",
]
