"""The names of COCO's keypoints: a left one and a right one of each, in one order."""

from opendensepose.data.coco import SKELETON
from opendensepose.keypoints import KEYPOINT_NAMES, NUM_KEYPOINTS


def test_seventeen_names_and_each_left_one_is_followed_by_its_right_one():
    assert NUM_KEYPOINTS == len(set(KEYPOINT_NAMES)) == 17 and KEYPOINT_NAMES[0] == "nose"
    for left, right in zip(KEYPOINT_NAMES[1::2], KEYPOINT_NAMES[2::2], strict=True):
        assert left.removeprefix("left_") == right.removeprefix("right_")


def test_the_skeleton_counts_in_this_order_from_1():
    """A line of one side has its mirror image, which it could not have if the names were in another order."""
    named = {frozenset(KEYPOINT_NAMES[k - 1] for k in pair) for pair in SKELETON}
    for pair in named:
        other = {name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right") for name in pair}
        assert frozenset(other) in named
    assert frozenset({"left_knee", "left_ankle"}) in named
