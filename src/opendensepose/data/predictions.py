"""`predict`'s file of a photo: one merged IUV map, plus the labels it hides where people overlap.

Letters: H x W photo, N people, K hidden pixels, which lie under another person's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from opendensepose.atomic_write import atomic_file
from opendensepose.instance import Instance, merge_instances
from opendensepose.iuv import IUV, empty_iuv

__all__ = ["Prediction", "load_prediction", "save_prediction"]

SHOWN = ("I", "U", "V", "instance", "boxes_xyxy", "scores")
HIDDEN = ("hidden_instance", "hidden_xy", "hidden_I", "hidden_U", "hidden_V")


@dataclass(frozen=True)
class Prediction:
    """The people of one photo.

    iuv: the map of all. instance: (H, W) uint8, 0 background, k the k-th person. boxes_xyxy (N, 4) and scores (N,)
    float32. hidden_*: where people overlap, `iuv` shows one; of the others: instance (K,) uint8 1..N, column and row
    (K, 2) int32, and I, U, V (K,) each. ValueError for other shapes, types or ranges.
    """

    iuv: IUV
    instance: np.ndarray
    boxes_xyxy: np.ndarray
    scores: np.ndarray
    hidden_instance: np.ndarray
    hidden_xy: np.ndarray
    hidden_iuv: IUV  # (1, K)

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
        if self.hidden_xy.dtype.kind not in "iu":
            raise ValueError(f"hidden_xy must be whole numbers, got {self.hidden_xy.dtype}.")
        height, width = self.iuv.size_hw
        if number and not ((self.hidden_xy >= 0) & (self.hidden_xy < (width, height))).all():
            raise ValueError(f"hidden_xy must lie in the photo of {width} x {height} pixels.")

    def own_iuv(self, number: int) -> IUV:
        """The whole map (H, W) of person `number` in instance, 1..N, including pixels hidden by others."""
        own = empty_iuv(self.iuv.size_hw)
        shown, hidden = self.instance == number, self.hidden_instance == number
        x, y = self.hidden_xy[hidden].T
        for name in ("i", "u", "v"):
            getattr(own, name)[shown] = getattr(self.iuv, name)[shown]
            getattr(own, name)[y, x] = getattr(self.hidden_iuv, name)[0, hidden]
        return own

    def instances(self) -> list[Instance]:
        """The people as `Instance`s, the first one first. The file has no confidences: a person's score stands for
        that of each pixel."""
        people = []
        for number, (box_xyxy, score) in enumerate(zip(self.boxes_xyxy, self.scores, strict=True), start=1):
            iuv = self.own_iuv(number)
            people.append(Instance(box_xyxy, float(score), iuv, np.where(iuv.i > 0, score, 0).astype(np.float32)))
        return people


def save_prediction(path: str | Path, people: Sequence[Instance], size_hw: tuple[int, int]) -> None:
    """Write the people of a photo of that size atomically. ValueError for more than 255 people."""
    iuv, instance = merge_instances(people, size_hw)
    hidden = [(person.iuv.i > 0) & (instance != k) for k, person in enumerate(people, start=1)]

    def of_hidden(name: str, dtype: type) -> np.ndarray:
        parts = [getattr(person.iuv, name)[where] for person, where in zip(people, hidden, strict=True)]
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
            hidden_I=of_hidden("i", np.uint8),
            hidden_U=of_hidden("u", np.float32),
            hidden_V=of_hidden("v", np.float32),
        )


def load_prediction(path: str | Path) -> Prediction:
    """Read a file of `save_prediction`; files without hidden pixels are read as having none.

    ValueError, one sentence that names the file, if it is damaged.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in SHOWN + HIDDEN if name in content or name in SHOWN}
    except KeyError as error:
        raise ValueError(f"{path}: {str(error).strip(chr(39))}.") from None
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} is not an .npz that can be read: {error}") from None
    except Exception as error:  # zipfile and zlib have errors of their own
        raise ValueError(f"{path} is damaged: {error}") from None
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
    return Prediction(iuv, arrays["instance"], arrays["boxes_xyxy"], arrays["scores"], who, xy, hidden_iuv)
