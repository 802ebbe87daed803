"""A person's pixels, cut to the person, with a soft edge."""

import numpy as np
import pytest
from PIL import Image
from tests.formats.people import two_people

from opendensepose.formats.cutout import MARGIN_PX, cut_out, write_cutout
from opendensepose.formats.labelled_photo import LabelledPhoto
from opendensepose.iuv import IUV


def test_each_person_is_a_picture_of_the_photo_s_pixels(tmp_path):
    labelled = two_people()
    paths = write_cutout(tmp_path, labelled)
    assert [path.name for path in paths] == ["two.cutout_1.png", "two.cutout_2.png"]
    with Image.open(paths[1]) as image:
        assert image.mode == "RGBA"
        picture = np.asarray(image)
    window = np.s_[5 - MARGIN_PX : 35 + MARGIN_PX, 25 - MARGIN_PX : 50 + MARGIN_PX]
    np.testing.assert_array_equal(picture[..., :3], labelled.image_rgb[window])
    inner, outer = MARGIN_PX + 2, MARGIN_PX - 1
    assert (picture[inner:-inner, inner:-inner, 3] == 255).all()
    assert not picture[:outer, :, 3].any() and not picture[:, -outer:, 3].any()


def test_at_the_photo_s_edge_nothing_fades():
    zero = np.zeros((6, 8), np.float32)
    alpha = cut_out(np.zeros((6, 8, 3), np.uint8), IUV(np.full((6, 8), 2, np.uint8), zero, zero))[..., 3]
    assert alpha.shape == (6, 8) and (alpha == 255).all()


def test_the_photo_is_needed(tmp_path):
    labelled = two_people()
    with pytest.raises(ValueError, match="needs the photo two.jpg"):
        write_cutout(tmp_path, LabelledPhoto(labelled.name, labelled.size_hw, labelled.people))
    assert not list(tmp_path.iterdir())
