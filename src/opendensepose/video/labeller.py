"""Frames, one after the other -> the people in each, followed and labelled steadily.

A search, at several scales, runs in few frames only: in between, the crop of each person is labelled where the motion
has carried it.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from opendensepose.instance import Instance, place_in_photo, without_duplicates
from opendensepose.iuv import IUV
from opendensepose.models.densepose_lite.boxes import sigmoid
from opendensepose.models.densepose_lite.crops import Box
from opendensepose.models.densepose_lite.decode import decode_pixels, is_person
from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.models.densepose_lite.prepared import SURE
from opendensepose.models.prediction import EmbeddingNetwork, Network
from opendensepose.predict import Predictor
from opendensepose.video.crops import CropLabeller, Views
from opendensepose.video.motion import Motion, motion_between, small_picture
from opendensepose.video.steady import Estimate, first_estimate, next_estimate
from opendensepose.video.tracks import Track, box_of_cells, is_framed, match_boxes, moved_cells

__all__ = ["TrackedPerson", "VideoLabeller"]

MOST_MISSES = 2  # searches in a row that may miss a person whose labels are still sound
MOST_UNSEEN = 45  # frames after which a person who comes back is somebody new
SAME_AREA = 2.0  # labels that cover so many times more or less than in the frame before: the track is lost
SAME_PERSON = 0.5  # of a detected box and a track's: no search is needed to tell whom the box shows
MOST_SKIPPED = 3  # searches in a row that detection may stand for
FEW_FRAMES, MUCH = 2.0, 0.15  # a person of whom more cells average fewer frames is seen both ways
LEAST_SIDE = 2  # pixels of a person's box inside the frame


@dataclass(frozen=True)
class TrackedPerson:
    """A person in a frame. track_id: 1, 2, ..., the same in all frames."""

    track_id: int
    instance: Instance


@dataclass(frozen=True)
class _Labelled:
    """A track's person in this frame: the new estimate, what to decode for the frame, and how sure it is a person."""

    estimate: Estimate
    to_decode: DenseOutput
    score: float


@dataclass(frozen=True)
class _Step:
    """A track's way into this frame: the motion of its last crop, the crop to label now, and the picture of that."""

    motion: Motion
    crop: Box
    cut: np.ndarray


