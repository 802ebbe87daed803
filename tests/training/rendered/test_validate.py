"""The figures a model is judged by."""

import numpy as np
import pytest
import torch
from PIL import Image

from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.models.zoo import build_model
from opendensepose.training.rendered.validate import (
    agreement_figures,
    measure_photos,
    measure_rendered,
    validation_batch,
)


def test_figures_by_hand():
    true = np.array([[0, 1, 1, 2, 255]], np.uint8)
    i = np.array([[3, 1, 2, 0, 4]], np.uint8)
    u, u_true = np.array([[0, 0.5, 0.5, 0, 0]]), np.array([[0, 0.3, 0, 0, 0]])
    figures = agreement_figures(i, u, u, true, u_true, None)
    assert figures == pytest.approx({"agreement": 1 / 4, "fg_iou": 2 / 4, "label": 1 / 2, "du": 0.2})


def test_perfect_and_empty_maps():
    i = np.array([[0, 1], [5, 24]], np.uint8)
    uv = np.random.default_rng(0).random((2, 2))
    assert agreement_figures(i, uv, uv, i, uv, uv) == {"agreement": 1, "fg_iou": 1, "label": 1, "du": 0, "dv": 0}
    nobody = np.zeros_like(i)
    figures = agreement_figures(nobody, uv, uv, i, uv, uv)
    assert figures["agreement"] == figures["fg_iou"] == figures["label"] == 0 and np.isnan(figures["du"])


def test_the_rendered_set_is_the_same_for_every_run(rendered_recipe, render):
    one, other = (validation_batch(rendered_recipe(seed=seed), render, "cpu") for seed in (0, 5))
    assert torch.equal(one.image, other.image) and len(one.image) == 3


class Oracle(torch.nn.Module):
    """Knows the labels of a batch and gives them as a network would, one image at a time."""

    def __init__(self, batch):
        super().__init__()
        self.weight, self.batch = torch.nn.Parameter(torch.zeros(1)), batch

    def label(self, image):
        found = [torch.equal(image[0], known) for known in self.batch.image].index(True)
        i, u, v = (label[found : found + 1] for label in (self.batch.i, self.batch.u, self.batch.v))
        logits = 9.0 * torch.nn.functional.one_hot(i.long(), 25).permute(0, 3, 1, 2)
        u, v = (value[:, None].expand(-1, 24, -1, -1) for value in (u, v))
        return DenseOutput(logits, u, v, torch.full(i.shape, 9.0), torch.full((len(i),), 9.0))


def test_the_truth_scores_1(rendered_recipe, render):
    batch = validation_batch(rendered_recipe(), render, "cpu")
    figures = measure_rendered(Oracle(batch), batch, chunk=1)
    assert figures["agreement"] == figures["label"] == 1
    assert figures["du"] < 1e-6 and abs(figures["confidence_gap"]) < 1e-3
    wrong = batch._replace(i=torch.where(batch.i == 2, 1, batch.i).to(torch.uint8))
    assert measure_rendered(Oracle(wrong), batch, chunk=1)["label"] < 1


def test_photos_are_measured_and_missing_ones_are_said(tmp_path):
    torch.manual_seed(0)
    model = build_model(
        "densepose_lite", widths=(4, 4, 4, 4), depths=(0, 0, 0, 0), crop_hw=(48, 24), detect_sides=(64,)
    ).eval()
    with pytest.raises(ValueError, match="no photo"):
        measure_photos(model, tmp_path)
    with torch.no_grad():
        model.detection_head.heat.bias.fill_(-20)  # finds nobody
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(tmp_path / "a.jpg")
    np.savez(tmp_path / "a.npz", I=np.ones((40, 30), np.uint8))
    assert measure_photos(model, tmp_path) == {"agreement": 0, "fg_iou": 0, "label": 0}
