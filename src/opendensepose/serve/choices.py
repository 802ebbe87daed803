"""What a request asks for: the format by name or by media type, whose labels, how sure, how soon."""

from collections.abc import Iterable

from starlette.datastructures import QueryParams

from opendensepose.formats import select_people
from opendensepose.serve.answers import MEDIA_TYPES

__all__ = ["ChoiceError", "choose_format", "read_number", "read_person"]

PREFIX = "application/x-"  # application/x-NAME asks for any format by its name
BY_MEDIA_TYPE = {"application/json": "json", "image/png": "iuv-png", "image/jpeg": "overlay", "*/*": "json"}
WILD = {"image/*": "iuv-png", "application/*": "json"}


class ChoiceError(Exception):
    """A choice that is not there: a status of HTTP and one sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


def choose_format(query: QueryParams, accept: Iterable[str]) -> str:
    """Return the format of the answer: the query's `format`, or else what the Accept headers like best. ChoiceError."""
    name = query.get("format")
    if name is not None:
        if name not in MEDIA_TYPES:
            raise ChoiceError(422, f"There is no format {name[:80]!r}: known formats are {', '.join(MEDIA_TYPES)}.")
        return name
    wishes = sorted(_wishes(",".join(accept)), key=lambda one: -one[1])
    for media_type, weight in wishes:
        name = BY_MEDIA_TYPE.get(media_type) or WILD.get(media_type) or media_type.removeprefix(PREFIX)
        if weight > 0 and name in MEDIA_TYPES:
            return name
    if not wishes:
        return "json"
    raise ChoiceError(
        406, f"Accept must name one of {', '.join(BY_MEDIA_TYPE)}, or {PREFIX}NAME, where NAME is a format's."
    )


def _wishes(accept: str) -> Iterable[tuple[str, float]]:
    """Yield the media types of an Accept header and how much each is liked, 0 to 1."""
    for part in accept.split(","):
        media_type, *parameters = [one.strip().lower() for one in part.split(";")]
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        if media_type:
            try:
                yield media_type, float(weight)
            except ValueError:
                continue


def read_person(query: QueryParams) -> str | None:
    """Return whose labels are wanted, see `formats.select_people`; None: what the format says. ChoiceError."""
    person = query.get("person")
    try:
        if person is not None and len(person) < 20:
            select_people([], person)
        elif person is not None:
            raise ValueError("person must be short.")
    except ValueError as error:
        raise ChoiceError(422, str(error)[:1].upper() + str(error)[1:]) from None
    return person


def read_number(query: QueryParams, name: str, default: float, most: float) -> float:
    """Return a number of the query in [0, most]. ChoiceError."""
    text = query.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise ChoiceError(422, f"{name} must be a number in [0, {most:g}], got {text[:40]!r}.")
    return value
