"""Following a person: searches are rare, a lost one is searched at once, who comes back is the same."""

import numpy as np
import pytest
from tests.red_people import RedPeople
from tests.video.clips import ground, red_frames

from opendensepose.video.labeller import VideoLabeller


def num_searches(network: RedPeople) -> int:
    return sum(not isinstance(what, list) for _, what in network.calls)


def test_a_person_who_moves_is_followed_and_seldom_searched():
    network, frames = RedPeople(), red_frames(21)
    labeller = VideoLabeller(network, search_every=10)
    for k, frame in enumerate(frames):
        (one,) = labeller(frame)
        assert one.track_id == 1
        np.testing.assert_allclose(one.instance.box_xyxy, [10 + 2 * k, 30, 30 + 2 * k, 70], atol=1)
        assert np.count_nonzero((one.instance.iuv.i > 0) != (frame[..., 0] > 200)) < 0.1 * 800
    assert num_searches(network) == 3


KNOWN, OTHER = [12, 30, 32, 70], [90, 10, 110, 50]


@pytest.mark.parametrize(
    ("first", "later", "heat", "searches"),
    [
        ([KNOWN], [KNOWN], 0.9, [0, 16]),  # detection stands for three searches in a row
        ([KNOWN, OTHER], [KNOWN, OTHER], 0.9, [0, 16]),  # the first search saw nobody in the other box
        ([KNOWN], [KNOWN, OTHER], 0.9, [0, 4, 20]),  # somebody may have come
        ([KNOWN], [KNOWN, OTHER], 0.4, [0, 16]),  # who is not sure waits for the next search
        ([OTHER], [OTHER], 0.9, [0, 4, 8, 12, 16, 20]),
    ],
)
def test_people_are_not_searched_where_detection_shows_the_known_ones_only(monkeypatch, first, later, heat, searches):
    network, searched_at = RedPeople(), []
    labeller = VideoLabeller(network, search_every=4)

    def detect(image_rgb, min_score):
        boxes = later if searched_at else first
        return np.float32(boxes), np.full(len(boxes), heat, np.float32)

    monkeypatch.setattr(labeller.crops, "detect", detect)
    for k, frame in enumerate(red_frames(21, step=0)):
        before = num_searches(network)
        assert len(labeller(frame)) == 1
        searched_at += [k] * (num_searches(network) - before)
    assert searched_at == searches


def test_who_is_gone_is_searched_in_each_frame_and_is_the_same_when_back():
    network, frames = RedPeople(), red_frames(6, step=0)
    labeller = VideoLabeller(network)
    empty = [ground((96, 128))] * 3
    people = [labeller(frame) for frame in [*frames[:3], *empty, *frames[3:]]]
    assert [[one.track_id for one in found] for found in people] == [[1]] * 3 + [[]] * 3 + [[1]] * 3
    assert num_searches(network) == 1 + 3 + 1


@pytest.mark.parametrize("search_every", [1, 100])
def test_a_followed_person_is_seen_as_is_and_mirrored_in_turn_once_there_is_an_average(monkeypatch, search_every):
    labeller, looks = VideoLabeller(RedPeople(), search_every=search_every), []
    label = labeller.crops.label

    def noted(image_rgb, crops, pictures, views=None):
        looks.extend(views or ["both"] * len(crops))
        return label(image_rgb, crops, pictures, views)

    monkeypatch.setattr(labeller.crops, "label", noted)
    frames = red_frames(8, step=0)
    for frame in frames[:6]:
        labeller(frame)
    assert looks == ["both", "both", "plain", "mirrored", "plain", "mirrored"]
    labeller.tracks[0].estimate.weight[:] = 1  # as if all of the person had moved too fast to be followed
    labeller(frames[6])
    labeller.steady = False
    labeller(frames[7])
    assert looks[6:] == ["both", "both"]


def test_without_steadiness_each_frame_has_its_own_labels():
    frames = red_frames(5)
    labeller = VideoLabeller(RedPeople(), steady=False)
    for frame in frames:
        np.testing.assert_array_equal(labeller(frame)[0].instance.iuv.i > 0, frame[..., 0] > 200)


def test_what_is_no_next_frame_is_refused():
    labeller = VideoLabeller(RedPeople())
    labeller(ground((96, 128)))
    with pytest.raises(ValueError, match="one size, got 64 x 48 now"):
        labeller(ground((48, 64)))
    with pytest.raises(ValueError, match="search_every must be at least 1, got 0"):
        VideoLabeller(RedPeople(), search_every=0)
