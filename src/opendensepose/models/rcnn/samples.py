"""What DensePose R-CNN learns from: which anchors and proposals are people, their boxes, and whose charts are learned.

Letters: N images, A anchors of an image over all levels, K people, P proposals of an image.
Source: Ren et al., Faster R-CNN, NIPS 2015; numbers as in the released DensePose code (densepose's base configuration).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from opendensepose.models.rcnn.proposals import BOX_CODER, PROPOSAL_CODER, ProposalNetwork
from opendensepose.models.targets import Targets
from opendensepose.models.whole_batch import shared_mean

__all__ = [
    "RegionSamples",
    "Sampling",
    "TaskRegions",
    "box_losses",
    "pad_to_multiple",
    "proposal_losses",
    "sample_boxes",
    "start_weights",
    "task_regions",
]

STRIDE = 32  # images are at least so large
NEITHER = -1  # label of an anchor that teaches nothing


@dataclass(frozen=True)
class Sampling:
    """How many anchors and boxes of an image are learned from. The numbers of the released code, but for `dense`: of 16
    images ResNet-50 with all 128 positive boxes keeps 41 GB for the backward pass, with 32 of them 19 GB."""

    anchors: int = 256
    anchor_positive: float = 0.5  # at most this fraction of them shows a person
    proposals_per_level: int = 2000
    proposals: int = 1000
    boxes: int = 512
    box_positive: float = 0.25
    dense: int | None = 32  # at most so many regions of an image teach charts and other tasks; None: all
    dense_iou: float = 0.7  # a region's least IoU with its person


class RegionSamples(NamedTuple):
    """Boxes of one image and whom they show."""

    boxes: Tensor  # (R, 4) xyxy
    person: Tensor  # (R,) int64 row of the image's people; -1 background


class TaskRegions(NamedTuple):
    """Boxes of one image that teach charts, or only other tasks, and whom they show."""

    boxes: Tensor  # (R, 4) xyxy
    person: Tensor  # (R,) int64 row of the image's people
    stands_for: Tensor  # (R,) float32: how many boxes that teach charts it stands for; 0: it teaches other tasks only


def proposal_losses(
    network: ProposalNetwork,
    pyramid: list[Tensor],
    sizes_hw: list[tuple[int, int]],
    targets: list[Targets],
    sampling: Sampling,
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Return the losses "proposal" and "proposal_box", and the proposals (P, 4) of each image.

    Anchors with IoU >= 0.7 to a person, and the best of each person, are positive; below 0.3 negative. Binary
    cross-entropy over the sampled, L1 of the deltas over the positive, both divided by the number sampled.
    """
    raw = [tuple(part.float() for part in network.raw(features)) for features in pyramid]
    levels = network.anchors(pyramid)
    logits, deltas = (torch.cat(part, dim=1) for part in zip(*raw, strict=True))  # (N, A), (N, A, 4)
    anchors = torch.cat(levels)
    score, box = logits.new_zeros(()), logits.new_zeros(())
    for image, target in enumerate(targets):
        person = match(anchors, target, Matcher(0.7, 0.3, allow_low_quality_matches=True))
        person = without_ignored(person, anchors, target)
        positive, negative = draw(person, sampling.anchors, sampling.anchor_positive, generator(target))
        chosen = torch.cat([positive, negative])
        score = score + F.binary_cross_entropy_with_logits(
            logits[image, chosen], (person[chosen] >= 0).to(logits.dtype), reduction="sum"
        )
        wanted = PROPOSAL_CODER.encode_single(target.boxes[person[positive]], anchors[positive])
        box = box + (deltas[image, positive] - wanted).abs().sum()
    size = sampling.anchors * len(targets)
    with torch.no_grad():
        of_levels = [(level_logits.detach(), level_deltas.detach()) for level_logits, level_deltas in raw]
        best = network.best(of_levels, levels, sizes_hw, sampling.proposals_per_level, sampling.proposals)
    return {"proposal": score / size, "proposal_box": box / size}, [boxes for boxes, _ in best]


@torch.no_grad()
def sample_boxes(proposals: Tensor, target: Targets, sampling: Sampling) -> RegionSamples:
    """Sample regions of one image that teach the box head, in random order but for those who show a person first.

    The people's own boxes join the proposals. A box shows a person if their IoU is at least 0.5.
    """
    boxes = torch.cat([proposals, target.boxes])
    person = without_ignored(match(boxes, target, Matcher(0.5, 0.5)), boxes, target)
    chosen = torch.cat(draw(person, sampling.boxes, sampling.box_positive, generator(target, stage=1)))
    return RegionSamples(boxes[chosen], person[chosen])


