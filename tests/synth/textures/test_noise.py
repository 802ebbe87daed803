import numpy as np
import pytest
import torch

from opendensepose.synth.textures.noise import fbm_2d, normal_noise, spread


@pytest.mark.parametrize("size_hw", [(1, 1), (7, 13), (64, 48), (200, 301)])
def test_fbm_2d_spans_zero_to_one_at_any_size(size_hw):
    field = fbm_2d(np.random.default_rng(0), size_hw, octaves=4)
    assert field.shape == size_hw and field.dtype == torch.float32
    assert field.min() == 0
    if min(size_hw) > 1:
        assert field.max() == pytest.approx(1)


@pytest.mark.parametrize("tile", [False, True])
def test_a_constant_lattice_spreads_to_a_constant_field(tile):
    field = spread(torch.full((3, 5), 0.7), (20, 31), tile)
    assert torch.allclose(field, torch.full((20, 31), 0.7), atol=1e-6)


def test_a_spread_lattice_of_one_row_is_the_cubic_b_spline():
    lattice = torch.zeros(1, 9)
    lattice[0, 4] = 1
    field = spread(lattice, (1, 9), tile=False)[0]  # one pixel per cell: sampled at the knots
    assert torch.allclose(field[3:6], torch.tensor([1 / 6, 4 / 6, 1 / 6]), atol=1e-6)
    assert field[[0, 1, 2, 6, 7, 8]].abs().max() == 0


def test_tiling_noise_is_as_smooth_over_its_edges_as_inside():
    field = fbm_2d(np.random.default_rng(1), (128, 96), octaves=4, tile=True)
    for axis in (0, 1):
        steps = (field.roll(-1, axis) - field).abs().amax(1 - axis)  # the last step crosses the edge
        assert steps[-1] <= 1.2 * steps[:-1].max()


def test_noise_without_tiling_jumps_over_its_edges():
    field = fbm_2d(np.random.default_rng(1), (128, 96), octaves=1, tile=False)
    steps = (field.roll(-1, 0) - field).abs().amax(1)
    assert steps[-1] > 2 * steps[:-1].max()


def test_higher_octaves_make_the_field_rougher():
    rough = [fbm_2d(np.random.default_rng(5), (128, 128), octaves=n).diff(dim=0).abs().mean() for n in (1, 3, 5)]
    assert rough[0] < rough[1] < rough[2]


def test_normal_noise_is_standard_normal():
    noise = normal_noise(np.random.default_rng(0), (200, 300, 3))
    assert noise.shape == (200, 300, 3)
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02


def test_normal_noise_serves_pictures_larger_than_its_bank():
    assert normal_noise(np.random.default_rng(0), (1100, 1000, 3)).shape == (1100, 1000, 3)


def test_noise_is_the_same_to_the_bit_on_any_number_of_threads():
    before = torch.get_num_threads()
    fields = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        fields.append(fbm_2d(np.random.default_rng(2), (400, 528), octaves=6, cells=6))
    torch.set_num_threads(before)
    assert torch.equal(fields[0], fields[1]) and torch.equal(fields[0], fields[2])
