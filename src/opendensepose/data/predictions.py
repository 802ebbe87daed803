"""`predict`'s file of a photo: one merged IUV map, plus the labels it hides where people overlap, and of embedding
networks the vertices and embeddings.

Letters: H x W photo, N people, K hidden pixels, which lie under another person's, D dimensions, S cells of a side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.atomic_write import atomic_file
from opendensepose.data.npz import read_arrays
from opendensepose.instance import Instance, merge_instances, place_in_photo
from opendensepose.iuv import IUV, empty_iuv
from opendensepose.surface import NO_VERTEX

__all__ = ["Prediction", "load_prediction", "save_prediction"]

SHOWN = ("I", "U", "V", "instance", "boxes_xyxy", "scores")
HIDDEN = ("hidden_instance", "hidden_xy", "hidden_I", "hidden_U", "hidden_V")
CONFIDENCES = ("confidence", "hidden_confidence")  # older files have none


@dataclass(frozen=True)
class Prediction:
    """The people of one photo.

    iuv: the map of all. instance: (H, W) uint8, 0 background, k the k-th person. boxes_xyxy (N, 4) and scores (N,)
    float32. hidden_*: where people overlap, `iuv` shows one; of the others: instance (K,) uint8 1..N, column and row
    (K, 2) int32, and I, U, V (K,) each. confidence (H, W) and hidden_confidence (K,) float32: see
    `Instance`. ValueError for other shapes, types or ranges.
    """

    iuv: IUV
    instance: np.ndarray
    boxes_xyxy: np.ndarray
    scores: np.ndarray
    hidden_instance: np.ndarray
    hidden_xy: np.ndarray
    hidden_iuv: IUV  # (1, K)
    confidence: np.ndarray
    hidden_confidence: np.ndarray

    def __post_init__(self) -> None:
        boxes, scores, number = self.boxes_xyxy, self.scores, len(self.hidden_instance)
        if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
            raise ValueError(f"boxes_xyxy and scores must be (N, 4) and (N,), got {boxes.shape} and {scores.shape}.")
        if self.instance.shape != self.iuv.size_hw:
            raise ValueError(f"instance is {self.instance.shape}, but I is {self.iuv.size_hw}.")
        for name, least in (("instance", 0), ("hidden_instance", 1)):
            who = getattr(self, name)
            if who.size and not least <= who.min() <= who.max() <= len(scores):
                raise ValueError(f"{name} must be {least} to {len(scores)}, got {who.min()} to {who.max()}.")
        if self.hidden_xy.shape != (number, 2) or self.hidden_iuv.size_hw != (1, number):
            raise ValueError(
                f"hidden_xy and hidden_I must be ({number}, 2) and ({number},) like hidden_instance, got"
                f" {self.hidden_xy.shape} and {self.hidden_iuv.size_hw[1:]}."
            )
        for name, shape in (("confidence", self.iuv.size_hw), ("hidden_confidence", (number,))):
            sure = getattr(self, name)
            if sure.shape != shape or sure.dtype != np.float32:
                raise ValueError(f"{name} must be float32 of shape {shape}, got {sure.dtype} of shape {sure.shape}.")
            if sure.size and not (sure.min() >= 0 and sure.max() <= 1):
                raise ValueError(f"{name} must lie in [0, 1], got values from {sure.min()} to {sure.max()}.")
        if self.hidden_xy.dtype.kind not in "iu":
            raise ValueError(f"hidden_xy must be whole numbers, got {self.hidden_xy.dtype}.")
        height, width = self.iuv.size_hw
        if number and not ((self.hidden_xy >= 0) & (self.hidden_xy < (width, height))).all():
            raise ValueError(f"hidden_xy must lie in the photo of {width} x {height} pixels.")

    def own_iuv(self, number: int) -> IUV:
        """The whole map (H, W) of person `number` in instance, 1..N, including pixels hidden by others."""
        own, _, (left, top) = self.own_labels(number)
        height, width = own.size_hw
        whole = empty_iuv(self.iuv.size_hw)
        for name in ("i", "u", "v"):
            getattr(whole, name)[top : top + height, left : left + width] = getattr(own, name)
        return whole

    def own_labels(self, number: int) -> tuple[IUV, np.ndarray, tuple[int, int]]:
        """Return the labels of person `number` in instance, 1..N, including pixels hidden by others.

        The map (h, w) and its confidence (h, w) are those of the smallest window that holds them, (0, 0) if there are
        none; then the window's corner, column and row.
        """
        shown, hidden = self.instance == number, self.hidden_instance == number
        x, y = self.hidden_xy[hidden].T
        columns = np.concatenate([np.flatnonzero(shown.any(0)), x])
        rows = np.concatenate([np.flatnonzero(shown.any(1)), y])
        if not len(rows):
            return empty_iuv((0, 0)), np.zeros((0, 0), np.float32), (0, 0)
        left, top, right, bottom = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
        window = np.s_[top:bottom, left:right]
        both = [(getattr(self.iuv, name), getattr(self.hidden_iuv, name)[0]) for name in ("i", "u", "v")]
        maps = []
        for whole, beneath in (*both, (self.confidence, self.hidden_confidence)):
            own = np.where(shown[window], whole[window], whole.dtype.type(0))
            own[y - top, x - left] = beneath[hidden]
            maps.append(own)
        return IUV(*maps[:3]), maps[3], (left, top)

    def people(self) -> list[Instance]:
        """Return the N people with maps of the whole photo, without embeddings. ValueError if a box or score cannot be
        a person's."""
        return [
            place_in_photo(*self.own_labels(k), self.iuv.size_hw, box, float(score))
            for k, (box, score) in enumerate(zip(self.boxes_xyxy, self.scores, strict=True), start=1)
        ]


