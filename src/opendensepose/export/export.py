"""One network, several formats: what `opendensepose export` writes."""

from collections.abc import Callable
from pathlib import Path

import torch

from opendensepose.export.networks import Detect, Label
from opendensepose.export.onnx_graph import read_weights_from, trace_graph, write_graph
from opendensepose.models.checkpoints.checkpoint import load_checkpoint
from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite
from opendensepose.models.densepose_lite.runtimes import exported_files, settings_text

__all__ = ["export_lite_onnx"]


def export_lite_onnx(model: DensePoseLite, out: Path, weights: Path | None = None) -> list[Path]:
    """Write the two networks of a DensePoseLite as ONNX, float32, any number of images of any size.

    weights: read the weights from this checkpoint of the model, in the folder of `out`, instead of holding them.
    Returns the files, see `runtimes.exported_files`.
    """
    files = list(exported_files(out))
    for network, file in zip((Detect(model), Label(model)), files, strict=True):
        example = torch.zeros((2, *network.example_hw, 3), dtype=torch.uint8)
        dynamic = {"image": {0: "images", 1: "height", 2: "width"}} | {
            name: {0: "images"} for name in network.output_names
        }
        graph = trace_graph(network, example, network.output_names, dynamic, settings_text(model), fold=not weights)
        write_graph(read_weights_from(graph, weights, "model.") if weights else graph, file)
    return files
