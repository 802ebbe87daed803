"""Pictures of annotations: dots and masks where the file says, in the colours of their values."""

import numpy as np
import pytest

from opendensepose.instance import DenseAnnotation
from opendensepose.surface import PART_COLOURS
from opendensepose.visualize import draw_annotations, draw_person, uv_ramp
from opendensepose.visualize.annotations import _parts_at

GREY = np.full((400, 300, 3), 128, np.uint8)


def person(**changes):
    values = {
        "annotation_id": 5,
        "image_id": 3,
        "box_xyxy": np.array([50, 40, 250, 360], np.float32),
        "point_xy": np.array([[100.5, 80.5], [200.5, 300.5]]),
        "i": np.array([2, 9], np.uint8),
        "u": np.array([0.0, 1.0], np.float32),
        "v": np.array([1.0, 0.0], np.float32),
        "mask": None,
        "area": 1000.0,
        "iscrowd": False,
    }
    return DenseAnnotation(**(values | changes))


def nearest_to(picture, colour):
    """Mean x, y of the pixels of about this colour, and how many there are."""
    rows, columns = np.nonzero(np.abs(picture.astype(int) - colour).max(axis=2) <= 2)
    return (columns.mean() + 0.5, rows.mean() + 0.5), rows.size


def test_points_have_the_colours_of_u_and_of_v_at_their_place():
    picture = draw_annotations(GREY, [person()])
    assert picture.dtype == np.uint8 and picture.shape[1] > 4 * 750  # four panels of 750 x 1000
    low, high = uv_ramp().astype(float)[0], uv_ramp().astype(float)[255]
    panels = [picture[:1030, 20 + k * (picture.shape[1] // 4) :][:, : picture.shape[1] // 4] for k in (1, 2)]
    (u_low, _), (u_high, _) = (nearest_to(panels[0], colour)[0] for colour in (low, high))
    (v_low, _), (v_high, _) = (nearest_to(panels[1], colour)[0] for colour in (low, high))
    assert u_high - u_low == pytest.approx(250, abs=2)  # 100 px of the photo at 2.5 times its size
    assert v_high - v_low == pytest.approx(-250, abs=2)


def test_vertices_without_coordinates_are_grey():
    zeros = np.zeros(2, np.float32)
    vertices = person(i=np.zeros(2, np.uint8), u=zeros, v=zeros, vertex=np.array([3, 4]))
    picture = draw_annotations(GREY, [vertices])
    assert nearest_to(picture, (200, 200, 205))[1] > 100
    bar_only = draw_annotations(GREY, [])
    assert nearest_to(picture, uv_ramp().astype(float)[0])[1] == nearest_to(bar_only, uv_ramp().astype(float)[0])[1]


def test_a_part_lies_where_its_mask_says_to_a_pixel():
    mask = np.zeros((256, 256), np.uint8)
    mask[64:192, 32:64] = 14
    label = _parts_at(mask, (10.0, 20.0, 138.0, 84.0), (100, 150), sigma=0.0)
    inside = np.zeros((100, 150), bool)
    inside[36:68, 26:42] = True  # rows 20 + 64/4 to 20 + 192/4, columns 10 + 32/2 to 10 + 64/2
    assert set(np.unique(label)) == {0, 14}
    assert (inside != (label == 14)).sum() <= 12  # the corners


def test_neighbouring_parts_leave_no_gap():
    mask = np.zeros((256, 256), np.uint8)
    mask[:, :128], mask[:128, 128:], mask[128:, 128:] = 1, 2, 3
    label = _parts_at(mask, (0.0, 0.0, 300.0, 500.0), (500, 300), sigma=4.0)
    assert (label[10:-10, 10:-10] > 0).all() and set(np.unique(label[10:-10, 10:-10])) == {1, 2, 3}


def test_masks_are_painted_in_the_parts_colours():
    mask = np.zeros((256, 256), np.uint8)
    mask[20:120, 30:220], mask[140:240, 30:220] = 1, 14
    picture = draw_person(GREY, person(mask=mask)).astype(int)
    panel = picture[:1030, -(picture.shape[1] // 4) :]
    for number in (1, 14):
        hue = PART_COLOURS[number].astype(int) - PART_COLOURS[number].mean()
        toward = ((panel - panel.mean(axis=2, keepdims=True)) * hue).sum(axis=2) / (hue**2).sum()
        assert (toward > 0.5).sum() > 0.1 * panel.shape[0] * panel.shape[1]


def test_a_mask_that_fills_the_box_has_its_line_on_every_side():
    whole = person(mask=np.full((256, 256), 1, np.uint8))
    picture = draw_person(np.zeros((400, 300, 3), np.uint8), whole)
    panel = picture[:, -(picture.shape[1] // 4) :]
    blue = panel[..., 2].astype(int) > panel[..., 0].astype(int) + 60
    rows, columns = np.flatnonzero(blue.any(axis=1)), np.flatnonzero(blue.any(axis=0))
    middle_row, middle_column = rows[rows.size // 2], columns[columns.size // 2]
    for line in (
        panel[middle_row, columns[0] - 4 : columns[0] + 3],
        panel[middle_row, columns[-1] - 2 : columns[-1] + 5],
        panel[rows[0] - 4 : rows[0] + 3, middle_column],
        panel[rows[-1] - 2 : rows[-1] + 5, middle_column],
    ):
        assert line.min(axis=1).max() > 150  # white somewhere across the edge


def test_people_without_points_or_masks_and_nobody_at_all_are_drawn():
    nothing = {name: getattr(person(), name)[:0] for name in ("point_xy", "i", "u", "v")}
    assert draw_annotations(GREY, [person(**nothing)]).ndim == 3
    assert draw_annotations(GREY, []).ndim == 3
    far = person(box_xyxy=np.array([-500, -500, 900, 900], np.float32), mask=np.full((256, 256), 3, np.uint8))
    assert draw_annotations(GREY, [far]).ndim == 3


def test_a_box_outside_and_a_wrong_photo_are_refused():
    with pytest.raises(ValueError, match="annotation 5: its box .* outside the photo of 300 x 400"):
        draw_person(GREY, person(box_xyxy=np.array([400, 40, 450, 90], np.float32)))
    with pytest.raises(ValueError, match="uint8"):
        draw_annotations(GREY.astype(float), [])


@pytest.mark.parametrize("size_hw", [(20, 15), (3000, 2000), (1, 1), (60, 900)])
def test_any_size_of_photo_gives_a_picture_of_good_resolution(size_hw):
    picture = draw_annotations(np.zeros((*size_hw, 3), np.uint8), [])
    assert picture.shape[1] < 7000 and picture.shape[0] < 4000
    if size_hw == (20, 15):
        assert picture.shape[0] > 200  # 12 times as large, not more
