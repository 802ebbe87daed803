"""Verbs about the body's surface, and between it and photos: `surface`, `texture`, `transfer`, `view` and `fit`."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opendensepose.cli.options import Device, Out

if TYPE_CHECKING:
    import numpy as np

    from opendensepose.instance import Instance
    from opendensepose.texture.photos import LabelledPhotos

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)

Photos = Annotated[
    list[Path] | None, typer.Argument(metavar="PHOTO_OR_FOLDER...", help="Photos, or folders of photos.")
]
Person = Annotated[str, typer.Option("--person", help="Whom: largest, all, or a number, 1 the most confident.")]
Predictions = Annotated[
    Path | None,
    typer.Option(
        "--predictions", help="Folder of `predict`'s .npz files; by default those beside the photos are used."
    ),
]
Model = Annotated[str, typer.Option("--model", help="What labels photos that have no .npz: a model or a checkpoint.")]
Example = Annotated[bool, typer.Option("--example", help="Use the example photo, an astronaut.")]


@app.command()
def surface(out: Out) -> None:
    """Draw the body surface and its 24 charts, and write it as an OBJ file with texture coordinates."""
    from opendensepose.visualize.surface import save_surface_pictures

    for path in save_surface_pictures(out) or ():
        print(path)


@app.command()
def texture(
    out: Out,
    photos: Photos = None,
    person: Person = "largest",
    predictions: Predictions = None,
    model: Model = "default",
    device: Device = None,
    example: Example = False,
) -> None:
    """Bake the texture of a person from photos: as map, as atlas of 24 tiles, and on the body as glTF."""
    from opendensepose.texture.photos import make_texture

    labelled = _labelled(out, photos, person, predictions, model, device, example)
    _print_all(labelled, lambda: make_texture(labelled, out))


@app.command()
def transfer(
    texture: Annotated[Path, typer.Argument(metavar="TEXTURE", help="An atlas (2 to 3) or a map (square), a picture.")],
    out: Out,
    photos: Photos = None,
    person: Person = "all",
    predictions: Predictions = None,
    shading: Annotated[
        float, typer.Option("--shading", min=0, max=1, help="How much of the photo's light and folds stays.")
    ] = 1.0,
    model: Model = "default",
    device: Device = None,
    example: Example = False,
) -> None:
    """Paint a texture on the people in photos."""
    from opendensepose.texture.photos import transfer_texture

    labelled = _labelled(out, photos, person, predictions, model, device, example)
    labelled.on_photo = _say_if_nobody
    _print_all(labelled, lambda: transfer_texture(texture, labelled, out, shading))


@app.command()
def view(
    out: Annotated[Path, typer.Option("--out", help="The page to write, NAME.html.")],
    photo: Annotated[Path | None, typer.Argument(metavar="PHOTO", help="A photo.")] = None,
    person: Person = "all",
    predictions: Predictions = None,
    model: Model = "default",
    device: Device = None,
    example: Example = False,
) -> None:
    """Write a page with the photo and the 3D body side by side: point at one and see the same point on the other."""
    from opendensepose.texture.photos import make_view

    photos = [] if photo is None else [photo]
    print(make_view(_labelled(out.parent, photos, person, predictions, model, device, example), out))


@app.command()
def fit(
    out: Out,
    photos: Photos = None,
    person: Person = "all",
    predictions: Predictions = None,
    focal: Annotated[
        float | None,
        typer.Option("--focal", help="The photos' focal length in pixels; if not said, EXIF's, or it is estimated."),
    ] = None,
    model: Model = "default",
    device: Device = None,
    example: Example = False,
) -> None:
    """Find the 3D body, its pose and the camera of the people in photos: as glTF before the photo and as numbers."""
    if focal is not None and not focal > 0:
        raise ValueError(f"--focal must be above 0 pixels, got {focal}")
    from opendensepose.fit.body_fit import BodyFit
    from opendensepose.fit.photos import fit_photos

    def report(path: Path, number: int, said: BodyFit | str) -> None:
        if isinstance(said, str):
            print(f"opendensepose: person {number} in {path}: {said}", file=sys.stderr)
        else:
            print(f"person {number} in {path}: median distance of the labels {said.off_px:.1f} pixels")

    labelled = _labelled(out, photos, person, predictions, model, device, example)
    _print_all(labelled, lambda: fit_photos(labelled, out, focal, report))


def _print_all(photos: "LabelledPhotos", written: Callable[[], list[Path]]) -> None:
    """Print the files that are written, and at the end which photos were left out, and why; exit code 1 for these."""
    try:
        for path in written():
            print(path)
    finally:
        for sentence in photos.failures.values():
            print(f"opendensepose: {sentence}", file=sys.stderr)
    if photos.failures:
        raise typer.Exit(1)


def _labelled(
    folder: Path,
    photos: list[Path] | None,
    person: str,
    predictions: Path | None,
    model: str,
    device: str | None,
    example: bool,
) -> "LabelledPhotos":
    """The photos that a verb was given; the example photo is written into `folder`."""
    from opendensepose.cli.prediction import write_example_photo
    from opendensepose.texture.photos import LabelledPhotos

    photos = list(photos or [])
    if example:
        photos.append(write_example_photo(folder))
    if not photos:
        raise ValueError("no photo was named: give a photo, or --example for the example photo")

    @cache
    def predictor() -> "Callable[[np.ndarray], list[Instance]]":  # loaded only if a photo has no labels yet
        from opendensepose.predict import Predictor

        return Predictor(model, device)

    labelled = LabelledPhotos(photos, lambda image_rgb: predictor()(image_rgb), person, predictions)
    if len(labelled.paths) > 1:  # of a single one the verb itself says it
        labelled.on_photo = _say_if_nobody
    return labelled


def _say_if_nobody(path: Path, num_people: int) -> None:
    if not num_people:
        print(f"opendensepose: nobody was found in {path}", file=sys.stderr)
