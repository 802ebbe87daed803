"""Photos as detectron2's networks are fed: scaled, less the mean colour, of several sizes in one batch."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

__all__ = ["MEAN_BGR", "STRIDE", "image_batch", "network_size", "scale_photo"]

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


def network_size(size_hw: tuple[int, int], short_side: int, long_side: int) -> tuple[int, int]:
    """Return the height and width at which the network sees a photo: the shorter side is short_side, or the longer
    long_side if it would exceed that."""
    scale = short_side / min(size_hw)
    height, width = (short_side if side == min(size_hw) else scale * side for side in size_hw)
    if max(height, width) > long_side:
        scale = long_side / max(height, width)
        height, width = height * scale, width * scale
    return max(1, int(height + 0.5)), max(1, int(width + 0.5))


def scale_photo(image_rgb: np.ndarray, size_hw: tuple[int, int]) -> Tensor:
    """Scale the photo to size_hw, (3, H, W) uint8, by Pillow's bilinear filter, which averages where it shrinks."""
    if image_rgb.shape[:2] != tuple(size_hw):
        image_rgb = np.asarray(Image.fromarray(image_rgb).resize(size_hw[::-1], Image.Resampling.BILINEAR))
    return torch.from_numpy(np.array(image_rgb)).permute(2, 0, 1)
