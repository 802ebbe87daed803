"""Every network keeps the contract of prediction, or says in a sentence why it does not predict."""

import numpy as np
import pytest
import torch

from opendensepose.instance import Instance
from opendensepose.models.prediction import Network
from opendensepose.models.zoo import ARCHITECTURES, build_model

RESNET = {"depth": 18, "width": 32, "channels": 32, "short_side": 64, "long_side": 96}
RCNN = RESNET | {"head_channels": 32, "head_layers": 1}
TINY = {
    "densepose_lite": {"widths": (8, 8, 8, 8), "depths": (0, 0, 0, 0), "crop_hw": (64, 48), "detect_sides": (96, 64)},
    "densepose_rcnn": RCNN,
    "cascade_rcnn": RCNN | {"keypoint_channels": 32, "keypoint_layers": 1, "mask_channels": 32, "mask_layers": 1},
    "embedding_rcnn": RCNN | {"num_vertices": 50, "vertex_features": 6},
    "fcn": RESNET | {"norm": "group"},
}
REFUSING = {"teacher": {**RESNET, "norm": "group"}, "crop_labeller": {"depth": 18}}


def test_every_architecture_is_tested():
    assert TINY.keys() | REFUSING.keys() == ARCHITECTURES.keys()


@pytest.mark.parametrize("name", TINY)
@torch.inference_mode()
def test_a_prepared_network_finds_and_labels(name):
    torch.manual_seed(0)
    network = build_model(name, **TINY[name]).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert isinstance(network, Network)
    prepared = network.prepare()
    assert 0 <= prepared.min_score <= 1
    photos = [np.random.default_rng(0).integers(0, 256, (*hw, 3), dtype=np.uint8) for hw in ((60, 90), (48, 64))]
    boxes = [np.float32([[5, 5, 40, 50], [0, 0, 90, 60]]), np.zeros((0, 4), np.float32)]
    found, nobody, labelled = prepared.find(photos, 0.1), prepared.find(photos, 1.0), prepared.label(photos, boxes)
    assert nobody == [[], []] and labelled[1] == []
    assert {tuple(person.box_xyxy) for person in labelled[0]} <= {tuple(box) for box in boxes[0]}
    for of_photos in (found, labelled):
        for photo, people in zip(photos, of_photos, strict=True):
            assert all(isinstance(person, Instance) and person.iuv.size_hw == photo.shape[:2] for person in people)
            scores = [person.score for person in people]
            assert scores == sorted(scores, reverse=True)
    assert all(person.score >= 0.1 for people in found for person in people)
    assert network.training and all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", REFUSING)
def test_networks_that_find_nobody_say_so(name):
    with pytest.raises(ValueError, match="it predicts nobody: see"):
        build_model(name, **REFUSING[name]).prepare()
