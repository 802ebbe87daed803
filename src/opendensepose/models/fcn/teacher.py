"""The in-painting teacher: given the pixels of one person, it predicts dense labels from sparsely annotated points.

Letters: B people, H x W image, S x S pixels of a crop.
Source: Güler et al., CVPR 2018, section 3.3: a network trained on the sparse points only, on a task made easier by
removing the background with the true mask and by normalising the scale, its predictions averaged over scales. The
authors never released it. Which network, crop and scales are ours; mirrored crops are averaged too.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import roi_align

from opendensepose.iuv import IUV
from opendensepose.models.cells import cell_centres, read_maps, region_centres
from opendensepose.models.fcn.decode import ChartMaps, decode_maps, resampled
from opendensepose.models.fcn.densepose_fcn import FCN
from opendensepose.models.image_batch import MEAN_BGR
from opendensepose.models.mirror import mirror_class_maps, mirror_uv_maps
from opendensepose.models.point_losses import parts_at
from opendensepose.models.targets import Targets
from opendensepose.models.whole_batch import gather_images, process_rank
from opendensepose.surface import CHART_TO_PART

__all__ = [
    "InpaintedPerson",
    "KnownPoints",
    "Teacher",
    "anchored",
    "draw_people",
    "crop_region",
    "crop_targets",
    "inpaint",
    "no_losses",
    "person_crop",
]

PADDING = 0.1  # of the longer side of the box, on each side
VOTE_FLOOR = 0.1  # of a chart that no point of its part has
SCALE_JITTER = 1.35  # in training regions are up to so many times as large or small


class Teacher(nn.Module):
    """An FCN on square crops of one person without background, side x side pixels.

    scales: in-painting sees crops at all these multiples of side and averages. background: leave it in, to see what
    removing it gives. The rest: see FCN.
    """

    num_crops = 8  # of a batch; always as many, since on a CPU each new size costs time

    def __init__(
        self,
        side: int = 256,
        scales: Sequence[float] = (0.75, 1.0, 1.25),
        background: bool = False,
        **kwargs: Any,
    ):
        super().__init__()
        if side % 4:
            raise ValueError(f"the side of a teacher's crops must be a multiple of 4, got {side}.")
        self.side, self.scales, self.background = side, tuple(scales), background
        self.fcn = FCN(**kwargs)

    def losses(self, images: Sequence[Tensor], targets: Sequence[Targets]) -> dict[str, Tensor]:
        """Return the losses of the FCN, on crops of annotated people, see `draw_people`, at random scales; dense labels
        are not used."""
        people = draw_people(targets, self.num_crops)
        if people is None:
            return no_losses(self)
        crops, labels = [images[0].new_zeros(0, 3, self.side, self.side)], []  # so that there may be none
        for n, k, (by, *_) in people:
            region = crop_region(targets[n].boxes[k], SCALE_JITTER**by)
            crop = self.crop(images[n], region, targets[n].parts[k], targets[n].boxes[k], self.side)
            crops.append(crop[None])
            labels.append(crop_targets(targets[n], k, region, self.side))
        return self.fcn.losses(torch.cat(crops), labels)

    def crop(self, image: Tensor, region: Tensor, parts: Tensor, box: Tensor, side: int) -> Tensor:
        """Cut out what it sees of a person, see `person_crop`."""
        if self.background:
            parts, box = torch.ones_like(parts), region
        return person_crop(image, region, parts, box, side)

    def prepare(self, mirrored: bool = True, refine: bool = True) -> NoReturn:
        """Raise ValueError: a teacher does not find people."""
        raise ValueError("a teacher fills in people whose part masks are known, it predicts nobody: see `distill`.")


def draw_people(targets: Sequence[Targets], count: int) -> list[tuple[int, int, list[float]]] | None:
    """Draw `count` annotated people of the whole batch, in random order, again from the first after the last, and
    return those on this process's images: (image, row of its people, three random numbers in [-1, 1]).

    The draw depends on the seed of the batch's first image alone, so that it is the same however many processes share
    the batch. A process may get nobody, and yet must take part in the forward pass, which has averages over all of
    them. None in all processes if nobody is annotated in the whole batch.
    """
    rows = [torch.nonzero(one.annotated).flatten().tolist() for one in targets]
    own = [[len(people), one.seed] for people, one in zip(rows, targets, strict=True)]
    batch = gather_images(torch.tensor(own, device=targets[0].annotated.device)).tolist()
    who = [(image, k) for image, (num_people, _) in enumerate(batch) for k in range(num_people)]
    if not who:
        return None
    random = torch.Generator().manual_seed(batch[0][1])
    order = torch.randperm(len(who), generator=random).tolist()
    numbers = (2 * torch.rand(count, 3, generator=random) - 1).tolist()
    drawn = [(*who[order[turn % len(who)]], numbers[turn]) for turn in range(count)]
    rank, world = process_rank()
    return [(image // world, rows[image // world][k], jitter) for image, k, jitter in drawn if image % world == rank]


def no_losses(network: nn.Module) -> dict[str, Tensor]:
    """Return an FCN's losses for a whole batch with nobody annotated: zeros that depend on all parameters."""
    nothing = 0 * sum(parameter.sum() for parameter in network.parameters())
    return dict.fromkeys(("part", "chart", "u", "v"), nothing)


