"""Annotations of rendered people against their truth, both on disk: the `annotators` verb.

An annotation may name its annotator under `annotator`, and say under `proposals` whether a model's answers were
proposed; such people are measured apart. The truth is `render`'s dense/<image_id>.npz.
"""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image

from opendensepose.atomic_write import atomic_write
from opendensepose.data import CocoDensePose, read_annotations
from opendensepose.data.npz import read_arrays
from opendensepose.evaluation.annotators import (
    AnnotatedTruth,
    AnnotatorErrors,
    annotator_errors,
    annotator_numbers,
    chart_means,
    joined,
)
from opendensepose.evaluation.errors import LabelDistances
from opendensepose.evaluation.tables import without_nan
from opendensepose.iuv import IUV
from opendensepose.visualize.errors import draw_body_errors

__all__ = ["measure_annotators", "write_annotator_pictures"]

UNNAMED = "unnamed"  # the annotator of annotations without a name
PROPOSALS = " +prop."  # after the name: of people whose points came with a model's proposals
PICTURE_LIMIT_M = 0.15  # the darkest colour: people are about 2 cm off on feet and 7 cm on the torso, says the paper


def measure_annotators(annotations: str | Path, truth: str | Path, distances: LabelDistances) -> list[AnnotatorErrors]:
    """Measure each annotator. truth: a folder of `render`, or its folder `dense`.

    FileNotFoundError or ValueError, one sentence that names file, annotation and field.
    """
    annotated = read_annotations(annotations)
    folder = Path(truth)
    if (folder / "dense").is_dir():
        folder = folder / "dense"
    if not folder.is_dir():
        raise FileNotFoundError(f"the truth must be a folder with dense/<image_id>.npz, got {truth}, no folder.")
    try:
        errors = annotator_errors(_people(annotated, folder), distances)
    except ValueError as error:
        named = annotated.name in str(error) or str(folder) in str(error)
        raise ValueError(str(error) if named else f"{annotated.name}: {error}") from None
    if not any(len(one.error_m) for one in errors):
        raise ValueError(f"{annotations} has no annotated points with U and V to measure.")
    return errors


def _people(document: CocoDensePose, folder: Path) -> Iterator[AnnotatedTruth]:
    for image_id in document.images:
        ids = [k for k in document.annotation_ids(image_id) if len(document.person(k).i)]
        if not ids:
            continue
        true = _read_truth(folder / f"{image_id}.npz")
        for annotation_id in ids:
            name = document.annotations[annotation_id].get("annotator", UNNAMED)
            if not isinstance(name, str) or not name.strip():
                raise ValueError(
                    f"{document.name}: annotation {annotation_id}: annotator must be a name, got {name!r}."
                )
            if document.annotations[annotation_id].get("proposals") is True:
                name = name.strip() + PROPOSALS
            yield AnnotatedTruth(name.strip(), document.person(annotation_id), true)


def _read_truth(path: Path) -> IUV:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: the truth of an annotated image is missing.")
    arrays = read_arrays(path, ("I", "U", "V"))
    try:
        return IUV(arrays["I"], arrays["U"], arrays["V"])
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as truth: {error}") from None


def write_annotator_pictures(annotators: list[AnnotatorErrors], folder: Path, surface: str) -> list[Path]:
    """Write `body.png`, the body coloured by mean error, one more per annotator if there are several, and
    `annotators.json`; return their paths."""
    pictures = {"body.png": joined(annotators)}
    if len(annotators) > 1:
        pictures |= {f"body_{_file_name(one.annotator, k)}.png": one for k, one in enumerate(annotators, start=1)}
    contents = {}
    for name, one in pictures.items():
        png = BytesIO()
        Image.fromarray(draw_body_errors(chart_means(one), limit_m=PICTURE_LIMIT_M)).save(png, "PNG", optimize=True)
        contents[name] = png.getvalue()
    numbers = {one.annotator: annotator_numbers(one) for one in annotators}
    document = {"surface": surface, "annotators": numbers, "all": annotator_numbers(joined(annotators))}
    contents["annotators.json"] = json.dumps(without_nan(document), indent=2).encode() + b"\n"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        atomic_write(folder / name, content)
    return [folder / name for name in contents]


def _file_name(annotator: str, number: int) -> str:
    """Return the name if it is safe in a file name, else the number."""
    return annotator if annotator.replace("-", "").replace("_", "").isalnum() and annotator.isascii() else str(number)
