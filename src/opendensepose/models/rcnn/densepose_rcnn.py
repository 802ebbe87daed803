"""DensePose R-CNN: a detector on a feature pyramid, and for each region found its charts, U and V.

Letters: N images, H x W input size (padded to whole strides of 32), K boxes of one image, R boxes of all images.
Source: Güler et al., CVPR 2018, section 4; in the form of detectron2's DensePose, whose weights it takes.
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork, batched_nms, clip_boxes_to_image
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from opendensepose.models.image_batch import image_batch
from opendensepose.models.outputs import ChartOutput
from opendensepose.models.point_losses import LossWeights, region_losses
from opendensepose.models.prediction import PreparedNetwork
from opendensepose.models.rcnn.decode import PreparedRCNN
from opendensepose.models.rcnn.heads import BoxHead, ChartPredictor, ConvHead, DeepLabHead, PyramidDecoder, pool_regions
from opendensepose.models.rcnn.proposals import BOX_CODER, ProposalNetwork
from opendensepose.models.rcnn.samples import (
    RegionSamples,
    Sampling,
    box_losses,
    pad_to_multiple,
    proposal_losses,
    sample_boxes,
    start_weights,
    task_regions,
)
from opendensepose.models.resnet import ResNet
from opendensepose.models.targets import Targets

__all__ = ["DensePoseRCNN", "Detections", "build_densepose_rcnn", "released_loss_weights", "select_boxes"]

LEGACY_COARSE_CLASSES = 15
LEGACY_LOSS_WEIGHTS = LossWeights(coarse=2.0, chart=0.3, uv=0.1)
CONFIDENCE_LOSS_WEIGHTS = LossWeights(uv=0.0005)  # of a likelihood, which has no bound
CONFIDENCE_CLIP_VALUE = 1.0  # of each element of its gradients

HEADS: dict[str, type[ConvHead] | type[DeepLabHead]] = {"conv": ConvHead, "deeplab": DeepLabHead}


class Detections(NamedTuple):
    """People found in one image, the highest score first."""

    boxes: Tensor  # (K, 4) xyxy pixels of the network's input
    scores: Tensor  # (K,) in [0, 1]


class DensePoseRCNN(nn.Module):
    """Images -> people and their charts; made of the parts that `build_densepose_rcnn` chooses.

    pyramid: the feature pyramid on the ResNet's outputs. decoder: turns all levels into the one that regions are pooled
    from; None: each region is pooled from the level that suits its size. head, predictor: features of a pooled region
    of cells x cells -> features -> ChartOutput. short_side, long_side: photos are scaled to the first unless the longer
    side would exceed the second. loss_weights: of the charts. clip_value: the largest element of a gradient in
    training, None: any.
    """

    min_score = 0.8  # below it people are dropped unless another score is asked for; as detectron2's own command has it
    sampling = Sampling()  # what training learns from in an image

    def __init__(
        self,
        resnet: ResNet,
        pyramid: FeaturePyramidNetwork,
        proposals: ProposalNetwork,
        box_head: BoxHead,
        decoder: PyramidDecoder | None,
        head: ConvHead | DeepLabHead,
        predictor: ChartPredictor,
        cells: int,
        short_side: int,
        long_side: int,
        loss_weights: LossWeights,
        clip_value: float | None,
    ):
        super().__init__()
        self.resnet, self.pyramid, self.proposals, self.box_head = resnet, pyramid, proposals, box_head
        self.tiled_pyramid = None  # a faster form of the pyramid, good enough when boxes are given
        self.decoder, self.head, self.predictor = decoder, head, predictor
        self.cells, self.short_side, self.long_side = cells, short_side, long_side
        self.loss_weights, self.clip_value = loss_weights, clip_value

    def forward(
        self, images: list[Tensor], boxes: list[Tensor] | None = None, min_score: float = 0.05
    ) -> tuple[list[Detections], ChartOutput]:
        """Images (3, H, W), RGB 0..255 -> people of each image, and the charts of all of them (R, ...), in order.

        boxes (K, 4) per image: label these, in their order with scores of 1, instead of searching.
        """
        pyramid = self.features(self.batch(images), search=boxes is None)
        if boxes is None:
            found = self.detect(pyramid, [tuple(image.shape[-2:]) for image in images], min_score)
        else:
            found = [Detections(one, one.new_ones(len(one))) for one in boxes]
        return found, self.charts(pyramid, [one.boxes for one in found])

    def losses(self, images: list[Tensor], targets: list[Targets]) -> dict[str, Tensor]:
        """Return the weighted losses of proposals, boxes and charts; see `Targets`."""
        pyramid = self.features(self.batch(images))
        sizes_hw = [tuple(image.shape[-2:]) for image in images]
        of_proposals, proposals = proposal_losses(self.proposals, pyramid, sizes_hw, targets, self.sampling)
        sampled = [sample_boxes(*one, self.sampling) for one in zip(proposals, targets, strict=True)]
        pooled = pool_regions(pyramid[:4], [one.boxes for one in sampled], self.box_head.cells)
        logits, deltas = self.box_head(pooled)
        of_boxes = box_losses(logits, deltas, sampled, targets)
        return of_proposals | of_boxes | self.dense_losses(pyramid, sampled, targets)

    def dense_losses(
        self, pyramid: list[Tensor], sampled: list[RegionSamples], targets: list[Targets]
    ) -> dict[str, Tensor]:
        """Return the losses of the charts of those sampled regions of each image that teach them."""
        regions = [task_regions(*one, self.sampling) for one in zip(sampled, targets, strict=True)]
        output = self.charts(pyramid, pad_to_multiple([one.boxes for one in regions]))
        count = sum(len(one.boxes) for one in regions)
        output = ChartOutput(*(None if maps is None else maps[:count] for maps in output))
        image = torch.cat([torch.full_like(one.person, k) for k, one in enumerate(regions)])
        boxes, person, stands_for = (torch.cat(part) for part in zip(*regions, strict=True))
        return region_losses(output, boxes, image, person, targets, self.loss_weights, stands_for)

    def batch(self, images: list[Tensor]) -> Tensor:
        """Put images into one batch, see `image_batch`: (N, 3, H, W)."""
        return image_batch(images, next(self.parameters()))

    def features(self, batch: Tensor, search: bool = True) -> list[Tensor]:
        """Compute the pyramid: (N, channels, H / s, W / s) at strides s = 4, 8, 16, 32 and 64."""
        levels = OrderedDict((str(k), x) for k, x in enumerate(self.resnet(batch)))
        pyramid = self.pyramid if search or self.tiled_pyramid is None else self.tiled_pyramid
        return list(pyramid(levels).values())

    def detect(
        self, pyramid: list[Tensor], sizes_hw: list[tuple[int, int]], min_score: float = 0.05
    ) -> list[Detections]:
        """Find people: proposals, then what the box head makes of them. sizes_hw: the images' without padding."""
        proposals = [boxes for boxes, _ in self.proposals(pyramid, sizes_hw)]
        logits, deltas = self.box_head(pool_regions(pyramid[:4], proposals, self.box_head.cells))
        counts = [len(boxes) for boxes in proposals]
        parts = zip(logits.split(counts), deltas.split(counts), proposals, sizes_hw, strict=True)
        return [select_boxes(*part, min_score) for part in parts]

    def charts(self, pyramid: list[Tensor], boxes: list[Tensor]) -> ChartOutput:
        """Apply the dense head to the boxes of each image."""
        pool = pool_regions if self.decoder is None else self.decoder.regions
        return self.predictor(self.head(pool(pyramid[:4], boxes, self.cells)))

    def prepare(self, mirrored: bool = True, refine: bool = True) -> PreparedNetwork:
        """Make a copy ready for prediction; mirrored and refine change nothing."""
        return PreparedRCNN(self)


