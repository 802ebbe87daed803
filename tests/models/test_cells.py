"""Cells' centres by hand; maps read between cells, and the same numbers by three other routes."""

import torch
import torch.nn.functional as F

from opendensepose.models.cells import cell_centres, linear_weights, read_maps, region_axes, region_centres
from opendensepose.models.densepose_lite.decode import decode_pixels
from opendensepose.models.densepose_lite.outputs import DenseOutput


def test_centres_by_hand():
    centres = cell_centres((2, 3), 8)
    assert centres.shape == (2, 3, 2)
    assert centres[0, 0].tolist() == [4, 4] and centres[1, 2].tolist() == [20, 12]
    (of_region,) = region_centres(torch.tensor([[10.0, 20, 14, 28]]), 2)
    assert of_region.tolist() == [[[11, 22], [13, 22]], [[11, 26], [13, 26]]]


def test_the_cells_of_an_image_are_those_of_the_region_that_it_is():
    whole = torch.tensor([[0.0, 0, 64, 64]])
    torch.testing.assert_close(region_centres(whole, 16)[0], cell_centres((16, 16), 4), rtol=0, atol=0)


def test_axes_are_the_coordinates_of_the_centres():
    regions = torch.tensor([[10.0, 20, 14, 28], [-3, 0, 5, 1]])
    (x, y), centres = region_axes(regions, 4), region_centres(regions, 4)
    for k in range(4):
        torch.testing.assert_close(centres[:, k, :, 0], x)
        torch.testing.assert_close(centres[:, :, k, 1], y)


def test_maps_are_read_between_cells_by_hand():
    maps = torch.arange(8.0).reshape(1, 1, 2, 4)
    xy = torch.tensor([[0.5, 0.5], [0.0, 0.0], [1.0, 1.0], [0.375, 0.25]])
    zero = torch.zeros(4, dtype=torch.long)
    assert read_maps(maps, zero, xy)[:, 0].tolist() == [3.5, 0, 7, 1]
    assert read_maps(maps, 0, xy, zero).tolist() == [3.5, 0, 7, 1]


def test_a_map_of_the_centres_says_where_it_is_read():
    centres = cell_centres((5, 7), 1.0).permute(2, 0, 1)[None]
    xy = torch.rand(50, 2) * torch.tensor([6 / 7, 4 / 5]) + torch.tensor([0.5 / 7, 0.5 / 5])  # between outer centres
    torch.testing.assert_close(read_maps(centres, 0, xy), xy * torch.tensor([7.0, 5.0]))


def test_read_at_pixels_it_is_the_enlarged_map_and_the_product_with_linear_weights():
    torch.manual_seed(0)
    maps, size_hw = torch.randn(3, 4, 5, 7), (12, 17)
    enlarged = F.interpolate(maps, size_hw, mode="bilinear", align_corners=False)
    xy = (cell_centres(size_hw, 1.0) / torch.tensor(size_hw[::-1])).reshape(-1, 2)
    rows, columns = (linear_weights((torch.arange(n) + 0.5) / n, k) for n, k in zip(size_hw, (5, 7), strict=True))
    for region in range(3):
        read = read_maps(maps, region, xy).T.reshape(4, *size_hw)
        torch.testing.assert_close(read, enlarged[region])
        torch.testing.assert_close(read, rows @ maps[region] @ columns.T)
    mixed = torch.arange(len(xy)) % 3
    expected = enlarged.flatten(2).permute(0, 2, 1)[mixed, torch.arange(len(xy))]
    torch.testing.assert_close(read_maps(maps, mixed, xy), expected)


def test_the_decoding_of_crops_reads_the_same():
    """decode_pixels multiplies maps by weights of rows and columns: of chart 3 everywhere, its U and V are these."""
    torch.manual_seed(1)
    logits = torch.zeros(25, 6, 6)
    logits[3] = 9
    u, v = torch.rand(2, 24, 4, 5)
    rows, columns = torch.rand(8), torch.rand(9)
    output = DenseOutput(*(part.numpy() for part in (logits, u, v, torch.zeros(6, 6), torch.zeros(()))))
    i, *uv, _ = decode_pixels(output, rows.numpy(), columns.numpy())
    assert (i == 3).all()
    xy = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1).reshape(-1, 2)
    for maps, read in zip((u, v), uv, strict=True):
        torch.testing.assert_close(read_maps(maps[None], 0, xy)[:, 2].reshape(8, 9), torch.from_numpy(read))
