from xml.etree import ElementTree

import numpy as np

from opendensepose.evaluation.plots import Curve, draw_curves

X = np.linspace(0, 40, 9)
CURVES = [
    Curve("left & right", X, X / 40, "#123456"),
    Curve("all", X, X / 80, "#abcdef", 3, np.stack([X / 100, X / 60])),
]


def draw(curves):
    return draw_curves(curves, x_label="error, cm", y_label="ratio", x_ticks=range(0, 41, 5))


def test_the_picture_is_svg_with_every_name_and_colour():
    content = draw(CURVES)
    text = " ".join(ElementTree.fromstring(content).itertext())
    assert all(part in text for part in ("left & right", "all", "error, cm", "ratio", "40"))
    assert b"#123456" in content and b"#abcdef" in content


def test_equal_curves_give_equal_bytes():
    assert draw(CURVES) == draw(CURVES) != draw(CURVES[:1])


def test_no_curves_leave_empty_axes():
    assert ElementTree.fromstring(draw([])).tag.endswith("svg")
