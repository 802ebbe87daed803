"""Photo -> people: glance at the whole photo to find them, look at each to label every pixel of theirs.

Letters: N persons, H x W photo size, h x w crop size.
"""

import copy
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from opendensepose.data.photos import MAX_PIXELS, check_aspect, find_photos, read_photo
from opendensepose.data.predictions import save_prediction
from opendensepose.instance import Instance, without_repeats
from opendensepose.iuv import IUV
from opendensepose.models.backbone import fold_norms
from opendensepose.models.checkpoint import load_checkpoint
from opendensepose.models.decode import average_with_mirrored, decode_pixels
from opendensepose.models.dense_head import DenseOutput, person_logit
from opendensepose.models.detection_head import decode_boxes, suppress_doubles
from opendensepose.models.zoo import weights_path
from opendensepose.whole_file import whole_file

__all__ = ["PredictionSummary", "Predictor", "framing_region", "predict_files", "read_region"]

GREY = 127  # what lies outside a photo, as in training
BOX_PADDING = 0.14  # of the box's width and height, on each side
MIN_PIECE_FRACTION = 0.01  # of the largest piece of a person: smaller ones are dropped
MIN_PERSON_FRACTION = 0.02  # of the crop: a found person who covers less is dropped
MAX_PEOPLE = 50
MAX_SHARED_BOX = 0.5  # IoU of two boxes above which they are one person's
CHUNK = 16  # crops per pass of the network
MAX_REGION_PIXELS = 4 * MAX_PIXELS  # 600 MB; a box around all of the largest photo of 16:9 needs 194 million


def framing_region(box_xyxy: np.ndarray, aspect: float, padding: float = BOX_PADDING) -> tuple[int, int, int, int]:
    """The box with padding, widened or heightened to width / height = aspect about its centre, in whole pixels x0,
    y0, x1, y1."""
    x0, y0, x1, y1 = (float(edge) for edge in box_xyxy)
    width, height = (x1 - x0) * (1 + 2 * padding), (y1 - y0) * (1 + 2 * padding)
    width, height = max(width, height * aspect, 4.0), max(height, width / aspect, 4.0)
    left, top = round((x0 + x1 - width) / 2), round((y0 + y1 - height) / 2)
    return left, top, left + max(1, round(width)), top + max(1, round(height))


