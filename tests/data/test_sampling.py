import numpy as np
import pytest
from scipy.spatial import cKDTree

from opendensepose.data.sampling import MAX_POINTS_PER_PART, point_count, sample_part_points


def disk(radius, size=200):
    y, x = np.mgrid[:size, :size]
    return np.hypot(x - size / 2, y - size / 2) <= radius


def test_by_hand_two_squares_get_one_point_each_at_their_centres():
    mask = np.zeros((20, 40), bool)
    mask[4:9, 4:9] = True
    mask[4:9, 30:35] = True
    assert sorted(map(tuple, sample_part_points(mask, 2))) == [(6, 6), (32, 6)]


def test_a_straight_line_is_cut_in_equal_pieces():
    mask = np.zeros((1, 90), bool)
    mask[0, :] = True
    x = np.sort(sample_part_points(mask, 3)[:, 0])
    np.testing.assert_allclose(x, [14.5, 44.5, 74.5], atol=2)


def test_count_grows_with_area_up_to_14():
    counts = [point_count(area) for area in range(0, 60_000, 10)]
    assert counts[0] == 0 and counts[1] >= 1
    assert np.all(np.diff(counts) >= 0)
    assert max(counts) == MAX_POINTS_PER_PART == 14


@pytest.mark.parametrize("count", [1, 5, 14])
def test_points_lie_on_the_mask_once_each(count):
    mask = disk(80)
    points = sample_part_points(mask, count)
    assert points.shape == (count, 2)
    assert mask[points[:, 1], points[:, 0]].all()
    assert len(np.unique(points, axis=0)) == count


def test_points_are_roughly_equidistant_and_cover_the_mask():
    mask = disk(80)
    points = sample_part_points(mask, 14).astype(float)
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    assert nearest.max() / nearest.min() < 2
    y, x = np.nonzero(mask)
    ideal = np.sqrt(mask.sum() / (14 * np.pi))  # radius of 14 disks of the same area
    assert cKDTree(points).query(np.stack([x, y], 1))[0].max() < 2 * ideal


def test_a_curved_part_gets_points_inside_not_in_its_hole():
    ring = disk(80) & ~disk(60)
    points = sample_part_points(ring, 10)
    assert ring[points[:, 1], points[:, 0]].all()


def test_same_mask_same_points_and_moving_the_mask_moves_them():
    mask = np.zeros((60, 60), bool)
    mask[5:30, 8:25] = True
    first = sample_part_points(mask, 6)
    np.testing.assert_array_equal(first, sample_part_points(mask, 6))
    moved = sample_part_points(np.roll(mask, (7, 11), (0, 1)), 6)
    assert set(map(tuple, moved)) == set(map(tuple, first + [11, 7]))


def test_small_and_empty_masks():
    assert sample_part_points(np.zeros((5, 5), bool), 4).shape == (0, 2)
    one = np.zeros((5, 5), bool)
    one[2, 3] = True
    assert sample_part_points(one, 4).tolist() == [[3, 2]]
    assert sample_part_points(one, 0).shape == (0, 2)


def test_a_mask_of_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(H, W\), got \(2, 3, 4\)"):
        sample_part_points(np.zeros((2, 3, 4), bool), 3)
