"""The endpoints of the list of people: pages, neighbours, thumbnails; opening, assigning."""

from collections import OrderedDict
from threading import Lock
from typing import Protocol

import sqlalchemy as sql
from msgspec import convert, to_builtins
from starlette.responses import Response

from opendensepose.annotate.server.bodies import Assign, NeighboursQuery, OpenPerson, People, PeopleQuery
from opendensepose.annotate.server.requests import CACHE_FOREVER, Call, Endpoint
from opendensepose.annotate.team import assignment
from opendensepose.annotate.team.deletion import delete_people
from opendensepose.annotate.team.people_list import Filter, list_people, neighbours
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.photos import PhotoFolder
from opendensepose.annotate.work.store import Store, people, tasks
from opendensepose.annotate.work.tasks import Rules, is_readable

__all__ = ["PEOPLE_ENDPOINTS", "Thumbnails"]


class Thumbnails:
    """The thumbnails asked for last, in memory: some kilobytes each."""

    def __init__(self, folder: PhotoFolder, most: int = 5_000):
        self._folder, self._most = folder, most
        self._known: OrderedDict[tuple, bytes] = OrderedDict()
        self._lock = Lock()

    def jpeg(self, photo_id: int, box_xyxy: tuple[float, ...]) -> bytes:
        """Return a JPEG of the box, drawn at the first use."""
        key = photo_id, box_xyxy
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = self._folder.thumbnail(photo_id, box_xyxy)
        with self._lock:
            self._known[key] = made
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return made


class PeopleState(Protocol):
    """What these endpoints use of `AppState`."""

    store: Store
    thumbnails: Thumbnails

    @property
    def store_and_rules(self) -> tuple[Store, Rules]: ...

    def task(self, call: Call, task_id: int) -> dict: ...


def page(state: PeopleState, call: Call) -> dict:
    return list_people(state.store, call.user, call.query, call.query.limit, call.query.offset)


def neighbours_of(state: PeopleState, call: Call) -> dict:
    query = call.query
    wanted = convert(to_builtins(query), Filter)
    return neighbours(state.store, call.user, wanted, query.person, query.by, query.at)


def open_person(state: PeopleState, call: Call) -> dict:
    person_id = call.path["person_id"]
    return state.task(call, assignment.open_person(*state.store_and_rules, call.user, person_id, call.body.by))


def thumbnail(state: PeopleState, call: Call) -> Response:
    person_id = call.path["person_id"]
    query = sql.select(people).where(people.c.id == person_id)
    if not call.user.may_manage:
        readable = sql.select(tasks.c.id).where(tasks.c.person_id == person_id, is_readable(call.user))
        query = query.where(readable.exists())
    with state.store.reading() as connection:
        person = connection.execute(query).one_or_none()
    if person is None:
        raise RequestError(f"There is no person {person_id} that you may see.", 404)
    content = state.thumbnails.jpeg(person.photo_id, (person.x0, person.y0, person.x1, person.y1))
    return Response(content, media_type="image/jpeg", headers=CACHE_FOREVER)


def assign(state: PeopleState, call: Call) -> dict:
    return assignment.assign(*state.store_and_rules, call.user, call.body.person_ids, call.body.annotator_id)


def delete(state: PeopleState, call: Call) -> dict:
    return delete_people(state.store, call.user, call.body.person_ids)


def unassign(state: PeopleState, call: Call) -> dict:
    return assignment.unassign(state.store, call.user, call.body.person_ids)


PEOPLE_ENDPOINTS = [
    Endpoint("GET", "/api/people", page, query=PeopleQuery),
    Endpoint("GET", "/api/people/neighbours", neighbours_of, query=NeighboursQuery),
    Endpoint("POST", "/api/people/assign", assign, Assign, role="manager"),
    Endpoint("POST", "/api/people/unassign", unassign, People, role="manager"),
    Endpoint("POST", "/api/people/delete", delete, People, role="manager"),
    Endpoint("POST", "/api/people/{person_id:int}/open", open_person, OpenPerson),
    Endpoint("GET", "/api/people/{person_id:int}/thumbnail.jpg", thumbnail, is_slow=True),
]
