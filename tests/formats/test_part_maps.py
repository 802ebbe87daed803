"""Colours, sizes and backgrounds that the tools expect, and what comes back from them."""

import numpy as np
import pytest
from PIL import Image
from tests.formats.people import SIZE_HW, two_people

from opendensepose.formats.labelled_photo import LabelledPhoto, one_person
from opendensepose.formats.part_maps import STYLES, draw_part_map, fit_labels, read_part_map, write_part_map
from opendensepose.iuv import IUV

EXACT = ("catvton", "cvton", "controlnet-parula", "controlnet-viridis")
# Published values: of OpenCV's parula and of matplotlib's viridis at 255 I / 24, cut off.
PARULA = {1: (37, 60, 163), 2: (20, 80, 194), 12: (55, 185, 159), 23: (250, 235, 25), 24: (249, 251, 14)}
VIRIDIS = {0: (68, 1, 84), 1: (71, 16, 99), 2: (72, 31, 112), 12: (33, 144, 141), 24: (253, 231, 37)}


def all_charts(size_hw=(50, 50)):
    """A photo whose pixels go through all 25 labels."""
    i = (np.arange(size_hw[0] * size_hw[1]) % 25).astype(np.uint8).reshape(size_hw)
    none = np.zeros(size_hw, np.float32)
    return LabelledPhoto("all.jpg", size_hw, [one_person(IUV(i, none, none))])


@pytest.mark.parametrize("name", STYLES)
def test_the_colours_are_the_published_ones(name):
    palette = STYLES[name].palette()
    if name == "catvton":
        np.testing.assert_array_equal(palette, np.arange(25))
        return
    assert palette.shape == (25, 3) and palette.dtype == np.uint8
    if name == "cvton":
        expected = {0: (0, 0, 0), 1: (105, 105, 105), 2: (85, 107, 47), 12: (186, 85, 211), 24: (127, 255, 212)}
    else:
        expected = VIRIDIS if name in ("magicanimate", "controlnet-viridis") else PARULA | {0: (0, 0, 0)}
    assert {i: tuple(palette[i].tolist()) for i in expected} == expected
    assert len({tuple(colour) for colour in palette.tolist()}) == 25


@pytest.mark.parametrize("name", EXACT)
def test_exact_maps_have_the_photo_s_size_and_come_back(tmp_path, name):
    labelled = all_charts()
    (path,) = write_part_map(name, tmp_path, labelled)
    assert path == tmp_path / name / "all.png"
    with Image.open(path) as image:
        assert image.size == (50, 50) and image.mode == ("L" if name == "catvton" else "RGB")
    (found,) = read_part_map(name, path)
    np.testing.assert_array_equal(found.merged().i, labelled.merged().i)
    pixels = np.array(Image.open(path))
    pixels[3, 7] = 99
    Image.fromarray(pixels).save(path)
    with pytest.raises(ValueError, match=rf"column 7, row 3 is .*99.*, which is no colour of {name}"):
        list(read_part_map(name, path))


@pytest.mark.parametrize(("name", "size_wh"), [("viton", (768, 1024)), ("magicanimate", (512, 512))])
def test_fitted_maps_have_the_tool_s_size_and_background(tmp_path, name, size_wh):
    (path,) = write_part_map(name, tmp_path, two_people())
    with Image.open(path) as image:
        assert image.size == size_wh and image.mode == "RGB"
        assert image.format == ("JPEG" if name == "viton" else "PNG")
        pixels = np.asarray(image).astype(int)
    background = (0, 0, 0) if name == "viton" else (68, 1, 84)
    assert np.abs(pixels[:100] - background).max() <= 3, "above a photo that is broader than the picture"
    expected = draw_part_map(two_people().merged().i, STYLES[name]).astype(int)
    assert np.abs(pixels - expected).mean() <= (3 if name == "viton" else 0)


def test_viton_is_called_as_the_photo_in_the_folder_that_is_read(tmp_path):
    (path,) = write_part_map("viton", tmp_path, all_charts())
    assert path == tmp_path / "image-densepose" / "all.jpg"


def test_a_photo_of_the_right_size_is_not_moved():
    i = all_charts((1024, 768)).merged().i
    np.testing.assert_array_equal(fit_labels(i, (768, 1024)), i)


def test_fitting_keeps_proportions_and_labels():
    i = np.zeros((10, 20), np.uint8)
    i[:, 10:] = 7
    fitted = fit_labels(i, (40, 40))
    assert fitted.shape == (40, 40) and set(np.unique(fitted)) == {0, 7}
    assert not fitted[:10].any() and not fitted[30:].any()
    assert (fitted[10:30, 20:] == 7).all() and not fitted[:, :20].any()
    assert fit_labels(np.full((1, 500), 3, np.uint8), (10, 10)).any(), "a strip keeps a row"
    assert fit_labels(np.full(SIZE_HW, 3, np.uint8), (6, 4)).all()


def test_of_several_people_the_surer_is_seen(tmp_path):
    labelled = two_people()
    (path,) = write_part_map("catvton", tmp_path, labelled)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), labelled.merged().i)
