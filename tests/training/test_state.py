"""Averaged weights, and a training state that comes back whole."""

import pytest
import torch
from torch import nn

from opendensepose.training.processes import make_fabric
from opendensepose.training.recipes import default
from opendensepose.training.state import load_state, moving_average, new_state, save_state


class Learner(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))
        self.auxiliary = nn.Linear(width, 1)

    def losses(self, x):
        return self.auxiliary(self.network(x)).square().sum()


def begin(width=3, **changes):
    learner = Learner(width)
    return new_state(make_fabric("cpu"), learner.network, learner, default(ema_decay=0.9, **changes))


def test_the_average_by_hand():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    average = moving_average(model, decay=0.5)
    nn.init.constant_(model.weight, 3.0)
    average.update_parameters(model)  # first decay is 2/11
    assert average.module.weight.item() == pytest.approx(2 / 11 * 1 + 9 / 11 * 3)
    before = average.module.weight.item()
    average.n_averaged.fill_(1001)
    average.update_parameters(model)
    assert average.module.weight.item() == pytest.approx(0.5 * before + 0.5 * 3)


def test_buffers_are_copied():
    state = begin()
    state.network(torch.randn(8, 2) + 5)
    state.average.update_parameters(state.network)
    assert torch.equal(state.average.module[1].running_mean, state.network[1].running_mean)
    assert not state.released.training


def taught():
    state = begin()
    for _ in range(3):
        state.model.losses(torch.randn(8, 2)).backward()
        state.optimizer.step()
        state.average.update_parameters(state.network)
    state.step, state.elapsed_s, state.best = 3, 1.5, 0.25
    return state


def assert_same(state, back):
    assert torch.equal(state.auxiliary.weight, back.auxiliary.weight)
    for one, other in ((state.network, back.network), (state.released, back.released)):
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
            assert torch.equal(a, b)
    momenta = [[s["exp_avg"] for s in one.optimizer.state_dict()["state"].values()] for one in (state, back)]
    assert all(torch.equal(a, b) for a, b in zip(*momenta, strict=True)) and momenta[0]


def test_a_state_comes_back(tmp_path):
    state, back = taught(), begin()
    state.begun_with, state.scores = "weights old", {"agreement": 0.5}
    save_state(tmp_path / "s.pt", state)
    load_state(tmp_path / "s.pt", back)
    assert (back.step, back.elapsed_s, back.best, back.average.n_averaged) == (3, 1.5, 0.25, 4)
    assert (back.begun_with, back.scores) == ("weights old", {"agreement": 0.5})
    assert_same(state, back)
    assert [p.name for p in tmp_path.iterdir()] == ["s.pt"]


def test_a_state_of_version_0_1_is_gone_on_with(tmp_path):
    """It did not say what the run had begun with."""
    state, back = taught(), begin()
    old = {
        "model": state.network.state_dict(), "auxiliary": state.auxiliary.state_dict(),
        "optimizer": state.optimizer.state_dict(), "average": state.released.state_dict(),
        "updates": 3, "step": 3, "elapsed_s": 1.5, "best": 0.25,
    }  # fmt: skip
    torch.save(old, tmp_path / "s.pt")
    load_state(tmp_path / "s.pt", back)
    assert (back.step, back.best, back.average.n_averaged, back.scores) == (3, 0.25, 4, {})
    assert_same(state, back)


def test_another_networks_state_is_refused(tmp_path):
    save_state(tmp_path / "s.pt", begin(3))
    with pytest.raises(ValueError, match="another network"):
        load_state(tmp_path / "s.pt", begin(4))
    (tmp_path / "s.pt").write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="not a state that can be read"):
        load_state(tmp_path / "s.pt", begin(3))


def test_what_is_frozen_keeps_its_statistics():
    state = begin(frozen=("1",))
    assert state.network[0].training and not state.network[1].training
