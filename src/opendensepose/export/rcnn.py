"""DensePose R-CNN as one ONNX graph: a photo in, boxes, scores and charts of its people out.

Letters: H x W the photo at the network's size, K people found, S cells of a region's side.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.export.onnx_graph import trace_graph, write_graph
from opendensepose.models.image_batch import MEAN_BGR, STRIDE
from opendensepose.models.outputs import ChartOutput
from opendensepose.models.rcnn.densepose_rcnn import DensePoseRCNN
from opendensepose.models.rcnn.detector import select_boxes

__all__ = ["export_rcnn_onnx"]

EXPORT_FORMAT = "opendensepose-rcnn-1"
EXAMPLE_HW = (96, 128)


class _WholeNetwork(nn.Module):
    """One photo (H, W, 3) uint8 RGB and the least score -> boxes (K, 4) in its pixels, scores (K,), and the
    outputs (K, ..., S, S) that the model has of a ChartOutput."""

    def __init__(self, model: DensePoseRCNN):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, min_score: Tensor) -> tuple[Tensor, ...]:
        size_hw = image.shape[0], image.shape[1]
        x = image.permute(2, 0, 1).flip(0).float() - torch.tensor(MEAN_BGR)[:, None, None]
        x = F.pad(x, (0, -size_hw[1] % STRIDE, 0, -size_hw[0] % STRIDE))
        pyramid = self.model.features(x[None])
        ((proposals, _),) = self.model.proposals(pyramid, [size_hw])
        logits, deltas = self.model.box_head(self.model.box_head.pool(pyramid, [proposals]))
        found = select_boxes(logits, deltas, proposals, size_hw, min_score)
        charts = self.model.charts(pyramid, [found.boxes])
        return (*found, *(maps for maps in charts if maps is not None))


def export_rcnn_onnx(model: DensePoseRCNN, out: Path) -> list[Path]:
    """Write a DensePoseRCNN as one ONNX file, float32, for one photo of any size in a call; returns the file.

    Proposals, non-maximum suppression and pooling are inside. One photo, since each has its own number of people.
    """
    maps = [name for name in ChartOutput._fields if name in model.predictor.layers]
    about = {
        "format": EXPORT_FORMAT,
        "short_side": model.short_side,
        "long_side": model.long_side,
        "min_score": model.min_score,
    }
    random = torch.Generator().manual_seed(0)
    examples = {
        "image": torch.randint(0, 256, (*EXAMPLE_HW, 3), dtype=torch.uint8, generator=random),
        "min_score": torch.tensor(0.0),  # all that is found goes into the trace
    }
    names = ("boxes", "scores", *maps)
    dynamic = {"image": {0: "height", 1: "width"}} | {name: {0: "people"} for name in names}
    graph = trace_graph(_WholeNetwork(model), examples, names, dynamic, json.dumps(about))
    write_graph(graph, out)
    return [out]
