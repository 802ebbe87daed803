"""The example photo, which comes with the package: NASA's portrait of the astronaut Eileen Collins.

Source: NASA Great Images in Nasa (GRIN), GPN-2000-001177, taken in 1999, public domain; the crop of 512 x 512 that
scikit-image carries as `skimage.data.astronaut()`, every pixel the same.
"""

from pathlib import Path

import numpy as np

from opendensepose.data.photos import read_photo

__all__ = ["EXAMPLE_PHOTO", "example_photo"]

EXAMPLE_PHOTO = Path(__file__).with_name("astronaut.webp")


def example_photo() -> np.ndarray:
    """Return the example photo: (512, 512, 3) uint8 RGB, one person who faces the camera."""
    return read_photo(EXAMPLE_PHOTO)