class VideoLabeller:
    """Labels the frames of one video: make it once, call it for each frame in order.

    model, device, min_score, backend: see `Predictor`. search_every: frames from one search to the next; a lost person
    is searched at once. steady: average over frames; False: each frame's own labels. ValueError if the model predicts
    no charts.
    """

    def __init__(
        self,
        model: str | Path | Network = "default",
        device: str | None = None,
        min_score: float | None = None,
        backend: str | None = None,
        search_every: int = 15,
        steady: bool = True,
    ):
        if search_every < 1:
            raise ValueError(f"search_every must be at least 1, got {search_every}.")
        self.predictor = Predictor(model, device, min_score, refine=False, backend=backend)
        if isinstance(self.predictor.network, EmbeddingNetwork):
            raise ValueError("embedding models (CSE_...) label photos only: of a video, choose a model of charts.")
        self.crops = CropLabeller(self.predictor.network)
        self.search_every, self.steady = search_every, steady
        self.size_hw: tuple[int, int] | None = None
        self.tracks: list[Track] = []  # those seen in the last frame, and those lost of late
        self.refused = np.zeros((0, 4), np.float32)  # boxes detected for sure in which the last search saw nobody
        self.num_frames, self.since_search, self.num_skipped, self.num_tracks = 0, 0, 0, 0

    def __call__(self, image_rgb: np.ndarray) -> list[TrackedPerson]:
        """Return the people in the next frame (H, W, 3) uint8 RGB, the highest score first. ValueError if its size is
        another than that of the frames before."""
        height, width = image_rgb.shape[:2]
        if self.size_hw not in (None, (height, width)):
            raise ValueError(f"all frames must have one size, got {width} x {height} now.")
        self.size_hw = height, width
        seen = [track for track in self.tracks if not track.unseen]
        labelled = self._follow(image_rgb, seen)
        self.num_frames += 1
        self.since_search += 1
        searched = self.since_search >= self.search_every or len(labelled) < len(seen) or not seen
        if searched:
            labelled = self._search(image_rgb, labelled)
            self.since_search = 0
        return self._shown(labelled, (height, width), searched)

    # --- from frame to frame ------------------------------------------------------------------------------------------

    def _follow(self, image_rgb: np.ndarray, tracks: list[Track]) -> dict[int, _Labelled]:
        """Label the tracks' people where the motion has carried them: by track, without those who are lost."""
        steps = {track.track_id: self._step(image_rgb, track) for track in tracks}
        moved = [(track, step) for track in tracks if (step := steps[track.track_id]) is not None]
        crops, cuts = [step.crop for _, step in moved], [step.cut for _, step in moved]
        labelled = {}
        outputs = self.crops.label(image_rgb, crops, cuts, [self._views(track.estimate) for track, _ in moved])
        for (track, step), output in zip(moved, outputs, strict=True):
            before = track.estimate
            if output is None or before is None:
                continue
            score = _score(output) * track.certainty
            growth = _area(is_person(output.chart_logits), step.crop) / max(_area(before.shown > 0, before.crop), 1e-6)
            if score < self.predictor.min_score or not 1 / SAME_AREA < growth < SAME_AREA:
                continue
            picture = small_picture(step.cut, self.crops.grid_hw)
            if self.steady:
                estimate = next_estimate(before, step.motion, step.crop, picture, output)
            else:
                estimate = first_estimate(step.crop, picture, output)
            labelled[track.track_id] = _Labelled(*estimate, min(1.0, score))
        return labelled

    def _views(self, before: Estimate | None) -> Views:
        """How a person's crop is seen in this frame: as it is and mirrored in turn, so that the average over frames is
        one over both views, for half of the network's time; both where much of the person moves so fast that there is
        hardly an average, or none is wanted."""
        if before is None or not self.steady:
            return "both"
        if (before.weight[before.shown > 0] < FEW_FRAMES).mean() > MUCH:
            return "both"
        return "mirrored" if self.num_frames % 2 else "plain"

    def _step(self, image_rgb: np.ndarray, track: Track) -> _Step | None:
        """Find the crop of a track's person in this frame; None if it would be outside the frame."""
        before = track.estimate
        if before is None:
            return None
        cut = self.crops.picture(image_rgb, before.crop)
        motion = motion_between(before.picture, small_picture(cut, self.crops.grid_hw))
        box = box_of_cells(moved_cells(before.shown > 0, motion.flow), before.crop)
        box = _clipped(track.box_xyxy if box is None else box, image_rgb.shape[:2])
        if (box[2:] - box[:2] < LEAST_SIDE).any():
            return None
        wanted = self.crops.crop_around(box)
        if is_framed(before.crop, wanted):
            return _Step(motion, before.crop, cut)
        return _Step(motion, wanted, self.crops.picture(image_rgb, wanted))

    # --- searches -----------------------------------------------------------------------------------------------------

    def _search(self, image_rgb: np.ndarray, labelled: dict[int, _Labelled]) -> dict[int, _Labelled]:
        """Find people: those of tracks keep their labels if they have any, the others are labelled anew."""
        if self._all_are_known(image_rgb, labelled):
            return labelled
        found = self.predictor(image_rgb)
        boxes = np.array([_box_of_labels(one) for one in found])  # as those of tracks are: around the labels
        pairs = match_boxes(np.array([track.box_xyxy for track in self.tracks]), boxes)
        matched = {column: self.tracks[row] for row, column in pairs}
        for track in self.tracks:
            track.misses += 1
        for column, person in enumerate(found):
            known = matched.get(column)
            if known is not None:
                known.misses = 0
                if known.track_id in labelled:
                    continue
            first = self._label_first(image_rgb, boxes[column], person.score)
            if first is None:
                continue
            track = known or self._new_track(boxes[column])
            track.certainty = min(1.0, person.score / max(_score(first.to_decode), 1e-6))
            labelled[track.track_id] = first
        missed = {track.track_id for track in self.tracks if track.misses > MOST_MISSES}
        return {key: one for key, one in labelled.items() if key not in missed}

    def _all_are_known(self, image_rgb: np.ndarray, labelled: dict[int, _Labelled]) -> bool:
        """Whether detection, a small part of a search's cost, shows these tracks' people, and else boxes only that are
        not sure, or in which the last search saw nobody. Now and then it says no, as somebody may be there in the
        meantime."""
        found = self.crops.detect(image_rgb, self.predictor.min_score)
        if found is None:
            return False
        boxes, heat = found
        tracks = [track for track in self.tracks if track.track_id in labelled]
        pairs = match_boxes(np.array([track.box_xyxy for track in tracks]), boxes, SAME_PERSON)
        is_other = heat >= SURE
        is_other[[column for _, column in pairs]] = False
        others = boxes[is_other]
        num_refused = len(match_boxes(others, self.refused, SAME_PERSON))
        if not labelled or len(pairs) < len(tracks) or num_refused < len(others) or self.num_skipped >= MOST_SKIPPED:
            self.refused, self.num_skipped = others, 0  # who is found in these is a track the next time
            return False
        self.num_skipped += 1
        for track in tracks:
            track.misses = 0
        return True

    def _new_track(self, box_xyxy: np.ndarray) -> Track:
        self.num_tracks += 1
        self.tracks.append(Track(self.num_tracks, box_xyxy, 0.0, 1.0))
        return self.tracks[-1]

    def _label_first(self, image_rgb: np.ndarray, box_xyxy: np.ndarray, score: float) -> _Labelled | None:
        """Label a found person in the crop around the first labels, which fits better than the detector's box."""
        crop = self.crops.crop_around(box_xyxy)
        cut = self.crops.picture(image_rgb, crop)
        (output,) = self.crops.label(image_rgb, [crop], [cut])
        if output is None:
            return None
        return _Labelled(*first_estimate(crop, small_picture(cut, self.crops.grid_hw), output), score)

    # --- results ------------------------------------------------------------------------------------------------------

    def _shown(self, labelled: dict[int, _Labelled], size_hw: tuple[int, int], searched: bool) -> list[TrackedPerson]:
        """Decode the labels of this frame and take them into the tracks. searched: people may be there twice."""
        instances = {}
        for track in self.tracks:
            one = labelled.get(track.track_id)
            if one is None:
                continue
            box = box_of_cells(one.estimate.shown > 0, one.estimate.crop)
            if box is not None:
                instances[track.track_id] = _instance(one, _clipped(box, size_hw), size_hw)
        if searched and len(instances) > 1:
            kept = {id(one) for one in without_duplicates(list(instances.values()))}
            twice = {key for key, one in instances.items() if id(one) not in kept}
            self.tracks = [track for track in self.tracks if track.track_id not in twice]
        for track in self.tracks:
            track.unseen += 1
            if track.track_id in instances:
                person = instances[track.track_id]
                track.unseen, track.estimate = 0, labelled[track.track_id].estimate
                track.box_xyxy, track.score = person.box_xyxy, person.score
        self.tracks = [track for track in self.tracks if track.unseen <= MOST_UNSEEN]
        people = [TrackedPerson(t.track_id, instances[t.track_id]) for t in self.tracks if not t.unseen]
        return sorted(people, key=lambda person: -person.instance.score)


