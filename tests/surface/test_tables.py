import numpy as np
import pytest

from opendensepose.surface import CHART_NAMES, CHART_TO_PART, MIRROR_CHART, PART_NAMES, mirror_iuv


def test_names_and_parts_agree():
    assert len(CHART_NAMES) == 25 and len(PART_NAMES) == 15
    assert np.array_equal(np.unique(CHART_TO_PART), np.arange(15))
    for chart, name in enumerate(CHART_NAMES):
        words = set(name.replace(",", "").replace("forearm", "lower arm").split()) & {
            *("torso", "head", "hand", "foot", "upper", "lower", "leg", "arm", "background"),
        }
        assert words <= set(PART_NAMES[CHART_TO_PART[chart]].split()), (name, PART_NAMES[CHART_TO_PART[chart]])
        side = {"left", "right"} & set(name.split())
        if side and "head" not in name:
            assert side <= set(PART_NAMES[CHART_TO_PART[chart]].split())


def test_the_mirror_swaps_left_and_right_names():
    swap = {"left": "right", "right": "left"}
    for chart, name in enumerate(CHART_NAMES):
        mirrored = " ".join(swap.get(word, word) for word in name.split())
        assert CHART_NAMES[MIRROR_CHART[chart]] == mirrored
    assert np.array_equal(MIRROR_CHART[MIRROR_CHART], np.arange(25))


def test_mirror_by_hand():
    i, u, v = mirror_iuv(np.array([0, 2, 3, 5, 9, 24]), np.float32([0, 0.25] * 3), np.float32([0, 0.75] * 3))
    assert i.tolist() == [0, 2, 4, 6, 10, 23]
    assert u.tolist() == [0, 0.25, 1, 0.75, 0, 0.75]
    assert v.tolist() == [0, 0.25, 0, 0.75, 0, 0.75]
    assert u.dtype == v.dtype == np.float32


def test_mirror_twice_is_nothing():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 25, (5, 7)), rng.random((5, 7)), rng.random((5, 7))
    again = mirror_iuv(*mirror_iuv(*label))
    assert all(np.allclose(a, b) for a, b in zip(label, again, strict=True))


def test_bad_labels_are_named():
    with pytest.raises(ValueError, match=r"\(2,\), \(3,\)"):
        mirror_iuv(np.zeros(2, int), np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match=r"0\.\.24, got 25\.\.25"):
        mirror_iuv(np.array([25]), np.zeros(1), np.zeros(1))
