"""The verb `annotate`: `annotate PHOTOS_DIR` starts the annotation tool; its subcommands manage users and files."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["VERBS"]

Db = Annotated[str, typer.Option("--db", help="The database: a file (SQLite) or postgresql://USER@HOST/NAME.")]
DEFAULT_DB = "annotations.sqlite"
DEFAULT_PORT = 8765


class ServeByDefault(typer.core.TyperGroup):
    """Take `annotate PHOTOS_DIR ...` as `annotate serve PHOTOS_DIR ...`. Write ./export for a folder named export."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


annotate_app = typer.Typer(
    name="annotate",
    cls=ServeByDefault,
    no_args_is_help=True,
    help="Annotate people in photos: paint their parts, then click their points onto the body surface.\n\n"
    "`annotate PHOTOS_DIR` is `annotate serve PHOTOS_DIR`; the other subcommands manage users and files.",
)
VERBS = (annotate_app,)


@annotate_app.callback()
def annotate() -> None:
    pass


def _say_if_new(db: str) -> None:
    """A mistyped name makes a new database: that must be seen."""
    path = Path(db.removeprefix("sqlite:///"))
    if not db.startswith(("postgresql", "postgres:")) and not path.exists() and path.absolute().parent.is_dir():
        print(f"opendensepose: there was no database {path}; it is made now", file=sys.stderr)


def _print_problems(sentences: Iterable[str], most: int | None = None) -> None:
    sentences = list(sentences)
    for sentence in sentences[:most]:
        print(f"opendensepose: {sentence}", file=sys.stderr)
    if most is not None and len(sentences) > most:
        print(f"opendensepose: ... and {len(sentences) - most} more", file=sys.stderr)


@annotate_app.command()
def serve(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS_DIR", help="The folder of photos.")],
    db: Db = DEFAULT_DB,
    boxes: Annotated[
        str,
        typer.Option(
            "--boxes",
            metavar="model|draw|FILE",
            help="Who finds people: the default model, you by drawing boxes, or a COCO file of boxes.",
        ),
    ] = "model",
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; if others can reach it, everybody must sign in.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = DEFAULT_PORT,
    url: Annotated[
        str | None, typer.Option("--url", help="How browsers reach the server, if not at HOST:PORT: https://NAME.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser.")] = True,
    annotators_per_person: Annotated[
        int, typer.Option("--annotators-per-person", min=1, help="How many annotators each person gets.")
    ] = 1,
    gold_rate: Annotated[
        float, typer.Option("--gold-rate", min=0, max=0.9, help="The share of gold people, whose truth is known.")
    ] = 0.0,
    proposal_rate: Annotated[
        float,
        typer.Option("--proposal-rate", min=0, max=1, help="The share of people with a model's answers to accept."),
    ] = 0.0,
    static: Annotated[Path | None, typer.Option("--static", hidden=True)] = None,
) -> None:
    """Start the annotation tool for a folder of photos. This is the default subcommand."""
    from opendensepose.annotate.server.serve import run_server
    from opendensepose.annotate.work.photos import add_boxes, add_photos
    from opendensepose.annotate.work.store import open_store
    from opendensepose.annotate.work.tasks import Rules
    from opendensepose.data.json_files import read_json

    if not photos.is_dir():
        raise ValueError(f"there is no folder {photos} of photos.")
    rules = Rules(annotators_per_person, gold_rate, proposal_rate=proposal_rate)
    with open_store(db) as store:
        added = add_photos(store, photos)
        print(f"{added.num_new} new photos in {photos}")
        _print_problems(f"skipped: {sentence}" for sentence in added.problems)
        if boxes not in ("model", "draw"):
            added = add_boxes(store, read_json(boxes), boxes)
            print(f"{added.num_new} new people from {boxes}")
            _print_problems(added.problems, most=20)
        search = boxes == "model"
        run_server(
            store, photos, rules=rules, host=host, port=port, url=url, browser=browser, search=search, static=static
        )


