"""A video's labels in the formats of photos (`formats.FORMATS`): a numbered file of each frame, or one of the clip.

`<stem>.frames/` holds the numbered files, and the coco.json of all frames; `<stem>.magicanimate.mp4` is a clip.
`<stem>.formats.json` says what is complete, and of which labels: what a killed run left is written again.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.atomic_write import atomic_write
from opendensepose.formats import (
    STYLES,
    Content,
    Format,
    LabelledPhoto,
    draw_part_map,
    drop_unsure,
    find_formats,
    select_people,
)
from opendensepose.instance import Instance, merge_instances
from opendensepose.video.clip_writer import write_clip
from opendensepose.video.frames_file import FramesFile
from opendensepose.video.labeller import TrackedPerson

__all__ = ["Progress", "VideoFormats"]

OWN = "npz"  # what the labels' file has anyway
CLIPS = {"magicanimate": 25}  # written as a clip of so many frames per second
REFUSED = {
    "atlas": "the format atlas is of one photo, got a video: `opendensepose texture` makes one of several photos."
}

Progress = Callable[[str, int, int | None], None]
LabelledFrames = Callable[[], Iterator[tuple[np.ndarray, list[TrackedPerson]]]]


class VideoFormats:
    """Writes a complete labels' file in other formats.

    names: separated by commas. person: whose labels, a track's number, `largest` (the track that covers most pixels in
    all), or `all`; None: what each format says. min_confidence: labels below become background. ValueError, one
    sentence: an unknown format, one of photos only, an unknown person.
    """

    def __init__(self, names: str = OWN, person: str | None = None, min_confidence: float = 0.0):
        self.formats = {name: one for name, one in find_formats(names).items() if name != OWN}
        for name in self.formats:
            if name in REFUSED:
                raise ValueError(REFUSED[name])
        select_people([], person or "all")
        if not 0 <= min_confidence <= 1:
            raise ValueError(f"min_confidence must lie in [0, 1], got {min_confidence}.")
        self.person, self.min_confidence = person, min_confidence

    def missing(self, labels_file: Path) -> list[str]:
        """Return the formats that are not there yet, of these labels, with these settings."""
        done = _read_done(labels_file)
        about = self._about(labels_file) if labels_file.is_file() else None
        there = {name: _clip_path(labels_file) if name in CLIPS else _folder(labels_file) for name in self.formats}
        return [name for name in self.formats if done.get(name) != about or not there[name].exists()]

    def write(self, labels_file: Path, frames: LabelledFrames, names: Sequence[str], on_frame: Progress | None) -> None:
        """Write the formats that `missing` names; frames(): the video's frames with their people, see
        `labelled_frames`."""
        for name in names:
            _note(labels_file, name, None)
        largest = _largest_track(labels_file) if "largest" in self._wanted(names) else None
        numbered = {name: self.formats[name] for name in names if name not in CLIPS}
        if numbered:
            self._write_numbered(labels_file, frames, numbered, largest, on_frame)
        for name in names:
            if name in CLIPS:
                self._write_part_maps(labels_file, name, largest, on_frame)
            _note(labels_file, name, self._about(labels_file))

    def _wanted(self, names: Sequence[str]) -> list[str]:
        return [self.person or self.formats[name].people for name in names]

    def _chosen(self, people: Sequence[TrackedPerson], format_: Format, largest: int | None) -> list[Instance]:
        who = self.person or format_.people
        track = largest if who == "largest" else None if who == "all" else int(who)
        chosen = [one.instance for one in people if who == "all" or one.track_id == track]
        return drop_unsure(chosen, self.min_confidence)

    def _write_numbered(
        self,
        labels_file: Path,
        frames: LabelledFrames,
        formats: dict[str, Format],
        largest: int | None,
        on_frame: Progress | None,
    ) -> None:
        folder = _folder(labels_file)
        folder.mkdir(exist_ok=True)
        parts: dict[str, list[Path]] = {name: [] for name in formats}
        with FramesFile(labels_file) as labels:
            total, size_hw = len(labels), labels.size_hw
            needs_photo = any(Content.PHOTO in one.needs for one in formats.values())
            pairs = frames() if needs_photo else ((None, frame.people) for frame in labels)
            for k, (image_rgb, people) in enumerate(pairs):
                for name, format_ in formats.items():
                    chosen = self._chosen(people, format_, largest)
                    frame = LabelledPhoto(f"{_stem(labels_file)}_{k:06d}", size_hw, chosen, image_rgb)
                    files = format_.write(folder, frame)
                    parts[name] += files if format_.join else []
                if on_frame:
                    on_frame("formats", k + 1, total)
        for name, format_ in formats.items():
            if format_.join:
                format_.join(folder, parts[name])
                for part in parts[name]:
                    part.unlink()
                with suppress(OSError):
                    parts[name][0].parent.rmdir()

    def _write_part_maps(self, labels_file: Path, name: str, largest: int | None, on_frame: Progress | None) -> None:
        """Write a clip of part maps; each frame is shown as often as the clip's rate asks for."""
        fps = CLIPS[name]
        with FramesFile(labels_file) as labels:
            times_s, size_hw = labels.times_s(), labels.size_hw
            ends_s = [*times_s[1:], times_s[-1] + 1 / float(labels.info["fps"])]

            def pictures() -> Iterator[np.ndarray]:
                num_shown = 0
                for k, (frame, end_s) in enumerate(zip(labels, ends_s, strict=True)):
                    num_due = round((end_s - times_s[0]) * fps)
                    if num_due > num_shown:
                        people = self._chosen(frame.people, self.formats[name], largest)
                        picture = draw_part_map(merge_instances(people, size_hw)[0].i, STYLES[name])
                    while num_shown < num_due:
                        yield picture
                        num_shown += 1
                    if on_frame:
                        on_frame(name, k + 1, len(times_s))

            write_clip(_clip_path(labels_file), pictures(), fps)

    def _about(self, labels_file: Path) -> dict[str, Any]:
        status = labels_file.stat()
        about = {"labels_bytes": status.st_size, "labels_modified_ns": status.st_mtime_ns}
        return {**about, "person": self.person, "min_confidence": self.min_confidence}


def _stem(labels_file: Path) -> str:
    return labels_file.name.removesuffix(".densepose.zip")


def _folder(labels_file: Path) -> Path:
    return labels_file.with_name(f"{_stem(labels_file)}.frames")


def _clip_path(labels_file: Path) -> Path:
    return labels_file.with_name(f"{_stem(labels_file)}.magicanimate.mp4")


def _done_path(labels_file: Path) -> Path:
    return labels_file.with_name(f"{_stem(labels_file)}.formats.json")


def _read_done(labels_file: Path) -> dict[str, Any]:
    try:
        done = json.loads(_done_path(labels_file).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return done if isinstance(done, dict) else {}


def _note(labels_file: Path, name: str, about: dict[str, Any] | None) -> None:
    """Note that a format is complete, or, without `about`, that it is not."""
    done = {key: value for key, value in _read_done(labels_file).items() if key != name}
    if about is not None:
        done[name] = about
    atomic_write(_done_path(labels_file), json.dumps(done, indent=1).encode())


def _largest_track(labels_file: Path) -> int | None:
    """The track that covers most pixels in all frames; None if there is nobody."""
    areas: dict[int, int] = {}
    with FramesFile(labels_file) as labels:
        for frame in labels:
            for one in frame.people:
                areas[one.track_id] = areas.get(one.track_id, 0) + int(np.count_nonzero(one.instance.iuv.i))
    return max(areas, key=lambda track: areas[track], default=None)
