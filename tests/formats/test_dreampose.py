"""U and V on zeros, as DreamPose loads them."""

import numpy as np
from tests.formats.people import SIZE_HW, two_people

from opendensepose.formats.dreampose import write_dreampose


def test_the_array_is_u_and_v_on_zeros(tmp_path):
    labelled = two_people("frame_7.png")
    (path,) = write_dreampose(tmp_path, labelled)
    assert path == tmp_path / "dreampose" / "frame_7_densepose.npy"
    array, iuv = np.load(path), labelled.merged()
    assert array.dtype == np.float32 and array.shape == (2, *SIZE_HW)
    np.testing.assert_array_equal(array, [iuv.u, iuv.v])
    assert not array[:, iuv.i == 0].any() and array[:, iuv.i > 0].any()
