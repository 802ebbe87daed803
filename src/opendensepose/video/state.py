"""What a `VideoLabeller` remembers of the frames before, as plain arrays: so that a killed run goes on bit for bit.

Letters: T tracks.
"""

from typing import Any

import numpy as np

from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.video.labeller import VideoLabeller
from opendensepose.video.steady import Estimate
from opendensepose.video.tracks import Track

__all__ = ["labeller_state", "restore_labeller"]

COUNTERS = ("num_frames", "since_search", "num_skipped", "num_tracks")
MAPS = ("picture", "weight", "shown")  # of an Estimate


def labeller_state(labeller: VideoLabeller) -> dict[str, np.ndarray]:
    """Arrays by name, none of them an object's: what np.savez takes."""
    tracks = labeller.tracks
    arrays: dict[str, np.ndarray] = {}
    arrays["counters"] = np.array([getattr(labeller, name) for name in COUNTERS], np.int64)
    arrays["refused"] = labeller.refused
    arrays["size_hw"] = np.array(labeller.size_hw or (0, 0), np.int64)
    arrays["track_whole"] = np.array([(t.track_id, t.misses, t.unseen) for t in tracks], np.int64).reshape(-1, 3)
    arrays["track_real"] = np.array([(t.score, t.certainty) for t in tracks], np.float64).reshape(-1, 2)
    arrays["track_box"] = np.array([t.box_xyxy for t in tracks], np.float32).reshape(-1, 4)
    for t, track in enumerate(tracks):
        if track.estimate is not None:
            arrays[f"crop_{t}"] = np.array(track.estimate.crop, np.int64)
            arrays |= {f"{name}_{t}": getattr(track.estimate, name) for name in MAPS}
            arrays |= {f"{name}_{t}": np.asarray(part) for name, part in track.estimate.output._asdict().items()}
    return arrays


def restore_labeller(labeller: VideoLabeller, arrays: Any) -> None:
    """Give a fresh labeller the state of another one. KeyError if an array is missing."""
    for name, value in zip(COUNTERS, arrays["counters"], strict=True):
        setattr(labeller, name, int(value))
    labeller.refused = arrays["refused"]
    height, width = (int(side) for side in arrays["size_hw"])
    labeller.size_hw = (height, width) if height else None
    labeller.tracks = []
    about = zip(arrays["track_whole"], arrays["track_real"], arrays["track_box"], strict=True)
    for t, ((track_id, misses, unseen), (score, certainty), box) in enumerate(about):
        estimate = None
        if f"crop_{t}" in arrays:
            x0, y0, x1, y1 = (int(edge) for edge in arrays[f"crop_{t}"])
            picture, weight, shown = (arrays[f"{name}_{t}"] for name in MAPS)
            output = DenseOutput(*(arrays[f"{name}_{t}"] for name in DenseOutput._fields))
            estimate = Estimate((x0, y0, x1, y1), picture, output, weight, shown)
        labeller.tracks.append(
            Track(int(track_id), box, float(score), float(certainty), int(misses), int(unseen), estimate)
        )