def _score(output: DenseOutput) -> float:
    """How well a crop of one person is labelled, as `Predictor` says it of a given box."""
    return math.sqrt(float(sigmoid(output.quality_logit)))


def _area(person: np.ndarray, crop: Box) -> float:
    """The pixels of a frame that a mask (h, w) of a crop covers."""
    return float(person.mean()) * (crop[2] - crop[0]) * (crop[3] - crop[1])


def _clipped(box_xyxy: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    return np.clip(box_xyxy, 0, np.array([size_hw[1], size_hw[0]] * 2, np.float32))


def _box_of_labels(person: Instance) -> np.ndarray:
    x, y, width, height = cv2.boundingRect((person.iuv.i > 0).view(np.uint8))
    return np.array([x, y, x + width, y + height], np.float32) if width else person.box_xyxy


def _instance(one: _Labelled, box_xyxy: np.ndarray, size_hw: tuple[int, int]) -> Instance:
    """Decode the labels at the frame's pixels in and around the box of the labelled cells."""
    x0, y0, x1, y1 = one.estimate.crop
    height, width = one.estimate.shown.shape
    beside = np.ceil([2 * (x1 - x0) / width, 2 * (y1 - y0) / height])  # interpolation reaches into the next cells
    left, top = (int(edge) for edge in np.maximum(np.floor(box_xyxy[:2]) - beside, [max(x0, 0), max(y0, 0)]))
    right, bottom = (
        int(edge) for edge in np.minimum(np.ceil(box_xyxy[2:]) + beside, [min(x1, size_hw[1]), min(y1, size_hw[0])])
    )
    rows = (np.arange(top, bottom) + 0.5 - y0) / (y1 - y0)
    columns = (np.arange(left, right) + 0.5 - x0) / (x1 - x0)
    i, u, v, confidence = decode_pixels(one.to_decode, rows, columns)
    return place_in_photo(IUV(i, u, v), confidence, (left, top), size_hw, box_xyxy, one.score)
