"""Averaged weights, and a training state that comes back whole."""

import pytest
import torch
from torch import nn

from opendensepose.training.state import MovingAverage, TrainingState, load_state, save_state


def new_state(width=3):
    model, auxiliary = nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width)), nn.Linear(width, 1)
    optimizer = torch.optim.AdamW([*model.parameters(), *auxiliary.parameters()])
    return TrainingState(model, auxiliary, optimizer, MovingAverage(model, 0.9))


def test_the_average_by_hand():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    average = MovingAverage(model, decay=0.5)
    nn.init.constant_(model.weight, 3.0)
    average.update(model)  # first decay is 2/11
    assert average.model.weight.item() == pytest.approx(2 / 11 * 1 + 9 / 11 * 3)
    before = average.model.weight.item()
    average.updates = 1000
    average.update(model)
    assert average.model.weight.item() == pytest.approx(0.5 * before + 0.5 * 3)


def test_buffers_are_copied():
    state = new_state()
    state.model(torch.randn(8, 2) + 5)
    state.average.update(state.model)
    assert torch.equal(state.average.model[1].running_mean, state.model[1].running_mean)
    assert not state.average.model.training


def test_a_state_comes_back(tmp_path):
    state = new_state()
    for _ in range(3):
        state.auxiliary(state.model(torch.randn(8, 2))).square().sum().backward()
        state.optimizer.step()
        state.average.update(state.model)
    state.step, state.elapsed_s, state.best = 3, 1.5, 0.25
    save_state(tmp_path / "s.pt", state)
    back = new_state()
    load_state(tmp_path / "s.pt", back)
    assert (back.step, back.elapsed_s, back.best, back.average.updates) == (3, 1.5, 0.25, 3)
    assert torch.equal(state.auxiliary.weight, back.auxiliary.weight)
    for a, b in zip(state.average.model.state_dict().values(), back.average.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    momentum = [s["exp_avg"] for s in state.optimizer.state_dict()["state"].values()]
    for a, b in zip(momentum, (s["exp_avg"] for s in back.optimizer.state_dict()["state"].values()), strict=True):
        assert torch.equal(a, b)
    assert [p.name for p in tmp_path.iterdir()] == ["s.pt"]


def test_another_models_state_is_refused(tmp_path):
    save_state(tmp_path / "s.pt", new_state(3))
    with pytest.raises(ValueError, match="another model"):
        load_state(tmp_path / "s.pt", new_state(4))