def crop_region(box: Tensor, factor: float = 1.0) -> Tensor:
    """Return the square around a box (4,), with padding, times a factor: (4,) xyxy, whole pixels."""
    half = 0.5 * (box[2:] - box[:2]).max().clamp(min=1) * (1 + 2 * PADDING) * factor
    centre = (box[:2] + box[2:]) / 2
    low = (centre - half).round()
    return torch.cat([low, low + (2 * half).round().clamp(min=2)])


def person_crop(image: Tensor, region: Tensor, parts: Tensor, box: Tensor, side: int) -> Tensor:
    """Cut the region out of an image (3, H, W), what is not in the person's part masks replaced by the mean colour:
    (3, side, side) float32 RGB 0..255. Where it shrinks, pixels are averaged."""
    crop = roi_align(image[None].float(), [region[None].float()], side, sampling_ratio=-1, aligned=True)[0]
    person = parts_at(region_centres(region[None], side)[0], parts, box) > 0  # (side, side)
    mean = crop.new_tensor(MEAN_BGR[::-1])[:, None, None]
    return torch.where(person, crop, mean)


def crop_targets(targets: Targets, person: int, region: Tensor, side: int) -> Targets:
    """Return what is known of one person, in pixels of the crop."""
    scale = side / (region[2:] - region[:2])
    mine = targets.point_person == person
    box = ((targets.boxes[person].view(2, 2) - region[:2]) * scale).view(1, 4)
    return replace(
        targets,
        boxes=box,
        parts=targets.parts[person, None],
        annotated=targets.annotated[person, None],
        keypoints=targets.keypoints[person, None],
        point_xy=(targets.point_xy[mine] - region[:2]) * scale,
        point_i=targets.point_i[mine],
        point_uv=targets.point_uv[mine],
        point_person=torch.zeros_like(targets.point_person[mine]),
        ignored=targets.ignored[:0],
        dense=None,
    )


class KnownPoints(NamedTuple):
    """Annotated points of a person."""

    xy: np.ndarray  # (P, 2) pixels of the photo
    i: np.ndarray  # (P,) 1..24
    u: np.ndarray  # (P,)
    v: np.ndarray  # (P,)


class InpaintedPerson(NamedTuple):
    """Labels of a window of the photo that lies inside it."""

    iuv: IUV  # (h, w)
    probability: np.ndarray  # (h, w) float32: of the chart
    corner_xy: tuple[int, int]  # the photo's pixel at which the window begins


