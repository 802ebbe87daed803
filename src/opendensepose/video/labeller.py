"""Frames, one after the other -> the people in each, followed and labelled steadily.

A search, at several scales, runs in few frames only: in between, each person's crop is labelled where the motion has
carried it.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from opendensepose.instance import Instance, without_duplicates
from opendensepose.models.prediction import Network
from opendensepose.predict import Predictor
from opendensepose.video.motion import Motion, motion_between, small_frame
from opendensepose.video.steady import HISTORY, crop_labels, steady_labels
from opendensepose.video.tracks import Track, match_boxes, moved_box

__all__ = ["TrackedPerson", "VideoLabeller"]

MOST_MISSES = 2  # searches in a row that may miss a person whose labels are still sound
MOST_UNSEEN = 45  # frames after which a person who comes back is somebody new
SAME_AREA = 2.0  # labels that cover so many times more or less than in the frame before: the track is lost


@dataclass(frozen=True)
class TrackedPerson:
    """A person in a frame. track_id: 1, 2, ..., the same in all frames."""

    track_id: int
    instance: Instance


class VideoLabeller:
    """Labels the frames of one video: make it once, call it for each frame in order.

    model, device, min_score, backend: see `Predictor`. search_every: frames from one search to the next; a lost person
    is searched at once. steady: let the frames before vote; False: each frame's own labels.
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
        self.search_every, self.steady = search_every, steady
        self.tracks: list[Track] = []  # those seen in the last frame, and those lost of late
        self.motions: list[Motion] = []  # of the last frames, the newest first
        self.since_search, self.num_tracks = 0, 0

    def __call__(self, image_rgb: np.ndarray) -> list[TrackedPerson]:
        """Return the people in the next frame (H, W, 3) uint8 RGB, the highest score first. ValueError if its size is
        another than that of the frames before."""
        self._move(image_rgb)
        seen = [track for track in self.tracks if not track.unseen]
        labelled = self._label(image_rgb, seen)
        self.since_search += 1
        if self.since_search >= self.search_every or len(labelled) < len(seen) or not seen:
            labelled = self._search(image_rgb, labelled)
            self.since_search = 0
        for track in self.tracks:
            track.unseen = 0 if track.track_id in labelled else track.unseen + 1
        self.tracks = [track for track in self.tracks if track.unseen <= MOST_UNSEEN]
        people = [self._shown(track, labelled[track.track_id]) for track in self.tracks if track.track_id in labelled]
        return sorted(people, key=lambda person: -person.instance.score)

    def _move(self, image_rgb: np.ndarray) -> None:
        """Estimate the motion since the last frame and carry the boxes along."""
        small_rgb, last = small_frame(image_rgb), self.motions[0].small_rgb if self.motions else None
        if last is not None and last.shape != small_rgb.shape:
            raise ValueError(f"all frames must have one size, got {image_rgb.shape[1]} x {image_rgb.shape[0]} now.")
        motion = motion_between(last, small_rgb, image_rgb.shape[:2])
        self.motions = [motion, *self.motions[: HISTORY - 1]]
        for track in self.tracks:
            if not track.unseen:
                track.box_xyxy = moved_box(track.observed[0], track.box_xyxy, motion)

    def _label(self, image_rgb: np.ndarray, tracks: list[Track]) -> dict[int, Instance]:
        """Label the tracks' people where they are expected: by track, without those who are lost."""
        if not tracks:
            return {}
        edge = np.array([image_rgb.shape[1], image_rgb.shape[0]] * 2, np.float32)
        boxes = [np.clip(track.box_xyxy, 0, edge) for track in tracks]
        inside = [k for k, box in enumerate(boxes) if (box[2:] - box[:2] >= 2).all()]
        found = self.predictor(image_rgb, boxes=np.array([boxes[k] for k in inside]).reshape(-1, 4))
        pairs = match_boxes(np.array([one.box_xyxy for one in found]), np.array([boxes[k] for k in inside]), 0.99)
        labelled = {}
        for k, which in pairs:
            track, person = tracks[inside[which]], found[k]
            score = min(1.0, person.score * track.certainty)
            before = int(np.count_nonzero(track.observed[0].i))
            growth = int(np.count_nonzero(person.iuv.i)) / max(1, before)
            if score >= self.predictor.min_score and 1 / SAME_AREA < growth < SAME_AREA:
                labelled[track.track_id] = replace(person, score=score)
        return labelled

    def _search(self, image_rgb: np.ndarray, labelled: dict[int, Instance]) -> dict[int, Instance]:
        """Find people: those of tracks keep their labels if they have any, the others are labelled anew."""
        found = self.predictor(image_rgb)
        boxes = np.array([crop_labels(one).box_xyxy for one in found])  # as those of tracks are: around the labels
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
            sharper = self._label_again(image_rgb, person)
            track = known or self._new_track(person)
            if track.unseen:
                track.observed, track.shown = [], None
            track.certainty = min(1.0, person.score / max(sharper.score, 1e-6))
            labelled[track.track_id] = replace(sharper, score=person.score)
        missed = {track.track_id for track in self.tracks if track.misses > MOST_MISSES}
        return self._without_duplicates({key: one for key, one in labelled.items() if key not in missed})

    def _new_track(self, person: Instance) -> Track:
        self.num_tracks += 1
        self.tracks.append(Track(self.num_tracks, person.box_xyxy, person.score, 1.0))
        return self.tracks[-1]

    def _label_again(self, image_rgb: np.ndarray, person: Instance) -> Instance:
        """Label a found person in the box around the first labels, which fits better than the detector's."""
        labels = crop_labels(person)
        again = self.predictor(image_rgb, boxes=labels.box_xyxy[None])
        return again[0] if again else person

    def _without_duplicates(self, labelled: dict[int, Instance]) -> dict[int, Instance]:
        if len(labelled) < 2:
            return labelled
        kept = {id(one) for one in without_duplicates(list(labelled.values()))}
        gone = {key for key, one in labelled.items() if id(one) not in kept}
        self.tracks = [track for track in self.tracks if track.track_id not in gone]
        return {key: one for key, one in labelled.items() if key not in gone}

    def _shown(self, track: Track, person: Instance) -> TrackedPerson:
        """Take a frame's labels into the track; what is shown of them."""
        size_hw = person.iuv.size_hw
        labels = crop_labels(person)
        track.observed = [labels, *track.observed[: HISTORY - 1]]
        track.box_xyxy, track.score = labels.box_xyxy, person.score
        if self.steady:
            labels = track.shown = steady_labels(track.observed, track.shown, self.motions, size_hw)
        return TrackedPerson(track.track_id, labels.as_instance(size_hw, track.box_xyxy, person.score))
