"""The default model as one TorchScript file that front-ends of ControlNet call: a photo in, maps of people out.

They expect what a traced DensePose R-CNN gives: for each box 112 x 112 cells of raw maps over it. So finding, cropping
and labelling run inside, in TorchScript's part of Python. It has no mirrored pass, and its crops are scaled by torch.

Letters: N people, H x W size of the photo.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.models.densepose_lite.boxes import MAX_IOU, MAX_PEOPLE
from opendensepose.models.densepose_lite.crops import BOX_PADDING, GREY, MIN_PERSON_FRACTION, MIN_TIGHT
from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite
from opendensepose.models.densepose_lite.network import LOG_PERSON_WEIGHT, STRIDE, TYPICAL_SIDE
from opendensepose.models.densepose_lite.prepared import STRIDE as PHOTO_STRIDE

__all__ = ["ControlNetLabeller"]

CELLS = 112  # of a person's maps, on a side


class _Heat(nn.Module):
    """Photos (N, 3, H, W), 0..255 -> the detection head's heat and distances to the four sides, in pixels; where the
    cells lie is left to who calls, on whichever device."""

    def __init__(self, model: DensePoseLite):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        head = self.model.detection_head
        x = head.hidden(self.model.backbone((image - 127.0) / 128.0, to_stride=8).stride8)
        return head.heat(x)[:, 0].sigmoid(), TYPICAL_SIDE * head.sides(x).clamp(-6, 4).exp()


class _Label(nn.Module):
    def __init__(self, model: DensePoseLite):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.model.label(image))


class ControlNetLabeller(nn.Module):
    """A DensePoseLite as `model(photo) -> (boxes, coarse, fine, u, v)`.

    photo: (3, H, W) uint8 RGB. boxes: (N, 4) xyxy pixels, the best person first. coarse: (N, 2, 112, 112) scores of
    background and person. fine: (N, 25, 112, 112) scores of background and charts. u, v: (N, 25, 112, 112) in [0, 1],
    0 in the first, background's. Best score first decides, as in `network.decide`.
    """

    def __init__(self, model: DensePoseLite):
        super().__init__()
        example = torch.zeros(2, 3, 64, 96)
        self.heat = torch.jit.trace(_Heat(model), example, check_trace=False)
        self.label = torch.jit.trace(_Label(model), example, check_trace=False)
        self.crop_hw, self.refine_hw = model.crop_hw, model.refine_hw
        self.detect_sides, self.min_score = list(model.detect_sides), float(model.min_score)
        self.log_person_weight, self.max_iou, self.max_people = LOG_PERSON_WEIGHT, MAX_IOU, MAX_PEOPLE
        self.padding, self.grey, self.least, self.cells = BOX_PADDING, float(GREY), MIN_PERSON_FRACTION, CELLS
        self.min_tight = MIN_TIGHT
        self.stride, self.photo_stride = STRIDE, PHOTO_STRIDE

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        image = photo[None].float()
        boxes, heat = self.find(image)
        kept, people, scores = [], [], []
        for k in range(len(boxes)):
            crop = self.crop_box(boxes[k])
            logits = self.label(self.cut(image, crop, self.refine_hw))[0][0]
            tight = self.widen(self.tighten(logits, crop, boxes[k]), boxes[k])
            crop = self.crop_box(tight)
            logits, u, v, _, quality = self.label(self.cut(image, crop, self.crop_hw))
            score = (heat[k] * quality[0].sigmoid()).sqrt()
            if float(score) >= self.min_score and float(self.person(logits[0]).float().mean()) >= self.least:
                scores_of_cells = torch.cat([logits[:, :1], logits[:, 1:] + self.log_person_weight], dim=1)
                box = self.inside(self.tighten(scores_of_cells[0], crop, tight), image)
                scores.append(score)
                kept.append(box)
                people.append(self.over_box(scores_of_cells, u, v, crop, box))
        if len(kept) == 0:
            maps = image.new_zeros(0, 3 * 25, self.cells, self.cells)
            found = image.new_zeros(0, 4)
        else:
            found = torch.stack(kept)
            order = torch.stack(scores).argsort(descending=True)
            order = order[self.nms(found[order])]
            found, maps = found[order], torch.cat(people)[order]
        fine, u, v = maps.split(25, dim=1)
        coarse = torch.stack([fine[:, 0], fine[:, 1:].amax(1)], dim=1)
        return found, coarse, fine, u, v

    def find(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Find boxes (K, 4) xyxy pixels and their heat (K,), the hottest first."""
        height, width = image.shape[2], image.shape[3]
        all_boxes, all_heat = [], []
        for side in self.detect_sides:
            scale = side / max(height, width)
            rows = self.photo_stride * math.ceil(height * scale / self.photo_stride - 1e-6)
            columns = self.photo_stride * math.ceil(width * scale / self.photo_stride - 1e-6)
            whole = torch.tensor([0.0, 0.0, columns / scale, rows / scale], device=image.device)
            heat, sides = self.heat(self.cut(image, whole, (rows, columns)))
            y = (torch.arange(heat.shape[1], device=image.device) + 0.5) * self.stride
            x = (torch.arange(heat.shape[2], device=image.device) + 0.5) * self.stride
            left, top, right, bottom = sides[0].unbind(0)
            found = torch.stack([x - left, y[:, None] - top, x + right, y[:, None] + bottom], dim=-1)
            hot = heat[0] >= max(self.min_score**2, self.min_score / 2)
            all_boxes.append(found[hot] / scale)
            all_heat.append(heat[0][hot])
        boxes, heat = torch.cat(all_boxes), torch.cat(all_heat)
        order = heat.argsort(descending=True)[:500]
        order = order[self.nms(boxes[order])][: self.max_people]
        return boxes[order], heat[order]

    def nms(self, boxes: Tensor) -> Tensor:
        """Return the indices of the boxes (K, 4), sorted best first, that overlap no better one."""
        left_top = torch.maximum(boxes[:, None, :2], boxes[:, :2])
        right_bottom = torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
        shared = (right_bottom - left_top).clamp(min=0).prod(-1)
        area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(-1)
        overlaps = (shared > self.max_iou * (area[:, None] + area - shared)).cpu()
        kept = torch.jit.annotate(list[int], [])
        for k in range(len(boxes)):
            if not bool(overlaps[k][torch.tensor(kept, dtype=torch.int64)].any()):
                kept.append(k)
        return torch.tensor(kept, dtype=torch.int64, device=boxes.device)

    def crop_box(self, box: Tensor) -> Tensor:
        """Return the box with padding, widened or heightened about its centre to the crops' aspect, whole pixels."""
        aspect = self.crop_hw[1] / self.crop_hw[0]
        width, height = float(box[2] - box[0]), float(box[3] - box[1])
        width, height = width * (1 + 2 * self.padding), height * (1 + 2 * self.padding)
        width, height = max(max(width, height * aspect), 4.0), max(max(height, width / aspect), 4.0)
        left = round((float(box[0] + box[2]) - width) / 2)
        top = round((float(box[1] + box[3]) - height) / 2)
        return torch.tensor([left, top, left + round(width), top + round(height)], device=box.device).float()

    def cut(self, image: Tensor, crop: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """Cut a crop of whole pixels out of the photo, grey where it reaches outside, scaled to size_hw."""
        x0, y0, x1, y1 = int(crop[0]), int(crop[1]), int(crop[2]), int(crop[3])
        height, width = image.shape[2], image.shape[3]
        part = image[:, :, max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        edges = [max(-x0, 0), max(x1 - max(width, x0), 0), max(-y0, 0), max(y1 - max(height, y0), 0)]
        part = F.pad(part, edges, value=self.grey)
        size = [size_hw[0], size_hw[1]]
        return F.interpolate(part, size=size, mode="bilinear", align_corners=False, antialias=True)

    def person(self, logits: Tensor) -> Tensor:
        """Return where a person is likelier than background (h, w); logits (25, h, w)."""
        return logits[1:].logsumexp(0) > logits[0]

    def tighten(self, logits: Tensor, crop: Tensor, box: Tensor) -> Tensor:
        """Return the box of the cells labelled as the person; the given one if they are too few."""
        person = self.person(logits)
        rows, columns = torch.nonzero(person.sum(1) > 1)[:, 0], torch.nonzero(person.sum(0) > 1)[:, 0]
        if float(person.float().mean()) < self.least or len(rows) == 0 or len(columns) == 0:
            return box
        cell_w, cell_h = (crop[2] - crop[0]) / person.shape[1], (crop[3] - crop[1]) / person.shape[0]
        low = crop[0] + columns[0] * cell_w, crop[1] + rows[0] * cell_h
        high = crop[0] + (columns[-1] + 1) * cell_w, crop[1] + (rows[-1] + 1) * cell_h
        return torch.stack([low[0], low[1], high[0], high[1]])

    def widen(self, tight: Tensor, box: Tensor) -> Tensor:
        """Return a box between both if `tight` fills little of the other: then either may be wrong."""
        if float((tight[2:] - tight[:2]).prod()) >= self.min_tight * float((box[2:] - box[:2]).prod()):
            return tight
        between = (tight + box) / 2
        return torch.cat([torch.minimum(tight, between)[:2], torch.maximum(tight, between)[2:]])

    def inside(self, box: Tensor, image: Tensor) -> Tensor:
        """Return the box cut off at the photo's edges."""
        height, width = float(image.shape[2]), float(image.shape[3])
        x, y = box[0::2].clamp(0.0, width), box[1::2].clamp(0.0, height)
        return torch.stack([x[0], y[0], x[1], y[1]])

    def over_box(self, scores: Tensor, u: Tensor, v: Tensor, crop: Tensor, box: Tensor) -> Tensor:
        """Read the crop's maps at 112 x 112 cells over the box: (1, 75, 112, 112), scores, u and v of 25 classes."""
        cell = (torch.arange(self.cells, device=box.device) + 0.5) / self.cells
        x = (box[0] + cell * (box[2] - box[0]) - crop[0]) / (crop[2] - crop[0])
        y = (box[1] + cell * (box[3] - box[1]) - crop[1]) / (crop[3] - crop[1])
        grid = torch.stack([x[None, :].expand(self.cells, -1), y[:, None].expand(-1, self.cells)], dim=-1)[None]
        uv = torch.cat([torch.zeros_like(u[:, :1]), u, torch.zeros_like(v[:, :1]), v], dim=1).clamp(0, 1)
        parts = [
            F.grid_sample(maps, 2 * grid - 1, mode="bilinear", padding_mode="border", align_corners=False)
            for maps in (scores, uv)
        ]
        return torch.cat(parts, dim=1)