@torch.no_grad()
def inpaint(
    model: Teacher,
    image_rgb: np.ndarray,
    box_xyxy: np.ndarray,
    parts: np.ndarray,
    mirrored: bool = True,
    points: KnownPoints | None = None,
) -> InpaintedPerson:
    """In-paint I, U, V of one person at every pixel of their part masks, the chart one of the masked part.

    image_rgb (H, W, 3) uint8; parts (256, 256) uint8 0..14, laid over the box. points: the teacher's
    predictions are made to agree with them; see `anchored`.
    """
    device = next(model.parameters()).device
    image = torch.from_numpy(np.array(image_rgb)).permute(2, 0, 1).to(device)
    box = torch.as_tensor(box_xyxy, dtype=torch.float32, device=device)
    masks, region = torch.as_tensor(parts, device=device), crop_region(box)
    maps = average_crops(model, image, region, masks, box, mirrored)
    if points is not None and len(points.i):
        maps = anchored(maps, region, points)
    x0, y0, x1, y1 = (int(edge) for edge in region)
    pixels = (x1 - x0, y1 - y0)
    at = parts_at(region_centres(region[None], pixels[0])[0], masks, box)
    labels, probability = decode_maps(maps, pixels[::-1], at)
    inside = np.s_[max(-y0, 0) : image_rgb.shape[0] - y0, max(-x0, 0) : image_rgb.shape[1] - x0]
    iuv = IUV(labels.i[inside], labels.u[inside], labels.v[inside])
    return InpaintedPerson(iuv, probability[inside], (max(x0, 0), max(y0, 0)))


def anchored(maps: ChartMaps, region: Tensor, points: KnownPoints) -> ChartMaps:
    """Correct the maps of a region (4,) to agree with points, weighted by proximity; ours, not the paper's.

    With w_k = 1 / (d_k^2 + 1/4)^2, d_k the distance in cells to point k (Shepard, 1968): U and V of chart c get the
    mean of what was missing at its points, weighted by w; the probability of c is multiplied by VOTE_FLOOR + its
    points' share in the weights of its part's points. Charts, and parts, without points stay as they are.
    """
    device, cells = maps.u.device, maps.u.new_tensor(maps.u.shape[:0:-1])  # x, y
    xy = (torch.as_tensor(points.xy, dtype=torch.float32, device=device) - region[:2]) / (region[2:] - region[:2])
    chart = torch.as_tensor(points.i.astype("int64"), device=device)
    uv = torch.as_tensor(np.stack([points.u, points.v], 1), dtype=torch.float32, device=device)
    centres = cell_centres(maps.u.shape[1:], 1.0, device)  # (h, w, 2)
    square = (centres[None] - (xy * cells)[:, None, None]).square().sum(-1)  # (P, h, w)
    weight = (square + 0.25) ** -2

    def of_charts(values: Tensor) -> Tensor:
        return values.new_zeros(maps.u.shape).index_add_(0, chart, values)

    votes = of_charts(weight)  # (25, h, w)
    part = torch.as_tensor(CHART_TO_PART.astype("int64"), device=device)
    of_part = torch.zeros_like(votes[:15]).index_add_(0, part, votes)[part]
    probability = maps.probability * torch.where(of_part > 0, VOTE_FLOOR + votes / of_part.clamp(min=1e-12), 1.0)
    moved = []
    for one, true in zip((maps.u, maps.v), uv.unbind(1), strict=True):
        missing = true - read_maps(one[None], 0, xy, chart)  # (P,)
        moved.append(one + of_charts(weight * missing[:, None, None]) / votes.clamp(min=1e-12))
    return ChartMaps(probability, *moved)


def average_crops(
    model: Teacher, image: Tensor, region: Tensor, parts: Tensor, box: Tensor, mirrored: bool
) -> ChartMaps:
    """Average the predictions for a person at all scales and, mirrored, for their mirror images, flipped back."""
    cells_hw, predicted = (model.side // 4, model.side // 4), []
    for scale in model.scales:
        side = 4 * round(scale * model.side / 4)
        crop = model.crop(image, region, parts, box, side)
        predicted.append(resampled(model.fcn([crop]), (side, side), cells_hw))
        if mirrored:
            maps = resampled(model.fcn([crop.flip(-1)]), (side, side), cells_hw)
            predicted.append(ChartMaps(mirror_class_maps(maps.probability), *mirror_uv_maps(maps.u, maps.v)))
    return ChartMaps(*(torch.stack(part).mean(0) for part in zip(*predicted, strict=True)))
