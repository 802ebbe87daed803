"""Clips: one person in the same clothes, true labels in each frame, a background that moves with the camera."""

import numpy as np
import pytest

from opendensepose.surface import SurfacePoints, load_surface
from opendensepose.synth.clip import ACTIONS, render_clip

SIZE = (128, 96)


@pytest.fixture(scope="module", params=[("walk", True), ("wave", False)], ids=["walk", "wave"])
def clip(request):
    action, camera_moves = request.param
    return action, render_clip(5, SIZE, 10, action, camera_moves, fps=8)


def test_labels_project_onto_their_pixels(clip):
    surface = load_surface()
    for frame in clip[1]:
        rows, columns = np.nonzero(frame.i)
        points = SurfacePoints(frame.face[rows, columns], frame.barycentric[rows, columns])
        xy = frame.camera.project(points.xyz(frame.vertices[0][surface.anny_vertex], surface.faces))
        assert len(rows) > 300
        assert (np.linalg.norm(xy - np.stack([columns, rows], 1) - 0.5, axis=1) < 0.6).mean() > 0.99


def test_clothes_stay_the_same(clip):
    """The median colour of the chest and back, charts 1 and 2, over the frames."""
    colours = np.array([np.median(frame.image_rgb[np.isin(frame.i, (1, 2))], axis=0) for frame in clip[1]])
    assert np.ptp(colours, axis=0).max() < 60


def test_who_waves_stands_still_and_who_walks_does_not(clip):
    action, frames = clip
    same = (frames[0].i == frames[5].i)[(frames[0].i > 0) | (frames[5].i > 0)].mean()
    assert same > 0.7 if action == "wave" else same < 0.5


def test_a_seed_decides_the_clip():
    one, other = (render_clip(3, (64, 48), 2, "turn") for _ in range(2))
    np.testing.assert_array_equal(one[1].image_rgb, other[1].image_rgb)


def test_the_background_stays_before_a_still_camera_only():
    still, moving = (render_clip(4, (64, 48), 9, "wave", camera_moves=moves, fps=8) for moves in (False, True))
    for frames, moves in ((still, False), (moving, True)):
        corner = [frame.image_rgb[:16, -12:].astype(float) for frame in frames]
        change = np.abs(corner[0] - corner[8]).mean()
        assert (change > 3.2) == moves or change < 6


def test_an_unknown_action_is_refused():
    with pytest.raises(ValueError, match=f"action must be one of {', '.join(ACTIONS)}, got 'fly'"):
        render_clip(0, SIZE, 1, "fly")
