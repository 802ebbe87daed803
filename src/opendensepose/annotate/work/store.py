"""The annotation tool's database: SQLite or PostgreSQL, with the same tables.

A change is acknowledged after its transaction is on disk (SQLite: WAL with synchronous=FULL; PostgreSQL:
synchronous_commit on). SQLite runs one writing transaction at a time; in PostgreSQL they lock their rows.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, LargeBinary, String, Table, Text, UniqueConstraint
from sqlalchemy.engine import Connection

__all__ = [
    "SCHEMA_VERSION",
    "Store",
    "annotators",
    "comments",
    "events",
    "gold",
    "insert_row",
    "open_store",
    "parts",
    "people",
    "photos",
    "points",
    "predictions",
    "sessions",
    "settings",
    "tasks",
]

SCHEMA_VERSION = 2
_MIGRATIONS = {  # from the version: statements that both databases understand; new tables are made before
    1: (
        "ALTER TABLE annotators ADD COLUMN active BOOLEAN NOT NULL DEFAULT TRUE",
        "ALTER TABLE annotators ADD COLUMN link_expires_at FLOAT",
        "UPDATE annotators SET active = (token_hash IS NOT NULL), link_expires_at = 0",
        "ALTER TABLE tasks ADD COLUMN assigned_at FLOAT",
        "ALTER TABLE tasks ADD COLUMN reviewer_id INTEGER REFERENCES annotators (id)",
    )
}
_IDLE_SECONDS = 5.0  # a connection idle for longer is pinged before it is used
_POOL_SIZE = 16  # connections kept open: so many saves can wait for the disk at once
_BUSY_SECONDS = 20  # how long a save waits for other saves in SQLite

metadata = sql.MetaData()


def _id() -> Column:
    return Column("id", Integer, primary_key=True)


def _box() -> list[Column]:
    """x0, y0, x1, y1 in pixels of the photo."""
    return [Column(name, Float, nullable=False) for name in ("x0", "y0", "x1", "y1")]


def _foreign_key(table: str, name: str, **options: Any) -> Column:
    return Column(name, ForeignKey(f"{table}.id"), **{"nullable": False, **options})


settings = Table(
    "settings", metadata, Column("name", String(40), primary_key=True), Column("value", Text, nullable=False)
)

annotators = Table(
    "annotators",
    metadata,
    _id(),
    Column("name", String(100), nullable=False, unique=True),
    Column("role", String(20), nullable=False),  # annotator, reviewer, manager
    Column("token_hash", String(64), unique=True),  # SHA-256 of a link that was not opened yet; null: there is none
    Column("link_expires_at", Float),
    Column("active", Boolean, nullable=False, default=True),  # False: revoked, or only named in an imported file
    Column("made_at", Float, nullable=False),  # seconds since 1970, as all times here
)

sessions = Table(
    "sessions",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    _foreign_key("annotators", "annotator_id"),
    Column("csrf", String(64), nullable=False),
    Column("expires_at", Float, nullable=False),
)

photos = Table(
    "photos",
    metadata,
    _id(),
    Column("name", String(500), nullable=False, unique=True),  # within the folder of photos
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("searched", Boolean, nullable=False, default=False),  # whether the model has looked for people
)

gold = Table(  # rendered photos with known truth, kept in the database
    "gold",
    metadata,
    Column("photo_id", ForeignKey("photos.id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # the JPEG file
    Column("truth", LargeBinary, nullable=False),  # an npz of I, U, V, as `render` writes
)

people = Table(
    "people",
    metadata,
    _id(),
    _foreign_key("photos", "photo_id", index=True),
    *_box(),
    Column("is_gold", Boolean, nullable=False, default=False),
    Column("times_submitted", Integer, nullable=False, default=0),
    Column("prefill", sql.JSON),  # from an imported file: {"parts": {...}, "points": [...], "entry": {...}}
    sql.Index("people_to_do", "is_gold", "times_submitted", "id"),
)

tasks = Table(  # one annotator's work on one person
    "tasks",
    metadata,
    _id(),
    _foreign_key("people", "person_id", index=True),
    _foreign_key("annotators", "annotator_id", index=True),
    *_box(),
    Column("status", String(12), nullable=False, index=True),  # open, submitted, sent_back, accepted, skipped
    Column("stage", String(8), nullable=False, default="parts"),
    Column("version", Integer, nullable=False, default=1),
    Column("lease_expires_at", Float),  # null: never leased, or released
    Column("touched_at", Float, nullable=False, default=0.0),
    Column("submitted_at", Float),
    Column("skip_reason", Text),
    _foreign_key("annotators", "fixer_id", nullable=True),  # the reviewer who edits it
    _foreign_key("annotators", "reviewer_id", nullable=True),  # the reviewer who looks at it
    Column("review_until", Float),  # until then no other reviewer is given it
    Column("assigned_at", Float),  # by a manager: nobody else is given the person; null: not assigned
    UniqueConstraint("person_id", "annotator_id"),
)

parts = Table(
    "parts",
    metadata,
    _foreign_key("tasks", "task_id", primary_key=True),
    Column("part", Integer, primary_key=True),  # 1..14
    Column("counts", Text, nullable=False),  # COCO's compressed run lengths of the mask (256, 256) over the box
)

points = Table(
    "points",
    metadata,
    _id(),
    _foreign_key("tasks", "task_id", index=True),
    Column("rank", Integer, nullable=False),  # the order of presentation
    Column("part", Integer, nullable=False),
    Column("x", Float, nullable=False),  # pixels of the photo
    Column("y", Float, nullable=False),
    Column("face", Integer),  # the answer, a surface point; null: not answered
    *[Column(name, Float) for name in ("weight_0", "weight_1", "weight_2")],
    Column("view", Integer),  # where it was clicked; null: from an imported file
    Column("view_x", Float),
    Column("view_y", Float),
    Column("reason", Text),  # why there is no answer
    _foreign_key("annotators", "answered_by", nullable=True),
    sqlite_autoincrement=True,  # ids are never used again: a comment on a deleted point must not move to another
)

predictions = Table(  # what the model says of a point: a witness against wrong answers and, if shown, a proposal
    "predictions",
    metadata,
    Column("point_id", Integer, primary_key=True),  # no foreign key, as points may be deleted
    _foreign_key("tasks", "task_id", index=True),
    Column("x", Float, nullable=False),  # the pixel that was labelled: another one if the point has moved since
    Column("y", Float, nullable=False),
    Column("face", Integer),  # null: the model sees nothing of the point's part there
    *[Column(name, Float) for name in ("weight_0", "weight_1", "weight_2")],
    Column("confidence", Float),
    Column("is_shown", Boolean, nullable=False),  # whether the annotator gets it as a proposal
)

comments = Table(
    "comments",
    metadata,
    _id(),
    _foreign_key("tasks", "task_id", index=True),
    Column("point_id", Integer),  # null: on the whole person; no foreign key, as points may be deleted
    _foreign_key("annotators", "author_id"),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
)

events = Table(  # the audit log: every change, and the response to its request
    "events",
    metadata,
    _id(),
    Column("at", Float, nullable=False),
    _foreign_key("annotators", "annotator_id", nullable=True),
    _foreign_key("tasks", "task_id", nullable=True, index=True),
    Column("kind", String(20), nullable=False),
    Column("detail", sql.JSON),
    Column("request_id", String(100)),
    Column("response", sql.JSON),
    UniqueConstraint("annotator_id", "request_id"),
)


class Store:
    """A database and the clock for its timestamps; see `open_store`."""

    def __init__(self, engine: sql.Engine, clock: Callable[[], float] = time.time):
        self.engine, self.clock = engine, clock
        self._writer = engine.execution_options(writing=True)
        # PostgreSQL's default isolation shows each statement what is committed before it, with or without a
        # transaction; without one, two round trips to the server are saved.
        options = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
        self._reader = engine.execution_options(**options)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that only reads; on SQLite it sees one state of the database."""
        with self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a writing transaction: all of it is on disk when the block ends, nothing if the block raises."""
        with self._writer.begin() as connection:
            yield connection

    def setting(self, name: str, default: str) -> str:
        """Return a value that all servers of this database share; the default is stored if there is none."""
        with self.writing() as connection:
            known = connection.scalar(sql.select(settings.c.value).where(settings.c.name == name))
            if known is None:
                connection.execute(settings.insert().values(name=name, value=default))
            return default if known is None else known

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def insert_row(connection: Connection, table: Table, **values: Any) -> int:
    """Insert a row and return its id."""
    key: Any = connection.execute(table.insert().values(**values)).inserted_primary_key
    return key[0]


def open_store(url: str | Path, clock: Callable[[], float] = time.time, *, create: bool = True) -> Store:
    """Open the database at a path (SQLite) or a URL such as postgresql://user@host/name; create or update its tables.

    create: whether a database that does not exist is made. ValueError, one sentence, if it cannot be opened, does not
    exist, or has the tables of a newer version of this tool.
    """
    engine = _engine(str(url), create)
    store = Store(engine, clock)
    try:
        if not create and not sql.inspect(engine).has_table("settings"):
            raise ValueError(f"the database {_without_password(url)} has no annotations; name another with --db.")
        with store.writing() as connection:
            if engine.dialect.name == "postgresql":  # two servers that start at once create the tables in turn
                connection.execute(sql.text("SELECT pg_advisory_xact_lock(4870212)"))
            version = _update_tables(connection)
    except sql.exc.DBAPIError as error:
        store.close()
        raise ValueError(f"the database {_without_password(url)} cannot be opened: {_first_line(error)}.") from None
    except ValueError:
        store.close()
        raise
    if version != str(SCHEMA_VERSION):
        store.close()
        raise ValueError(
            f"the database {_without_password(url)} must have the tables of version {SCHEMA_VERSION}, got version"
            f" {version}; export its annotations with the release that made it, and import them."
        )
    return store


def _update_tables(connection: Connection) -> str:
    """Create missing tables, bring those of older versions up to date; return the version."""
    metadata.create_all(connection)
    version = connection.scalar(sql.select(settings.c.value).where(settings.c.name == "schema_version"))
    if version is None:
        version = str(SCHEMA_VERSION)
        connection.execute(settings.insert().values(name="schema_version", value=version))
    while version.isdecimal() and int(version) in _MIGRATIONS:
        for statement in _MIGRATIONS[int(version)]:
            connection.execute(sql.text(statement))
        version = str(int(version) + 1)
        connection.execute(settings.update().where(settings.c.name == "schema_version").values(value=version))
    return version


def _ping_idle_connections(engine: sql.Engine) -> None:
    """Ping idle connections before use; `pool_pre_ping` would ping each time, which costs as much as a query."""

    @sql.event.listens_for(engine, "checkin")
    def _note_time(connection: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    @sql.event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, proxy: object) -> None:
        if time.monotonic() - record.info.get("idle_since", time.monotonic()) < _IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            raise sql.exc.DisconnectionError from None  # the pool then makes a new one


def _engine(url: str, create: bool) -> sql.Engine:
    if url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        address = "postgresql+psycopg://" + url.split("://", 1)[1]
        options = {"options": "-c synchronous_commit=on"}
        try:
            engine = sql.create_engine(address, pool_size=_POOL_SIZE, max_overflow=8, connect_args=options)
        except ModuleNotFoundError:
            raise ValueError(
                'PostgreSQL needs a driver that is not installed; run pip install "opendensepose[team]".'
            ) from None
        _ping_idle_connections(engine)
        return engine
    if "://" in url and not url.startswith("sqlite:///"):
        raise ValueError(f"the database must be a path or postgresql://..., got {_without_password(url)!r}.")
    path = Path(url.removeprefix("sqlite:///"))
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ValueError(f"the database {path} cannot be created; name a file in a folder that exists.")
    if not create and not path.exists():
        raise ValueError(f"there is no database {path}; name the one with your annotations with --db.")
    engine = sql.create_engine(
        f"sqlite:///{path}",
        pool_size=_POOL_SIZE,
        max_overflow=8,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )

    @sql.event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # `_begin` begins transactions, not the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sql.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _without_password(url: str | Path) -> str:
    text = str(url)
    return sql.make_url(text).render_as_string(hide_password=True) if "://" in text else text


def _first_line(error: sql.exc.DBAPIError) -> str:
    return str(error.orig).strip().split("\n")[0].rstrip(".")
