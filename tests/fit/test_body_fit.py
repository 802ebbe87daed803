"""The whole way: a body of known pose, shape and camera is found from exact labels; what nobody sees stays usual."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fit.people import CAMERA, fitter, labelled, placement, vertices_of

from opendensepose.fit.body_fit import guess_focal
from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.surface import load_surface


def kept(person: Instance, where: np.ndarray) -> Instance:
    """The person with labels where a map (H, W) bool says so."""
    iuv = IUV(*(np.where(where, one, 0).astype(one.dtype) for one in (person.iuv.i, person.iuv.u, person.iuv.v)))
    return replace(person, iuv=iuv, confidence=np.where(where, person.confidence, 0).astype(np.float32))


@pytest.fixture(scope="module")
def whole():
    vertices = vertices_of(placement(1))
    return vertices, labelled(vertices), fitter()(labelled(vertices), CAMERA.focal_px)


def test_a_known_body_is_found(whole):
    vertices, person, fit = whole
    seen = np.unique(load_surface().faces[np.unique(_faces(person))])
    off = np.linalg.norm((fit.vertices - fit.vertices.mean(0)) - (vertices - vertices.mean(0)), axis=1)
    assert off.mean() < 0.05 and off[seen].mean() < 0.04
    assert fit.off_px < 0.5 and fit.camera.focal_px == pytest.approx(CAMERA.focal_px)
    assert np.linalg.norm(fit.camera.project(fit.vertices) - CAMERA.project(vertices), axis=1)[seen].mean() < 1.5


def _faces(person: Instance) -> np.ndarray:
    from opendensepose.iuv import labelled_points

    return labelled_points(person.iuv)[1].face


def test_the_parameters_are_annys(whole):
    """Anny, given the pose and shape that were found, has the vertices that were found."""
    _, _, fit = whole
    shape = np.array([list(fit.shape.values())], np.float32)
    posed = fitter().skeleton.body.pose(shape, fit.pose[None]).vertices[0].numpy()
    assert posed[load_surface().anny_vertex] == pytest.approx(fit.vertices, abs=1e-5)
    assert 0 <= min(fit.shape.values()) and max(fit.shape.values()) <= 1


def test_what_no_pixel_shows_stays_usual_and_says_so(whole):
    _, person, with_legs = whole
    legs = np.isin(person.iuv.i, (5, 6, 7, 8, 9, 10, 11, 12, 13, 14))
    fit = fitter()(kept(person, ~legs & (person.iuv.i > 0)), CAMERA.focal_px)
    for joint in ("lowerleg01.L", "lowerleg01.R", "foot.L", "foot.R"):
        assert fit.confidence[joint] < 0.7 * with_legs.confidence[joint], fit.confidence
        columns = fitter().skeleton.space.columns[joint]
        pose = fitter().skeleton.space.from_matrices(fit.pose[:, :3, :3])[columns]
        spread = np.sqrt(np.diag(fitter().prior.covariance)[columns])
        assert (np.abs(pose - fitter().prior.mean[columns]) < 2 * spread).all()


def test_bad_input(whole):
    _, person, _ = whole
    with pytest.raises(ValueError, match="at least 60 labelled pixels, got 0"):
        fitter()(kept(person, np.zeros(CAMERA.size_hw, bool)))
    for focal in (0, -3, np.nan, np.inf):
        with pytest.raises(ValueError, match="focal length must be above 0"):
            fitter()(person, focal)
    assert guess_focal((100, 200)) == guess_focal((200, 100)) > 200
