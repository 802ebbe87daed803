"""The TorchScript file, called as ControlNet's front-ends call it, finds whom `Predictor` finds."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from opendensepose.data.photos import example_photo
from opendensepose.export import export_model
from opendensepose.predict import Predictor


@pytest.fixture(scope="module")
def labeller(tmp_path_factory):
    (file,) = export_model("default", "controlnet", tmp_path_factory.mktemp("controlnet") / "densepose.torchscript")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.load(str(file)).eval()


def front_end_charts(boxes, coarse, fine, size_hw):
    """I (H, W) as front-ends paint it: maps enlarged to each box in whole pixels, the likeliest class of each."""
    painted = np.zeros(size_hw, int)
    for box, one_coarse, one_fine in zip(boxes, coarse, fine, strict=True):
        x0, y0 = int(box[0]), int(box[1])
        w, h = max(int(box[2] - box[0]), 1), max(int(box[3] - box[1]), 1)
        enlarged = [F.interpolate(maps[None], (h, w), mode="bilinear", align_corners=False)[0].argmax(0)
                    for maps in (one_coarse, one_fine)]  # fmt: skip
        painted[y0 : y0 + h, x0 : x0 + w] = (enlarged[1] * (enlarged[0] > 0)).numpy()
    return painted


@torch.inference_mode()
def test_a_front_end_gets_the_predictors_person(labeller):
    image = example_photo()
    boxes, coarse, fine, u, v = labeller(torch.tensor(image).permute(2, 0, 1))
    assert boxes.shape == (1, 4) and coarse.shape == (1, 2, 112, 112)
    assert fine.shape == u.shape == v.shape == (1, 25, 112, 112)
    assert all(part.dtype == torch.float32 for part in (boxes, coarse, fine, u, v))
    assert u.min() >= 0 and u.max() <= 1 and not u[:, 0].any() and not v[:, 0].any()
    assert torch.equal(coarse.argmax(1), (fine.argmax(1) > 0).long())
    painted, expected = front_end_charts(boxes, coarse, fine, image.shape[:2]), Predictor(device="cpu")(image)[0].iuv.i
    either = (painted > 0) | (expected > 0)
    assert (painted == expected)[either].mean() > 0.7  # no mirrored pass here


@torch.inference_mode()
def test_nobody_gives_no_rows(labeller):
    for size in ((50, 70), (300, 20)):
        parts = labeller(torch.full((3, *size), 60, dtype=torch.uint8))
        assert [len(part) for part in parts] == [0] * 5
        assert parts[1].shape[1:] == (2, 112, 112) and parts[2].shape[1:] == (25, 112, 112)
