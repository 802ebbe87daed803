"""The old tool's two pictures: OpenCV reads I, U, V; persons count from 1, and files that count from 0 are read too."""

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.formats.people import SIZE_HW, assert_same_map, nobody, two_people

from opendensepose.formats.iuv_legacy import read_iuv_legacy, write_iuv_legacy
from opendensepose.formats.iuv_png import write_iuv_png
from opendensepose.instance import merge_instances


@pytest.fixture
def written(tmp_path):
    return write_iuv_legacy(tmp_path, two_people())


def test_opencv_reads_i_u_v_cut_off(written):
    assert [path.name for path in written] == ["two_IUV.png", "two_INDS.png"]
    iuv, person = merge_instances(two_people().people, SIZE_HW)
    pixels = cv2.imread(str(written[0]), cv2.IMREAD_UNCHANGED)
    assert pixels.dtype == np.uint8 and pixels.shape == (*SIZE_HW, 3)
    np.testing.assert_array_equal(pixels[..., 0], iuv.i)
    for channel, value in ((1, iuv.u), (2, iuv.v)):
        np.testing.assert_array_equal(pixels[..., channel], np.floor(255 * value))
    inds = cv2.imread(str(written[1]), cv2.IMREAD_UNCHANGED)
    assert inds.dtype == np.uint8
    np.testing.assert_array_equal(inds, person)
    np.testing.assert_array_equal(inds > 0, iuv.i > 0, "0 is background only")


def test_people_come_back_without_what_is_hidden(written):
    (found,) = read_iuv_legacy(written[0])
    iuv, person = merge_instances(two_people().people, SIZE_HW)
    assert found.stem == "two" and len(found.people) == 2
    for number, one in enumerate(found.people, start=1):
        np.testing.assert_array_equal(one.iuv.i, np.where(person == number, iuv.i, 0))
    assert_same_map(found.merged(), iuv, step=1 / 255)


def test_a_file_that_counts_people_from_0_is_read_alike(written):
    with Image.open(written[1]) as image:
        inds = np.asarray(image)
    expected = next(read_iuv_legacy(written[0])).people
    Image.fromarray(np.where(inds > 0, inds - 1, 0).astype(np.uint8)).save(written[1])
    found = next(read_iuv_legacy(written[0])).people
    assert len(found) == 2
    for one, other in zip(found, expected, strict=True):
        assert_same_map(one.iuv, other.iuv)


def test_without_the_second_file_people_are_not_separated(written):
    written[1].unlink()
    (found,) = read_iuv_legacy(written[0])
    assert len(found.people) == 1
    path, _ = write_iuv_legacy(written[0].parent, nobody())
    assert next(read_iuv_legacy(path)).people == []


def test_wrong_files_are_said(written, tmp_path):
    Image.new("L", (3, 4)).save(written[1])
    with pytest.raises(ValueError, match="two_INDS.png is 3 x 4"):
        list(read_iuv_legacy(written[0]))
    (path,) = write_iuv_png(tmp_path, two_people())
    with pytest.raises(ValueError, match="its blue channel must be I, .* --from iuv-png"):
        list(read_iuv_legacy(path))
