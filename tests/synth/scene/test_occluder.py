import numpy as np
import pytest
import torch

from opendensepose.synth.scene.occluder import COVERAGE, OCCLUDER_KINDS, make_occluder

BOX = (50.0, 30.0, 140.0, 230.0)


def hidden_share(alpha, box):
    x0, y0, x1, y1 = (int(v) for v in box)
    return float(alpha[max(y0, 0) : y1, max(x0, 0) : x1].mean())


@pytest.mark.parametrize("kind", OCCLUDER_KINDS)
def test_every_kind_gives_a_picture_and_an_alpha_within_bounds(kind):
    for seed in range(8):
        rgb, alpha = make_occluder(np.random.default_rng(seed), (256, 192), BOX, kind=kind)
        assert rgb.shape == (256, 192, 3) and alpha.shape == (256, 192)
        assert rgb.dtype == alpha.dtype == torch.float32
        assert 0 <= rgb.min() and rgb.max() <= 1 and 0 <= alpha.min() and alpha.max() <= 1
        assert COVERAGE[0] - 1e-6 <= hidden_share(alpha, BOX) <= COVERAGE[1] + 1e-6


@pytest.mark.parametrize(
    ("size_hw", "box"),
    [
        ((37, 91), (10, 4, 30, 33)),
        ((64, 48), (-40, -30, 20, 90)),  # mostly outside: the visible part counts
        ((50, 50), (20, 20, 23, 23)),  # tiny
        ((50, 50), (20.4, 20.5, 22.5, 22.6)),
        ((480, 640), (0, 0, 640, 480)),
        ((120, 90), (10.4, 20.7, 60.2, 118.9)),
    ],
)
def test_coverage_holds_for_boxes_of_any_size_and_place(size_hw, box):
    inside = np.clip(box, 0, (size_hw[1], size_hw[0]) * 2)
    low, high = np.floor(inside[:2]), np.ceil(inside[2:])
    for seed in range(15):
        rgb, alpha = make_occluder(np.random.default_rng(seed), size_hw, box)
        assert rgb.shape == (*size_hw, 3)
        assert COVERAGE[0] - 1e-6 <= hidden_share(alpha, (*low, *high)) <= COVERAGE[1] + 1e-6


def test_an_occluder_depends_on_the_rng_alone():
    first = make_occluder(np.random.default_rng(5), (128, 96), (20, 20, 80, 120), pool_seed=1)
    for seed in range(10):
        make_occluder(np.random.default_rng(seed), (128, 96), (20, 20, 80, 120))
    again = make_occluder(np.random.default_rng(5), (128, 96), (20, 20, 80, 120), pool_seed=1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_the_surface_is_painted_wherever_alpha_shows_it():
    for seed in range(20):
        rgb, alpha = make_occluder(np.random.default_rng(seed), (128, 96), (20, 20, 80, 120), kind="counter")
        opaque = alpha > 0.99
        assert (rgb[opaque].amax(-1) > 0).float().mean() > 0.99


def test_a_box_outside_the_picture_is_refused():
    with pytest.raises(ValueError, match="box_xyxy must cover at least 2 x 2 pixels"):
        make_occluder(np.random.default_rng(0), (50, 50), (60, 10, 90, 40))


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="occluder kind must be one of counter, .*, got 'person'"):
        make_occluder(np.random.default_rng(0), (50, 50), (10, 10, 40, 40), kind="person")
