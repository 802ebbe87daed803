"""U, V and confidence of a pixel have its place in the colour map; elsewhere the photo shows."""

import cv2
import numpy as np
import pytest
from tests.visualize.people import GREY, annotation, instance

from opendensepose.visualize import confidence_ramp, draw_confidence, draw_u, draw_v, uv_ramp


def test_the_ramps_are_opencv_s_parula_and_magma():
    for ramp, colour_map in ((uv_ramp(), cv2.COLORMAP_PARULA), (confidence_ramp(), cv2.COLORMAP_MAGMA)):
        ends = cv2.applyColorMap(np.array([[0, 255]], np.uint8), colour_map)[0, :, ::-1]
        np.testing.assert_array_equal(ramp[[0, 255]], ends)
        assert ramp.shape == (256, 3) and ramp.dtype == np.uint8


@pytest.mark.parametrize(
    ("draw", "colour"), [(draw_u, uv_ramp()[51]), (draw_v, uv_ramp()[204]), (draw_confidence, confidence_ramp()[128])]
)
def test_a_pixel_has_the_colour_of_its_value(draw, colour):
    person = instance(u=0.2, v=0.8, confidence=0.5)
    before = GREY.copy()
    picture = draw(GREY, [person], opacity=1.0)
    np.testing.assert_array_equal(GREY, before)
    labelled = person.iuv.i > 0
    assert (picture[labelled] == colour).all()
    assert (np.ptp(picture[~labelled].astype(int), axis=1) <= 1).all(), "the photo stays grey"


def test_the_surest_person_is_on_top_whatever_the_order():
    sure, unsure = instance(u=1.0, score=0.9), instance(u=0.0, score=0.3)
    for people in ([sure, unsure], [unsure, sure]):
        np.testing.assert_array_equal(draw_u(GREY, people), draw_u(GREY, [sure]))


def test_annotations_and_other_sizes_are_refused():
    with pytest.raises(ValueError, match="people must be Instances, not annotations"):
        draw_confidence(GREY, [annotation([[1, 1]], [1], [0], [0])])
    with pytest.raises(ValueError, match="must have the photo's shape"):
        draw_v(GREY[:-1], [instance()])
    with pytest.raises(ValueError, match="uint8"):
        draw_u(GREY.astype(float), [])
