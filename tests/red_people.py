"""A network for tests of what uses networks: whatever is red in a photo is a person, and nothing is learned."""

import numpy as np
import torch

from opendensepose.instance import Instance
from opendensepose.iuv import IUV


class RedPeople(torch.nn.Module):
    """Finds one person in each photo with red pixels: chart 2, U 0.25, V 0.75. The score is the share of red pixels.

    calls: the number of photos of each call of find or label, and what else it was given.
    """

    def __init__(self, min_score: float = 0.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.min_score, self.calls = min_score, []

    def prepare(self, mirrored=True, refine=True):
        self.options = mirrored, refine
        return self

    def find(self, images_rgb, min_score):
        self.calls.append((len(images_rgb), min_score))
        people = [_person(image, np.float32([0, 0, *image.shape[1::-1]])) for image in images_rgb]
        return [[one] if one.score > max(0, min_score) else [] for one in people]

    def label(self, images_rgb, boxes_xyxy):
        self.calls.append((len(images_rgb), [boxes.tolist() for boxes in boxes_xyxy]))
        return [
            [_person(*one) for one in ((image, box) for box in boxes)]
            for image, boxes in zip(images_rgb, boxes_xyxy, strict=True)
        ]


def _person(image_rgb: np.ndarray, box: np.ndarray) -> Instance:
    red = image_rgb[..., 0] > 200
    iuv = IUV(*((red * value).astype(kind) for value, kind in ((2, np.uint8), (0.25, np.float32), (0.75, np.float32))))
    return Instance(box, float(red.mean()), iuv, red.astype(np.float32))


def photo_with_red(size_hw: tuple[int, int], *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """A grey photo (H, W, 3) uint8 with red boxes x0, y0, x1, y1."""
    image = np.full((*size_hw, 3), 60, np.uint8)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] = 250, 0, 0
    return image
