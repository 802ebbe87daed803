"""`predict`'s file of a video: a ZIP with one .npz per frame, which can be appended to and read frame by frame.

Why a ZIP: NumPy and Python's zipfile read it, any file manager opens it, a frame is found at once, and after a kill it
is whole again once it is cut at a known length. HDF5 may be lost when a writer is killed; Parquet has no images.

`info.json`: file, fps, size_hw, model. `000000.npz`, `000001.npz`, ... in the order of time: time_s and time_stamp;
track (N,) int32; boxes_xyxy (N, 4) and scores (N,) float32; corners_xy (N, 2) int32; labels_0 ... of each person, uint8
(4, h, w) of the window whose top left pixel is corners_xy: I, and U, V, confidence times 255, rounded (U and V err by
1 mm or so; the confidence in steps of 17, which halves its size). Letters: N people of a frame.
"""

import io
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from opendensepose.instance import Instance, place_in_photo
from opendensepose.iuv import IUV
from opendensepose.video.labeller import TrackedPerson

__all__ = ["FramesWriter", "FramesFile", "LabelledFrame", "people_arrays", "people_of_arrays"]

STEPS = 255, 255, 15  # of U, V and confidence
LEVEL = 1  # of compression: higher ones take several times as long and save little


@dataclass(frozen=True)
class LabelledFrame:
    """A frame of a file: when it is shown, in seconds and as the video's own time stamp, and who is in it."""

    time_s: float
    time_stamp: int
    people: list[TrackedPerson]


class FramesFile:
    """A file of a video's labels, for reading: len(), [index], iteration; info as in the module's text. For `with`.

    ValueError, one sentence, if it is none.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            self.zip = zipfile.ZipFile(path)
            self.info: dict[str, Any] = json.loads(self.zip.read("info.json"))
            height, width = (int(side) for side in self.info["size_hw"])
        except FileNotFoundError:
            raise
        except Exception as error:  # zipfile, zlib and json have errors of their own
            raise ValueError(f"{path} is not a file of a video's labels: {error}.") from error
        self.size_hw = (height, width)
        self.names = sorted(name for name in self.zip.namelist() if name.endswith(".npz"))

    def __enter__(self) -> "FramesFile":
        return self

    def __exit__(self, *about: object) -> None:
        self.zip.close()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> LabelledFrame:
        return _frame_of(self._arrays(self.names[index]), self.size_hw)

    def __iter__(self) -> Iterator[LabelledFrame]:
        return (self[k] for k in range(len(self)))

    def times_s(self) -> list[float]:
        """When each frame is shown."""
        return [float(self._arrays(name)["time_s"]) for name in self.names]

    def _arrays(self, name: str) -> Any:
        try:
            return np.load(io.BytesIO(self.zip.read(name)), allow_pickle=False)
        except Exception as error:
            raise ValueError(f"{self.path} is damaged at {name}: {error}") from error


def _frame_of(arrays: Any, size_hw: tuple[int, int]) -> LabelledFrame:
    tracks = [int(track_id) for track_id in arrays["track"]]
    instances = people_of_arrays(arrays, size_hw)
    people = [TrackedPerson(track_id, one) for track_id, one in zip(tracks, instances, strict=True)]
    return LabelledFrame(float(arrays["time_s"]), int(arrays["time_stamp"]), people)


def people_arrays(people: Sequence[Instance]) -> dict[str, np.ndarray]:
    """The people of a frame or photo as plain arrays: boxes_xyxy, scores, corners_xy, labels_0, ..., see the module's
    text."""
    windows = [_window(person) for person in people]
    arrays = {
        "boxes_xyxy": np.array([one.box_xyxy for one in people], np.float32).reshape(-1, 4),
        "scores": np.array([one.score for one in people], np.float32),
        "corners_xy": np.array([(x.start, y.start) for y, x in windows], np.int32).reshape(-1, 2),
    }
    for k, (one, window) in enumerate(zip(people, windows, strict=True)):
        arrays[f"labels_{k}"] = labels = np.empty((4, *one.iuv.i[window].shape), np.uint8)
        labels[0] = one.iuv.i[window]
        for into, values, steps in zip(labels[1:], (one.iuv.u, one.iuv.v, one.confidence), STEPS, strict=True):
            into[:] = np.rint(values[window] * steps) * (255 // steps)
    return arrays


def people_of_arrays(arrays: Any, size_hw: tuple[int, int]) -> list[Instance]:
    """The people whose `people_arrays` these are, in a frame or photo of size_hw."""
    people = []
    for k, (x, y) in enumerate(arrays["corners_xy"]):
        labels = arrays[f"labels_{k}"]
        u, v, confidence = labels[1:].astype(np.float32) / 255
        box, score = arrays["boxes_xyxy"][k], float(arrays["scores"][k])
        people.append(place_in_photo(IUV(labels[0], u, v), confidence, (int(x), int(y)), size_hw, box, score))
    return people


class FramesWriter:
    """A file of a video's labels in the making, at `path` until it is complete. For `with`, which closes it.

    It can be cut back to a `mark`, whatever has been written after it, also by a process that was killed.
    """

    def __init__(self, path: str | Path, info: dict[str, Any]):
        self.path = Path(path)
        self.zip = zipfile.ZipFile(self.path, "w")
        self.num_frames = 0
        self.zip.writestr(zipfile.ZipInfo("info.json"), json.dumps(info))

    @classmethod
    def go_on(cls, path: str | Path, mark: bytes) -> "FramesWriter":
        """Open a file again and cut it back to a mark. ValueError if the file is not the one of the mark."""
        writer = cls.__new__(cls)
        writer.path = Path(path)
        place, tail = int.from_bytes(mark[:8], "little"), mark[8:]
        if os.path.getsize(path) < place:
            raise ValueError(f"{path} is shorter than it was.")
        with open(path, "r+b") as file:
            file.truncate(place)
            file.seek(place)
            file.write(tail)
        writer.zip = zipfile.ZipFile(path, "a")
        writer.num_frames = len(writer.zip.namelist()) - 1
        return writer

    def __enter__(self) -> "FramesWriter":
        return self

    def __exit__(self, *about: object) -> None:
        self.zip.close()

    def append(self, time_s: float, time_stamp: int, people: Sequence[TrackedPerson]) -> None:
        """Add the next frame."""
        arrays = {
            "time_s": np.float64(time_s),
            "time_stamp": np.int64(time_stamp),
            "track": np.array([person.track_id for person in people], np.int32),
            **people_arrays([person.instance for person in people]),
        }
        self.zip.writestr(zipfile.ZipInfo(f"{self.num_frames:06d}.npz"), _npz(arrays))
        self.num_frames += 1

    def mark(self) -> bytes:
        """Bring all frames to the disk and describe this place for `go_on`."""
        self.zip.close()
        place = self.zip.start_dir
        with open(self.path, "r+b") as file:
            os.fsync(file.fileno())
            file.seek(place)
            tail = file.read()
        self.zip = zipfile.ZipFile(self.path, "a")
        return place.to_bytes(8, "little") + tail


def _window(person: Instance) -> tuple[slice, slice]:
    """The rows and columns that a person's labels fill, one pixel at least."""
    x, y, width, height = cv2.boundingRect((person.iuv.i > 0).view(np.uint8))
    return slice(y, y + max(1, height)), slice(x, x + max(1, width))


def _npz(arrays: dict[str, Any]) -> bytes:
    """An .npz in memory: the same arrays give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, values in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(values), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content.getvalue(), compresslevel=LEVEL)
    return buffer.getvalue()