def read_region(image_rgb: np.ndarray, region: tuple[int, int, int, int], size_hw: tuple[int, int]) -> np.ndarray:
    """The region x0, y0, x1, y1 of the photo, which may reach outside it, scaled to size_hw: (h, w, 3) uint8."""
    x0, y0, x1, y1 = region
    step = math.isqrt((x1 - x0) * (y1 - y0) // MAX_REGION_PIXELS) + 1
    if step > 1:  # mostly outside a long photo: every step-th pixel is more than enough
        return read_region(image_rgb[::step, ::step], tuple(edge // step for edge in region), size_hw)
    height, width = image_rgb.shape[:2]
    inside = image_rgb[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    top, left = max(-y0, 0), max(-x0, 0)
    bottom, right = max(y1 - max(height, y0), 0), max(x1 - max(width, x0), 0)
    if top or left or bottom or right:
        inside = cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(GREY,) * 3)
    shrinks = inside.shape[0] > size_hw[0]
    return cv2.resize(inside, size_hw[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


class Predictor:
    """Finds and labels people. Make it once, call it for each photo.

    model: the name of a released or official model, a checkpoint file (ours or detectron2's), or a network: one with
    `glance` and `look`, or a DensePoseRCNN or FCN, which mirrored and refine do not concern. device: default CUDA if
    there is one. min_score: people less sure are dropped; None: the model's own. mirrored: each crop is also seen in a
    mirror and both are averaged. refine: a second look at the tight box of the first.
    """

    def __init__(
        self,
        model: str | Path | nn.Module = "default",
        device: str | None = None,
        min_score: float | None = None,
        mirrored: bool = True,
        refine: bool = True,
    ):
        if min_score is not None and not 0 <= min_score <= 1:
            raise ValueError(f"min_score must lie in [0, 1], got {min_score}.")
        if isinstance(model, nn.Module):
            self.device = torch.device(device) if device else next(model.parameters()).device
            self.model = model.to(self.device).eval()
        else:
            self.device = _device(device)
            self.model = load_checkpoint(weights_path(model), self.device).model
        own_score = getattr(self.model, "min_score", 0.5)
        self.min_score = own_score if min_score is None else min_score
        # A score is sqrt(heat * quality of the labels): below min_score^2 no heat suffices. Where min_score is low, so
        # little heat is met everywhere in a photo, hardly ever on a person: half of min_score is asked for then.
        self._least_heat = max(self.min_score**2, self.min_score / 2)
        self.mirrored, self.refine = mirrored, refine
        self.first_look_hw = getattr(self.model, "first_look_hw", getattr(self.model, "look_hw", None))
        self.model, self._find_people = _with_its_own_way(self.model)

    @torch.inference_mode()
    def __call__(self, image_rgb: np.ndarray, boxes: np.ndarray | None = None) -> list[Instance]:
        """People in a photo (H, W, 3) uint8 RGB, the surest first. boxes (N, 4) xyxy float: label these instead of
        searching."""
        _check_photo(image_rgb)
        search = boxes is None
        if self._find_people:
            boxes = None if search else _checked_boxes(boxes, image_rgb.shape[:2])
            return self._find_people(self.model, image_rgb, boxes, self.min_score)
        if search:
            boxes, scores = self._find(image_rgb)
        else:
            boxes = _checked_boxes(boxes, image_rgb.shape[:2])
            scores = np.ones(len(boxes), np.float32)
        people = self._label(image_rgb, boxes, scores, box_is_known=not search)
        if search:
            return without_repeats([person for person in people if person.score >= self.min_score])
        return sorted(people, key=lambda person: -person.score)

    def _find(self, image_rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) float32 in the photo's pixels and how sure each is a person's (N,), the surest first; more than
        the answer will have, since labels count in the final score."""
        height, width = image_rgb.shape[:2]
        sides = [getattr(self.model, f"{name}glance_side", None) for name in ("", "near_", "far_")]
        found = [self._glance(image_rgb, side) for side in sides if side]
        boxes, scores = (torch.cat(part) for part in zip(*found, strict=True))
        order = scores.argsort(descending=True, stable=True)
        boxes, scores = boxes[order], scores[order]
        kept = suppress_doubles(boxes, MAX_SHARED_BOX)[:MAX_PEOPLE]
        boxes, scores = boxes[kept].cpu().numpy(), scores[kept].cpu().numpy()
        boxes = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
        wide = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= 1
        return boxes[wide], scores[wide]

    def _glance(self, image_rgb: np.ndarray, glance_side: int) -> tuple[Tensor, Tensor]:
        """Boxes (K, 4) in the photo's pixels and scores (K,) from the photo scaled to a longer side of glance_side."""
        height, width = image_rgb.shape[:2]
        scale = glance_side / max(height, width)
        canvas_hw = [32 * int(np.ceil(side * scale / 32 - 1e-6)) for side in (height, width)]
        region = (0, 0, round(canvas_hw[1] / scale), round(canvas_hw[0] / scale))
        output = self.model.glance(self._to_network([read_region(image_rgb, region, tuple(canvas_hw))]))
        boxes, scores = decode_boxes(output.heat_logit[0], output.boxes_xyxy[0], self._least_heat)
        return boxes / scale, scores

    def _label(
        self, image_rgb: np.ndarray, boxes: np.ndarray, scores: np.ndarray, box_is_known: bool
    ) -> list[Instance]:
        h, w = self.model.look_hw
        regions = [framing_region(box, w / h) for box in boxes]
        if self.refine:
            outputs = self._look(image_rgb, regions, self.first_look_hw, mirrored=False)
            tight = [
                _tight_box(output, region, box) for output, region, box in zip(outputs, regions, boxes, strict=True)
            ]
            regions = [framing_region(box, w / h) for box in tight]
        outputs = self._look(image_rgb, regions, self.model.look_hw, self.mirrored)
        people = []
        for output, region, box, score in zip(outputs, regions, boxes, scores, strict=True):
            if (person_logit(output.chart_logits, axis=0) > 0).float().mean() >= MIN_PERSON_FRACTION:
                people.append(_instance(output, region, box, float(score), image_rgb.shape[:2], box_is_known))
        return people

    def _look(
        self,
        image_rgb: np.ndarray,
        regions: Sequence[tuple[int, int, int, int]],
        size_hw: tuple[int, int],
        mirrored: bool,
    ) -> list[DenseOutput]:
        """One DenseOutput without batch axis per region, read at size_hw."""
        outputs: list[DenseOutput] = []
        for start in range(0, len(regions), CHUNK):
            crops = [read_region(image_rgb, region, size_hw) for region in regions[start : start + CHUNK]]
            image = self._to_network(crops)  # (N, 3, h, w)
            output = self.model.look(torch.cat([image, image.flip(-1)]) if mirrored else image)
            if mirrored:
                halves = zip(*(part.chunk(2) for part in output), strict=True)
                output = average_with_mirrored(*(DenseOutput(*half) for half in halves))
            outputs.extend(DenseOutput(*one) for one in zip(*output, strict=True))
        return outputs

    def _to_network(self, crops: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).to(self.device)


def _instance(
    output: DenseOutput, region, box: np.ndarray, heat: float, size_hw: tuple[int, int], box_is_known: bool
) -> Instance:
    """The crop's labels put into maps of the photo's size, a score, and, unless it is known, a better box.

    The score is the geometric mean of the detector's and of the labels' quality, so that those come first who are
    labelled well (as in Huang et al., Mask Scoring R-CNN, CVPR 2019). The box is the mean of the one that was found
    and the one around the labels: two estimates whose errors differ.
    """
    x0, y0, x1, y1 = region
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, size_hw[1]), min(y1, size_hw[0])
    device = output.u.device
    rows = (torch.arange(top, bottom, device=device) + 0.5 - y0) / (y1 - y0)
    columns = (torch.arange(left, right, device=device) + 0.5 - x0) / (x1 - x0)
    parts = [part.cpu().numpy() for part in decode_pixels(output, rows, columns)]
    kept, maps = _without_crumbs(parts[0] > 0), []
    for part in parts:
        whole = np.zeros(size_hw, part.dtype)
        whole[top:bottom, left:right] = part * kept
        maps.append(whole)
    i, confidence = maps[0], maps[3]
    rows, columns = np.flatnonzero(i.any(axis=1)), np.flatnonzero(i.any(axis=0))
    score = 0.0
    if len(rows):
        score = math.sqrt(heat * float(output.quality_logit.sigmoid()))
        around = np.float32([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        box = box if box_is_known else (box + around) / 2
    return Instance(np.asarray(box, np.float32), score, IUV(*maps[:3]), confidence)


def _without_crumbs(person: np.ndarray) -> np.ndarray:
    """The mask (h, w) without pieces that are smaller than MIN_PIECE_FRACTION of the largest: hardly ever a person."""
    count, piece, figures, _ = cv2.connectedComponentsWithStats(person.astype(np.uint8), connectivity=8)
    if count <= 2:  # the background and one piece
        return person
    area = figures[1:, cv2.CC_STAT_AREA]
    return np.concatenate([[False], area >= MIN_PIECE_FRACTION * area.max()])[piece]


def _tight_box(output: DenseOutput, region: tuple[int, int, int, int], box: np.ndarray) -> np.ndarray:
    """The box of the pixels labelled as the person, in the photo's pixels; the given box if they are too few."""
    # Where a person is likelier than not, whichever chart: cutting an arm off costs more than a wider frame.
    person = (person_logit(output.chart_logits, axis=0) > 0).cpu().numpy()
    if person.mean() < MIN_PERSON_FRACTION:
        return box
    rows, columns = np.nonzero(person.sum(1) > 1)[0], np.nonzero(person.sum(0) > 1)[0]
    if not len(rows) or not len(columns):
        return box
    x0, y0, x1, y1 = region
    x = x0 + np.array([columns[0], columns[-1] + 1]) * (x1 - x0) / person.shape[1]
    y = y0 + np.array([rows[0], rows[-1] + 1]) * (y1 - y0) / person.shape[0]
    return np.array([x[0], y[0], x[1], y[1]], np.float32)


def _with_its_own_way(model: nn.Module) -> tuple[nn.Module, Callable | None]:
    """The network made ready, and what finds people with it: a function of network, photo, boxes or None, and least
    score. None for networks with `glance` and `look`, which the Predictor knows how to use. ValueError for a teacher or
    crop labeller, which find nobody."""
    if hasattr(model, "glance"):
        return fold_norms(copy.deepcopy(model)).requires_grad_(False), None
    if hasattr(model, "fcn"):
        raise ValueError("a teacher fills in people whose part masks are known, it predicts nobody: see `distill`.")
    if hasattr(model, "laterals"):
        raise ValueError("a crop labeller is trained for its ResNet, it predicts nobody: see `train --backbone`.")
    if hasattr(model, "proposals"):
        from opendensepose.models.rcnn_decode import find_people, prepared
    else:
        from opendensepose.models.fcn_decode import find_people, prepared
    return prepared(model), find_people


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).splitlines()[0].rstrip(".")
        raise ValueError(f"the device {name!r} cannot be used here: {first_line}.") from error


def _check_photo(image_rgb: np.ndarray) -> None:
    shape, dtype = np.shape(image_rgb), getattr(image_rgb, "dtype", type(image_rgb).__name__)
    if len(shape) != 3 or shape[2] != 3 or min(shape) < 1 or dtype != np.uint8:
        raise ValueError(f"a photo is an RGB array of uint8 of shape (H, W, 3), got {dtype} of shape {shape}.")
    check_aspect(shape[:2])


def _checked_boxes(boxes: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    boxes = np.asarray(boxes, np.float32)
    if boxes.size == 0:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError(
            f"boxes must be finite numbers of shape (N, 4), x0 y0 x1 y1 in pixels, got shape {boxes.shape}."
        )
    boxes = np.clip(boxes, 0, [size_hw[1], size_hw[0], size_hw[1], size_hw[0]]).astype(np.float32)
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        raise ValueError("each box must have x0 < x1 and y0 < y1 and reach into the photo.")
    return boxes


@dataclass
class PredictionSummary:
    """What became of a batch of photos."""

    written: list[Path] = field(default_factory=list)  # the .npz files
    num_people: int = 0
    failures: dict[Path, str] = field(default_factory=dict)  # photo -> one sentence

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some photos failed, 2 nothing was done."""
        return 0 if not self.failures else 1 if self.written else 2


def predict_files(
    paths: Sequence[str | Path],
    out_dir: str | Path,
    model: str | Path | nn.Module = "default",
    device: str | None = None,
    min_score: float | None = None,
    on_photo: Callable[[int, int, Path], None] | None = None,
) -> PredictionSummary:
    """Label photos, or the photos in folders: writes <stem>.npz and <stem>.overlay.jpg for each into out_dir.

    The npz holds I uint8 (H, W), U, V float32 (H, W), instance uint8 (H, W), boxes_xyxy float32 (N, 4), scores
    float32 (N,), and the pixels that people share, see `data.predictions`. A photo that cannot be read is noted in the
    summary and the others are done. on_photo(number done, number of all, path) is called after each. ValueError, one
    sentence: no photos, an unknown model or device, an out_dir that cannot be written, two photos that would share an
    output name.
    """
    photos = find_photos(list(paths))
    _check_names(photos)
    out_dir = _writable(Path(out_dir))
    predictor = Predictor(model, device, min_score)
    summary = PredictionSummary()
    for number, path in enumerate(photos, start=1):
        try:
            image_rgb = read_photo(path)
            people = predictor(image_rgb)
            summary.written.append(_write(out_dir, path.stem, image_rgb, people))
            summary.num_people += len(people)
        except (ValueError, OSError) as error:
            summary.failures[path] = str(error)
        except (cv2.error, MemoryError, torch.OutOfMemoryError) as error:
            said = " ".join(str(error).split())
            reason = f"OpenCV says {said!r}" if isinstance(error, cv2.error) else "there is too little memory"
            summary.failures[path] = f"{path} cannot be labelled, {reason}: make it smaller."
        if on_photo:
            on_photo(number, len(photos), path)
    return summary


def _check_names(photos: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in photos:
        if path.stem in seen:
            raise ValueError(f"{seen[path.stem]} and {path} would both be written as {path.stem}.npz: rename one.")
        seen[path.stem] = path


def _writable(out_dir: Path) -> Path:
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out_dir):
            return out_dir
    except OSError as error:
        raise ValueError(f"the output folder {out_dir} cannot be written: {error.strerror or error}.") from error


def _write(out_dir: Path, stem: str, image_rgb: np.ndarray, people: list[Instance]) -> Path:
    from opendensepose.visualize import draw_overlay

    target = out_dir / f"{stem}.npz"
    overlay = draw_overlay(image_rgb, people)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    with whole_file(out_dir / f"{stem}.overlay.jpg") as part:  # both files or none
        part.write_bytes(jpeg.tobytes())
        save_prediction(target, people, image_rgb.shape[:2])
    return target
