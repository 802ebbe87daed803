import numpy as np
import pytest

from opendensepose.annotate.surface.sampling import presentation_order, sample_points
from opendensepose.part_grid import part_at


def two_parts() -> np.ndarray:
    parts = np.zeros((256, 256), np.uint8)
    parts[10:120, 60:200] = 1
    parts[130:250, 60:90] = 8
    return parts


@pytest.mark.parametrize("box", [(10, 20, 138, 276), (3.3, 7.7, 60.2, 55.1), (0, 0, 900, 1500)])
def test_points_lie_in_their_masks_at_pixel_centres_and_never_twice(box):
    part, xy = sample_points(two_parts(), np.array(box, np.float32), (1600, 1000))
    assert set(part) == {1, 8} and (part == 1).sum() == 14
    np.testing.assert_array_equal(xy % 1, 0.5)
    np.testing.assert_array_equal(part_at(two_parts(), np.array(box), xy), part)
    assert len(np.unique(xy, axis=0)) == len(xy)
    again = sample_points(two_parts(), np.array(box, np.float32), (1600, 1000))
    np.testing.assert_array_equal(again[1], xy)


def test_points_stay_within_the_photo_and_a_box_beside_it_has_none():
    xy = sample_points(two_parts(), np.array([-50, -50, 206, 206.0]), (100, 100))[1]
    assert len(xy) and xy.min() > 0 and xy.max() < 100
    assert len(sample_points(two_parts(), np.array([300, 300, 400, 400.0]), (100, 100))[1]) == 0


def test_a_column_is_asked_from_top_to_bottom_and_a_row_from_end_to_end():
    column = np.array([[5.0, y] for y in (30, 10, 50, 20, 40)])
    assert column[presentation_order(column), 1].tolist() == [10, 20, 30, 40, 50]
    row = column[:, ::-1]
    assert row[presentation_order(row), 0].tolist() == [10, 20, 30, 40, 50]


def test_a_grid_is_asked_to_and_fro():
    x, y = np.meshgrid([0.0, 10, 20], [0.0, 10, 20, 30])
    grid = np.random.default_rng(0).permutation(np.stack([x.ravel(), y.ravel()], 1))
    steps = np.linalg.norm(np.diff(grid[presentation_order(grid)], axis=0), axis=1)
    np.testing.assert_allclose(steps, 10)


def test_neighbours_follow_each_other_on_a_mask():
    part, xy = sample_points(two_parts(), np.array([0, 0, 256, 256.0]), (256, 256))
    for number in (1, 8):
        own = xy[part == number]
        gap = np.linalg.norm(own[:, None] - own[None], axis=2)
        np.fill_diagonal(gap, np.inf)
        assert np.linalg.norm(np.diff(own, axis=0), axis=1).mean() < 1.8 * gap.min(1).mean()


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(256, 256\)"):
        sample_points(np.zeros((8, 8), np.uint8), np.array([0, 0, 1, 1.0]), (5, 5))
    with pytest.raises(ValueError, match="x0 < x1"):
        sample_points(two_parts(), np.array([4, 0, 1, 1.0]), (5, 5))
