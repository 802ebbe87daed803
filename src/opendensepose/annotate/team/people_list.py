"""The list of people: filtered, sorted and paged by the database, and a person's neighbours in it.

A row is one annotator's work on one person, or a person whom nobody has been given yet ("waiting"). Annotators see
their own work, reviewers submitted work too, managers everybody.
"""

from typing import Any, Literal

import sqlalchemy as sql
from msgspec import Struct
from sqlalchemy.engine import Row

from opendensepose.annotate.work.fields import Id, Text
from opendensepose.annotate.work.store import Store, annotators, people, photos, tasks
from opendensepose.annotate.work.tasks import User, is_readable

__all__ = ["STATES", "Filter", "list_people", "neighbours"]

STATES = ("waiting", "open", "submitted", "sent_back", "accepted", "skipped")
_TO_DO = ("waiting", "open", "sent_back")


class Filter(Struct, kw_only=True):
    """Which rows, in which order. annotator, photo: numbers; search: in photo's and annotator's names and reasons."""

    state: Literal["waiting", "open", "submitted", "sent_back", "accepted", "skipped", "to_do"] | None = None
    annotator: Id | None = None
    photo: Id | None = None
    search: Text | None = None
    sort: Literal["person", "photo", "state", "annotator", "changed"] = "person"
    reverse: bool = False


_STATUS = sql.func.coalesce(tasks.c.status, "waiting")
_CHANGED = sql.func.coalesce(tasks.c.touched_at, 0.0)
_COLUMNS = (
    people.c.id.label("person_id"),
    people.c.photo_id,
    people.c.is_gold,
    photos.c.name.label("photo"),
    tasks.c.id.label("task_id"),
    _STATUS.label("status"),
    tasks.c.annotator_id,
    annotators.c.name.label("annotator"),
    tasks.c.skip_reason,
    tasks.c.assigned_at,
    _CHANGED.label("changed_at"),
)


def _rows(user: User, wanted: Filter, *columns: Any) -> sql.Select:
    """Select columns of the rows that the user may see and that the filter lets through; not yet in order."""
    source = (
        people.join(photos, people.c.photo_id == photos.c.id)
        .outerjoin(tasks, tasks.c.person_id == people.c.id)
        .outerjoin(annotators, tasks.c.annotator_id == annotators.c.id)
    )
    query = sql.select(*columns).select_from(source)
    if user.may_manage:
        query = query.where(sql.or_(people.c.is_gold.is_(False), tasks.c.id.is_not(None)))
    else:
        query = query.where(is_readable(user))
    if wanted.state is not None:
        query = query.where(_STATUS.in_(_TO_DO if wanted.state == "to_do" else (wanted.state,)))
    if wanted.annotator is not None:
        query = query.where(tasks.c.annotator_id == wanted.annotator)
    if wanted.photo is not None:
        query = query.where(people.c.photo_id == wanted.photo)
    if wanted.search:
        texts = (photos.c.name, annotators.c.name, tasks.c.skip_reason)
        query = query.where(sql.or_(*(text.icontains(wanted.search, autoescape=True) for text in texts)))
    return query


def _order(wanted: Filter) -> list[sql.ColumnElement]:
    keys: dict[str, sql.ColumnElement] = {
        "person": people.c.id,
        "photo": photos.c.name,
        "state": sql.case(*((_STATUS == state, k) for k, state in enumerate(STATES))),
        "annotator": sql.func.coalesce(annotators.c.name, ""),
        "changed": _CHANGED,
    }
    key = keys[wanted.sort]
    return [key.desc() if wanted.reverse else key.asc(), people.c.id.asc(), tasks.c.id.asc()]


def list_people(store: Store, user: User, wanted: Filter, limit: int, offset: int) -> dict:
    """Return {total, rows, counts}: how many rows there are, a page of them, and the number of each state.

    counts are of the filter without its state.
    """
    of_states = Filter(annotator=wanted.annotator, photo=wanted.photo, search=wanted.search)
    counted = _rows(user, of_states, _STATUS, sql.func.count()).group_by(_STATUS)
    page = _rows(user, wanted, *_COLUMNS).order_by(*_order(wanted)).limit(limit).offset(offset)
    with store.reading() as connection:
        counts = dict.fromkeys(STATES, 0) | {state: number for state, number in connection.execute(counted)}
        rows = connection.execute(page).all()
    chosen = {None: STATES, "to_do": _TO_DO}.get(wanted.state, (wanted.state,))
    total = sum(counts[state] for state in chosen if state)
    return {"total": total, "counts": counts, "rows": [_row_json(row, user) for row in rows]}


def _row_json(row: Row, user: User) -> dict:
    names = ("person_id", "task_id", "photo_id", "photo", "status", "annotator_id", "annotator", "skip_reason")
    shown: dict[str, Any] = {name: getattr(row, name) for name in names}
    shown |= {"changed_at": row.changed_at or None, "assigned": row.assigned_at is not None}
    return shown | ({"gold": row.is_gold} if user.may_manage else {})


def neighbours(store: Store, user: User, wanted: Filter, person: int, by: int | None, at: int | None) -> dict:
    """Return {previous, next, at, total}: the rows before and after a person in the list, as {person_id, by}, or null.

    by: the annotator of the person's row. at: the row's place in the list, from 1; where the row has left the list,
    as what is accepted leaves the submitted ones, the place where it last was.
    """
    number = sql.func.row_number().over(order_by=_order(wanted)).label("number")
    listed = _rows(user, wanted, people.c.id.label("person_id"), tasks.c.annotator_id.label("by"), number).subquery()
    is_this = sql.and_(listed.c.person_id == person, listed.c.by.is_(None) if by is None else listed.c.by == by)
    with store.reading() as connection:
        place = connection.scalar(sql.select(listed.c.number).where(is_this))
        total = connection.execute(sql.select(sql.func.count()).select_from(listed)).scalar_one()
        before, after = (place - 1, place + 1) if place is not None else ((at or 1) - 1, at or 1)
        query = sql.select(listed).where(listed.c.number.in_((before, after)))
        found = {row.number: {"person_id": row.person_id, "by": row.by} for row in connection.execute(query)}
    return {"previous": found.get(before), "next": found.get(after), "at": place, "total": total}
