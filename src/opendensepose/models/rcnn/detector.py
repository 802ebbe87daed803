"""The detector of the region networks: a photo -> people's boxes, and the features of any box.

Letters: N images, H x W input size (padded to whole strides of 32), K boxes of one image, R boxes of all images, C
channels, P cells of a pooled region's side.
Source: Ren et al., Faster R-CNN, NIPS 2015, on a feature pyramid (Lin et al., CVPR 2017).
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork, batched_nms, clip_boxes_to_image

from opendensepose.models.image_batch import image_batch
from opendensepose.models.rcnn.heads import BoxHead, PyramidDecoder, pool_regions
from opendensepose.models.rcnn.proposals import BOX_CODER, ProposalNetwork
from opendensepose.models.resnet import ResNet

__all__ = ["Detections", "Detector", "select_boxes"]


class Detections(NamedTuple):
    """People found in one image, the highest score first."""

    boxes: Tensor  # (K, 4) xyxy pixels of the network's input
    scores: Tensor  # (K,) in [0, 1]


class Detector(nn.Module):
    """Images -> people's boxes; the part that all region networks share.

    pyramid: the feature pyramid on the ResNet's outputs. decoder: turns all levels into the one that regions are pooled
    from; None: each region is pooled from the level that suits its size. cells: of a region's side. short_side,
    long_side: photos are scaled to the first unless the longer side would exceed the second.
    """

    min_score = 0.8  # below it people are dropped unless another score is asked for; as detectron2's own command has it

    def __init__(
        self,
        resnet: ResNet,
        pyramid: FeaturePyramidNetwork,
        proposals: ProposalNetwork,
        box_head: BoxHead,
        decoder: PyramidDecoder | None,
        cells: int,
        short_side: int,
        long_side: int,
    ):
        super().__init__()
        self.resnet, self.pyramid, self.proposals, self.box_head = resnet, pyramid, proposals, box_head
        self.tiled_pyramid = None  # a faster form of the pyramid, good enough when boxes are given
        self.decoder = decoder
        self.cells, self.short_side, self.long_side = cells, short_side, long_side

    def find(
        self, images: list[Tensor], boxes: list[Tensor] | None = None, min_score: float = 0.05
    ) -> tuple[list[Tensor], list[Detections]]:
        """Return the pyramid of images (3, H, W), RGB 0..255, and the people of each image.

        boxes (K, 4) per image: take these, in their order with scores of 1, instead of searching.
        """
        pyramid = self.features(self.batch(images), search=boxes is None)
        if boxes is None:
            return pyramid, self.detect(pyramid, [tuple(image.shape[-2:]) for image in images], min_score)
        return pyramid, [Detections(one, one.new_ones(len(one))) for one in boxes]

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
        logits, deltas = self.box_head(self.box_head.pool(pyramid, proposals))
        counts = [len(boxes) for boxes in proposals]
        parts = zip(logits.split(counts), deltas.split(counts), proposals, sizes_hw, strict=True)
        return [select_boxes(*part, min_score) for part in parts]

    def regions(self, pyramid: list[Tensor], boxes: list[Tensor]) -> Tensor:
        """Pool the features of the boxes of each image: (R, C, P, P)."""
        pool = pool_regions if self.decoder is None else self.decoder.regions
        return pool(pyramid[:4], boxes, self.cells)


def select_boxes(
    logits: Tensor,
    deltas: Tensor,
    proposals: Tensor,
    size_hw: tuple[int, int],
    min_score: float | Tensor,
    max_iou: float = 0.5,
    max_people: int = 100,
) -> Detections:
    """Select the boxes of one image whose score is above min_score, duplicates of a class suppressed.

    logits (K, classes + 1), background last; deltas (K, 4) or (K, 4 classes); proposals (K, 4).
    """
    boxes = BOX_CODER.decode_single(deltas, proposals)  # (K, 4 or 4 classes)
    scores = logits.softmax(1)
    finite = boxes.isfinite().all(1) & scores.isfinite().all(1)
    boxes, scores = boxes[finite].reshape(-1, 4), scores[finite, :-1]
    num_boxes = deltas.shape[1] // 4
    boxes = clip_boxes_to_image(boxes, size_hw).reshape(-1, num_boxes, 4).expand(-1, scores.shape[1], -1)
    row, label = torch.nonzero(scores > min_score, as_tuple=True)
    boxes, scores = boxes[row, label], scores[row, label]
    kept = batched_nms(boxes, scores, label, max_iou)[:max_people]
    boxes, scores = boxes[kept], scores[kept]
    there = (boxes[:, 2:] > boxes[:, :2]).all(1)
    return Detections(boxes[there], scores[there])
