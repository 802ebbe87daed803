"""The networks of the comparison: heads of the library on a frozen encoder.

Letters: N images, H x W pixels.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from opendensepose.models.fcn.densepose_fcn import FCN, FCNOutput
from opendensepose.models.fcn.teacher import Teacher
from opendensepose.models.outputs import NUM_CLASSES, ChartOutput
from opendensepose.models.rcnn.cascade import CascadeRCNN, build_cascade_rcnn
from opendensepose.models.rcnn.heads import ChartPredictor, ConvHead
from opendensepose.models.rcnn.samples import Sampling
from paper.features import CELLS, NECK_CHANNELS, FrozenEncoder, Neck, PooledRegions, at_stride_8

HEAD = {"head_channels": 64, "head_layers": 4}
BRANCH = {"keypoint_channels": 64, "keypoint_layers": 3, "mask_channels": 64, "mask_layers": 3}
TEACHER_SIDE = 192  # pixels of a crop
SCALES = (0.75, 1.0, 1.25)


class PlainPredictor(ChartPredictor):
    """The charts' predictor without its last doubling: two output cells in a region's cell, as the FCN has them in a
    cell of stride 8, and a step costs half as much."""

    def forward(self, x: Tensor) -> ChartOutput:
        layers = self.layers.values()
        weight, bias = torch.cat([one.weight for one in layers], 1), torch.cat([one.bias for one in layers])
        maps = nn.functional.conv_transpose2d(x, weight, bias, stride=2, padding=1)
        parts = maps.split([one.out_channels for one in layers], dim=1)
        return ChartOutput(**dict(zip(self.layers, parts, strict=True)))


def region_network(
    keypoints: bool = False, masks: bool = False, cascade: bool = False, head_norm: bool = True, losses: str = "mean",
    jitter: bool = False,
) -> CascadeRCNN:  # fmt: skip
    """R-CNN's heads on pooled features; who is where is told from outside. jitter: of dense labels, see LossWeights."""
    model = build_cascade_rcnn(
        keypoints, masks, cascade, **BRANCH, **HEAD, depth=18, width=8, norm="batch", channels=NECK_CHANNELS,
        box_hidden=8, decoder=False, cells=CELLS, head_norm=head_norm, losses=losses,
    )  # fmt: skip
    model.resnet = model.pyramid = model.proposals = model.box_head = nn.Identity()
    model.decoder = PooledRegions()
    model.predictor = PlainPredictor(*model.predictor.sizes)
    if model.second is not None:
        model.second.charts[1] = PlainPredictor(*model.predictor.sizes)
    model.sampling = Sampling(dense=None)
    model.loss_weights = replace(model.loss_weights, dense_jitter=jitter)
    return model


class FrozenFCN(FCN):
    """The FCN on the frozen encoder: the same neck and head at stride 8 of the whole image."""

    def __init__(self, encoder: FrozenEncoder, size_hw: tuple[int, int], scales: Sequence[float] = (1.0,)):
        nn.Module.__init__(self)  # FCN's own would make a ResNet
        self.short_side, self.long_side = min(size_hw), max(size_hw)
        self.scales, self.resnet = tuple(scales), encoder
        head = ConvHead(NECK_CHANNELS, HEAD["head_channels"], HEAD["head_layers"], norm=True)
        self.head = nn.Sequential(Neck(), head)
        self.predictor = nn.ConvTranspose2d(HEAD["head_channels"], 3 * NUM_CLASSES, 4, stride=2, padding=1)
        for conv in head.layers:
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        with torch.no_grad():
            self.predictor.weight.mul_(0.5)
            self.predictor.bias.zero_()[NUM_CLASSES:] = 0.5

    def forward(self, images: Sequence[Tensor]) -> FCNOutput:
        """Images (3, H, W) of one size, RGB 0..255, padded with grey at the right and the bottom."""
        batch = torch.stack([image.float() for image in images])
        height, width = (-side % 32 for side in batch.shape[-2:])
        return self.output(self.resnet(nn.functional.pad(batch, (0, width, 0, height), value=127.0)))

    def output(self, levels: Sequence[Tensor]) -> FCNOutput:
        """The output for features (N, C, h, w) at four strides."""
        return FCNOutput(*self.predictor(self.head(at_stride_8(levels))).split(NUM_CLASSES, dim=1))


def teacher_network(encoder: FrozenEncoder, scales: Sequence[float] = SCALES, background: bool = False) -> Teacher:
    """The teacher: the FCN on crops of one person."""
    teacher = Teacher(TEACHER_SIDE, scales, background, depth=18, width=8)
    teacher.fcn = FrozenFCN(encoder, (TEACHER_SIDE, TEACHER_SIDE))
    return teacher