@torch.no_grad()
def task_regions(
    sampled: RegionSamples, target: Targets, sampling: Sampling, others: Tensor | None = None
) -> TaskRegions:
    """Choose the sampled regions of one image that teach charts: of annotated people, IoU at least sampling.dense_iou.

    others (K,) bool: people whose regions teach other tasks too, whatever their IoU. Of more than sampling.dense
    regions the first so many are taken, and each of them that teaches charts stands for more than itself: sums over
    annotated points stay as large as over all regions.
    """
    boxes, person = (part[sampled.person >= 0] for part in sampled)
    teaches = charts = torch.zeros_like(person, dtype=torch.bool)
    if len(person):
        iou = box_iou(boxes, target.boxes).gather(1, person[:, None])[:, 0]
        teaches = charts = (iou >= sampling.dense_iou) & target.annotated[person]
        if others is not None:
            teaches = charts | others[person]
    kept = torch.nonzero(teaches).flatten()[: sampling.dense]  # in random order already
    stands_for = charts[kept] * charts.sum() / charts[kept].sum().clamp(min=1)
    return TaskRegions(boxes[kept], person[kept], stands_for)


def box_losses(
    logits: Tensor, deltas: Tensor, regions: list[RegionSamples], targets: list[Targets]
) -> dict[str, Tensor]:
    """Return the losses "class", cross-entropy, and "box", L1 of the deltas of those who show a person, both divided by
    the number of all.

    logits (R, classes + 1), background last; deltas (R, 4 or 4 classes). People are the first class.
    """
    logits, deltas = logits.float(), deltas.float()
    person = torch.cat([one.person for one in regions])
    boxes = torch.cat([one.boxes for one in regions])
    matched = torch.cat([_matched_boxes(*pair) for pair in zip(regions, targets, strict=True)])
    background = logits.shape[1] - 1
    count = logits.new_tensor(len(person))
    label = torch.where(person >= 0, 0, background)
    positive = torch.nonzero(person >= 0).flatten()
    wanted = BOX_CODER.encode_single(matched[positive], boxes[positive])
    return {
        "class": shared_mean(F.cross_entropy(logits, label, reduction="sum"), count),
        "box": shared_mean((deltas[positive, :4] - wanted).abs().sum(), count),
    }


def _matched_boxes(regions: RegionSamples, target: Targets) -> Tensor:
    if not len(target.boxes):
        return regions.boxes
    return target.boxes[regions.person.clamp(min=0)]


def pad_to_multiple(boxes: list[Tensor], multiple: int = 8) -> list[Tensor]:
    """Append copies of one more box to the last image's, so that the number of all is a multiple of 8: on a CPU each
    new size of a convolution costs as much time as several steps."""
    missing = -sum(map(len, boxes)) % multiple
    more = boxes[-1].new_tensor([0.0, 0, STRIDE, STRIDE]).expand(missing, 4)
    return [*boxes[:-1], torch.cat([boxes[-1], more])]


def generator(target: Targets, stage: int = 0) -> torch.Generator:
    """Make a generator that depends on the image alone: how processes share the batch changes nothing."""
    return torch.Generator().manual_seed(2 * target.seed + stage)


def match(boxes: Tensor, target: Targets, matcher: Matcher) -> Tensor:
    """Match boxes with people, (P,) int64: the row of each box's person; -2 background, NEITHER where the matcher
    leaves it open."""
    if not len(target.boxes) or not len(boxes):
        return boxes.new_full((len(boxes),), -2, dtype=torch.int64)
    found = matcher(box_iou(target.boxes, boxes))
    low, between = Matcher.BELOW_LOW_THRESHOLD, Matcher.BETWEEN_THRESHOLDS
    return torch.where(found == low, -2, torch.where(found == between, NEITHER, found))


def without_ignored(person: Tensor, boxes: Tensor, target: Targets) -> Tensor:
    """Turn background boxes that lie by half or more in an ignored group into NEITHER."""
    if not len(target.ignored) or not len(boxes):
        return person
    left_top = torch.maximum(boxes[:, None, :2], target.ignored[None, :, :2])
    right_bottom = torch.minimum(boxes[:, None, 2:], target.ignored[None, :, 2:])
    shared = (right_bottom - left_top).clamp(min=0).prod(-1).amax(1)
    inside = shared >= 0.5 * (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return torch.where(inside & (person == -2), NEITHER, person)


def draw(person: Tensor, most: int, positive_fraction: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw indices of positive and of background boxes, at most `most` together, in random order."""
    positive, negative = torch.nonzero(person >= 0).flatten(), torch.nonzero(person == -2).flatten()
    num_positive = min(len(positive), int(most * positive_fraction))
    num_negative = min(len(negative), most - num_positive)
    return tuple(
        index[torch.randperm(len(index), generator=random)[:count].to(index.device)]
        for index, count in ((positive, num_positive), (negative, num_negative))
    )


def start_weights(model: nn.Module) -> None:
    """Draw random weights that keep the size of what passes through, where no norm follows (He et al., ICCV 2015),
    and small ones for the last layers of the box head, as in Faster R-CNN."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=1)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for module in model.pyramid.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, a=1)
    for layer, std in (
        (model.proposals.conv, 0.01),
        (model.proposals.objectness_logits, 0.01),
        (model.proposals.anchor_deltas, 0.01),
        (model.box_head.cls_score, 0.01),
        (model.box_head.bbox_pred, 0.001),
    ):
        nn.init.normal_(layer.weight, std=std)
