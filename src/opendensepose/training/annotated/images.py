"""Annotated images on disk, COCO-DensePose or what `render` writes, as samples to learn from.

Letters: K people of an image, M annotated points of all of them, H x W pixels.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import torch
from torch.utils.data import Dataset

from opendensepose.data.coco import CocoDensePose, dense_annotation, read_annotations
from opendensepose.data.npz import read_arrays
from opendensepose.data.photos import decode_photo, find_image, photo_folders, read_photo
from opendensepose.data.tar_samples import TarSamples
from opendensepose.instance import DenseAnnotation
from opendensepose.iuv import IUV
from opendensepose.models.targets import DenseLabels, Targets
from opendensepose.part_grid import GRID

__all__ = ["AnnotatedImages", "AnnotatedSample", "Unreadable", "annotation_file", "to_targets"]

ANNOTATIONS = "annotations.json"


class AnnotatedSample(NamedTuple):
    """An image and its people, in its pixels; fields as in `Targets`."""

    image: np.ndarray  # (H, W, 3) uint8 RGB
    boxes: np.ndarray  # (K, 4) float32 xyxy
    parts: np.ndarray  # (K, 256, 256) uint8
    annotated: np.ndarray  # (K,) bool
    keypoints: np.ndarray  # (K, 17, 3) float32
    point_xy: np.ndarray  # (M, 2) float32
    point_i: np.ndarray  # (M,) uint8
    point_u: np.ndarray  # (M,) float32
    point_v: np.ndarray  # (M,) float32
    point_person: np.ndarray  # (M,) int64
    ignored: np.ndarray  # (G, 4) float32
    dense: DenseLabels | None = None
    seed: int = 0


Transform = Callable[[AnnotatedSample, np.random.Generator], AnnotatedSample]


class Unreadable(NamedTuple):
    """What a worker process returns for an image that it cannot read, so that the sentence arrives whole."""

    sentence: str


class AnnotatedImages(Dataset):
    """The images of a folder that show at least one annotated person, by (number, place in the order of training).

    folder: holds annotations.json and the images, or images/; or the annotation file itself, with them beside it; or
    WebDataset's .tar files, in pictures/ too, of samples jpg, json (`image` and `annotations`, entries of such a file)
    and npz (dense labels).
    dense: a folder beside the annotation file with dense labels <image_id>.npz, as `render` writes them. transform: of
    each sample, (AnnotatedSample, rng) -> AnnotatedSample. Randomness depends on seed and place alone, and so differs
    between processes and is the same however many there are.
    ValueError or OSError, one sentence: no such file, a malformed one, nobody annotated.
    """

    def __init__(self, folder: str | Path, transform: Transform | None = None, seed: int = 0, dense: str | None = None):
        self.tars = _tar_samples(Path(folder))
        self.file = Path(folder) if self.tars else annotation_file(folder)
        self.transform, self.seed = transform, seed
        self.dense = self.file.parent / dense if dense else None
        if self.dense and not self.tars and not self.dense.is_dir():
            raise FileNotFoundError(f"there is no folder {self.dense} with dense labels: make them first.")
        self.photos = photo_folders(self.file)
        document = _document(self.tars, self.file.name) if self.tars else read_annotations(self.file)
        self.names, self.ids, self.entries = [], [], []  # entries as text: small, and quick to hand to workers
        for image_id, image in document.images.items():
            people = [document.annotations[k] for k in document.annotation_ids(image_id)]
            if any([document.person(entry["id"]).is_annotated for entry in people]):  # all of them are checked
                self.names.append(str(image.get("file_name", image_id)))
                self.ids.append(image_id)
                self.entries.append(msgspec.json.encode([_needed(entry) for entry in people]))
        if not self.ids:
            raise ValueError(f"{self.file} has no annotated person, with points and part masks, to learn from.")

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place: tuple[int, int]) -> AnnotatedSample | Unreadable:
        number, position = place
        try:
            sample = self.sample(number)
        except (OSError, ValueError) as error:
            return Unreadable(f"image {self.ids[number]} of {self.file}: {error}")
        rng = np.random.default_rng([self.seed, position])
        if self.transform:
            sample = self.transform(sample, rng)
        return sample._replace(seed=int(rng.integers(2**31)))

    def sample(self, number: int) -> AnnotatedSample:
        """The image as it is on disk. OSError or ValueError if it cannot be read."""
        people = [dense_annotation(entry) for entry in msgspec.json.decode(self.entries[number])]
        dense = None
        if self.tars:
            key = Path(self.names[number]).stem
            image = decode_photo(self.tars.read(key, "jpg"), self.names[number])
            if self.dense:
                dense = _read_dense(self.file / f"{key}.npz", image.shape[:2], self.tars.read(key, "npz"))
            return annotated_sample(image, people, dense)
        image = read_photo(find_image(self.photos, self.names[number]))
        if self.dense:
            dense = _read_dense(self.dense / f"{self.ids[number]}.npz", image.shape[:2])
        return annotated_sample(image, people, dense)


def _tar_samples(folder: Path) -> TarSamples | None:
    """The samples of a folder of .tar files, such as `render --shards` writes, or of its folder `pictures`."""
    if (folder / ANNOTATIONS).is_file():
        return None
    for place in (folder, folder / "pictures"):
        if place.is_dir() and any(place.glob("*.tar")):
            return TarSamples(place)
    return None


def _document(tars: TarSamples, name: str) -> CocoDensePose:
    """The annotation file that the samples' json make together; a sample's key is the stem of its image's file_name."""
    images, annotations = [], []
    for key in tars.keys:
        try:
            entries = msgspec.json.decode(tars.read(key, "json"))
            images.append({**entries["image"], "file_name": f"{key}.jpg"})
            annotations += entries["annotations"]
        except (KeyError, TypeError, msgspec.DecodeError):
            raise ValueError(f"{name}: the sample {key} must have a json with `image` and `annotations`.") from None
    return CocoDensePose({"images": images, "annotations": annotations}, name)


