from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from opendensepose.instance import DenseAnnotation
from opendensepose.surface import CHART_COLOURS, SurfaceEmbedding
from opendensepose.visualize.iuv import draw_charts, draw_contours, draw_overlay


@dataclass
class Person:
    box_xyxy: np.ndarray
    score: float
    iuv: SimpleNamespace
    embedding: SurfaceEmbedding | None = None


def person(i, score=0.9):
    rows, columns = np.nonzero(i)
    box = np.float32([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    height, width = i.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return Person(box, score, SimpleNamespace(i=i, u=y / height, v=x / width))


def rectangle(chart, rows=(40, 160), columns=(60, 140), size=(200, 200)):
    i = np.zeros(size, np.uint8)
    i[rows[0] : rows[1], columns[0] : columns[1]] = chart
    return i


def test_overlay_changes_the_person_and_the_box_only():
    photo = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    before = photo.copy()
    picture = draw_overlay(photo, [person(rectangle(2))])
    np.testing.assert_array_equal(photo, before)
    assert picture.shape == photo.shape and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[170:], photo[170:])
    inside = picture[45:155, 65:135].reshape(-1, 3).astype(float)
    assert np.linalg.norm(np.median(inside, axis=0) - CHART_COLOURS[2]) < 60


def test_nobody_leaves_the_photo_as_it_is():
    photo = np.random.default_rng(1).integers(0, 256, (50, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(draw_overlay(photo, []), photo)


def test_the_surest_person_is_on_top_whatever_the_order():
    photo = np.full((200, 200, 3), 128, np.uint8)
    sure, unsure = person(rectangle(2), 0.9), person(rectangle(9), 0.6)
    first, second = draw_overlay(photo, [sure, unsure]), draw_overlay(photo, [unsure, sure])
    np.testing.assert_array_equal(first, second)
    middle = np.median(first[60:140, 80:120].reshape(-1, 3), axis=0)
    assert np.linalg.norm(middle - CHART_COLOURS[2]) < np.linalg.norm(middle - CHART_COLOURS[9])


def test_people_at_the_frame_and_tiny_people_are_drawn():
    photo = np.zeros((64, 48, 3), np.uint8)
    whole = np.full((64, 48), 1, np.uint8)
    dot = np.zeros((64, 48), np.uint8)
    dot[0, 0] = 23
    assert draw_overlay(photo, [person(whole), person(dot)]).shape == photo.shape


@pytest.mark.parametrize("side", [0.5, 1.5, 2.5, 3.5, 4.5])
def test_boxes_of_a_few_pixels_are_drawn_or_left_out(side):
    thin = replace(person(rectangle(1)), box_xyxy=np.float32([20.25, 30.5, 60, 30.5 + side]))
    assert draw_overlay(np.zeros((200, 200, 3), np.uint8), [thin]).shape == (200, 200, 3)


def test_a_photo_of_wrong_kind_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        draw_overlay(np.zeros((10, 10, 3), np.float32), [])
    with pytest.raises(ValueError, match="photo"):
        draw_overlay(np.zeros((10, 10, 3), np.uint8), [person(rectangle(2))])


def test_people_without_charts_get_colours_of_their_embeddings():
    photo = np.full((40, 30, 3), 128, np.uint8)
    vertex = np.full((20, 10), -1, np.int32)
    vertex[5:] = 0
    maps = np.zeros((4, 8, 8), np.float32)
    maps[0], maps[3] = 3, 4  # of length 5: six tenths along the first axis, nothing along the second and third
    seen = SurfaceEmbedding("tiny", np.int32([12, 8, 22, 28]), vertex, maps)
    one = Person(np.float32([12, 8, 22, 28]), 0.9, SimpleNamespace(i=np.zeros((40, 30), np.uint8)), seen)
    picture = draw_overlay(photo, [one], opacity=1.0, boxes=False)
    painted = (picture != photo).any(2)
    np.testing.assert_array_equal(painted, np.pad(vertex >= 0, ((8, 12), (12, 8))))
    assert np.abs(picture[20, 15].astype(int) - [255, 127, 127]).max() <= 1


def test_charts_have_their_colours_and_nothing_else_changes():
    photo = np.full((200, 200, 3), 170, np.uint8)  # neither lightens nor darkens
    one = person(rectangle(2))
    picture = draw_charts(photo, [one], opacity=1.0)
    inside = one.iuv.i > 0
    assert np.abs(picture[45:155, 65:135].astype(int) - CHART_COLOURS[2]).max() <= 2
    np.testing.assert_array_equal(picture[~inside], photo[~inside])


def test_contours_leave_the_photo_s_colours_between_them():
    photo = np.full((200, 200, 3), 90, np.uint8)
    picture = draw_contours(photo, [person(rectangle(2))], fade=0.0)
    between = (picture == 90).all(axis=2)
    assert 0.8 < between[45:155, 65:135].mean() < 0.99
    assert picture[45:155, 65:135].max() > 180 and picture[45:155, 65:135].min() < 60, "white and dark lines"
    assert between[170:].all()


def test_annotations_are_refused_where_every_pixel_is_shown():
    none = np.zeros(0)
    annotation = DenseAnnotation(
        1, 1, np.zeros(4, np.float32), none.reshape(0, 2), none.astype("u1"), none.astype("f4"), none.astype("f4"),
        None, 0.0, False,
    )  # fmt: skip
    for draw in (draw_overlay, draw_charts, draw_contours):
        with pytest.raises(ValueError, match="people must be Instances"):
            draw(np.zeros((9, 9, 3), np.uint8), [annotation])
