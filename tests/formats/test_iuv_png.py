"""I, U, V as red, green, blue, read by Pillow and by OpenCV; what is no such picture is refused."""

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.formats.people import SIZE_HW, assert_same_map, nobody, two_people

from opendensepose.formats.iuv_legacy import write_iuv_legacy
from opendensepose.formats.iuv_png import read_iuv_png, write_iuv_png, write_pose_with_style


@pytest.mark.parametrize(
    ("write", "name"), [(write_iuv_png, "two.iuv.png"), (write_pose_with_style, "pose-with-style/two_iuv.png")]
)
def test_red_is_i_green_u_and_blue_v_rounded(tmp_path, write, name):
    (path,) = write(tmp_path, two_people())
    assert path == tmp_path / name
    iuv = two_people().merged()
    with Image.open(path) as image:
        assert image.mode == "RGB" and image.size == SIZE_HW[::-1]
        pixels = np.asarray(image)
    np.testing.assert_array_equal(pixels[..., 0], iuv.i)
    for channel, value in ((1, iuv.u), (2, iuv.v)):
        assert np.abs(pixels[..., channel] - 255 * value.astype(np.float64)).max() <= 0.5
    assert not pixels[iuv.i == 0].any()
    np.testing.assert_array_equal(cv2.imread(str(path))[..., 2], iuv.i, "OpenCV reads V, U, I")
    (found,) = read_iuv_png(path)
    assert found.stem == "two" and len(found.people) == 1
    assert_same_map(found.people[0].iuv, iuv, step=0.5 / 255)


def test_nobody_is_a_black_picture(tmp_path):
    (path,) = write_iuv_png(tmp_path, nobody())
    assert not np.asarray(Image.open(path)).any()
    (found,) = read_iuv_png(path)
    assert found.people == [] and found.size_hw == SIZE_HW


def test_another_order_or_kind_is_refused(tmp_path):
    path, inds = write_iuv_legacy(tmp_path, two_people())
    with pytest.raises(ValueError, match="two_IUV.png: its red channel must be I, 0 to 24, .* --from iuv-legacy"):
        list(read_iuv_png(path))
    with pytest.raises(ValueError, match="must be a picture of kind RGB .*, got L"):
        list(read_iuv_png(inds))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        list(read_iuv_png(tmp_path / "gone.png"))