def save_prediction(path: str | Path, people: Sequence[Instance], size_hw: tuple[int, int]) -> None:
    """Write the people of a photo of that size atomically. ValueError for more than 255 people.

    People with an embedding, all on one mesh or ValueError, have further arrays: `mesh`, its name; `vertex` (H, W) and
    `hidden_vertex` (K,) int32; `embeddings` (N, D, S, S) float32 and `windows_xyxy` (N, 4) int32, see SurfaceEmbedding.
    """
    iuv, instance = merge_instances(people, size_hw)
    hidden = [person.mask & (instance != k) for k, person in enumerate(people, start=1)]

    confidence = np.zeros(size_hw, np.float32)
    for k, person in enumerate(people, start=1):
        np.copyto(confidence, person.confidence, where=instance == k)

    def of_hidden(maps: Iterable[np.ndarray], dtype: type) -> np.ndarray:
        parts = [own[where] for own, where in zip(maps, hidden, strict=True)]
        return np.concatenate([np.zeros(0, dtype), *parts])

    hidden_xy = [np.zeros((0, 2)), *(np.argwhere(where)[:, ::-1] for where in hidden)]
    with atomic_file(path) as part, part.open("wb") as file:
        np.savez_compressed(
            file,
            I=iuv.i,
            U=iuv.u,
            V=iuv.v,
            instance=instance,
            boxes_xyxy=np.array([one.box_xyxy for one in people], np.float32).reshape(-1, 4),
            scores=np.array([one.score for one in people], np.float32),
            hidden_instance=np.repeat(np.arange(1, len(people) + 1), [where.sum() for where in hidden]).astype("u1"),
            hidden_xy=np.concatenate(hidden_xy).astype("i4"),
            hidden_I=of_hidden((one.iuv.i for one in people), np.uint8),
            hidden_U=of_hidden((one.iuv.u for one in people), np.float32),
            hidden_V=of_hidden((one.iuv.v for one in people), np.float32),
            confidence=confidence,
            hidden_confidence=of_hidden((one.confidence for one in people), np.float32).astype(np.float32),
            **_embeddings(people, instance, hidden),
        )


def _embeddings(people: Sequence[Instance], instance: np.ndarray, hidden: Sequence[np.ndarray]) -> dict[str, Any]:
    """Return the arrays of people who have embeddings, none if nobody has. instance (H, W): whose pixel each is; hidden
    (H, W) bool: of each person the pixels that others hide."""
    given = [person.embedding for person in people]
    embeddings = [one for one in given if one is not None]
    if not embeddings:
        return {}
    if len(embeddings) < len(given) or len({(one.mesh, one.maps.shape) for one in embeddings}) > 1:
        raise ValueError("the people of one file must all have embeddings of one mesh and size, or none.")
    vertex, hidden_vertex = np.full(instance.shape, NO_VERTEX, np.int32), []
    for k, (one, where) in enumerate(zip(embeddings, hidden, strict=True), start=1):
        own, shown = one.vertex_in_photo(instance.shape), instance == k
        vertex[shown] = own[shown]
        hidden_vertex.append(own[where])
    return {
        "mesh": embeddings[0].mesh,
        "vertex": vertex,
        "hidden_vertex": np.concatenate(hidden_vertex),
        "embeddings": np.stack([one.maps for one in embeddings]),
        "windows_xyxy": np.stack([one.window_xyxy for one in embeddings]),
    }


def load_prediction(path: str | Path) -> Prediction:
    """Read a file of `save_prediction`; files without hidden pixels are read as having none, and where there is no
    confidence it is 1, of hidden pixels 0.

    ValueError, one sentence that names the file, if it is damaged.
    """
    arrays = read_arrays(path, SHOWN, HIDDEN + CONFIDENCES)
    try:
        return _prediction(arrays)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _prediction(arrays: dict[str, np.ndarray]) -> Prediction:
    if HIDDEN[0] in arrays:
        missing = [name for name in HIDDEN if name not in arrays]
        if missing:
            raise ValueError(f"it has {HIDDEN[0]}, but no {', '.join(missing)}.")
        who, xy = arrays["hidden_instance"], arrays["hidden_xy"]
        hidden_iuv = IUV(*(arrays[f"hidden_{name}"][None] for name in "IUV"))
    else:
        who, xy, hidden_iuv = np.zeros(0, np.uint8), np.zeros((0, 2), np.int32), empty_iuv((1, 0))
    iuv = IUV(arrays["I"], arrays["U"], arrays["V"])
    confidence = arrays.get("confidence", (iuv.i > 0).astype(np.float32))
    hidden_confidence = arrays.get("hidden_confidence", np.zeros(len(who), np.float32))
    return Prediction(
        iuv, arrays["instance"], arrays["boxes_xyxy"], arrays["scores"], who, xy, hidden_iuv, confidence,
        hidden_confidence,
    )  # fmt: skip
