"""Training a network for a moment, to see that its losses fall."""

import torch
from torch import Tensor, nn

from opendensepose.models.targets import Targets


def first_and_last_losses(
    model: nn.Module, image: Tensor, targets: Targets, steps: int = 40
) -> tuple[dict[str, float], dict[str, float]]:
    """The named losses on one image before the first and at the last of so many steps of AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    values: list[dict[str, float]] = []
    for _ in range(steps):
        losses = model.losses([image], [targets])
        values.append({name: loss.item() for name, loss in losses.items()})
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    return values[0], values[-1]
