"""The nearest vertex of each pixel, and people made of them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from opendensepose.models.outputs import EmbeddingOutput
from opendensepose.models.prediction import EmbeddingNetwork
from opendensepose.models.rcnn import vertices as module
from opendensepose.models.rcnn.detector import Detections
from opendensepose.models.rcnn.embedding_rcnn import build_embedding_rcnn
from opendensepose.models.rcnn.vertices import PreparedEmbeddingRCNN, decode_vertices, nearest_vertices

TINY = {
    "depth": 18, "width": 32, "channels": 32, "box_hidden": 64, "head_channels": 32, "head_layers": 1,
    "short_side": 60, "long_side": 90, "mesh": "tiny", "num_vertices": 4, "vertex_features": None, "dimensions": 2,
}  # fmt: skip


def test_nearest_vertices_by_hand():
    vertices = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, 1]])
    pixels = torch.tensor([[0.9, 0.1], [0.2, 0.3], [-5, 4.9], [0, 100]])
    assert nearest_vertices(pixels, vertices).tolist() == [0, 1, 2, 1]  # the first of equals
    assert nearest_vertices(pixels[:0], vertices).tolist() == []
    longer = torch.tensor([[1.0, 0], [3, 0]])  # not the one in the same direction, nor the longest
    assert nearest_vertices(torch.tensor([[1.9, 0], [2.1, 0]]), longer).tolist() == [0, 1]


@pytest.mark.parametrize("at_once", [1, 1000, 2**22])
def test_nearest_vertices_by_all_distances(monkeypatch, at_once):
    monkeypatch.setattr(module, "DISTANCES_AT_ONCE", at_once)
    torch.manual_seed(0)
    pixels, vertices = torch.randn(200, 16), F.normalize(torch.randn(300, 16))
    expected = [min(range(300), key=lambda k, p=pixel: float((p - vertices[k]).square().sum())) for pixel in pixels]
    assert nearest_vertices(pixels, vertices).tolist() == expected


@pytest.mark.parametrize("size_hw", [(40, 23), (5, 9), (1, 1)])
def test_decoding_by_the_way_of_the_original(size_hw):
    """All maps resampled to the box, then the nearest vertex of each pixel that is likelier a person's."""
    generator = torch.Generator().manual_seed(0)
    output = EmbeddingOutput(*(torch.randn(channels, 14, 14, generator=generator) for channels in (2, 5)))
    vertices = F.normalize(torch.randn(30, 5, generator=generator))
    coarse, embedding = (F.interpolate(maps[None], size_hw, mode="bilinear")[0] for maps in output)
    expected = torch.cdist(embedding.flatten(1).T, vertices).argmin(1).view(size_hw)
    expected[coarse.argmax(0) == 0] = -1
    vertex, confidence = decode_vertices(output, vertices, size_hw)
    np.testing.assert_array_equal(vertex.numpy(), expected.numpy())
    np.testing.assert_allclose(confidence, coarse.softmax(0)[1] * (expected >= 0), atol=1e-6)


def test_regions_land_in_their_boxes_and_photos():
    """A network whose regions are a person in their right half, near vertex 2 above and near vertex 3 below."""

    def paint(images, boxes, min_score):
        coarse, embedding = (torch.zeros(sum(map(len, boxes)), 2, 56, 56) for _ in range(2))
        coarse[:, 1, :, 28:], coarse[:, 0, :, :28] = 9, 9
        embedding[:, 0, :28], embedding[:, 1, 28:] = 2, 2
        return [Detections(one, torch.ones(len(one))) for one in boxes], EmbeddingOutput(coarse, embedding)

    network = build_embedding_rcnn(**TINY)
    network.embedder.load_state_dict({"embeddings": torch.tensor([[-1.0, 0], [0, -1], [5, 0], [0, 5]])})
    network.forward = paint
    prepared = PreparedEmbeddingRCNN(network)
    assert isinstance(prepared, EmbeddingNetwork) and prepared.num_vertices == 4
    boxes = np.float32([[3.7, 2.2, 13.9, 22.1], [0, 0, 20, 30]])
    ((first, whole),) = prepared.label([np.zeros((30, 20, 3), np.uint8)], [boxes])
    expected = np.full((30, 20), -1)
    expected[2:11, 8:13], expected[12:21, 8:13] = 2, 3  # the box truncated to whole pixels: row 11 is between
    found = first.embedding.vertex_in_photo((30, 20))
    np.testing.assert_array_equal(np.delete(found, 11, 0), np.delete(expected, 11, 0))
    np.testing.assert_array_equal(first.mask, found >= 0)
    np.testing.assert_array_equal(first.confidence > 0.5, found >= 0)
    assert first.embedding.window_xyxy.tolist() == [3, 2, 13, 21] and first.embedding.mesh == "tiny"
    assert first.embedding.at_pixels(np.array([9, 9]), np.array([3, 19])).tolist() == [[2, 0], [0, 2]]
    assert not first.iuv.i.any() and (whole.embedding.vertex[:, 10:] > 1).all() and not whole.mask[:, :10].any()
