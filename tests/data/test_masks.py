"""Run-length codes: by hand, against pycocotools, damaged ones, and the map of the 14 parts."""

import numpy as np
import pytest
from pycocotools import mask as rle

from opendensepose.data.masks import (
    decode_mask,
    decode_part_masks,
    encode_mask,
    part_foreground,
    polygons_mask,
    run_lengths,
    segmentation_mask,
)


def grid(rows, columns):
    mask = np.zeros((256, 256), bool)
    mask[rows, columns] = True
    return mask


def part_codes(**masks):
    """14 codes, empty but for those named p1 to p14."""
    return [encode_mask(masks[f"p{k}"]) if f"p{k}" in masks else [] for k in range(1, 15)]


def test_runs_by_hand():
    mask = np.array([[0, 1, 1], [1, 0, 0]], bool)  # by columns: 0 1 | 1 0 | 1 0
    code = encode_mask(mask)
    assert run_lengths(code).tolist() == [1, 2, 1, 1, 1]
    plain = {"size": [2, 3], "counts": [1, 2, 1, 1, 1]}
    np.testing.assert_array_equal(decode_mask(plain), mask)
    np.testing.assert_array_equal(decode_mask(code), mask)


def test_numbers_of_one_two_and_three_characters_and_below_zero():
    runs = [0, 31, 32, 1000, 2, 40000, 1, 3]  # differences to the run two before are of both signs
    size = [sum(runs), 1]
    code = rle.frPyObjects({"size": size, "counts": runs}, *size)
    text = {"size": size, "counts": code["counts"].decode("ascii")}
    assert run_lengths(text).tolist() == runs


@pytest.mark.parametrize("seed", range(20))
def test_masks_come_back_and_agree_with_pycocotools(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 300, 2)) < rng.random() ** 2
    code = encode_mask(mask)
    np.testing.assert_array_equal(decode_mask(code), mask)
    theirs = rle.decode({"size": code["size"], "counts": code["counts"].encode("ascii")})
    np.testing.assert_array_equal(decode_mask(code), theirs.astype(bool))


def test_an_empty_and_a_full_mask():
    assert not decode_mask(encode_mask(np.zeros((4, 5), bool))).any()
    assert decode_mask(encode_mask(np.ones((4, 5), bool))).all()


@pytest.mark.parametrize(
    "code, says",
    [
        ([1, 2], "`size` and `counts`"),
        ({"size": [2, 3]}, "`size` and `counts`"),
        ({"size": [2], "counts": "1"}, r"\[height, width\], got \[2\]"),
        ({"size": [2.0, 3], "counts": "6"}, "height, width"),
        ({"size": [2, 3], "counts": ""}, "cover 0 pixels, expected 6"),
        ({"size": [2, 3], "counts": "5"}, "cover 5 pixels, expected 6"),
        ({"size": [2, 3], "counts": [4, -2, 4]}, "expected 6"),
        ({"size": [2, 3], "counts": [1.5, 4.5]}, "whole numbers"),
        ({"size": [2, 3], "counts": 6}, "whole numbers"),
        ({"size": [2, 3], "counts": "o"}, "cut off"),
        ({"size": [2, 3], "counts": "6 "}, "damaged"),
        ({"size": [2, 3], "counts": "\u00e9"}, "damaged"),
        ({"size": [2, 3], "counts": "o" * 20 + "1"}, "too large"),
    ],
)
def test_a_damaged_code_is_refused(code, says):
    with pytest.raises(ValueError, match=says):
        decode_mask(code)


def test_parts_have_their_number_and_the_later_wins():
    torso, head = grid(slice(50, 200), slice(40, 90)), grid(slice(20, 60), slice(60, 70))
    part = decode_part_masks(part_codes(p1=torso, p14=head))
    assert part.dtype == np.uint8 and part.shape == (256, 256)
    np.testing.assert_array_equal(part, np.where(head, 14, np.where(torso, 1, 0)))


@pytest.mark.parametrize(
    "codes, says",
    [
        ([[]] * 13, "got 13 entries"),
        ({}, "got dict"),
        ([*[[]] * 13, encode_mask(np.zeros((256, 255), bool))], "part mask 14 must be 256 x 256, got 256 x 255"),
        ([{"size": [256, 256], "counts": "1"}, *[[]] * 13], "part mask 1: .* cover 1 pixels"),
        (["text", *[[]] * 13], "part mask 1: "),
    ],
)
def test_wrong_part_masks_are_refused(codes, says):
    with pytest.raises(ValueError, match=says):
        decode_part_masks(codes)


def test_the_foreground_is_the_union_of_the_first_14_masks():
    rng = np.random.default_rng(3)
    for number in (0, 1, 9, 14, 16):
        masks = [rng.random((256, 256)) < 0.05 for _ in range(number)]
        codes = [encode_mask(mask) for mask in masks]
        expected = np.any([np.zeros((256, 256), bool), *masks[:14]], axis=0)
        np.testing.assert_array_equal(part_foreground(codes), expected)
    whole, nothing = np.ones((256, 256), bool), np.zeros((256, 256), bool)
    for mask in (whole, nothing):
        np.testing.assert_array_equal(part_foreground([[], encode_mask(mask), None]), mask)
    codes = part_codes(p1=grid(slice(0, 9), 3), p5=grid(slice(4, 20), 3))
    np.testing.assert_array_equal(part_foreground(codes), decode_part_masks(codes) > 0)
    with pytest.raises(ValueError, match="must be a list, got str"):
        part_foreground("codes")
    with pytest.raises(ValueError, match="part mask 2 must be 256 x 256, got 3 x 3"):
        part_foreground([[], {"size": [3, 3], "counts": [9]}])


def test_a_segmentation_is_drawn_whatever_its_form():
    square = [2, 1, 6, 1, 6, 4, 2, 4]
    expected = np.zeros((8, 9), bool)
    expected[1:4, 2:6] = True
    far = [7, 5, 9, 5, 9, 8, 7, 8]
    both = expected.copy()
    both[5:8, 7:9] = True
    np.testing.assert_array_equal(polygons_mask([square], (8, 9)), expected)
    np.testing.assert_array_equal(segmentation_mask([square, far], (8, 9)), both)
    code = encode_mask(both)
    plain = {"size": [8, 9], "counts": run_lengths(code).tolist()}
    for form in (code, plain):
        np.testing.assert_array_equal(segmentation_mask(form, (8, 9)), both)
    assert segmentation_mask(None, (8, 9)) is segmentation_mask([], (8, 9)) is None
    assert not polygons_mask([], (8, 9)).any()


@pytest.mark.parametrize("polygon", [[0, 0, 1, 1], [0, 0, 1, 1, 2], [0, 0, 1, 1, 2, "3"], "text", [0, 0, 1, 1, 2, 1e7],
                                     [0, 0, 1, 1, 2, float("nan")]])  # fmt: skip
def test_other_polygons_are_refused(polygon):
    with pytest.raises(ValueError, match="polygon 1 must be a list .* at least 3 corners within 100,000 px"):
        polygons_mask([[0, 0, 1, 0, 1, 1], polygon], (8, 9))
