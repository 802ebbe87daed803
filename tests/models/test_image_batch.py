"""Photos as the networks on a ResNet are fed: scaled, and in batches."""

import numpy as np
import pytest
import torch
from PIL import Image

from opendensepose.models.image_batch import MEAN_BGR, image_batch, network_size, scale_photo


def test_images_are_bgr_less_the_mean_and_padded_with_zeros():
    image = torch.arange(3)[:, None, None].expand(3, 40, 50).to(torch.uint8) * 100  # red 0, green 100, blue 200
    batch = image_batch([image, image[:, :20]], torch.zeros(1))
    assert batch.shape == (2, 3, 64, 64)
    torch.testing.assert_close(batch[0, :, 39, 49], torch.tensor([200.0, 100, 0]) - torch.tensor(MEAN_BGR))
    assert not batch[0, :, 40:].any() and not batch[0, :, :, 50:].any() and not batch[1, :, 20:].any()


@pytest.mark.parametrize(
    "size_hw, expected",
    [
        ((480, 640), (800, 1067)),
        ((640, 480), (1067, 800)),
        ((500, 500), (800, 800)),
        ((600, 1116), (717, 1333)),
        ((1116, 600), (1333, 717)),
        ((10, 4000), (3, 1333)),
    ],
)
def test_network_size_by_hand(size_hw, expected):
    assert network_size(size_hw, 800, 1333) == expected


def test_photos_are_scaled_by_a_filter_that_averages():
    photo = np.zeros((8, 8, 3), np.uint8)
    photo[:, ::2] = 200
    assert (scale_photo(photo, (8, 8)).permute(1, 2, 0).numpy() == photo).all()
    small = scale_photo(photo, (2, 2))
    assert small.shape == (3, 2, 2) and 90 <= small.float().mean() <= 110
    expected = np.asarray(Image.fromarray(photo[:, :, ::-1]).resize((5, 3), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(scale_photo(photo, (3, 5)).permute(1, 2, 0), expected[:, :, ::-1])
