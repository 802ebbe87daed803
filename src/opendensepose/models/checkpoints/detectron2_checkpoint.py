"""detectron2's DensePose checkpoints: which network a file holds, and its tensors under our names.

What is not in the tensors is as in all of detectron2's configurations: strides in the 1x1 convolutions (MSRA's
weights), regions of 28 cells with a decoder and of 14 without. Only how boxes are pooled differs among them: the table
of official models says it, and the digits at the end of a file's name which model that is.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from opendensepose.models.checkpoints.official import official_of_file
from opendensepose.models.checkpoints.pickled_tensors import read_tensors
from opendensepose.models.rcnn.detector import Detector
from opendensepose.models.resnet import DEPTHS
from opendensepose.models.zoo import build_model, check_finite, check_shapes

__all__ = ["architecture_of", "build_network", "load_detectron2", "renamed"]

# detectron2's names -> ours; the first pattern that fits the beginning of a name is replaced
RENAMED = (
    (r"backbone\.bottom_up\.", "resnet."),
    (r"backbone\.fpn_lateral(\d)\.", lambda m: f"pyramid.inner_blocks.{int(m[1]) - 2}.0."),
    (r"backbone\.fpn_output(\d)\.", lambda m: f"pyramid.layer_blocks.{int(m[1]) - 2}.0."),
    (r"proposal_generator\.rpn_head\.", "proposals."),
    (r"roi_heads\.box_(?:head|predictor)\.", "box_head."),
    (r"roi_heads\.decoder\.p(\d)\.(\d)\.", lambda m: f"decoder.levels.{int(m[1]) - 2}.{int(m[2]) // 2}."),
    (r"roi_heads\.decoder\.predictor\.", "decoder.predictor."),
    (r"roi_heads\.densepose_head\.ASPP\.convs\.0\.", "head.aspp.near."),
    (r"roi_heads\.densepose_head\.ASPP\.convs\.([123])\.", lambda m: f"head.aspp.holed.{int(m[1]) - 1}."),
    (r"roi_heads\.densepose_head\.ASPP\.convs\.4\.(\d)\.", lambda m: f"head.aspp.whole.{int(m[1]) - 1}."),
    (r"roi_heads\.densepose_head\.ASPP\.project\.0\.", "head.aspp.project."),
    (r"roi_heads\.densepose_predictor\.(?:ann_index|coarse_segm)_lowres\.", "predictor.layers.coarse."),
    (r"roi_heads\.densepose_predictor\.embed_lowres\.", "predictor.layers.embedding."),
    (r"roi_heads\.embedder\.embedder_\w+\.", "embedder."),
    (r"roi_heads\.densepose_predictor\.index_uv_lowres\.", "predictor.layers.fine."),
    (r"roi_heads\.densepose_predictor\.(fine|coarse)_segm_confidence_lowres\.", r"predictor.layers.\1_confidence."),
    (r"roi_heads\.densepose_predictor\.(u|v|sigma_2|kappa_u|kappa_v)_lowres\.", r"predictor.layers.\1."),
)
EMBEDDER = re.compile(r"roi_heads\.embedder\.embedder_(\w+)\.embeddings$")  # of the mesh of that name
NUM_VERTICES = {"smpl_27554": 27554}  # of the meshes that are known by name
CONSTANTS = re.compile(r"pixel_(mean|std)$|proposal_generator\.anchor_generator\.|.*\.num_batches_tracked$")


def renamed(name: str, deeplab: bool) -> str | None:
    """Return our name of a tensor; None for constants that the network has anyway. ValueError for others."""
    if CONSTANTS.match(name):
        return None
    head = re.match(r"roi_heads\.densepose_head\.body_conv_fcn(\d+)\.", name)
    if head:
        return f"head.{'convs.' if deeplab else ''}layers.{int(head[1]) - 1}.{name[head.end() :]}"
    for pattern, ours in RENAMED:
        name, count = re.subn("^" + pattern, ours, name)
        if count:
            return name
    raise ValueError(f"it has a tensor {name!r}, which is in none of the DensePose networks known here")


def architecture_of(shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, dict]:
    """Return the architecture, and its builder's keyword arguments, for tensors of these names and shapes."""
    predictor = "roi_heads.densepose_predictor."
    if f"{predictor}embed_lowres.weight" in shapes:
        return "embedding_rcnn", _detector_kwargs(shapes, f"{predictor}embed_lowres.weight") | _embedding_kwargs(shapes)
    confidence = {"kappa_u": "indep_aniso", "sigma_2": "iid_iso"}
    return "densepose_rcnn", _detector_kwargs(shapes, f"{predictor}u_lowres.weight") | {
        "coarse_classes": shapes[f"{predictor}ann_index_lowres.weight"][1],
        "uv_confidence": next(
            (kind for name, kind in confidence.items() if f"{predictor}{name}_lowres.weight" in shapes), None
        ),
        "mask_confidence": f"{predictor}fine_segm_confidence_lowres.weight" in shapes,
    }


