"""Each pixel's colour stands where its chart, U and V say."""

import numpy as np
import pytest
from PIL import Image
from tests.formats.people import two_people

from opendensepose.formats.atlas import FILL_PX, atlas_of, write_atlas
from opendensepose.formats.labelled_photo import LabelledPhoto
from opendensepose.iuv import IUV


def one_pixel_maps(i, u, v):
    return IUV(np.uint8([i]), np.float32([u]), np.float32([v]))


def test_chart_u_and_v_give_the_place():
    """Chart 6 i + j + 1 is the cell of column i, row j; U goes right, V up."""
    image_rgb = np.uint8([[(9, 8, 7), (1, 2, 3), (250, 0, 0)]])
    atlas = atlas_of(image_rgb, one_pixel_maps([1, 8, 24], [0, 1, 0.5], [1, 0, 0.5]))
    assert atlas.shape == (1200, 800, 4) and atlas.dtype == np.uint8
    assert atlas[0, 0].tolist() == [9, 8, 7, 255]
    assert atlas[200 + 199, 200 + 199].tolist() == [1, 2, 3, 255]
    column, row = 600 + round(0.5 * 199), 1000 + round(0.5 * 199)
    assert atlas[row, column].tolist() == [250, 0, 0, 255]


def test_pixels_of_one_texel_become_their_mean_and_its_surroundings_are_filled():
    atlas = atlas_of(np.uint8([[(10, 0, 0), (20, 0, 0)]]), one_pixel_maps([2, 2], [0.5, 0.5], [0.5, 0.5]))
    cell = atlas[200:400, :200]
    assert cell[100, 100].tolist() == [15, 0, 0, 255]
    assert (cell[cell[..., 3] > 0] == [15, 0, 0, 255]).all()
    rows, columns = np.nonzero(cell[..., 3])
    assert np.hypot(rows - 100, columns - 100).max() == pytest.approx(FILL_PX, abs=1)
    assert not atlas[:200].any() and not atlas[400:].any() and not atlas[:, 200:].any(), "no colour leaves its chart"


def test_what_fills_is_the_nearest_colour():
    atlas = atlas_of(np.uint8([[(10, 0, 0), (200, 0, 0)]]), one_pixel_maps([1, 1], [0.5, 0.53], [0.5, 0.5]))
    assert atlas[100, 100, 0] == 10 and atlas[100, 102, 0] == 10 and atlas[100, 104, 0] == 200


def test_each_person_has_an_atlas_and_the_photo_is_needed(tmp_path):
    labelled = two_people()
    paths = write_atlas(tmp_path, labelled)
    assert [path.name for path in paths] == ["two.atlas_1.png", "two.atlas_2.png"]
    with Image.open(paths[0]) as image:
        assert image.size == (800, 1200) and image.mode == "RGBA"
    with pytest.raises(ValueError, match="needs the photo two.jpg"):
        write_atlas(tmp_path, LabelledPhoto(labelled.name, labelled.size_hw, labelled.people))
