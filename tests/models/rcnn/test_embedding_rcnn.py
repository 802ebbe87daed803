"""The embedding network as a whole, on a small one, and its parts."""

import pytest
import torch
import torch.nn.functional as F

from opendensepose.models.rcnn.embedding_rcnn import EmbeddingPredictor, VertexEmbedder, build_embedding_rcnn

TINY = {
    "depth": 18, "width": 32, "channels": 32, "box_hidden": 64, "head_channels": 32, "head_layers": 1,
    "short_side": 64, "long_side": 96, "num_vertices": 50, "vertex_features": 6, "dimensions": 5,
}  # fmt: skip


def test_vertices_by_hand():
    embedder = VertexEmbedder(3, 2, 2)
    embedder.load_state_dict({"features": torch.tensor([[1.0, 0], [0, 2], [0, 0]]), "embeddings": 3 * torch.eye(2)})
    assert embedder().tolist() == [[1, 0], [0, 1], [0, 0]]
    direct = VertexEmbedder(2, None, 2)
    assert list(direct.state_dict()) == ["embeddings"]
    direct.load_state_dict({"embeddings": torch.tensor([[3.0, 4], [0, -7]])})
    torch.testing.assert_close(direct(), torch.tensor([[0.6, 0.8], [0, -1]]))


def test_predictor_gives_each_output_as_its_own_layer_would():
    torch.manual_seed(0)
    predictor, x = EmbeddingPredictor(6, 3), torch.randn(2, 6, 5, 5)
    with torch.no_grad():
        output = predictor(x)
        assert output.coarse.shape == (2, 2, 20, 20) and output.embedding.shape == (2, 3, 20, 20)
        for name, maps in output._asdict().items():
            expected = F.interpolate(predictor.layers[name](x), size=(20, 20), mode="bilinear")
            torch.testing.assert_close(maps, expected)


@torch.no_grad()
def test_given_boxes_are_embedded_image_by_image():
    torch.manual_seed(0)
    model = build_embedding_rcnn(**TINY).eval()
    images = [torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8) for _ in range(2)]
    boxes = [torch.tensor([[10.0, 5, 50, 60], [0, 0, 96, 64]]), torch.tensor([[30.0, 10, 60, 50]])]
    found, output = model(images, boxes)
    assert [len(one.boxes) for one in found] == [2, 1] and output.embedding.shape == (3, 5, 112, 112)
    _, alone = model(images[1:], boxes[1:])
    for together, by_itself in zip(output, alone, strict=True):
        torch.testing.assert_close(together[2:], by_itself, rtol=1e-3, atol=1e-3 * together.std().item())
    (nobody,), output = model(images[:1], min_score=1.0)
    assert len(nobody.boxes) == 0 and output.coarse.shape == (0, 2, 112, 112)


def test_what_it_does_not_do_is_said():
    with pytest.raises(ValueError, match="embedding_rcnn has no charts, and so no uv_confidence"):
        build_embedding_rcnn(**TINY, uv_confidence="iid_iso")
    with torch.device("meta"), pytest.raises(ValueError, match="an embedding_rcnn cannot be trained here"):
        build_embedding_rcnn(**TINY).losses([], [])
