"""What a `VideoLabeller` remembers of the frames before, as plain arrays: so that a killed run goes on bit for bit.

Letters: T tracks, K frames of history.
"""

from typing import Any

import numpy as np

from opendensepose.video.labeller import VideoLabeller
from opendensepose.video.motion import Motion
from opendensepose.video.steady import LabelWindow
from opendensepose.video.tracks import Track

__all__ = ["labeller_state", "restore_labeller"]


def labeller_state(labeller: VideoLabeller) -> dict[str, np.ndarray]:
    """Arrays by name, none of them an object's: what np.savez takes."""
    tracks = labeller.tracks
    arrays: dict[str, np.ndarray] = {}
    arrays["counters"] = np.array([labeller.since_search, labeller.num_tracks], np.int64)
    arrays["track_whole"] = np.array([(t.track_id, t.misses, t.unseen) for t in tracks], np.int64).reshape(-1, 3)
    arrays["track_real"] = np.array([(t.score, t.certainty) for t in tracks], np.float64).reshape(-1, 2)
    arrays["track_box"] = np.array([t.box_xyxy for t in tracks], np.float32).reshape(-1, 4)
    for k, motion in enumerate(labeller.motions):
        scale = np.array(motion.scale_xy, np.float64)
        arrays |= {f"small_{k}": motion.small_rgb, f"flow_{k}": motion.flow, f"scale_{k}": scale}
    for t, track in enumerate(tracks):
        windows = {f"observed_{t}_{k}": window for k, window in enumerate(track.observed)}
        if track.shown is not None:
            windows[f"shown_{t}"] = track.shown
        for name, window in windows.items():
            corner = np.array(window.corner_xy, np.int64)
            arrays |= {f"{name}_corner": corner, f"{name}_i": window.i, f"{name}_values": window.values}
    return arrays


def restore_labeller(labeller: VideoLabeller, arrays: Any) -> None:
    """Give a fresh labeller the state of another one. KeyError if an array is missing."""
    labeller.since_search, labeller.num_tracks = (int(value) for value in arrays["counters"])
    labeller.motions = []
    while f"small_{len(labeller.motions)}" in arrays:
        k = len(labeller.motions)
        scale_x, scale_y = (float(value) for value in arrays[f"scale_{k}"])
        labeller.motions.append(Motion(arrays[f"small_{k}"], arrays[f"flow_{k}"], (scale_x, scale_y)))
    labeller.tracks = []
    about = zip(arrays["track_whole"], arrays["track_real"], arrays["track_box"], strict=True)
    for t, ((track_id, misses, unseen), (score, certainty), box) in enumerate(about):
        track = Track(int(track_id), box, float(score), float(certainty), int(misses), int(unseen))
        while f"observed_{t}_{len(track.observed)}_i" in arrays:
            track.observed.append(_window(arrays, f"observed_{t}_{len(track.observed)}"))
        if f"shown_{t}_i" in arrays:
            track.shown = _window(arrays, f"shown_{t}")
        labeller.tracks.append(track)


def _window(arrays: Any, name: str) -> LabelWindow:
    x, y = (int(value) for value in arrays[f"{name}_corner"])
    return LabelWindow((x, y), arrays[f"{name}_i"], arrays[f"{name}_values"])
