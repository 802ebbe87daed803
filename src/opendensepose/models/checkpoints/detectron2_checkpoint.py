"""detectron2's DensePose checkpoints: which network a file holds, and its tensors under our names.

What is not in the tensors is as in all of detectron2's configurations for people: strides in the 1x1 convolutions
(MSRA's weights), regions of 28 cells with a decoder and of 14 without.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from opendensepose.models.checkpoints.pickled_tensors import read_tensors
from opendensepose.models.rcnn.densepose_rcnn import DensePoseRCNN
from opendensepose.models.resnet import DEPTHS
from opendensepose.models.zoo import build_model, check_finite, check_shapes

__all__ = ["load_detectron2", "rcnn_kwargs", "renamed"]

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
    (r"roi_heads\.densepose_predictor\.ann_index_lowres\.", "predictor.layers.coarse."),
    (r"roi_heads\.densepose_predictor\.index_uv_lowres\.", "predictor.layers.fine."),
    (r"roi_heads\.densepose_predictor\.(fine|coarse)_segm_confidence_lowres\.", r"predictor.layers.\1_confidence."),
    (r"roi_heads\.densepose_predictor\.(u|v|sigma_2|kappa_u|kappa_v)_lowres\.", r"predictor.layers.\1."),
)
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
    raise ValueError(f"it has a tensor {name!r}, which is in none of the chart-based DensePose networks known here")


def rcnn_kwargs(shapes: Mapping[str, tuple[int, ...]]) -> dict:
    """Return the keyword arguments of `build_densepose_rcnn` for tensors of these names and shapes."""
    dense = "roi_heads.densepose_"
    needed = ("backbone.bottom_up.stem.conv1.weight", f"{dense}predictor.u_lowres.weight")
    missing = [name for name in needed if name not in shapes]
    if missing:
        raise ValueError(f"it has no tensor {missing[0]!r}: it holds no chart-based DensePose network on a ResNet")
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
    confidence = {"kappa_u": "indep_aniso", "sigma_2": "iid_iso"}
    return {
        "depth": depths[0],
        "head": "deeplab" if any(name.startswith(f"{dense}head.ASPP.") for name in shapes) else "conv",
        "head_norm": f"{dense}head.body_conv_fcn1.norm.weight" in shapes,
        "head_channels": shapes[f"{dense}predictor.u_lowres.weight"][0],
        "head_layers": len(layers),
        "decoder": decoder,
        "cells": 28 if decoder else 14,
        "coarse_classes": shapes[f"{dense}predictor.ann_index_lowres.weight"][1],
        "uv_confidence": next(
            (kind for name, kind in confidence.items() if f"{dense}predictor.{name}_lowres.weight" in shapes), None
        ),
        "mask_confidence": f"{dense}predictor.fine_segm_confidence_lowres.weight" in shapes,
        "channels": shapes["backbone.fpn_output2.weight"][0],
        "num_classes": shapes["roi_heads.box_predictor.cls_score.weight"][0] - 1,
        "num_boxes": shapes["roi_heads.box_predictor.bbox_pred.weight"][0] // 4,
    }


def load_detectron2(path: str | Path) -> tuple[DensePoseRCNN, dict]:
    """Build the network that a detectron2 checkpoint (.pkl or .pth) holds, in evaluation mode; return its keyword
    arguments too.

    ValueError, one sentence, if the file is damaged, holds anything but arrays and plain containers, or another
    network.
    """
    return build_rcnn(read_tensors(path), path)


def build_rcnn(tensors: Mapping[str, np.ndarray | Tensor], path: str | Path) -> tuple[DensePoseRCNN, dict]:
    """Build the network of detectron2's tensors by name, and return its keyword arguments too. path: for the error's
    sentence."""
    try:
        kwargs = rcnn_kwargs({name: tuple(tensor.shape) for name, tensor in tensors.items()})
        deeplab = kwargs["head"] == "deeplab"
        names = {name: renamed(name, deeplab) for name in tensors}
    except (ValueError, KeyError, IndexError) as error:
        sentence = f"it lacks {error}" if not isinstance(error, ValueError) else error
        raise ValueError(f"{path} is not a DensePose checkpoint that can be used here: {sentence}.") from error
    try:
        with torch.device("meta"):
            model = build_model("densepose_rcnn", **kwargs)
        check_shapes(model, {ours: tensors[name].shape for name, ours in names.items() if ours})
        state = {ours: torch.as_tensor(tensors[name]).float() for name, ours in names.items() if ours}
        check_finite(state)
    except ValueError as error:
        sentence = str(error).rstrip(".")
        raise ValueError(f"the tensors in {path} do not make a whole DensePose network: {sentence}.") from error
    model.load_state_dict(state, assign=True)
    return model.eval(), kwargs
