"""DensePoseLite, the default model: a person detector and a crop labeller that share one small backbone.

Photo -> people: boxes are detected at one or several scales, each person's crop is labelled and put back.

Letters: N images, crops or boxes, H x W photo size, h x w crop size.
"""

import copy
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn

from opendensepose.models.densepose_lite.network import Backbone, DenseHead, DetectionHead, Pyramid
from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput
from opendensepose.models.densepose_lite.prepared import PreparedDensePoseLite
from opendensepose.models.fold_norms import fold_norms
from opendensepose.models.prediction import PreparedNetwork

__all__ = ["DensePoseLite", "TorchRuntime"]


class DensePoseLite(nn.Module):
    """Backbone with a detection head, run on whole photos, and a dense head, run on a crop of each person.

    widths, depths: see Backbone. Images are (N, 3, H, W), values 0..255 in any number type, RGB. crop_hw: height and
    width of the crops that are labelled; refine_hw: of those that only tighten the person's box, None: the same.
    detect_sides: people are detected in the photo scaled to these longer sides: the first is the one that the detector
    was trained on; where it leaves a doubt, a smaller one for people who fill the photo and a larger one for small
    people follow. min_score: see PreparedNetwork. quality_channels: see DenseHead, 0 in version 0.1. confidence_scale,
    confidence_shift: applied to the logit of the confidence in `label`, so that it is the probability of a label within
    10 cm of the true point, fitted by scripts/release_weights.py; 1 and 0: the probability that the chart is right,
    which training teaches.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (48, 96, 192, 288),
        depths: tuple[int, ...] = (1, 2, 3, 2),
        dense_channels: int = 96,
        detection_channels: int = 64,
        crop_hw: tuple[int, int] = (192, 144),
        detect_sides: tuple[int, ...] = (256, 160, 384),
        min_score: float = 0.45,
        quality_channels: int = 0,
        refine_hw: tuple[int, int] | None = None,
        confidence_scale: float = 1.0,
        confidence_shift: float = 0.0,
    ):
        super().__init__()
        height, width = crop_hw
        self.crop_hw = height, width  # lists in checkpoints
        height, width = refine_hw or crop_hw
        self.refine_hw = height, width
        self.detect_sides, self.min_score = tuple(detect_sides), min_score
        self.confidence_scale, self.confidence_shift = confidence_scale, confidence_shift
        self.backbone = Backbone(widths, depths)
        self.dense_head = DenseHead(widths[0], dense_channels, widths[3], quality_channels)
        self.detection_head = DetectionHead(widths[1], detection_channels)

    def detect(self, image: Tensor) -> DetectionOutput:
        """Detect people in whole photos (N, 3, H, W)."""
        return self.detection_head(self.backbone(scaled(image, self), to_stride=8).stride8)

    def label(self, image: Tensor) -> DenseOutput:
        """Label crops (N, 3, h, w) that each frame one person: charts, U, V and confidence."""
        pyramid = self.backbone(scaled(image, self))
        output = self.dense_head(pyramid.stride4, pyramid.pooled)
        # Scores, which the head computes, know the confidence as it was learned.
        logit = self.confidence_scale * output.confidence_logit + self.confidence_shift
        return output._replace(confidence_logit=logit)

    def forward(self, image: Tensor) -> tuple[DenseOutput, DetectionOutput, Pyramid]:
        """Do both at once, and return the features below them, as training on crops needs them."""
        pyramid = self.backbone(scaled(image, self))
        return self.dense_head(pyramid.stride4, pyramid.pooled), self.detection_head(pyramid.stride8), pyramid

    def prepare(self, mirrored: bool = True, refine: bool = True) -> PreparedNetwork:
        """Make a copy ready for prediction. mirrored: average the labels of each crop with those of its mirror image.
        refine: tighten boxes that are given, or not found for sure, by a first crop's labels."""
        return PreparedDensePoseLite(TorchRuntime(self), mirrored, refine)


def scaled(image: Tensor, model: nn.Module) -> Tensor:
    """Scale 0..255 to about [-1, 1] in the model's number type; grey 127 becomes 0."""
    return (image.to(next(model.parameters()).dtype) - 127.0) / 128.0


class TorchRuntime:
    """A DensePoseLite run by torch, as a `Runtime`: a copy, frozen, its norms folded, on the network's device."""

    def __init__(self, network: nn.Module):
        self.model = fold_norms(copy.deepcopy(network).eval()).requires_grad_(False)
        self.device = next(network.parameters()).device
        self.crop_hw, self.refine_hw = network.crop_hw, network.refine_hw
        self.detect_sides, self.min_score = network.detect_sides, network.min_score

    def detect(self, images_rgb: np.ndarray) -> DetectionOutput:
        """See `Runtime.detect`."""
        return DetectionOutput(*self._run(self.model.detect, images_rgb))

    def label(self, crops_rgb: np.ndarray) -> DenseOutput:
        """See `Runtime.label`."""
        return DenseOutput(*self._run(self.model.label, crops_rgb))

    @torch.inference_mode()
    def _run(self, network: Callable[[Tensor], Iterable[Tensor]], images_rgb: np.ndarray) -> list[np.ndarray]:
        images = torch.from_numpy(images_rgb).permute(0, 3, 1, 2).to(self.device)  # (N, 3, H, W)
        return [part.float().cpu().numpy() for part in network(images)]
