"""The formats by name: who reads them, what they hold, what it takes to write one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from opendensepose.formats.atlas import write_atlas
from opendensepose.formats.coco import join_coco, read_coco, write_coco
from opendensepose.formats.cutout import write_cutout
from opendensepose.formats.detectron2 import read_dump, write_dump
from opendensepose.formats.dreampose import write_dreampose
from opendensepose.formats.iuv_legacy import read_iuv_legacy, write_iuv_legacy
from opendensepose.formats.iuv_png import read_iuv_png, write_iuv_png, write_pose_with_style
from opendensepose.formats.labelled_photo import FindPhoto, LabelledPhoto
from opendensepose.formats.npz import read_npz, write_npz
from opendensepose.formats.part_maps import read_part_map, write_part_map

__all__ = ["FORMATS", "Content", "Format", "find_formats"]


class Content(StrEnum):
    """What a file can say of a photo, in words."""

    CHARTS = "the chart of each pixel"
    UV = "U and V"
    PEOPLE = "which person a pixel is of"
    SCORES = "boxes and scores"
    HIDDEN = "labels that lie under another person's"
    CONFIDENCE = "confidence"
    PHOTO = "the photo"


MAP = frozenset({Content.CHARTS, Content.UV})
PEOPLE = MAP | {Content.PEOPLE}
DETECTIONS = PEOPLE | {Content.SCORES}


@dataclass(frozen=True)
class Format:
    """A format of files.

    summary: one line. write(folder, labelled photo): its files. needs: what must be known to write one. holds: what can
    be read from one. read(file, find_photo): its photos; None: what it holds cannot be read back. loss: what it rounds
    or resizes. people: who is written if nobody is chosen. join(folder, files): makes one file of all photos'.
    """

    summary: str
    write: Callable[[Path, LabelledPhoto], list[Path]]
    needs: frozenset[Content]
    holds: frozenset[Content] = frozenset()
    read: Callable[[Path, FindPhoto | None], Iterator[LabelledPhoto]] | None = None
    loss: str = ""
    people: str = "all"
    join: Callable[[Path, Sequence[Path]], list[Path]] | None = None


BYTES = "U and V are stored in 255ths"
CUT = "U and V are cut off to 255ths"
FITTED = "the part map is fitted into {} pixels"


def _part_map(name: str, summary: str, loss: str = "", people: str = "all", is_exact: bool = True) -> Format:
    charts = frozenset({Content.CHARTS})
    read = partial(read_part_map, name) if is_exact else None
    return Format(
        summary, partial(write_part_map, name), charts, charts if is_exact else frozenset(), read, loss, people
    )


FORMATS = {
    "npz": Format(
        "plain arrays, all that is known: I, U, V, people, boxes, scores, confidence; `numpy.load`",
        write_npz,
        DETECTIONS,
        DETECTIONS | {Content.HIDDEN, Content.CONFIDENCE},
        read_npz,
    ),
    "iuv-png": Format(
        "a picture of I, U, V in RGB order, of the photo's size; UV-Volumes, texture tools",
        write_iuv_png,
        MAP,
        MAP,
        read_iuv_png,
        BYTES,
    ),
    "iuv-legacy": Format(
        "the old tool's _IUV.png, I, U, V as OpenCV's channels, and _INDS.png; code written for DensePose of 2018",
        write_iuv_legacy,
        PEOPLE,
        PEOPLE,
        read_iuv_legacy,
        CUT,
    ),
    "coco": Format(
        "one results file, coco.json, a PNG of I, U, V per person; `opendensepose evaluate`, COCO's evaluators",
        write_coco,
        DETECTIONS,
        DETECTIONS | {Content.HIDDEN},
        read_coco,
        BYTES,
        join=join_coco,
    ),
    "detectron2": Format(
        "what `apply_net.py dump` writes, one file per photo; code written for detectron2's DensePose",
        write_dump,
        DETECTIONS,
        DETECTIONS | {Content.HIDDEN},
        read_dump,
    ),
    "viton": _part_map(
        "viton",
        "parula part map on black, 768 x 1024 JPEG, one person; VITON-HD, HR-VITON, StableVITON, IDM-VTON",
        FITTED.format("768 x 1024"),
        "largest",
        is_exact=False,
    ),
    "catvton": _part_map("catvton", "grey PNG of I, 0 to 24, one person; CatVTON", people="largest"),
    "cvton": _part_map("cvton", "part map in C-VTON's 25 colours, PNG, one person; C-VTON", people="largest"),
    "magicanimate": _part_map(
        "magicanimate",
        "viridis part map, 512 x 512 PNG; MagicAnimate, vid2densepose",
        FITTED.format("512 x 512"),
        is_exact=False,
    ),
    "controlnet-parula": _part_map(
        "controlnet-parula", "parula part map on black, PNG of the photo's size; ControlNet front-ends"
    ),
    "controlnet-viridis": _part_map(
        "controlnet-viridis", "viridis part map, PNG of the photo's size; ControlNet front-ends"
    ),
    "dreampose": Format(
        "U and V of the first person, float32 (2, H, W) in an .npy file; DreamPose",
        write_dreampose,
        MAP,
        people="1",
    ),
    "pose-with-style": Format(
        "a picture of I, U, V in RGB order, named <stem>_iuv.png; pose-with-style",
        write_pose_with_style,
        MAP,
        MAP,
        read_iuv_png,
        BYTES,
    ),
    "atlas": Format(
        "the colours seen of each person on the 24 charts, 800 x 1200 RGBA; texture tools",
        write_atlas,
        MAP | {Content.PHOTO},
        loss="several pixels of a texel become their mean",
    ),
    "cutout": Format(
        "each person's labelled pixels of the photo, the rest transparent, RGBA; picture editors",
        write_cutout,
        frozenset({Content.CHARTS, Content.PHOTO}),
    ),
}


def find_formats(names: str) -> dict[str, Format]:
    """Return the formats of a comma-separated list, in its order. ValueError, which lists them all, for other names."""
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise ValueError(f"there is no format {unknown[0]!r}: known formats are {', '.join(FORMATS)}.")
    return {name: FORMATS[name] for name in wanted}
