"""IUV maps: checked when made; cutting and mirroring."""

import numpy as np
import pytest

from opendensepose.iuv import IUV, PixelLookup, QuantisedIUV, crop_iuv, empty_iuv, flip_iuv, labelled_points
from opendensepose.surface import SurfacePoints, load_charts, load_surface


def random_iuv(rng, size_hw=(7, 5)):
    i = rng.integers(0, 25, size_hw, dtype=np.uint8)
    u, v = (np.where(i > 0, rng.random(size_hw), 0).astype(np.float32) for _ in "uv")
    return IUV(i, u, v)


def assert_same(a, b, atol=0.0):
    np.testing.assert_array_equal(a.i, b.i)
    np.testing.assert_allclose(a.u, b.u, atol=atol)
    np.testing.assert_allclose(a.v, b.v, atol=atol)


@pytest.mark.parametrize(
    ("i", "u", "says"),
    [
        ([[1, 0], [0, 0]], np.zeros((2, 2), np.float32), "i, u and v must be NumPy arrays, got list"),
        (np.zeros((2, 2), np.int64), np.zeros((2, 2), np.float32), "i must be uint8"),
        (np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2), np.float32), "shape"),
        (np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.float32), "u must be float32"),
        (np.zeros((2, 2), np.uint8), np.zeros((2, 2)), "u must be float32"),
        (np.zeros((2, 2), np.uint8), np.full((2, 2), 1.5, np.float32), "u must lie"),
        (np.zeros((2, 2), np.uint8), np.full((2, 2), np.nan, np.float32), "u must lie"),
        (np.full((2, 2), 25, np.uint8), np.zeros((2, 2), np.float32), "i must be 0..24"),
    ],
)
def test_wrong_maps_are_refused(i, u, says):
    with pytest.raises(ValueError, match=says):
        IUV(i, u, np.zeros((2, 2), np.float32))


def test_crop_is_a_slice_and_outside_is_background():
    iuv = random_iuv(np.random.default_rng(0))
    inside = crop_iuv(iuv, (1, 2, 4, 6))
    np.testing.assert_array_equal(inside.i, iuv.i[2:6, 1:4])
    np.testing.assert_array_equal(inside.v, iuv.v[2:6, 1:4])
    wider = crop_iuv(iuv, (-2, -3, 8, 9))
    assert wider.size_hw == (12, 10)
    assert_same(crop_iuv(wider, (2, 3, 7, 10)), iuv)
    assert (wider.i > 0).sum() == (iuv.i > 0).sum()
    assert not crop_iuv(iuv, (20, 20, 23, 24)).i.any()


def test_crop_refuses_a_box_turned_round():
    with pytest.raises(ValueError, match="x0 <= x1"):
        crop_iuv(empty_iuv((3, 3)), (2, 0, 1, 3))


def test_flip_twice_is_identity():
    iuv = random_iuv(np.random.default_rng(2), (40, 30))
    assert_same(flip_iuv(flip_iuv(iuv)), iuv, atol=1e-6)


def test_flip_by_hand():
    i = np.array([[3, 2, 9]], np.uint8)  # right hand, torso front, right upper leg front
    uv = np.array([[0.25, 0.25, 0.25]], np.float32)
    flipped = flip_iuv(IUV(i, uv, uv))
    assert flipped.i.tolist() == [[10, 2, 4]]
    np.testing.assert_allclose(flipped.u, [[0.25, 0.25, 0.75]])  # U turns round on the hand only
    np.testing.assert_allclose(flipped.v, [[0.25, 0.75, 0.25]])  # V on the torso only


def test_a_quantised_map_is_the_map_in_255ths_and_0_on_background():
    i, u = np.array([[0, 3]], np.uint8), np.array([[7, 51]], np.uint8)
    iuv = QuantisedIUV(i, u, u[:, ::-1]).to_iuv()
    assert iuv.i.tolist() == [[0, 3]] and iuv.size_hw == (1, 2)
    np.testing.assert_allclose([iuv.u, iuv.v], [[[0, 0.2]], [[0, 7 / 255]]])
    for wrong in ((i, u.astype(float), u), (i, u, u.T), (i + 24, u, u), (i[0], u[0], u[0])):
        with pytest.raises(ValueError, match="must be uint8|must be 0..24"):
            QuantisedIUV(*wrong)


def test_labelled_pixels_and_their_points_by_hand():
    iuv = empty_iuv((3, 4))
    iuv.i[1, 2], iuv.u[1, 2], iuv.v[1, 2] = 2, 0.4, 0.5
    pixel_xy, points = labelled_points(iuv)
    assert pixel_xy.tolist() == [[2, 1]]
    i, u, v = load_charts().from_points(points)
    assert (i[0], u[0], v[0]) == (2, pytest.approx(0.4, abs=1e-5), pytest.approx(0.5, abs=1e-5))
    assert len(labelled_points(empty_iuv((3, 4)))[1]) == 0


def test_pixels_are_found_again():
    """A picture of one chart, 100 pixels to U and V: each point leads to a pixel whose label is near."""
    iuv = empty_iuv((100, 100))
    iuv.i[:] = 2
    iuv.u[:], iuv.v[:] = np.meshgrid(np.linspace(0.3, 0.6, 100), np.linspace(0.3, 0.6, 100))
    pixel_xy, points = labelled_points(iuv)
    lookup = PixelLookup(iuv)
    found = lookup.find(points)
    assert np.abs(found - pixel_xy).max() <= 2
    surface = load_surface()
    shown = points.xyz(surface.vertices, surface.faces)[found[:, 1] * 100 + found[:, 0]]
    assert np.linalg.norm(shown - points.xyz(surface.vertices, surface.faces), axis=1).max() < 0.006
    elsewhere = load_charts().to_points([2, 1, 2], [0.7, 0.4, 0.61], [0.5, 0.5, 0.5])
    assert lookup.find(elsewhere).min(1).tolist()[:2] == [-1, -1] and lookup.find(elsewhere)[2, 0] == 99
    assert PixelLookup(empty_iuv((3, 4))).find(SurfacePoints([0], [[1, 0, 0]])).tolist() == [[-1, -1]]
