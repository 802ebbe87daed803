"""Pixels as pairs: every chart has its share, places and points belong together, too few are refused."""

import numpy as np
import pytest
from tests.fit.people import labelled, placement, vertices_of

from opendensepose.fit.correspondences import LEAST_PIXELS, sample_pixels
from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.surface import load_charts


def square(side: int) -> Instance:
    i = np.zeros((40, 40), np.uint8)
    i[5 : 5 + side, 8 : 8 + side] = 2
    values = np.where(i > 0, 0.5, 0).astype(np.float32)
    return Instance(np.float32([8, 5, 8 + side, 5 + side]), 1.0, IUV(i, values, values), (i > 0).astype(np.float32))


def test_small_charts_count_too():
    person = labelled(vertices_of(placement()))
    pairs = sample_pixels(person, 200)
    number, share = np.bincount(person.iuv.i[person.iuv.i > 0], minlength=25), np.bincount(pairs.chart, minlength=25)
    assert ((share > 0) == (number > 0)).all() and 190 <= len(pairs) <= 215
    assert share.max() / share.sum() < 0.7 * number.max() / number.sum()
    column, row = np.floor(pairs.pixel_xy).astype(int).T
    assert (person.iuv.i[row, column] == pairs.chart).all()
    assert load_charts().from_points(pairs.points)[1] == pytest.approx(person.iuv.u[row, column], abs=2e-3)


def test_too_few_pixels_are_refused():
    assert len(sample_pixels(square(8), 500)) == 64 >= LEAST_PIXELS
    with pytest.raises(ValueError, match="at least 60 labelled pixels, got 49"):
        sample_pixels(square(7), 500)
