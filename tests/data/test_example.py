"""The example photo, which the package carries and the verb `predict` writes."""

import numpy as np
import skimage.data
from PIL import Image

from opendensepose.cli.prediction import write_example_photo
from opendensepose.data.example import example_photo


def test_it_is_scikit_images_astronaut_pixel_by_pixel():
    np.testing.assert_array_equal(example_photo(), skimage.data.astronaut())


def test_the_file_that_predict_writes_is_the_same(tmp_path):
    with Image.open(write_example_photo(tmp_path / "new")) as photo:
        np.testing.assert_array_equal(np.asarray(photo), example_photo())
