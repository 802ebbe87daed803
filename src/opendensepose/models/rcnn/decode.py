"""Photo -> people with DensePose R-CNN: the photo scaled as the network was trained, each region's charts put back.

Letters: H x W photo size, h x w pixels of a box, S cells of a region's side.
"""

import copy
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from opendensepose.instance import Instance, place_in_photo
from opendensepose.iuv import IUV
from opendensepose.models.cells import read_maps
from opendensepose.models.fold_norms import fold_norms
from opendensepose.models.image_batch import network_size, scale_photo
from opendensepose.models.outputs import ChartOutput
from opendensepose.models.winograd import with_winograd

__all__ = ["PreparedRCNN", "decode_region", "faster_copy", "whole_pixels"]


def faster_copy(network: nn.Module) -> nn.Module:
    """Copy a network of regions for prediction only: the same function, faster. On a CPU wide convolutions are computed
    by tiles, but not those before proposals, as small differences there choose other boxes."""
    model = fold_norms(copy.deepcopy(network).eval()).requires_grad_(False)
    if next(model.parameters()).device.type == "cpu":
        model.tiled_pyramid = with_winograd(copy.deepcopy(model.pyramid))
        with_winograd(model.head)
        if model.decoder is not None:
            with_winograd(model.decoder)
    return model.to(memory_format=torch.channels_last)


class PreparedRCNN:
    """A DensePoseRCNN as a `PreparedNetwork`."""

    def __init__(self, network: nn.Module):
        self.model, self.min_score = faster_copy(network), network.min_score

    @torch.inference_mode()
    def find(self, images_rgb: Sequence[np.ndarray], min_score: float) -> list[list[Instance]]:
        """Find and label people, see `PreparedNetwork.find`."""
        return self._people(images_rgb, None, min_score)

    @torch.inference_mode()
    def label(self, images_rgb: Sequence[np.ndarray], boxes_xyxy: Sequence[np.ndarray]) -> list[list[Instance]]:
        """Label given boxes, see `PreparedNetwork.label`. Each person's score is 1."""
        return self._people(images_rgb, boxes_xyxy, 0.0)

    def _people(
        self, images_rgb: Sequence[np.ndarray], boxes_xyxy: Sequence[np.ndarray] | None, min_score: float
    ) -> list[list[Instance]]:
        """Return the people in photos of any sizes; boxes_xyxy: see `label`, None: find them."""
        model = self.model
        people: dict[int, list[Instance]] = {}
        sizes_hw = [network_size(image_rgb.shape[:2], model.short_side, model.long_side) for image_rgb in images_rgb]
        for hw in dict.fromkeys(sizes_hw):
            equal = [k for k, size_hw in enumerate(sizes_hw) if size_hw == hw]
            given = None if boxes_xyxy is None else [boxes_xyxy[k] for k in equal]
            found = self._people_of_batch([images_rgb[k] for k in equal], given, hw, min_score)
            people |= zip(equal, found, strict=True)
        return [people[k] for k in range(len(images_rgb))]

    def _people_of_batch(
        self,
        images_rgb: Sequence[np.ndarray],
        boxes_xyxy: Sequence[np.ndarray] | None,
        network_hw: tuple[int, int],
        min_score: float,
    ) -> list[list[Instance]]:
        """Return the same for photos that the network sees at one size, as one batch."""
        device = next(self.model.parameters()).device
        images = [scale_photo(image_rgb, network_hw).to(device) for image_rgb in images_rgb]
        limits = [np.array(image_rgb.shape[1::-1] * 2, "f4") for image_rgb in images_rgb]  # width, height, twice
        shrinks = [limit / np.array(network_hw[::-1] * 2, "f4") for limit in limits]  # of x, y, x, y
        if boxes_xyxy is None:
            found, output = self.model(images, None, min_score)
            boxes_xyxy = [
                np.clip(one.boxes.cpu().numpy() * shrink, 0, limit)
                for one, shrink, limit in zip(found, shrinks, limits, strict=True)
            ]
        else:
            given = [torch.from_numpy(boxes / shrink) for boxes, shrink in zip(boxes_xyxy, shrinks, strict=True)]
            found, output = self.model(images, [boxes.to(device) for boxes in given], min_score)
        people: list[list[Instance]] = [[] for _ in images_rgb]
        photo = [n for n, boxes in enumerate(boxes_xyxy) for _ in boxes]  # of each region
        boxes, scores = np.concatenate(boxes_xyxy), torch.cat([one.scores for one in found]).tolist()
        for k, (n, box, score) in enumerate(zip(photo, boxes, scores, strict=True)):
            if (box[2:] > box[:2]).all():
                one = tuple(None if maps is None else maps[k] for maps in output)
                people[n].append(self.instance(one, box, min(max(score, 0.0), 1.0), images_rgb[n].shape[:2]))
        return people

    def instance(self, output: tuple, box: np.ndarray, score: float, size_hw: tuple[int, int]) -> Instance:
        """Put the region's labels where its box, in whole pixels, lies in the photo. output: what the network says of
        the region."""
        x0, y0, width, height = whole_pixels(box)
        labels, confidence = decode_region(ChartOutput(*output), (height, width))
        return place_in_photo(labels, confidence, (x0, y0), size_hw, box, score)


def whole_pixels(box: np.ndarray) -> tuple[int, int, int, int]:
    """Return x0, y0, width and height of a box (4,) xyxy in whole pixels, at least one, as detectron2 has them."""
    return int(box[0]), int(box[1]), max(int(box[2] - box[0]), 1), max(int(box[3] - box[1]), 1)


def decode_region(output: ChartOutput, size_hw: tuple[int, int]) -> tuple[IUV, np.ndarray]:
    """Return the labels and their confidence (h, w) float32 at h x w pixels of one region, without the batch axis.

    I is the likeliest of the 25 fine classes wherever the likeliest coarse class is not background; U and V are read in
    the chart's own maps. Confidence: the probability of that chart times that of not being background.
    """
    rows, columns = (((torch.arange(n, device=output.u.device) + 0.5) / n) for n in size_hw)
    coarse, fine = (
        F.interpolate(maps[None].float(), size_hw, mode="bilinear", align_corners=False)[0]
        for maps in (output.coarse, output.fine)
    )  # (2 or 15, h, w) and (25, h, w)
    y, x = torch.nonzero(coarse[1:].amax(dim=0) > coarse[0], as_tuple=True)
    fine, coarse = fine[:, y, x], coarse[:, y, x]  # (25, P) and (2 or 15, P) of the P pixels that are not background
    best, chart = fine.max(dim=0)
    confidence = (best - fine.logsumexp(0)).exp() * (1 - coarse.softmax(0)[0])
    person = chart > 0
    y, x, chart, confidence = y[person], x[person], chart[person], confidence[person]
    maps = [torch.zeros(size_hw, dtype=torch.uint8, device=chart.device).index_put_((y, x), chart.to(torch.uint8))]
    xy = torch.stack([columns[x], rows[y]], dim=1)  # (P, 2)
    for values in (*(read_maps(uv[None].float(), 0, xy, chart) for uv in (output.u, output.v)), confidence):
        maps.append(values.new_zeros(size_hw).index_put_((y, x), values.clamp(0, 1)))
    *labels, confidence = (part.cpu().numpy() for part in maps)
    return IUV(*labels), confidence
