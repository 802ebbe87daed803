"""DensePoseLite: two uses of one network."""

import torch

from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite
from opendensepose.models.densepose_lite.network import decide

TINY = {"widths": (4, 6, 8, 10), "depths": (0, 0, 0, 0), "dense_channels": 6, "detection_channels": 5}


def test_both_at_once_are_the_same_as_each_alone():
    torch.manual_seed(0)
    model = DensePoseLite(**TINY).eval()
    image = torch.randint(0, 256, (2, 3, 64, 32), dtype=torch.uint8)
    dense, detection, pyramid = model(image)
    for together, alone in zip((*dense, *detection), (*model.label(image), *model.detect(image)), strict=True):
        torch.testing.assert_close(together, alone)
    assert pyramid.stride8.shape == (2, 6, 8, 4) and pyramid.pooled.shape == (2, 10)


def test_without_a_quality_branch_the_mean_confidence_of_the_person_stands_in():
    torch.manual_seed(0)
    image = torch.randint(0, 256, (2, 3, 64, 32), dtype=torch.uint8)
    output = DensePoseLite(**TINY).eval().label(image)
    for k in range(2):
        person = decide(output.chart_logits)[k] > 0
        assert person.any()
        expected = output.confidence_logit[k][person].sigmoid().mean()
        torch.testing.assert_close(output.quality_logit[k].sigmoid(), expected)
    assert DensePoseLite(**TINY, quality_channels=3).eval().label(image).quality_logit.shape == (2,)


def test_number_types_mean_the_same():
    torch.manual_seed(0)
    model = DensePoseLite(**TINY).eval()
    image = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    torch.testing.assert_close(model.label(image).u, model.label(image.float()).u)


def test_the_default_fits_a_phone():
    with torch.device("meta"):
        model = DensePoseLite()
    assert sum(p.numel() for p in model.parameters()) <= 10_000_000


def test_scaled_confidence_changes_nothing_else():
    torch.manual_seed(0)
    model = DensePoseLite(**TINY).eval()
    scaled = DensePoseLite(**TINY, confidence_scale=0.5, confidence_shift=-1.0).eval()
    scaled.load_state_dict(model.state_dict())
    image = torch.randint(0, 256, (2, 3, 64, 32), dtype=torch.uint8)
    before, after = model.label(image), scaled.label(image)
    torch.testing.assert_close(after.confidence_logit, 0.5 * before.confidence_logit - 1)
    for name in ("chart_logits", "u", "v", "quality_logit"):
        torch.testing.assert_close(getattr(after, name), getattr(before, name), rtol=0, atol=0)
    torch.testing.assert_close(scaled(image)[0].confidence_logit, before.confidence_logit)  # what training teaches
