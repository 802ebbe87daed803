"""A row says what the Predictor says, up to the 255ths of its labels, and a bad photo is a sentence."""

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.red_people import RedPeople, photo_with_red

from opendensepose.predict import Predictor
from opendensepose.scale.rows import Choice, label_photos, people_of_row, photo_row

SIZES = [(20, 30), (40, 30), (20, 30), (20, 30), (40, 30), (20, 30), (20, 30)]


@pytest.fixture
def photos(tmp_path):
    found = []
    for k, size_hw in enumerate(SIZES):
        path = tmp_path / f"{k}.png"
        Image.fromarray(photo_with_red(size_hw, (2, 3, 10 + k, 12))).save(path)
        found.append((str(path), path.stat().st_size))
    (tmp_path / "bad.jpg").write_bytes(b"text")
    return [*found, (str(tmp_path / "bad.jpg"), 4), (str(tmp_path / "gone.jpg"), 9)]


def test_each_photo_is_one_row_or_one_sentence_and_those_of_one_size_run_together(photos):
    network = RedPeople()
    rows = dict(label_photos(photos, Predictor(network), Choice()))
    assert sorted(rows) == list(range(9))
    assert rows[7] == f"{photos[7][0]} is not an image that can be read." and "gone.jpg" in rows[8]
    assert [count for count, _ in network.calls] == [4, 1, 2]
    for k in range(7):
        image = photo_with_red(SIZES[k], (2, 3, 10 + k, 12))
        (expected,) = Predictor(RedPeople())(image)
        (person,) = people_of_row(rows[k])
        assert rows[k]["photo"], rows[k]["bytes"] == photos[k]
        assert rows[k]["labels_0"].shape == (4, 9, 8 + k) and rows[k]["size_hw"].tolist() == list(SIZES[k])
        np.testing.assert_array_equal(person.iuv.i, expected.iuv.i)
        for name in "uv":
            np.testing.assert_allclose(getattr(person.iuv, name), getattr(expected.iuv, name), atol=0.5 / 255)
        assert person.score == pytest.approx(expected.score) and person.box_xyxy.tolist() == expected.box_xyxy.tolist()


def test_a_photo_that_the_network_fails_at_costs_itself_only(photos):
    class Failing(RedPeople):
        def find(self, images_rgb, min_score):
            if any((image[..., 0] > 200).sum() == 9 * 10 for image in images_rgb):
                raise cv2.error("too much")
            return super().find(images_rgb, min_score)

    rows = dict(label_photos(photos[:7], Predictor(Failing()), Choice()))
    assert [isinstance(rows[k], str) for k in range(7)] == [False, False, True, False, False, False, False]
    assert "OpenCV says" in rows[2] and photos[2][0] in rows[2]

    class Broken(RedPeople):
        def find(self, images_rgb, min_score):
            raise RuntimeError("a defect of the code, not of the photo")

    with pytest.raises(RuntimeError):
        list(label_photos(photos[:1], Predictor(Broken()), Choice()))


def test_whose_labels_and_which():
    (person,) = Predictor(RedPeople())(photo_with_red((20, 30), (0, 0, 5, 5)))
    assert len(photo_row(("a", 1), (20, 30), [person] * 3, Choice(person="2"))["scores"]) == 1
    assert len(photo_row(("a", 1), (20, 30), [person] * 3, Choice(person="4"))["scores"]) == 0
    with pytest.raises(ValueError, match="a person must be"):
        Choice(person="nobody")
    with pytest.raises(ValueError, match="min_confidence"):
        Choice(min_confidence=2)
