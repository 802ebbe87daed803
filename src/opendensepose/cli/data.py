"""Verbs about annotation files: `data check` and `show`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from opendensepose.cli.options import Out

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
    file: Annotated[Path, typer.Argument(metavar="FILE", help="COCO-DensePose annotations, JSON.")],
    image_id: Annotated[int, typer.Option("--image-id", help="Which image of the file.")],
    out: Out,
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder of the photos; by default `images` beside FILE, then FILE's own folder."),
    ] = None,
) -> None:
    """Draw an image's annotations: the photo, points coloured by U and by V, and the part masks."""
    from opendensepose.data import read_annotations, read_photo
    from opendensepose.visualize import draw_annotations, draw_person, write_png

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
    pictures = {f"{image_id}.png": draw_annotations(image_rgb, people, title)}
    for person in (one for one in people if not one.iscrowd):
        title = f"annotation {person.annotation_id}  \u00b7  image {image_id}  \u00b7  {len(person.i)} points"
        try:
            pictures[f"{image_id}_{person.annotation_id}.png"] = draw_person(image_rgb, person, title)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
    out.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        write_png(out / name, picture)
        print(out / name)


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
