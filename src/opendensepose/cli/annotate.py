"""The verb `annotate`: `annotate PHOTOS_DIR` serves the tool, its subcommands look after it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["VERBS"]

Db = Annotated[str, typer.Option("--db", help="The database: a file (SQLite), or postgresql://USER@HOST/NAME.")]
DEFAULT_DB = "annotations.sqlite"
DEFAULT_PORT = 8765


class ServeByDefault(typer.core.TyperGroup):
    """`annotate PHOTOS_DIR ...` is `annotate serve PHOTOS_DIR ...`. A folder named like a verb is written ./export."""

    def parse_args(self, ctx, args):
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


annotate_app = typer.Typer(
    name="annotate",
    cls=ServeByDefault,
    no_args_is_help=True,
    help="Annotate people in photos: paint their parts, click their points onto the surface. `annotate PHOTOS_DIR`"
    " starts; people of a team are invited.",
)
VERBS = (annotate_app,)


@annotate_app.callback()
def annotate() -> None:
    pass


@annotate_app.command()
def serve(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS_DIR", help="Folder of photos.")],
    db: Db = DEFAULT_DB,
    boxes: Annotated[
        str, typer.Option("--boxes", help="A COCO file of people's boxes; model: found by the default model; draw.")
    ] = "model",
    host: Annotated[str, typer.Option("--host", help="Address to listen on; not your own: everybody signs in.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = DEFAULT_PORT,
    url: Annotated[
        str | None, typer.Option("--url", help="How browsers reach it, if not by HOST:PORT: https://name.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser.")] = True,
    annotators_per_person: Annotated[
        int, typer.Option("--annotators-per-person", min=1, help="How many annotate each person.")
    ] = 1,
    gold_rate: Annotated[
        float, typer.Option("--gold-rate", min=0, max=0.9, help="Share of people whose truth is known.")
    ] = 0.0,
    static: Annotated[Path | None, typer.Option("--static", hidden=True)] = None,
) -> None:
    """Serve the tool for a folder of photos (the word `serve` may be left out)."""
    from opendensepose.annotate.server.serve import run_server, take_in_boxes
    from opendensepose.annotate.work.photos import add_photos
    from opendensepose.annotate.work.store import open_store
    from opendensepose.annotate.work.tasks import Rules

    if not photos.is_dir():
        raise ValueError(f"there is no folder {photos} of photos.")
    rules = Rules(annotators_per_person, gold_rate)
    with open_store(db) as store:
        count, broken = add_photos(store, photos)
        print(f"{count} new photos in {photos}")
        for sentence in broken.values():
            print(f"opendensepose: skipped: {sentence}", file=sys.stderr)
        if boxes not in ("model", "draw"):
            take_in_boxes(store, boxes)
        search = boxes == "model"
        run_server(
            store, photos, rules=rules, host=host, port=port, url=url, browser=browser, search=search, static=static
        )


@annotate_app.command()
def invite(
    name: Annotated[str, typer.Argument(help="Who it is for.")],
    role: Annotated[str, typer.Option("--role", help="annotator, reviewer or manager.")] = "annotator",
    db: Db = DEFAULT_DB,
    url: Annotated[str, typer.Option("--url", help="How browsers reach the server.")] = (
        f"http://127.0.0.1:{DEFAULT_PORT}"
    ),
) -> None:
    """Print a personal link; it is shown this once. Inviting again makes a new link and ends the old one."""
    from opendensepose.annotate.server import access
    from opendensepose.annotate.work.store import open_store

    with open_store(db) as store:
        print(f"{url.rstrip('/')}/enter/{access.invite(store, name, role)}")
    print("whoever has this link works under that name; a server started before the first link asks for none"
          " until it is started anew", file=sys.stderr)  # fmt: skip


@annotate_app.command()
def revoke(name: Annotated[str, typer.Argument(help="Whose link.")], db: Db = DEFAULT_DB) -> None:
    """End somebody's link and sessions at once; their work stays."""
    from opendensepose.annotate.server import access
    from opendensepose.annotate.work.store import open_store

    with open_store(db) as store:
        access.revoke(store, name)
    print(f"{name} can sign in no more")


@annotate_app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: a JSON file; with --gold a folder.")],
    db: Db = DEFAULT_DB,
    vertex: Annotated[bool, typer.Option("--vertex", help="With dp_vertex, as the embeddings variant has it.")] = False,
    gold: Annotated[
        bool, typer.Option("--gold", help="Gold people and their truth, for `opendensepose annotators`.")
    ] = False,
) -> None:
    """Write what was submitted as COCO-DensePose annotations."""
    from opendensepose.annotate.work.exchange import export_document
    from opendensepose.annotate.work.gold import write_gold
    from opendensepose.annotate.work.store import open_store
    from opendensepose.data.json_files import write_json
    from opendensepose.surface import load_charts

    uv_of = load_charts().from_points
    with open_store(db) as store:
        if gold:
            print(f"opendensepose annotators {write_gold(store, file, uv_of)} {file}")
            return
        document = export_document(store, uv_of, vertex=vertex)
    write_json(file, document)
    print(f"{len(document['annotations'])} people in {len(document['images'])} photos, written to {file}")


@annotate_app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="COCO-DensePose annotations, JSON.")],
    photos: Annotated[Path, typer.Option("--photos", help="The folder of its photos.")],
    db: Db = DEFAULT_DB,
) -> None:
    """Take in annotations, to be corrected."""
    from opendensepose.annotate.work.exchange import import_document
    from opendensepose.annotate.work.photos import add_photos
    from opendensepose.annotate.work.store import open_store
    from opendensepose.data.json_files import read_json
    from opendensepose.surface import load_charts

    document = read_json(file)
    with open_store(db) as store:
        add_photos(store, photos)
        result = import_document(store, document, load_charts().to_points, str(file))
    print(f"{result['people']} new people, {result['known']} were there before")
    for sentence in result["problems"]:
        print(f"opendensepose: {sentence}", file=sys.stderr)


@annotate_app.command()
def gold(
    count: Annotated[int, typer.Option("--count", min=1, help="How many people.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same people.")],
    db: Db = DEFAULT_DB,
) -> None:
    """Render people whose truth is known, to be mixed in at the rate of --gold-rate."""
    from opendensepose.annotate.work.gold import add_gold
    from opendensepose.annotate.work.store import open_store

    with open_store(db) as store:
        print(f"{add_gold(store, count, seed)} new gold people")
