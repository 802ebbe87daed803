"""The colours tell charts, parts and sides apart."""

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from opendensepose.surface import CHART_COLOURS, CHART_TO_PART, MIRROR_CHART, PART_COLOURS, css_colour


def hue(rgb):
    """Angle of a colour on the colour wheel, in degrees."""
    red, green, blue = np.asarray(rgb, float)
    return np.rad2deg(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue))


def test_colours_differ_and_mirrored_charts_share_their_hue():
    assert CHART_COLOURS.shape == (25, 3)
    colours = CHART_COLOURS[1:].astype(float)
    distance = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert distance[~np.eye(24, dtype=bool)].min() > 20
    for chart in range(3, 25):
        other = MIRROR_CHART[chart]
        assert abs((hue(CHART_COLOURS[chart]) - hue(CHART_COLOURS[other]) + 180) % 360 - 180) < 20


def test_the_persons_left_is_lighter():
    legs_and_head = [(7, 8), (9, 10), (11, 12), (13, 14), (23, 24), (6, 5)]
    arms = [(16, 15), (18, 17), (20, 19), (22, 21), (3, 4)]
    for right, left in legs_and_head + arms:
        assert CHART_COLOURS[left].sum() > CHART_COLOURS[right].sum()


def test_a_part_has_the_colour_of_one_of_its_charts_and_differs_from_all_other_parts():
    """A difference of 10 in CIEDE2000 is seen at a glance."""
    for part, colour in enumerate(PART_COLOURS):
        assert (CHART_COLOURS[CHART_TO_PART == part] == colour).all(1).any()
    lab = rgb2lab(PART_COLOURS[None] / 255)[0]
    apart = deltaE_ciede2000(lab[:, None], lab[None])
    assert apart[~np.eye(15, dtype=bool)].min() > 15


def test_a_colour_for_html_by_hand():
    assert css_colour(np.uint8([255, 0, 10])) == "#ff000a" and css_colour(CHART_COLOURS[0]) == "#000000"