def annotation_file(folder: str | Path) -> Path:
    """The annotation file of a data folder. FileNotFoundError if there is none."""
    path = Path(folder)
    if path.is_dir():
        path = path / ANNOTATIONS
    if not path.is_file():
        raise FileNotFoundError(f"there is no annotation file {path}: give a folder with {ANNOTATIONS}, or the file.")
    return path


def annotated_sample(
    image: np.ndarray, people: list[DenseAnnotation], dense: DenseLabels | None = None
) -> AnnotatedSample:
    """People as arrays. dense.person has the file's numbers: each becomes that of the person whose points it holds."""
    single = [person for person in people if not person.iscrowd]
    crowds = [person.box_xyxy for person in people if person.iscrowd]
    labelled = [person.i > 0 if person.is_annotated else np.zeros(len(person.i), bool) for person in single]
    points = [np.concatenate([np.zeros((0, 2)), *(p.point_xy[k] for p, k in zip(single, labelled, strict=True))])]
    for name in "iuv":
        points.append(np.concatenate([getattr(p, name)[k] for p, k in zip(single, labelled, strict=True)] or [[]]))
    rows = np.repeat(np.arange(len(single)), [k.sum() for k in labelled]).astype(np.int64)
    empty = np.zeros((GRID, GRID), np.uint8)
    nowhere = np.zeros((17, 3), np.float32)
    sample = AnnotatedSample(
        image=image,
        boxes=np.array([p.box_xyxy for p in single], np.float32).reshape(-1, 4),
        parts=np.array([empty if p.mask is None else p.mask for p in single], np.uint8).reshape(-1, GRID, GRID),
        annotated=np.array([k.any() for k in labelled], bool),
        keypoints=np.array([nowhere if p.keypoints is None else p.keypoints for p in single], np.float32).reshape(
            -1, 17, 3
        ),
        point_xy=points[0].astype(np.float32),
        point_i=points[1].astype(np.uint8),
        point_u=points[2].astype(np.float32),
        point_v=points[3].astype(np.float32),
        point_person=rows,
        ignored=np.array(crowds, np.float32).reshape(-1, 4),
    )
    return sample if dense is None else sample._replace(dense=_with_rows(dense, sample))


def _with_rows(dense: DenseLabels, sample: AnnotatedSample) -> DenseLabels:
    height, width = dense.i.shape
    column, row = np.clip(sample.point_xy.astype(int), 0, [width - 1, height - 1]).T
    number = dense.person[row, column]
    rows = np.zeros(256, np.uint8)
    for k in range(len(sample.boxes)):
        votes = np.bincount(number[sample.point_person == k], minlength=256)[1:]
        if votes.any():
            rows[votes.argmax() + 1] = k + 1
    person = rows[dense.person]
    known = person > 0
    return DenseLabels(np.where(known, dense.i, 0).astype(np.uint8), dense.u, dense.v, person)


def to_targets(sample: AnnotatedSample) -> tuple[torch.Tensor, Targets]:
    """The image (3, H, W) uint8 and what is learned from it."""
    dense = sample.dense
    tensors = {name: torch.from_numpy(getattr(sample, name)) for name in sample._fields[1:7]}
    targets = Targets(
        **{name: tensors[name] for name in ("boxes", "parts", "annotated", "keypoints", "point_xy")},
        point_i=tensors["point_i"].long(),
        point_uv=torch.from_numpy(np.stack([sample.point_u, sample.point_v], axis=1)),
        point_person=torch.from_numpy(sample.point_person),
        ignored=torch.from_numpy(sample.ignored),
        dense=None if dense is None else DenseLabels(*(torch.from_numpy(labels) for labels in dense)),
        seed=sample.seed,
    )
    image = np.require(sample.image, requirements="W")  # torch takes none that must not be written
    return torch.from_numpy(image).permute(2, 0, 1), targets


def _read_dense(path: Path, size_hw: tuple[int, int], content: bytes | None = None) -> DenseLabels:
    try:
        labels = DenseLabels(*read_arrays(path, ("I", "U", "V", "instance"), content=content).values())
    except FileNotFoundError:
        raise FileNotFoundError(f"there are no dense labels {path}.") from None
    if any(part.shape != tuple(size_hw) for part in labels):
        raise ValueError(f"{path} has labels of {labels.i.shape}, but the image is {tuple(size_hw)}.")
    u, v = (part.astype(np.float32) for part in (labels.u, labels.v))
    try:
        IUV(np.clip(labels.i, 0, 255).astype(np.uint8), u, v)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return labels._replace(u=u, v=v)


def _needed(entry: dict) -> dict:
    return {name: value for name, value in entry.items() if name != "segmentation"}
