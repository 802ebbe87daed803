"""The JSON bodies and the queries of requests: msgspec types, which are checked when they are decoded."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from opendensepose.annotate.team.people_list import Filter
from opendensepose.annotate.work.edits import Answer
from opendensepose.annotate.work.fields import BoxXyxy, Counts, Id, PartId, Pixels, Reason, Text
from opendensepose.annotate.work.review import Comment

__all__ = [
    "AnswerBody",
    "Assign",
    "BoxBody",
    "Empty",
    "Enter",
    "ExportQuery",
    "ImportQuery",
    "Invite",
    "IuvQuery",
    "NeighboursQuery",
    "NewPersonBody",
    "Next",
    "OpenPerson",
    "PartsBody",
    "People",
    "PeopleQuery",
    "PlaceBody",
    "Revoke",
    "Save",
    "SendBack",
    "Skip",
    "SnapBody",
    "Version",
]

Version_ = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Ids = Annotated[list[Id], Meta(min_length=1, max_length=1000)]


class Empty(Struct):
    """No fields."""


class Enter(Struct):
    """token: what stands behind the # of a personal link."""

    token: Annotated[str, Meta(max_length=200)]


# --- work on a task --------------------------------------------------------------------------------------------------


class Version(Struct):
    """version: of the task that the page shows, or null: whatever the current one is."""

    version: Version_ | None = None


class Save(Struct):
    """version: of the task that the change was made on."""

    version: Version_


class BoxBody(Save):
    box_xyxy: BoxXyxy


class PartsBody(Save):
    """parts: COCO's compressed run lengths by part."""

    parts: dict[PartId, Counts]


class PlaceBody(Save):
    x: Pixels
    y: Pixels


class SnapBody(Struct):
    """A closed outline in pixels of the photo, and how far it may move."""

    outline_xy: Annotated[list[tuple[Pixels, Pixels]], Meta(min_length=3, max_length=2000)]
    reach_px: Annotated[float, Meta(ge=1, le=1000)]


class AnswerBody(Answer, kw_only=True):
    version: Version_


class NewPersonBody(Struct, kw_only=True):
    """The photo by its number or name."""

    photo_id: Id | Text | None = None
    photo: Id | Text | None = None
    box_xyxy: BoxXyxy


class Next(Struct):
    """after: the task that the user leaves now, which comes last."""

    after: Id | None = None


class OpenPerson(Struct):
    """by: the number of the annotator whose work is opened; null: the user's own."""

    by: Id | None = None


class Skip(Struct):
    reason: Reason


class SendBack(Version, kw_only=True):
    comments: Annotated[list[Comment], Meta(min_length=1, max_length=500)]


class IuvQuery(Struct):
    fill: bool = False


# --- lists and teams -------------------------------------------------------------------------------------------------


class PeopleQuery(Filter):
    """A page of the list of people."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0, le=10**9)] = 0


class NeighboursQuery(Filter, kw_only=True):
    """The person in the list before and after this one; at: the place where it last was in the list, from 1."""

    person: Id
    by: Id | None = None
    at: Id | None = None


class People(Struct):
    person_ids: Ids


class Assign(People):
    annotator_id: Id


class Invite(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\0]*\Z")]
    role: Literal["annotator", "reviewer", "manager"] = "annotator"


class Revoke(Struct):
    name: Annotated[str, Meta(max_length=100, pattern=r"^[^\0]*\Z")]


class ExportQuery(Struct):
    """vertex: with dp_vertex. all: unfinished and skipped work too."""

    vertex: bool = False
    all: bool = False


class ImportQuery(Struct):
    """done: as finished work. update: replace what was imported before."""

    done: bool = False
    update: bool = False
