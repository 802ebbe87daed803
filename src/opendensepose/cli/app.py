"""The command itself: its groups of verbs attached, and errors turned into sentences."""

import os
import sys
from typing import Annotated, Any

import typer

from opendensepose.cli import (
    annotate,
    data,
    export,
    formats,
    measures,
    prediction,
    serve,
    synthesis,
    texture,
    training,
)

__all__ = ["app"]


class OneSentenceErrors(typer.core.TyperGroup):
    """Turns what a verb says about bad input into one sentence on stderr and exit code 2.

    Set OPENDENSEPOSE_TRACEBACK=1 to see where an error comes from.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, OSError, FloatingPointError) as error:
            if os.environ.get("OPENDENSEPOSE_TRACEBACK"):
                raise
            sentence = " ".join(_sentence(error).split())
            print(f"opendensepose: {sentence}", file=sys.stderr)
            raise typer.Exit(2) from None
        except ModuleNotFoundError as error:
            extra = missing_extra(ctx.invoked_subcommand, error.name)
            if extra is None or os.environ.get("OPENDENSEPOSE_TRACEBACK"):
                raise
            print(
                f"opendensepose: {ctx.invoked_subcommand} needs {error.name}, which is not installed: run"
                f' pip install "opendensepose[{extra}]"',
                file=sys.stderr,
            )
            raise typer.Exit(2) from None


# What each verb needs beyond the base; a verb that is not here needs the base only.
EXTRA_OF_VERB = {
    "annotate": "annotate",
    "annotators": "evaluate",
    "benchmark": "evaluate,render",
    "distill": "train",
    "evaluate": "evaluate",
    "export": "export",
    "fit": "render",
    "ingredients": "render",
    "predict": "models",
    "render": "render",
    "serve": "serve",
    "train": "train",
}


def missing_extra(verb: str | None, module: str | None) -> str | None:
    """The extras that bring a module which a verb did not find; None if no extra would."""
    if module == "av":
        return "video"  # whichever verb was given a video
    if module is not None and module.split(".")[0] in {"fsspec", "pyarrow", "ray"}:
        return "scale"
    extra = EXTRA_OF_VERB.get(verb or "")
    if extra is None or module is None or module.split(".")[0] == "opendensepose":
        return None
    library = module.split(".")[0]
    if extra == "annotate" and library in {"anny", "torch", "warp"}:
        return "annotate,render"  # gold people are rendered
    if verb == "predict" and library == "scipy":
        return "evaluate"  # --assets
    if verb == "serve" and library in {"safetensors", "torch", "torchvision"}:
        return "models,serve"
    return "export" if library == "openvino" else extra


def _sentence(error: Exception) -> str:
    """What an error says; of the operating system's errors, which file and why."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


app = typer.Typer(
    cls=OneSentenceErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Map every pixel of a person in a photo to a point of a 3D body surface.",
)


def _show_version(asked: bool) -> None:
    if asked:
        from opendensepose import __version__

        print(f"opendensepose {__version__}")
        raise typer.Exit()


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass


# a group without a name of its own gives its verbs to the command
for group in (prediction, serve, formats, texture, export, synthesis, training, measures, data, annotate):
    for verbs in group.VERBS:
        app.add_typer(verbs)
