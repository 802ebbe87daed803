"""The msgspec types of what users send: bounded, so that both databases can store all that fits them.

PostgreSQL stores no NUL in a text and no id above 2^31 - 1. msgspec's decoder itself refuses lone surrogates.
"""

from typing import Annotated

from msgspec import Meta

from opendensepose.surface import NUM_PARTS

__all__ = ["MAX_ID", "BoxXyxy", "Counts", "Id", "PartId", "Pixels", "Reason", "Text"]

MAX_ID = 2**31 - 1

Id = Annotated[int, Meta(ge=0, le=MAX_ID)]
PartId = Annotated[int, Meta(ge=1, le=NUM_PARTS)]
Pixels = Annotated[float, Meta(gt=-1e6, lt=1e6)]
BoxXyxy = tuple[Pixels, Pixels, Pixels, Pixels]
Text = Annotated[str, Meta(max_length=500, pattern=r"^[^\0]*\Z")]
Reason = Annotated[str, Meta(max_length=200, pattern=r"^[^\0]*[^\s\0][^\0]*\Z")]
Counts = Annotated[str, Meta(max_length=200_000, pattern=r"^[0-o]*\Z")]  # COCO's compressed run lengths