def build_densepose_rcnn(
    depth: int = 50,
    norm: str = "frozen",
    stride_in_1x1: bool = True,
    head: str = "conv",
    head_norm: bool = False,
    head_channels: int = 512,
    head_layers: int = 8,
    decoder: bool = True,
    cells: int = 28,
    coarse_classes: int = 2,
    uv_confidence: str | None = None,
    mask_confidence: bool = False,
    channels: int = 256,
    width: int = 64,
    num_classes: int = 1,
    num_boxes: int = 1,
    box_hidden: int = 1024,
    short_side: int = 800,
    long_side: int = 1333,
) -> DensePoseRCNN:
    """Build a DensePoseRCNN with random weights.

    depth, norm, stride_in_1x1, width: see ResNet. channels: of the pyramid. head: "conv" or "deeplab". head_norm: group
    norm in the head. decoder, cells: with a decoder regions have 28 cells on a side; legacy models have none, and 14.
    coarse_classes, uv_confidence, mask_confidence: see ChartPredictor. num_classes, num_boxes, box_hidden: see BoxHead;
    all people are one class. short_side, long_side: see DensePoseRCNN, whose loss weights and clipping are the released
    ones. ValueError for an unknown head, or boxes that are neither one for all classes nor one for each.
    """
    if head not in HEADS:
        raise ValueError(f"head is {' or '.join(HEADS)}, got {head!r}.")
    if num_boxes not in (1, num_classes):
        raise ValueError(f"num_boxes must be 1 or num_classes, {num_classes}, got {num_boxes}.")
    resnet = ResNet(depth, norm, stride_in_1x1, width=width)
    model = DensePoseRCNN(
        resnet=resnet,
        pyramid=FeaturePyramidNetwork(resnet.channels, channels, LastLevelMaxPool()),
        proposals=ProposalNetwork(channels),
        box_head=BoxHead(channels, box_hidden, num_classes=num_classes, num_boxes=num_boxes),
        decoder=PyramidDecoder(channels, channels, channels) if decoder else None,
        head=HEADS[head](channels, head_channels, head_layers, head_norm),
        predictor=ChartPredictor(head_channels, coarse_classes, uv_confidence, mask_confidence),
        cells=cells,
        short_side=short_side,
        long_side=long_side,
        loss_weights=released_loss_weights(coarse_classes, uv_confidence),
        clip_value=CONFIDENCE_CLIP_VALUE if uv_confidence else None,
    )
    start_weights(model)
    return model


