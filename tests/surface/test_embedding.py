"""A person's surface embedding: its pixels read between cells, and what it is checked for."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from opendensepose.surface import NO_VERTEX, SurfaceEmbedding


def embedding(window=(3, 1, 7, 4), dimensions=2, cells=4, **changes):
    x0, y0, x1, y1 = window
    rng = np.random.default_rng(0)
    arrays = {
        "mesh": "tiny",
        "window_xyxy": np.array(window, np.int32),
        "vertex": rng.integers(-1, 9, (y1 - y0, x1 - x0)).astype(np.int32),
        "maps": rng.standard_normal((dimensions, cells, cells)).astype(np.float32),
    }
    return SurfaceEmbedding(**arrays | changes)


def test_pixels_between_cells_by_hand():
    """Two cells a side over four pixels: their centres lie a quarter and three quarters along."""
    one = embedding((10, 20, 14, 24), maps=np.float32([[[0, 4], [8, 12]]]))
    assert one.at_pixels(np.array([10, 11, 12, 13]), np.full(4, 20))[:, 0].tolist() == [0, 1, 3, 4]
    assert one.at_pixels(np.full(4, 13), np.array([20, 21, 22, 23]))[:, 0].tolist() == [4, 6, 10, 12]


@pytest.mark.parametrize("window", [(3, 1, 40, 20), (0, 0, 1, 1), (5, 5, 8, 60)])
def test_pixels_are_those_of_bilinear_interpolation(window):
    one = embedding(window, dimensions=3, cells=7)
    rows, columns = one.window
    y, x = (part.ravel() for part in np.mgrid[rows, columns])
    whole = F.interpolate(torch.from_numpy(one.maps)[None], one.vertex.shape, mode="bilinear")[0]
    np.testing.assert_allclose(one.at_pixels(x, y), whole.flatten(1).T.numpy(), atol=1e-5)


def test_vertices_are_put_into_the_photo():
    one = embedding()
    whole = one.vertex_in_photo((6, 9))
    np.testing.assert_array_equal(whole[1:4, 3:7], one.vertex)
    whole[1:4, 3:7] = NO_VERTEX
    assert (whole == NO_VERTEX).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"window_xyxy": np.array([3, 1, 7, 4])}, r"window_xyxy must be int32 \(4,\), got int64"),
        ({"window_xyxy": np.int32([3, 1, 3, 4])}, r"0 <= x0 < x1 and 0 <= y0 < y1, got \[3, 1, 3, 4\]"),
        ({"window_xyxy": np.int32([-1, 1, 3, 4])}, r"got \[-1, 1, 3, 4\]"),
        ({"vertex": np.zeros((4, 3), np.int32)}, r"vertex must be int32 of shape \(3, 4\) like its window, got .*4, 3"),
        ({"vertex": np.zeros((3, 4))}, "vertex must be int32 .*, got float64"),
        ({"maps": np.zeros((2, 4, 5), np.float32)}, r"maps must be float32 \(D, S, S\), got .* \(2, 4, 5\)"),
    ],
)
def test_other_arrays_are_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        embedding(**changes)
