"""COCO's 17 keypoints of a person, in the order of its files."""

__all__ = ["MIRROR_KEYPOINT", "KEYPOINT_NAMES", "NUM_KEYPOINTS"]

KEYPOINT_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
NUM_KEYPOINTS = len(KEYPOINT_NAMES)

# Index of the same keypoint on the other side of the body.
MIRROR_KEYPOINT = tuple(
    KEYPOINT_NAMES.index(name.replace("left_", "@").replace("right_", "left_").replace("@", "right_"))
    for name in KEYPOINT_NAMES
)
