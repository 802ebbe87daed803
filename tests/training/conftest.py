"""`render`, a stand-in for synth.generate.render_images: upright ellipses as bodies, upper half chart 2, lower half
chart 1, U down and V across."""

from types import SimpleNamespace

import numpy as np
import pytest

from opendensepose.training.recipes import Recipe


def render_ellipses(rngs, size_hw, framing="scene", num_people=None, device="cpu", pool_seed=0):
    """One picture per generator."""
    return [_picture(rng, size_hw, framing, num_people) for rng in rngs]


def _picture(rng, size_hw, framing, num_people):
    """Flat coloured ellipses on noise, with the fields of RenderedImage that training reads. Later people are in
    front."""
    if num_people is None:
        num_people = 1 + int(rng.integers(2)) if framing == "portrait" else int(rng.integers(4))
    height, width = size_hw
    image = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
    i, person = np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.uint8)
    u, v = np.zeros(size_hw, np.float32), np.zeros(size_hw, np.float32)
    y, x = np.mgrid[:height, :width] + 0.5
    boxes = []
    for k in range(1, num_people + 1):
        portrait = framing == "portrait" and k == 1
        half_h = height * (0.42 if portrait else rng.uniform(0.1, 0.3))
        half_w = half_h * 0.5
        centre_y = height / 2 if portrait else rng.uniform(half_h, height - half_h)
        centre_x = width / 2 if portrait else rng.uniform(half_w, width - half_w)
        if framing == "portrait" and k > 1:
            centre_x = width * 0.95
        inside = ((y - centre_y) / half_h) ** 2 + ((x - centre_x) / half_w) ** 2 <= 1
        if framing == "portrait" and k > 1:
            inside &= person != 1
        if not inside.any():
            continue
        image[inside] = [220, 160, 120] if k == 1 else [200, 180, 90]
        person[inside] = k
        i[inside] = np.where(y < centre_y, 2, 1)[inside]
        u[inside] = ((y - centre_y + half_h) / (2 * half_h))[inside]
        v[inside] = ((x - centre_x + half_w) / (2 * half_w))[inside]
    for k in range(1, num_people + 1):
        ys, xs = np.nonzero(person == k)
        if len(ys):
            boxes.append([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return SimpleNamespace(image_rgb=image, i=i, u=u, v=v, person=person, boxes_xyxy=boxes)


@pytest.fixture
def render():
    return render_ellipses


@pytest.fixture
def tiny_recipe():
    """A function that makes a recipe which runs in seconds."""

    def make(**changes):
        values = {
            "name": "tiny",
            "architecture": "glance_look",
            "kwargs": {"widths": (8, 8, 8, 8), "depths": (0, 0, 0, 0), "dense_channels": 8, "look_hw": (48, 24)},
            "look_hw": (48, 24),
            "glance_sides": (64, 32),
            "steps": 6,
            "batch_size": 4,
            "glance_every": 3,
            "workers": 0,
            "warmup_steps": 2,
            "validate_every": 3,
            "validation_images": 3,
        }
        return Recipe(**(values | changes))

    return make
