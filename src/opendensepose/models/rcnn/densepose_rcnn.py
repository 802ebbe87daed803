"""DensePose R-CNN: a detector on a feature pyramid, and for each region found its charts, U and V.

Letters: N images, H x W input size (padded to whole strides of 32), K boxes of one image, R boxes of all images.
Source: Güler et al., CVPR 2018, section 4; in the form of detectron2's DensePose, whose weights it takes.
"""

import torch
from torch import Tensor
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from opendensepose.models.outputs import ChartOutput
from opendensepose.models.point_losses import LossWeights, region_losses
from opendensepose.models.prediction import PreparedNetwork
from opendensepose.models.rcnn.decode import PreparedRCNN
from opendensepose.models.rcnn.detector import Detections, Detector
from opendensepose.models.rcnn.heads import BoxHead, ChartPredictor, ConvHead, DeepLabHead, PyramidDecoder
from opendensepose.models.rcnn.proposals import ProposalNetwork
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

__all__ = ["DensePoseRCNN", "build_densepose_rcnn", "released_loss_weights"]

LEGACY_COARSE_CLASSES = 15
LEGACY_LOSS_WEIGHTS = LossWeights(coarse=2.0, chart=0.3, uv=0.1)
CONFIDENCE_LOSS_WEIGHTS = LossWeights(uv=0.0005)  # of a likelihood, which has no bound
MEAN_LOSS_WEIGHTS = LossWeights(uv=5.0, beta=0.05, uv_mean=True, coarse_points=1.0)  # U and V as in FCNWeights
CONFIDENCE_CLIP_VALUE = 1.0  # of each element of its gradients

HEADS: dict[str, type[ConvHead] | type[DeepLabHead]] = {"conv": ConvHead, "deeplab": DeepLabHead}


class DensePoseRCNN(Detector):
    """Images -> people and their charts; made of the parts that `build_densepose_rcnn` chooses.

    head, predictor: features of a pooled region of cells x cells -> features -> ChartOutput. loss_weights: of the
    charts. clip_value: the largest element of a gradient in training, None: any. The others: see Detector.
    """

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
        super().__init__(resnet, pyramid, proposals, box_head, decoder, cells, short_side, long_side)
        self.head, self.predictor = head, predictor
        self.loss_weights, self.clip_value = loss_weights, clip_value

    def forward(
        self, images: list[Tensor], boxes: list[Tensor] | None = None, min_score: float = 0.05
    ) -> tuple[list[Detections], ChartOutput]:
        """Images (3, H, W), RGB 0..255 -> people of each image, and the charts of all of them (R, ...), in order.

        boxes (K, 4) per image: label these, in their order with scores of 1, instead of searching.
        """
        pyramid, found = self.find(images, boxes, min_score)
        return found, self.charts(pyramid, [one.boxes for one in found])

    def losses(self, images: list[Tensor], targets: list[Targets]) -> dict[str, Tensor]:
        """Return the weighted losses of proposals, boxes and charts; see `Targets`."""
        pyramid = self.features(self.batch(images))
        sizes_hw = [tuple(image.shape[-2:]) for image in images]
        of_proposals, proposals = proposal_losses(self.proposals, pyramid, sizes_hw, targets, self.sampling)
        sampled = [sample_boxes(*one, self.sampling) for one in zip(proposals, targets, strict=True)]
        logits, deltas = self.box_head(self.box_head.pool(pyramid, [one.boxes for one in sampled]))
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

    def charts(self, pyramid: list[Tensor], boxes: list[Tensor]) -> ChartOutput:
        """Apply the dense head to the boxes of each image."""
        return self.predictor(self.head(self.regions(pyramid, boxes)))

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
    aligned_boxes: bool = False,
    short_side: int = 800,
    long_side: int = 1333,
    losses: str = "released",
) -> DensePoseRCNN:
    """Build a DensePoseRCNN with random weights.

    depth, norm, stride_in_1x1, width: see ResNet. channels: of the pyramid. head: "conv" or "deeplab". head_norm: group
    norm in the head. decoder, cells: with a decoder regions have 28 cells on a side; legacy models have none, and 14.
    coarse_classes, uv_confidence, mask_confidence: see ChartPredictor. num_classes, num_boxes, box_hidden,
    aligned_boxes: see BoxHead; all people are one class. short_side, long_side: see Detector. losses: "released", the
    weights and clipping of detectron2's model, which are made for up to 128 regions of an image, or "mean", whose terms
    do not grow with the number of regions, for small batches. ValueError for an unknown head or losses, or boxes that
    are neither one for all classes nor one for each.
    """
    if head not in HEADS:
        raise ValueError(f"head is {' or '.join(HEADS)}, got {head!r}.")
    if losses not in ("released", "mean"):
        raise ValueError(f"losses is released or mean, got {losses!r}.")
    if losses == "mean" and uv_confidence is not None:
        raise ValueError("a network with confidences of U and V learns from a likelihood: its losses are released.")
    if num_boxes not in (1, num_classes):
        raise ValueError(f"num_boxes must be 1 or num_classes, {num_classes}, got {num_boxes}.")
    resnet = ResNet(depth, norm, stride_in_1x1, width=width)
    model = DensePoseRCNN(
        resnet=resnet,
        pyramid=FeaturePyramidNetwork(resnet.channels, channels, LastLevelMaxPool()),
        proposals=ProposalNetwork(channels),
        box_head=BoxHead(channels, box_hidden, num_classes=num_classes, num_boxes=num_boxes, aligned=aligned_boxes),
        decoder=PyramidDecoder(channels, channels, channels) if decoder else None,
        head=HEADS[head](channels, head_channels, head_layers, head_norm),
        predictor=ChartPredictor(head_channels, coarse_classes, uv_confidence, mask_confidence),
        cells=cells,
        short_side=short_side,
        long_side=long_side,
        loss_weights=MEAN_LOSS_WEIGHTS if losses == "mean" else released_loss_weights(coarse_classes, uv_confidence),
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