def released_loss_weights(coarse_classes: int, uv_confidence: str | None) -> LossWeights:
    """Return the weights with which detectron2's model of these outputs was trained, see ChartPredictor.

    Legacy models are the only released ones with 15 coarse classes, and have no confidences.
    """
    if uv_confidence is not None:
        return CONFIDENCE_LOSS_WEIGHTS
    return LEGACY_LOSS_WEIGHTS if coarse_classes == LEGACY_COARSE_CLASSES else LossWeights()


def select_boxes(
    logits: Tensor,
    deltas: Tensor,
    proposals: Tensor,
    size_hw: tuple[int, int],
    min_score: float,
    max_iou: float = 0.5,
    max_people: int = 100,
) -> Detections:
    """Select the boxes of one image whose score is above min_score, duplicates of a class suppressed.

    logits (K, classes + 1), background last; deltas (K, 4) or (K, 4 classes); proposals (K, 4).
    """
    boxes = BOX_CODER.decode_single(deltas, proposals)  # (K, 4 or 4 classes)
    scores = logits.softmax(1)
    finite = boxes.isfinite().all(1) & scores.isfinite().all(1)
    boxes, scores = boxes[finite].unflatten(1, (-1, 4)), scores[finite, :-1]
    boxes = clip_boxes_to_image(boxes, size_hw).expand(-1, scores.shape[1], -1)
    row, label = torch.nonzero(scores > min_score, as_tuple=True)
    boxes, scores = boxes[row, label], scores[row, label]
    kept = batched_nms(boxes, scores, label, max_iou)[:max_people]
    boxes, scores = boxes[kept], scores[kept]
    there = (boxes[:, 2:] > boxes[:, :2]).all(1)
    return Detections(boxes[there], scores[there])
