"""A small photo with two people who overlap, and what tests compare."""

import numpy as np

from opendensepose.formats import LabelledPhoto
from opendensepose.instance import Instance
from opendensepose.iuv import IUV

SIZE_HW = (40, 60)


def person(rng, left, right, score, confidence, size_hw=SIZE_HW):
    """One who covers rows 5 to 35 and columns left to right: random labels, one confidence; every pixel another."""
    covered = np.zeros(size_hw, bool)
    covered[5:35, left:right] = True
    i = np.where(covered, rng.integers(1, 25, size_hw), 0).astype(np.uint8)
    u, v = (np.where(covered, rng.random(size_hw), 0).astype(np.float32) for _ in range(2))
    sure = np.where(covered, confidence, 0).astype(np.float32)
    return Instance(np.float32([left, 5, right, 35]), score, IUV(i, u, v), sure)


def two_people(name="two.jpg"):
    """The second, the surer and smaller one, lies over the first."""
    rng = np.random.default_rng(0)
    image_rgb = rng.integers(0, 256, (*SIZE_HW, 3)).astype(np.uint8)
    return LabelledPhoto(name, SIZE_HW, [person(rng, 5, 40, 0.9, 0.4), person(rng, 25, 50, 0.7, 0.6)], image_rgb)


def nobody(name="nobody.jpg"):
    return LabelledPhoto(name, SIZE_HW, [], np.zeros((*SIZE_HW, 3), np.uint8))


def assert_same_people(found, expected, step=0.0, boxes=True):
    """The same I, scores and boxes; U and V to `step`."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_same_map(one.iuv, other.iuv, step)
        if boxes:
            np.testing.assert_array_equal(one.box_xyxy, other.box_xyxy)
            assert np.float32(one.score) == np.float32(other.score)


def assert_same_map(found, expected, step=0.0):
    np.testing.assert_array_equal(found.i, expected.i)
    for name in ("u", "v"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=step + 1e-7, rtol=0)
