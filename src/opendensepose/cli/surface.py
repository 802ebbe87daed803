"""The verb that draws the body surface: `surface`."""

import typer

from opendensepose.cli.options import Out

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)


@app.command()
def surface(out: Out) -> None:
    """Draw the body surface and its 24 charts, and write it as an OBJ file with texture coordinates."""
    from opendensepose.visualize.surface import save_surface_pictures

    for path in save_surface_pictures(out) or ():
        print(path)
