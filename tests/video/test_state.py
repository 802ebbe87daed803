"""A labeller that is made again from its state goes on as the first one would have."""

import io

import numpy as np
from tests.red_people import RedPeople
from tests.video.clips import red_frames

from opendensepose.video.labeller import VideoLabeller
from opendensepose.video.state import labeller_state, restore_labeller


def test_the_state_is_all_a_labeller_remembers():
    frames, first = red_frames(12), VideoLabeller(RedPeople(), search_every=5)
    for frame in frames[:7]:
        first(frame)
    file = io.BytesIO()
    np.savez(file, **labeller_state(first))
    file.seek(0)
    second = VideoLabeller(RedPeople(), search_every=5)
    restore_labeller(second, np.load(file, allow_pickle=False))
    for frame in frames[7:]:
        (one,), (other,) = first(frame), second(frame)
        assert one.track_id == other.track_id and one.instance.score == other.instance.score
        for name in ("i", "u", "v"):
            np.testing.assert_array_equal(getattr(one.instance.iuv, name), getattr(other.instance.iuv, name))
