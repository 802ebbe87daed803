"""Images of several sizes as one batch, as detectron2's networks are fed."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["MEAN_BGR", "STRIDE", "image_batch"]

MEAN_BGR = (103.53, 116.28, 123.675)
STRIDE = 32


def image_batch(images: Sequence[Tensor], like: Tensor) -> Tensor:
    """Images (3, H, W), RGB 0..255 -> BGR, less the mean colour, padded at the right and the bottom with zeros to whole
    strides: (N, 3, H, W) of the type and device of `like`. images may also be (N, 3, H, W), and N be 0 then."""
    if isinstance(images, Tensor):
        height, width = images.shape[2:]
    else:
        height, width = (max(image.shape[k] for image in images) for k in (1, 2))
    hw = [-(-side // STRIDE) * STRIDE for side in (height, width)]
    mean = like.new_tensor(MEAN_BGR)[:, None, None]
    batch = like.new_zeros(len(images), 3, *hw).contiguous(memory_format=torch.channels_last)
    for place, image in zip(batch, images, strict=True):
        place[:, : image.shape[1], : image.shape[2]] = image.flip(0) - mean
    return batch
