"""The tool's part colours, compared in Lab, in which equal distances look equal: 10 is a clear step."""

import cv2
import numpy as np

from opendensepose.annotate.surface.part_colours import TOOL_COLOURS
from opendensepose.surface import PART_COLOURS

# skin from very light to very dark, in bright and in dim light
SKIN = [(246, 237, 228), (247, 234, 208), (232, 192, 166), (215, 189, 150), (224, 172, 140), (198, 134, 96),
        (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32)]  # fmt: skip


def lab(rgb):
    return cv2.cvtColor((np.array(rgb, np.float32) / 255)[None], cv2.COLOR_RGB2LAB)[0]


def distances(some, others):
    return np.linalg.norm(lab(some)[:, None] - lab(others), axis=2)


def test_every_part_stands_out_on_skin_more_than_in_pastel():
    assert distances(TOOL_COLOURS[1:], SKIN).min() > 30 > distances(PART_COLOURS[1:], SKIN).min()


def test_no_two_parts_look_alike():
    between = distances(TOOL_COLOURS[1:], TOOL_COLOURS[1:])
    assert between[~np.eye(14, dtype=bool)].min() > 25


def test_the_hues_are_those_of_the_projects_pictures():
    hues = [cv2.cvtColor((colours[1:].astype(np.float32) / 255)[None], cv2.COLOR_RGB2HSV)[0, :, 0]
            for colours in (TOOL_COLOURS, PART_COLOURS)]  # fmt: skip
    assert np.abs((np.subtract(*hues) + 180) % 360 - 180).max() < 3
