"""Verbs about annotation files: `data check` and `show`."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opendensepose.cli.options import Out

if TYPE_CHECKING:
    import numpy as np

__all__ = ["VERBS"]

app = typer.Typer()
data_app = typer.Typer(name="data", no_args_is_help=True, help="Check files of annotations and results.")
VERBS = (app, data_app)

File = Annotated[Path, typer.Argument(metavar="FILE", help="Annotations or results, JSON.")]


@data_app.callback()
def data() -> None:
    pass


@data_app.command()
def check(
    file: File,
    images: Annotated[Path | None, typer.Option("--images", help="Folder of the photos, to check them too.")] = None,
) -> None:
    """Report what a COCO-DensePose or results file holds, and every defect with its annotation id.

    Exit code: 0 if the file has no defects, 1 if it has defects, 2 if it cannot be read.
    """
    from rich.console import Console
    from rich.progress import Progress

    from opendensepose.data import check_file, report_lines

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("reading", total=None)

        def on_progress(done: int, total: int) -> None:
            if done % 200 == 0:
                progress.update(bar, completed=done, total=total, description="checking")

        report = check_file(file, images, on_progress)
    for line in report_lines(report):
        sys.stdout.write(f"{line}\n")
    raise typer.Exit(1 if report.defects else 0)


@app.command()
def show(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="COCO-DensePose annotations (.json), or predictions (.npz and others)."),
    ],
    out: Out,
    image_id: Annotated[int | None, typer.Option("--image-id", help="Which image of an annotation file.")] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder of the photos; by default `images` beside FILE, then FILE's own folder."),
    ] = None,
) -> None:
    """Draw annotations or predictions: the photo, U and V; and parts, or charts, contours, points and confidence."""
    from opendensepose.visualize import write_png

    pictures: Iterable[tuple[str, np.ndarray]]
    if file.suffix == ".json":
        pictures = _pictures_of_annotations(file, image_id, images)
    elif image_id is not None:
        raise ValueError(f"--image-id is of annotation files (.json), {file} holds predictions")
    else:
        pictures = _pictures_of_predictions(file, images)
    out.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures:
        write_png(out / name, picture)
        print(out / name)


def _pictures_of_annotations(file: Path, image_id: int | None, images: Path | None) -> "list[tuple[str, np.ndarray]]":
    """One picture of all people of an image, photo-U-V of them, and one of each person."""
    from opendensepose.data import read_annotations, read_photo
    from opendensepose.visualize import draw_annotations, draw_person, draw_triple

    if image_id is None:
        raise ValueError(f"{file}: which image? name it with --image-id")
    annotations = read_annotations(file)
    people = annotations.people(image_id)
    if not people:
        raise ValueError(f"{file}: image {image_id} has no annotations")
    image = annotations.images[image_id]
    photo = _photo_of(file, image, images)
    image_rgb = read_photo(photo)
    said, got = (image.get("width"), image.get("height")), (image_rgb.shape[1], image_rgb.shape[0])
    if any(value is not None and value != have for value, have in zip(said, got, strict=True)):
        raise ValueError(f"{photo} is {got[0]} x {got[1]}, {file} says {said[0]} x {said[1]} for image {image_id}")
    size = f"{got[0]} x {got[1]}"
    num_points = sum(len(person.i) for person in people)
    crowd = "1 person" if len(people) == 1 else f"{len(people)} people"
    title = f"image {image_id}  \u00b7  {photo.name}  \u00b7  {size}  \u00b7  {crowd}, {num_points} points"
    pictures = [
        (f"{image_id}.png", draw_annotations(image_rgb, people, title)),
        (f"{image_id}.triple.png", draw_triple(image_rgb, people, title=title)),
    ]
    for person in (one for one in people if not one.iscrowd):
        title = f"annotation {person.annotation_id}  \u00b7  image {image_id}  \u00b7  {len(person.i)} points"
        try:
            pictures.append((f"{image_id}_{person.annotation_id}.png", draw_person(image_rgb, person, title)))
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
    return pictures


def _pictures_of_predictions(file: Path, images: Path | None) -> "Iterator[tuple[str, np.ndarray]]":
    """Photo-U-V, charts, contours, points and confidence of each photo that a file of labels is of."""
    from opendensepose.data import find_photos, photo_folders, read_photo
    from opendensepose.formats import FORMATS, Content, format_of, photo_finder, read_labels
    from opendensepose.visualize import draw_labels

    name = format_of(file)
    if name is None or Content.UV not in FORMATS[name].holds:
        can = ", ".join(known for known, one in FORMATS.items() if Content.UV in one.holds)
        raise ValueError(f"{file} is no file that can be shown: annotations (.json), or predictions as {can}")
    photos = find_photos([images]) if images is not None else []
    for folder in photo_folders(file) if images is None else ():
        with suppress(ValueError):  # there is none, or it has no image
            photos += [path for path in find_photos([folder]) if not format_of(path)]
    find_photo = photo_finder(photos)
    for labelled in read_labels(file, name, find_photo):
        path = find_photo(labelled.name)
        if path is None:
            raise ValueError(f"no photo called {labelled.name} was found for {file}: name its folder with --images")
        image_rgb = read_photo(path)
        if image_rgb.shape[:2] != labelled.size_hw:
            (height, width), (h, w) = labelled.size_hw, image_rgb.shape[:2]
            raise ValueError(f"{path} is {w} x {h}, {file} is of a photo of {width} x {height}")
        title = (
            f"{path.name}  \u00b7  {image_rgb.shape[1]} x {image_rgb.shape[0]}  \u00b7  people: {len(labelled.people)}"
        )
        for kind, picture in draw_labels(image_rgb, labelled.people, title).items():
            yield f"{labelled.stem}.{kind}.png", picture


def _photo_of(file: Path, image: dict, folder: Path | None) -> Path:
    """Find the photo of an entry of `images` in the folder given, else in `photo_folders`."""
    from opendensepose.data import find_image, photo_folders

    name = image.get("file_name")
    if not isinstance(name, str) or not name:
        raise ValueError(f"{file}: image {image['id']}: file_name is missing")
    folders = [folder] if folder is not None else photo_folders(file)
    try:
        return find_image(folders, name)
    except FileNotFoundError:
        places = " or ".join(str(place) for place in folders)
        raise ValueError(
            f"the photo {name} of image {image['id']} is not in {places}: name its folder with --images"
        ) from None
