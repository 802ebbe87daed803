"""Photos into DensePose R-CNN, and its charts back into photos."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from opendensepose.models.outputs import ChartOutput
from opendensepose.models.rcnn.decode import PreparedRCNN, decode_region, faster_copy
from opendensepose.models.rcnn.densepose_rcnn import build_densepose_rcnn
from opendensepose.models.rcnn.detector import Detections
from opendensepose.predict import Predictor

TINY = {
    "depth": 18, "width": 32, "channels": 32, "box_hidden": 64, "head_channels": 32, "head_layers": 1,
    "short_side": 64, "long_side": 96,
}  # fmt: skip


def random_output(side=14, coarse_classes=2):
    generator = torch.Generator().manual_seed(0)
    coarse, fine, u, v = (
        torch.randn(channels, side, side, generator=generator) for channels in (coarse_classes, 25, 25, 25)
    )
    return ChartOutput(coarse, 3 * fine, u + 0.5, v + 0.5)


@pytest.mark.parametrize("size_hw", [(40, 23), (5, 9), (1, 1)])
@pytest.mark.parametrize("coarse_classes", [2, 15])
def test_decoding_by_the_way_of_the_original(size_hw, coarse_classes):
    """All maps resampled to the box, then chosen."""
    output = random_output(coarse_classes=coarse_classes)
    coarse, fine, u, v = (F.interpolate(maps[None], size_hw, mode="bilinear")[0] for maps in output[:4])
    label = fine.argmax(0) * (coarse.argmax(0) > 0)
    labels, confidence = decode_region(output, size_hw)
    np.testing.assert_array_equal(labels.i, label.numpy())
    for found, maps in ((labels.u, u), (labels.v, v)):
        expected = maps.gather(0, label[None])[0].clamp(0, 1) * (label > 0)
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
    probability = fine.softmax(0).max(0).values * (1 - coarse.softmax(0)[0]) * (label > 0)
    np.testing.assert_allclose(confidence, probability.numpy(), atol=1e-5)


def test_regions_land_in_their_boxes_and_photos():
    """A network that labels each region as chart 2, U from left to right, V from top to bottom."""
    seen = []  # sizes of the images, and boxes, of each pass

    def paint(images, boxes, min_score):
        seen.append(([tuple(image.shape) for image in images], boxes))
        coarse, fine, u, v = (torch.zeros(sum(map(len, boxes)), n, 56, 56) for n in (2, 25, 25, 25))
        coarse[:, 1], fine[:, 2] = 9, 9
        middle = (torch.arange(56) + 0.5) / 56
        u[:], v[:] = middle, middle[:, None]
        return [Detections(one, torch.ones(len(one))) for one in boxes], ChartOutput(coarse, fine, u, v)

    boxes = np.float32([[3.7, 2.2, 13.9, 22.1], [0, 0, 20, 30]])
    tall, wide = np.zeros((30, 20, 3), np.uint8), np.zeros((20, 30, 3), np.uint8)
    network = build_densepose_rcnn(**TINY | {"short_side": 60, "long_side": 90})
    network.forward = paint
    prepared = PreparedRCNN(network)
    given = [boxes[:0], np.float32([[5, 5, 25, 15]]), boxes, np.float32([[0, 0, 0.5, 9]])]
    nobody, (other,), people, (thin,) = prepared.label([tall, wide, tall, tall], given)
    (sizes, (_, scaled, _)), (other_sizes, _) = seen
    assert sizes == [(3, 90, 60)] * 3 and other_sizes == [(3, 60, 90)]  # equal sizes share a pass
    torch.testing.assert_close(scaled, torch.from_numpy(3 * boxes))
    assert nobody == [] and other.iuv.i[5:15, 5:25].all() and other.iuv.i.astype(bool).sum() == 200
    assert thin.iuv.i.astype(bool).sum() == 9  # a pixel wide at least
    first, whole = people
    inside = np.zeros((30, 20), bool)
    inside[2:21, 3:13] = True  # the box truncated to whole pixels
    np.testing.assert_array_equal(first.iuv.i, 2 * inside)
    np.testing.assert_allclose(first.iuv.u[10, 3:13], (np.arange(10) + 0.5) / 10, atol=1e-2)
    np.testing.assert_allclose(first.iuv.v[2:21, 5], (np.arange(19) + 0.5) / 19, atol=1e-2)
    assert (whole.iuv.i == 2).all() and whole.confidence.min() > 0.9


def test_the_predictor_takes_the_network_and_leaves_it_as_it_was():
    torch.manual_seed(0)
    model = build_densepose_rcnn(**TINY)
    names = list(model.state_dict())
    photo = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    predictor = Predictor(model, device="cpu", min_score=0.0)
    people = predictor(photo)
    assert 0 < len(people) <= 100 and all(person.iuv.size_hw == (50, 70) for person in people)
    assert list(model.state_dict()) == names
    given = predictor(photo, boxes=[[5, 5, 40, 45], [0, 0, 70, 50]])
    assert [person.score for person in given] == [1, 1] and given[1].box_xyxy.tolist() == [0, 0, 70, 50]
    assert predictor(photo, boxes=[]) == []
    assert Predictor(model, device="cpu", min_score=1.0)(photo) == []
    with pytest.raises(ValueError, match="boxes must be"):
        predictor(photo, boxes=[[1, 2, 3]])


def test_the_faster_copy_is_the_same_function():
    torch.manual_seed(0)
    model = build_densepose_rcnn(**TINY).eval()
    image = [torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8)]
    boxes = [torch.tensor([[10.0, 5, 50, 60], [60, 20, 90, 60]])]
    with torch.inference_mode():
        _, expected = model(image, boxes)
        _, found = faster_copy(model)(image, boxes)
    for a, b in zip(expected[:4], found[:4], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3 * a.std().item())
