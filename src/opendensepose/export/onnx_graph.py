"""Networks as ONNX graphs; their weights inside, or read from the checkpoint that lies beside them.

Traced by torch's older exporter: the newer one needs thirty times as long for the same graph, and cannot follow the
number of people that DensePose R-CNN finds.
"""

import copy
import json
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import onnx
import torch
from torch import nn

from opendensepose.atomic_write import atomic_file
from opendensepose.models.fold_norms import fold_norms

__all__ = ["read_weights_from", "trace_graph", "write_graph"]

OPSET = 18
METADATA = "about"  # key of the settings


def trace_graph(
    network: nn.Module,
    examples: Mapping[str, torch.Tensor],
    output_names: tuple[str, ...],
    dynamic: Mapping[str, Mapping[int, str]],
    about: str,
    fold: bool = True,
) -> onnx.ModelProto:
    """Trace a network in evaluation mode. examples: its inputs by name. dynamic: which axes of inputs and outputs may
    have any length, by their names. about: JSON for the metadata. fold: multiply batch norms into convolutions."""
    network = copy.deepcopy(network).eval().to(device="cpu", memory_format=torch.contiguous_format)
    if fold:
        fold_norms(network)
    written = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the older one; that sizes are traced
        torch.onnx.export(
            network,
            tuple(examples.values()),
            written,
            dynamo=False,
            input_names=list(examples),
            output_names=list(output_names),
            dynamic_axes=dynamic,
            opset_version=OPSET,
            training=torch.onnx.TrainingMode.EVAL if fold else torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=fold,
        )
    graph = onnx.load_from_string(written.getvalue())
    graph.metadata_props.add(key=METADATA, value=about)
    return graph


def read_weights_from(graph: onnx.ModelProto, weights: Path, prefix: str) -> onnx.ModelProto:
    """Let the graph read its weights from a checkpoint of this package that will lie beside it, instead of holding
    them: the file stays small. prefix: of the checkpoint's names in the graph. Changes the graph, returns it.

    A tensor of a safetensors file is a piece of it, little-endian and dense, as ONNX's external data are.
    """
    with weights.open("rb") as file:
        num_bytes = int.from_bytes(file.read(8), "little")
        pieces = json.loads(file.read(num_bytes))
    kept, casts = [], []
    for tensor in graph.graph.initializer:
        piece = pieces.get(tensor.name.removeprefix(prefix), {})
        if piece.get("dtype") != "F16" or piece["shape"] != list(tensor.dims):
            kept.append(tensor)
            continue
        start, end = (8 + num_bytes + offset for offset in piece["data_offsets"])
        half = onnx.TensorProto(name=f"{tensor.name}.half", data_type=onnx.TensorProto.FLOAT16, dims=tensor.dims)
        half.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", start), ("length", end - start)):
            half.external_data.add(key=key, value=str(value))
        kept.append(half)
        casts.append(onnx.helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.initializer[:], graph.graph.node[:]
    graph.graph.initializer.extend(kept)
    graph.graph.node.extend(nodes)
    return graph


def write_graph(graph: onnx.ModelProto, path: Path) -> None:
    """Write the file whole or not at all."""
    with atomic_file(path) as unfinished:
        unfinished.write_bytes(graph.SerializeToString())
