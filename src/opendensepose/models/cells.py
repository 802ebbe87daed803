"""Maps of cells over an image or a region: where the cells' centres lie, and what a map says between them.

Cell k of n along a side has its centre at (k + 0.5) / n of that side.

Letters: R regions, C channels, S x T cells of a map, P places.
"""

import torch
from torch import Tensor

__all__ = ["cell_centres", "cell_positions", "linear_weights", "read_maps", "region_axes", "region_centres"]


def cell_centres(cells_hw: tuple[int, int], stride: float, device: torch.device | str = "cpu") -> Tensor:
    """Give the centres x, y of an image's cells, (h, w, 2) float32 pixels, each cell stride x stride pixels."""
    y, x = ((torch.arange(n, device=device) + 0.5) * stride for n in cells_hw)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def region_centres(regions: Tensor, cells: int) -> Tensor:
    """Give the centres x, y of the cells x cells of each region (R, 4) xyxy pixels: (R, cells, cells, 2) pixels."""
    place = cell_centres((cells, cells), 1.0, regions.device) / cells  # of the region's sides
    low, high = regions[:, None, None, :2], regions[:, None, None, 2:]
    return low + place * (high - low)


def region_axes(regions: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Give x (R, cells) of the columns' centres and y (R, cells) of the rows', of cells x cells in each region (R, 4):
    what `region_centres` holds, without repeating it in every cell."""
    place = (torch.arange(cells, device=regions.device) + 0.5) / cells
    low, high = regions[:, :2, None], regions[:, 2:, None]
    return tuple((low + place * (high - low)).unbind(1))


def read_maps(maps: Tensor, region: Tensor | int, xy: Tensor, channel: Tensor | None = None) -> Tensor:
    """Read maps (R, C, S, T) bilinearly at places xy (P, 2), x and y in [0, 1] over a region: (P, C), or of one channel
    (P,) each, (P,). region (P,) int64, or one for all. Beyond the outer centres the outer cell's value holds."""
    sizes = maps.new_tensor(maps.shape[:-3:-1], dtype=torch.float32)  # (T, S), as x, y
    at = torch.minimum((xy * sizes - 0.5).clamp(min=0), sizes - 1)
    low = at.long()
    high = torch.minimum(low + 1, sizes.long() - 1)
    if isinstance(region, int):
        region = torch.full_like(low[:, 0], region)
    x, y = (at - low).to(maps.dtype).unbind(1)
    # All four corners in one go: the gradient of each gather is as large as the maps.
    rows, columns = torch.cat([low[:, 1].repeat(2), high[:, 1].repeat(2)]), torch.cat([low[:, 0], high[:, 0]]).repeat(2)
    channels = slice(None) if channel is None else channel.repeat(4)
    corners = maps[region.repeat(4), channels, rows, columns].unflatten(0, (4, -1))  # (4, P) or (4, P, C)
    weight = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    return (corners * (weight if channel is not None else weight[..., None])).sum(0)


def cell_positions(positions: Tensor, num_cells: int) -> Tensor:
    """Count positions in [0, 1] in cells from the first one's centre; beyond the outer centres: at them."""
    return (positions * num_cells - 0.5).clamp(0, num_cells - 1)


def linear_weights(positions: Tensor, num_cells: int) -> Tensor:
    """Make the matrix (R, num_cells) of linear interpolation at positions (R,) in [0, 1], where cell k has its centre
    at (k + 0.5) / num_cells. Beyond the outer centres the outer cell's value holds."""
    x = cell_positions(positions, num_cells)
    return (1 - (x[:, None] - torch.arange(num_cells, device=x.device)).abs()).clamp(min=0)
