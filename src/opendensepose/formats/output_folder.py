"""The folder that labelled photos are written to, in any formats: which photos are done, so that a run can go on.

`done.jsonl` has a line for each photo, appended when all its files are there: a run that is interrupted loses the photo
it was at, and nothing else.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from opendensepose.atomic_write import atomic_write
from opendensepose.formats.labelled_photo import LabelledPhoto, drop_unsure, select_people
from opendensepose.formats.table import find_formats
from opendensepose.instance import Instance

__all__ = ["DONE_LIST", "OutputFolder"]

DONE_LIST = "done.jsonl"
OVERLAY = "overlay"
OVERLAY_QUALITY = 92


class OutputFolder:
    """A folder for the files of photos.

    formats: names, separated by commas. person: whose labels, see `select_people`; None: what each format says.
    min_confidence: labels below it become background. overlay: write <stem>.overlay.jpg too. settings: what else the
    files depend on, JSON-ready; photos done with others are done again. ValueError, one sentence: an unknown format or
    person, or a folder that cannot be written.
    """

    def __init__(
        self,
        folder: str | Path,
        formats: str = "npz",
        *,
        person: str | None = None,
        min_confidence: float = 0.0,
        overlay: bool = True,
        settings: Mapping[str, Any] | None = None,
    ):
        if not 0 <= min_confidence <= 1:
            raise ValueError(f"min_confidence must lie in [0, 1], got {min_confidence}.")
        self.folder, self.formats = Path(folder), find_formats(formats)
        select_people([], person or "all")
        self.person, self.min_confidence = person, min_confidence
        self.names = [*self.formats, *([OVERLAY] if overlay else [])]
        choice = {"person": person, "min_confidence": min_confidence}
        self.settings = json.loads(json.dumps({**(settings or {}), **choice}))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise ValueError(f"the output folder {folder} cannot be written: {error.strerror or error}.") from error
        self._done = self._read_done_list()

    def check_names(self, photos: Sequence[Path], again: bool = False) -> None:
        """Raise ValueError if two photos would be written under one name, or, unless again, one under that of another
        photo that is done."""
        seen: dict[str, Path] = {}
        for path in photos:
            if path.stem in seen:
                raise ValueError(
                    f"{seen[path.stem]} and {path} would both be written as {path.stem}: give them two folders (--out)."
                )
            seen[path.stem] = path
            entry = self._done.get(path.stem)
            is_another = entry and entry["photo"] != str(path.resolve()) and not _is_of(entry, path)
            if entry and is_another and not again and self._have_files(entry, entry["files"]):
                raise ValueError(
                    f"{self.folder} has the labels of {entry['photo']}: write those of {path} to another folder, or say"
                    " --again to replace them."
                )

    def missing(self, photo: Path) -> list[str]:
        """Return the formats, and `overlay`, in which a photo is not there yet as it is now, with these settings."""
        entry = self._done.get(photo.stem)
        if not entry or not _is_of(entry, photo) or entry["settings"] != self.settings:
            return self.names
        return [name for name in self.names if not self._have_files(entry, [name])]

    def write(self, photo: Path, image_rgb: np.ndarray, people: Sequence[Instance], names: Sequence[str]) -> list[Path]:
        """Write the people of a photo in formats that `missing` names, note that it is done, and return the files."""
        people = drop_unsure(people, self.min_confidence)
        size_hw = (image_rgb.shape[0], image_rgb.shape[1])
        files: dict[str, list[Path]] = {}
        for name in names:
            of_format = "all" if name == OVERLAY else self.formats[name].people
            chosen = select_people(people, self.person or of_format)
            if name == OVERLAY:
                files[name] = [self._overlay(photo.stem, image_rgb, chosen)]
            else:
                labelled = LabelledPhoto(photo.name, size_hw, chosen, image_rgb)
                files[name] = self.formats[name].write(self.folder, labelled)
        self._note(photo, {name: [str(path.relative_to(self.folder)) for path in files[name]] for name in names})
        return [path for name in names for path in files[name]]

    def join(self, photos: Sequence[Path]) -> list[Path]:
        """Make the one file of all photos that some formats have; photos that are not done are left out."""
        joined = []
        for name, format_ in self.formats.items():
            entries = [self._done.get(photo.stem) for photo in photos]
            parts = [self.folder / file for entry in entries if entry for file in entry["files"].get(name, [])]
            if format_.join:
                joined += format_.join(self.folder, parts)
        return joined

    def _overlay(self, stem: str, image_rgb: np.ndarray, people: Sequence[Instance]) -> Path:
        from opendensepose.visualize import draw_overlay

        picture = draw_overlay(image_rgb, people)
        quality = [cv2.IMWRITE_JPEG_QUALITY, OVERLAY_QUALITY]
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
        path = self.folder / f"{stem}.overlay.jpg"
        atomic_write(path, jpeg.tobytes())
        return path

    def _have_files(self, entry: dict, names: Sequence[str]) -> bool:
        """Whether all the files of a photo's formats are there."""
        files = [entry["files"].get(name) for name in names]
        return all(one is not None and all((self.folder / path).is_file() for path in one) for one in files)

    def _read_done_list(self) -> dict[str, dict]:
        """What is done, by stem; of a line that was cut off, nothing."""
        done: dict[str, dict] = {}
        try:
            lines = (self.folder / DONE_LIST).read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return done
        for line in lines:
            try:
                entry = json.loads(line)
                stem = Path(entry["photo"]).stem
                {**entry["settings"], **entry["files"]}
                done[stem] = _with_files_of(entry, done.get(stem))
            except (ValueError, KeyError, TypeError):
                continue
        return done

    def _note(self, photo: Path, files: dict[str, list[str]]) -> None:
        entry = {"photo": str(photo.resolve()), **_version(photo), "settings": self.settings, "files": files}
        path = self.folder / DONE_LIST
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":  # an interrupted run's last line
                    file.write(b"\n")
            file.write(json.dumps(entry).encode() + b"\n")
        self._done[photo.stem] = _with_files_of(entry, self._done.get(photo.stem))


def _with_files_of(entry: dict, before: dict | None) -> dict:
    """The entry, with the files of other formats that were written before of the same photo with the same settings."""
    same = ("photo", "bytes", "modified_ns", "settings")
    if before and all(before.get(key) == entry.get(key) for key in same):
        return entry | {"files": before["files"] | entry["files"]}
    return entry


def _version(photo: Path) -> dict[str, int]:
    """Size and time of change, by which a photo that was changed or moved is known."""
    status = photo.stat()
    return {"bytes": status.st_size, "modified_ns": status.st_mtime_ns}


def _is_of(entry: dict, photo: Path) -> bool:
    """Whether a line is of this photo, as it is now, here or moved here."""
    is_there = entry["photo"] == str(photo.resolve()) or Path(entry["photo"]).name == photo.name
    return is_there and all(entry.get(key) == value for key, value in _version(photo).items())
