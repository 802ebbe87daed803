"""The verb that writes networks for other runtimes: `export`."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="File to write; an ONNX or OpenVINO model's name: see the docs.")],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a model, or a checkpoint file.")] = "default",
    format_: Annotated[
        str,
        typer.Option(
            "--format", help="onnx, onnx-int8, openvino, torchscript, or controlnet: TorchScript as front-ends call it."
        ),
    ] = "onnx",
    calibration: Annotated[
        list[Path] | None,
        typer.Option("--calibration", help="Of onnx-int8: photos of people, or a folder of them; once or more."),
    ] = None,
) -> None:
    """Write a model's networks for other runtimes: ONNX, OpenVINO, TorchScript."""
    from opendensepose.export import export_model

    for path in export_model(model, format_, out, calibration or ()):
        print(path)
