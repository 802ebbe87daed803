"""The JSON bodies of requests: msgspec types, which are checked when a body is decoded."""

from typing import Annotated

from msgspec import Meta, Struct

from opendensepose.annotate.work.edits import Answer, Pixels, Reason
from opendensepose.annotate.work.review import Comment
from opendensepose.surface import NUM_PARTS

__all__ = [
    "AnswerBody",
    "BoxBody",
    "Empty",
    "NewPersonBody",
    "PartsBody",
    "PlaceBody",
    "Save",
    "SendBack",
    "Skip",
    "Version",
]

BoxXyxy = tuple[Pixels, Pixels, Pixels, Pixels]
PhotoName = Annotated[str, Meta(max_length=500, pattern=r"^[^\0]*\Z")]  # PostgreSQL stores no NUL


class Empty(Struct):
    """No fields."""


class Version(Struct):
    """version: of the task that the page shows, or null: whatever the current one is."""

    version: int | None = None


class Save(Struct):
    """version: of the task that the change was made on."""

    version: int


class BoxBody(Save):
    box_xyxy: BoxXyxy


class PartsBody(Save):
    """parts: COCO's compressed run lengths by part."""

    parts: dict[Annotated[int, Meta(ge=1, le=NUM_PARTS)], str]


class PlaceBody(Save):
    x: Pixels
    y: Pixels


class AnswerBody(Answer, kw_only=True):
    version: int


class NewPersonBody(Struct, kw_only=True):
    """The photo by its number or name."""

    photo_id: int | PhotoName | None = None
    photo: int | PhotoName | None = None
    box_xyxy: BoxXyxy


class Skip(Struct):
    reason: Reason


class SendBack(Version, kw_only=True):
    comments: Annotated[list[Comment], Meta(min_length=1, max_length=500)]