@annotate_app.command()
def invite(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whom the link is for.")],
    role: Annotated[str, typer.Option("--role", help="annotator, reviewer or manager.")] = "annotator",
    db: Db = DEFAULT_DB,
    url: Annotated[str, typer.Option("--url", help="How browsers reach the server.")] = (
        f"http://127.0.0.1:{DEFAULT_PORT}"
    ),
    days: Annotated[float, typer.Option("--days", min=0.01, max=90, help="For how long the link can be opened.")] = 7,
) -> None:
    """Print a personal link, which works once; it replaces an older link of that name and ends its sessions."""
    from opendensepose.annotate.server.access import invite as make_link
    from opendensepose.annotate.work.store import open_store

    _say_if_new(db)
    with open_store(db) as store:
        print(f"{url.rstrip('/')}/enter#{make_link(store, name, role, seconds=days * 86400)}")
    print(f"the link works once, within {days:g} days; whoever opens it works under that name. Restart a server that"
          " was started before the first link: it asks nobody to sign in", file=sys.stderr)  # fmt: skip


@annotate_app.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose link to revoke.")], db: Db = DEFAULT_DB
) -> None:
    """End a user's link and sessions at once; their work stays."""
    from opendensepose.annotate.server.access import revoke as revoke_link
    from opendensepose.annotate.work.store import open_store

    with open_store(db, create=False) as store:
        revoke_link(store, name)
    print(f"{name} can no longer sign in")


@annotate_app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The JSON file to write; with --gold, the folder.")],
    db: Db = DEFAULT_DB,
    vertex: Annotated[bool, typer.Option("--vertex", help="Add dp_vertex, as the embeddings variant has it.")] = False,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="With open work and work that was sent back; `status` says which.")
    ] = False,
    gold: Annotated[
        bool, typer.Option("--gold", help="Gold people and their truth instead, for `opendensepose annotators`.")
    ] = False,
) -> None:
    """Write submitted and accepted work as COCO-DensePose annotations, with reviewers' comments and skip reasons."""
    from opendensepose.annotate.work.exchange import export_document
    from opendensepose.annotate.work.gold import write_gold
    from opendensepose.annotate.work.store import open_store
    from opendensepose.data.json_files import write_json
    from opendensepose.surface import load_charts

    to_iuv = load_charts().from_points
    with open_store(db, create=False) as store:
        if gold:
            print(f"opendensepose annotators {write_gold(store, file, to_iuv)} {file}")
            return
        document = export_document(store, to_iuv, vertex=vertex, unfinished=unfinished)
    write_json(file, document)
    skipped = len(document.get("dp_skipped", ()))
    also = f", {skipped} skipped" if skipped else ""
    print(f"{len(document['annotations'])} people{also} in {len(document['images'])} photos, written to {file}")


@annotate_app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="COCO-DensePose annotations, JSON.")],
    photos: Annotated[Path, typer.Option("--photos", help="The folder of the file's photos.")],
    db: Db = DEFAULT_DB,
    done: Annotated[
        bool, typer.Option("--done", help="As finished work of its annotators, with its status and comments.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Replace what was imported before, where nobody has begun to work.")
    ] = False,
) -> None:
    """Add the people of a file, with their annotations, for correction or, with --done, as finished work."""
    from opendensepose.annotate.work.importing import import_document
    from opendensepose.annotate.work.photos import add_photos
    from opendensepose.annotate.work.store import open_store
    from opendensepose.data.json_files import read_json
    from opendensepose.surface import load_charts

    document = read_json(file)
    _say_if_new(db)
    with open_store(db) as store:
        add_photos(store, photos)
        result = import_document(store, document, load_charts().to_points, str(file), done=done, update=update)
    texts = [f"{result['people']} new people, {result['known']} known already"]
    texts += [f"{result['updated']} updated, {result['begun']} left as work on them began"] if update else []
    texts += [f"{result['done']} with their work"] if done else []
    print("; ".join(texts))
    _print_problems(result["problems"])


@annotate_app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; an older one is replaced.")],
    db: Db = DEFAULT_DB,
) -> None:
    """Write a copy of the database, also while people annotate."""
    from opendensepose.annotate.team.backup import back_up

    print(f"{back_up(db, file) / 1e6:.1f} MB written to {file}")


@annotate_app.command()
def gold(
    count: Annotated[int, typer.Option("--count", min=1, help="How many people to render.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same people.")],
    db: Db = DEFAULT_DB,
) -> None:
    """Render gold people, whose truth is known, to measure annotators; `--gold-rate` mixes them in."""
    from opendensepose.annotate.work.gold import add_gold
    from opendensepose.annotate.work.store import open_store

    _say_if_new(db)
    with open_store(db) as store:
        print(f"{add_gold(store, count, seed)} new gold people")