def _detector_kwargs(shapes: Mapping[str, tuple[int, ...]], output: str) -> dict:
    """Return the keyword arguments that all region networks have. output: the weight that reads the dense head's
    features."""
    dense = "roi_heads.densepose_"
    missing = [name for name in ("backbone.bottom_up.stem.conv1.weight", output) if name not in shapes]
    if missing:
        raise ValueError(f"it has no tensor {missing[0]!r}: it holds no DensePose network on a ResNet")
    blocks = tuple(
        len({name.split(".")[3] for name in shapes if name.startswith(f"backbone.bottom_up.res{stage}.")})
        for stage in (2, 3, 4, 5)
    )
    bottleneck = "backbone.bottom_up.res2.0.conv3.weight" in shapes
    depths = [depth for depth, known in DEPTHS.items() if known == blocks and (depth >= 50) == bottleneck]
    if not depths:
        raise ValueError(f"its ResNet has {blocks} blocks, which is none of depth {', '.join(map(str, DEPTHS))}")
    layers = [name for name in shapes if re.fullmatch(rf"{dense}head\.body_conv_fcn\d+\.weight", name)]
    decoder = any(name.startswith("roi_heads.decoder.") for name in shapes)
    return {
        "depth": depths[0],
        "head": "deeplab" if any(name.startswith(f"{dense}head.ASPP.") for name in shapes) else "conv",
        "head_norm": f"{dense}head.body_conv_fcn1.norm.weight" in shapes,
        "head_channels": shapes[output][0],
        "head_layers": len(layers),
        "decoder": decoder,
        "cells": 28 if decoder else 14,
        "channels": shapes["backbone.fpn_output2.weight"][0],
        "num_classes": shapes["roi_heads.box_predictor.cls_score.weight"][0] - 1,
        "num_boxes": shapes["roi_heads.box_predictor.bbox_pred.weight"][0] // 4,
    }


def _embedding_kwargs(shapes: Mapping[str, tuple[int, ...]]) -> dict:
    """Return the keyword arguments that embedding networks have besides."""
    embedders = {match[1]: name for name in shapes if (match := EMBEDDER.match(name))}
    if not embedders:
        raise ValueError("it embeds pixels, but has no tensor 'roi_heads.embedder.*.embeddings' for a mesh's vertices")
    if len(embedders) > 1:
        raise ValueError(
            f"it embeds the vertices of {len(embedders)} meshes, {', '.join(sorted(embedders))}: only one is known here"
        )
    ((mesh, name),) = embedders.items()
    rows, dimensions = shapes[name]
    features = shapes.get(name.replace("embeddings", "features"))
    num_vertices = features[0] if features else rows
    if num_vertices != NUM_VERTICES.get(mesh, num_vertices):
        raise ValueError(f"the mesh {mesh} must have {NUM_VERTICES[mesh]} vertices, got embeddings of {num_vertices}")
    return {
        "mesh": mesh,
        "num_vertices": num_vertices,
        "vertex_features": features[1] if features else None,
        "dimensions": dimensions,
    }


def load_detectron2(path: str | Path) -> tuple[Detector, str, dict]:
    """Build the network that a detectron2 checkpoint (.pkl or .pth) holds, in evaluation mode; return its architecture
    and keyword arguments too.

    ValueError, one sentence, if the file is damaged, holds anything but arrays and plain containers, or another
    network.
    """
    official = official_of_file(path)
    return build_network(read_tensors(path), path, aligned_boxes=official is not None and official.aligned_boxes)


def build_network(
    tensors: Mapping[str, np.ndarray | Tensor], path: str | Path, aligned_boxes: bool = False
) -> tuple[Detector, str, dict]:
    """Build the network of detectron2's tensors by name, and return its architecture and keyword arguments too.

    path: for the error's sentence. aligned_boxes: see `build_densepose_rcnn`.
    """
    try:
        architecture, kwargs = architecture_of({name: tuple(tensor.shape) for name, tensor in tensors.items()})
        kwargs["aligned_boxes"] = aligned_boxes
        deeplab = kwargs["head"] == "deeplab"
        names = {name: renamed(name, deeplab) for name in tensors}
    except (ValueError, KeyError, IndexError) as error:
        sentence = f"it lacks {error}" if not isinstance(error, ValueError) else error
        raise ValueError(f"{path} is not a DensePose checkpoint that can be used here: {sentence}.") from error
    try:
        with torch.device("meta"):
            model = build_model(architecture, **kwargs)
        check_shapes(model, {ours: tensors[name].shape for name, ours in names.items() if ours})
        state = {ours: torch.as_tensor(tensors[name]).float() for name, ours in names.items() if ours}
        check_finite(state)
    except ValueError as error:
        sentence = str(error).rstrip(".")
        raise ValueError(f"the tensors in {path} do not make a whole DensePose network: {sentence}.") from error
    model.load_state_dict(state, assign=True)
    return model.eval(), architecture, kwargs
