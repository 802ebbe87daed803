import numpy as np

from opendensepose.annotate.surface.guess import guess_parts
from opendensepose.instance import Instance
from opendensepose.iuv import IUV


class Labels:
    """Stands for a Predictor: hands and torso halves of a photo."""

    def __init__(self, found: bool = True):
        self.found = found

    def __call__(self, image_rgb, boxes):
        size = image_rgb.shape[:2]
        i = np.zeros(size, np.uint8)
        i[:, : size[1] // 2], i[:, size[1] // 2 :] = 2, 4
        zero = np.zeros(size, np.float32)
        return [Instance(boxes[0], 1.0, IUV(i, zero, zero), zero)] if self.found else []


def test_the_guess_is_the_models_chart_as_a_part_on_the_grid_of_the_box():
    photo = np.zeros((100, 80, 3), np.uint8)
    guess = guess_parts(Labels(), photo, np.array([20, 0, 60, 100.0]))
    assert guess.shape == (256, 256) and guess.dtype == np.uint8
    assert (guess[:, :128] == 1).all() and (guess[:, 128:] == 3).all()
    beyond = guess_parts(Labels(), photo, np.array([40, 0, 120, 100.0]))
    assert (beyond[:, :128] == 3).all() and (beyond[:, 128:] == 0).all()
    assert not guess_parts(Labels(found=False), photo, np.array([0, 0, 60, 100.0])).any()
