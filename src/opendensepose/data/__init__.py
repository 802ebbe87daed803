"""Annotated images: COCO-DensePose files, results, their defects, where annotators are asked, photos on disk."""

from opendensepose.data.check import Report, check_file, report_lines
from opendensepose.data.coco import (
    SKELETON,
    CocoDensePose,
    category,
    person_annotation,
    read_annotations,
    write_annotations,
)
from opendensepose.data.masks import decode_mask, encode_mask
from opendensepose.data.photos import (
    MAX_PIXELS,
    PHOTO_SUFFIXES,
    example_photo,
    find_image,
    find_photos,
    photo_folders,
    read_photo,
)
from opendensepose.data.predictions import Prediction, load_prediction, save_prediction
from opendensepose.data.results import Detection, detection, read_results, result_entry, write_results
from opendensepose.data.sampling import MAX_POINTS_PER_PART, point_count, sample_part_points
from opendensepose.keypoints import KEYPOINT_NAMES

__all__ = [
    "CocoDensePose",
    "Detection",
    "Prediction",
    "Report",
    "KEYPOINT_NAMES",
    "MAX_PIXELS",
    "MAX_POINTS_PER_PART",
    "PHOTO_SUFFIXES",
    "SKELETON",
    "category",
    "check_file",
    "decode_mask",
    "detection",
    "encode_mask",
    "example_photo",
    "find_image",
    "find_photos",
    "load_prediction",
    "person_annotation",
    "photo_folders",
    "point_count",
    "read_annotations",
    "read_photo",
    "read_results",
    "report_lines",
    "result_entry",
    "save_prediction",
    "sample_part_points",
    "write_annotations",
    "write_results",
]
