import numpy as np
import pytest

from opendensepose.annotate.checks.model_labels import LabelCache, PersonLabels, label_person
from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.surface import load_charts


class Labels:
    """Stands for a Predictor: left of the middle of the box torso, right a hand; U and V are x and y in the box."""

    def __init__(self, found: bool = True):
        self.found, self.sizes, self.boxes = found, [], []

    def __call__(self, image_rgb, boxes):
        self.sizes.append(image_rgb.shape)
        self.boxes.append(boxes[0])
        x0, y0, x1, y1 = boxes[0]
        height, width = image_rgb.shape[:2]
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        i = np.where(x < (x0 + x1) / 2, 2, 4).astype(np.uint8)
        u, v = (np.clip(values, 0, 1).astype(np.float32) for values in ((x - x0) / (x1 - x0), (y - y0) / (y1 - y0)))
        return [Instance(boxes[0], 1.0, IUV(i, u, v), np.full_like(u, 0.7))] if self.found else []


@pytest.mark.parametrize("box", [(20, 0, 60, 100), (300, 1000, 2100, 3800)])
def test_the_parts_lie_over_the_box(box):
    labels = label_person(Labels(), np.zeros((4000, 3000, 3), np.uint8), np.array(box))
    parts = labels.parts(np.array(box))
    assert parts.shape == (256, 256) and parts.dtype == np.uint8
    assert (parts[:, :127] == 1).all() and (parts[:, 129:] == 3).all()


def test_the_model_gets_a_crop_shrunk_to_what_it_can_use():
    model = Labels()
    photo = np.zeros((4000, 3000, 3), np.uint8)
    photo[1000:3800, 300:2100] = 200
    label_person(model, photo, np.array([300, 1000, 2100, 3800]))
    ((height, width, _),) = model.sizes
    x0, y0, x1, y1 = model.boxes[0]
    assert max(height, width) < 1500 and y1 - y0 == pytest.approx(512, abs=1)
    assert (x1 - x0) / (y1 - y0) == pytest.approx(1800 / 2800, abs=0.01)
    small = np.zeros((300, 200, 3), np.uint8)
    label_person(model, small, np.array([0, 0, 200, 300]))
    assert model.sizes[-1] == small.shape and model.boxes[-1].tolist() == [0, 0, 200, 300]


def test_an_answer_is_the_label_at_the_pixel_or_the_nearest_of_its_part():
    box = np.array([20, 10, 60, 110.0])
    labels = label_person(Labels(), np.zeros((200, 100, 3), np.uint8), box)
    xy = np.array([[30.5, 35.5], [39.5, 60.5], [40.5, 60.5], [55.5, 60.5], [55.5, 60.5]])
    said = labels.answers(np.array([1, 1, 1, 3, 1]), xy, box)
    assert said.is_known.tolist() == [True, True, True, True, False]  # the third is a pixel away, the last is too far
    i, u, v = load_charts().from_points(said.points)
    assert i.tolist() == [2, 2, 2, 4]
    np.testing.assert_allclose(u[:2], (xy[:2, 0] - 20) / 40, atol=0.03)
    np.testing.assert_allclose(v[:2], (xy[:2, 1] - 10) / 100, atol=0.03)
    np.testing.assert_allclose(u[2], u[1], atol=1e-6)
    assert said.confidence == pytest.approx([0.7] * 4)
    none = labels.answers(np.zeros(0, np.uint8), np.zeros((0, 2)), box)
    assert len(none.points) == len(none.is_known) == 0


def test_nobody_in_the_box():
    assert label_person(Labels(found=False), np.zeros((100, 80, 3), np.uint8), np.array([0, 0, 60, 100.0])) is None


def test_a_person_is_labelled_once_and_the_oldest_are_forgotten():
    cache, made = LabelCache(most=2), []

    def get(key):
        return cache.get((key,), lambda: made.append(key))

    for key in (1, 2, 1, 3, 2, 1):
        assert get(key) is None  # the model saw nobody, which is kept too
    assert made == [1, 2, 3, 1]


def test_labels_are_of_the_crop():
    labels = PersonLabels(
        IUV(np.full((2, 2), 2, np.uint8), *np.full((2, 2, 2), 0.5, np.float32)),
        np.ones((2, 2), np.float32),
        np.array([10.0, 10.0]),
        np.array([0.5, 0.5]),
    )
    parts = labels.parts(np.array([10, 10, 18, 14.0]))
    assert (parts[:, :128] == 1).all() and (parts[:, 128:] == 0).all()
