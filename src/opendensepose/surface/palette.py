"""The colours of charts and parts, the same in every picture, report and page."""

import numpy as np

__all__ = ["CHART_COLOURS", "PART_COLOURS", "css_colour"]

# One hue per body part (torso blue, legs green, arms violet to pink, hands gold, feet red, head orange); back and front
# a little apart in hue; of a mirrored pair the person's left is the lighter one.
CHART_COLOURS = np.array(
    [
        (0, 0, 0),  # 0 background
        (65, 138, 209),  # 1 torso, back
        (64, 184, 238),  # 2 torso, front
        (176, 142, 9),  # 3 right hand
        (240, 198, 48),  # 4 left hand
        (254, 150, 142),  # 5 left foot
        (210, 76, 73),  # 6 right foot
        (53, 150, 88),  # 7 right upper leg, back
        (114, 207, 142),  # 8 left upper leg, back
        (99, 160, 42),  # 9 right upper leg, front
        (154, 218, 104),  # 10 left upper leg, front
        (14, 148, 136),  # 11 right lower leg, back
        (85, 206, 192),  # 12 left lower leg, back
        (21, 167, 135),  # 13 right lower leg, front
        (91, 227, 190),  # 14 left lower leg, front
        (226, 165, 254),  # 15 left upper arm, front
        (171, 106, 199),  # 16 right upper arm, front
        (193, 165, 255),  # 17 left upper arm, back
        (140, 105, 205),  # 18 right upper arm, back
        (255, 159, 197),  # 19 left forearm, front
        (208, 89, 142),  # 20 right forearm, front
        (250, 140, 215),  # 21 left forearm, back
        (188, 84, 158),  # 22 right forearm, back
        (203, 114, 41),  # 23 head, right half
        (255, 175, 121),  # 24 head, left half
    ],
    dtype=np.uint8,
)
CHART_COLOURS.setflags(write=False)

# The 14 parts have the colours of their front charts, so that they look like the charts in other pictures.
PART_COLOURS = CHART_COLOURS[[0, 2, 3, 4, 5, 6, 9, 10, 13, 14, 15, 16, 19, 20, 24]]
PART_COLOURS.setflags(write=False)


def css_colour(rgb: np.ndarray) -> str:
    """Write a colour (3,) uint8 as HTML and SVG have it: "#rrggbb"."""
    red, green, blue = (int(value) for value in rgb)
    return f"#{red:02x}{green:02x}{blue:02x}"
