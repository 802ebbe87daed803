"""How well a texture tiles."""

import torch


def edge_jump(image: torch.Tensor, axis: int) -> tuple[float, float]:
    """Mean absolute step over the edge along `axis`, and the largest mean step inside."""
    steps = (image.roll(-1, axis) - image).abs().mean((1 - axis, 2))
    return float(steps[-1]), float(steps[:-1].max())
