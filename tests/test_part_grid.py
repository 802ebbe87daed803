"""The 256 x 256 grid over a box: cells by hand, and the same answers by other routes."""

import numpy as np
import pytest
import torch

from opendensepose.data import decode_mask, person_annotation
from opendensepose.models.point_losses import parts_at
from opendensepose.part_grid import GRID, grid_centres, part_at, parts_of_pixels, sample_on_grid, to_cells


def random_parts(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 15, (GRID, GRID), dtype=np.uint8)


def test_cells_by_hand():
    box = (10, 20, 10 + 512, 20 + 128)  # cells of 2 x 0.5 pixels
    np.testing.assert_array_equal(to_cells([[10, 20], [522, 148], [15, 21]], box), [[0, 0], [256, 256], [2.5, 2]])
    x, y = grid_centres(box)
    assert x[[0, 1, -1]].tolist() == [11, 13, 521] and y[[0, -1]].tolist() == [20.25, 147.75]


def test_parts_by_hand():
    parts = random_parts()
    box = (10, 20, 10 + 512, 20 + 128)
    xy = [[10, 20], [11.99, 20.49], [12, 20.5], [521.9, 147.9]]
    assert part_at(parts, box, xy).tolist() == [parts[0, 0], parts[0, 0], parts[1, 1], parts[255, 255]]
    outside = [[9.99, 50], [522, 50], [50, 19.99], [50, 148], [-1e9, 1e9]]
    assert part_at(np.full((GRID, GRID), 3, np.uint8), box, outside).tolist() == [0] * 5


@pytest.mark.parametrize("box", [(3.3, 7.7, 60.2, 55.1), (-40, 0, 900, 1500), (5, 5, 5, 9), (5, 5, 5, 5)])
def test_arrays_and_tensors_agree_also_over_a_box_without_area(box):
    rng, parts = np.random.default_rng(1), random_parts()
    xy = rng.uniform(-50, 1600, (5000, 2)).astype(np.float32)
    xy[:2500] = rng.uniform(box[:2], box[2:], (2500, 2))
    cells = to_cells(xy, np.float32(box))
    clear = (np.abs(cells - np.rint(cells)) > 2e-3).all(1)  # float32 may round a place on an edge to either side
    xy = xy[clear]
    of_tensors = parts_at(torch.from_numpy(xy), torch.from_numpy(parts), torch.tensor(box, dtype=torch.float32))
    np.testing.assert_array_equal(part_at(parts, np.float32(box), xy), of_tensors.numpy())


@pytest.mark.parametrize("box", [(3.3, 7.7, 60.2, 55.1), (-40.5, 20, 100, 300), (200, 9, 300, 20), (5, 5, 5.5, 9)])
def test_the_parts_of_all_pixels_are_those_at_their_centres(box):
    parts = random_parts()
    centres = np.stack(np.meshgrid(np.arange(120) + 0.5, np.arange(90) + 0.5), -1)
    np.testing.assert_array_equal(parts_of_pixels(parts, box, (90, 120)), part_at(parts, box, centres))


@pytest.mark.parametrize("box", [(0, 0, 256, 256), (3, 4, 515, 132), (2.5, 0.25, 98.5, 70.75)])
def test_a_grid_read_at_its_own_centres_is_itself(box):
    parts = random_parts()
    x, y = grid_centres(box)
    np.testing.assert_array_equal(part_at(parts, box, np.stack(np.meshgrid(x, y), -1)), parts)


def test_a_map_sampled_on_the_grid_and_read_back_at_the_pixels_centres_is_itself():
    """Of a map smaller than the grid nothing is lost; outside the map there is 0."""
    labels = np.random.default_rng(2).integers(1, 15, (90, 120), dtype=np.uint8)
    box = (-10, 5, 150, 95)
    on_grid = sample_on_grid(labels, box)
    column, row = np.arange(120), np.arange(5, 90)
    centres = np.stack(np.meshgrid(column + 0.5, row + 0.5), -1)
    np.testing.assert_array_equal(part_at(on_grid, box, centres), labels[5:])
    x, y = grid_centres(box)
    assert on_grid.dtype == np.uint8 and not on_grid[:, (x < 0) | (x > 120)].any() and not on_grid[y > 90].any()
    assert on_grid[np.ix_(y < 90, (x > 0) & (x < 120))].all()


def test_the_masks_of_an_annotation_are_this_grid():
    """By the file's other route: each part's run-length code, decoded, is the part sampled at the cells' centres."""
    i = np.zeros((60, 50), np.uint8)
    i[10:40, 20:45], i[25:33, 5:30] = 2, 24
    zero = np.zeros(i.shape, np.float32)
    entry = person_annotation(annotation_id=1, image_id=1, i=i, u=zero, v=zero, keypoints=np.zeros((17, 3)))
    x, y, width, height = entry["bbox"]
    on_grid = sample_on_grid(i, (x, y, x + width, y + height))
    for part, chart in ((1, 2), (14, 24)):
        np.testing.assert_array_equal(decode_mask(entry["dp_masks"][part - 1]), on_grid == chart)
