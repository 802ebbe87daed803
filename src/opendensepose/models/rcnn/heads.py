"""The heads of DensePose R-CNN: what is computed from the pyramid for each region.

Letters: R regions, C channels, P = 28 or 14 cells of a pooled region's side, 25 classes = background and 24 charts.
Sources: the fully convolutional head is Güler et al., CVPR 2018; the decoder Kirillov et al., Panoptic FPN, CVPR 2019;
atrous pyramid pooling Chen et al., DeepLabV3, 2017; confidences of U and V Neverova et al., NeurIPS 2019; of the
segmentations Sanakoyeu et al., CVPR 2020.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import roi_align

from opendensepose.models.outputs import NUM_CLASSES, ChartOutput
from opendensepose.models.resnet import NormedConv

__all__ = ["BoxHead", "ChartPredictor", "ConvHead", "DeepLabHead", "PyramidDecoder", "pool_regions"]

CANONICAL_SIDE, CANONICAL_LEVEL = 224, 4  # a box of 224 x 224 pixels is pooled from stride 2^4
SAMPLES = 2  # per cell and axis
CONFIDENCE_FLOOR = 0.01  # of the segmentations' confidences
NORM_GROUPS = 32
COARSEST_STRIDE, MARGIN = 32, 3  # pixels of a cell of the coarsest level that is decoded; cells
UV_CONFIDENCES = {None: (), "iid_iso": ("sigma_2",), "indep_aniso": ("sigma_2", "kappa_u", "kappa_v")}


def pool_regions(pyramid: list[Tensor], boxes: list[Tensor], cells: int, aligned: bool = False) -> Tensor:
    """Pool the regions (R, C, cells, cells) of all images' boxes, each from the level that suits its size.

    pyramid: levels of stride 4, 8, ...; a single level serves all. boxes: (K, 4) xyxy per image. aligned: RoIAlign with
    as many samples as pixels; most official models were trained with the one that is off by half a pixel of the level,
    and has 2 x 2 samples in a cell.
    """
    samples = 0 if aligned else SAMPLES  # 0: one per pixel
    flat = torch.cat(boxes)
    image = torch.cat([torch.full_like(box[:, :1], k) for k, box in enumerate(boxes)])
    rois = torch.cat([image, flat], dim=1)  # (R, 5)
    if len(pyramid) == 1:
        return roi_align(pyramid[0], rois, cells, 1 / 4, samples, aligned)
    side = (flat[:, 2:] - flat[:, :2]).prod(1).sqrt()
    level = (CANONICAL_LEVEL + torch.log2(side / CANONICAL_SIDE + 2.0**-52)).floor() - 2
    level = level.clamp(0, len(pyramid) - 1)
    pooled = pyramid[0].new_zeros(flat.shape[0], pyramid[0].shape[1], cells, cells)
    for k, features in enumerate(pyramid):
        index = torch.nonzero(level == k).flatten()
        if torch.jit.is_tracing() or len(index):
            pooled[index] = roi_align(features, rois[index], cells, 1 / 2 ** (k + 2), samples, aligned)
    return pooled


class BoxHead(nn.Module):
    """Pooled regions (R, C, 7, 7) -> class logits (R, classes + 1), background last, and box deltas (R, 4 num_boxes):
    one box for all classes, or one per class. aligned: see `pool_regions`."""

    cells = 7

    def __init__(
        self,
        channels: int = 256,
        hidden: int = 1024,
        num_layers: int = 2,
        num_classes: int = 1,
        num_boxes: int = 1,
        aligned: bool = False,
    ):
        super().__init__()
        self.aligned = aligned
        sizes = (channels * self.cells**2, *[hidden] * num_layers)
        for k in range(num_layers):
            self.add_module(f"fc{k + 1}", nn.Linear(sizes[k], sizes[k + 1]))
        self.layers = [f"fc{k + 1}" for k in range(num_layers)]
        self.cls_score = nn.Linear(sizes[-1], num_classes + 1)
        self.bbox_pred = nn.Linear(sizes[-1], 4 * num_boxes)

    def pool(self, pyramid: list[Tensor], boxes: list[Tensor]) -> Tensor:
        """Pool the regions (R, C, 7, 7) of the boxes (K, 4) of each image from the levels at strides 4 to 32."""
        return pool_regions(pyramid[:4], boxes, self.cells, self.aligned)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        x = pooled.flatten(1)
        for name in self.layers:
            x = F.relu(getattr(self, name)(x), inplace=True)
        return self.cls_score(x), self.bbox_pred(x)


class PyramidDecoder(nn.Module):
    """Levels at strides 4, 8, 16 and 32 -> one map at stride 4 that has seen them all.

    A level is brought to stride 4 by one convolution and doubling per factor of 2; the sum is taken at stride 8 first,
    as doubling is linear.
    """

    def __init__(self, in_channels: int = 256, channels: int = 256, out_channels: int = 256):
        super().__init__()
        self.levels = nn.ModuleList()
        for level in range(4):
            widths = (in_channels, *[channels] * max(1, level))
            pairs = zip(widths[:-1], widths[1:], strict=True)
            self.levels.append(nn.ModuleList(NormedConv(before, after, 3) for before, after in pairs))
        self.predictor = nn.Conv2d(channels, out_channels, 1)

    def forward(self, pyramid: list[Tensor]) -> Tensor:
        return self.predictor(self.merge(pyramid))

    def regions(self, pyramid: list[Tensor], boxes: list[Tensor], cells: int) -> Tensor:
        """Pool regions of the decoded map, for less work: it is computed around the boxes only, and as pooling takes
        weighted means and `predictor` is linear in each cell, that comes last. The boxes lie inside the images."""
        if torch.jit.is_tracing():  # a trace would keep the example's window
            return self.predictor(pool_regions([self.merge(pyramid)], boxes, cells))
        return self.predictor(pool_regions(*self._around(pyramid, boxes), cells))

    def merge(self, pyramid: list[Tensor]) -> Tensor:
        """Sum all levels at stride 4."""
        halved = 0  # the sum at stride 8
        for convs, x in zip(self.levels[1:], pyramid[1:], strict=True):
            for k, conv in enumerate(convs):
                x = F.relu(conv(_doubled(x) if k else x), inplace=True)
            halved = x + halved
        x = F.relu(self.levels[0][0](pyramid[0]), inplace=True)
        return _doubled(halved).add_(x)  # not into x, which ReLU's gradient needs

    def _around(self, pyramid: list[Tensor], boxes: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the merged map of the window that holds all boxes, as a single level, and the boxes moved into it.

        The window has whole cells of the coarsest level, and MARGIN of them more on each side than the boxes, beyond
        the reach of what lies outside.
        """
        flat = torch.cat(boxes)
        if not len(flat):
            return [self.merge(pyramid)], boxes
        coarsest = pyramid[-1].shape[-2:]
        low = (flat[:, :2].amin(0) / COARSEST_STRIDE).floor() - MARGIN
        high = (flat[:, 2:].amax(0) / COARSEST_STRIDE).ceil() + MARGIN
        x0, y0 = (int(edge) for edge in low.clamp(min=0))
        x1, y1 = (min(int(edge), size) for edge, size in zip(high, coarsest[::-1], strict=True))
        window = [
            level[:, :, y0 * scale : y1 * scale, x0 * scale : x1 * scale]
            for level, scale in zip(pyramid, (8, 4, 2, 1), strict=True)
        ]
        offset = COARSEST_STRIDE * flat.new_tensor([x0, y0, x0, y0])
        return [self.merge(window)], [one - offset for one in boxes]


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ConvHead(nn.Module):
    """Pooled regions (R, C, P, P) -> features (R, hidden, P, P): convolutions 3x3, each with ReLU. detectron2's
    V1ConvX. norm: group norm before each ReLU."""

    def __init__(self, channels: int = 256, hidden: int = 512, num_layers: int = 8, norm: bool = False):
        super().__init__()
        self.sizes = (channels, hidden, num_layers, norm)
        widths = (channels, *[hidden] * num_layers)
        self.layers = nn.ModuleList(
            NormedConv(before, after, 3, norm=nn.GroupNorm(NORM_GROUPS, after) if norm else None)
            for before, after in zip(widths[:-1], widths[1:], strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.relu(layer(x), inplace=True)
        return x

    def another(self) -> "ConvHead":
        """Build a head of the same sizes with random weights."""
        return ConvHead(*self.sizes)


class AtrousConv(nn.Conv2d):
    """3x3 convolution whose taps lie `dilation` cells apart. On a map that is not larger than that, only the middle tap
    ever falls on it: then a 1x1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int):
        super().__init__(in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if max(x.shape[-2:]) <= self.dilation[0]:
            return F.conv2d(x, self.weight[:, :, 1:2, 1:2])
        return super().forward(x)


class AtrousPyramidPooling(nn.Module):
    """Atrous spatial pyramid pooling (ASPP): the region seen through convolutions of several reaches and as a whole."""

    def __init__(self, channels: int, dilations: tuple[int, ...] = (6, 12, 56)):
        super().__init__()

        def branch(conv: nn.Module) -> nn.Sequential:
            return nn.Sequential(conv, nn.GroupNorm(NORM_GROUPS, channels), nn.ReLU())

        self.near = branch(nn.Conv2d(channels, channels, 1, bias=False))
        self.holed = nn.ModuleList(branch(AtrousConv(channels, channels, dilation)) for dilation in dilations)
        self.whole = branch(nn.Conv2d(channels, channels, 1, bias=False))
        self.project = nn.Conv2d((2 + len(dilations)) * channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        whole = self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(x)
        return F.relu(self.project(torch.cat([self.near(x), *(holed(x) for holed in self.holed), whole], dim=1)))


class DeepLabHead(nn.Module):
    """Pooled regions (R, C, P, P) -> features (R, hidden, P, P), with a view of the whole region first."""

    def __init__(self, channels: int = 256, hidden: int = 512, num_layers: int = 8, norm: bool = True):
        super().__init__()
        self.aspp = AtrousPyramidPooling(channels)
        self.convs = ConvHead(channels, hidden, num_layers, norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.convs(self.aspp(x))


class ChartPredictor(nn.Module):
    """Features (R, C, P, P) -> ChartOutput: one transposed convolution per output, then bilinear doubling.

    uv_confidence: None, "iid_iso" (WC1: one variance) or "indep_aniso" (WC2: two directions). mask_confidence: the M of
    WC1M and WC2M.
    """

    def __init__(
        self,
        channels: int = 512,
        coarse_classes: int = 2,
        uv_confidence: str | None = None,
        mask_confidence: bool = False,
    ):
        super().__init__()
        if uv_confidence not in UV_CONFIDENCES:
            raise ValueError(f"uv_confidence is None, 'iid_iso' or 'indep_aniso', got {uv_confidence!r}.")
        self.sizes = (channels, coarse_classes, uv_confidence, mask_confidence)
        widths = {"coarse": coarse_classes} | dict.fromkeys(("fine", "u", "v"), NUM_CLASSES)
        widths |= dict.fromkeys(UV_CONFIDENCES[uv_confidence], NUM_CLASSES)
        if mask_confidence:
            widths |= {"fine_confidence": 1, "coarse_confidence": 1}
        self.layers = nn.ModuleDict(
            {name: nn.ConvTranspose2d(channels, width, 4, stride=2, padding=1) for name, width in widths.items()}
        )
        for layer in self.layers.values():
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> ChartOutput:
        layers = self.layers.values()
        weight, bias = torch.cat([one.weight for one in layers], 1), torch.cat([one.bias for one in layers])
        maps = _doubled(F.conv_transpose2d(x, weight, bias, stride=2, padding=1))  # all outputs in one go
        parts = maps.split([one.out_channels for one in layers], dim=1)
        output = ChartOutput(**dict(zip(self.layers, parts, strict=True)))
        if output.fine_confidence is None:
            return output
        fine, coarse = (
            F.softplus(logit) + CONFIDENCE_FLOOR for logit in (output.fine_confidence, output.coarse_confidence)
        )
        return output._replace(
            fine=output.fine * fine, coarse=output.coarse * coarse, fine_confidence=fine, coarse_confidence=coarse
        )

    def another(self) -> "ChartPredictor":
        """Build a predictor of the same outputs with random weights."""
        return ChartPredictor(*self.sizes)
