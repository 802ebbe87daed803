"""The verb that answers over HTTP: `serve`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from opendensepose.cli.options import Backend, Device

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)


@app.command()
def serve(
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; if others can reach it: with a key, or --open.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    model: Annotated[str, typer.Option("--model", help="Name of a model, or a checkpoint file.")] = "default",
    backend: Backend = None,
    device: Device = None,
    min_score: Annotated[
        float | None,
        typer.Option("--min-score", min=0, max=1, help="Drop people below this score; if not said, the model's own."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, help="Processes with the model; one per core, one on a GPU."),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="File of API keys, one a line: who has none gets no answer.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Serve everybody who can reach the address.")] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="A name under which a proxy makes it known.")
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option("--cors", metavar="ORIGIN", help="A site whose pages may ask, https://...; * all."),
    ] = None,
    max_mb: Annotated[float, typer.Option("--max-mb", min=0.001, help="Of a request.")] = 25,
    max_megapixels: Annotated[float, typer.Option("--max-megapixels", min=0.001, help="Of a photo.")] = 30,
    queue: Annotated[int, typer.Option("--queue", min=1, help="Photos that may wait; others get 429.")] = 64,
    deadline: Annotated[float, typer.Option("--deadline", min=0.1, help="Seconds in which a photo is answered.")] = 30,
    batch: Annotated[int, typer.Option("--batch", min=1, max=64, help="Most photos that are labelled together.")] = 4,
    batch_wait: Annotated[
        float, typer.Option("--batch-wait", min=0.01, help="Milliseconds for which a photo waits for others.")
    ] = 5,
) -> None:
    """Answer over HTTP: photos to body coordinates, and a page to try it on."""
    from opendensepose.predict import Predictor
    from opendensepose.serve.limits import Limits
    from opendensepose.serve.run import run_server

    limits = Limits(
        max_bytes=round(1e6 * max_mb),
        max_pixels=round(1e6 * max_megapixels),
        queue=queue,
        deadline_s=deadline,
        batch=batch,
        batch_wait_s=batch_wait / 1000,
    )
    make_predictor = partial(Predictor, model, device, min_score, backend=backend)
    run_server(
        model, make_predictor, host=host, port=port, workers=workers, limits=limits, key_file=key_file, is_open=open_,
        names=allow_host or (), origins=cors or (),
    )  # fmt: skip
