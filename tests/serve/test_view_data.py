"""What the page gets: packed arrays that say of each pixel what the person's maps say."""

import base64
import zlib

import numpy as np
from tests.red_people import photo_with_red
from tests.serve.serving import RED_BOX, SIZE_HW, label_red
from tests.texture.people import seen_from

from opendensepose.serve.view_data import body_data, view_data
from opendensepose.surface import SurfacePoints, load_charts


def unpacked(packed, dtype):
    return np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype)


def test_pixels_lead_to_their_points():
    image, person = seen_from("front", 8)
    data = view_data(image, [person])
    face, who = unpacked(data["face"], "<u2"), unpacked(data["person"], np.uint8)
    second, third = (unpacked(data[name], np.uint8) / 255 for name in ("first", "second"))
    seen = person.iuv.i.ravel() > 0
    np.testing.assert_array_equal(who > 0, seen)
    weights = np.stack([1 - second - third, second, third], 1)[seen]
    i, u, v = load_charts().from_points(SurfacePoints(face[seen].astype(np.int32), weights))
    np.testing.assert_array_equal(i, person.iuv.i.ravel()[seen])
    np.testing.assert_allclose(u, person.iuv.u.ravel()[seen], atol=0.01)
    np.testing.assert_allclose(v, person.iuv.v.ravel()[seen], atol=0.01)
    assert (unpacked(data["confidence"], np.uint8)[seen] == 255).all()
    assert data["photo"].startswith("data:image/jpeg;base64,")
    assert (data["height"], data["width"]) == image.shape[:2]


def test_large_photos_are_reduced_and_nobody_is_fine():
    data = view_data(np.zeros((1300, 2600, 3), np.uint8), [])
    assert data["step"] == 3 and (data["height"], data["width"]) == (434, 867)
    assert not unpacked(data["person"], np.uint8).any() and data["people"] == []


def test_boxes_and_scores_are_there():
    (people,) = label_red([photo_with_red(SIZE_HW, RED_BOX)])
    data = view_data(photo_with_red(SIZE_HW, RED_BOX), people)
    assert data["people"] == [{"box": [0, 0, 60, 40], "score": round(400 / 2400, 3)}]


def test_the_body_is_made_once():
    assert body_data() is body_data()
    assert len(body_data()["uvRamp"]) == 256 and len(body_data()["partColours"]) == 15
